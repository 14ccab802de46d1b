/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Framed mode: when a frame is worth the 11 bytes that it adds.
 *
 * A guest's byte waits for the end of its line, for a frame's worth of bytes,
 * or for a short time.  The guest asks for a poll at those moments alone, and
 * when a byte begins to wait, so that the drain sets an alarm; the bytes in
 * between cost it nothing.  Where the line is slower than the guest, frames
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

	/* It grows by one a byte, so no value is left out on the way up. */
	return byte == '\n' || used <= 1 || used == worth_a_frame(c) || credit_is_used(c);
}

/* How long may the byte at the tail still wait? */
static bool is_over(struct mux *m, struct framed_channel *f, uint64_t tail)
{
	const uint64_t now = rdtsc();
	uint64_t due;

	if (f->held != tail + 1) {
		f->held = tail + 1;
		f->since = now;
	}
	due = f->since + HOLD_MS * mux_khz(m);
	if (now >= due)
		return true;
	if (!m->framed.deadline || due < m->framed.deadline)
		m->framed.deadline = due;
	return false;
}

bool framed_due(struct mux *m, struct vcon *c)
{
	const uint64_t tail = ring_tail(&c->out), used = ring_used(&c->out);

	if (!used)
		return false;
	/* The monitor writes all that it has at once.  Without an alarm nothing can be held. */
	if (!is_guest(c) || !m->ops->alarm || used >= worth_a_frame(c) || credit_is_used(c))
		return true;
	/* Relaxed: who ends a line after this look asks for another; see announce(). */
	return __atomic_load_n(&c->line_end, __ATOMIC_RELAXED) > tail ||
	       is_over(m, &c->framed, tail);
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
