/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Second-stage tables: what the builder writes is read by an independent
 * walk, as the CPU does it, and compared with the module's own walker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ept.h"

#define PAGES 64
#define NO_PAGE (~0ULL)

static uint64_t pages[PAGES][512] ALIGNED(4096);
static unsigned n_pages, limit;
static struct s2_space s;

static void *alloc(void)
{
	return n_pages < limit ? pages[n_pages++] : NULL;
}

static int setup(void **state)
{
	(void)state;
	memset(pages, 0, sizeof(pages));
	n_pages = 0;
	limit = PAGES;
	assert_true(s2_init(&s, &s2_npt_1g, alloc));
	return 0;
}

/* The CPU's walk (AMD APM vol. 2, 5.3): P, R/W and U/S at every level, PS at 3 and 2. */
static uint64_t translate(uint64_t gpa)
{
	const uint64_t *table = s.root;

	for (unsigned level = 4; level > 0; level--) {
		const unsigned shift = 12 + 9 * (level - 1);
		const uint64_t e = table[gpa >> shift & 511];
		const uint64_t low = BIT(shift) - 1;

		if ((e & 7) != 7)
			return NO_PAGE;
		assert_int_equal(e & BIT(63), 0); /* NX: guests execute all of their memory */
		if (level == 1 || (e & BIT(7))) {
			assert_in_range(level, 1, 3);
			assert_int_equal(e & low & 0x000FFFFFFFFFF000, 0);
			return (e & 0x000FFFFFFFFFF000) | (gpa & low);
		}
		table = (const uint64_t *)(uintptr_t)(e & 0x000FFFFFFFFFF000);
	}
	return NO_PAGE;
}

static void check_range(uint64_t gpa, uint64_t hpa, uint64_t size)
{
	for (uint64_t off = 0; off < size; off += MIB(1) + PAGE_SIZE)
		assert_true(translate(gpa + off) == hpa + off);
	assert_true(translate(gpa + size - 1) == hpa + size - 1);
}

struct seen {
	uint64_t next, bytes;
	unsigned leaves, huge, stop_after;
};

static bool count(void *ctx, uint64_t gpa, uint64_t hpa, uint64_t size)
{
	struct seen *c = ctx;

	assert_true(gpa >= c->next); /* in order */
	assert_true(translate(gpa) == hpa && translate(gpa + size - 1) == hpa + size - 1);
	c->next = gpa + size;
	c->bytes += size;
	c->leaves++;
	c->huge += size == PAGE_1G;
	return c->leaves != c->stop_after;
}

static void test_empty(void **state)
{
	struct seen c = { 0 };

	(void)state;
	assert_true(s2_walk(&s, count, &c));
	assert_int_equal(c.leaves, 0);
	assert_true(translate(0) == NO_PAGE);
	assert_true(s2_map(&s, 0, 0, 0));
	assert_int_equal(n_pages, 1);
}

static void test_small_guest(void **state)
{
	struct seen c = { 0 };

	(void)state;
	assert_true(s2_map(&s, 0, GIB(2) + PAGE_2M, MIB(256)));
	check_range(0, GIB(2) + PAGE_2M, MIB(256));
	assert_true(translate(MIB(256)) == NO_PAGE);
	assert_true(translate(~0ULL >> 16) == NO_PAGE);
	assert_true(s2_walk(&s, count, &c));
	assert_int_equal(c.leaves, 128);
	assert_int_equal(c.bytes, MIB(256));
	assert_int_equal(n_pages, 3);
}

