/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's terminal side: line editing and history. */
#include <stdarg.h>

#include "fmt.h"
#include "kstring.h"
#include "mux.h"

#define PROMPT "bulkhead> "
#define PRINT_SIZE 512 /* the longest text of one console_print */

enum { KEY_CTRL_C = 0x03, KEY_BELL = 0x07, KEY_BACKSPACE = 0x08, KEY_CTRL_U = 0x15,
       KEY_CTRL_W = 0x17, KEY_ESC = 0x1B, KEY_DEL = 0x7F };

/* Arrow keys are ESC [ A or, in application mode, ESC O A. */
enum { ARROW_NONE, ARROW_ESC, ARROW_FINAL };

static void put(struct mux *m, char c)
{
	ring_put_over(&m->mon_vcon.out, (uint8_t)c);
}

static void print(struct mux *m, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put(m, '\r');
		put(m, *text);
	}
}

void console_print(const char *fmt, ...)
{
	char text[PRINT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	fmt_vbuf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print(console_mux(), text);
}

void monitor_prompt(struct mux *m)
{
	m->mon.line[m->mon.len] = '\0';
	print(m, PROMPT);
	print(m, m->mon.line);
}

static void redraw(struct mux *m)
{
	print(m, "\r\x1b[K");
	monitor_prompt(m);
}

static void bell(struct mux *m)
{
	put(m, KEY_BELL);
}

static void erase(struct mux *m, size_t n)
{
	m->mon.len -= n;
	while (n--)
		print(m, "\b \b");
}

static void erase_word(struct mux *m)
{
	struct monitor *mon = &m->mon;
	size_t len = mon->len;

	while (len && mon->line[len - 1] == ' ')
		len--;
	while (len && mon->line[len - 1] != ' ')
		len--;
	erase(m, mon->len - len);
}

static void insert(struct mux *m, char c)
{
	struct monitor *mon = &m->mon;

	if (mon->len == MON_LINE - 1) {
		bell(m);
		return;
	}
	mon->line[mon->len++] = c;
	put(m, c);
}

/* A line that is not empty and not the same as the one before. */
static void remember(struct monitor *mon)
{
	const char *newest = mon->history[(mon->n_history + MON_HISTORY - 1) % MON_HISTORY];

	mon->recall = 0;
	if (!mon->len || (mon->n_history && !strcmp(newest, mon->line)))
		return;
	memcpy(mon->history[mon->n_history % MON_HISTORY], mon->line, MON_LINE);
	mon->n_history++;
}

static void enter(struct mux *m)
{
	struct monitor *mon = &m->mon;

	mon->line[mon->len] = '\0';
	print(m, "\n");
	remember(mon);
	monitor_execute(m, mon->line);
	mon->len = 0;
	monitor_prompt(m);
}

static void abort_line(struct mux *m)
{
	print(m, "^C\n");
	m->mon.len = 0;
	m->mon.recall = 0;
	monitor_prompt(m);
}

/* Shows the line that was entered `back` lines ago; 0 is an empty one. */
static void recall(struct mux *m, unsigned back)
{
	struct monitor *mon = &m->mon;
	unsigned kept = mon->n_history < MON_HISTORY ? mon->n_history : MON_HISTORY;

	if (back > kept) {
		bell(m);
		return;
	}
	mon->recall = back;
	if (back)
		memcpy(mon->line, mon->history[(mon->n_history - back) % MON_HISTORY], MON_LINE);
	else
		mon->line[0] = '\0';
	mon->len = strlen(mon->line);
	redraw(m);
}

static void arrow(struct mux *m, uint8_t final)
{
	if (final == 'A')
		recall(m, m->mon.recall + 1);
	else if (final == 'B' && m->mon.recall)
		recall(m, m->mon.recall - 1);
	else
		bell(m);
}

/* True when the byte belongs to an escape sequence. */
static bool escape_sequence(struct mux *m, uint8_t byte)
{
	struct monitor *mon = &m->mon;

	switch (mon->escape_state) {
	case ARROW_ESC:
		if (byte != '[' && byte != 'O') {
			mon->escape_state = ARROW_NONE;
			return byte == KEY_ESC;
		}
		mon->escape_state = ARROW_FINAL;
		return true;
	case ARROW_FINAL:
		if (byte < '@') /* parameters: a key that we do not know */
			return true;
		mon->escape_state = ARROW_NONE;
		arrow(m, byte);
		return true;
	default:
		if (byte == KEY_ESC)
			mon->escape_state = ARROW_ESC;
		return byte == KEY_ESC;
	}
}

void monitor_input(struct mux *m, uint8_t byte)
{
	bool after_cr = m->mon.after_cr;

	m->mon.after_cr = byte == '\r';
	if (escape_sequence(m, byte))
		return;
	switch (byte) {
	case '\n':
		if (!after_cr) /* one Enter of a terminal that sends both */
			enter(m);
		break;
	case '\r':
		enter(m);
		break;
	case KEY_BACKSPACE:
	case KEY_DEL:
		if (m->mon.len)
			erase(m, 1);
		break;
	case KEY_CTRL_C:
		abort_line(m);
		break;
	case KEY_CTRL_U:
		erase(m, m->mon.len);
		break;
	case KEY_CTRL_W:
		erase_word(m);
		break;
	default:
		if (byte >= ' ' && byte <= '~')
			insert(m, (char)byte);
		else
			bell(m);
	}
}
