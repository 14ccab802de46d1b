/* SPDX-License-Identifier: BSD-2-Clause */
/* Switches that leave the terminal clean, history, read-only views, names, and all guests at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "console_fixture.h"

#define BUF 4096
#define ALT "\x1b[?1049h"
#define MAIN "\x1b[?1049l"

static int setup(void **state)
{
	(void)state;
	fx_setup();
	fx_add("alpha", BUF, OVERFLOW_AUTO);
	fx_add("beta", BUF, OVERFLOW_AUTO);
	fx_add("bravo", BUF, OVERFLOW_AUTO);
	fx_add("delta", BUF, OVERFLOW_BLOCK);
	console_start(false);
	run();
	forget();
	return 0;
}

static unsigned count(const char *what)
{
	const char *at = seen();
	unsigned n = 0;

	while ((at = strstr(at, what))) {
		n++;
		at++;
	}
	return n;
}

static struct vcon_stats stats(unsigned vm)
{
	struct vcon_stats s;

	vcon_get_stats(guest[vm], &s);
	return s;
}

static void show(unsigned vm, const char *text)
{
	say(vm, text);
	run();
	forget();
}

/* ---- the terminal at a switch ---- */

static void modes_are_left_and_come_back(void **state)
{
	(void)state;
	show(0, "\x1b[?25l\x1b[?2004h\x1b[1;33m\x1b=text\r\n");
	type("\x05" "2");
	EXPECT("\x1b[m\x1b>\x1b[?25h\x1b[?2004l[bulkhead: console beta]\r\n");
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\n\x1b[?25l\x1b[?2004h\x1b=\x1b[0;1;38;5;3m");
	say(0, "more\r\n");
	EXPECT("more\r\n");
}

static void alternate_screen_is_left_and_drawn_again(void **state)
{
	(void)state;
	show(0, "shell\r\n" ALT "\x1b[?25l\x1b[2;2HSCREEN\x1b[c\x1b[6nX");
	type("\x05" "2");
	EXPECT("\x1b[?25h" MAIN "\r\n[bulkhead: console beta]\r\n");
	type("\x05" "1");
	/* What was asked of the terminal is not asked again. */
	EXPECT("[bulkhead: console alpha]\r\n\x1b[?25l" ALT "\x1b[?25l\x1b[2;2HSCREENX");
	show(0, MAIN "\x1b[?25hshell# ");
	type("\x05" "2");
	EXPECT("\r\n[bulkhead: console beta]\r\n");
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\n\x1b[?25hshell# ");
}

static void screen_that_is_gone_leaves_the_modes(void **state)
{
	unsigned i;

	(void)state;
	show(0, ALT);
	for (i = 0; i < BUF; i++)
		vcon_put(guest[0], 'x');
	run();
	type("\x05" "2");
	forget();
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\n" ALT);
}

static void unfinished_sequence_swallows_no_line_of_ours(void **state)
{
	(void)state;
	show(0, "\x1b]0;never ending");
	type("\x05" "2");
	EXPECT("\x18\x1b\\\r\n[bulkhead: console beta]\r\n");
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\n\x1b]0;never ending");
	say(0, " title\a");
	EXPECT(" title\a");
	say(0, "\r\nab\x1b[3");
	run();
	forget();
	log_info("news");
	EXPECT("\x18\x1b\\\r\n[bulkhead: news]\r\nab\x1b[3");
}

static void message_does_not_take_the_colour(void **state)
{
	(void)state;
	show(0, "\x1b[41mred\r\n");
	log_info("news");
	EXPECT("\x1b[m[bulkhead: news]\r\n\x1b[0;48;5;1m");
}

static void question_of_a_prompt_is_asked_once(void **state)
{
	(void)state;
	show(0, "alpha# \x1b[6n");
	type("\x05" "2");
	forget();
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\nalpha# ");
}

static void new_life_has_no_modes(void **state)
{
	(void)state;
	show(0, ALT "\x1b[31mred");
	vcon_restart(guest[0]);
	say(0, "new\r\n");
	EXPECT("\x1b[m" MAIN "new\r\n");
	type("\x05" "2");
	EXPECT("[bulkhead: console beta]\r\n");
}

/* A guest can write our line: it is a guest's bytes all the same, and nothing is switched. */
static void forged_line_is_only_text(void **state)
{
	(void)state;
	say(0, "[bulkhead: console beta]\r\n");
	EXPECT("[bulkhead: console beta]\r\n");
	type("x");
	assert_int_equal(vcon_pending(guest[0]), 1);
	assert_int_equal(vcon_pending(guest[1]), 0);
}

/* ---- history ---- */

static void replay_shows_it_again(void **state)
{
	(void)state;
	show(0, "one\r\n\x1b[32mtwo\x1b[0c\r\nprompt# ");
	type("\x05r");
	EXPECT("\x1b[m\r\n[bulkhead: console alpha]\r\n[bulkhead: replay]\r\n"
	       "one\r\n\x1b[32mtwo\r\nprompt# "
	       "\x1b[m\r\n[bulkhead: end of replay]\r\n\x1b[0;38;5;2mprompt# ");
	assert_int_equal(stats(0).shown, stats(0).written);
	type("\x05" "2");
	forget();
	type("\x05r");
	EXPECT("[bulkhead: console beta]\r\n[bulkhead: there is nothing to show again]\r\n");
}

static void replay_begins_at_a_line_of_what_is_left(void **state)
{
	char *at;
	unsigned i;

	(void)state;
	for (i = 0; i < BUF / 8 * 3; i++) {
		say(0, "abcdef\r\n");
		run();
	}
	forget();
	type("\x05r");
	at = strstr((char *)tty.out, "replay]\r\n") + 9;
	assert_memory_equal(at, "abcdef\r\n", 8);
	assert_int_equal(count("abcdef\r\n"), BUF / 8 - 1);
}

static void replay_is_interrupted_by_a_switch(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 400; i++)
		say(0, "abcdef\r\n");
	run();
	forget();
	tty.stuck = true;
	tty.allow = 300;
	type("\x05r");
	type("\x05" "2");
	tty.stuck = false;
	run();
	assert_non_null(strstr(seen(), "[bulkhead: console beta]\r\n"));
	assert_in_range(tty.out_len, 100, 1000);
}

static void long_past_is_passed_over(void **state)
{
	unsigned i;

	(void)state;
	fx_free();
	fx_setup();
	fx_add("solo", BUF, OVERFLOW_AUTO);
	fx_add("wide", 256 * 1024, OVERFLOW_AUTO);
	fx_add("whole", 256 * 1024, OVERFLOW_BLOCK);
	console_start(false);
	for (i = 0; i < 10000; i++) {
		say(1, "0123456789\r\n");
		say(2, "0123456789\r\n");
	}
	run();
	forget();
	type("\x05" "2");
	assert_non_null(strstr(seen(), "wide]\r\n[bulkhead: 54464 bytes skipped]\r\n"));
	assert_int_equal(stats(1).skipped, 54464);
	assert_int_equal(stats(1).lost, 0);
	assert_int_equal(stats(1).shown, 65536);
	forget();
	type("\x05" "3"); /* it was promised that nothing of this is left out */
	assert_int_equal(stats(2).shown, 120000);
}

static void waiting_bytes_can_be_skipped(void **state)
{
	(void)state;
	tty.stuck = true;
	say(0, "a long story\r\nand so on\r\n");
	tty.allow = 3;
	run();
	type("\x05" "e");
	tty.stuck = false;
	run();
	assert_int_equal(stats(0).shown + stats(0).skipped, stats(0).written);
	say(0, "now\r\n");
	run();
	assert_non_null(strstr(seen(), "now\r\n"));
}

/* ---- read-only ---- */

static void spy_types_nothing(void **state)
{
	(void)state;
	type("\x05s");
	EXPECT("[bulkhead: spy alpha]\r\n");
	type("reboot\r");
	EXPECT("[bulkhead: this view is read-only; Ctrl-E ? lists the keys]\r\n");
	assert_int_equal(vcon_pending(guest[0]), 0);
	say(0, "raw \x1b[2Jbytes\xff\r\n");
	EXPECT("raw \x1b[2Jbytes\xff\r\n");
	type("\x05s");
	EXPECT("[bulkhead: console alpha]\r\n");
	type("x");
	assert_int_equal(vcon_pending(guest[0]), 1);
	type("\x05m\rspy bet\r");
	run();
	assert_non_null(strstr(seen(), "[bulkhead: spy beta]\r\n"));
	type("\x05m\x05s");
	run();
	assert_non_null(strstr(seen(), "only a guest's console can be made read-only"));
}

/* ---- names ---- */

static void names_by_first_letters(void **state)
{
	(void)state;
	type("\x05" "d\t");
	EXPECT("[bulkhead: console delta]\r\n");
	type("\x05" "b\t");
	EXPECT("[bulkhead: console b? beta bravo]\r\n");
	type("r\t");
	EXPECT("[bulkhead: console bravo]\r\n");
	type("\x05\t");
	EXPECT("[bulkhead: console ? alpha beta bravo delta monitor]\r\n");
	type("alpha\r");
	EXPECT("[bulkhead: console alpha]\r\n");
	type("\x05" "bx");
	EXPECT("[bulkhead: no guest's name begins with 'bx']\r\n");
	type("\x05" "bx\x7f"); /* over: the erase is the guest's */
	run();
	forget();
	type("\x05" "bex");
	run();
	forget();
	type("\x05" "br\x7f" "e\r");
	EXPECT("[bulkhead: console beta]\r\n");
	type("\x05" "b\r");
	EXPECT("[bulkhead: 'b' fits several guests]\r\n");
	type("\x05" "b\x1b");
	EXPECT("[bulkhead: no change]\r\n");
	assert_int_equal(vcon_pending(guest[1]), 0);
	assert_int_equal(vcon_pending(guest[2]), 0);
	assert_int_equal(vcon_pending(guest[3]), 0);
	assert_int_equal(vcon_pending(guest[0]), 1);
}

static void endless_name_is_bounded(void **state)
{
	unsigned i;

	(void)state;
	type("\x05\t");
	for (i = 0; i < 100; i++)
		type("\x7f");
	for (i = 0; i < 100; i++)
		type("\t");
	type("\x03");
	assert_false(console_mux()->name.active);
}

/* Who pressed the escape went away; the next one's first key is data. */
static void half_a_hotkey_is_forgotten(void **state)
{
	(void)state;
	type("\x05");
	console_mux()->escape_tsc -= 1ULL << 37;
	type("2");
	assert_int_equal(vcon_pending(guest[0]), 1);
	type("\x05" "b");
	console_mux()->escape_tsc -= 1ULL << 37;
	type("x");
	assert_int_equal(vcon_pending(guest[0]), 2);
	assert_int_equal(console_mux()->want, 0);
}

/* ---- all guests ---- */

#define TAG_A "\x1b[32malpha|\x1b[m "
#define TAG_B "\x1b[33mbeta|\x1b[m "
#define MORE_A "\x1b[32malpha+\x1b[m "

static void enter_all(void)
{
	type("\x05" "a");
	EXPECT("[bulkhead: all]\r\n");
}

static void lines_come_in_the_order_of_their_times(void **state)
{
	(void)state;
	say(1, "b1\r\n");
	say(2, "c1\r\n");
	log_info("a record");
	say(1, "b2\r\n");
	tty.stuck = true;
	run();
	type("\x05" "a");
	log_info("later");
	tty.stuck = false;
	EXPECT("[bulkhead: a record]\r\n[bulkhead: all]\r\n" TAG_B "b1\r\n"
	       "\x1b[36mbravo|\x1b[m c1\r\n" TAG_B "b2\r\n[bulkhead: later]\r\n");
	say(0, "live\r\n");
	EXPECT(TAG_A "live\r\n");
	assert_int_equal(stats(1).shown, 8);
	assert_int_equal(routed, -1);
}

static void lines_are_not_mixed(void **state)
{
	(void)state;
	fx_rate = PATIENT;
	enter_all();
	say(0, "first ");
	run();
	say(1, "beta\r\n");
	run();
	say(0, "second\r\n");
	EXPECT(TAG_B "beta\r\n" TAG_A "first second\r\n");
}

static void quiet_line_is_shown_unfinished(void **state)
{
	(void)state;
	enter_all();
	say(0, "login: ");
	EXPECT(TAG_A "login: ");
	say(0, "ro");
	EXPECT("ro");
	say(1, "beta\r\n");
	EXPECT("\r\n" TAG_B "beta\r\n");
	say(0, "ot\r\n");
	EXPECT(MORE_A "ot\r\n");
	say(0, "next\r\n");
	EXPECT(TAG_A "next\r\n");
	/* In its own view the line is whole. */
	say(0, "alpha# ");
	run();
	type("\x05" "1");
	EXPECT(TAG_A "alpha# \r\n[bulkhead: console alpha]\r\nalpha# ");
}

/* What stood last in this view is over when it is entered again. */
static void view_of_all_begins_with_a_new_line(void **state)
{
	(void)state;
	enter_all();
	say(0, "alpha# ");
	run();
	type("\x05" "1");
	say(0, "command\r\n");
	run();
	forget();
	enter_all();
	say(0, "answer");
	EXPECT(TAG_A "answer");
	type("\x05" "1");
	type("\x05" "a");
	forget();
	say(0, " goes on\r\n");
	EXPECT(MORE_A " goes on\r\n");
	/* What was merged but not shown before the switch is shown in full. */
	tty.stuck = true;
	say(0, "whole");
	run();
	type("\x05" "2");
	tty.stuck = false;
	run();
	type("\x05" "a");
	run();
	say(0, " line\r\n");
	run();
	assert_int_equal(stats(0).shown, stats(0).written);
	assert_int_equal(count("whole"), 1);
}

static void unfinished_line_comes_before_a_record(void **state)
{
	(void)state;
	fx_rate = PATIENT;
	enter_all();
	say(0, "last words");
	log_error("guest alpha crashed");
	EXPECT(TAG_A "last words\r\n[bulkhead: guest alpha crashed]\r\n");
}

static void characters_and_sequences_stay_whole(void **state)
{
	static char line[3 * BUF];
	unsigned i, n = 0;

	(void)state;
	enter_all();
	/* Pieces end after 1024 bytes: inside a character, and inside a sequence. */
	for (i = 0; i < 500; i++)
		n += (unsigned)snprintf(line + n, sizeof(line) - n, "\xe2\x82\xac");
	for (i = 0; i < 250; i++)
		n += (unsigned)snprintf(line + n, sizeof(line) - n, "\x1b[31mx");
	say(0, line);
	say(0, "\r\n");
	run();
	assert_int_equal(count("\xe2\x82\xac"), 500);
	assert_int_equal(count("\x1b[31mx"), 250);
	assert_int_equal(count(TAG_A), 1);
	assert_int_equal(count("\r\n"), 1);
}

static void only_text_and_attributes_pass(void **state)
{
	(void)state;
	enter_all();
	say(0, "\x1b[2J\x1b[5;5Ha\tb\x1b]0;t\ac\x1b[cd\x05" "\x1bZ\a\b" ALT "e\xff\xc2\x9b" "f\xe2\x82g\rh\r\n");
	EXPECT(TAG_A "a\tbcde\xEF\xBF\xBD" "f\xEF\xBF\xBDg h\r\n");
	say(0, "\x1b[1mbold\r\n");
	EXPECT(TAG_A "\x1b[1mbold\x1b[m\r\n");
	say(0, "still\r\n");
	EXPECT(TAG_A "\x1b[0;1mstill\x1b[m\r\n");
	/* In its own view alpha has what it set meanwhile. */
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\n" ALT "e\xff\xc2\x9b" "f\xe2\x82g\rh\r\n"
	       "\x1b[1mbold\r\nstill\r\n\x1b[0;1m");
}

static void endless_sequence_hides_only_its_line(void **state)
{
	unsigned i;

	(void)state;
	enter_all();
	say(0, "\x1b]");
	for (i = 0; i < 5000; i++) {
		vcon_put(guest[0], 'x');
		run();
	}
	say(0, "\r\nafter\r\n");
	say(1, "beta\r\n");
	run();
	assert_non_null(strstr(seen(), "after\r\n" TAG_B "beta\r\n"));
}

static void loss_is_marked_where_it_was(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < BUF / 4 + 25; i++)
		say(1, "abc\n");
	type("\x05" "a");
	run();
	assert_memory_equal(seen(), "[bulkhead: all]\r\n[bulkhead: beta: 100 bytes lost]\r\n" TAG_B, 60);
	assert_int_equal(count("abc\r\n"), BUF / 4);
	assert_int_equal(stats(1).written, stats(1).shown + stats(1).lost);
}

