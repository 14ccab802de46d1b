/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What surrounds live output: leaving the terminal clean, bringing modes
 * back, and history.
 */
#include "fmt.h"
#include "mux.h"
#include "termtext.h"

#define REPLAY_SIZE KIB(16)  /* of history, when asked for */
#define REDRAW_SIZE KIB(64)  /* of history, to get the alternate screen back */
#define BACKLOG_SIZE KIB(64) /* of what was never shown, at a switch */
#define REPLAY_CHUNK 64
#define LINE_SEARCH 512

#define SAVE_CURSOR "\x1b" "7"    /* DECSC */
#define RESTORE_CURSOR "\x1b" "8" /* DECRC */

static void out_bytes(struct mux *m, const char *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out_raw(&m->out, (uint8_t)bytes[i]);
}

/* What the terminal was told last, by history or by live output. */
static const struct termstate *told(struct mux *m)
{
	return m->view.replaying ? &m->view.filter.term : &mux_focused(m)->term;
}

void view_leave(struct mux *m)
{
	const struct termstate *t = told(m);
	char text[TERM_TEXT_MAX];
	size_t n = term_leave(t, text, sizeof(text));

	out_bytes(m, text, n);
	if (t->alternate)
		m->out.line_empty = false; /* the cursor is where it was before that */
	m->view.replaying = false;
	m->view.redrawing = false;
}

/* The modes that hold while history is shown that begins before the alternate screen. */
static void enter_for_redraw(struct mux *m, const struct termstate *live)
{
	struct termstate *t = &m->view.filter.term;
	char text[TERM_TEXT_MAX];

	*t = *live;
	term_break_off(t);
	t->alternate = 0;
	t->top = t->bottom = 0;
	t->charset[0] = t->charset[1] = 0;
	t->shifted = false;
	t->insert = false;
	sgr_reset(t);
	out_bytes(m, text, term_enter(t, text, sizeof(text)));
}

static void begin_replay(struct mux *m, uint64_t from, uint64_t end)
{
	m->view.filter = (struct refilter){ 0 };
	m->view.pos = from;
	m->view.end = end;
	m->view.replaying = true;
}

/* Where the line after `from` begins, if that is near. */
static uint64_t line_start(const struct ring *r, uint64_t from, uint64_t end)
{
	uint64_t pos = from, missed = 0;
	uint8_t near[LINE_SEARCH];
	size_t n, i;

	n = ring_read_at(r, &pos, end, near, sizeof(near), &missed);
	for (i = 0; i < n; i++)
		if (near[i] == '\n')
			return pos - n + i + 1;
	return from;
}

/* History on the main screen: from the start of a line, with a line of ours on both ends. */
static void replay_lines(struct mux *m)
{
	const struct vcon *c = mux_focused(m);
	uint64_t end = ring_tail(&c->out), from = end > REPLAY_SIZE ? end - REPLAY_SIZE : 0;

	from = max_u64(from, ring_oldest(&c->out));
	if (from && from < end)
		from = line_start(&c->out, from, end);
	if (from >= end) {
		out_message(&m->out, "there is nothing to show again");
		m->view.entering = true;
		return;
	}
	out_message(&m->out, "replay");
	begin_replay(m, from, end);
}

/* True when the alternate screen can be drawn again from what the guest wrote to it. */
static bool redraw(struct mux *m)
{
	const struct vcon *c = mux_focused(m);
	uint64_t end = ring_tail(&c->out);

	if (!c->term.alternate || end - c->screen_pos > REDRAW_SIZE ||
	    c->screen_pos < ring_oldest(&c->out))
		return false;
	begin_replay(m, c->screen_pos, end);
	enter_for_redraw(m, &c->term);
	m->view.redrawing = true;
	return true;
}

/*
 * Passes over what waits, but for the last `keep` bytes; it stays in the
 * history.  What is gone already is counted as lost, not as skipped.
 */
