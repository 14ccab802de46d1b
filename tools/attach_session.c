/* SPDX-License-Identifier: BSD-2-Clause */
/* attach: the protocol of docs/framing.md, from the host's side. */
#include <stdio.h>
#include <string.h>

#include "attach.h"

#define ASK_MS 1000    /* between two attempts to begin */
#define STATUS_MS 1000 /* between two status frames */
#define SILENCE_MS 5000 /* without any frame: begin anew */
#define TELL_AFTER 5   /* attempts without an answer before that is said */
#define MAX_STRAY 256  /* bytes outside of frames that are not the end of the mode */
#define INPUT_CHUNK 128
#define QUEUE_LIMIT 512 /* in the line's queue: more would only delay what comes later */
#define GRANT_STEP (WINDOW / 8)

void session_init(struct session *s)
{
	s->line.fd = -1;
	frame_decoder_init(&s->decoder);
	for (unsigned i = 0; i < FRAME_CHANNELS; i++)
		channel_init(&s->channels[i]);
}

static bool put_frame(struct session *s, enum frame_type type, unsigned channel, const void *data,
		      size_t len)
{
	uint8_t line[FRAME_LINE_MAX];

	return line_put(&s->line, line, frame_make(line, type, channel, data, len));
}

/* Harmless in framed mode; a hypervisor that was restarted enters it. */
static void put_magic(struct session *s)
{
	uint8_t bytes[1 + FRAME_MAGIC_LEN] = { s->escape };

	memcpy(bytes + 1, FRAME_MAGIC, FRAME_MAGIC_LEN);
	line_put(&s->line, bytes, sizeof(bytes));
}

static void ask(struct session *s, int64_t now_ms)
{
	const uint8_t hello[] = { FRAME_VERSION, 0, s->nonce };

	s->next_ms = now_ms + ASK_MS;
	if (s->asked++ == TELL_AFTER)
		attach_say("no answer yet on %s; is Bulkhead running there, is the escape key right "
		    "(--escape)?", s->line.path);
	put_magic(s);
	put_frame(s, FRAME_HELLO, 0, hello, sizeof(hello));
}

static void begin_anew(struct session *s, int64_t now_ms)
{
	s->state = SESSION_ASKING;
	s->nonce = s->nonce == UINT8_MAX ? 1 : (uint8_t)(s->nonce + 1); /* 0 is nobody's */
	s->answered = false;
	s->next_ms = now_ms;
}

static void send_status(struct session *s, int64_t now_ms)
{
	uint8_t pairs[FRAME_CHANNELS * FRAME_PAIR];

	s->next_ms = now_ms + STATUS_MS;
	for (unsigned i = 0; i < s->n_channels; i++) {
		struct channel *c = &s->channels[i];

		c->granted = channel_limit(c);
		frame_put32(pairs + i * FRAME_PAIR, c->in_position);
		frame_put32(pairs + i * FRAME_PAIR + 4, c->granted);
	}
	put_magic(s);
	put_frame(s, FRAME_STATUS, 0, pairs, (size_t)s->n_channels * FRAME_PAIR);
}

/* ---- what comes ---- */

/* The stream is at this position: what is missing before it was lost. */
static bool advance(struct channel *c, uint32_t position)
{
	const uint32_t gap = position - c->position;
	char mark[80];
	int n;

	if (gap > INT32_MAX)
		return false;
	c->position = position;
	if (gap == 0)
		return true;
	n = snprintf(mark, sizeof(mark), "\r\n[bulkhead: %u bytes lost]\r\n", gap);
	channel_put(c, (const uint8_t *)mark, (size_t)n);
	attach_say("%s: %u bytes lost", c->name, gap);
	return true;
}

