/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual MC146818 with a clock that stands until it is moved. */
#ifndef RTC_FIXTURE_H
#define RTC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vdev_rtc.h"

#define MS 1000000ULL
#define S (1000 * MS)
#define DAY (86400 * S)

#define PIE 0x40
#define AIE 0x20
#define UIE 0x10
#define H24 0x02
#define BINARY 0x04
#define SET 0x80

#define WALL 1709209830ULL /* 2024-02-29 12:30:30, a Thursday */

static struct vdev_bus bus;
static struct vrtc rtc;
static uint64_t ns, wall;
static unsigned raised, rearmed;
static bool level;

static inline uint64_t now(void)
{
	return ns;
}

static inline uint64_t wall_now(void)
{
	return wall + ns;
}

static inline void rearm(void *ctx)
{
	assert_ptr_equal(ctx, &rtc);
	rearmed++;
}

static inline void set(void *ctx, unsigned irq, bool to)
{
	assert_ptr_equal(ctx, &bus);
	assert_int_equal(irq, 8);
	assert_int_not_equal(level, to);
	level = to;
	raised += to;
}

static const struct vclock vclock = { now, wall_now, rearm, &rtc };

static inline unsigned bcd(int v)
{
	return (unsigned)(v / 10 << 4 | v % 10);
}

static inline unsigned rd(unsigned reg)
{
	bus_port_write(&bus, 0x70, 1, reg);
	return bus_port_read(&bus, 0x71, 1);
}

static inline void wr(unsigned reg, unsigned v)
{
	bus_port_write(&bus, 0x70, 1, reg);
	bus_port_write(&bus, 0x71, 1, v);
}

/* Hours, minutes, seconds as one hexadecimal number. */
static inline unsigned hms(void)
{
	return rd(4) << 16 | rd(2) << 8 | rd(0);
}

/* Century, year, month, day. */
static inline unsigned ymd(void)
{
	return rd(0x32) << 24 | rd(9) << 16 | rd(8) << 8 | rd(7);
}

static inline void set_hms(unsigned v)
{
	wr(4, v >> 16);
	wr(2, v >> 8 & 0xFF);
	wr(0, v & 0xFF);
}

static inline void set_ymd(unsigned v)
{
	wr(0x32, v >> 24);
	wr(9, v >> 16 & 0xFF);
	wr(8, v >> 8 & 0xFF);
	wr(7, v & 0xFF);
}

static inline void set_alarm(unsigned h, unsigned m, unsigned s)
{
	wr(5, h);
	wr(3, m);
	wr(1, s);
}

/* With the hypervisor's timer, and a guest that reads C after each interrupt; says how many. */
static inline unsigned run(uint64_t duration)
{
	const uint64_t end = ns + duration;
	unsigned n = 0;

	while (vrtc_next(&rtc) <= end) {
		assert_true(vrtc_next(&rtc) > ns);
		ns = vrtc_next(&rtc);
		vrtc_advance(&rtc, ns);
		assert_true(level);
		assert_true(rd(0xC) & 0x80);
		assert_false(level);
		n++;
	}
	ns = end;
	return n;
}

static inline void power_on(uint64_t unix_seconds, uint64_t sub_ns)
{
	memset(&bus, 0, sizeof(bus));
	level = false;
	ns = 5 * S + 123;
	wall = unix_seconds * S + sub_ns - ns;
	vrtc_init(&rtc, &vclock, (struct irq_line){ set, &bus, 8 });
	assert_true(vrtc_add_to_bus(&rtc, &bus));
	raised = rearmed = 0;
}

static inline int setup(void **state)
{
	(void)state;
	power_on(WALL, 0);
	return 0;
}

#endif
