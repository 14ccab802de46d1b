/* SPDX-License-Identifier: BSD-2-Clause */
/* What a terminal sends for its keys (ECMA-48 5.4, and xterm's and the VT220's editing keys). */
#include "monitor.h"

#define MAX_NUMBER 1000 /* a parameter beyond this is no key that we know */

enum { STATE_PLAIN, STATE_ESC, STATE_SEQUENCE };

/* ESC [ A or, in application mode, ESC O A. */
static int final_key(uint8_t final, unsigned number)
{
	switch (final) {
	case 'A': return KEY_UP;
	case 'B': return KEY_DOWN;
	case 'C': return KEY_RIGHT;
	case 'D': return KEY_LEFT;
	case 'H': return KEY_HOME;
	case 'F': return KEY_END;
	case '~': break;
	default: return KEY_UNKNOWN;
	}
	switch (number) {
	case 1:
	case 7: return KEY_HOME;
	case 3: return KEY_DELETE;
	case 4:
	case 8: return KEY_END;
	default: return KEY_UNKNOWN;
	}
}

static int in_sequence(struct key_decoder *d, uint8_t byte)
{
	if (byte >= '0' && byte <= '9') {
		if (d->number < MAX_NUMBER)
			d->number = d->number * 10 + (byte - '0');
		return KEY_NONE;
	}
	if (byte >= ' ' && byte < '@') /* more parameters: a key with a modifier */
		return KEY_NONE;
	d->state = STATE_PLAIN;
	if (byte < ' ')
		return byte; /* the sequence was broken off */
	return final_key(byte, d->number);
}

int key_decode(struct key_decoder *d, uint8_t byte)
{
	const bool after_cr = d->after_cr;

	d->after_cr = byte == '\r';
	if (d->state == STATE_SEQUENCE)
		return in_sequence(d, byte);
	if (byte == KEY_ESC) {
		d->state = STATE_ESC;
		return KEY_NONE;
	}
	if (d->state == STATE_ESC) {
		d->state = STATE_PLAIN;
		if (byte == '[' || byte == 'O') {
			d->state = STATE_SEQUENCE;
			d->number = 0;
			return KEY_NONE;
		}
	}
	if (byte == '\n' && after_cr) /* one Enter of a terminal that sends both */
		return KEY_NONE;
	return byte == '\n' ? '\r' : byte;
}
