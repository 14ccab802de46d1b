/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool: zeroed, aligned, disjoint, and never past its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pool.h"

#define SIZE KIB(64)

static uint8_t memory[SIZE + PAGE_SIZE] ALIGNED(4096);

/* A page of 0xEE behind the pool: nobody may touch it. */
static int setup(void **state)
{
	(void)state;
	memset(memory, 0xEE, sizeof(memory));
	pool_init((uintptr_t)memory, SIZE);
	return 0;
}

static bool all(const uint8_t *p, size_t len, uint8_t v)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != v)
			return false;
	return true;
}

static void test_init_zeroes_the_range(void **state)
{
	(void)state;
	assert_true(all(memory, SIZE, 0));
	assert_true(all(memory + SIZE, PAGE_SIZE, 0xEE));
	assert_int_equal(pool_used(), 0);
	assert_int_equal(pool_size(), SIZE);
	assert_int_equal(pool_base(), (uintptr_t)memory);
}

static void test_pieces_are_aligned_and_disjoint(void **state)
{
	static const uint64_t aligns[] = { 1, 8, 64, 4096, 16 };
	uint8_t *end = memory;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		const uint64_t align = aligns[i % ARRAY_SIZE(aligns)];
		uint8_t *p = pool_alloc(i * 7 + 1, align);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % align, 0);
		assert_true(p >= end);
		assert_true(all(p, i * 7 + 1, 0));
		end = p + i * 7 + 1;
		memset(p, 0xAA, i * 7 + 1);
		assert_int_equal(pool_used(), (uint64_t)(end - memory));
	}
}

static void test_end(void **state)
{
	(void)state;
	assert_null(pool_alloc(SIZE + 1, 1));
	assert_non_null(pool_alloc(SIZE - 16, 1));
	assert_null(pool_alloc(17, 1));
	assert_null(pool_alloc(1, 4096)); /* alignment alone leaves the pool */
	assert_non_null(pool_alloc(16, 1));
	assert_null(pool_alloc(1, 1));
	assert_int_equal(pool_used(), SIZE);
}

/* A failure costs nothing; sizes that wrap around are no success. */
static void test_failure_keeps_the_pool(void **state)
{
	uint8_t *first = pool_alloc(100, 1);

	(void)state;
	assert_null(pool_alloc(~0ULL, 1));
	assert_null(pool_alloc(~0ULL - (uintptr_t)memory, 64));
	assert_null(pool_alloc(1, BIT(63)));
	assert_int_equal(pool_used(), 100);
	assert_ptr_equal(pool_alloc(1, 1), first + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_init_zeroes_the_range, setup),
		cmocka_unit_test_setup(test_pieces_are_aligned_and_disjoint, setup),
		cmocka_unit_test_setup(test_end, setup),
		cmocka_unit_test_setup(test_failure_keeps_the_pool, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
