/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's commands and their mistakes. */
#include "monitor_fixture.h"

/* As answers(), but only the end of the answer is looked at. */
static void ends(const char *line, const char *answer)
{
	char expected[512];

	forget();
	type(line);
	type("\r");
	snprintf(expected, sizeof(expected), "%sbulkhead> ", answer);
	assert_true(strlen(seen()) >= strlen(expected));
	assert_string_equal(seen() + strlen(seen()) - strlen(expected), expected);
}

static void guests_by_name_prefix_and_number(void **state)
{
	(void)state;
	answers("stop worker", "");
	assert_int_equal(called_stop, 2);
	answers("restart d", "");
	assert_int_equal(called_restart, 3);
	answers("regs 1", "REGS 0\r\n");
	assert_int_equal(called_regs, 1);
	answers("stats we", "STATS 0 0\r\nSTATS 0 1\r\n");
	answers("stats -m 3", "STATS 2 0 -m\r\nSTATS 2 1 -m\r\n");
	tty.lsr_errors = LSR_OE;
	ends("stats", "breaks 0, framing 0, parity 0, overruns 1\r\n"
		      "STATS 0 0\r\nSTATS 0 1\r\nSTATS 1 0\r\nSTATS 1 1\r\n"
		      "STATS 2 0\r\nSTATS 2 1\r\n");
	answers("list -m", "LIST -m\r\n");
	answers("start web", "");
	assert_int_equal(called_start, 1);
	answers("pause worker", "");
	assert_int_equal(called_pause, 2);
	answers("resume db", "");
	assert_int_equal(called_resume, 3);
	answers("nmi db", "");
	assert_int_equal(called_nmi, 300);
	answers("nmi 2 5", "");
	assert_int_equal(called_nmi, 205);
	answers("  list  ", "LIST\r\n");
	answers("", "");
}

static void a_number_is_a_place_even_when_a_name_begins_so(void **state)
{
	(void)state;
	fx_add("2nd", 4096, OVERFLOW_DROP_OLDEST);
	answers("stop 2", "");
	assert_int_equal(called_stop, 2);
	answers("stop 2n", "");
	assert_int_equal(called_stop, 4);
}

static void mistakes_say_what_is_right(void **state)
{
	(void)state;
	answers("stop w", "'w' fits 2 guests; give more of the name\r\n"
			  "guests: 1=web 2=worker 3=db\r\n");
	answers("regs 4", "there is no guest '4'; give a name, its beginning or a number\r\n"
			  "guests: 1=web 2=worker 3=db\r\n");
	answers("stop", "'stop' lacks an argument: stop GUEST\r\n");
	answers("frob", "there is no command 'frob'; 'help' lists them\r\n");
	answers("stop web now please", "'now' is too much: stop GUEST\r\n");
	answers("log x", "'x' is no number of records; 1 to 256 are kept\r\n");
	answers("log level loud", "'loud' is no level; levels are error, warn, info and debug\r\n");
	answers("log 3 4", "'4' is too much: log [N], or log level [LEVEL]\r\n");
	answers("list -x", "'-x' is no option of 'list': list [-m]\r\n");
	answers("list all", "'all' is too much: list [-m]\r\n");
	answers("send web", "'send' lacks an argument: send GUEST TEXT\r\n");
	answers("send web \"ls", "a quote is not closed\r\n");
	answers("send web \"a\"b", "a blank must follow a closing quote\r\n");
	answers("1 2 3 4 5 6 7 8 9 a b c d e f g h",
		"there are too many words; put a text with blanks into quotes\r\n");
	answers("nmi web x", "'x' is no number of a CPU; a guest's CPUs count from 0\r\n");
	answers("quiet maybe", "'maybe' is neither on nor off\r\n");
	answers("page 1", "'1' is neither on, off nor a number of lines from 2 to 1000\r\n");
	answers("help frob", "there is no command 'frob'; 'help' lists them\r\n");
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
	assert_non_null(strstr(seen(), "  restart   GUEST                start a guest anew"));
	assert_non_null(strstr(seen(), "  grep      ...                  lines that match"));
	answers("help restart", "restart GUEST\r\nstart a guest anew from clean memory\r\n");
	forget();
	type("help grep\r");
	assert_non_null(strstr(seen(), "grep [-ivn] [-A N] [-B N] [-C N] PATTERN [NAME]\r\n"));
	assert_non_null(strstr(seen(), "  -v    lines that do not match\r\n"));
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

/* What the guest got to read. */
static const char *got(unsigned vm)
{
	static char text[1024];
	size_t n = 0;
	int c;

	while (n < sizeof(text) - 1 && (c = vcon_get(guest[vm])) >= 0)
		text[n++] = (char)c;
	text[n] = '\0';
	return text;
}

static void send_types_to_a_guest(void **state)
{
	(void)state;
	woken[1] = 0;
	answers("send worker \"ls -l\\r\"", "");
	assert_string_equal(got(1), "ls -l\r");
	assert_int_equal(woken[1], 1);
	answers("send worker x\\x41\\101\\e\\\\", "");
	assert_string_equal(got(1), "xAA\x1b\\");
	answers("send worker 'it \\\"is\\\"'", "");
	assert_string_equal(got(1), "it \"is\"");
	answers("send worker -x", "");
	assert_string_equal(got(1), "-x");
	answers("broadcast 'hi\\n'", "");
	assert_string_equal(got(0), "hi\n");
	assert_string_equal(got(1), "hi\n");
	assert_string_equal(got(2), "hi\n");
	forget();
	type("send web \\q\rsend web \\x\rsend web \\777\rsend web a\\\r");
	assert_non_null(strstr(seen(), "\\q: that backslash begins no escape; there are \\a "));
	assert_non_null(strstr(seen(), "\\x: that"));
	assert_non_null(strstr(seen(), "\\777: that"));
	assert_non_null(strstr(seen(), "a\\: that"));
	assert_string_equal(got(0), "");
}

static void send_says_what_did_not_fit(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < INPUT_RING - 2; i++)
		vcon_deliver(console_mux(), guest[0], 'x');
	answers("send web abcde", "guest web does not read: 3 of 5 bytes were dropped\r\n");
}