static void flood_leaves_readable_marks(void **state)
{
	unsigned i;

	(void)state;
	enter_all();
	tty.stuck = true;
	for (i = 0; i < 20000; i++) {
		say(0, "flood\r\n");
		tty.allow = 2;
		if (i % 4 == 0)
			console_poll();
	}
	tty.stuck = false;
	run();
	assert_in_range(count("bytes lost]"), 1, 200);
	assert_int_equal(stats(0).written, stats(0).shown + stats(0).lost);
	assert_int_not_equal(stats(0).lost, 0);
}

static void blocked_guest_goes_on_in_the_view_of_all(void **state)
{
	unsigned n = 0;

	(void)state;
	while (vcon_room(guest[3]) && n++ < 100000)
		vcon_put(guest[3], n % 50 ? 'w' : '\n');
	assert_int_equal(woken[3], 0);
	type("\x05" "a");
	run();
	assert_int_equal(woken[3], 1);
	assert_int_equal(stats(3).shown, BUF);
	assert_int_equal(stats(3).lost, 0);
}

static void times_are_shown_on_demand(void **state)
{
	unsigned s, us;
	int end = 0;

	(void)state;
	enter_all();
	type("\x05" "a");
	EXPECT("[bulkhead: times on]\r\n");
	fx_rate = 2000000;
	say(0, "line\r\n");
	run();
	assert_int_equal(sscanf(seen(), "[%u.%6u] \x1b[32malpha|\x1b[m line\r\n%n", &s, &us, &end), 2);
	assert_int_equal(end, tty.out_len);
	forget();
	type("\x05" "a");
	EXPECT("[bulkhead: times off]\r\n");
}

