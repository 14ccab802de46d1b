/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted print: compared with the C library, and at the ends of the buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fmt.h"

#define CANARY 0x5A

/* Both must give the same text and the same length. */
#define SAME(...)                                                                                  \
	do {                                                                                       \
		char ours[128], theirs[128];                                                       \
		size_t n = fmt_buf(ours, sizeof(ours), __VA_ARGS__);                               \
		int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                             \
		assert_string_equal(ours, theirs);                                                 \
		assert_int_equal(n, m);                                                            \
	} while (0)

static void test_integers(void **state)
{
	static const int ints[] = { 0, 1, -1, 9, 10, -10, 255, 12345, INT32_MAX, INT32_MIN };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
		int v = ints[i];

		SAME("%d|%i|%u|%x|%X", v, v, (unsigned)v, (unsigned)v, (unsigned)v);
		SAME("%8d|%-8d|%08d", v, v, v);
		SAME("%.4d|%8.4d|%-8.4d", v, v, v);
		SAME("%*d|%-*d|%.*d", 6, v, 6, v, 3, v);
		SAME("%*d|%0*d|%.*d", -6, v, -6, v, -3, v);
		SAME("%3d|%03x|%-3X|", v, (unsigned)v, (unsigned)v);
	}
}

static void test_length_modifiers(void **state)
{
	(void)state;
	SAME("%hhd %hd %hhu %hu", (signed char)-128, (short)-32768, (unsigned char)255,
	     (unsigned short)65535);
	SAME("%ld %lu %lx", INT64_MIN, UINT64_MAX, UINT64_MAX);
	SAME("%lld %llu %llX", (long long)INT64_MIN, (unsigned long long)UINT64_MAX,
	     (unsigned long long)UINT64_MAX);
	SAME("%zu %zx", SIZE_MAX, SIZE_MAX);
	SAME("%020lu|%-22lu|", UINT64_MAX, UINT64_MAX);
}

/* Arguments that are too wide are narrowed, which the compiler would refuse to compile. */
static void test_narrowing(void **state)
{
	size_t (*print)(char *b, size_t size, const char *f, ...) = fmt_buf;
	char buf[64];

	(void)state;
	print(buf, sizeof(buf), "%hhd %hhu %hhx %hd %hu %hX", 0x1FF, 0x1FF, 0x1A5, 0x1FFFF, 0x1FFFF,
	      0x1ABCD);
	assert_string_equal(buf, "-1 255 a5 -1 65535 ABCD");
}

static void test_text(void **state)
{
	static const char unterminated[3] = { 'a', 'b', 'c' };

	(void)state;
	SAME("%s|%5s|%-5s|%.2s|%5.2s|%-5.2s|", "abc", "abc", "abc", "abc", "abc", "abc");
	SAME("%c%3c%-3c|", 'x', 'y', 'z');
	SAME("%.*s|%.0s|", 3, unterminated, "abc");
	SAME("100%% of %s", "it");
	SAME("no conversion");
}

static void test_pointer_and_null(void **state)
{
	const char *volatile none = NULL;
	char buf[64];

	(void)state;
	SAME("%p|%20p|", (void *)(uintptr_t)0xFFFF800012345678, (void *)(uintptr_t)0x10);
	fmt_buf(buf, sizeof(buf), "%p", NULL);
	assert_string_equal(buf, "0x0");
	fmt_buf(buf, sizeof(buf), "%s", none);
	assert_string_equal(buf, "(null)");
}

static void test_zero_with_no_precision(void **state)
{
	(void)state;
	SAME("%.0d|%.0u|%.0x|%3.0d|", 0, 0U, 0U, 0);
	SAME("%.0d|%.1d", 7, 0);
}

/* Every buffer size from nothing to enough: terminated, never past the end. */
static void test_truncation(void **state)
{
	static const char full[] = "ab-00042    xyz";
	char buf[32];

	(void)state;
	for (size_t size = 0; size < sizeof(buf); size++) {
		size_t n, want = size == 0 ? 0 : size - 1 < strlen(full) ? size - 1 : strlen(full);

		memset(buf, CANARY, sizeof(buf));
		n = fmt_buf(buf, size, "ab%06d%7s", -42, "xyz");
		assert_int_equal(n, want);
		assert_memory_equal(buf, full, want);
		if (size > 0)
			assert_int_equal(buf[want], '\0');
		for (size_t i = size > 0 ? want + 1 : 0; i < sizeof(buf); i++)
			assert_int_equal(buf[i], CANARY);
	}
}

/* A width from outside must not cost time or room. */
static void test_huge_width(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(fmt_buf(buf, sizeof(buf), "%*d", INT32_MAX, 1), 7);
	assert_string_equal(buf, "       ");
	assert_int_equal(fmt_buf(buf, sizeof(buf), "%.*u", INT32_MAX, 1U), 7);
	assert_string_equal(buf, "0000000");
	assert_int_equal(fmt_buf(buf, sizeof(buf), "%*d", -9999, 1), 7);
	assert_string_equal(buf, "1      ");
}

/* The compiler would refuse such formats; only that nothing breaks is promised. */
static void test_unknown_conversion(void **state)
{
	const char *volatile format = "a%d %q %s";
	char buf[32];
	size_t (*print)(char *b, size_t size, const char *f, ...) = fmt_buf;

	(void)state;
	print(buf, sizeof(buf), format, 1, "b");
	assert_string_equal(buf, "a1 %q %s");
	format = "50%";
	print(buf, sizeof(buf), format);
	assert_string_equal(buf, "50%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_length_modifiers),
		cmocka_unit_test(test_narrowing),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_pointer_and_null),
		cmocka_unit_test(test_zero_with_no_precision),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_huge_width),
		cmocka_unit_test(test_unknown_conversion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
