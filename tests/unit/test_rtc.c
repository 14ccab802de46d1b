/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818's time, its memory and its reset (Motorola's data sheet). */
#include <time.h>

#include "rtc_fixture.h"

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
		cmocka_unit_test_setup(test_cmos, setup),
		cmocka_unit_test_setup(test_memory_size, setup),
		cmocka_unit_test_setup(test_reset_keeps_the_time, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
