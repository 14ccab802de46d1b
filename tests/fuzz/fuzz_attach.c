/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of `bulkhead attach` under any frames and any bytes from the
 * line, with readers that type meanwhile.  What it sends is always whole
 * frames or the magic, never more input than the other side allowed; a name
 * becomes a file of our folder or none; and it can be ended.  Its consoles
 * and its line are memory here.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "../../tools/attach_session.c"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

#define LINE_FD 3 /* any but -1: it is there */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the line brings, and what was sent on it. */
static struct {
	const uint8_t *in;
	size_t in_len;
	struct frame_decoder decoder;
	bool present;
	unsigned frames;
} wire;
static struct session *session;
static unsigned typed; /* bytes that readers of each console have */

/* ---- the line ---- */

bool line_open(struct line *l)
{
	if (wire.present)
		l->fd = LINE_FD;
	return wire.present;
}

void line_close(struct line *l)
{
	l->fd = -1;
	l->out_len = 0;
}

/* No input beyond the limit that the other side gave. */
static void check_data(const struct frame *f)
{
	const struct channel *c = &session->channels[f->channel];

	CHECK(f->channel < session->n_channels && f->len > 4);
	CHECK(frame_get32(f->data) == c->in_position);
	CHECK(f->len - 4 <= c->in_limit - c->in_position);
}

bool line_put(struct line *l, const void *data, size_t n)
{
	const uint8_t *bytes = data;
	struct frame f;

	if (l->fd < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		const enum frame_event e = frame_decode(&wire.decoder, bytes[i]);

		CHECK(e != FRAME_BAD);
		if (e == FRAME_GOOD) {
			wire.frames++;
			CHECK(frame_parse(&wire.decoder, &f));
			if (f.type == FRAME_DATA)
				check_data(&f);
		}
	}
	return true;
}

void line_flush(struct line *l)
{
	(void)l;
}

size_t line_read(struct line *l, uint8_t *data, size_t max)
{
	const size_t n = wire.in_len < max ? wire.in_len : max;

	if (l->fd < 0 || !n)
		return 0;
	memcpy(data, wire.in, n);
	wire.in += n;
	wire.in_len -= n;
	return n;
}

/* ---- the consoles ---- */

void channel_init(struct channel *c)
{
	c->name[0] = '\0';
	c->head = 0;
	c->position = c->granted = c->in_position = c->in_limit = 0;
}

bool channel_open(struct channel *c, const char *dir, const char *name, bool log)
{
	(void)dir;
	(void)log;
	CHECK(name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < NAME_LIMIT);
	strcpy(c->name, name);
	return true;
}

void channel_close(struct channel *c, const char *dir)
{
	(void)dir;
	channel_init(c);
}

void channel_put(struct channel *c, const uint8_t *data, size_t n)
{
	volatile uint8_t last = 0;

	for (size_t i = 0; i < n; i++)
		last = data[i]; /* all of it can be read */
	(void)last;
	c->head += n;
}

uint32_t channel_limit(const struct channel *c)
{
	return c->position + WINDOW;
}

size_t channel_read(struct channel *c, uint8_t *data, size_t max)
{
	const size_t n = typed < max ? typed : max;

	(void)c;
	memset(data, 'x', n);
	typed -= (unsigned)n;
	return n;
}

size_t channel_poll(struct channel *c, struct pollfd *fds, bool input)
{
	(void)c;
	(void)fds;
	(void)input;
	return 0;
}

void channel_serve(struct channel *c)
{
	(void)c;
}

void attach_say(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
}

/* ---- the run ---- */

static int64_t now;

static void receive(const uint8_t *bytes, size_t n)
{
	wire.in = bytes;
	wire.in_len = n;
	session_input(session, now);
	wire.in_len = 0;
	session_work(session, now);
}

/* An answer that fits, so that any input gets beyond the beginning. */
static void answer(unsigned channels)
{
	uint8_t line[FRAME_LINE_MAX], name[9] = { 0 }, pairs[FRAME_CHANNELS * FRAME_PAIR] = { 0 };
	const uint8_t hello[] = { FRAME_VERSION, (uint8_t)channels, session->nonce };

	receive(line, frame_make(line, FRAME_HELLO, 0, hello, sizeof(hello)));
	for (unsigned i = 0; i < channels; i++) {
		name[8] = (uint8_t)('a' + i);
		frame_put32(pairs + (size_t)i * FRAME_PAIR + 4, 256);
		receive(line, frame_make(line, FRAME_NAME, i, name, sizeof(name)));
	}
	receive(line, frame_make(line, FRAME_STATUS, 0, pairs, (size_t)channels * FRAME_PAIR));
}

/* One step; returns how many bytes of `data` it used. */
static size_t step(const uint8_t *data, size_t size)
{
	const unsigned what = data[0] & 3, n = data[0] >> 2 & 63;
	const size_t len = size - 1 < n ? size - 1 : n;
	uint8_t line[FRAME_LINE_MAX];

	now += n;
	switch (what) {
	case 0:
		if (len)
			receive(line, frame_encode(line, data + 1, len));
		return 1 + len;
	case 1:
		receive(data + 1, len);
		return 1 + len;
	case 2:
		typed += n;
		now += n * 100;
		session_work(session, now);
		return 1;
	default:
		if (n < FRAME_CHANNELS)
			answer(n);
		wire.present = n != 63;
		if (!wire.present)
			line_close(&session->line);
		session_work(session, now);
		return 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session s;

	session = &s;
	s.state = SESSION_DOWN;
	s.n_channels = s.turn = 0;
	s.answered = false;
	s.nonce = 0;
	s.next_ms = s.heard_ms = now = 1000;
	s.escape = 5;
	s.line.path = "line";
	session_init(&s);
	memset(&wire, 0, sizeof(wire));
	frame_decoder_init(&wire.decoder);
	wire.present = true;
	typed = 0;
	session_work(&s, now);
	while (size && s.state != SESSION_ENDED) {
		const size_t used = step(data, size);

		data += used;
		size -= used;
		CHECK(s.n_channels <= FRAME_CHANNELS);
		for (unsigned i = 0; s.state == SESSION_RUNNING && i < s.n_channels; i++)
			CHECK(s.channels[i].name[0]);
	}
	/* After all that it still begins with a hypervisor that answers, and asks it to end. */
	if (s.state != SESSION_ENDED) {
		wire.present = true;
		frame_decoder_init(&s.decoder);
		for (unsigned i = 0; i < 8 && s.state != SESSION_RUNNING; i++) {
			now += 1000;
			session_work(&s, now);
			answer(2);
		}
		CHECK(s.state == SESSION_RUNNING);
		wire.frames = 0;
		session_bye(&s);
		CHECK(wire.frames == 1);
	}
	session_close(&s);
	return 0;
}
