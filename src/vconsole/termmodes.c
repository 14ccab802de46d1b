/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sequences set, how to undo it and how to bring it back.  Numbers are
 * those of "Xterm Control Sequences" and DEC STD 070.
 */
#include <stdarg.h>

#include "fmt.h"
#include "kstring.h"
#include "termtext.h"

/* Places in the table below. */
enum { MODE_CURSOR_KEYS = 0, MODE_ORIGIN = 2, MODE_CURSOR = 6, MODE_KEYPAD = 8 };

/* DEC private modes that a program sets and another should not find. */
static const struct {
	uint16_t number;
	bool on_at_reset;
} dec_modes[] = {
	{ 1, false },	 /* DECCKM: application cursor keys */
	{ 5, false },	 /* DECSCNM: reverse video */
	{ 6, false },	 /* DECOM: origin at the scroll region */
	{ 7, true },	 /* DECAWM: wrap at the margin */
	{ 9, false },	 /* mouse: X10 */
	{ 12, false },	 /* blinking cursor */
	{ 25, true },	 /* DECTCEM: the cursor is visible */
	{ 45, false },	 /* reverse wrap */
	{ 66, false },	 /* DECNKM: application keypad */
	{ 69, false },	 /* DECLRMM: left and right margins */
	{ 1000, false }, /* mouse: buttons */
	{ 1001, false }, /* mouse: highlight */
	{ 1002, false }, /* mouse: drag */
	{ 1003, false }, /* mouse: all motion */
	{ 1004, false }, /* focus in and out */
	{ 1005, false }, /* mouse coordinates in UTF-8 */
	{ 1006, false }, /* mouse coordinates in SGR form */
	{ 1007, false }, /* wheel as cursor keys */
	{ 1015, false }, /* mouse coordinates in urxvt's form */
	{ 1016, false }, /* mouse coordinates in pixels */
	{ 2004, false }, /* bracketed paste */
	{ 2026, false }, /* synchronized output */
};

_Static_assert(ARRAY_SIZE(dec_modes) <= 32, "`modes` has a bit for each");

void text_add(struct text *text, const char *fmt, ...)
{
	char piece[24];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = fmt_vbuf(piece, sizeof(piece), fmt, ap);
	va_end(ap);
	if (n > text->size - text->len)
		return;
	memcpy(text->buf + text->len, piece, n);
	text->len += n;
}

/* ---- sequences that set something ---- */

static void reset_soft(struct termstate *t)
{
	t->modes &= ~(uint32_t)(BIT(MODE_CURSOR_KEYS) | BIT(MODE_ORIGIN) | BIT(MODE_CURSOR) |
				 BIT(MODE_KEYPAD));
	t->top = t->bottom = 0;
	t->keypad = t->insert = t->shifted = false;
	t->charset[0] = t->charset[1] = 0;
	sgr_reset(t);
}

static void reset_hard(struct termstate *t)
{
	reset_soft(t);
	t->modes = 0;
	t->alternate = 0;
	t->newline = false;
	t->modify_keys = 0;
	t->cursor_style = 0;
}

static void set_dec_mode(struct termstate *t, unsigned number, bool on)
{
	size_t i;

	if (number == 47 || number == 1047 || number == 1049) {
		t->alternate = (uint16_t)(on ? number : 0);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(dec_modes); i++)
		if (dec_modes[i].number == number) {
			if (on == dec_modes[i].on_at_reset)
				t->modes &= ~(uint32_t)BIT(i);
			else
				t->modes |= (uint32_t)BIT(i);
		}
}

static void set_modes(struct termstate *t, bool on)
{
	unsigned i;

	for (i = 0; i < t->n_params; i++) {
		if (t->prefix == '?')
			set_dec_mode(t, t->param[i], on);
		else if (!t->prefix && t->param[i] == 4)
			t->insert = on;
		else if (!t->prefix && t->param[i] == 20)
			t->newline = on;
	}
}

static void set_region(struct termstate *t)
{
	t->top = t->param[0];
	t->bottom = t->param[1];
	if (t->top <= 1 && !t->bottom)
		t->top = 0;
}

void term_apply_csi(struct termstate *t, uint8_t final)
{
	if (t->intermediate) {
		if (final == 'q' && t->intermediate == ' ' && !t->prefix)
			t->cursor_style = (uint8_t)(t->param[0] > 6 ? 0 : t->param[0]);
		if (final == 'p' && t->intermediate == '!' && !t->prefix)
			reset_soft(t);
		return;
	}
	if (final == 'h' || final == 'l')
		set_modes(t, final == 'h');
	else if (final == 'm' && t->prefix == '>' && t->param[0] == 4)
		t->modify_keys = (uint8_t)(t->param[1] > 3 ? 0 : t->param[1]);
	else if (final == 'm' && !t->prefix)
		sgr_apply(t);
	else if (final == 'r' && !t->prefix)
		set_region(t);
}

