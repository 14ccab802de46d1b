/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Colours and attributes: SGR of ECMA-48 (8.3.117) with what xterm and its
 * like add: more colours, styles of underline, parameters grouped by colons.
 */
#include "termtext.h"

enum { COLOUR_DEFAULT, COLOUR_INDEXED, COLOUR_RGB };

/* SGR attributes by their number; underline and colours are kept apart. */
#define SGR_LAST 9
#define SGR_UNDERLINE 4
#define SGR_DOUBLE 21
#define SGR_OVERLINE 53

bool sgr_is_set(const struct termstate *t)
{
	return t->sgr || t->underline || t->fg.kind || t->bg.kind || t->line_colour.kind;
}

/* Where the parameters that belong to `i` by colons end. */
static unsigned end_of_group(const struct termstate *t, unsigned i)
{
	for (i++; i < t->n_params && (t->colon & BIT(i)); i++)
		;
	return i;
}

/* 38, 48 or 58 at `i`; returns where the next attribute stands. */
static unsigned set_colour(const struct termstate *t, struct term_colour *c, unsigned i)
{
	const unsigned group = end_of_group(t, i);
	const bool colons = group > i + 1;
	const unsigned end = colons ? group : t->n_params;
	const uint16_t *p = t->param + i;
	unsigned n = end - i;

	if (n >= 3 && p[1] == 5) {
		*c = (struct term_colour){ .kind = COLOUR_INDEXED, .r = (uint8_t)p[2] };
		return colons ? group : i + 3;
	}
	if (n >= 5 && p[1] == 2) {
		if (colons && n >= 6) /* with a colour space, which is usually empty */
			p++;
		*c = (struct term_colour){ .kind = COLOUR_RGB, .r = (uint8_t)p[2],
					   .g = (uint8_t)p[3], .b = (uint8_t)p[4] };
		return colons ? group : i + 5;
	}
	return end;
}

static void set_indexed(struct term_colour *c, unsigned index)
{
	*c = (struct term_colour){ .kind = COLOUR_INDEXED, .r = (uint8_t)index };
}

void sgr_reset(struct termstate *t)
{
	t->sgr = 0;
	t->underline = 0;
	t->fg.kind = t->bg.kind = t->line_colour.kind = COLOUR_DEFAULT;
}

static void set_plain_colour(struct termstate *t, unsigned p)
{
	if (p == 39)
		t->fg.kind = COLOUR_DEFAULT;
	else if (p == 49)
		t->bg.kind = COLOUR_DEFAULT;
	else if (p == 59)
		t->line_colour.kind = COLOUR_DEFAULT;
	else if (p >= 30 && p <= 37)
		set_indexed(&t->fg, p - 30);
	else if (p >= 40 && p <= 47)
		set_indexed(&t->bg, p - 40);
	else if (p >= 90 && p <= 97)
		set_indexed(&t->fg, p - 90 + 8);
	else if (p >= 100 && p <= 107)
		set_indexed(&t->bg, p - 100 + 8);
}

static void set_attribute(struct termstate *t, unsigned p)
{
	if (p == 0)
		sgr_reset(t);
	else if (p == SGR_UNDERLINE)
		t->underline = 1;
	else if (p == SGR_DOUBLE)
		t->underline = 2;
	else if (p <= SGR_LAST)
		t->sgr |= (uint32_t)BIT(p);
	else if (p == 22) /* neither bold nor faint */
		t->sgr &= ~(uint32_t)(BIT(1) | BIT(2));
	else if (p == 24)
		t->underline = 0;
	else if (p >= 23 && p <= 29)
		t->sgr &= ~(uint32_t)BIT(p - 20);
	else if (p == SGR_OVERLINE)
		t->sgr |= (uint32_t)BIT(10);
	else if (p == 55)
		t->sgr &= ~(uint32_t)BIT(10);
	else
		set_plain_colour(t, p);
}

void sgr_apply(struct termstate *t)
{
	unsigned i = 0;

	if (!t->n_params)
		sgr_reset(t);
	while (i < t->n_params) {
		const unsigned p = t->param[i], next = end_of_group(t, i);

		if (p == 38 || p == 48 || p == 58) {
			i = set_colour(t, p == 38 ? &t->fg : p == 48 ? &t->bg : &t->line_colour, i);
			continue;
		}
		if (p == SGR_UNDERLINE && next > i + 1)
			t->underline = (uint8_t)(t->param[i + 1] > 5 ? 1 : t->param[i + 1]);
		else
			set_attribute(t, p);
		i = next;
	}
}

static void add_colour(struct text *text, unsigned base, const struct term_colour *c)
{
	if (c->kind == COLOUR_INDEXED) {
		text_add(text, ";%u;5;%u", base, c->r);
	} else if (c->kind == COLOUR_RGB) {
		text_add(text, ";%u;2;%u", base, c->r);
		text_add(text, ";%u;%u", c->g, c->b);
	}
}

void sgr_enter(const struct termstate *t, struct text *text)
{
	unsigned i;

	if (!sgr_is_set(t))
		return;
	text_add(text, "\x1b[0");
	for (i = 1; i <= SGR_LAST; i++)
		if (t->sgr & BIT(i))
			text_add(text, ";%u", i);
	if (t->sgr & BIT(10))
		text_add(text, ";%u", SGR_OVERLINE);
	if (t->underline == 1)
		text_add(text, ";%u", SGR_UNDERLINE);
	else if (t->underline == 2)
		text_add(text, ";%u", SGR_DOUBLE);
	else if (t->underline)
		text_add(text, ";%u:%u", SGR_UNDERLINE, t->underline);
	add_colour(text, 38, &t->fg);
	add_colour(text, 48, &t->bg);
	add_colour(text, 58, &t->line_colour);
	text_add(text, "m");
}

size_t term_enter_sgr(const struct termstate *t, char *buf, size_t size)
{
	struct text text = { .buf = buf, .size = size };

	sgr_enter(t, &text);
	return text.len;
}
