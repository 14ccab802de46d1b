/* SPDX-License-Identifier: BSD-2-Clause */
/* Line editing and history. */
#include "fmt.h"
#include "kstring.h"
#include "mux.h"

#define PROMPT "bulkhead> "
#define MOVE_SIZE 16

static void bell(struct mux *m)
{
	monitor_put(m, KEY_BELL);
}

void line_show(struct mux *m)
{
	struct line_editor *e = &m->mon.edit;
	char back[MOVE_SIZE];

	e->line[e->len] = '\0';
	monitor_echo(m, PROMPT);
	monitor_echo(m, e->line);
	if (e->cursor == e->len)
		return;
	fmt_buf(back, sizeof(back), "\x1b[%zuD", e->len - e->cursor);
	monitor_echo(m, back);
}

static void redraw(struct mux *m)
{
	monitor_echo(m, "\r\x1b[K");
	line_show(m);
}

void line_insert(struct mux *m, const char *text, size_t len)
{
	struct line_editor *e = &m->mon.edit;
	const bool at_end = e->cursor == e->len;

	if (len > MON_LINE - 1 - e->len) {
		bell(m);
		return;
	}
	memmove(e->line + e->cursor + len, e->line + e->cursor, e->len - e->cursor);
	memcpy(e->line + e->cursor, text, len);
	e->len += len;
	e->cursor += len;
	e->line[e->len] = '\0';
	if (at_end)
		monitor_echo(m, e->line + e->cursor - len);
	else
		redraw(m);
}

/* Takes the `n` characters before the cursor away. */
static void erase_back(struct mux *m, size_t n)
{
	struct line_editor *e = &m->mon.edit;
	const bool at_end = e->cursor == e->len;

	if (!n)
		return;
	memmove(e->line + e->cursor - n, e->line + e->cursor, e->len - e->cursor);
	e->cursor -= n;
	e->len -= n;
	if (!at_end)
		redraw(m);
	else
		while (n--)
			monitor_echo(m, "\b \b");
}

static void erase_word(struct mux *m)
{
	const struct line_editor *e = &m->mon.edit;
	size_t at = e->cursor;

	while (at && e->line[at - 1] == ' ')
		at--;
	while (at && e->line[at - 1] != ' ')
		at--;
	erase_back(m, e->cursor - at);
}

static void erase_here(struct mux *m)
{
	struct line_editor *e = &m->mon.edit;

	if (e->cursor == e->len) {
		bell(m);
		return;
	}
	memmove(e->line + e->cursor, e->line + e->cursor + 1, e->len - e->cursor - 1);
	e->len--;
	redraw(m);
}

static void erase_rest(struct mux *m)
{
	if (m->mon.edit.len > m->mon.edit.cursor)
		monitor_echo(m, "\x1b[K");
	m->mon.edit.len = m->mon.edit.cursor;
}

static void move_to(struct mux *m, size_t to)
{
	struct line_editor *e = &m->mon.edit;

	if (to > e->len) { /* beyond the end, or, by underflow, before the start */
		bell(m);
		return;
	}
	while (e->cursor > to) {
		e->cursor--;
		monitor_put(m, '\b');
	}
	while (e->cursor < to)
		monitor_put(m, e->line[e->cursor++]);
}

/* A line that is not empty and not the same as the one before. */
void line_remember(struct line_editor *e)
{
	const char *newest = e->history[(e->n_history + MON_HISTORY - 1) % MON_HISTORY];

	e->line[e->len] = '\0';
	e->recall = 0;
	if (!e->len || (e->n_history && !strcmp(newest, e->line)))
		return;
	memcpy(e->history[e->n_history % MON_HISTORY], e->line, MON_LINE);
	e->n_history++;
}

void line_clear(struct line_editor *e)
{
	e->len = 0;
	e->cursor = 0;
	e->recall = 0;
	e->line[0] = '\0';
}

/* Shows the line that was entered `back` lines ago; 0 is the one that was being typed. */
static void recall(struct mux *m, unsigned back)
{
	struct line_editor *e = &m->mon.edit;
	const unsigned kept = e->n_history < MON_HISTORY ? e->n_history : MON_HISTORY;

	if (back > kept) { /* too far back or, by underflow, forward */
		bell(m);
		return;
	}
	e->line[e->len] = '\0';
	if (!e->recall)
		memcpy(e->draft, e->line, MON_LINE);
	e->recall = back;
	memcpy(e->line, back ? e->history[(e->n_history - back) % MON_HISTORY] : e->draft,
	       MON_LINE);
	e->len = strlen(e->line);
	e->cursor = e->len;
	redraw(m);
}

static void plain_key(struct mux *m, int key)
{
	const char c = (char)key;

	if (key >= ' ' && key <= '~')
		line_insert(m, &c, 1);
	else
		bell(m);
}

void line_key(struct mux *m, int key)
{
	struct line_editor *e = &m->mon.edit;

	switch (key) {
	case KEY_BACKSPACE:
	case KEY_DEL: erase_back(m, e->cursor ? 1 : 0); break;
	case KEY_DELETE:
	case KEY_CTRL_D: erase_here(m); break;
	case KEY_CTRL_U: erase_back(m, e->cursor); break;
	case KEY_CTRL_K: erase_rest(m); break;
	case KEY_CTRL_W: erase_word(m); break;
	case KEY_CTRL_L: redraw(m); break;
	case KEY_LEFT:
	case KEY_CTRL_B: move_to(m, e->cursor - 1); break;
	case KEY_RIGHT:
	case KEY_CTRL_F: move_to(m, e->cursor + 1); break;
	case KEY_HOME:
	case KEY_CTRL_A: move_to(m, 0); break;
	case KEY_END:
	case KEY_CTRL_E: move_to(m, e->len); break;
	case KEY_UP:
	case KEY_CTRL_P: recall(m, e->recall + 1); break;
	case KEY_DOWN:
	case KEY_CTRL_N: recall(m, e->recall - 1); break;
	case KEY_TAB: line_complete(m); break;
	default: plain_key(m, key);
	}
}