static uint64_t pass_over(struct vcon *c, uint64_t keep, uint64_t *missed)
{
	uint64_t used, n;
	uint8_t byte;

	(void)ring_peek(&c->out, &byte, 1, missed);
	used = ring_used(&c->out);
	if (used <= keep)
		return 0;
	n = used - keep;
	ring_consume(&c->out, (size_t)n);
	/* Relaxed: a figure. */
	__atomic_store_n(&c->skipped, c->skipped + n, __ATOMIC_RELAXED);
	term_break_off(&c->term);
	c->line_len = 0;
	return n;
}

static bool may_skip(const struct vcon *c)
{
	return is_guest(c) && c->without_focus != OVERFLOW_BLOCK;
}

/* A guest that may lose bytes need not show a long past before the present. */
static void bound_backlog(struct mux *m, struct vcon *c)
{
	uint64_t missed = 0, n;
	char text[64];

	if (!may_skip(c) || ring_used(&c->out) <= BACKLOG_SIZE)
		return;
	n = pass_over(c, BACKLOG_SIZE, &missed);
	if (missed) {
		fmt_buf(text, sizeof(text), "%llu bytes lost", (unsigned long long)missed);
		out_message(&m->out, text);
	}
	if (n) {
		fmt_buf(text, sizeof(text), "%llu bytes skipped", (unsigned long long)n);
		out_message(&m->out, text);
	}
}

void view_skip(struct mux *m)
{
	struct vcon *c = mux_focused(m);
	uint64_t missed = 0, n = 0;

	m->view.pos = m->view.end;
	if (may_skip(c))
		n = pass_over(c, 0, &missed);
	if (missed)
		notice(m, "%llu bytes lost", (unsigned long long)missed);
	notice(m, "%llu bytes skipped", (unsigned long long)n);
}

void view_enter(struct mux *m)
{
	struct vcon *c = mux_focused(m);
	char text[TERM_TEXT_MAX];
	bool again = m->view.again;

	m->view.entering = false;
	m->view.again = false;
	bound_backlog(m, c);
	if (redraw(m))
		return;
	if (again && !c->term.alternate) {
		replay_lines(m);
		return;
	}
	out_bytes(m, text, term_enter(&c->term, text, sizeof(text)));
}

/* The history is over, or was overwritten while it was shown. */
static void end_replay(struct mux *m)
{
	const struct vcon *c = mux_focused(m);
	char text[TERM_TEXT_MAX];

	if (m->view.redrawing) { /* all is as it was, but for attributes from before */
		out_bytes(m, text, term_enter_sgr(&c->term, text, sizeof(text)));
		m->view.replaying = false;
		m->view.redrawing = false;
		return;
	}
	view_leave(m);
	out_message(&m->out, "end of replay");
	m->view.entering = true;
	m->cut = true;
}

void view_replay(struct mux *m)
{
	struct view *v = &m->view;
	uint8_t data[REPLAY_CHUNK];
	uint64_t missed = 0;
	size_t n, i;

	/* A chunk that was all questions leaves nothing to send. */
	while (v->replaying && !m->out.len) {
		n = ring_read_at(&mux_focused(m)->out, &v->pos, v->end, data, sizeof(data), &missed);
		if (!n || missed) {
			end_replay(m);
			return;
		}
		for (i = 0; i < n; i++)
			refilter_byte(&v->filter, &m->out, data[i]);
	}
}

void view_suspend(struct mux *m)
{
	const struct termstate *t = told(m);
	char text[TERM_TEXT_MAX];

	out_bytes(m, text, term_suspend(t, text, sizeof(text)));
	if (t->alternate) /* the program there goes on drawing where it was */
		out_bytes(m, SAVE_CURSOR, sizeof(SAVE_CURSOR) - 1);
}

void view_resume(struct mux *m)
{
	const struct termstate *t = told(m);
	char text[TERM_TEXT_MAX];

	if (t->alternate)
		out_bytes(m, RESTORE_CURSOR, sizeof(RESTORE_CURSOR) - 1);
	out_bytes(m, text, term_enter_sgr(t, text, sizeof(text)));
}
