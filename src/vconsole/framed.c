/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Framed mode, towards the host: what goes out next.
 *
 * The channels take turns, one frame each, so a guest that writes without end
 * delays another's bytes by at most one frame for each channel.  A channel
 * without credit is passed over: whoever does not read holds up only itself.
 */
#include "fmt.h"
#include "framed.h"
#include "framed_internal.h"
#include "kstring.h"
#include "mux.h"

#define HELP_SIZE 128
#define CONTROL_TO_LETTER 0x40
#define END_TEXT "\r\n[bulkhead: framed mode ends]\r\n"

#define GRANT_STEP KIB(8) /* input is granted anew in steps of this */
#define MONITOR_WINDOW MON_AHEAD /* what the monitor keeps while a command runs */

_Static_assert(CFG_MAX_VMS < FRAME_CHANNELS, "every guest and the monitor have a channel");
_Static_assert(OUT_SIZE >= 2 * FRAME_LINE_MAX + 256, "the last item has a frame and text");

bool framed_on(const struct mux *m)
{
	/* Relaxed: ordered by the fences named at its users. */
	return __atomic_load_n(&m->framed.on, __ATOMIC_RELAXED);
}

bool framed_shows(const struct mux *m, const struct vcon *c)
{
	/* Relaxed: the fences of announce() and set_draining(), vcon_room() and vcon_left(). */
	return framed_on(m) && !c->own && __atomic_load_n(&c->framed.limit, __ATOMIC_RELAXED) >
				       ring_tail(&c->out);
}

bool framed_must_grant(const struct mux *m, const struct vcon *c)
{
	return framed_on(m) && ring_tail(&c->in) % GRANT_STEP == 0;
}

static unsigned channel_of(const struct vcon *c)
{
	return c->index == MONITOR ? 0 : c->index + 1;
}

struct vcon *framed_source(struct mux *m, unsigned channel)
{
	if (channel == 0)
		return m->src[MONITOR];
	return channel <= m->n_guests ? m->src[channel - 1] : NULL;
}

/* Input up to this position finds room. */
static uint32_t input_limit(const struct mux *m, const struct vcon *c)
{
	uint64_t room = c->index == MONITOR ? MONITOR_WINDOW - m->mon.n_ahead : ring_free(&c->in);

	if (c->own)
		room = 0; /* its input comes on its own port */

	return c->framed.in_position + (uint32_t)room;
}

static void emit(struct mux *m, const uint8_t *line, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out_byte(&m->out, line[i]);
}

static void emit_frame(struct mux *m, enum frame_type type, unsigned channel, const void *data,
		       size_t len)
{
	uint8_t line[FRAME_LINE_MAX];

	emit(m, line, frame_make(line, type, channel, data, len));
}

static void emit_hello(struct mux *m)
{
	const uint8_t hello[] = { FRAME_VERSION, (uint8_t)(m->n_guests + 1), m->framed.nonce };

	m->framed.hello_due = false;
	emit_frame(m, FRAME_HELLO, 0, hello, sizeof(hello));
}

static void emit_name(struct mux *m)
{
	struct vcon *c = framed_source(m, m->framed.name_due);
	uint8_t text[8 + CFG_NAME];
	size_t len = strlen(c->name);

	len = min_u64(len, CFG_NAME);
	frame_put32(text, (uint32_t)ring_tail(&c->out));
	frame_put32(text + 4, c->framed.in_position);
	memcpy(text + 8, c->name, len);
	emit_frame(m, FRAME_NAME, m->framed.name_due++, text, 8 + len);
	if (m->framed.name_due > m->n_guests)
		m->framed.status_due = true;
}

static void emit_status(struct mux *m)
{
	uint8_t pairs[FRAME_CHANNELS * FRAME_PAIR];
	unsigned channel;

	m->framed.status_due = false;
	for (channel = 0; channel <= m->n_guests; channel++) {
		struct vcon *c = framed_source(m, channel);

		c->framed.in_granted = input_limit(m, c);
		frame_put32(pairs + (size_t)channel * FRAME_PAIR, (uint32_t)ring_tail(&c->out));
		frame_put32(pairs + (size_t)channel * FRAME_PAIR + 4, c->framed.in_granted);
	}
	emit_frame(m, FRAME_STATUS, 0, pairs, (size_t)channel * FRAME_PAIR);
}

