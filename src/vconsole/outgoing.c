/* SPDX-License-Identifier: BSD-2-Clause */
/* Composing what goes to the terminal, knowing whether its line is empty. */
#include "mux.h"

void out_byte(struct outgoing *o, uint8_t byte)
{
	if (o->len == OUT_SIZE)
		return; /* every item is bounded well below this */
	o->buf[o->len++] = byte;
	if (byte == '\n')
		o->line_empty = true;
	else if (byte != '\r') /* the cursor goes home, but the line stays what it is */
		o->line_empty = false;
}

void out_raw(struct outgoing *o, uint8_t byte)
{
	if (o->len < OUT_SIZE)
		o->buf[o->len++] = byte;
}

void out_text(struct outgoing *o, const char *text)
{
	for (; *text; text++)
		out_byte(o, (uint8_t)*text);
}

void out_own_line(struct outgoing *o)
{
	if (!o->line_empty)
		out_text(o, "\r\n");
}

void out_message(struct outgoing *o, const char *text)
{
	out_own_line(o);
	out_text(o, "[bulkhead: ");
	for (; *text; text++)
		out_byte(o, (uint8_t)(*text >= ' ' && *text <= '~' ? *text : '?'));
	out_text(o, "]\r\n");
}
