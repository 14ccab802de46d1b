/* SPDX-License-Identifier: BSD-2-Clause */
/* cat, tail and grep over what rings and the log still hold. */
#include "monitor_fixture.h"

static void cat_shows_what_was_shown_too(void **state)
{
	(void)state;
	say(0, "one\r\ntwo\r\nlast");
	type("\x05" "1\x05m");
	say(0, " words");
	answers("cat web", "one\r\ntwo\r\nlast words\r\n");
	answers("cat db", "");
	type("\x05" "1");
	assert_non_null(strstr(seen(), "last words"));
}

static void text_does_nothing_to_the_terminal(void **state)
{
	(void)state;
	say(0, "\x1b[2J\x1b[1;31mred\x1b[0m\tx\x07\x1b(Bplain\x7f \xc3\xa4\x1b]0;title\x07.\n");
	say(0, "\x1bPq\x1bx\x1b\\after\x1b[31\nnext\x1b]endless\nend\n");
	vcon_put(guest[0], 0);
	answers("cat web", "red\tx^Gplain^? \xc3\xa4.\r\nafter\r\nnext\r\nend\r\n^@\r\n");
}

static void long_lines_are_folded_between_characters(void **state)
{
	char expected[4 * MON_TEXT_LINE];
	unsigned i;

	(void)state;
	for (i = 0; i < MON_TEXT_LINE - 1; i++)
		say(0, "x");
	say(0, "\xe2\x82\xac" "behind\n");
	memset(expected, 'x', MON_TEXT_LINE - 1);
	strcpy(expected + MON_TEXT_LINE - 1, "\xe2\x82\xac\r\nbehind\r\n");
	answers("cat web", expected);
}

static void tail_counts_lines_from_the_end(void **state)
{
	char line[16];
	unsigned i;

	(void)state;
	for (i = 1; i <= 400; i++) {
		snprintf(line, sizeof(line), "l%u\n", i);
		say(1, line);
	}
	answers("tail -2 worker", "l399\r\nl400\r\n");
	say(1, "half");
	answers("tail -n 2 worker", "l400\r\nhalf\r\n");
	answers("tail -n1 2", "half\r\n");
	answers("tail worker", "l392\r\nl393\r\nl394\r\nl395\r\nl396\r\nl397\r\nl398\r\nl399\r\n"
			       "l400\r\nhalf\r\n");
	forget();
	type("tail -1000 worker\r");
	assert_non_null(strstr(seen(), "\r\nl1\r\nl2\r\n"));
	answers("tail -0 worker", "tail shows 1 to 1000000 lines\r\n");
	answers("tail -x worker", "'-x' is no option of 'tail': tail [-N] NAME\r\n");
	answers("tail -n x worker", "'-n' needs a number of lines, 0 to 1000000\r\n");
	answers("tail -n", "'-n' needs a number of lines, 0 to 1000000\r\n");
}

static void the_log_is_a_source(void **state)
{
	(void)state;
	log_info("first");
	log_warn("second");
	run();
	forget();
	type("tail -1 log\r");
	assert_non_null(strstr(seen(), " cpu0 warn: second\r\nbulkhead> "));
	assert_null(strstr(seen(), "first"));
	forget();
	type("grep -n 'warn: sec' log\r");
	assert_non_null(strstr(seen(), " cpu0 warn: second\r\nbulkhead> "));
	forget();
	type("grep second$\r");
	assert_non_null(strstr(seen(), "\r\nlog:"));
}

static void say_letters(unsigned vm)
{
	say(vm, "a\nB\nc\nmatch one\nd\ne\nf\ng\nMatch two\nh\n");
}

