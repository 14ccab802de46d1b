/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The view of all guests: whole lines, in the order of the times at which
 * they began, each with its guest's name.  They are put into the ring of a
 * source like any other, which then has the focus.
 *
 * Shown are printable characters and attributes.  What would move the cursor,
 * switch modes or ask the terminal something is left out, so no guest can
 * spoil another's line.
 */
#include "fmt.h"
#include "kstring.h"
#include "mux.h"
#include "termtext.h"
#include "x86.h"

#define MERGE_ROOM KIB(6)    /* more than a piece can become: 3 bytes for one, and the tags */
#define QUIET_MS 100	     /* after which an unfinished line is shown */
#define SEQUENCE_LIMIT 4096  /* bytes of a sequence after which it is taken for text */
#define N_COLOURS 6

enum { UTF8_C1_FIRST = 0xC2, UTF8_C1_END = 0xA0 }; /* U+0080 to U+009F are C2 80 to C2 9F */

static const char *const replacement = "\xEF\xBF\xBD"; /* U+FFFD */

static void put(struct mux *m, uint8_t byte)
{
	ring_put(&m->merge.vcon.out, byte);
}

static void put_text(struct mux *m, const char *s)
{
	for (; *s; s++)
		put(m, (uint8_t)*s);
}

/* ---- the next piece of each guest ---- */

static size_t find_newline(const uint8_t *data, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (data[i] == '\n')
			return i + 1;
	return 0;
}

/* What is there now is looked at again: it has another time and length. */
static void forget_piece(struct merge_source *s)
{
	s->ready = 0;
	s->part = 0;
	s->head = 0;
}

/* Is the unfinished line of `n` bytes due?  If not, when it will be counts for the deadline. */
static bool is_quiet(struct mux *m, struct merge_source *s, uint64_t now)
{
	uint64_t due = s->since + QUIET_MS * mux_khz(m);

	if (now >= due)
		return true;
	if (!m->merge.deadline || due < m->merge.deadline)
		m->merge.deadline = due;
	return false;
}

/* Finds what may be shown of `c`. */
static void scan(struct mux *m, struct vcon *c, uint64_t now)
{
	struct merge_source *s = &c->merge;
	uint64_t head = ring_head(&c->out), missed = 0;
	size_t n;

	mux_forget_old_life(m, c);
	if (s->tail != ring_tail(&c->out) || s->head != head) {
		n = ring_peek(&c->out, m->merge.piece, sizeof(m->merge.piece), &missed);
		s->missed += missed;
		s->tail = ring_tail(&c->out);
		s->since = now;
		s->head = head;
		s->tsc = marks_find(&c->marks, s->tail);
		s->ready = find_newline(m->merge.piece, n);
		if (!s->ready && n == sizeof(m->merge.piece))
			s->ready = n;
		s->part = n;
		if (!n)
			s->losing = false;
	}
	if (!s->ready && s->part && is_quiet(m, s, now))
		s->ready = s->part;
}

/* ---- showing a piece ---- */

static void put_stamp(struct mux *m, uint64_t tsc)
{
	char text[32];
	uint64_t us = tsc / mux_khz(m) * 1000 + tsc % mux_khz(m) * 1000 / mux_khz(m);

	if (!m->merge.stamps)
		return;
	fmt_buf(text, sizeof(text), "[%5llu.%06llu] ", (unsigned long long)(us / 1000000),
		(unsigned long long)(us % 1000000));
	put_text(m, text);
}

static void end_open_line(struct mux *m)
{
	if (m->merge.open)
		put_text(m, "\r\n");
	m->merge.open = 0;
}

static void put_tag(struct mux *m, const struct vcon *c)
{
	static const char colours[N_COLOURS] = { '2', '3', '6', '5', '4', '1' };
	char text[CFG_NAME + 16];

	put_stamp(m, c->merge.tsc);
	fmt_buf(text, sizeof(text), "\x1b[3%cm%s%c\x1b[m ", colours[c->index % N_COLOURS], c->name,
		c->line_len ? '+' : '|');
	put_text(m, text);
}

static void put_sgr(struct mux *m, const struct termstate *t)
{
	char text[TERM_TEXT_MAX];
	size_t n = term_enter_sgr(t, text, sizeof(text)), i;

	for (i = 0; i < n; i++)
		put(m, (uint8_t)text[i]);
}

/* Only what was held from its first byte on is whole: this view may begin amid a sequence. */
static void hold(struct merge_source *s, uint32_t unit, uint8_t byte)
{
	if (unit == s->n_held + 1 && s->n_held < sizeof(s->held))
		s->held[s->n_held++] = byte;
	else
		s->n_held = 0;
}

static void put_held(struct mux *m, struct merge_source *s)
{
	bool c1 = s->n_held == 2 && s->held[0] == UTF8_C1_FIRST && s->held[1] < UTF8_C1_END;
	size_t i;

	for (i = 0; i < s->n_held && !c1; i++)
		put(m, s->held[i]);
	s->n_held = 0;
}

static void put_control(struct mux *m, uint8_t byte, bool last_but_newline)
{
	if (byte == '\t')
		put(m, byte);
	else if (byte == '\r' && !last_but_newline)
		put(m, ' '); /* what is overwritten on a line is all shown */
}

/* A broken character, or a sequence that another one ended. */
static void drop_held(struct mux *m, struct merge_source *s, uint32_t unit)
{
	if (s->n_held && s->held[0] >= 0x80)
		put_text(m, replacement);
	s->n_held = 0;
	if (unit == 2) /* this byte's sequence began with the ESC that ended a string */
		s->held[s->n_held++] = TERM_ESC;
}

