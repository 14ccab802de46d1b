/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of the framed mode: what the coder makes, and what the decoder takes and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"

struct result {
	unsigned good, bad;
	size_t stray;
	uint8_t body[FRAME_BODY_MAX]; /* of the last good one */
	size_t len;
};

static struct result decode_all(struct frame_decoder *d, const uint8_t *bytes, size_t n)
{
	struct result r = { 0 };

	for (size_t i = 0; i < n; i++) {
		switch (frame_decode(d, bytes[i])) {
		case FRAME_GOOD:
			r.good++;
			r.len = d->len - 1 - FRAME_CRC_SIZE;
			memcpy(r.body, d->coded + 1, r.len);
			break;
		case FRAME_BAD:
			r.bad++;
			break;
		case FRAME_STRAY:
			r.stray++;
			break;
		case FRAME_NOTHING:
		default:
			break;
		}
	}
	return r;
}

static struct frame_decoder dec;

static int fresh(void **state)
{
	(void)state;
	frame_decoder_init(&dec);
	return 0;
}

/* The bytes of the example in docs/framing.md: whoever writes a host of their own checks by it. */
static void example_of_the_manual(void **state)
{
	static const uint8_t expected[] = { 0x00, 0xC1, 0x03, 0x31, 0x10, 0x01, 0x01, 0x06,
					    0x68, 0x69, 0x0a, 0x15, 0x84, 0x00 };
	uint8_t line[FRAME_LINE_MAX];
	size_t n;

	(void)state;
	n = frame_make_at(line, FRAME_DATA, 1, 16, "hi\n", 3);
	assert_int_equal(n, sizeof(expected));
	assert_memory_equal(line, expected, n);
}

static void every_length_and_content_comes_back(void **state)
{
	uint8_t body[FRAME_BODY_MAX], line[FRAME_LINE_MAX];

	(void)state;
	for (size_t len = 1; len <= sizeof(body); len++) {
		for (unsigned kind = 0; kind < 4; kind++) {
			for (size_t i = 0; i < len; i++)
				body[i] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? 0xFF :
						    kind == 2 ? i : (size_t)rand() % 3);
			const size_t n = frame_encode(line, body, len);

			assert_true(n <= sizeof(line));
			assert_null(memchr(line + 1, 0, n - 2));
			const struct result r = decode_all(&dec, line, n);

			assert_int_equal(r.good, 1);
			assert_int_equal(r.bad, 0);
			assert_int_equal(r.len, len);
			assert_memory_equal(r.body, body, len);
		}
	}
}

static void every_flipped_bit_is_noticed(void **state)
{
	uint8_t line[FRAME_LINE_MAX], next[FRAME_LINE_MAX], broken[2 * FRAME_LINE_MAX];
	const size_t n = frame_make_at(line, FRAME_DATA, 3, 0x00FF00AA, "some\0text", 9);
	const size_t m = frame_make(next, FRAME_BYE, 0, "", 0);

	(void)state;
	for (size_t bit = 0; bit < n * 8; bit++) {
		memcpy(broken, line, n);
		memcpy(broken + n, next, m);
		broken[bit / 8] ^= (uint8_t)(1U << bit % 8);
		frame_decoder_init(&dec);
		const struct result r = decode_all(&dec, broken, n + m);

		/* The next frame is whole, whatever happened to this one. */
		assert_true(r.good == 1 || (r.good == 2 && bit < 8) || bit >= (n - 1) * 8);
		assert_int_equal(r.body[0] >> 4, FRAME_BYE);
		assert_int_equal(r.len, 1);
	}
}

static void noise_and_text_between_frames_cost_nothing(void **state)
{
	uint8_t line[FRAME_LINE_MAX];
	const size_t n = frame_make(line, FRAME_CREDIT, 2, "\1\2\3\4", 4);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t noise[64];
		const size_t len = (size_t)rand() % sizeof(noise);

		for (size_t k = 0; k < len; k++)
			noise[k] = (uint8_t)rand();
		decode_all(&dec, noise, len);
		assert_int_equal(decode_all(&dec, line, n).good, 1);
	}
}

static void typed_text_is_stray(void **state)
{
	(void)state;
	assert_int_equal(decode_all(&dec, (const uint8_t *)"hello\r", 6).stray, 6);
	assert_int_equal(decode_all(&dec, (const uint8_t *)"\0\r\0x", 4).stray, 2);
}

static void what_is_too_long_ends(void **state)
{
	uint8_t bytes[FRAME_LINE_MAX + 100], line[FRAME_LINE_MAX];
	const size_t n = frame_make(line, FRAME_BYE, 0, "", 0);
	struct result r;

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	bytes[0] = FRAME_DELIMITER;
	bytes[1] = FRAME_MARK;
	r = decode_all(&dec, bytes, sizeof(bytes));
	assert_int_equal(r.bad, 1);
	assert_true(r.stray > 0);
	assert_int_equal(decode_all(&dec, line, n).good, 1);
}

static void cut_frames_are_refused(void **state)
{
	uint8_t line[FRAME_LINE_MAX], cut[FRAME_LINE_MAX];
	const size_t n = frame_make_at(line, FRAME_DATA, 1, 5, "abcdefgh", 8);

	(void)state;
	for (size_t keep = 2; keep < n - 1; keep++) {
		memcpy(cut, line, keep);
		cut[keep] = FRAME_DELIMITER;
		const struct result r = decode_all(&dec, cut, keep + 1);

		assert_int_equal(r.good, 0);
		assert_int_equal(r.bad, 1);
	}
}

static void parts_come_back(void **state)
{
	uint8_t line[FRAME_LINE_MAX];
	struct frame f;
	size_t n;

	(void)state;
	n = frame_make_at(line, FRAME_DATA, 15, 0xDEADBEEF, "xyz", 3);
	assert_int_equal(decode_all(&dec, line, n).good, 1);
	assert_true(frame_parse(&dec, &f));
	assert_int_equal(f.type, FRAME_DATA);
	assert_int_equal(f.channel, 15);
	assert_int_equal(f.len, 7);
	assert_int_equal(frame_get32(f.data), 0xDEADBEEF);
	assert_memory_equal(f.data + 4, "xyz", 3);
	for (unsigned type = 0; type < 16; type++) {
		const uint8_t body = (uint8_t)(type << 4);

		n = frame_encode(line, &body, 1);
		assert_int_equal(decode_all(&dec, line, n).good, 1);
		assert_int_equal(frame_parse(&dec, &f), type >= 1 && type <= 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(example_of_the_manual, fresh),
		cmocka_unit_test_setup(every_length_and_content_comes_back, fresh),
		cmocka_unit_test_setup(every_flipped_bit_is_noticed, fresh),
		cmocka_unit_test_setup(noise_and_text_between_frames_cost_nothing, fresh),
		cmocka_unit_test_setup(typed_text_is_stray, fresh),
		cmocka_unit_test_setup(what_is_too_long_ends, fresh),
		cmocka_unit_test_setup(cut_frames_are_refused, fresh),
		cmocka_unit_test_setup(parts_come_back, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
