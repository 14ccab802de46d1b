/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes from the terminal: the escape and the key after it, or data for who has the focus. */
#include "fmt.h"
#include "mux.h"

#define CONTROL_TO_LETTER 0x40 /* ^E is 0x05, E is 0x45 */
#define GUEST_LIST 640	       /* every guest's number, name and two separators */

static char escape_letter(const struct mux *m)
{
	return (char)(m->escape + CONTROL_TO_LETTER);
}

static void deliver(struct mux *m, uint8_t byte)
{
	unsigned target = input_target(m);

	if (target == MONITOR)
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
		if (to == MONITOR)
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

	notice(m, "after Ctrl-%c: 1-9 guest, n next, p previous, l last, m monitor, ? help; "
		  "Ctrl-%c again sends it",
	       escape_letter(m), escape_letter(m));
	list[0] = '\0';
	for (i = 0; i < m->n_guests; i++)
		len += fmt_buf(list + len, sizeof(list) - len, " %u=%s", i + 1, m->src[i]->name);
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
	case '?':
		help(m);
		break;
	default:
		unknown(m, key);
	}
}

void input_byte(struct mux *m, uint8_t byte)
{
	if (m->after_escape) {
		m->after_escape = false;
		hotkey(m, byte);
	} else if (byte == m->escape) {
		m->after_escape = true;
	} else {
		deliver(m, byte);
	}
}