static void grep_options(void **state)
{
	(void)state;
	say_letters(0);
	answers("grep match web", "match one\r\n");
	answers("grep -i match web", "match one\r\nMatch two\r\n");
	answers("grep -in MATCH web", "4:match one\r\n9:Match two\r\n");
	answers("grep -v -n [a-hM] web", "2:B\r\n");
	answers("grep -nA1 match web", "4:match one\r\n5-d\r\n");
	answers("grep -n -B 2 match web", "2-B\r\n3-c\r\n4:match one\r\n");
	answers("grep -inC1 match web",
		"3-c\r\n4:match one\r\n5-d\r\n--\r\n8-g\r\n9:Match two\r\n10-h\r\n");
	answers("grep -inC2 match web",
		"2-B\r\n3-c\r\n4:match one\r\n5-d\r\n6-e\r\n7-f\r\n8-g\r\n9:Match two\r\n"
		"10-h\r\n");
	answers("grep -inB50 match web",
		"1-a\r\n2-B\r\n3-c\r\n4:match one\r\n5-d\r\n6-e\r\n7-f\r\n8-g\r\n9:Match two\r\n");
	answers("grep -- -x web", "nothing matches\r\n");
	answers("grep -C 51 x web", "grep shows at most 50 lines around a match\r\n");
	answers("grep -C x", "'-C' needs a number of lines, 0 to 1000000\r\n");
	answers("grep [a web", "'[a' is no pattern: its '[' has no ']'; \\[ is the character itself\r\n");
	answers("grep", "'grep' lacks an argument: grep [-ivn] [-A N] [-B N] [-C N] PATTERN [NAME]\r\n");
}

static void grep_over_all(void **state)
{
	(void)state;
	say(0, "x one\n");
	say(2, "y\nx two\n");
	answers("grep \"x t\"", "db:x two\r\n");
	answers("grep -n ^x", "web:1:x one\r\ndb:2:x two\r\n");
	answers("grep -B1 two", "db-y\r\ndb:x two\r\n");
	answers("grep zzz", "nothing matches\r\n");
}

static bool matches(const char *pattern, const char *line)
{
	static struct pattern p;

	assert_null(pattern_compile(&p, pattern, false));
	return pattern_match(&p, line, strlen(line));
}

static void patterns(void **state)
{
	static struct pattern p;
	char hard[1000];

	(void)state;
	assert_true(matches("", "") && matches("", "x") && matches("^$", ""));
	assert_false(matches("^$", "x"));
	assert_true(matches("b", "abc") && !matches("^b", "abc") && !matches("b$", "abc"));
	assert_true(matches("c$", "abc") && matches("^a.c$", "abc"));
	assert_true(matches("ab*c", "ac") && matches("ab*c", "abbbc") && !matches("ab*c", "adc"));
	assert_true(matches("^.*$", "any") && matches("x*", "y") && matches("*a", "*a"));
	assert_true(matches("[0-9]x", "7x") && !matches("[0-9]x", "ax") && matches("[^0-9]x", "ax"));
	assert_true(matches("[]]", "]") && matches("[a-]", "-") && !matches("[^]]", "]"));
	assert_true(matches("a\\.b", "a.b") && !matches("a\\.b", "axb") && matches("a$b", "a$b"));
	assert_true(matches("aa*aab", "aaaaab") && matches("abab$", "ababab"));
	assert_true(matches("[\x80-\xff]", "\xc3"));
	assert_null(pattern_compile(&p, "[A-C]x", true));
	assert_true(pattern_match(&p, "bX", 2) && !pattern_match(&p, "dX", 2));
	assert_non_null(pattern_compile(&p, "a\\", false));
	assert_non_null(pattern_compile(&p, "[", false));
	assert_non_null(pattern_compile(&p, "[^", false));
	memset(hard, 'a', sizeof(hard));
	hard[PATTERN_MAX] = '\0';
	assert_null(pattern_compile(&p, hard, false));
	assert_true(pattern_match(&p, hard, PATTERN_MAX) && !pattern_match(&p, hard, 62));
	hard[PATTERN_MAX] = 'a';
	hard[PATTERN_MAX + 1] = '\0';
	assert_non_null(pattern_compile(&p, hard, false));
}

