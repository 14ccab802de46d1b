/* SPDX-License-Identifier: BSD-2-Clause */
/* The byte ring, one thread: refusal, overwriting, exact counts, looking back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ring.h"

#define SIZE 16

static uint8_t data[SIZE];
static struct ring r;

static int setup(void **state)
{
	(void)state;
	ring_init(&r, data, SIZE);
	return 0;
}

static void put_text(const char *text)
{
	for (; *text; text++)
		ring_put_over(&r, (uint8_t)*text);
}

static void expect_next(const char *text, uint64_t missed_expected)
{
	uint8_t buf[2 * SIZE];
	uint64_t missed = 0;
	size_t n = ring_peek(&r, buf, sizeof(buf), &missed);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, n);
	assert_int_equal(missed, missed_expected);
}

static void empty(void **state)
{
	(void)state;
	expect_next("", 0);
	assert_int_equal(ring_used(&r), 0);
	assert_int_equal(ring_free(&r), SIZE);
}

static void peek_keeps_consume_takes(void **state)
{
	(void)state;
	put_text("abc");
	expect_next("abc", 0);
	expect_next("abc", 0);
	ring_consume(&r, 2);
	expect_next("c", 0);
	assert_int_equal(ring_used(&r), 1);
}

static void full_refuses(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < SIZE; i++)
		assert_true(ring_put(&r, (uint8_t)i));
	assert_false(ring_put(&r, 99));
	assert_int_equal(ring_head(&r), SIZE);
	ring_consume(&r, 1);
	assert_true(ring_put(&r, 99));
	assert_false(ring_put(&r, 98));
	assert_int_equal(ring_lost(&r), 0);
}

static void overwriting_counts(void **state)
{
	(void)state;
	put_text("0123456789abcdefXYZ");
	assert_int_equal(ring_lost(&r), 3); /* known before anyone looked */
	assert_int_equal(ring_used(&r), SIZE);
	expect_next("3456789abcdefXYZ", 3);
	assert_int_equal(ring_lost(&r), 3);
	expect_next("3456789abcdefXYZ", 0);
	ring_consume(&r, SIZE);
	assert_int_equal(ring_head(&r), ring_tail(&r));
}

static void overwritten_several_times(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++)
		put_text("0123456789abcdef");
	expect_next("0123456789abcdef", 9 * SIZE);
}

static void claimed_byte_is_not_shown(void **state)
{
	uint8_t buf[SIZE];
	uint64_t missed = 0;

	(void)state;
	put_text("0123456789abcdef");
	r.claim++; /* the producer is just about to overwrite the oldest byte */
	assert_int_equal(ring_peek(&r, buf, SIZE, &missed), SIZE - 1);
	assert_int_equal(missed, 1);
	assert_int_equal(buf[0], '1');
}

static void skip_is_loss(void **state)
{
	(void)state;
	put_text("abcdef");
	assert_int_equal(ring_skip(&r, 2), 2);
	expect_next("cdef", 0);
	assert_int_equal(ring_skip(&r, 100), 4);
	assert_int_equal(ring_lost(&r), 6);
	assert_int_equal(ring_used(&r), 0);
}

/* What ring_read_at() finds from `pos` up to `end`: where it came to, the text and the gap. */
static void expect_at(uint64_t pos, uint64_t end, size_t max, const char *text, uint64_t gap)
{
	const uint64_t from = pos;
	uint64_t missed = 0;
	uint8_t buf[SIZE];
	size_t n = ring_read_at(&r, &pos, end, buf, max, &missed);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, n);
	assert_int_equal(missed, gap);
	assert_int_equal(pos, from + gap + n);
}

static void reading_what_was_shown(void **state)
{
	(void)state;
	put_text("one\ntwo");
	ring_consume(&r, 5);
	expect_at(4, 7, SIZE, "two", 0); /* shown or not */
	expect_at(4, 6, SIZE, "tw", 0);
	expect_at(4, 7, 1, "t", 0);
	expect_at(7, 7, SIZE, "", 0);
	put_text("0123456789abcd"); /* position 4 is now overwritten... */
	expect_at(4, 7, SIZE, "wo", 1);
	put_text("ef"); /* ...and now everything of old */
	expect_at(4, 7, SIZE, "", 3);
	assert_int_equal(ring_tail(&r), 5); /* the consumer's affairs are not touched */
}

static void any_bytes_at_any_offset(void **state)
{
	uint8_t buf[SIZE];
	uint64_t missed = 0, next = 0, n;
	unsigned i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		ring_put(&r, (uint8_t)(i * 7));
		n = ring_peek(&r, buf, i % 5, &missed);
		for (uint64_t k = 0; k < n; k++)
			assert_int_equal(buf[k], (uint8_t)((next + k) * 7));
		ring_consume(&r, n);
		next += n;
	}
	assert_int_equal(missed, 0);
	assert_int_equal(ring_tail(&r), next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty, setup),
		cmocka_unit_test_setup(peek_keeps_consume_takes, setup),
		cmocka_unit_test_setup(full_refuses, setup),
		cmocka_unit_test_setup(overwriting_counts, setup),
		cmocka_unit_test_setup(overwritten_several_times, setup),
		cmocka_unit_test_setup(claimed_byte_is_not_shown, setup),
		cmocka_unit_test_setup(skip_is_loss, setup),
		cmocka_unit_test_setup(reading_what_was_shown, setup),
		cmocka_unit_test_setup(any_bytes_at_any_offset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
