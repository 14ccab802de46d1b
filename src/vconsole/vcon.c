/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One guest's console: what its 16550 sees, and the drain's end of the same
 * rings.
 *
 * A guest that finds no room (or no input) leaves a flag and looks again; the
 * owner makes room (or puts input) and then looks at the flag.  With a full
 * fence between the two steps on both sides, at least one of them sees the
 * other: no wake-up is lost.
 */
#include "kstring.h"
#include "mux.h"
#include "x86.h"

/* How much room a waiting guest is woken for: worth an interrupt, and early enough. */
#define WAKE_ROOM KIB(4)
#define LOOK_EVERY 256 /* a divisor of the smallest ring, so that a full one was looked at */

void vcon_init(struct vcon *c, const char *name, unsigned index, enum overflow_policy overflow,
	       void *out, uint32_t out_size, void *in, uint32_t in_size)
{
	memset(c, 0, sizeof(*c));
	c->name = name;
	c->index = index;
	c->with_focus = overflow == OVERFLOW_AUTO ? OVERFLOW_BLOCK : overflow;
	c->without_focus = overflow == OVERFLOW_AUTO ? OVERFLOW_DROP_OLDEST : overflow;
	c->hungry = true;
	ring_init(&c->out, out, out_size);
	if (in)
		ring_init(&c->in, in, in_size);
}

uint64_t vcon_n_marks(uint32_t out_size)
{
	return max_u64(out_size / MARK_EVERY, 1);
}

size_t vcon_memory(uint32_t out_size)
{
	return sizeof(struct vcon) + vcon_n_marks(out_size) * sizeof(struct mark) + INPUT_RING +
	       out_size;
}

void vcon_set_focus_policy(struct vcon *c, enum overflow_policy policy)
{
	if (policy != OVERFLOW_AUTO)
		c->with_focus = policy;
}

bool vcon_has_focus(const struct vcon *c)
{
	/* Ordered by the fences in vcon_room and vcon_left; alone, any value will do. */
	return __atomic_load_n(&console_mux()->focus, __ATOMIC_RELAXED) == c->index;
}

/* On a line for several consoles one has the focus while the host reads it. */
static enum overflow_policy policy(const struct vcon *c)
{
	const struct mux *m = console_mux();
	const bool seen = c->own ? true : framed_on(m) ? framed_shows(m, c) : vcon_has_focus(c);

	return seen ? c->with_focus : c->without_focus;
}

static bool blocks(const struct vcon *c)
{
	const struct uart *uart = c->own ? &c->own->uart : &console_mux()->uart;

	/* Without a port nobody would ever make room. */
	return __atomic_load_n(&uart->present, __ATOMIC_RELAXED) && policy(c) == OVERFLOW_BLOCK;
}

bool vcon_paced(const struct vcon *c)
{
	return policy(c) == OVERFLOW_PACE;
}

static bool has_room(const struct vcon *c)
{
	return !blocks(c) || ring_free(&c->out);
}