static void put_byte(struct mux *m, struct vcon *c, uint8_t byte, uint64_t pos, bool line_ends)
{
	struct merge_source *s = &c->merge;
	enum term_event event = mux_track(c, byte, pos);

	if (c->term.broken_off)
		drop_held(m, s, c->term.unit);
	switch (event) {
	case TERM_PART:
		hold(s, c->term.unit, byte);
		if (c->term.unit >= SEQUENCE_LIMIT)
			term_break_off(&c->term);
		break;
	case TERM_CHAR:
	case TERM_SGR:
		hold(s, c->term.unit, byte);
		put_held(m, s);
		break;
	case TERM_BAD:
		put_text(m, replacement);
		s->n_held = 0;
		break;
	case TERM_CONTROL:
		put_control(m, byte, line_ends);
		break;
	default:
		s->n_held = 0;
	}
}

static void put_loss(struct mux *m, struct vcon *c)
{
	char text[CFG_NAME + 64];

	/* As in focus: a guest that outruns the terminal gets one mark of many. */
	if (c->merge.losing)
		c->merge.missed += ring_skip(&c->out, c->out.size / 4);
	c->merge.losing = true;
	end_open_line(m);
	put_stamp(m, c->merge.tsc);
	fmt_buf(text, sizeof(text), "[bulkhead: %s: %llu bytes lost]\r\n", c->name,
		(unsigned long long)c->merge.missed);
	put_text(m, text);
	c->merge.missed = 0;
	c->merge.n_held = 0;
	c->line_len = 0;
	term_break_off(&c->term);
}

static void put_line(struct mux *m, struct vcon *c, size_t n)
{
	const uint8_t *data = m->merge.piece;
	bool whole = data[n - 1] == '\n';
	uint64_t pos = ring_tail(&c->out);
	size_t i;

	if (m->merge.open != c->index + 1) {
		end_open_line(m);
		put_tag(m, c);
	}
	put_sgr(m, &c->term);
	for (i = 0; i < n; i++)
		put_byte(m, c, data[i], pos + i, whole && i + 2 == n);
	if (sgr_is_set(&c->term))
		put_text(m, "\x1b[m");
	m->merge.open = c->index + 1;
	if (whole)
		end_open_line(m);
}

/* Shows what scan() found; the guest may have overwritten it meanwhile. */
static void take_piece(struct mux *m, struct vcon *c)
{
	struct merge_source *s = &c->merge;
	uint64_t missed = 0;
	size_t n = ring_peek(&c->out, m->merge.piece, s->ready, &missed);

	s->missed += missed;
	forget_piece(s);
	if (s->missed) {
		put_loss(m, c);
	} else if (n) {
		put_line(m, c, n);
		ring_consume(&c->out, n);
	}
}

/* ---- the order ---- */

/* The guest whose next piece is the oldest; NULL: there is none. */
static struct vcon *oldest_piece(struct mux *m)
{
	struct vcon *best = NULL;
	unsigned i;

	for (i = 0; i < m->n_guests; i++) {
		struct vcon *c = m->src[i];

		if (c->merge.ready && (!best || c->merge.tsc < best->merge.tsc))
			best = c;
	}
	return best;
}

/* What a guest wrote before a record of the log is shown before it, whole line or not. */
static struct vcon *unfinished_before(struct mux *m, uint64_t tsc)
{
	unsigned i;

	for (i = 0; i < m->n_guests; i++) {
		struct merge_source *s = &m->src[i]->merge;

		if (s->part && s->tsc <= tsc) {
			s->ready = s->ready ? s->ready : s->part;
			return m->src[i];
		}
	}
	return NULL;
}

static void put_record(struct mux *m)
{
	struct log_record *r = &m->msg.record;
	const char *s;

	end_open_line(m);
	put_stamp(m, r->tsc);
	put_text(m, "[bulkhead: ");
	r->text[LOG_TEXT - 1] = '\0';
	for (s = r->text; *s; s++)
		put(m, (uint8_t)(*s >= ' ' && *s <= '~' ? *s : '?'));
	put_text(m, "]\r\n");
	m->msg.have_record = false;
}

void merge_enter(struct mux *m)
{
	/* The line that stood here last went on in another view, maybe. */
	if (ring_used(&m->merge.vcon.out)) {
		end_open_line(m);
	} else {
		m->merge.open = 0;
		m->merge.vcon.line_len = 0;
	}
}

void merge_hide(struct vcon *c, bool hidden)
{
	c->merge.hidden = hidden;
	forget_piece(&c->merge);
}

void merge_fill(struct mux *m)
{
	uint64_t now = rdtsc();
	struct vcon *best;
	unsigned i;

	if (ring_free(&m->merge.vcon.out) < MERGE_ROOM)
		return;
	m->merge.deadline = 0;
	for (i = 0; i < m->n_guests; i++)
		if (!m->src[i]->own && !m->src[i]->merge.hidden) /* shown elsewhere, or not at all */
			scan(m, m->src[i], now);
	message_look(m);
	best = oldest_piece(m);
	if (m->msg.have_record && (!best || m->msg.record.tsc < best->merge.tsc)) {
		best = unfinished_before(m, m->msg.record.tsc);
		if (!best) {
			put_record(m);
			return;
		}
	}
	if (best)
		take_piece(m, best);
}
