/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames of the console's framed mode, version 1: one coder and decoder
 * for the hypervisor and the host program.  Pure code; docs/framing.md has
 * the format with its reasons.
 *
 * On the line: 00 C1 COBS(body, CRC-16) 00.  The body begins with a byte of
 * type and channel; numbers are little-endian.
 */
#ifndef BULKHEAD_FRAME_H
#define BULKHEAD_FRAME_H

#include "types.h"

#define FRAME_VERSION 1
#define FRAME_DELIMITER 0x00
#define FRAME_MARK 0xC1 /* of version 1; no byte of UTF-8 text, so not typed either */

#define FRAME_CRC_SIZE 2
#define FRAME_CODED_MAX 254 /* body and CRC: one COBS block, so coding adds one byte */
#define FRAME_BODY_MAX (FRAME_CODED_MAX - FRAME_CRC_SIZE)
#define FRAME_LINE_MAX (FRAME_CODED_MAX + 4) /* delimiters, mark and the COBS code */
#define FRAME_HEAD 1
#define FRAME_DATA_MAX (FRAME_BODY_MAX - FRAME_HEAD - 4)
#define FRAME_TEXT_MAX (FRAME_BODY_MAX - FRAME_HEAD)

/* Behind the escape key these bytes begin framed mode; then the host's HELLO follows. */
#define FRAME_MAGIC "\0BHF1"
#define FRAME_MAGIC_LEN 5
/* Behind the escape key, outside of frames: back to the plain line. */
#define FRAME_QUIT_KEY 'q'

#define FRAME_PAIR 8 /* bytes of one channel in a STATUS */
#define FRAME_CHANNELS 16 /* the monitor is 0, guests have their numbers */

enum frame_type {
	FRAME_HELLO = 1,  /* version, number of channels (not from the host), the host's nonce */
	FRAME_NAME = 2,	  /* of a channel: next output and input positions, name */
	FRAME_DATA = 3,	  /* position of the first byte, bytes */
	FRAME_CREDIT = 4, /* the receiver takes bytes up to this position */
	FRAME_STATUS = 5, /* of all channels in order: the sender's position, its limit for the
			   * other side; the host's asks for ours */
	FRAME_EVENT = 6,  /* a line of the hypervisor's own, without brackets */
	FRAME_BYE = 7,	  /* framed mode ends */
};

struct frame {
	enum frame_type type;
	unsigned channel;
	const uint8_t *data; /* behind the head */
	size_t len;
};

/*
 * Codes a body of `len` bytes (at most FRAME_BODY_MAX) for the line.  `out`
 * has FRAME_LINE_MAX bytes.  Returns how many are used.
 */
size_t frame_encode(uint8_t *out, const uint8_t *body, size_t len);
/* The same from the parts; `len` is at most FRAME_TEXT_MAX. */
size_t frame_make(uint8_t *out, enum frame_type type, unsigned channel, const void *data,
		  size_t len);
/* A frame whose payload begins with a position; `len` is at most FRAME_DATA_MAX. */
size_t frame_make_at(uint8_t *out, enum frame_type type, unsigned channel, uint32_t position,
		     const void *data, size_t len);

/* Numbers in a payload. */
void frame_put32(uint8_t *at, uint32_t value);
uint32_t frame_get32(const uint8_t *at);

enum frame_event {
	FRAME_NOTHING, /* the byte is taken */
	FRAME_GOOD,    /* it completed a frame: see frame_parse */
	FRAME_BAD,     /* it ended something that is no frame; counted */
	FRAME_STRAY,   /* it is outside of all frames: typed text or noise */
};

enum frame_state { FRAME_OUTSIDE, FRAME_AT_START, FRAME_INSIDE };

struct frame_decoder {
	uint8_t coded[FRAME_CODED_MAX + 1];
	size_t len;
	enum frame_state state;
	uint64_t good, bad, stray; /* frames, frames, bytes */
};

void frame_decoder_init(struct frame_decoder *d);
enum frame_event frame_decode(struct frame_decoder *d, uint8_t byte);
/*
 * After FRAME_GOOD and until the next byte: what the frame says.  False: a
 * type that this version does not have; such frames are to be skipped.
 */
bool frame_parse(const struct frame_decoder *d, struct frame *out);

#endif
