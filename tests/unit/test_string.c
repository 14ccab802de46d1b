/* SPDX-License-Identifier: BSD-2-Clause */
/* no-archive */
/*
 * The freestanding memory and string functions against the C library's, over
 * all small lengths, offsets and overlaps.  They are included under other
 * names, so that both are here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#undef BULKHEAD_HOST
#define memcpy k_memcpy
#define memmove k_memmove
#define memset k_memset
#define memcmp k_memcmp
#define strlen k_strlen
#define strcmp k_strcmp
#define strncmp k_strncmp
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#undef strncmp

#define N 24

static void fill(uint8_t buf[2 * N])
{
	for (unsigned i = 0; i < 2 * N; i++)
		buf[i] = (uint8_t)(i * 37 + 11);
}

static void test_copy_and_move(void **state)
{
	uint8_t ours[2 * N], theirs[2 * N], source[2 * N];

	(void)state;
	for (size_t n = 0; n <= N; n++) {
		for (size_t to = 0; to <= N; to++) {
			for (size_t from = 0; from <= N; from++) {
				fill(ours);
				fill(theirs);
				assert_ptr_equal(k_memmove(ours + to, ours + from, n), ours + to);
				memmove(theirs + to, theirs + from, n);
				assert_memory_equal(ours, theirs, sizeof(ours));
			}
			fill(source);
			memset(ours, 0, sizeof(ours));
			memset(theirs, 0, sizeof(theirs));
			assert_ptr_equal(k_memcpy(ours + to, source + to / 2, n), ours + to);
			memcpy(theirs + to, source + to / 2, n);
			assert_memory_equal(ours, theirs, sizeof(ours));
		}
	}
}

static void test_set(void **state)
{
	uint8_t ours[2 * N], theirs[2 * N];

	(void)state;
	for (size_t n = 0; n <= N; n++) {
		fill(ours);
		fill(theirs);
		assert_ptr_equal(k_memset(ours + 3, 0x1A5, n), ours + 3);
		memset(theirs + 3, 0xA5, n);
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

#define COPY(size)                                                                                 \
	do {                                                                                       \
		uint8_t copy[64] = { 0 }, filled[64] = { 0 };                                      \
                                                                                                   \
		k_memcpy(copy, source, size);                                                      \
		k_memset(filled, 0x5A, size);                                                      \
		assert_memory_equal(copy, source, size);                                           \
		assert_int_equal(copy[size], 0);                                                   \
		assert_int_equal(filled[(size) - 1], 0x5A);                                        \
		assert_int_equal(filled[size], 0);                                                 \
	} while (0)

/*
 * Inlined with a constant length, as link-time optimisation does it: with as many
 * words as bytes behind them, the compiler has one value for both counts.
 */
static void __attribute__((flatten)) test_inlined(void **state)
{
	uint8_t source[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(source); i++)
		source[i] = (uint8_t)(i * 37 + 11);
	COPY(8);
	COPY(9);
	COPY(18);
	COPY(27);
	COPY(36);
	COPY(45);
	COPY(54);
	COPY(63);
}

static void test_compare(void **state)
{
	static const char *const words[] = { "", "a", "b", "ab", "abc", "abd", "\xC3", "ab\xFF" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(k_strlen(words[i]), strlen(words[i]));
		for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
			const char *a = words[i], *b = words[j];
			size_t shorter = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

			assert_int_equal(sign(k_strcmp(a, b)), sign(strcmp(a, b)));
			assert_int_equal(sign(k_memcmp(a, b, shorter)),
					 sign(memcmp(a, b, shorter)));
			for (size_t n = 0; n < 6; n++)
				assert_int_equal(sign(k_strncmp(a, b, n)), sign(strncmp(a, b, n)));
		}
	}
	assert_true(k_memcmp("a\0b", "a\0c", 3) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_and_move),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_inlined),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
