/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's end of the framed mode, for tests of the multiplexer: what it knows and what it says. */
#ifndef BULKHEAD_TESTS_FRAMED_FIXTURE_H
#define BULKHEAD_TESTS_FRAMED_FIXTURE_H

#include "console_fixture.h"

#define BUF 4096
#define START "\x05" FRAME_MAGIC
#define START_LEN (1 + FRAME_MAGIC_LEN)

/* What the host knows. */
static struct {
	char out[FRAME_CHANNELS][BUF * 4], name[FRAME_CHANNELS][CFG_NAME + 1];
	size_t len[FRAME_CHANNELS];
	uint32_t told[FRAME_CHANNELS], position[FRAME_CHANNELS], limit[FRAME_CHANNELS], lost[FRAME_CHANNELS];
	unsigned order[BUF], frames;
	char events[BUF], plain[BUF];
	size_t n_plain;
	unsigned hellos, byes, status, nonce;
} host;

static void host_data(const struct frame *f)
{
	const unsigned c = f->channel;
	const uint32_t position = frame_get32(f->data);

	host.lost[c] += position - host.position[c];
	host.position[c] = position + (uint32_t)f->len - 4;
	memcpy(host.out[c] + host.len[c], f->data + 4, f->len - 4);
	host.len[c] += f->len - 4;
	host.order[host.frames++ % BUF] = c;
}

static void host_frame(const struct frame *f)
{
	switch (f->type) {
	case FRAME_HELLO:
		host.hellos++;
		assert_int_equal(f->data[0], FRAME_VERSION);
		host.nonce = f->data[2];
		break;
	case FRAME_NAME:
		host.position[f->channel] = frame_get32(f->data);
		memcpy(host.name[f->channel], f->data + 8, f->len - 8);
		break;
	case FRAME_DATA:
		host_data(f);
		break;
	case FRAME_CREDIT:
		host.limit[f->channel] = frame_get32(f->data);
		break;
	case FRAME_STATUS:
		host.status++;
		for (unsigned c = 0; (c + 1) * FRAME_PAIR <= f->len; c++) {
			host.told[c] = frame_get32(f->data + (size_t)c * FRAME_PAIR);
			host.limit[c] = frame_get32(f->data + (size_t)c * FRAME_PAIR + 4);
		}
		break;
	case FRAME_EVENT:
		memcpy(host.events + strlen(host.events), f->data, f->len);
		strcat(host.events, "|");
		break;
	case FRAME_BYE:
	default:
		host.byes++;
	}
}

/* Takes what came over the line so far. */
static void listen_host(void)
{
	static struct frame_decoder d;
	struct frame f;

	run();
	for (size_t i = 0; i < tty.out_len; i++) {
		const enum frame_event e = frame_decode(&d, tty.out[i]);

		assert_int_not_equal(e, FRAME_BAD);
		if (e == FRAME_STRAY)
			host.plain[host.n_plain++] = (char)tty.out[i];
		if (e == FRAME_GOOD && frame_parse(&d, &f))
			host_frame(&f);
	}
	host.plain[host.n_plain] = '\0';
	forget();
}

static void send_bytes(const void *bytes, size_t n)
{
	type_bytes(bytes, n);
	listen_host();
}

static void send_frame(enum frame_type type, unsigned channel, const void *data, size_t len)
{
	uint8_t line[FRAME_LINE_MAX];

	send_bytes(line, frame_make(line, type, channel, data, len));
}

static inline void grant(unsigned channel, uint32_t limit)
{
	uint8_t bytes[4];

	frame_put32(bytes, limit);
	send_frame(FRAME_CREDIT, channel, bytes, 4);
}

static inline void send_data(unsigned channel, uint32_t position, const char *text)
{
	uint8_t line[FRAME_LINE_MAX];

	send_bytes(line, frame_make_at(line, FRAME_DATA, channel, position, text, strlen(text)));
}

static void say_hello(void)
{
	send_frame(FRAME_HELLO, 0, "\1\0\7", 3);
}

#endif
