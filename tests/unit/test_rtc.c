/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818 (Motorola's data sheet), with a clock that stands until it is moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

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

static uint64_t now(void)
{
	return ns;
}

static uint64_t wall_now(void)
{
	return wall + ns;
}

static void rearm(void *ctx)
{
	assert_ptr_equal(ctx, &rtc);
	rearmed++;
}

static void set(void *ctx, unsigned irq, bool to)
{
	assert_ptr_equal(ctx, &bus);
	assert_int_equal(irq, 8);
	assert_int_not_equal(level, to);
	level = to;
	raised += to;
}

static const struct vclock vclock = { now, wall_now, rearm, &rtc };

static unsigned rd(unsigned reg)
{
	bus_port_write(&bus, 0x70, 1, reg);
	return bus_port_read(&bus, 0x71, 1);
}

static void wr(unsigned reg, unsigned v)
{
	bus_port_write(&bus, 0x70, 1, reg);
	bus_port_write(&bus, 0x71, 1, v);
}

/* Hours, minutes, seconds as one hexadecimal number. */
static unsigned hms(void)
{
	return rd(4) << 16 | rd(2) << 8 | rd(0);
}

/* Century, year, month, day. */
static unsigned ymd(void)
{
	return rd(0x32) << 24 | rd(9) << 16 | rd(8) << 8 | rd(7);
}

static void set_hms(unsigned v)
{
	wr(4, v >> 16);
	wr(2, v >> 8 & 0xFF);
	wr(0, v & 0xFF);
}

static void set_ymd(unsigned v)
{
	wr(0x32, v >> 24);
	wr(9, v >> 16 & 0xFF);
	wr(8, v >> 8 & 0xFF);
	wr(7, v & 0xFF);
}

static void set_alarm(unsigned h, unsigned m, unsigned s)
{
	wr(5, h);
	wr(3, m);
	wr(1, s);
}

/* With the hypervisor's timer, and a guest that reads C after each interrupt; says how many. */
static unsigned run(uint64_t duration)
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

static void power_on(uint64_t unix_seconds, uint64_t sub_ns)
{
	memset(&bus, 0, sizeof(bus));
	level = false;
	ns = 5 * S + 123;
	wall = unix_seconds * S + sub_ns - ns;
	vrtc_init(&rtc, &vclock, (struct irq_line){ set, &bus, 8 });
	assert_true(vrtc_add_to_bus(&rtc, &bus));
	raised = rearmed = 0;
}

static int setup(void **state)
{
	(void)state;
	power_on(WALL, 0);
	return 0;
}

/* ---- the time ------------------------------------------------------------------- */

static void test_time_of_day(void **state)
{
	(void)state;
	assert_int_equal(ymd(), 0x20240229);
	assert_int_equal(hms(), 0x123030);
	assert_int_equal(rd(6), 5);
	ns += S - 1;
	assert_int_equal(hms(), 0x123030);
	ns += 1;
	assert_int_equal(hms(), 0x123031);
	ns += 11 * 3600 * S + 29 * 60 * S + 29 * S; /* midnight */
	assert_int_equal(hms(), 0);
	assert_int_equal(ymd(), 0x20240301);
	assert_int_equal(rd(6), 6);
}

static unsigned bcd(int v)
{
	return (unsigned)(v / 10 << 4 | v % 10);
}

/* Against the C library, over four centuries. */
static void test_calendar(void **state)
{
	(void)state;
	for (time_t t = 0; t < 86400LL * 146097; t += 86400 * 11 + 4321) {
		struct tm tm;

		power_on((uint64_t)t, 0);
		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(hms(), bcd(tm.tm_hour) << 16 | bcd(tm.tm_min) << 8 | bcd(tm.tm_sec));
		assert_int_equal(ymd(), bcd((tm.tm_year + 1900) / 100) << 24 |
						bcd(tm.tm_year % 100) << 16 |
						bcd(tm.tm_mon + 1) << 8 | bcd(tm.tm_mday));
		assert_int_equal(rd(6), tm.tm_wday + 1);
	}
}

static void test_binary(void **state)
{
	(void)state;
	wr(0xB, H24 | BINARY);
	assert_int_equal(hms(), 12 << 16 | 30 << 8 | 30);
	assert_int_equal(ymd(), 20 << 24 | 24 << 16 | 2 << 8 | 29);
	set_hms(23 << 16 | 59 << 8 | 59);
	ns += S;
	assert_int_equal(hms(), 0);
	assert_int_equal(ymd(), 20 << 24 | 24 << 16 | 3 << 8 | 1);
}

static void test_twelve_hours(void **state)
{
	static const uint8_t hours[24] = {
		0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x10, 0x11,
		0x92, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91,
	};

	(void)state;
	for (unsigned h = 0; h < 24; h++) {
		wr(0xB, 0);
		wr(4, hours[h]);
		assert_int_equal(rd(4), hours[h]);
		wr(0xB, H24);
		assert_int_equal(rd(4), bcd((int)h));
	}
	wr(0xB, BINARY);
	assert_int_equal(rd(4), 0x80 | 11);
}

static void test_set_holds_the_time(void **state)
{
	(void)state;
	wr(0xB, SET | H24);
	ns += 10 * S;
	assert_int_equal(hms(), 0x123030);
	set_ymd(0x19991231);
	set_hms(0x235958);
	assert_int_equal(ymd(), 0x19991231);
	assert_int_equal(rd(0xA) & 0x80, 0); /* no update, no UIP */
	ns += S / 2;
	wr(0xB, H24);
	assert_int_equal(hms(), 0x235958);
	ns += S / 2 - 1;
	assert_int_equal(hms(), 0x235958);
	ns += 1; /* the divider went on meanwhile */
	assert_int_equal(hms(), 0x235959);
	ns += S;
	assert_int_equal(hms(), 0);
	assert_int_equal(ymd(), 0x20000101);
}

static void test_leap_years(void **state)
{
	static const unsigned days[][2] = {
		{ 0x20000228, 0x20000229 }, { 0x20230228, 0x20230301 }, { 0x19000228, 0x19000301 },
		{ 0x20240229, 0x20240301 }, { 0x99991231, 0x00000101 }, { 0x00000228, 0x00000229 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		wr(0xB, SET | H24);
		set_ymd(days[i][0]);
		wr(0xB, H24);
		ns += DAY;
		assert_int_equal(ymd(), days[i][1]);
	}
}

/* A guest's day of the week may be any; it goes on from there. */
static void test_weekday_is_the_guests(void **state)
{
	(void)state;
	wr(6, 7);
	assert_int_equal(rd(6), 7);
	ns += DAY;
	assert_int_equal(rd(6), 1);
	set_ymd(0x20250710);
	assert_int_equal(rd(6), 1);
}

static void test_nonsense_is_brought_into_range(void **state)
{
	(void)state;
	wr(0xB, SET | H24);
	for (unsigned reg = 0; reg < 10; reg++)
		wr(reg, 0xFF);
	assert_int_equal(rd(0), 0xFF); /* as it was written, while it is held */
	wr(0xB, H24);
	assert_int_equal(hms(), 0x235959);
	assert_int_equal(ymd(), 0x20991231);
	wr(0xB, SET | H24);
	for (unsigned reg = 0; reg < 10; reg++)
		wr(reg, 0);
	wr(0xB, H24);
	assert_int_equal(hms(), 0);
	assert_int_equal(ymd(), 0x20000101);
}

static void test_update_in_progress(void **state)
{
	(void)state;
	assert_int_equal(rd(0xA), 0x26);
	ns += S - 2228001;
	assert_int_equal(rd(0xA), 0x26);
	ns += 1;
	assert_int_equal(rd(0xA), 0xA6);
	ns += 2227999;
	assert_int_equal(rd(0xA), 0xA6);
	assert_int_equal(hms(), 0x123030);
	ns += 1;
	assert_int_equal(rd(0xA), 0x26);
	assert_int_equal(hms(), 0x123031);
}

static void test_divider_reset(void **state)
{
	(void)state;
	ns += 300 * MS;
	wr(0xA, 0x76);
	ns += 10 * S;
	assert_int_equal(hms(), 0x123030);
	wr(0xA, 0x26); /* the first update is half a second away */
	ns += S / 2 - 1;
	assert_int_equal(hms(), 0x123030);
	ns += 1;
	assert_int_equal(hms(), 0x123031);
}

/* ---- interrupts -------------------------------------------------------------------- */

static void test_idle_costs_nothing(void **state)
{
	(void)state;
	assert_int_equal(vrtc_next(&rtc), VTIME_NEVER);
	(void)hms();
	wr(0x40, 1);
	assert_int_equal(rearmed, 0);
}

static void test_periodic_rates(void **state)
{
	static const unsigned per_minute_64[16] = { /* in 64 s */
		0,	   256 * 64, 128 * 64, 8192 * 64, 4096 * 64, 2048 * 64, 1024 * 64, 512 * 64,
		256 * 64, 128 * 64, 64 * 64,  32 * 64,   16 * 64,   8 * 64,    4 * 64,	 2 * 64,
	};

	(void)state;
	for (unsigned rate = 0; rate < 16; rate++) {
		power_on(WALL, 0);
		wr(0xA, 0x20 | rate);
		wr(0xB, H24 | PIE);
		assert_int_equal(run(64 * S), per_minute_64[rate]);
	}
}

static void test_update_interrupt(void **state)
{
	(void)state;
	ns += 400 * MS;
	wr(0xB, H24 | UIE);
	assert_int_equal(vrtc_next(&rtc), ns + 600 * MS);
	assert_int_equal(run(600 * MS - 1), 0);
	assert_int_equal(run(1), 1);
	assert_int_equal(hms(), 0x123031);
	assert_int_equal(run(100 * S), 100);
	wr(0xB, SET | H24 | UIE);
	assert_int_equal(rd(0xB), SET | H24); /* SET clears UIE */
}

static void test_alarm(void **state)
{
	(void)state;
	set_alarm(0x12, 0x31, 0x00);
	wr(0xB, H24 | AIE);
	assert_int_equal(vrtc_next(&rtc), ns + 30 * S);
	assert_int_equal(run(30 * S - 1), 0);
	assert_int_equal(run(1), 1);
	assert_int_equal(hms(), 0x123100);
	assert_int_equal(vrtc_next(&rtc), ns + DAY);
	assert_int_equal(run(3 * DAY), 3);
	set_alarm(0x12, 0x31, 0x00); /* equal already: next at the update that brings it */
	assert_int_equal(vrtc_next(&rtc), ns + DAY);
}

static void test_alarm_wildcards(void **state)
{
	(void)state;
	wr(0xB, H24 | AIE);
	set_alarm(0xFF, 0xC0, 0xD5);
	assert_int_equal(run(120 * S), 120);
	set_alarm(0xFF, 0xFF, 0x15);
	assert_int_equal(run(3600 * S), 60);
	set_alarm(0xFF, 0x15, 0x15);
	assert_int_equal(run(DAY), 24);
	set_alarm(0x15, 0xFF, 0x15);
	assert_int_equal(run(DAY), 60);
	set_alarm(0x15, 0x15, 0xFF);
	assert_int_equal(run(DAY), 60);
	set_alarm(0x24, 0xFF, 0xFF); /* no such hour, minute, second */
	assert_int_equal(vrtc_next(&rtc), VTIME_NEVER);
	set_alarm(0xFF, 0x60, 0xFF);
	assert_int_equal(vrtc_next(&rtc), VTIME_NEVER);
	set_alarm(0xFF, 0xFF, 0x1A);
	assert_int_equal(vrtc_next(&rtc), VTIME_NEVER);
}

static void test_alarm_in_twelve_hours(void **state)
{
	(void)state;
	wr(0xB, AIE);
	set_alarm(0x81, 0x00, 0x00); /* 1 p.m. */
	assert_int_equal(vrtc_next(&rtc), ns + (29 * 60 + 30) * S);
	set_alarm(0x12, 0x00, 0x00); /* midnight */
	assert_int_equal(vrtc_next(&rtc), ns + (11 * 3600 + 29 * 60 + 30) * S);
	wr(0xB, AIE | BINARY);
	set_alarm(0x80 | 11, 45, 0);
	assert_int_equal(vrtc_next(&rtc), ns + (11 * 3600 - 30 * 60 - 30 + 45 * 60) * S);
}

/* Against a walk over every second. */
static void test_alarm_search(void **state)
{
	static const uint8_t hours[] = { 0xFF, 0x00, 0x12, 0x13, 0x23 };
	static const uint8_t rest[] = { 0xFF, 0x00, 0x29, 0x30, 0x31, 0x59 };

	(void)state;
	wr(0xB, H24 | AIE);
	for (unsigned i = 0; i < 5 * 6 * 6; i++) {
		const uint8_t h = hours[i / 36], m = rest[i / 6 % 6], s = rest[i % 6];
		unsigned t = 12 * 3600 + 30 * 60 + 30, n = 0;

		do {
			t = (t + 1) % 86400;
			n++;
		} while ((h != 0xFF && h != bcd((int)t / 3600)) ||
			 (m != 0xFF && m != bcd((int)t / 60 % 60)) ||
			 (s != 0xFF && s != bcd((int)t % 60)));
		set_alarm(h, m, s);
		assert_int_equal(vrtc_next(&rtc), ns + n * S);
	}
}

static void test_flags_without_interrupts(void **state)
{
	(void)state;
	set_alarm(0x12, 0x30, 0x32);
	(void)rd(0xC);
	assert_int_equal(rd(0xC), 0);
	ns += MS;
	assert_int_equal(rd(0xC), 0x40);
	ns += S;
	assert_int_equal(rd(0xC), 0x50);
	ns += S;
	assert_int_equal(rd(0xC), 0x70);
	assert_int_equal(rd(0xC), 0);
	ns += 400 * DAY;
	assert_int_equal(rd(0xC), 0x70);
	assert_int_equal(raised, 0);
}

/* A flag that is set already interrupts when it is enabled. */
static void test_enabling_a_set_flag(void **state)
{
	(void)state;
	ns += S;
	wr(0xB, H24 | UIE);
	assert_true(level);
	assert_int_equal(vrtc_next(&rtc), VTIME_NEVER); /* until C is read */
	wr(0xB, H24);
	assert_false(level);
	wr(0xB, H24 | UIE);
	assert_int_equal(rd(0xC) & 0x90, 0x90);
	assert_false(level);
	assert_int_equal(vrtc_next(&rtc), ns + S);
}

static void test_late(void **state)
{
	(void)state;
	wr(0xB, H24 | PIE); /* 1024 Hz */
	(void)rd(0xC);
	ns += 10 * S + 1;
	vrtc_advance(&rtc, ns);
	vrtc_advance(&rtc, ns);
	assert_int_equal(raised, 1);
	(void)rd(0xC);
	assert_int_equal(vrtc_next(&rtc), ns - 1 + 976563); /* in phase */
}

static void test_rearm(void **state)
{
	(void)state;
	wr(0xB, H24 | UIE);
	assert_int_equal(rearmed, 1);
	(void)hms();
	assert_int_equal(rearmed, 1);
	ns += S;
	(void)rd(0xA); /* finds the interrupt due */
	assert_int_equal(raised, 1);
	assert_int_equal(rearmed, 2);
	(void)rd(0xC);
	assert_int_equal(rearmed, 3);
	wr(0, 0x10);
	assert_int_equal(rearmed, 3); /* the update comes when it would have */
}

static void test_stopped_clock_is_silent(void **state)
{
	(void)state;
	set_alarm(0xFF, 0xFF, 0xFF);
	wr(0xB, SET | H24 | AIE | PIE);
	(void)rd(0xC);
	ns += 10 * S;
	assert_int_equal(rd(0xC), 0xC0); /* the divider runs on, for the periodic one */
	wr(0xA, 0x76);
	(void)rd(0xC);
	assert_int_equal(vrtc_next(&rtc), VTIME_NEVER);
	ns += 10 * S;
	assert_int_equal(rd(0xC), 0);
}

/* ---- the rest ------------------------------------------------------------------------- */

static void test_cmos(void **state)
{
	(void)state;
	for (unsigned reg = 0xE; reg < 0x80; reg++)
		if (reg != 0x32)
			wr(reg, reg ^ 0x5A);
	for (unsigned reg = 0xE; reg < 0x80; reg++)
		if (reg != 0x32)
			assert_int_equal(rd(reg | 0x80), reg ^ 0x5A); /* NMI masked, all the same */
	assert_int_equal(bus_port_read(&bus, 0x70, 1), 0xFF);
	bus_port_write(&bus, 0x70, 2, 0x7740); /* both ports at once */
	assert_int_equal(rd(0x40), 0x77);
	wr(0xD, 0);
	assert_int_equal(rd(0xD), 0x80);
	wr(0xC, 0xFF);
	assert_int_equal(rd(0xC), 0);
}

static unsigned word(unsigned reg)
{
	return rd(reg) | rd(reg + 1) << 8;
}

static void test_memory_size(void **state)
{
	unsigned sum = 0;

	(void)state;
	vrtc_set_memory(&rtc, MIB(256));
	assert_int_equal(word(0x15), 640);
	assert_int_equal(word(0x17), 0xFFFF);
	assert_int_equal(word(0x30), 0xFFFF);
	assert_int_equal(word(0x34), 240 * 16);
	assert_int_equal(word(0x5B), 0);
	for (unsigned reg = 0x10; reg < 0x2E; reg++)
		sum += rd(reg);
	assert_int_equal(rd(0x2E) << 8 | rd(0x2F), sum);
	vrtc_set_memory(&rtc, MIB(16));
	assert_int_equal(word(0x17), 15 * 1024);
	assert_int_equal(word(0x34), 0);
	vrtc_set_memory(&rtc, GIB(5));
	assert_int_equal(word(0x34), (3072 - 16) * 16);
	assert_int_equal(word(0x5B), 2 * 1024 * 16);
	vrtc_set_memory(&rtc, KIB(512));
	assert_int_equal(word(0x15), 512);
	assert_int_equal(word(0x17), 0);
}

static void test_reset_keeps_the_time(void **state)
{
	(void)state;
	wr(0x40, 0x99);
	wr(0xB, SET | BINARY);
	set_ymd(19 << 24 | 85 << 16 | 10 << 8 | 26);
	set_hms(1 << 16 | 21 << 8);
	wr(0xB, BINARY | UIE);
	ns += S;
	vrtc_advance(&rtc, ns);
	assert_true(level);
	vrtc_reset(&rtc);
	assert_false(level);
	assert_int_equal(rd(0xB), H24);
	assert_int_equal(rd(0xC), 0);
	assert_int_equal(ymd(), 0x19851026);
	assert_int_equal(hms(), 0x012101);
	assert_int_equal(rd(0x40), 0x99);
	wr(0xB, SET | H24); /* and one that is held by SET goes on */
	ns += 10 * S;
	vrtc_reset(&rtc);
	ns += S;
	assert_int_equal(hms(), 0x012102);
}

static void test_years_of_uptime(void **state)
{
	(void)state;
	ns += 200ULL * 365 * DAY;
	assert_int_equal(ymd(), 0x22240112); /* 48 leap days fewer */
	wr(0xB, H24 | PIE | UIE);
	(void)rd(0xC);
	assert_int_equal(run(S), 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_time_of_day, setup),
		cmocka_unit_test_setup(test_calendar, setup),
		cmocka_unit_test_setup(test_binary, setup),
		cmocka_unit_test_setup(test_twelve_hours, setup),
		cmocka_unit_test_setup(test_set_holds_the_time, setup),
		cmocka_unit_test_setup(test_leap_years, setup),
		cmocka_unit_test_setup(test_weekday_is_the_guests, setup),
		cmocka_unit_test_setup(test_nonsense_is_brought_into_range, setup),
		cmocka_unit_test_setup(test_update_in_progress, setup),
		cmocka_unit_test_setup(test_divider_reset, setup),
		cmocka_unit_test_setup(test_idle_costs_nothing, setup),
		cmocka_unit_test_setup(test_periodic_rates, setup),
		cmocka_unit_test_setup(test_update_interrupt, setup),
		cmocka_unit_test_setup(test_alarm, setup),
		cmocka_unit_test_setup(test_alarm_wildcards, setup),
		cmocka_unit_test_setup(test_alarm_in_twelve_hours, setup),
		cmocka_unit_test_setup(test_alarm_search, setup),
		cmocka_unit_test_setup(test_flags_without_interrupts, setup),
		cmocka_unit_test_setup(test_enabling_a_set_flag, setup),
		cmocka_unit_test_setup(test_late, setup),
		cmocka_unit_test_setup(test_rearm, setup),
		cmocka_unit_test_setup(test_stopped_clock_is_silent, setup),
		cmocka_unit_test_setup(test_cmos, setup),
		cmocka_unit_test_setup(test_memory_size, setup),
		cmocka_unit_test_setup(test_reset_keeps_the_time, setup),
		cmocka_unit_test_setup(test_years_of_uptime, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
