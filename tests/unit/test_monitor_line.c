/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's line: editing, history, completion, the pager. */
#include "monitor_fixture.h"

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
	type("\x02\xff\x1c");
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
	for (i = 0; i < 300; i++)
		type("x");
	forget();
	type("y");
	assert_string_equal(seen(), "\a");
	type("\x15");
	answers("version", VERSION_LINE);
}

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define REDRAWN "\r\x1b[K" "bulkhead> "

static void history(void **state)
{
	char line[16];
	unsigned i;

	(void)state;
	for (i = 1; i <= 18; i++) {
		snprintf(line, sizeof(line), "c%u\r", i);
		type(line);
	}
	type("c18\r"); /* the same again is kept once */
	forget();
	type(UP);
	assert_string_equal(seen(), REDRAWN "c18");
	forget();
	type(UP "\x1bOA");
	assert_string_equal(seen(), REDRAWN "c17" REDRAWN "c16");
	forget();
	type(UP UP UP UP UP UP UP UP UP UP UP UP UP UP);
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
	type("\x1b[3~\x1b[C\x1b[24~\x1b[1;5C"); /* keys that mean nothing here leave no text */
	answers("version", VERSION_LINE);
}

#define LEFT "\x1b[D"
#define RIGHT "\x1b[C"

static void editing_in_the_middle(void **state)
{
	(void)state;
	forget();
	type("reg 3" LEFT LEFT);
	assert_string_equal(seen(), "reg 3\b\b");
	forget();
	type("s");
	assert_string_equal(seen(), REDRAWN "regs 3\x1b[2D");
	type("\r");
	assert_int_equal(called_regs, 3);
	type("xregs 1\x1b[H\x1b[3~\r"); /* Home, Delete */
	assert_int_equal(called_regs, 1);
	type("xregs 2\x1b[1~\x04\r");
	assert_int_equal(called_regs, 2);
	type("gs 1\x01re\r"); /* Ctrl-A */
	assert_int_equal(called_regs, 1);
	type("regs\x01" RIGHT RIGHT "\x05\x05 2\r"); /* Ctrl-E, behind the escape */
	assert_int_equal(called_regs, 2);
	type("regs 1 2 3" LEFT LEFT LEFT LEFT "\x0b\r"); /* Ctrl-K */
	assert_int_equal(called_regs, 1);
	type("regs junk 2" LEFT "\x17\r"); /* Ctrl-W before the cursor */
	assert_int_equal(called_regs, 2);
	type("junkregs 1\x1b[H" RIGHT RIGHT RIGHT RIGHT "\x15\x1bOF\r"); /* Ctrl-U */
	assert_int_equal(called_regs, 1);
	forget();
	type(LEFT RIGHT "\x04");
	assert_string_equal(seen(), "\a\a\a");
	forget();
	type("ab\x1b[D");
	log_info("news");
	run();
	assert_string_equal(seen(), "ab\b\r\n[bulkhead: news]\r\nbulkhead> ab\x1b[1D");
}

static void a_draft_comes_back(void **state)
{
	(void)state;
	type("version\r");
	forget();
	type("regs 1" UP DOWN "\r");
	assert_string_equal(seen(), "regs 1" REDRAWN "version" REDRAWN "regs 1\r\nREGS 0\r\n"
				    "bulkhead> ");
}

static void completion(void **state)
{
	(void)state;
	forget();
	type("fo\tw\t");
	assert_string_equal(seen(), "focus w\r\nweb  worker  \r\nbulkhead> focus w");
	forget();
	type("o\t");
	assert_string_equal(seen(), "orker ");
	forget();
	type("\t\x15resu\t3\r");
	assert_int_equal(called_resume, 3);
	assert_non_null(strstr(seen(), "resume 3\r\nbulkhead> "));
	forget();
	type("log \tw\t\r");
	assert_string_equal(seen(), "log level warn \r\nbulkhead> ");
	assert_int_equal(log_get_level(), LOG_WARN);
	forget();
	type("grep -n x d\t\x15");
	assert_non_null(strstr(seen(), "grep -n x db "));
	forget();
	type("cat l\t\x15" "focus m\t\x15" "page of\t\x15" "frob x\t\x15" "x \"a b\t\x15");
	assert_non_null(strstr(seen(), "cat log "));
	assert_non_null(strstr(seen(), "focus monitor "));
	assert_non_null(strstr(seen(), "page off "));
	assert_non_null(strstr(seen(), "frob x\a"));
	assert_non_null(strstr(seen(), "x \"a b\a"));
	forget();
	type("x web" LEFT LEFT LEFT LEFT LEFT "\x04vers\t\x0b\r"); /* in the middle */
	assert_non_null(strstr(seen(), VERSION_LINE));
}

static void five_lines(void)
{
	say(0, "1\r\n2\r\n3\r\n4\r\n5\r\n");
}

#define MORE "--more--"
#define GONE "\r\x1b[K"

static void paging_stops_on_a_key(void **state)
{
	(void)state;
	five_lines();
	answers("page", "paging is off\r\n");
	answers("page 3", "");
	answers("page", "a page has 3 lines\r\n");
	forget();
	type("cat web\r");
	assert_string_equal(seen(), "cat web\r\n1\r\n2\r\n" MORE);
	assert_true(console_drained());
	forget();
	type("\r");
	assert_string_equal(seen(), GONE "3\r\n" MORE);
	forget();
	type("x");
	assert_string_equal(seen(), GONE MORE " Space: a page, Enter: a line, q: no more");
	forget();
	type(" ");
	assert_string_equal(seen(), GONE "4\r\n5\r\nbulkhead> ");
	forget();
	type("cat web\rqversion\r");
	assert_string_equal(seen(), "cat web\r\n1\r\n2\r\n" MORE GONE "bulkhead> version\r\n"
				    VERSION_LINE "bulkhead> ");
	type("page off\r");
	answers("cat web", "1\r\n2\r\n3\r\n4\r\n5\r\n");
}

static void a_stopped_page_waits_through_a_switch(void **state)
{
	(void)state;
	five_lines();
	type("page 3\rcat web\r");
	forget();
	log_info("news");
	run();
	assert_string_equal(seen(), "\r\n[bulkhead: news]\r\n" MORE);
	type("\x05" "3");
	forget();
	type("\x05m");
	assert_string_equal(seen(), "[bulkhead: console monitor]\r\n" MORE);
	forget();
	type(" ");
	assert_string_equal(seen(), GONE "3\r\n4\r\n" MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(editing),
		T(one_enter_for_cr_lf),
		T(overlong_line_is_refused_at_its_end),
		T(history),
		T(editing_in_the_middle),
		T(a_draft_comes_back),
		T(completion),
		T(paging_stops_on_a_key),
		T(a_stopped_page_waits_through_a_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
