/* SPDX-License-Identifier: BSD-2-Clause */
/* Passing a stream on without its questions (see refilter.h). */
#include "refilter.h"
#include "mux.h"

static void hold(struct refilter *f, uint8_t byte)
{
	if (f->term.unit <= REFILTER_HELD)
		f->held[f->n++] = byte;
	else
		f->n = 0;
}

static void pass(struct refilter *f, struct outgoing *o)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		out_byte(o, f->held[i]);
	f->n = 0;
}

/*
 * What was held goes no further.  Bytes of a broken character are passed: the
 * guest wrote them.  ESC in a string was held as its end, but began this.
 */
static void start_over(struct refilter *f, struct outgoing *o)
{
	if (f->n && f->held[0] >= 0x80)
		pass(f, o);
	f->n = 0;
	if (f->term.unit == 2)
		f->held[f->n++] = TERM_ESC;
}

void refilter_byte(struct refilter *f, struct outgoing *o, uint8_t byte)
{
	enum term_event event = term_byte(&f->term, byte);

	if (f->term.broken_off)
		start_over(f, o);
	switch (event) {
	case TERM_CONTROL: /* acts at once, also amid a sequence */
	case TERM_BAD:
		if (byte != TERM_ENQ)
			out_byte(o, byte);
		break;
	case TERM_PART:
		hold(f, byte);
		break;
	case TERM_QUERY:
		f->n = 0;
		break;
	default:
		hold(f, byte);
		pass(f, o);
	}
}

void refilter_rest(struct refilter *f, struct outgoing *o)
{
	pass(f, o);
}