/* The guest writes on while its history is read: what is gone by then is said. */
static void overwritten_meanwhile(void **state)
{
	unsigned i, lost = 0, lines = 0;
	const char *at;

	(void)state;
	fx_add("big", KIB(64), OVERFLOW_DROP_OLDEST);
	for (i = 0; i < KIB(64) / 8; i++)
		say(3, "old 567\n");
	tty.stuck = true;
	tty.allow = 2000;
	forget();
	type("cat big\r");
	for (i = 0; i < KIB(32) / 8; i++)
		say(3, "NEW 567\n");
	tty.stuck = false;
	run();
	at = strstr(seen(), " bytes overwritten");
	assert_non_null(at);
	while (at[-1] != '[')
		at--;
	lost = (unsigned)strtoul(at, NULL, 10);
	for (at = strstr(seen(), "old 567\r\n"); at; at = strstr(at + 1, "old 567\r\n"))
		lines++;
	assert_null(strstr(seen(), "NEW"));
	assert_true(lost > KIB(16) && lost <= KIB(32));
	assert_in_range(lines * 8 + lost, KIB(64) - 16, KIB(64)); /* a line may have been torn */
}

/* What one work of the drain does is bounded, however much there is to search. */
static void a_search_goes_in_steps(void **state)
{
	unsigned i, polls = 0;

	(void)state;
	fx_add("big", MIB(1), OVERFLOW_DROP_OLDEST);
	for (i = 0; i < MIB(1) / 16; i++)
		say(3, "0123456789abcde\n");
	forget();
	tty.in = (const uint8_t *)"grep needle\r";
	tty.in_len = strlen("grep needle\r");
	while (!strstr(seen(), "nothing matches") && polls < 100000) {
		assert_true(polls == 0 || console_has_work() || tty_irq());
		console_poll();
		polls++;
	}
	assert_in_range(polls, MIB(1) / MON_STEP_INPUT, 4 * (MIB(1) / MON_STEP_INPUT));
	run();
	assert_true(console_drained());

	/* It stops for a key, and lets a guest have the focus. */
	forget();
	tty.in = (const uint8_t *)"cat big\r";
	tty.in_len = strlen("cat big\r");
	for (i = 0; i < 20; i++)
		console_poll();
	type("\x03");
	assert_true(strlen(seen()) < KIB(128));
	assert_non_null(strstr(seen(), "^C\r\nbulkhead> "));
	tty.in = (const uint8_t *)"cat big\r";
	tty.in_len = strlen("cat big\r");
	for (i = 0; i < 20; i++)
		console_poll();
	type("\x05" "1");
	forget();
	say(0, "hello");
	run();
	assert_string_equal(seen(), "hello");
	assert_true(console_drained());
	type("\x05m");
	assert_true(strlen(seen()) > MIB(1) / 2);
	assert_non_null(strstr(seen(), "abcde\r\nbulkhead> "));
}

static void any_position_is_read(void **state)
{
	uint64_t pos = 0, missed = 0;
	struct ring *r;
	uint8_t buf[16];

	(void)state;
	r = &guest[0]->out;
	say(0, "abcdef");
	assert_int_equal(ring_read_at(r, &pos, ring_head(r), buf, 4, &missed), 4);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(ring_read_at(r, &pos, ring_head(r), buf, 4, &missed), 2);
	assert_int_equal(ring_read_at(r, &pos, ring_head(r), buf, 4, &missed), 0);
	assert_true(pos == 6 && missed == 0 && ring_tail(r) == 0);
	while (ring_head(r) < r->size + 3)
		say(0, "x");
	pos = 0;
	assert_int_equal(ring_read_at(r, &pos, 6, buf, 16, &missed), 3);
	assert_memory_equal(buf, "def", 3);
	assert_true(pos == 6 && missed == 3);
	pos = 0;
	missed = 0;
	assert_int_equal(ring_read_at(r, &pos, 2, buf, 16, &missed), 0);
	assert_true(pos == 2 && missed == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(cat_shows_what_was_shown_too),
		T(text_does_nothing_to_the_terminal),
		T(long_lines_are_folded_between_characters),
		T(tail_counts_lines_from_the_end),
		T(the_log_is_a_source),
		T(grep_options),
		T(grep_over_all),
		T(patterns),
		T(overwritten_meanwhile),
		T(a_search_goes_in_steps),
		T(any_position_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
