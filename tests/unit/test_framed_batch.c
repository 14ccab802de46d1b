/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Framed mode: how many frames a guest's bytes take, when they go, and what
 * that asks of the machine: polls by the guest, and alarms.  The clock stands
 * (PATIENT) until a test lets the time be over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "framed_fixture.h"

#define RING KIB(64)
#define SMALL_RING 64
#define OVERHEAD 11 /* docs/framing.md */

static unsigned alarms, polls;

static void count_alarm(uint64_t tsc)
{
	alarms++;
	fx_alarm_at = tsc;
}

static int setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	fx_ops.alarm = count_alarm;
	fx_setup();
	fx_add("alpha", RING, OVERFLOW_AUTO);
	fx_add("beta", RING, OVERFLOW_AUTO);
	fx_add("small", SMALL_RING, OVERFLOW_BLOCK);
	console_start(false);
	run();
	forget();
	send_bytes(START, START_LEN);
	say_hello();
	for (unsigned c = 0; c <= 3; c++)
		grant(c, KIB(512));
	/* The last frames were long ago. */
	fx_rate = PATIENT;
	for (unsigned vm = 0; vm < 3; vm++)
		guest[vm]->framed.sent = __builtin_ia32_rdtsc() - 3 * PATIENT;
	memset(host.out, 0, sizeof(host.out));
	memset(host.len, 0, sizeof(host.len));
	host.frames = alarms = polls = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fx_free();
	fx_ops.alarm = fx_alarm;
	return 0;
}

/* As the guest's CPU does it: a poll behind each byte that asks for one. */
static void write_byte(unsigned vm, char byte)
{
	assert_true(vcon_put(guest[vm], (uint8_t)byte));
	if (console_has_work()) {
		polls++;
		listen_host();
	}
}

static void write_text(unsigned vm, const char *text)
{
	for (; *text; text++)
		write_byte(vm, *text);
}

static void write_many(unsigned vm, char byte, unsigned n)
{
	while (n--)
		write_byte(vm, byte);
}

/* The time that bytes are held is over, and the alarm comes. */
static void time_is_over(void)
{
	fx_rate = 1;
	fx_alarm_at = 0; /* it rings here and now */
	console_poll();
	listen_host();
	fx_rate = PATIENT;
}

static void a_line_is_one_frame(void **state)
{
	(void)state;
	write_text(0, "single bytes of a line");
	assert_int_equal(host.frames, 0);
	write_text(0, "\r\n");
	assert_int_equal(host.frames, 1);
	assert_string_equal(host.out[1], "single bytes of a line\r\n");
	assert_int_equal(polls, 2); /* when it began and when it ended */
}

static void short_lines_in_a_row_share_frames(void **state)
{
	(void)state;
	write_text(0, "first\n");
	assert_int_equal(host.frames, 1);
	for (unsigned i = 0; i < 40; i++)
		write_text(0, "line\n");
	assert_int_equal(host.frames, 1);
	assert_int_equal(polls, 3);
	time_is_over();
	assert_int_equal(host.frames, 2);
	assert_int_equal(host.len[1], 6 + 40 * 5);
	assert_int_equal(host.lost[1], 0);
}

static void a_frames_worth_does_not_wait(void **state)
{
	(void)state;
	write_many(0, 'x', FRAME_DATA_MAX - 1);
	assert_int_equal(host.frames, 0);
	write_byte(0, 'x');
	assert_int_equal(host.frames, 1);
	assert_int_equal(host.len[1], FRAME_DATA_MAX);
	assert_int_equal(polls, 2);
}

static void an_unfinished_line_goes_in_a_short_time(void **state)
{
	const uint64_t before = __builtin_ia32_rdtsc();

	(void)state;
	write_text(0, "alpha:~# ");
	assert_int_equal(alarms, 1);
	assert_true(fx_alarm_at > before && fx_alarm_at - __builtin_ia32_rdtsc() <= 2 * PATIENT);
	console_poll(); /* whoever else has something to do there */
	listen_host();
	assert_int_equal(host.frames, 0);
	time_is_over();
	assert_int_equal(host.frames, 1);
	assert_string_equal(host.out[1], "alpha:~# ");
	assert_int_equal(polls, 1);
}

