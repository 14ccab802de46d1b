/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818's interrupts and flags. */
#include "rtc_fixture.h"

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
		cmocka_unit_test_setup(test_years_of_uptime, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
