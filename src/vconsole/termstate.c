/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser: which bytes belong together (ECMA-48 5.3, 5.4, 5.6; UTF-8 as in
 * RFC 3629).  Control characters act amid a sequence; ESC starts anew, CAN
 * and SUB break off.  C1 controls are known in their 7-bit form only: in
 * UTF-8 their 8-bit form is no character.
 */
#include "kstring.h"
#include "termstate.h"

enum {
	C0_ENQ = TERM_ENQ, C0_BEL = 0x07, C0_SO = 0x0E, C0_SI = 0x0F, C0_CAN = 0x18, C0_SUB = 0x1A,
	C0_ESC = TERM_ESC, C0_DEL = 0x7F,
};

enum {
	GROUND,
	ESCAPE,	      /* after ESC */
	ESCAPE_INTER, /* after ESC and an intermediate byte */
	CSI_PARAM,
	CSI_INTER,
	STRING,	      /* until ST; OSC also until BEL */
	STRING_ESC,   /* ESC in a string: ST, or a new sequence */
};

#define PARAM_LIMIT 9999 /* larger numbers mean nothing, but must not wrap around */

static void count_unit(struct termstate *t)
{
	if (t->unit < UINT32_MAX)
		t->unit++;
}

static enum term_event done(struct termstate *t, enum term_event event)
{
	t->parser = GROUND;
	t->utf8_left = 0;
	return event;
}

bool term_is_between(const struct termstate *t)
{
	return t->parser == GROUND && !t->utf8_left;
}

void term_break_off(struct termstate *t)
{
	t->parser = GROUND;
	t->utf8_left = 0;
	t->unit = 0;
}

/* ---- UTF-8 ---- */

/* The table of well-formed byte sequences: overlong forms and surrogates begin with none of these. */
static enum term_event first_of_character(struct termstate *t, uint8_t byte)
{
	if (byte < 0x80)
		return TERM_CHAR;
	if (byte < 0xC2 || byte > 0xF4)
		return TERM_BAD;
	t->utf8_left = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
	t->utf8_low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
	t->utf8_high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
	return TERM_PART;
}

static bool continues_character(struct termstate *t, uint8_t byte)
{
	if (byte < t->utf8_low || byte > t->utf8_high)
		return false;
	t->utf8_low = 0x80;
	t->utf8_high = 0xBF;
	t->utf8_left--;
	return true;
}

/* ---- sequences ---- */

static enum term_event begin_escape(struct termstate *t)
{
	t->unit = 1;
	t->parser = ESCAPE;
	t->prefix = 0;
	t->intermediate = 0;
	return TERM_PART;
}

static enum term_event control(struct termstate *t, uint8_t byte)
{
	switch (byte) {
	case C0_CAN:
	case C0_SUB:
		if (!term_is_between(t))
			t->broken_off = true;
		return done(t, TERM_CONTROL);
	case C0_SO:
	case C0_SI:
		t->shifted = byte == C0_SO;
		return TERM_CONTROL;
	case C0_ENQ:
		return t->parser == GROUND ? TERM_QUERY : TERM_CONTROL;
	default:
		return TERM_CONTROL;
	}
}

static enum term_event begin_csi(struct termstate *t)
{
	t->parser = CSI_PARAM;
	t->n_params = 0;
	t->colon = 0;
	memset(t->param, 0, sizeof(t->param));
	return TERM_PART;
}

static enum term_event begin_string(struct termstate *t, uint8_t introducer)
{
	t->parser = STRING;
	t->introducer = introducer;
	t->question = false;
	return TERM_PART;
}

static enum term_event escape(struct termstate *t, uint8_t byte)
{
	if (byte >= 0x20 && byte <= 0x2F) {
		t->intermediate = byte;
		t->parser = ESCAPE_INTER;
		return TERM_PART;
	}
	if (t->parser == ESCAPE && byte == '[')
		return begin_csi(t);
	if (t->parser == ESCAPE && (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' ||
				    byte == '_'))
		return begin_string(t, byte);
	if (byte > 0x7E) {
		t->broken_off = true;
		return done(t, TERM_BAD);
	}
	term_apply_escape(t, byte);
	/* DECID is an old way to ask for the device attributes. */
	return done(t, t->parser == ESCAPE && byte == 'Z' ? TERM_QUERY : TERM_SEQUENCE);
}

static void add_digit(struct termstate *t, uint8_t byte)
{
	unsigned value;

	if (!t->n_params)
		t->n_params = 1;
	value = t->param[t->n_params - 1] * 10U + (unsigned)(byte - '0');
	t->param[t->n_params - 1] = (uint16_t)(value > PARAM_LIMIT ? PARAM_LIMIT : value);
}