/* The mode's last item; the plain line then says who has the focus. */
static void emit_bye(struct mux *m)
{
	unsigned i;

	emit_frame(m, FRAME_BYE, 0, "", 0);
	out_text(&m->out, END_TEXT);
	__atomic_store_n(&m->framed.on, false, __ATOMIC_RELAXED);
	m->framed.bye_due = false;
	for (i = 0; i < m->n_guests; i++) {
		m->src[i]->line_len = 0;
		vcon_left(m, m->src[i]);
	}
	mux_focus(m, m->want);
	m->leave_budget = 0;
}

static void emit_help(struct mux *m)
{
	char text[HELP_SIZE];

	m->framed.help_due = false;
	fmt_buf(text, sizeof(text),
		"\r\n[bulkhead: this line is in framed mode, for 'bulkhead attach'; "
		"Ctrl-%c q makes it plain]\r\n", m->escape + CONTROL_TO_LETTER);
	out_text(&m->out, text);
}

/* What the mode itself has to say; false: nothing. */
static bool emit_control(struct mux *m)
{
	struct framed *f = &m->framed;

	if (f->bye_due) {
		emit_bye(m);
	} else if (f->hello_due) {
		emit_hello(m);
	} else if (f->help_due) {
		emit_help(m);
	} else if (f->greeted && f->name_due <= m->n_guests) {
		emit_name(m);
	} else if (f->greeted && f->status_due) {
		emit_status(m);
	}
	return m->out.len != 0;
}

static bool emit_event(struct mux *m)
{
	char text[FRAME_TEXT_MAX + 1];
	size_t len;

	if (!message_take(m, text, sizeof(text)))
		return false;
	len = strlen(text);
	emit_frame(m, FRAME_EVENT, 0, text, len);
	return true;
}

/* Input that the guest has read makes room for more: the host is told in large steps. */
static bool emit_grant(struct mux *m, struct vcon *c)
{
	const uint32_t limit = input_limit(m, c);
	const uint32_t step = c->index == MONITOR ? MONITOR_WINDOW / 2 : GRANT_STEP;
	uint8_t bytes[4];

	if (limit - c->framed.in_granted < step || limit - c->framed.in_granted > INPUT_RING)
		return false;
	c->framed.in_granted = limit;
	frame_put32(bytes, limit);
	emit_frame(m, FRAME_CREDIT, channel_of(c), bytes, sizeof(bytes));
	return true;
}

/* What the guest sets meanwhile holds when the line is plain again. */
static void track(struct vcon *c, const uint8_t *data, size_t n, uint64_t pos, uint64_t missed)
{
	size_t i;

	if (missed)
		term_break_off(&c->term);
	for (i = 0; i < n; i++)
		mux_track(c, data[i], pos + i);
}

static bool emit_data(struct mux *m, struct vcon *c)
{
	uint8_t data[FRAME_DATA_MAX], line[FRAME_LINE_MAX];
	const uint64_t limit = __atomic_load_n(&c->framed.limit, __ATOMIC_RELAXED); /* our own */
	uint64_t missed = 0, tail;
	size_t n;

	if (c->own || limit <= ring_tail(&c->out) || !framed_due(m, c))
		return false;
	/*
	 * What is missing shows as a jump of the position.  If that used up
	 * the credit, an empty frame tells of it, so that there is new credit.
	 */
	n = ring_peek(&c->out, data, sizeof(data), &missed);
	tail = ring_tail(&c->out);
	n = tail < limit ? (size_t)min_u64(n, limit - tail) : 0;
	if (n || missed) {
		emit(m, line, frame_make_at(line, FRAME_DATA, channel_of(c), (uint32_t)tail, data,
					    n));
		track(c, data, n, tail, missed);
		ring_consume(&c->out, n);
	}
	/* Without credit the guest waits no longer, if that is its policy. */
	if (tail + n >= limit)
		vcon_left(m, c);
	return m->out.len != 0;
}

static bool emit_channel(struct mux *m)
{
	unsigned i, channels = m->n_guests + 1;

	for (i = 0; i < channels; i++) {
		struct vcon *c = framed_source(m, m->framed.turn);

		m->framed.turn = (m->framed.turn + 1) % channels;
		if (emit_grant(m, c) || emit_data(m, c))
			return true;
	}
	return false;
}

/* Changes of the focus happen without a word: it counts again when the mode ends. */
static void follow_focus(struct mux *m)
{
	if (!m->switching)
		return;
	m->switching = false;
	__atomic_store_n(&m->focus, m->want, __ATOMIC_RELAXED);
}

void framed_compose(struct mux *m)
{
	m->framed.deadline = 0;
	follow_focus(m);
	/* Messages need no credit and no host: records that stay would be work for ever. */
	if (emit_control(m) || emit_event(m) || !m->framed.greeted)
		return;
	monitor_pump(m);
	(void)emit_channel(m);
}
