/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Framed mode: when a frame is worth the 11 bytes that it adds.
 *
 * A guest's byte waits for the end of its line, for a frame's worth of bytes,
 * or for a short time; right behind another frame not for the line, so that
 * many short lines share one.  The guest asks for a poll at those moments
 * alone, and when a byte begins to wait, so that the drain sets an alarm; the
 * bytes in between cost it nothing.  Where the line is slower than the guest, frames
 * are full by the time that the line has room for them.
 */
#include "mux.h"
#include "framed_internal.h"
#include "x86.h"

#define HOLD_MS 2 /* less than anyone feels, and room for many bytes */

/* A frame's worth, or half of a small ring: a guest that waits for room must never wait for this. */
static uint64_t worth_a_frame(const struct vcon *c)
{
	return min_u64(FRAME_DATA_MAX, c->out.size / 2);
}

/* Has the guest used up what the host takes?  Relaxed: as in framed_shows(). */
static bool credit_is_used(const struct vcon *c)
{
	return ring_head(&c->out) >= __atomic_load_n(&c->framed.limit, __ATOMIC_RELAXED);
}

bool framed_matters(const struct vcon *c, uint8_t byte)
{
	const uint64_t used = ring_used(&c->out);

	/* Relaxed: after an old value the line goes when its time is over. */
	if (byte == '\n' && !__atomic_load_n(&c->framed.in_flow, __ATOMIC_RELAXED))
		return true;
	/* It grows by one a byte, so no value is left out on the way up. */
	return used <= 1 || used == worth_a_frame(c) || credit_is_used(c);
}

/* The byte at the tail begins to wait, unless it did before. */
static void begin_to_wait(struct framed_channel *f, uint64_t tail, uint64_t now, uint64_t hold)
{
	if (f->held == tail + 1)
		return;
	f->held = tail + 1;
	f->since = now;
	/* Relaxed: see framed_matters(). */
	__atomic_store_n(&f->in_flow, now - f->sent < hold, __ATOMIC_RELAXED);
}

/* A line that follows no other one closely goes when it ends. */
static bool ends_alone(const struct vcon *c, uint64_t tail)
{
	/* Relaxed: who ends a line after this look asks for another; see announce(). */
	return !c->framed.in_flow && __atomic_load_n(&c->line_end, __ATOMIC_RELAXED) > tail;
}

static bool must_go(struct mux *m, struct vcon *c, uint64_t now)
{
	const uint64_t tail = ring_tail(&c->out), hold = HOLD_MS * mux_khz(m);
	uint64_t due;

	/* The monitor writes all that it has at once.  Without an alarm nothing can be held. */
	if (!is_guest(c) || !m->ops->alarm || ring_used(&c->out) >= worth_a_frame(c) ||
	    credit_is_used(c))
		return true;
	begin_to_wait(&c->framed, tail, now, hold);
	due = c->framed.since + hold;
	if (ends_alone(c, tail) || now >= due)
		return true;
	if (!m->framed.deadline || due < m->framed.deadline)
		m->framed.deadline = due;
	return false;
}

bool framed_due(struct mux *m, struct vcon *c)
{
	uint64_t now;

	if (!ring_used(&c->out))
		return false;
	now = rdtsc();
	if (!must_go(m, c, now))
		return false;
	c->framed.sent = now;
	return true;
}

bool framed_holds(struct mux *m)
{
	struct framed *f = &m->framed;

	if (!f->deadline)
		return false;
	/*
	 * An alarm that comes too early, for bytes that went with their line,
	 * leads here again: cheaper than to move it for each line.
	 */
	if (f->deadline < f->alarm || rdtsc() >= f->alarm) {
		f->alarm = f->deadline;
		m->ops->alarm(f->deadline);
	}
	return true;
}
