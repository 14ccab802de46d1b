/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame decoder on any bytes: it takes nothing that the coder would not
 * have made, and a whole frame behind any noise is always taken.
 */
#include <stdlib.h>
#include <string.h>

#include "frame.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Coding the accepted body again gives the accepted bytes. */
static void check_good(const struct frame_decoder *d, const uint8_t *end)
{
	const size_t body = d->len - 1 - FRAME_CRC_SIZE;
	uint8_t line[FRAME_LINE_MAX];
	struct frame f;
	size_t n;

	CHECK(body >= FRAME_HEAD && body <= FRAME_BODY_MAX);
	n = frame_encode(line, d->coded + 1, body);
	CHECK(memcmp(line, end - n, n) == 0);
	if (frame_parse(d, &f))
		CHECK(f.channel < FRAME_CHANNELS && f.len == body - FRAME_HEAD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_decoder d;
	uint8_t line[FRAME_LINE_MAX];
	uint64_t good = 0;
	size_t n;

	frame_decoder_init(&d);
	for (size_t i = 0; i < size; i++)
		if (frame_decode(&d, data[i]) == FRAME_GOOD) {
			check_good(&d, data + i + 1);
			good++;
		}
	CHECK(d.good == good && d.good + d.bad + d.stray <= size);
	n = frame_encode(line, data, size < 1 ? 0 : size > FRAME_BODY_MAX ? FRAME_BODY_MAX : size);
	if (size) {
		for (size_t i = 0; i < n; i++)
			(void)frame_decode(&d, line[i]);
		CHECK(d.good >= good + 1);
	}
	return 0;
}
