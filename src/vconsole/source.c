/* SPDX-License-Identifier: BSD-2-Clause */
/* What is shown of the focused source, live and after a switch, and what of it is remembered. */
#include "fmt.h"
#include "mux.h"

#define CHUNK 64 /* of guest output in one item: what a hotkey may have to wait for */
#define MARK_TEXT 64

/* Keeps the present line: the ring's own copy is overwritten when the guest goes on writing. */
static void keep_line(struct vcon *c, uint8_t byte)
{
	if (byte == '\n')
		c->line_len = 0;
	else if (c->line_len < UNFINISHED_LIMIT)
		c->line[c->line_len++] = byte;
	else
		c->line_len = UNFINISHED_LIMIT + 1;
}

enum term_event mux_track(struct vcon *c, uint8_t byte, uint64_t pos)
{
	uint16_t before = c->term.alternate;
	enum term_event event = term_byte(&c->term, byte);

	if (!before && c->term.alternate)
		c->screen_pos = pos + 1 - min_u64(c->term.unit, pos + 1);
	keep_line(c, byte);
	if (before != c->term.alternate)
		c->line_len = 0; /* another screen, another line */
	return event;
}

/* What a guest's last life left behind is not part of its new one's first line. */
void mux_forget_old_life(struct mux *m, struct vcon *c)
{
	/* Relaxed: see vcon_restart. */
	if (!__atomic_load_n(&c->restarted, __ATOMIC_RELAXED) ||
	    !__atomic_exchange_n(&c->restarted, false, __ATOMIC_RELAXED))
		return;
	if (c == mux_focused(m))
		view_leave(m);
	c->line_len = 0;
	c->term = (struct termstate){ 0 };
}

/* A line from its start, without what it asked of the terminal. */
static void show_line_again(struct mux *m, const struct vcon *c)
{
	struct refilter filter = { 0 };
	size_t i, from = 0;

	/* No line of the alternate screen is one: only an unfinished sequence is repeated. */
	if (c->term.alternate)
		from = term_is_between(&c->term) || c->term.unit > c->line_len ?
		       c->line_len : c->line_len - c->term.unit;
	for (i = from; i < c->line_len; i++)
		refilter_byte(&filter, &m->out, c->line[i]);
	refilter_rest(&filter, &m->out);
}

/* The line that a switch or a message cut appears again from its start. */
static void show_unfinished(struct mux *m)
{
	struct vcon *c = mux_focused(m);

	m->cut = false;
	mux_forget_old_life(m, c);
	if (c->index == MONITOR && !ring_used(&c->out)) {
		c->line_len = 0;
		monitor_prompt(m);
		return;
	}
	if (c->line_len <= UNFINISHED_LIMIT)
		show_line_again(m, c);
}

/*
 * Bytes are missing at the tail.  If the guest outruns the terminal all the
 * time, giving up a quarter of the ring at once makes one mark of many.
 */
static void show_loss(struct mux *m, struct vcon *c, uint64_t missed)
{
	char mark[MARK_TEXT];

	if (m->losing)
		missed += ring_skip(&c->out, c->out.size / 4);
	m->losing = true;
	c->line_len = 0;
	view_suspend(m); /* the rest of an unfinished sequence is gone */
	term_break_off(&c->term);
	fmt_buf(mark, sizeof(mark), "%llu bytes lost", (unsigned long long)missed);
	out_message(&m->out, mark);
	view_resume(m);
}

/* How much of the chunk may go out before something else must. */
static size_t limit_chunk(struct mux *m, const uint8_t *data, size_t n)
{
	size_t i;

	if (!m->switching)
		return message_limit(m, data, n);
	n = (size_t)min_u64(n, m->leave_budget);
	for (i = 0; i < n; i++)
		if (data[i] == '\n') {
			n = i + 1;
			break;
		}
	m->leave_budget -= (unsigned)n;
	return n;
}

void source_show_live(struct mux *m)
{
	struct vcon *c = mux_focused(m);
	uint64_t missed = 0;
	uint8_t data[CHUNK];
	size_t n, i;

	n = ring_peek(&c->out, data, sizeof(data), &missed);
	if (missed) {
		show_loss(m, c, missed);
		return;
	}
	if (!n) {
		m->losing = false;
		return;
	}
	n = limit_chunk(m, data, n);
	mux_forget_old_life(m, c);
	for (i = 0; i < n; i++) {
		out_byte(&m->out, data[i]);
		mux_track(c, data[i], ring_tail(&c->out) + i);
	}
	ring_consume(&c->out, n);
}

/* After a switch: modes, history, the cut line, and then live output. */
void source_show(struct mux *m)
{
	if (m->view.entering)
		view_enter(m);
	if (!m->out.len && m->view.replaying)
		view_replay(m);
	if (m->out.len || m->view.entering || m->view.replaying)
		return;
	if (m->cut)
		show_unfinished(m);
	if (m->out.len)
		return;
	if (mux_focused(m)->index == ALL && !m->switching)
		merge_fill(m);
	monitor_pump(m);
	source_show_live(m);
}