static uint64_t stamp_before(const char *text)
{
	const char *line = strstr(seen(), text);
	unsigned s = 0, us = 0;

	assert_non_null(line);
	while (line > seen() && line[-1] != '\n')
		line--;
	assert_int_equal(sscanf(line, "[%u.%6u] ", &s, &us), 2);
	return s * 1000000ULL + us;
}

/* Whatever the one before left without an end. */
static void new_life_has_its_own_time(void **state)
{
	uint64_t old;

	(void)state;
	enter_all();
	type("\x05" "a");
	fx_rate = 2000000; /* kHz: the stamps are seconds, and "old" is shown after 100 ms */
	say(0, "old");
	run();
	old = stamp_before("old");
	vcon_restart(guest[0]);
	forget();
	say(1, "beta\r\n");
	say(0, "new\r\n");
	run();
	assert_true(stamp_before("new") > old);
}

static void view_of_all_takes_no_input(void **state)
{
	unsigned i;

	(void)state;
	enter_all();
	type("ls\r");
	EXPECT("[bulkhead: this view is read-only; Ctrl-E ? lists the keys]\r\n");
	for (i = 0; i < 4; i++)
		assert_int_equal(vcon_pending(guest[i]), 0);
	type("\x05n");
	EXPECT("[bulkhead: console alpha]\r\n");
	type("\x05l");
	EXPECT("[bulkhead: all]\r\n");
	type("\x05\x05");
	EXPECT("[bulkhead: this view is read-only; Ctrl-E ? lists the keys]\r\n");
}