static void quiet_keeps_messages_in_the_log(void **state)
{
	(void)state;
	answers("quiet", "quiet is off\r\n");
	answers("quiet on", "");
	forget();
	log_error("boo");
	run();
	assert_string_equal(seen(), "");
	answers("quiet", "quiet is on\r\n");
	answers("quiet off", "");
	forget();
	type("log 1\r");
	assert_non_null(strstr(seen(), "error: boo\r\n"));
	forget();
	log_error("boo");
	run();
	assert_non_null(strstr(seen(), "[bulkhead: boo]\r\n"));
}

/* What is typed while a command runs is not lost, nor taken for a stop. */
static void typed_ahead(void **state)
{
	(void)state;
	forget();
	tty.depth = 1;
	type("stats web\rversion\rstop db\rfocus worker\rls\r");
	assert_string_equal(seen(), "stats web\r\nSTATS 0 0\r\nSTATS 0 1\r\n"
				    "bulkhead> version\r\n" VERSION_LINE
				    "bulkhead> stop db\r\nbulkhead> focus worker\r\n"
				    "[bulkhead: console worker]\r\n");
	assert_int_equal(called_stop, 3);
	assert_string_equal(got(1), "ls\r");
}

/* The guest's end is awaited: what comes behind `stop` finds it stopped. */
static void stop_waits(void **state)
{
	(void)state;
	forget();
	ending_rounds = 5;
	type("stop web\rstart web\r");
	assert_int_equal(ending_rounds, 0);
	assert_string_equal(seen(), "stop web\r\nbulkhead> start web\r\nbulkhead> ");

	forget();
	ending_rounds = ~0u;
	called_start = 0;
	type("restart web\r");
	type("start db\r");
	assert_int_equal(called_start, 0);
	type("\x03"); /* and given up */
	assert_non_null(strstr(seen(), "bulkhead> "));
	assert_true(ending_rounds > 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(guests_by_name_prefix_and_number),
		T(a_number_is_a_place_even_when_a_name_begins_so),
		T(mistakes_say_what_is_right),
		T(poweroff_is_called),
		T(version_and_help),
		T(log_shows_and_sets),
		T(focus_moves),
		T(send_types_to_a_guest),
		T(send_says_what_did_not_fit),
		T(quiet_keeps_messages_in_the_log),
		T(typed_ahead),
		T(stop_waits),
		T(prompt_comes_back_after_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
