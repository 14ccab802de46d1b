/* SPDX-License-Identifier: BSD-2-Clause */
/* Framed mode, from the host: how it begins and ends, and what frames say. */
#include "framed.h"
#include "framed_internal.h"
#include "mux.h"

#define MAX_CREDIT MIB(1) /* a limit further ahead is nonsense */

/* Credit is the host's to give; nothing goes out before. */
static void reset_channel(struct vcon *c)
{
	__atomic_store_n(&c->framed.limit, 0, __ATOMIC_RELAXED);
	c->framed.in_position = 0;
	c->framed.in_granted = 0;
}

static void reset_channels(struct mux *m)
{
	unsigned channel;

	for (channel = 0; channel <= m->n_guests; channel++)
		reset_channel(framed_source(m, channel));
}

/* Every CPU's work for the line is for all guests now, so none of them shall have all of it. */
static void enter(struct mux *m)
{
	struct framed *f = &m->framed;

	*f = (struct framed){ .hello_due = true };
	frame_decoder_init(&f->decoder);
	reset_channels(m);
	m->after_escape = false;
	uart_hold(&m->uart, false);
	/* Relaxed: set_draining() has the fence that pairs with announce(). */
	__atomic_store_n(&f->on, true, __ATOMIC_RELAXED);
	/* A guest that had the focus and waits need not: see vcon_left. */
	vcon_left(m, mux_focused(m));
	if (m->ops->route)
		m->ops->route(-1);
}

/* Frames have every byte in them, also those that stop and start a line. */
static void begin(struct mux *m)
{
	if (m->uart.flow != FLOW_XONXOFF) {
		enter(m);
		return;
	}
	m->framed.matched = 0;
	m->after_escape = false;
	notice(m, "framed mode needs a line without XON/XOFF; set flow = rtscts or none");
}

/*
 * In plain mode: the escape goes its usual way, the magic behind it is ours.
 * A byte that does not fit is the key behind the escape.
 */
static bool await_magic(struct mux *m, uint8_t byte)
{
	struct framed *f = &m->framed;

	if (f->matched && byte == (uint8_t)FRAME_MAGIC[f->matched - 1]) {
		if (f->matched++ == FRAME_MAGIC_LEN)
			begin(m);
		return true;
	}
	/* The escape twice is one escape for the guest, and begins nothing. */
	f->matched = byte == m->escape && f->matched != 1;
	return false;
}

/* Typed by a person at a plain terminal, or noise: the first is answered. */
static void stray(struct mux *m, uint8_t byte)
{
	struct framed *f = &m->framed;

	if (f->after_escape && byte == FRAME_QUIT_KEY)
		f->bye_due = true;
	else if (byte == '\r' || byte == '\n')
		f->help_due = true;
	f->after_escape = byte == m->escape;
}

static void hello(struct mux *m, const struct frame *f)
{
	m->framed.nonce = f->len < 3 ? 0 : f->data[2];
	if (f->len < 1 || f->data[0] != FRAME_VERSION) {
		m->framed.hello_due = true; /* says which version this is */
		return;
	}
	reset_channels(m);
	m->framed.greeted = true;
	m->framed.hello_due = true;
	m->framed.name_due = 0;
	monitor_prompt(m);
}

static void credit(struct mux *m, unsigned channel, const uint8_t *at)
{
	struct vcon *c = framed_source(m, channel);
	uint64_t tail;
	uint32_t ahead;

	if (!c)
		return;
	tail = ring_tail(&c->out);
	/* The host counts in 32 bits; a limit behind the tail was overtaken by lost bytes. */
	ahead = frame_get32(at) - (uint32_t)tail;
	/* Relaxed: set_draining() has the fence that pairs with announce(). */
	if (ahead <= MAX_CREDIT)
		__atomic_store_n(&c->framed.limit, tail + ahead, __ATOMIC_RELAXED);
}

/*
 * The host's stream is at this position: what is missing before it was lost on
 * the line.  False: the position is behind, or nonsense.
 */
static bool advance(struct vcon *c, uint32_t position)
{
	const uint32_t gap = position - c->framed.in_position;

	if (gap > INPUT_RING)
		return false;
	if (gap) /* relaxed: a figure */
		__atomic_fetch_add(&c->in_lost, gap, __ATOMIC_RELAXED);
	c->framed.in_position = position;
	return true;
}

static void status(struct mux *m, const struct frame *f)
{
	unsigned channel;

	for (channel = 0; (channel + 1) * FRAME_PAIR <= f->len; channel++) {
		const uint8_t *pair = f->data + (size_t)channel * FRAME_PAIR;
		struct vcon *c = framed_source(m, channel);

		if (!c)
			break;
		(void)advance(c, frame_get32(pair));
		credit(m, channel, pair + 4);
	}
	m->framed.status_due = true;
}

static void data(struct mux *m, const struct frame *f)
{
	struct vcon *c = framed_source(m, f->channel);
	size_t i;

	if (!c || c->own || f->len < 4)
		return;
	if (!advance(c, frame_get32(f->data))) {
		m->framed.status_due = true;
		return;
	}
	c->framed.in_position += (uint32_t)(f->len - 4);
	for (i = 4; i < f->len; i++)
		if (c->index == MONITOR)
			monitor_input(m, f->data[i]);
		else
			vcon_deliver(m, c, f->data[i]);
}

static void take_frame(struct mux *m)
{
	struct frame f;

	if (!frame_parse(&m->framed.decoder, &f))
		return;
	if (f.type == FRAME_HELLO) {
		hello(m, &f);
	} else if (f.type == FRAME_BYE) {
		m->framed.bye_due = true;
	} else if (!m->framed.greeted) {
		m->framed.hello_due = true; /* a host that thinks it knows us: it must begin anew */
	} else if (f.type == FRAME_DATA) {
		data(m, &f);
	} else if (f.type == FRAME_CREDIT && f.len >= 4) {
		credit(m, f.channel, f.data);
	} else if (f.type == FRAME_STATUS) {
		status(m, &f);
	}
}

bool framed_input(struct mux *m, uint8_t byte)
{
	if (!framed_on(m))
		return await_magic(m, byte);
	switch (frame_decode(&m->framed.decoder, byte)) {
	case FRAME_GOOD:
		take_frame(m);
		break;
	case FRAME_STRAY:
		stray(m, byte);
		break;
	case FRAME_BAD:
	case FRAME_NOTHING:
	default:
		break;
	}
	return true;
}