/* Parameters that find no room are as if they were not there. */
static void next_param(struct termstate *t, uint8_t separator)
{
	if (!t->n_params)
		t->n_params = 1;
	if (t->n_params == TERM_PARAMS)
		t->param[TERM_PARAMS - 1] = 0;
	else
		t->n_params++;
	if (separator == ':')
		t->colon |= (uint16_t)BIT(t->n_params - 1);
}

/* Does the terminal send something back for this control sequence? */
static bool csi_asks(const struct termstate *t, uint8_t final)
{
	switch (final) {
	case 'c': /* DA1, DA2, DA3 */
		return true;
	case 'n': /* DSR; with '>' it sets a mode of xterm's */
		return t->prefix != '>';
	case 'p': /* DECRQM */
		return t->intermediate == '$';
	case 'q': /* XTVERSION */
		return t->prefix == '>';
	case 'S': /* XTSMGRAPHICS; without a prefix it scrolls */
		return t->prefix == '?';
	case 't': /* reports of the window's size and title */
		return !t->prefix && !t->intermediate && t->param[0] >= 11 && t->param[0] <= 21;
	case 'u': /* the keyboard protocol's flags; DECRQTSR */
		return t->prefix == '?' || t->intermediate == '$';
	case 'w': /* DECRQPSR, DECEFR */
		return t->intermediate == '$';
	case 'x': /* DECREQTPARM; with an intermediate byte it fills */
		return !t->intermediate;
	case 'y': /* DECRQCRA */
		return t->intermediate == '*';
	default:
		return false;
	}
}

static enum term_event end_csi(struct termstate *t, uint8_t final)
{
	if (csi_asks(t, final))
		return done(t, TERM_QUERY);
	term_apply_csi(t, final);
	return done(t, final == 'm' && !t->prefix && !t->intermediate ? TERM_SGR : TERM_SEQUENCE);
}

static enum term_event csi(struct termstate *t, uint8_t byte)
{
	if (byte >= 0x40 && byte <= 0x7E)
		return end_csi(t, byte);
	if (byte > 0x7E) {
		t->broken_off = true;
		return done(t, TERM_BAD);
	}
	if (byte < 0x30) {
		t->intermediate = byte;
		t->parser = CSI_INTER;
	} else if (byte >= '<') {
		t->prefix = byte;
	} else if (byte <= '9') {
		add_digit(t, byte);
	} else {
		next_param(t, byte);
	}
	return TERM_PART;
}

/* All but OSC strings are questions, or answered like them (DECRQSS, graphics). */
static enum term_event end_string(struct termstate *t)
{
	return done(t, t->introducer != ']' || t->question ? TERM_QUERY : TERM_SEQUENCE);
}

static enum term_event string(struct termstate *t, uint8_t byte)
{
	if (byte == C0_ESC) {
		t->parser = STRING_ESC;
		return TERM_PART;
	}
	if (byte == C0_BEL && t->introducer == ']')
		return end_string(t);
	if (byte == C0_CAN || byte == C0_SUB)
		return control(t, byte);
	if (byte == '?')
		t->question = true;
	return TERM_PART;
}

static enum term_event string_escape(struct termstate *t, uint8_t byte)
{
	if (byte == '\\')
		return end_string(t);
	/* Another sequence begins: the string ended without its terminator. */
	t->broken_off = true;
	begin_escape(t);
	t->unit = 2;
	if (byte == C0_ESC)
		return begin_escape(t);
	return escape(t, byte);
}

/* A byte that is part of an unfinished sequence; strings take nearly everything. */
static enum term_event within_sequence(struct termstate *t, uint8_t byte)
{
	count_unit(t);
	if (t->parser == STRING)
		return string(t, byte);
	if (t->parser == STRING_ESC)
		return string_escape(t, byte);
	if (byte == C0_ESC) {
		t->broken_off = true;
		return begin_escape(t);
	}
	if (byte < 0x20)
		return control(t, byte);
	if (byte == C0_DEL) /* ignored everywhere */
		return TERM_CONTROL;
	return t->parser == ESCAPE || t->parser == ESCAPE_INTER ? escape(t, byte) : csi(t, byte);
}

enum term_event term_byte(struct termstate *t, uint8_t byte)
{
	t->broken_off = false;
	if (t->parser != GROUND)
		return within_sequence(t, byte);
	if (t->utf8_left) {
		count_unit(t);
		if (continues_character(t, byte))
			return t->utf8_left ? TERM_PART : TERM_CHAR;
		t->utf8_left = 0;
		t->broken_off = true;
	}
	t->unit = 1;
	if (byte == C0_ESC)
		return begin_escape(t);
	if (byte < 0x20 || byte == C0_DEL)
		return control(t, byte);
	return first_of_character(t, byte);
}