void term_apply_escape(struct termstate *t, uint8_t final)
{
	if (t->intermediate == '(' || t->intermediate == ')') {
		t->charset[t->intermediate - '('] = final == 'B' ? 0 : final;
		return;
	}
	if (t->intermediate)
		return;
	if (final == '=' || final == '>')
		t->keypad = final == '=';
	else if (final == 'c')
		reset_hard(t);
}

/* ---- undoing ---- */

/*
 * ST ends a string and is nothing by itself; CAN ends anything else.  A
 * character that is not finished is ended by whatever follows.
 */
static void end_unfinished(const struct termstate *t, struct text *text)
{
	if (!term_is_between(t) && !t->utf8_left)
		text_add(text, "\x18\x1b\\");
}

static void switch_modes(const struct termstate *t, struct text *text, bool leave)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dec_modes); i++)
		if (t->modes & BIT(i))
			text_add(text, "\x1b[?%u%c", dec_modes[i].number,
			    dec_modes[i].on_at_reset == leave ? 'h' : 'l');
}

static void undo_charsets(const struct termstate *t, struct text *text)
{
	if (t->shifted)
		text_add(text, "\x0f");
	if (t->charset[0])
		text_add(text, "\x1b(B");
	if (t->charset[1])
		text_add(text, "\x1b)B");
}

/*
 * Setting the region moves the cursor.  On the main screen it has to stay;
 * on the alternate one the program there draws again anyway, and the saved
 * position is the one that leaving that screen goes back to.
 */
static void enter_region(const struct termstate *t, struct text *text)
{
	unsigned top = t->top ? t->top : 1;

	if (t->alternate && t->bottom)
		text_add(text, "\x1b[%u;%ur", top, t->bottom);
	else if (t->alternate && t->top)
		text_add(text, "\x1b[%ur", top);
	else if (t->bottom)
		text_add(text, "\x1b" "7\x1b[%u;%ur\x1b" "8", top, t->bottom);
	else if (t->top)
		text_add(text, "\x1b" "7\x1b[%ur\x1b" "8", top);
}

size_t term_leave(const struct termstate *t, char *buf, size_t size)
{
	struct text text = { .buf = buf, .size = size };

	end_unfinished(t, &text);
	if (sgr_is_set(t))
		text_add(&text, "\x1b[m");
	undo_charsets(t, &text);
	if (t->insert)
		text_add(&text, "\x1b[4l");
	if (t->newline)
		text_add(&text, "\x1b[20l");
	if (t->keypad)
		text_add(&text, "\x1b>");
	if (t->modify_keys)
		text_add(&text, "\x1b[>4m");
	if (t->cursor_style)
		text_add(&text, "\x1b[0 q");
	switch_modes(t, &text, true);
	if (!t->alternate && (t->modes & BIT(MODE_ORIGIN)))
		text_add(&text, "\x1b[999;1H"); /* the cursor went home, over what stands there */
	if (t->top || t->bottom)
		text_add(&text, "%s", t->alternate ? "\x1b[r" : "\x1b" "7\x1b[r\x1b" "8");
	if (t->alternate)
		text_add(&text, "\x1b[?%ul", t->alternate);
	return text.len;
}

/* ---- bringing back ---- */

size_t term_enter(const struct termstate *t, char *buf, size_t size)
{
	struct text text = { .buf = buf, .size = size };

	if (t->alternate)
		text_add(&text, "\x1b[?%uh", t->alternate);
	enter_region(t, &text);
	switch_modes(t, &text, false);
	if (t->keypad)
		text_add(&text, "\x1b=");
	if (t->insert)
		text_add(&text, "\x1b[4h");
	if (t->newline)
		text_add(&text, "\x1b[20h");
	if (t->modify_keys)
		text_add(&text, "\x1b[>4;%um", t->modify_keys);
	if (t->cursor_style)
		text_add(&text, "\x1b[%u q", t->cursor_style);
	if (t->charset[0])
		text_add(&text, "\x1b(%c", t->charset[0]);
	if (t->charset[1])
		text_add(&text, "\x1b)%c", t->charset[1]);
	if (t->shifted)
		text_add(&text, "\x0e");
	sgr_enter(t, &text);
	return text.len;
}

size_t term_suspend(const struct termstate *t, char *buf, size_t size)
{
	struct text text = { .buf = buf, .size = size };

	end_unfinished(t, &text);
	if (sgr_is_set(t))
		text_add(&text, "\x1b[m");
	return text.len;
}