static uint8_t own_in(void *ctx, unsigned reg)
{
	(void)ctx;
	return reg == REG_LSR ? LSR_THRE | LSR_TEMT : 0;
}

static void own_out(void *ctx, unsigned reg, uint8_t value)
{
	(void)ctx;
	(void)reg;
	(void)value;
}

/* Its ring has another reader, on another CPU. */
static void guest_with_its_own_port_is_not_in_the_view(void **state)
{
	static const struct uart_port port = { .in = own_in, .out = own_out };
	static struct private_line line;

	(void)state;
	line = (struct private_line){ .uart = { .port = port, .present = true, .depth = 16 } };
	guest[1]->own = &line;
	enter_all();
	say(0, "alpha\r\n");
	say(1, "beta\r\n");
	EXPECT(TAG_A "alpha\r\n");
	assert_int_equal(guest[1]->merge.tail, 0);
	type("\x05m\x05p\x05p\x05p\x05p"); /* delta, bravo, alpha, delta: never beta */
	run();
	assert_int_equal(count("console beta"), 0);
	forget();
	type("\x05" "be\r");
	EXPECT("[bulkhead: the console of beta is on port 0x0, not on this line]\r\n");
}

/* Nothing of it is lost: it comes, in its place in time, when it is shown again. */
static void hidden_guest_waits_for_its_return(void **state)
{
	(void)state;
	enter_all();
	say(1, "half a li");
	run();
	type("\x05mhide beta\rhide\r");
	run();
	assert_int_equal(count("hidden: beta\r\n"), 1);
	type("\x05" "a");
	run();
	forget();
	say(1, "ne\r\nmore\r\n");
	say(0, "alpha\r\n");
	EXPECT(TAG_A "alpha\r\n");
	type("\x05mshow be\rhide\r");
	run();
	assert_int_equal(count("no guest is hidden\r\n"), 1);
	type("\x05" "a");
	run();
	assert_non_null(strstr(seen(), TAG_B "more\r\n"));
	assert_int_equal(stats(1).shown, stats(1).written);
	assert_int_equal(stats(1).lost, 0);
}