static void take_hello(struct session *s, const struct frame *f, int64_t now_ms)
{
	if (f->len < 3 || f->data[0] != FRAME_VERSION) {
		fprintf(stderr, "bulkhead: the hypervisor speaks version %u of the frames, this "
			"program %u\n", f->len ? f->data[0] : 0U, (unsigned)FRAME_VERSION);
		s->state = SESSION_ENDED;
		return;
	}
	if (s->state == SESSION_RUNNING) {
		/* It was restarted; or it heard us twice, both before all that we sent since. */
		if (f->data[2] != s->nonce)
			begin_anew(s, now_ms);
	} else if (f->data[2] == s->nonce) {
		s->answered = true;
		s->n_channels = f->data[1] < FRAME_CHANNELS ? f->data[1] : FRAME_CHANNELS;
		s->next_ms = now_ms + ASK_MS;
	}
}

/* A file name in our folder: what the configuration allows, and nothing else. */
static bool good_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       strlen(name);
}

static void take_name(struct session *s, const struct frame *f)
{
	struct channel *c = &s->channels[f->channel];
	char name[NAME_LIMIT];
	const size_t n = f->len - 8;

	if (!s->answered || s->state == SESSION_RUNNING || f->len <= 8 || n >= sizeof(name))
		return;
	memcpy(name, f->data + 8, n);
	name[n] = '\0';
	c->position = c->granted = frame_get32(f->data);
	c->in_position = c->in_limit = frame_get32(f->data + 4);
	if (strcmp(c->name, name) == 0)
		return;
	/* Another configuration was started: the files follow its names. */
	channel_close(c, s->dir);
	c->position = c->granted = frame_get32(f->data);
	c->in_position = c->in_limit = frame_get32(f->data + 4);
	if (!good_name(name) || !channel_open(c, s->dir, name, s->log))
		s->state = SESSION_ENDED;
}

static void started(struct session *s, int64_t now_ms)
{
	char names[FRAME_CHANNELS * (NAME_LIMIT + 1)] = "";
	size_t len = 0;

	for (unsigned i = 0; i < s->n_channels; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, " %s",
					s->channels[i].name);
	/* Of another configuration, which had more guests. */
	for (unsigned i = s->n_channels; i < FRAME_CHANNELS; i++)
		channel_close(&s->channels[i], s->dir);
	s->turn = 0;
	s->state = SESSION_RUNNING;
	s->asked = 0;
	s->next_ms = now_ms;
	attach_say("attached:%s", names);
}

static bool all_named(const struct session *s)
{
	for (unsigned i = 0; i < s->n_channels; i++)
		if (s->channels[i].name[0] == '\0')
			return false;
	return s->n_channels != 0;
}

static void take_status(struct session *s, const struct frame *f, int64_t now_ms)
{
	if (s->state == SESSION_ASKING && s->answered && all_named(s))
		started(s, now_ms);
	if (s->state != SESSION_RUNNING)
		return;
	for (unsigned i = 0; i < s->n_channels && (i + 1) * FRAME_PAIR <= f->len; i++) {
		advance(&s->channels[i], frame_get32(f->data + (size_t)i * FRAME_PAIR));
		s->channels[i].in_limit = frame_get32(f->data + (size_t)i * FRAME_PAIR + 4);
	}
}

static void take_data(struct session *s, const struct frame *f)
{
	struct channel *c = &s->channels[f->channel];

	if (f->len < 4 || !advance(c, frame_get32(f->data)))
		return;
	channel_put(c, f->data + 4, f->len - 4);
	c->position += (uint32_t)(f->len - 4);
}

static void take_frame(struct session *s, const struct frame *f, int64_t now_ms)
{
	s->heard_ms = now_ms;
	s->stray = 0;
	switch (f->type) {
	case FRAME_HELLO:
		take_hello(s, f, now_ms);
		break;
	case FRAME_NAME:
		take_name(s, f);
		break;
	case FRAME_STATUS:
		take_status(s, f, now_ms);
		break;
	case FRAME_DATA:
		if (s->state == SESSION_RUNNING)
			take_data(s, f);
		break;
	case FRAME_CREDIT:
		if (s->state == SESSION_RUNNING && f->len >= 4)
			s->channels[f->channel].in_limit = frame_get32(f->data);
		break;
	case FRAME_EVENT:
		attach_say("[bulkhead: %.*s]", (int)f->len, (const char *)f->data);
		break;
	case FRAME_BYE:
	default:
		if (s->state == SESSION_RUNNING)
			s->state = SESSION_ENDED;
	}
}