/* 1 GiB pages only where both addresses are aligned. */
static void test_huge_pages(void **state)
{
	struct seen c = { 0 };

	(void)state;
	assert_true(s2_map(&s, 0, GIB(4), GIB(3)));
	assert_true(s2_map(&s, GIB(4), GIB(7), GIB(1) + PAGE_2M));
	check_range(0, GIB(4), GIB(3));
	check_range(GIB(4), GIB(7), GIB(1) + PAGE_2M);
	assert_true(translate(GIB(3)) == NO_PAGE);
	assert_true(translate(GIB(4) - 1) == NO_PAGE);
	assert_true(s2_walk(&s, count, &c));
	assert_int_equal(c.huge, 4);
	assert_int_equal(c.leaves, 5);
	setup(state);
	c = (struct seen){ 0 };
	assert_true(s2_map(&s, 0, GIB(4) + PAGE_2M, GIB(1)));
	assert_true(s2_walk(&s, count, &c));
	assert_int_equal(c.huge, 0);
	check_range(0, GIB(4) + PAGE_2M, GIB(1));
}

static void test_cpu_without_huge_pages(void **state)
{
	struct seen c = { 0 };

	(void)state;
	n_pages = 0;
	assert_true(s2_init(&s, &s2_npt_2m, alloc));
	assert_true(s2_map(&s, 0, GIB(4), GIB(2)));
	check_range(0, GIB(4), GIB(2));
	assert_true(s2_walk(&s, count, &c));
	assert_int_equal(c.huge, 0);
	assert_int_equal(c.leaves, 1024);
}

/* 512 GiB: across the entries of the top table. */
static void test_top_level_border(void **state)
{
	struct seen c = { 0 };

	(void)state;
	assert_true(s2_map(&s, GIB(512) - GIB(1), GIB(8), GIB(2)));
	check_range(GIB(512) - GIB(1), GIB(8), GIB(2));
	assert_true(s2_walk(&s, count, &c));
	assert_int_equal(c.bytes, GIB(2));
	assert_int_equal(n_pages, 3);
}

static void test_nothing_is_mapped_twice(void **state)
{
	(void)state;
	assert_true(s2_map(&s, PAGE_2M, GIB(4), PAGE_2M));
	assert_false(s2_map(&s, PAGE_2M, GIB(8), PAGE_2M));
	assert_false(s2_map(&s, 0, GIB(8), 2 * PAGE_2M));
	check_range(PAGE_2M, GIB(4), PAGE_2M);
	/* A big page over a table, and a small one under a big page. */
	assert_false(s2_map(&s, 0, GIB(8), GIB(1)));
	assert_true(s2_map(&s, GIB(1), GIB(8), GIB(1)));
	assert_false(s2_map(&s, GIB(1) + PAGE_2M, GIB(16), PAGE_2M));
	check_range(GIB(1), GIB(8), GIB(1));
}

static void test_misaligned(void **state)
{
	(void)state;
	assert_false(s2_map(&s, PAGE_SIZE, GIB(4), PAGE_2M));
	assert_false(s2_map(&s, 0, GIB(4) + PAGE_SIZE, PAGE_2M));
	assert_false(s2_map(&s, 0, GIB(4), PAGE_2M + PAGE_SIZE));
	assert_true(translate(0) == NO_PAGE);
}

static void test_out_of_memory(void **state)
{
	(void)state;
	limit = 0;
	n_pages = 0;
	assert_false(s2_init(&s, &s2_npt_1g, alloc));
	limit = 2;
	assert_true(s2_init(&s, &s2_npt_1g, alloc));
	assert_false(s2_map(&s, 0, GIB(4), PAGE_2M));
	assert_true(translate(0) == NO_PAGE);
}

static void test_walk_stops(void **state)
{
	struct seen c = { .stop_after = 3 };

	(void)state;
	assert_true(s2_map(&s, 0, GIB(4), 16 * PAGE_2M));
	assert_false(s2_walk(&s, count, &c));
	assert_int_equal(c.leaves, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_small_guest, setup),
		cmocka_unit_test_setup(test_huge_pages, setup),
		cmocka_unit_test_setup(test_cpu_without_huge_pages, setup),
		cmocka_unit_test_setup(test_top_level_border, setup),
		cmocka_unit_test_setup(test_nothing_is_mapped_twice, setup),
		cmocka_unit_test_setup(test_misaligned, setup),
		cmocka_unit_test_setup(test_out_of_memory, setup),
		cmocka_unit_test_setup(test_walk_stops, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
