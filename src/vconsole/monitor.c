/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's terminal side: what is typed, what is printed, and the pager between. */
#include <stdarg.h>

#include "fmt.h"
#include "kstring.h"
#include "mux.h"

#define PRINT_SIZE 512 /* the longest text of one console_print */
#define PUMP_CHUNK 1280 /* more than the longest line */
#define MORE "--more--"
#define MORE_HELP "--more-- Space: a page, Enter: a line, q: no more"

void monitor_init(struct mux *m)
{
	ring_init(&m->mon.text, m->mon.text_data, sizeof(m->mon.text_data));
}

void monitor_put(struct mux *m, char c)
{
	ring_put_over(&m->mon_vcon.out, (uint8_t)c);
}

void monitor_echo(struct mux *m, const char *text)
{
	for (; *text; text++)
		monitor_put(m, *text);
}

void monitor_print(struct mux *m, const char *text, size_t len)
{
	struct ring *out = &m->mon.text;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\n')
			ring_put(out, '\r');
		ring_put(out, (uint8_t)text[i]); /* a step that prints too much is cut */
	}
}

void console_print(const char *fmt, ...)
{
	char text[PRINT_SIZE];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = fmt_vbuf(text, sizeof(text), fmt, ap);
	va_end(ap);
	monitor_print(console_mux(), text, n);
}

void monitor_prompt(struct mux *m)
{
	if (m->mon.paused)
		monitor_echo(m, MORE);
	else if (!m->mon.busy)
		line_show(m);
}

static void drop_text(struct monitor *mon)
{
	mon->job.step = NULL;
	ring_skip(&mon->text, ring_used(&mon->text));
	mon->paused = false;
}

static void end_command(struct mux *m)
{
	m->mon.busy = false;
	m->mon.shown = 0;
	monitor_prompt(m);
}

static void interrupt(struct mux *m)
{
	drop_text(&m->mon);
	m->mon.n_ahead = 0;
	monitor_echo(m, "^C\r\n");
}

static void abort_line(struct mux *m)
{
	monitor_echo(m, "^C\r\n");
	line_clear(&m->mon.edit);
	monitor_prompt(m);
}

static void enter(struct mux *m)
{
	struct line_editor *e = &m->mon.edit;

	line_remember(e); /* also terminates it */
	monitor_echo(m, "\r\n");
	m->mon.busy = true;
	monitor_execute(m, e->line);
	line_clear(e);
}

static void command_key(struct mux *m, int key)
{
	if (key == '\r')
		enter(m);
	else if (key == KEY_CTRL_C)
		abort_line(m);
	else
		line_key(m, key);
}

static void pager_key(struct mux *m, int key)
{
	struct monitor *mon = &m->mon;

	monitor_echo(m, "\r\x1b[K");
	switch (key) {
	case ' ':
		mon->paused = false;
		mon->shown = 0;
		break;
	case '\r':
		mon->paused = false;
		mon->shown--;
		break;
	case 'q':
	case 'Q':
	case KEY_CTRL_C:
		drop_text(mon);
		break;
	default:
		monitor_echo(m, MORE_HELP);
	}
}

static void take_key(struct mux *m, uint8_t byte)
{
	const int key = key_decode(&m->mon.keys, byte);

	if (key == KEY_NONE)
		return;
	if (m->mon.paused)
		pager_key(m, key);
	else
		command_key(m, key);
}

static void keep_for_later(struct mux *m, uint8_t byte)
{
	struct monitor *mon = &m->mon;

	if (mon->n_ahead == MON_AHEAD)
		monitor_put(m, KEY_BELL);
	else
		mon->ahead[mon->n_ahead++] = byte;
}

void monitor_input(struct mux *m, uint8_t byte)
{
	struct monitor *mon = &m->mon;

	if (!mon->n_ahead && (!mon->busy || mon->paused))
		take_key(m, byte);
	else if (byte == KEY_CTRL_C)
		interrupt(m);
	else
		keep_for_later(m, byte);
}

/* With framed mode on, what comes on the monitor's channel is the monitor's. */
static bool keys_are_ours(const struct mux *m)
{
	return framed_on(m) || m->want == MONITOR;
}

static bool can_take_ahead(const struct mux *m)
{
	return m->mon.n_ahead && (!keys_are_ours(m) || !m->mon.busy || m->mon.paused);
}

/* What was typed behind a command that gave the focus away is that guest's. */
static void take_ahead(struct mux *m)
{
	struct monitor *mon = &m->mon;
	size_t i, left;

	for (i = 0; i < mon->n_ahead; i++) {
		if (!keys_are_ours(m))
			vcon_deliver(m, m->src[m->want], mon->ahead[i]);
		else if (!mon->busy || mon->paused)
			take_key(m, mon->ahead[i]);
		else
			break;
	}
	left = mon->n_ahead - i;
	memmove(mon->ahead, mon->ahead + i, left);
	mon->n_ahead = left;
}

static bool is_shown(const struct mux *m)
{
	/* Relaxed: only the owner, which we are, writes it. */
	return framed_on(m) ||
	       (__atomic_load_n(&m->focus, __ATOMIC_RELAXED) == MONITOR && !m->switching);
}

/* What a host has given no credit for stays; until it does there is nothing to go on with. */
static bool waits_for_host(const struct mux *m)
{
	return framed_on(m) && ring_used(&m->mon_vcon.out);
}

bool monitor_wants(const struct mux *m)
{
	return can_take_ahead(m) ||
	       (m->mon.busy && !m->mon.paused && is_shown(m) && !waits_for_host(m));
}

void monitor_work(struct mux *m)
{
	struct monitor *mon = &m->mon;

	if (can_take_ahead(m))
		take_ahead(m);
	if (mon->job.step && is_shown(m) && !mon->paused &&
	    ring_free(&mon->text) >= MON_STEP_TEXT && !mon->job.step(m))
		mon->job.step = NULL;
}

/* Whole lines, so that a message does not come inside one. */
static size_t whole_lines(const uint8_t *text, size_t n)
{
	size_t i;

	for (i = n; i; i--)
		if (text[i - 1] == '\n')
			return i;
	return n;
}

/* How much of the text may go out before the pager stops it. */
static size_t until_stop(struct monitor *mon, const uint8_t *text, size_t n)
{
	size_t i;

	if (!mon->page)
		return n;
	for (i = 0; i < n; i++) {
		if (mon->shown >= mon->page) {
			mon->paused = true;
			return i;
		}
		if (text[i] == '\n')
			mon->shown++;
	}
	return n;
}

void monitor_pump(struct mux *m)
{
	struct monitor *mon = &m->mon;
	uint8_t text[PUMP_CHUNK];
	uint64_t missed = 0;
	size_t n, i;

	if (!mon->busy || mon->paused || !is_shown(m) || ring_used(&m->mon_vcon.out))
		return;
	n = ring_peek(&mon->text, text, sizeof(text), &missed);
	if (!n) {
		if (!mon->job.step)
			end_command(m);
		return;
	}
	n = until_stop(mon, text, whole_lines(text, n));
	for (i = 0; i < n; i++)
		monitor_put(m, (char)text[i]);
	ring_consume(&mon->text, n);
	if (mon->paused)
		monitor_prompt(m);
}
