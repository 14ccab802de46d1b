/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal tracker: what belongs together, what is set, how it is undone and brought back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "terminal_sessions.h"
#include "vconsole/termstate.h"

static struct termstate t;

static enum term_event feed(const char *bytes, size_t n)
{
	enum term_event last = TERM_PART;
	size_t i;

	for (i = 0; i < n; i++)
		last = term_byte(&t, (uint8_t)bytes[i]);
	return last;
}

#define FEED(text) feed(text, sizeof(text) - 1)

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	return 0;
}

static const char *left(void)
{
	static char text[TERM_TEXT_MAX + 1];

	text[term_leave(&t, text, TERM_TEXT_MAX)] = '\0';
	return text;
}

static const char *entered(void)
{
	static char text[TERM_TEXT_MAX + 1];

	text[term_enter(&t, text, TERM_TEXT_MAX)] = '\0';
	return text;
}

static void expect_clean(void)
{
	assert_string_equal(left(), "");
	assert_string_equal(entered(), "");
	assert_true(term_is_between(&t));
}

/* ---- what belongs together ---- */

static void bytes_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(FEED("a"), TERM_CHAR);
	assert_int_equal(FEED("\n"), TERM_CONTROL);
	assert_int_equal(FEED("\x7f"), TERM_CONTROL);
	assert_int_equal(FEED("\x1b[1"), TERM_PART);
	assert_false(term_is_between(&t));
	assert_int_equal(t.unit, 3);
	assert_int_equal(FEED("m"), TERM_SGR);
	assert_true(term_is_between(&t));
	assert_int_equal(FEED("\x1b[2J"), TERM_SEQUENCE);
	assert_int_equal(FEED("\x1b" "7"), TERM_SEQUENCE);
	assert_int_equal(FEED("\x1b(0"), TERM_SEQUENCE);
	assert_int_equal(FEED("\x1b]0;a title\a"), TERM_SEQUENCE);
	assert_int_equal(FEED("\x1b]0;a title\x1b\\"), TERM_SEQUENCE);
	assert_int_equal(FEED("\x1bPdata"), TERM_PART);
	assert_int_equal(FEED("\a"), TERM_PART); /* ends OSC only */
	assert_int_equal(FEED("\x1b"), TERM_PART);
	assert_int_equal(FEED("\\"), TERM_QUERY);
}

static void questions_are_known(void **state)
{
	static const char *const questions[] = {
		"\x05", "\x1bZ", "\x1b[c", "\x1b[>c", "\x1b[=c", "\x1b[6n", "\x1b[?6n", "\x1b[5n",
		"\x1b[?2026$p", "\x1b[>q", "\x1b[18t", "\x1b[?u", "\x1b[x", "\x1b[1;1;1;1;1;1*y",
		"\x1b]11;?\a", "\x1b]4;1;?\x1b\\", "\x1bP$qm\x1b\\", "\x1bP+q544e\x1b\\",
		"\x1b_Gi=1,a=q;\x1b\\", "\x1b[?1;1S",
	};
	static const char *const others[] = {
		"\x1b[>4;2n", "\x1b[2t", "\x1b[22;0t", "\x1b[!p", "\x1b[2 q", "\x1b[u", "\x1b[2S",
		"\x1b]2;title\a", "\x1b[1;1;2;2$x",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(questions) / sizeof(*questions); i++)
		assert_int_equal(feed(questions[i], strlen(questions[i])), TERM_QUERY);
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(feed(others[i], strlen(others[i])), TERM_SEQUENCE);
}

