/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where typed bytes go, and holding the host while there is no room for them.
 *
 * A hotkey moves the input at once: what was typed before it stays with the
 * old guest, what comes after it goes to the new one.  A change of focus that
 * nobody typed (a crash with on_crash = focus, the end of the last guest) must
 * not divert the rest of a paste: input follows it when the line has been
 * quiet for a moment, or at the next hotkey.
 */
#include "mux.h"

#define PASTE_QUIET_NS 1000000000ULL

/* Behind a hold may come what the host had on its way; it goes on when half is free. */
#define HOLD_ROOM KIB(16)
#define RESUME_ROOM (INPUT_RING / 2)

static uint64_t now(const struct mux *m)
{
	return m->ops->now_ns ? m->ops->now_ns() : 0;
}

void input_arrived(struct mux *m)
{
	struct input_state *in = &m->input;
	uint64_t t = now(m);

	if (t - in->last_ns >= PASTE_QUIET_NS)
		in->paste_to = 0;
	in->last_ns = t;
}

unsigned input_target(const struct mux *m)
{
	return m->input.paste_to ? m->input.paste_to - 1 : m->want;
}

void input_keep_paste(struct mux *m)
{
	struct input_state *in = &m->input;

	if (m->ops->now_ns && in->last_ns && now(m) - in->last_ns < PASTE_QUIET_NS)
		in->paste_to = input_target(m) + 1;
}

void input_follow(struct mux *m)
{
	m->input.paste_to = 0;
}

static bool is_short(const struct vcon *c)
{
	return ring_free(&c->in) < HOLD_ROOM;
}

static bool has_resumed(const struct vcon *c)
{
	return ring_free(&c->in) >= RESUME_ROOM;
}

static void set_holding(struct mux *m, unsigned holding)
{
	__atomic_store_n(&m->input.holding, holding, __ATOMIC_RELAXED);
	/* `holding`, then the ring; pairs with the fence in input_was_read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* A person who cannot get a hotkey through to leave a guest that reads nothing sends a BREAK. */
static bool wants_hold(struct mux *m, const struct vcon *c, bool held)
{
	if (uart_take_break(&m->uart) && held)
		m->input.let_in = true;
	if (!is_short(c))
		m->input.let_in = false;
	if (m->input.let_in)
		return false;
	return held ? !has_resumed(c) : is_short(c);
}

void input_flow(struct mux *m)
{
	unsigned target = input_target(m);
	const struct vcon *c = m->src[target];
	bool held;

	if (m->uart.flow == FLOW_NONE)
		return;
	/* Relaxed: only the owner, which we are, writes it. */
	held = __atomic_load_n(&m->input.holding, __ATOMIC_RELAXED) == target + 1;
	if (!is_guest(c) || !wants_hold(m, c, held)) {
		set_holding(m, 0);
		uart_hold(&m->uart, false);
		return;
	}
	set_holding(m, target + 1);
	/* The guest may have read it all before it could see that it is waited for. */
	if (has_resumed(c))
		set_holding(m, 0);
	uart_hold(&m->uart, !has_resumed(c));
}

void input_was_read(struct vcon *c)
{
	struct mux *m = console_mux();

	/* Set before the guests run. */
	if (m->uart.flow == FLOW_NONE)
		return;
	/* The ring, then `holding`; pairs with the fence in set_holding. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&m->input.holding, __ATOMIC_RELAXED) == c->index + 1 &&
	    has_resumed(c))
		election_note(&m->election);
}
