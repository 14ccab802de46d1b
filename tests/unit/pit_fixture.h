/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual 8254 with a clock that stands until it is moved. */
#ifndef PIT_FIXTURE_H
#define PIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vdev_pit.h"

#define START 1000000 /* input clocks: an instant like any other */

static struct vdev_bus bus;
static struct vpit pit;
static uint64_t ns, tick;
static unsigned raised, rearmed;
static bool level;

static inline uint64_t now(void)
{
	return ns;
}

static inline void rearm(void *ctx)
{
	assert_ptr_equal(ctx, &pit);
	rearmed++;
}

static inline void set(void *ctx, unsigned irq, bool to)
{
	assert_ptr_equal(ctx, &bus);
	assert_int_equal(irq, 0);
	assert_int_not_equal(level, to);
	level = to;
	raised += to;
}

static const struct vclock vclock = { now, now, rearm, &pit };

/* The first nanosecond of an input clock. */
static inline uint64_t ns_of(uint64_t clocks)
{
	return (uint64_t)(((unsigned __int128)clocks * 1000000000 + PIT_HZ - 1) / PIT_HZ);
}

/* Time goes on without anybody looking. */
static inline void pass(uint64_t clocks)
{
	tick += clocks;
	ns = ns_of(tick);
}

/* The same, with the hypervisor's timer; returns how often it went off. */
static inline unsigned run(uint64_t clocks)
{
	const uint64_t end = ns_of(tick + clocks);
	unsigned n = 0;

	for (; vpit_next(&pit) <= end; n++) {
		assert_true(vpit_next(&pit) > ns);
		ns = vpit_next(&pit);
		vpit_advance(&pit, ns);
	}
	pass(clocks);
	return n;
}

static inline void out(uint16_t port, uint32_t value)
{
	bus_port_write(&bus, port, 1, value);
}

static inline uint32_t in(uint16_t port)
{
	return bus_port_read(&bus, port, 1);
}

/* Both bytes, binary; the count is loaded one clock later. */
static inline void program(unsigned channel, unsigned mode, unsigned count)
{
	out(0x43, channel << 6 | 0x30 | mode << 1);
	out((uint16_t)(0x40 + channel), count & 0xFF);
	out((uint16_t)(0x40 + channel), count >> 8);
}

static inline unsigned count_of(unsigned channel)
{
	const uint16_t port = (uint16_t)(0x40 + channel);
	unsigned v;

	out(0x43, channel << 6);
	v = in(port);
	return v | in(port) << 8;
}

static inline unsigned status_of(unsigned channel)
{
	out(0x43, 0xE0 | 2u << channel);
	return in((uint16_t)(0x40 + channel));
}

static inline bool out_of(unsigned channel)
{
	return status_of(channel) & 0x80;
}

static inline void gate(bool on)
{
	out(0x61, on);
}

static inline void forget(void)
{
	raised = rearmed = 0;
}

static inline int setup(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	level = false;
	tick = 0;
	pass(START);
	vpit_init(&pit, &vclock, (struct irq_line){ set, &bus, 0 });
	assert_true(vpit_add_to_bus(&pit, &bus));
	forget();
	return 0;
}

#endif