/* The time counts from the first byte that waits, so a slow trickle is not held for long. */
static void later_bytes_do_not_put_it_off(void **state)
{
	uint64_t at;

	(void)state;
	write_byte(0, 'a');
	at = fx_alarm_at;
	write_many(0, 'b', 100);
	console_poll();
	assert_int_equal(alarms, 1);
	assert_true(fx_alarm_at == at);
}

static void a_flood_costs_few_frames_polls_and_alarms(void **state)
{
	const unsigned frames = 60, n = frames * FRAME_DATA_MAX;
	const uint64_t before = console_mux()->uart.sent;

	(void)state;
	write_many(0, 'x', n);
	assert_int_equal(host.frames, frames);
	assert_int_equal(console_mux()->uart.sent - before, n + frames * OVERHEAD);
	assert_int_equal(polls, 2 * frames);
	assert_int_equal(alarms, 1); /* as it has not come, no other is needed */
	assert_int_equal(host.len[1], n);
}

static void without_waiting_bytes_there_is_no_alarm(void **state)
{
	(void)state;
	write_text(0, "a line\n");
	assert_int_equal(alarms, 1); /* from when it began */
	time_is_over();
	console_poll();
	assert_int_equal(alarms, 1);
	assert_false(console_has_work());
	assert_true(console_drained());
}

static void two_guests_share_the_alarm(void **state)
{
	uint64_t first;

	(void)state;
	write_text(0, "one");
	first = fx_alarm_at;
	write_text(1, "two");
	assert_true(fx_alarm_at == first);
	assert_int_equal(alarms, 1);
	write_text(0, "\n");
	assert_int_equal(host.len[2], 0);
	/* It comes for the first guest's, in vain: the second's still has to wait. */
	console_mux()->framed.alarm = 1;
	console_poll();
	assert_int_equal(alarms, 2);
	assert_true(fx_alarm_at > first);
	time_is_over();
	assert_string_equal(host.out[2], "two");
}

/* A stop waits for what the guest said last. */
static void held_bytes_are_not_shown_yet(void **state)
{
	(void)state;
	write_text(0, "last words");
	assert_false(console_drained());
	time_is_over();
	assert_true(console_drained());
	assert_string_equal(host.out[1], "last words");
}

static void who_waits_for_room_does_not_wait_for_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100 * SMALL_RING; i++) {
		while (!vcon_room(guest[2])) {
			assert_true(console_has_work());
			listen_host();
		}
		write_byte(2, 'x');
	}
	assert_true(host.len[3] >= 99 * SMALL_RING);
	assert_int_equal(host.lost[3], 0);
}

static void the_end_of_the_credit_is_the_end_of_waiting(void **state)
{
	(void)state;
	grant(1, 3);
	write_text(0, "abc");
	assert_string_equal(host.out[1], "abc");
	assert_false(framed_shows(console_mux(), guest[0]));
}

static void the_monitor_answers_at_once(void **state)
{
	(void)state;
	send_data(0, 0, "l");
	assert_string_equal(host.out[0], "l");
	assert_int_equal(alarms, 0);
}

static void without_an_alarm_every_byte_goes_at_once(void **state)
{
	(void)state;
	fx_ops.alarm = NULL;
	write_text(0, "abc");
	assert_int_equal(host.frames, 3);
	assert_string_equal(host.out[1], "abc");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_one_frame),
		TEST(short_lines_in_a_row_share_frames),
		TEST(a_frames_worth_does_not_wait),
		TEST(an_unfinished_line_goes_in_a_short_time),
		TEST(later_bytes_do_not_put_it_off),
		TEST(a_flood_costs_few_frames_polls_and_alarms),
		TEST(without_waiting_bytes_there_is_no_alarm),
		TEST(two_guests_share_the_alarm),
		TEST(held_bytes_are_not_shown_yet),
		TEST(who_waits_for_room_does_not_wait_for_time),
		TEST(the_end_of_the_credit_is_the_end_of_waiting),
		TEST(the_monitor_answers_at_once),
		TEST(without_an_alarm_every_byte_goes_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
