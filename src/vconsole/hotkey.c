/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes from the terminal: the escape and the key after it, or data for who has the focus. */
#include "fmt.h"
#include "mux.h"
#include "x86.h"

#define CONTROL_TO_LETTER 0x40 /* ^E is 0x05, E is 0x45 */
#define GUEST_LIST 640	       /* every guest's number, name and two separators */
/*
 * A lone escape is forgotten after this many TSC ticks, 13 s to a minute: who
 * pressed it has gone, and the next person's first key is not a hotkey.
 */
#define ESCAPE_PATIENCE (1ULL << 36)

static char escape_letter(const struct mux *m)
{
	return (char)(m->escape + CONTROL_TO_LETTER);
}

/* Said once, or somebody who types a line fills the screen. */
static void refuse(struct mux *m)
{
	if (!m->view.refused)
		notice(m, "this view is read-only; Ctrl-%c ? lists the keys", escape_letter(m));
	m->view.refused = true;
}

static void deliver(struct mux *m, uint8_t byte)
{
	unsigned target = input_target(m);

	if (target == ALL || (m->view.spy && target == m->want))
		refuse(m);
	else if (target == MONITOR)
		monitor_input(m, byte);
	else
		vcon_deliver(m, m->src[target], byte);
}

static void focus_number(struct mux *m, unsigned number)
{
	if (number <= m->n_guests)
		mux_focus(m, number - 1);
	else if (m->n_guests)
		notice(m, "there is no guest %u; guests are 1 to %u", number, m->n_guests);
	else
		notice(m, "there are no guests");
}

/* `n` and `p` go around the guests; from the monitor they enter at that end. */
static void focus_neighbour(struct mux *m, bool forward)
{
	unsigned n = m->n_guests, to = m->want, i;

	if (!n)
		notice(m, "there are no guests");
	for (i = 0; i < n; i++) {
		if (to >= n)
			to = forward ? 0 : n - 1;
		else
			to = (to + (forward ? 1 : n - 1)) % n;
		if (!m->src[to]->own) {
			mux_focus(m, to);
			return;
		}
	}
}

static void help(struct mux *m)
{
	char list[GUEST_LIST];
	size_t len = 0;
	unsigned i;

	notice(m, "after Ctrl-%c: 1-9 guest, TAB or first letters: by name, n next, p previous, "
		  "l last, m monitor, a all guests (again: times), s read-only, r replay, "
		  "e skip to the end, ? help; Ctrl-%c again sends it",
	       escape_letter(m), escape_letter(m));
	list[0] = '\0';
	for (i = 0; i < m->n_guests; i++)
		len += fmt_buf(list + len, sizeof(list) - len, " %u=%s", i + 1, m->src[i]->name);
	if (m->want == ALL || m->view.spy)
		notice(m, "input goes nowhere; guests:%s", list);
	else
		notice(m, "input goes to %s; guests:%s", m->src[m->want]->name, list);
}

static void unknown(struct mux *m, uint8_t key)
{
	char escape = escape_letter(m);

	if (key > ' ' && key <= '~')
		notice(m, "unknown key '%c' after Ctrl-%c; Ctrl-%c ? lists the keys", key, escape,
		       escape);
	else
		notice(m, "unknown key 0x%02x after Ctrl-%c; Ctrl-%c ? lists the keys", key, escape,
		       escape);
}

/* The merged view; asked for again, its timestamps come or go. */
static void show_all(struct mux *m)
{
	if (m->want != ALL) {
		mux_focus(m, ALL);
		return;
	}
	m->merge.stamps = !m->merge.stamps;
	notice(m, "times %s", m->merge.stamps ? "on" : "off");
}

static void toggle_spy(struct mux *m)
{
	if (m->want >= m->n_guests)
		notice(m, "only a guest's console can be made read-only");
	else if (m->view.spy)
		mux_focus(m, m->want);
	else
		mux_spy(m, m->want);
}

static void hotkey(struct mux *m, uint8_t key)
{
	if (key == m->escape) {
		deliver(m, key);
		return;
	}
	input_follow(m);
	switch (key) {
	case '1' ... '9':
		focus_number(m, (unsigned)(key - '0'));
		break;
	case 'n':
		focus_neighbour(m, true);
		break;
	case 'p':
		focus_neighbour(m, false);
		break;
	case 'l':
		mux_focus(m, m->last);
		break;
	case 'm':
		mux_focus(m, MONITOR);
		break;
	case 'a':
		show_all(m);
		break;
	case 's':
		toggle_spy(m);
		break;
	case 'r':
		mux_replay(m);
		break;
	case 'e':
		view_skip(m);
		break;
	case '?':
		help(m);
		break;
	default:
		if (!name_begin(m, key))
			unknown(m, key);
	}
}

/* What was begun long ago is not what is meant now. */
static void forget_stale_escape(struct mux *m)
{
	if ((m->after_escape || m->name.active) && rdtsc() - m->escape_tsc > ESCAPE_PATIENCE) {
		m->after_escape = false;
		m->name.active = false;
	}
}

void input_byte(struct mux *m, uint8_t byte)
{
	forget_stale_escape(m);
	if (m->name.active) {
		name_key(m, byte);
	} else if (m->after_escape) {
		m->after_escape = false;
		hotkey(m, byte);
	} else if (byte == m->escape) {
		m->after_escape = true;
		m->escape_tsc = rdtsc();
	} else {
		deliver(m, byte);
	}
}
