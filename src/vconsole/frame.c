/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames on the console line (see frame.h).
 *
 * COBS (Cheshire and Baker, 1999) removes the delimiter from the coded bytes:
 * each zero is replaced by the distance to the next one, and a first byte has
 * the distance to the first.  Up to 254 bytes need exactly one byte more, so
 * longer bodies are not made.
 */
#include "frame.h"
#include "kstring.h"

#define CRC_INIT 0xFFFF /* CRC-16 of X.25 and RFC 1662, C.2: reflected, inverted at the end */
#define CRC_POLYNOMIAL 0x8408

#define TYPE_SHIFT 4
#define CHANNEL_MASK 0xFU

_Static_assert(FRAME_CHANNELS == CHANNEL_MASK + 1, "a channel fits in the head");

static uint16_t crc16(const uint8_t *data, size_t len)
{
	unsigned crc = CRC_INIT, bit;
	size_t i;

	for (i = 0; i < len; i++) {
		crc ^= data[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ CRC_POLYNOMIAL : crc >> 1;
	}
	return (uint16_t)(crc ^ CRC_INIT);
}

static uint16_t stored_crc(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

/* Replaces the zeros of block[1..n] by the distances between them; block[0] gets the first. */
static void stuff(uint8_t *block, size_t n)
{
	size_t code = 0, i;

	for (i = 1; i <= n; i++)
		if (block[i] == FRAME_DELIMITER) {
			block[code] = (uint8_t)(i - code);
			code = i;
		}
	block[code] = (uint8_t)(n + 1 - code);
}

/* The inverse.  False when a distance leads beyond the end: not made by stuff(). */
static bool unstuff(uint8_t *block, size_t n)
{
	size_t at = 0, next;

	for (;;) {
		next = at + block[at];
		if (next > n + 1)
			return false;
		if (at)
			block[at] = FRAME_DELIMITER;
		if (next == n + 1)
			return true;
		at = next;
	}
}

size_t frame_encode(uint8_t *out, const uint8_t *body, size_t len)
{
	const uint16_t crc = crc16(body, len);
	uint8_t *block = out + 2;

	out[0] = FRAME_DELIMITER;
	out[1] = FRAME_MARK;
	memcpy(block + 1, body, len);
	block[1 + len] = (uint8_t)crc;
	block[2 + len] = (uint8_t)(crc >> 8);
	stuff(block, len + FRAME_CRC_SIZE);
	block[1 + len + FRAME_CRC_SIZE] = FRAME_DELIMITER;
	return len + FRAME_CRC_SIZE + 4;
}

size_t frame_make(uint8_t *out, enum frame_type type, unsigned channel, const void *data,
		  size_t len)
{
	uint8_t body[FRAME_BODY_MAX];

	body[0] = (uint8_t)(type << TYPE_SHIFT | (channel & CHANNEL_MASK));
	memcpy(body + FRAME_HEAD, data, len);
	return frame_encode(out, body, FRAME_HEAD + len);
}

size_t frame_make_at(uint8_t *out, enum frame_type type, unsigned channel, uint32_t position,
		     const void *data, size_t len)
{
	uint8_t payload[FRAME_TEXT_MAX];

	frame_put32(payload, position);
	memcpy(payload + 4, data, len);
	return frame_make(out, type, channel, payload, 4 + len);
}

void frame_put32(uint8_t *at, uint32_t value)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

uint32_t frame_get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void frame_decoder_init(struct frame_decoder *d)
{
	memset(d, 0, sizeof(*d));
	d->state = FRAME_OUTSIDE;
}

/* A delimiter behind a mark: is it a frame? */
static enum frame_event finish(struct frame_decoder *d)
{
	const size_t n = d->len ? d->len - 1 : 0; /* without the COBS code */

	if (n >= FRAME_HEAD + FRAME_CRC_SIZE && unstuff(d->coded, n) &&
	    crc16(d->coded + 1, n - FRAME_CRC_SIZE) == stored_crc(d->coded + 1 + n - 2)) {
		d->good++;
		return FRAME_GOOD;
	}
	d->bad++;
	return FRAME_BAD;
}

static enum frame_event delimiter(struct frame_decoder *d)
{
	const enum frame_state was = d->state;

	d->state = FRAME_AT_START;
	if (was == FRAME_INSIDE)
		return finish(d);
	return FRAME_NOTHING;
}

static enum frame_event stray(struct frame_decoder *d)
{
	d->state = FRAME_OUTSIDE;
	d->stray++;
	return FRAME_STRAY;
}

enum frame_event frame_decode(struct frame_decoder *d, uint8_t byte)
{
	if (byte == FRAME_DELIMITER)
		return delimiter(d);
	switch (d->state) {
	case FRAME_AT_START:
		if (byte != FRAME_MARK)
			return stray(d);
		d->state = FRAME_INSIDE;
		d->len = 0;
		return FRAME_NOTHING;
	case FRAME_INSIDE:
		if (d->len < sizeof(d->coded)) {
			d->coded[d->len++] = byte;
			return FRAME_NOTHING;
		}
		/* Longer than any frame: what follows is not part of one. */
		d->state = FRAME_OUTSIDE;
		d->bad++;
		return FRAME_BAD;
	case FRAME_OUTSIDE:
	default:
		return stray(d);
	}
}

bool frame_parse(const struct frame_decoder *d, struct frame *out)
{
	const uint8_t *body = d->coded + 1;
	const unsigned type = body[0] >> TYPE_SHIFT;

	if (type < FRAME_HELLO || type > FRAME_BYE)
		return false;
	out->type = (enum frame_type)type;
	out->channel = body[0] & CHANNEL_MASK;
	out->data = body + FRAME_HEAD;
	out->len = d->len - 1 - FRAME_CRC_SIZE - FRAME_HEAD;
	return true;
}
