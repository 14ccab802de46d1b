/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor: line editing, history, commands and their mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "console_fixture.h"
#include "version.h"

static int setup(void **state)
{
	(void)state;
	fx_setup();
	fx_add("web", 4096, OVERFLOW_AUTO);
	fx_add("worker", 4096, OVERFLOW_AUTO);
	fx_add("db", 4096, OVERFLOW_AUTO);
	console_start(true);
	run();
	assert_string_equal(seen(), "[bulkhead: console monitor]\r\nbulkhead> ");
	forget();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fx_free();
	fx_ops.poweroff = NULL;
	return 0;
}

/* Types a line; the terminal shows its echo, the answer and the next prompt. */
static void answers(const char *line, const char *answer)
{
	char expected[1024];

	forget();
	type(line);
	type("\r");
	snprintf(expected, sizeof(expected), "%s\r\n%sbulkhead> ", line, answer);
	assert_string_equal(seen(), expected);
}

static void guests_by_name_prefix_and_number(void **state)
{
	(void)state;
	answers("stop worker", "");
	assert_int_equal(called_stop, 2);
	answers("restart d", "");
	assert_int_equal(called_restart, 3);
	answers("regs 1", "");
	assert_int_equal(called_regs, 1);
	answers("stats we", "STATS 0\r\n");
	answers("stats", "STATS -1\r\n");
	answers("  list  ", "LIST\r\n");
	answers("", "");
}

static void mistakes_say_what_is_right(void **state)
{
	(void)state;
	answers("stop w", "'w' fits 2 guests; give more of the name\r\n"
			  "guests: 1=web 2=worker 3=db\r\n");
	answers("regs 4", "there is no guest '4'; give a name, its beginning or a number\r\n"
			  "guests: 1=web 2=worker 3=db\r\n");
	answers("stop", "'stop' needs a guest: stop GUEST\r\n");
	answers("frob", "there is no command 'frob'; 'help' lists them\r\n");
	answers("stop web now please", "'please' is too much; 'help' shows what each command takes\r\n");
	answers("log x", "'x' is no number of records; 1 to 256 are kept\r\n");
	answers("log level loud", "'loud' is no level; levels are error, warn, info and debug\r\n");
	answers("poweroff", "this machine cannot be switched off from here\r\n");
	assert_int_equal(called_stop, 0);
	assert_int_equal(called_regs, 0);
}

static unsigned powered_off;

static void poweroff_op(void)
{
	powered_off++;
}

static void poweroff_is_called(void **state)
{
	(void)state;
	fx_ops.poweroff = poweroff_op;
	powered_off = 0;
	answers("poweroff", "");
	assert_int_equal(powered_off, 1);
}

static void version_and_help(void **state)
{
	(void)state;
	answers("version", "Bulkhead " BULKHEAD_VERSION "\r\n");
	forget();
	type("help\r");
	assert_non_null(strstr(seen(), "  restart   GUEST    start a guest anew"));
	assert_non_null(strstr(seen(), "  log level [LEVEL]  show or set"));
}

static void log_shows_and_sets(void **state)
{
	(void)state;
	log_info("first");
	log_warn("second");
	run();
	forget();
	type("log 1\r");
	assert_non_null(strstr(seen(), " cpu0 warn: second\r\n"));
	assert_null(strstr(seen(), "first"));
	answers("log level", "the log's level is info\r\n");
	answers("log level error", "");
	assert_int_equal(log_get_level(), LOG_ERROR);
}

static void focus_moves(void **state)
{
	(void)state;
	forget();
	type("focus db\r");
	assert_string_equal(seen(), "focus db\r\n[bulkhead: console db]\r\n");
	forget();
	type("\x05m");
	assert_string_equal(seen(), "[bulkhead: console monitor]\r\nbulkhead> ");
	answers("focus monitor", "the monitor has the focus\r\n");
}

static void editing(void **state)
{
	(void)state;
	type("regs webx\b\r");
	assert_int_equal(called_regs, 1);
	type("regs dbx\x7f\r");
	assert_int_equal(called_regs, 3);
	type("garbage\x15regs 2\r");
	assert_int_equal(called_regs, 2);
	type("regs worker  \x17" "db\r");
	assert_int_equal(called_regs, 3);
	called_stop = 0;
	forget();
	type("stop web\x03");
	assert_string_equal(seen(), "stop web^C\r\nbulkhead> ");
	type("\r");
	assert_int_equal(called_stop, 0);
	forget();
	type("\b\x7f\x17\x15"); /* nothing to take away */
	assert_string_equal(seen(), "");
	type("\x01\xff\t");
	assert_string_equal(seen(), "\a\a\a");
}

static void one_enter_for_cr_lf(void **state)
{
	(void)state;
	forget();
	type("version\r\nversion\n");
	assert_string_equal(seen(), "version\r\nBulkhead " BULKHEAD_VERSION "\r\nbulkhead> "
				    "version\r\nBulkhead " BULKHEAD_VERSION "\r\nbulkhead> ");
}

static void overlong_line_is_refused_at_its_end(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 200; i++)
		type("x");
	forget();
	type("y");
	assert_string_equal(seen(), "\a");
	type("\x15");
	answers("version", "Bulkhead " BULKHEAD_VERSION "\r\n");
}

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define REDRAWN "\r\x1b[K" "bulkhead> "

static void history(void **state)
{
	char line[16];
	unsigned i;

	(void)state;
	for (i = 1; i <= 10; i++) {
		snprintf(line, sizeof(line), "c%u\r", i);
		type(line);
	}
	type("c10\r"); /* the same again is kept once */
	forget();
	type(UP);
	assert_string_equal(seen(), REDRAWN "c10");
	forget();
	type(UP "\x1bOA");
	assert_string_equal(seen(), REDRAWN "c9" REDRAWN "c8");
	forget();
	type(UP UP UP UP UP UP);
	assert_non_null(strstr(seen(), REDRAWN "c3\a"));
	forget();
	type(DOWN);
	assert_string_equal(seen(), REDRAWN "c4");
	type("\x15regs 1\r");
	assert_int_equal(called_regs, 1);
	called_regs = 0;
	type(UP "\r");
	assert_int_equal(called_regs, 1);
	forget();
	type(DOWN);
	assert_string_equal(seen(), "\a");
	type("\x1b[3~\x1b[C"); /* keys that mean nothing here leave no text */
	answers("version", "Bulkhead " BULKHEAD_VERSION "\r\n");
}

static void prompt_comes_back_after_a_message(void **state)
{
	(void)state;
	forget();
	type("sto");
	log_info("news");
	run();
	assert_string_equal(seen(), "sto\r\n[bulkhead: news]\r\nbulkhead> sto");
	type("p 2\r");
	assert_int_equal(called_stop, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(guests_by_name_prefix_and_number),
		T(mistakes_say_what_is_right),
		T(poweroff_is_called),
		T(version_and_help),
		T(log_shows_and_sets),
		T(focus_moves),
		T(editing),
		T(one_enter_for_cr_lf),
		T(overlong_line_is_refused_at_its_end),
		T(history),
		T(prompt_comes_back_after_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