static void utf8_is_checked(void **state)
{
	static const char *const good[] = { "\xc2\x80", "\xc3\xa4", "\xe0\xa0\x80", "\xe2\x82\xac",
					    "\xed\x9f\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	/* Overlong, surrogate, beyond the end, continuation alone. */
	static const char *const bad[] = { "\xc0", "\xc1", "\xf5", "\xff", "\x80", "\xbf" };
	static const char *const broken[] = { "\xe0\x9f", "\xed\xa0", "\xf0\x8f", "\xf4\x90",
					      "\xe2\x82\xff" };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		for (k = 0; k + 1 < strlen(good[i]); k++)
			assert_int_equal(feed(good[i] + k, 1), TERM_PART);
		assert_false(term_is_between(&t));
		assert_int_equal(feed(good[i] + k, 1), TERM_CHAR);
		assert_int_equal(t.unit, strlen(good[i]));
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(feed(bad[i], 1), TERM_BAD);
	for (i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		assert_int_equal(feed(broken[i], strlen(broken[i])), TERM_BAD);
		assert_true(t.broken_off);
	}
	assert_int_equal(FEED("\xe2\x82" "x"), TERM_CHAR);
	assert_true(t.broken_off);
	assert_int_equal(FEED("\xe2\x1b[m"), TERM_SGR);
}

static void sequences_are_broken_off(void **state)
{
	(void)state;
	assert_int_equal(FEED("\x1b[31\x18"), TERM_CONTROL);
	assert_true(t.broken_off);
	assert_true(term_is_between(&t));
	assert_int_equal(FEED("\x1b[31\x1b[1m"), TERM_SGR);
	assert_string_equal(entered(), "\x1b[0;1m");
	assert_int_equal(FEED("\x1b]0;title\x1b[4m"), TERM_SGR); /* no terminator */
	assert_int_equal(t.unit, 4);
	assert_string_equal(entered(), "\x1b[0;1;4m");
	assert_int_equal(FEED("\x1b]0;title\x1b\x1b[7m"), TERM_SGR);
	assert_int_equal(FEED("\x1b[3\n1m"), TERM_SGR); /* controls act amid a sequence */
	assert_string_equal(entered(), "\x1b[0;1;7;4;38;5;1m");
	assert_int_equal(FEED("\x1b[\xff"), TERM_BAD);
	assert_true(term_is_between(&t));
}

static void endless_sequences_are_bounded(void **state)
{
	unsigned i;

	(void)state;
	FEED("\x1b[");
	for (i = 0; i < 100000; i++)
		FEED("9;");
	FEED("m");
	assert_int_equal(t.n_params, TERM_PARAMS);
	FEED("\x1b[");
	for (i = 0; i < 100000; i++)
		FEED("9");
	FEED("h\x1b[m");
	expect_clean();
	FEED("\x1b]");
	for (i = 0; i < 100000; i++)
		FEED("x");
	assert_false(term_is_between(&t)); /* a terminal waits for the end, too */
	assert_string_equal(left(), "\x18\x1b\\");
}

/* ---- modes ---- */

static void modes_are_undone_and_brought_back(void **state)
{
	static const struct {
		const char *sequence, *leave, *enter;
	} rows[] = {
		{ "\x1b[?1049h", "\x1b[?1049l", "\x1b[?1049h" },
		{ "\x1b[?47h", "\x1b[?47l", "\x1b[?47h" },
		{ "\x1b[?25l", "\x1b[?25h", "\x1b[?25l" },
		{ "\x1b[?7l", "\x1b[?7h", "\x1b[?7l" },
		{ "\x1b[?1h", "\x1b[?1l", "\x1b[?1h" },
		{ "\x1b[?1000;1006h", "\x1b[?1000l\x1b[?1006l", "\x1b[?1000h\x1b[?1006h" },
		{ "\x1b[?2004h", "\x1b[?2004l", "\x1b[?2004h" },
		{ "\x1b[5;20r", "\x1b" "7\x1b[r\x1b" "8",
		  "\x1b" "7\x1b[5;20r\x1b" "8" },
		{ "\x1b[3r", "\x1b" "7\x1b[r\x1b" "8", "\x1b" "7\x1b[3r\x1b" "8" },
		{ "\x1b[?1049h\x1b[;9r", "\x1b[r\x1b[?1049l", "\x1b[?1049h\x1b[1;9r" },
		{ "\x1b[?6h", "\x1b[?6l\x1b[999;1H", "\x1b[?6h" },
		{ "\x1b=", "\x1b>", "\x1b=" },
		{ "\x1b[4h", "\x1b[4l", "\x1b[4h" },
		{ "\x1b[20h", "\x1b[20l", "\x1b[20h" },
		{ "\x1b[>4;2m", "\x1b[>4m", "\x1b[>4;2m" },
		{ "\x1b[4 q", "\x1b[0 q", "\x1b[4 q" },
		{ "\x1b(0", "\x1b(B", "\x1b(0" },
		{ "\x1b)0\x0e", "\x0f\x1b)B", "\x1b)0\x0e" },
		{ "\x1b[1;31m", "\x1b[m", "\x1b[0;1;38;5;1m" },
		{ "\x1b[97;104m", "\x1b[m", "\x1b[0;38;5;15;48;5;12m" },
		{ "\x1b[38;5;208;48;2;1;2;3m", "\x1b[m", "\x1b[0;38;5;208;48;2;1;2;3m" },
		{ "\x1b[38:2::7:8:9m", "\x1b[m", "\x1b[0;38;2;7;8;9m" },
		{ "\x1b[38:2:7:8:9;3m", "\x1b[m", "\x1b[0;3;38;2;7;8;9m" },
		{ "\x1b[4:3;58:5:9m", "\x1b[m", "\x1b[0;4:3;58;5;9m" },
		{ "\x1b[21;53m", "\x1b[m", "\x1b[0;53;21m" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		setup(state);
		feed(rows[i].sequence, strlen(rows[i].sequence));
		assert_string_equal(left(), rows[i].leave);
		assert_string_equal(entered(), rows[i].enter);
		/* A terminal that is told this is clean again; one that is told that is as before. */
		feed(rows[i].leave, strlen(rows[i].leave));
		expect_clean();
		feed(rows[i].enter, strlen(rows[i].enter));
		assert_string_equal(entered(), rows[i].enter);
	}
}

static void what_a_guest_undoes_is_forgotten(void **state)
{
	(void)state;
	FEED("\x1b[?1049h\x1b[?25l\x1b=\x1b[1;31;44;4m\x1b[5;9r\x1b[?2004h\x1b(0\x1b[>4;2m\x1b[3 q");
	FEED("\x1b[?1049l\x1b[?25h\x1b>\x1b[22;24;39;49m\x1b[r\x1b[?2004l\x1b(B\x1b[>4m\x1b[ q");
	expect_clean();
	FEED("\x1b[?1049h\x1b[?1003h\x1b[7m\x1b[2;3r\x1b" "c");
	expect_clean();
	FEED("\x1b[?25l\x1b[?6h\x1b[4h\x1b[7m\x1b[2;3r\x1b[!p");
	expect_clean();
}

/* Each of these looks like something else. */
static void lookalikes_change_nothing(void **state)
{
	(void)state;
	FEED("\x1b[?25r");	    /* restores modes: no scroll region */
	FEED("\x1b[?4m");	    /* asks for modifyOtherKeys: no underline */
	FEED("\x1b[25l\x1b[1049h"); /* ANSI modes of that number: none */
	FEED("\x1b[?31m\x1b[1\"q\x1b[!r\x1b%G\x1b#8");
	FEED("\x1b[38m\x1b[38;5m\x1b[38;2;1m\x1b[48;9;1m\x1b[;m");
	expect_clean();
}

static void small_buffers_hold(void **state)
{
	char text[64];
	size_t size;

	(void)state;
	FEED("\x1b[?1049h\x1b[?25l\x1b[?1000;1002;1006;2004h\x1b[1;2;3;38;2;255;255;255m\x1b=");
	for (size = 0; size < sizeof(text); size++) {
		assert_true(term_leave(&t, text, size) <= size);
		assert_true(term_enter(&t, text, size) <= size);
		assert_true(term_suspend(&t, text, size) <= size);
	}
}

static void everything_at_once_fits(void **state)
{
	static char text[TERM_TEXT_MAX];
	unsigned i;

	(void)state;
	FEED("\x1b[1;2;3;5;6;7;8;9;53;4:3m\x1b[38;2;255;255;255;48;2;255;255;255m"
	     "\x1b[58;2;255;255;255m\x1b[9999;9999r\x1b=\x1b[4;20h\x1b[>4;2m\x1b[6 q\x1b(0\x1b)0\x0e");
	t.modes = 0x3FFFFF; /* every mode */
	t.parser = 1;
	for (i = 0; i < 2; i++) {
		assert_in_range(term_leave(&t, text, sizeof(text)), 1, sizeof(text) - 32);
		assert_in_range(term_enter(&t, text, sizeof(text)), 1, sizeof(text) - 32);
		t.alternate = 1049;
	}
}

/* ---- recorded sessions ---- */

static void check_session(const struct session *s)
{
	const char *middle;

	feed(s->begin, s->n_begin);
	assert_true(term_is_between(&t));
	assert_string_equal(entered(), s->enter);
	/* Leaving and coming back is as if the switch had not been. */
	middle = left();
	feed(middle, strlen(middle));
	expect_clean();
	middle = s->enter;
	feed(middle, strlen(middle));
	feed(s->end, s->n_end);
	assert_string_equal(left(), s->left);
	assert_true(term_is_between(&t));
}

static void recorded_sessions_end_clean(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(sessions) / sizeof(*sessions); i++) {
		setup(state);
		check_session(&sessions[i]);
	}
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bytes_are_told_apart),
		T(questions_are_known),
		T(utf8_is_checked),
		T(sequences_are_broken_off),
		T(endless_sequences_are_bounded),
		T(modes_are_undone_and_brought_back),
		T(what_a_guest_undoes_is_forgotten),
		T(lookalikes_change_nothing),
		T(small_buffers_hold),
		T(everything_at_once_fits),
		T(recorded_sessions_end_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