static void host_that_stops_reading_holds_nobody(void **state)
{
	unsigned i;

	(void)state;
	enter_all();
	tty.stuck = true;
	for (i = 0; i < 10000; i++) {
		assert_true(say(0, "alpha\r\n"));
		assert_true(say(1, "beta\r\n"));
		console_poll();
	}
	type("\x05" "2ok");
	assert_int_equal(vcon_pending(guest[1]), 2);
	tty.stuck = false;
	run();
	assert_true(console_drained());
	assert_int_equal(tty.overflow, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(modes_are_left_and_come_back),
		T(alternate_screen_is_left_and_drawn_again),
		T(screen_that_is_gone_leaves_the_modes),
		T(unfinished_sequence_swallows_no_line_of_ours),
		T(message_does_not_take_the_colour),
		T(question_of_a_prompt_is_asked_once),
		T(new_life_has_no_modes),
		T(forged_line_is_only_text),
		T(replay_shows_it_again),
		T(replay_begins_at_a_line_of_what_is_left),
		T(replay_is_interrupted_by_a_switch),
		T(long_past_is_passed_over),
		T(waiting_bytes_can_be_skipped),
		T(spy_types_nothing),
		T(names_by_first_letters),
		T(endless_name_is_bounded),
		T(half_a_hotkey_is_forgotten),
		T(lines_come_in_the_order_of_their_times),
		T(lines_are_not_mixed),
		T(quiet_line_is_shown_unfinished),
		T(view_of_all_begins_with_a_new_line),
		T(unfinished_line_comes_before_a_record),
		T(characters_and_sequences_stay_whole),
		T(only_text_and_attributes_pass),
		T(endless_sequence_hides_only_its_line),
		T(loss_is_marked_where_it_was),
		T(flood_leaves_readable_marks),
		T(blocked_guest_goes_on_in_the_view_of_all),
		T(times_are_shown_on_demand),
		T(new_life_has_its_own_time),
		T(view_of_all_takes_no_input),
		T(guest_with_its_own_port_is_not_in_the_view),
		T(hidden_guest_waits_for_its_return),
		T(host_that_stops_reading_holds_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
