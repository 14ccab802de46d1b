/* SPDX-License-Identifier: BSD-2-Clause */
/* Words, numbers and boot command lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parse.h"

static void test_trim(void **state)
{
	(void)state;
	assert_true(span_is(span_trim(span_of(" \t a b\t ")), "a b"));
	assert_true(span_is(span_trim(span_of(" \t ")), ""));
	assert_true(span_is(span_trim(span_of("")), ""));
	assert_false(span_is(span_of("ab"), "a"));
	assert_false(span_is(span_of("a"), "ab"));
}

static void test_words(void **state)
{
	struct span rest = span_of("  one\ttwo  three "), word;

	(void)state;
	assert_true(span_word(&rest, &word) && span_is(word, "one"));
	assert_true(span_word(&rest, &word) && span_is(word, "two"));
	assert_true(span_word(&rest, &word) && span_is(word, "three"));
	assert_false(span_word(&rest, &word));
	assert_false(span_word(&rest, &word));
}

static void test_split(void **state)
{
	struct span rest = span_of("a,,b,"), part;

	(void)state;
	assert_true(span_split(&rest, ',', &part) && span_is(part, "a"));
	assert_true(span_split(&rest, ',', &part) && span_is(part, ""));
	assert_true(span_split(&rest, ',', &part) && span_is(part, "b"));
	assert_true(span_split(&rest, ',', &part) && span_is(part, ""));
	assert_false(span_split(&rest, ',', &part));

	rest = span_of("");
	assert_true(span_split(&rest, ',', &part) && span_is(part, ""));
	assert_false(span_split(&rest, ',', &part));
}

static void test_copy(void **state)
{
	char buf[4] = "zzz";

	(void)state;
	assert_true(span_copy(buf, sizeof(buf), span_of("abc")));
	assert_string_equal(buf, "abc");
	assert_false(span_copy(buf, sizeof(buf), span_of("abcd")));
	assert_string_equal(buf, "");
	assert_true(span_copy(buf, sizeof(buf), (struct span){ NULL, 0 }));
	assert_false(span_copy(buf, 0, span_of("")));
}

static enum parse_result number(const char *s, uint64_t *v)
{
	return parse_number(span_of(s), 10, UINT64_MAX - 1, v);
}

static void test_numbers(void **state)
{
	static const char *const malformed[] = { "",    "-1",  "+1", "1 ",	  " 1", "x",
						 "0x",  "0xg", "1a", "0x1.0",	  "1,2",
						 "99999999999999999999999z" };
	static const char *const out_of_range[] = { "9", "0", "0x9", "18446744073709551615",
						    "18446744073709551616",
						    "0x10000000000000000",
						    "99999999999999999999999" };
	uint64_t v = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		assert_int_equal(number(malformed[i], &v), PARSE_MALFORMED);
	for (size_t i = 0; i < ARRAY_SIZE(out_of_range); i++)
		assert_int_equal(number(out_of_range[i], &v), PARSE_RANGE);
	assert_int_equal(v, 77);

	assert_int_equal(number("10", &v), PARSE_OK);
	assert_int_equal(v, 10);
	assert_int_equal(number("0xfF", &v), PARSE_OK);
	assert_int_equal(v, 255);
	assert_int_equal(number("0010", &v), PARSE_OK);
	assert_int_equal(v, 10);
	assert_int_equal(number("18446744073709551614", &v), PARSE_OK);
	assert_int_equal(v, UINT64_MAX - 1);
}

static enum parse_result size(const char *s, uint64_t *v)
{
	return parse_size(span_of(s), 1, UINT64_MAX, v);
}

static void test_sizes(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_int_equal(size("5", &v), PARSE_OK);
	assert_int_equal(v, 5);
	assert_int_equal(size("5k", &v), PARSE_OK);
	assert_int_equal(v, 5 << 10);
	assert_int_equal(size("5M", &v), PARSE_OK);
	assert_int_equal(v, 5 << 20);
	assert_int_equal(size("5G", &v), PARSE_OK);
	assert_int_equal(v, 5ULL << 30);
	assert_int_equal(size("17179869183G", &v), PARSE_OK);
	assert_int_equal(size("17179869184G", &v), PARSE_RANGE);
	assert_int_equal(size("17179869185G", &v), PARSE_RANGE); /* 1G, if it wrapped */
	assert_int_equal(size("0M", &v), PARSE_RANGE);
	assert_int_equal(size("M", &v), PARSE_MALFORMED);
	assert_int_equal(size("5MB", &v), PARSE_MALFORMED);
	assert_int_equal(size("5 M", &v), PARSE_MALFORMED);
	assert_int_equal(size("1.5G", &v), PARSE_MALFORMED);
	assert_int_equal(size("", &v), PARSE_MALFORMED);
}

static void test_cmdline(void **state)
{
	static const char line[] = "/bulkhead.elf config=a.conf  log= xlog=1\tdebug log=info,b=c";
	char value[8];

	(void)state;
	assert_true(cmdline_option(line, "config", value, sizeof(value)));
	assert_string_equal(value, "a.conf");
	/* The last one counts, and only the first '=' separates. */
	assert_false(cmdline_option(line, "log", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(cmdline_option("log=a=b log", "log", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(cmdline_option("log log=a=b", "log", value, sizeof(value)));
	assert_string_equal(value, "a=b");
	assert_true(cmdline_option(line, "debug", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_false(cmdline_option(line, "confi", value, sizeof(value)));
	assert_false(cmdline_option(line, "a.conf", value, sizeof(value)));
	assert_false(cmdline_option("", "log", value, sizeof(value)));
	assert_string_equal(value, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trim),    cmocka_unit_test(test_words),
		cmocka_unit_test(test_split),   cmocka_unit_test(test_copy),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_cmdline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
