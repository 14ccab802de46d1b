/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a terminal makes of a stream of bytes, as far as it outlasts them:
 * where a character or an escape sequence begins and ends (ECMA-48, UTF-8),
 * and which modes the writer has changed (xterm's control sequences).  Pure
 * code with bounded state; the bytes are a guest's and may be anything.
 *
 * Known is what was set, not what the screen shows: there is no picture of it.
 */
#ifndef BULKHEAD_VCONSOLE_TERMSTATE_H
#define BULKHEAD_VCONSOLE_TERMSTATE_H

#include "types.h"

#define TERM_ENQ 0x05 /* asks for the terminal's answerback, also amid a sequence */
#define TERM_ESC 0x1B
#define TERM_PARAMS 16
#define TERM_TEXT_MAX 512 /* the longest text that term_leave and term_enter write */

/* What a byte did. */
enum term_event {
	TERM_PART,     /* it belongs to a character or sequence that goes on */
	TERM_CHAR,     /* it ends a printable character */
	TERM_CONTROL,  /* a control character, possibly amid a sequence that goes on */
	TERM_BAD,      /* no UTF-8: it ends nothing that could be shown */
	TERM_SGR,      /* it ends a sequence that sets colours and the like */
	TERM_SEQUENCE, /* it ends any other sequence */
	TERM_QUERY,    /* it ends (or is) a question that the terminal answers */
};

struct term_colour {
	uint8_t kind; /* enum in termmodes.c; 0: the terminal's default */
	uint8_t r, g, b; /* r is the index of an indexed colour */
};

/* All zero is a terminal as it was switched on. */
struct termstate {
	/* The parser. */
	uint8_t parser;
	uint8_t utf8_left;	/* bytes that the character still needs */
	uint8_t utf8_low, utf8_high; /* what the next one may be */
	uint8_t prefix, intermediate, introducer;
	bool question;		/* of an OSC string: it asks for something */
	uint8_t n_params;
	bool broken_off;	/* the last byte ended an unfinished unit before its time */
	uint32_t unit;		/* bytes of the present character or sequence; stops at its maximum */
	uint16_t param[TERM_PARAMS];
	uint16_t colon;		/* bit i: param[i] follows a colon */

	/* What is set, as differences from a terminal that was just reset. */
	uint32_t modes;		/* a bit per entry of dec_modes in termmodes.c */
	uint16_t alternate;	/* the mode that switched to the alternate screen; 0: none */
	uint16_t top, bottom;	/* the scroll region; 0, 0: the whole screen */
	bool keypad, insert, newline;
	uint8_t modify_keys;	/* xterm's modifyOtherKeys */
	uint8_t cursor_style;
	uint8_t charset[2];	/* final bytes; 0: ASCII */
	bool shifted;		/* G1 is in use */
	uint32_t sgr;		/* a bit per attribute */
	uint8_t underline;	/* style; 0: none */
	struct term_colour fg, bg, line_colour;
};

/* The next byte of the stream. */
enum term_event term_byte(struct termstate *t, uint8_t byte);
/* Between characters and sequences? */
bool term_is_between(const struct termstate *t);
/* Forgets an unfinished character or sequence: the bytes before are not what comes next. */
void term_break_off(struct termstate *t);

/*
 * The functions below write at most `size` bytes, without a terminator, and
 * return how many; TERM_TEXT_MAX is always enough.
 */

/* Ends what is unfinished and undoes what is set. */
size_t term_leave(const struct termstate *t, char *buf, size_t size);
/* Brings what is set back to a terminal that was reset. */
size_t term_enter(const struct termstate *t, char *buf, size_t size);
/* The same for colours and attributes alone; nothing when none are set. */
size_t term_enter_sgr(const struct termstate *t, char *buf, size_t size);
/* Ends an unfinished sequence and resets the attributes: before a line of somebody else's. */
size_t term_suspend(const struct termstate *t, char *buf, size_t size);

/* termmodes.c, for the parser: a complete sequence. */
void term_apply_csi(struct termstate *t, uint8_t final);
void term_apply_escape(struct termstate *t, uint8_t final);

#endif