void session_input(struct session *s, int64_t now_ms)
{
	uint8_t data[4096];
	const size_t n = line_read(&s->line, data, sizeof(data));
	struct frame f;

	for (size_t i = 0; i < n && s->state != SESSION_ENDED; i++) {
		const enum frame_event e = frame_decode(&s->decoder, data[i]);

		if (e == FRAME_GOOD && frame_parse(&s->decoder, &f))
			take_frame(s, &f, now_ms);
		else if (e == FRAME_STRAY && ++s->stray == MAX_STRAY && s->state == SESSION_RUNNING)
			begin_anew(s, now_ms);
	}
}

/* ---- what goes ---- */

static bool send_input(struct session *s, unsigned channel)
{
	struct channel *c = &s->channels[channel];
	const uint32_t room = c->in_limit - c->in_position;
	uint8_t data[INPUT_CHUNK], line[FRAME_LINE_MAX];
	size_t n;

	if (room == 0 || room > INT32_MAX)
		return false;
	n = channel_read(c, data, room < sizeof(data) ? room : sizeof(data));
	if (n == 0)
		return false;
	line_put(&s->line, line, frame_make_at(line, FRAME_DATA, channel, c->in_position, data, n));
	c->in_position += (uint32_t)n;
	return true;
}

static void send_grant(struct session *s, unsigned channel)
{
	struct channel *c = &s->channels[channel];
	const uint32_t limit = channel_limit(c);
	uint8_t bytes[4];

	/* A new reader that is behind takes nothing back: its backlog has room of its own. */
	if (limit - c->granted < GRANT_STEP || limit - c->granted > INT32_MAX)
		return;
	frame_put32(bytes, limit);
	if (put_frame(s, FRAME_CREDIT, channel, bytes, sizeof(bytes)))
		c->granted = limit;
}

static void connect_line(struct session *s, int64_t now_ms)
{
	if (now_ms < s->next_ms)
		return;
	s->next_ms = now_ms + ASK_MS;
	if (!line_open(&s->line)) {
		if (s->asked++ == TELL_AFTER)
			attach_say("waiting for %s", s->line.path);
		return;
	}
	frame_decoder_init(&s->decoder);
	s->asked = 0;
	begin_anew(s, now_ms);
}

static void run(struct session *s, int64_t now_ms)
{
	if (now_ms >= s->next_ms)
		send_status(s, now_ms);
	for (unsigned i = 0; i < s->n_channels; i++)
		send_grant(s, i);
	for (unsigned idle = 0; idle < s->n_channels && s->line.out_len < QUEUE_LIMIT;) {
		idle = send_input(s, s->turn) ? 0 : idle + 1;
		s->turn = (s->turn + 1) % s->n_channels;
	}
	if (now_ms - s->heard_ms > SILENCE_MS) {
		attach_say("%s is silent", s->line.path);
		s->heard_ms = now_ms;
		begin_anew(s, now_ms);
	}
}

void session_work(struct session *s, int64_t now_ms)
{
	if (s->line.fd < 0 && s->state != SESSION_DOWN && s->state != SESSION_ENDED) {
		attach_say("%s went away", s->line.path);
		s->state = SESSION_DOWN;
		s->asked = 0;
		s->next_ms = now_ms;
	}
	for (unsigned i = 0; i < FRAME_CHANNELS; i++)
		channel_serve(&s->channels[i]);
	if (s->state == SESSION_DOWN)
		connect_line(s, now_ms);
	if (s->state == SESSION_ASKING && now_ms >= s->next_ms)
		ask(s, now_ms);
	if (s->state == SESSION_RUNNING)
		run(s, now_ms);
	line_flush(&s->line);
}

void session_bye(struct session *s)
{
	put_frame(s, FRAME_BYE, 0, "", 0);
	line_flush(&s->line);
}

void session_close(struct session *s)
{
	for (unsigned i = 0; i < FRAME_CHANNELS; i++)
		channel_close(&s->channels[i], s->dir);
	line_close(&s->line);
}