bool vcon_room(struct vcon *c)
{
	if (has_room(c))
		return true;
	__atomic_store_n(&c->waiting, true, __ATOMIC_RELAXED);
	/* Flag, then room; pairs with the fences in vcon_collect_wakes and vcon_left. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!has_room(c))
		return false;
	__atomic_store_n(&c->waiting, false, __ATOMIC_RELAXED);
	return true;
}

/*
 * The merged view shows lines: it looks at the first byte that waits, to set
 * its alarm, when a line ends, and now and then in one without an end.
 */
static bool matters_to_all(const struct vcon *c, uint8_t byte)
{
	return byte == '\n' || ring_used(&c->out) <= 1 || !(ring_head(&c->out) % LOOK_EVERY);
}

/* Would a poll now show this byte, or what depends on it?  Relaxed: see announce(). */
static bool is_shown(const struct mux *m, const struct vcon *c, uint8_t byte)
{
	unsigned focus;

	if (framed_on(m))
		return framed_shows(m, c) && framed_matters(c, byte);
	focus = __atomic_load_n(&m->focus, __ATOMIC_RELAXED);
	return focus == c->index || (focus == ALL && matters_to_all(c, byte));
}

/* The focused guest's new bytes need a poll, unless the UART's interrupt comes anyway. */
static void announce(const struct vcon *c, uint8_t byte)
{
	struct mux *m = console_mux();

	/* Byte, then `focus`, the tail and `draining`; pairs with the fence in mux.c's set_draining(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (c->own) {
		if (!__atomic_load_n(&c->own->draining, __ATOMIC_RELAXED))
			election_note(&c->own->election);
		return;
	}
	if (!is_shown(m, c, byte))
		return; /* a switch looks at the ring by itself */
	if (!__atomic_load_n(&m->draining, __ATOMIC_RELAXED))
		election_note(&m->election);
}

/* The time that a line begins, once, before its first byte. */
static void mark_line(struct vcon *c)
{
	uint64_t pos;

	if (c->in_line)
		return;
	pos = ring_head(&c->out);
	if (c->marked != pos + 1)
		marks_put(&c->marks, pos, rdtsc());
	c->marked = pos + 1;
}

bool vcon_put(struct vcon *c, uint8_t byte)
{
	mark_line(c);
	if (!ring_put(&c->out, byte)) {
		if (!vcon_room(c))
			return false;
		ring_put_over(&c->out, byte); /* there is room by now, or the oldest byte goes */
	}
	c->in_line = byte != '\n';
	if (!c->in_line) /* relaxed: before announce()'s fence, as the byte is */
		__atomic_store_n(&c->line_end, ring_head(&c->out), __ATOMIC_RELAXED);
	announce(c, byte);
	return true;
}

int vcon_get(struct vcon *c)
{
	uint64_t missed = 0;
	uint8_t byte;

	/* On every access to the guest's UART: nothing there, and the flag is up already. */
	if (!ring_used(&c->in) && __atomic_load_n(&c->hungry, __ATOMIC_RELAXED))
		return -1;
	if (!ring_peek(&c->in, &byte, 1, &missed)) {
		/* Still set from before: whoever puts the next byte will see it. */
		if (__atomic_load_n(&c->hungry, __ATOMIC_RELAXED))
			return -1;
		__atomic_store_n(&c->hungry, true, __ATOMIC_RELAXED);
		/* Flag, then input; pairs with the fence in vcon_collect_wakes. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!ring_peek(&c->in, &byte, 1, &missed))
			return -1;
	}
	ring_consume(&c->in, 1);
	input_was_read(c);
	if (framed_must_grant(console_mux(), c))
		election_note(&console_mux()->election);
	return byte;
}

size_t vcon_pending(const struct vcon *c)
{
	return (size_t)ring_used(&c->in);
}

void vcon_count_overrun(struct vcon *c)
{
	/* Relaxed: a figure, with one writer. */
	__atomic_fetch_add(&c->overrun, 1, __ATOMIC_RELAXED);
}

void vcon_restart(struct vcon *c)
{
	ring_skip(&c->in, ring_used(&c->in));
	c->in_line = false; /* its first byte has a time of its own: nobody writes now */
	/* Relaxed: taken by the owner whenever it next shows this guest's line again. */
	__atomic_store_n(&c->restarted, true, __ATOMIC_RELAXED);
	/*
	 * The UART model forgot what it knew: the next byte shall wake the
	 * guest.  A byte that comes right now finds the flag or the guest finds
	 * the byte, as in vcon_get: its UART looks for input when it starts.
	 */
	__atomic_store_n(&c->hungry, true, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void vcon_get_stats(const struct vcon *c, struct vcon_stats *out)
{
	uint64_t tail = ring_tail(&c->out);
	uint64_t counted = __atomic_load_n(&c->out.lost, __ATOMIC_RELAXED);

	out->in_lost = __atomic_load_n(&c->in_lost, __ATOMIC_RELAXED);
	out->in = ring_head(&c->in) + out->in_lost;
	out->overrun = __atomic_load_n(&c->overrun, __ATOMIC_RELAXED);
	out->skipped = __atomic_load_n(&c->skipped, __ATOMIC_RELAXED);
	out->shown = tail - counted - out->skipped;
	out->lost = ring_lost(&c->out);
	out->written = ring_head(&c->out);
}

void vcon_deliver(struct mux *m, struct vcon *c, uint8_t byte)
{
	if (ring_put(&c->in, byte))
		m->touched |= 1U << c->index;
	else
		__atomic_fetch_add(&c->in_lost, 1, __ATOMIC_RELAXED); /* a figure */
}

void vcon_put_input(struct vcon *c, uint8_t byte)
{
	if (!ring_put(&c->in, byte))
		__atomic_fetch_add(&c->in_lost, 1, __ATOMIC_RELAXED); /* a figure */
}

/* Takes a guest's flag down; true when it was up. */
static bool take(bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(flag, false, __ATOMIC_RELAXED);
}

bool vcon_wants_input(struct vcon *c)
{
	/* Input, then the flag; pairs with vcon_get. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_used(&c->in) && take(&c->hungry);
}

bool vcon_wants_room(struct vcon *c)
{
	/* Room, then the flag; pairs with vcon_room. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_free(&c->out) >= min_u64(WAKE_ROOM, c->out.size / 4) && take(&c->waiting);
}

bool vcon_gives_up_waiting(struct vcon *c)
{
	/* What made it wait is gone, then the flag; pairs with vcon_room. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return take(&c->waiting);
}

static void collect_writer(struct mux *m, struct vcon *c)
{
	const uint64_t enough = min_u64(WAKE_ROOM, c->out.size / 4);

	if (is_guest(c) && ring_free(&c->out) >= enough && take(&c->waiting))
		m->wake |= 1U << c->index;
}

void vcon_collect_wakes(struct mux *m)
{
	unsigned i;

	/* Room and input, then the flags; pairs with vcon_room and vcon_get. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < m->n_guests; i++)
		if ((m->touched & (1U << i)) && take(&m->src[i]->hungry))
			m->wake |= 1U << i;
	m->touched = 0;
	if (!framed_on(m) && mux_focused(m)->index != ALL)
		collect_writer(m, mux_focused(m));
	else
		for (i = 0; i < m->n_guests; i++)
			collect_writer(m, m->src[i]);
}

/* The focus left: a guest that waited may go on if its policy or some room lets it. */
void vcon_left(struct mux *m, struct vcon *c)
{
	/* Focus, then the flag; pairs with vcon_room. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (is_guest(c) && has_room(c) && take(&c->waiting))
		m->wake |= 1U << c->index;
}

void vcon_port_lost(struct mux *m)
{
	unsigned i;

	__atomic_store_n(&m->uart.present, false, __ATOMIC_RELAXED);
	m->uart.gone = false;
	log_error("console: the serial port answers no more; the guests go on without it");
	/* `present`, then the flags; pairs with vcon_room. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < m->n_guests; i++)
		if (take(&m->src[i]->waiting))
			m->wake |= 1U << i;
	/* Another round, which finds no port and sets what others look at. */
	election_note(&m->election);
}
