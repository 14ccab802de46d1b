/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A history line by line, as text: escape sequences and carriage returns are
 * left out, other control characters are shown as ^X, so that what a guest
 * wrote does nothing to the terminal on which it is read again.
 */
#include "fmt.h"
#include "mux.h"

#define CHUNK 256
#define RECORD_COST 64 /* of the budget, beside its text: a record is read, formatted, copied */
#define CONTROL_TO_LETTER 0x40

/* ECMA-48: ESC, intermediates and a final; CSI; the strings that OSC, DCS, SOS, PM, APC begin. */
enum { PLAIN, AFTER_ESC, IN_CSI, IN_STRING, IN_STRING_ESC };

void text_open(struct text_reader *r, const struct ring *ring)
{
	r->ring = ring;
	r->end = ring ? ring_head(ring) : log_newest();
	r->pos = min_u64(ring ? ring_oldest(ring) : log_oldest(), r->end);
	r->lost = 0;
	text_seek(r, 1, r->pos);
}

void text_seek(struct text_reader *r, uint64_t number, uint64_t start)
{
	r->pos = start;
	r->number = number - 1;
	r->len = 0;
	r->escape = PLAIN;
	r->open = false;
}

static void after_esc(struct text_reader *r, uint8_t byte)
{
	if (byte == '[')
		r->escape = IN_CSI;
	else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
		r->escape = IN_STRING;
	else if (byte < ' ' || byte > '/') /* no intermediate: the final */
		r->escape = PLAIN;
}

/* True when the byte is part of an escape sequence. */
static bool in_escape(struct text_reader *r, uint8_t byte)
{
	switch (r->escape) {
	case AFTER_ESC:
		after_esc(r, byte);
		return true;
	case IN_CSI:
		if (byte >= '@')
			r->escape = PLAIN;
		return true;
	case IN_STRING_ESC:
	case IN_STRING:
		if (byte == '\a' || (r->escape == IN_STRING_ESC && byte == '\\'))
			r->escape = PLAIN;
		else
			r->escape = byte == KEY_ESC ? IN_STRING_ESC : IN_STRING;
		return true;
	default:
		if (byte == KEY_ESC)
			r->escape = AFTER_ESC;
		return byte == KEY_ESC;
	}
}

static void add(struct text_reader *r, uint8_t byte)
{
	if (in_escape(r, byte) || byte == '\r')
		return;
	if (byte >= ' ' && byte != KEY_DEL) {
		r->line[r->len++] = (char)byte;
	} else if (byte == '\t') {
		r->line[r->len++] = '\t';
	} else {
		r->line[r->len++] = '^';
		r->line[r->len++] = (char)(byte ^ CONTROL_TO_LETTER);
	}
}

/* Bytes 10xxxxxx continue a UTF-8 character, of which there are at most three. */
static bool is_full(const struct text_reader *r, uint8_t next)
{
	return r->len >= MON_TEXT_LINE + 3 || (r->len >= MON_TEXT_LINE && (next & 0xC0) != 0x80);
}

static void begin_line(struct text_reader *r, uint64_t pos)
{
	if (r->open)
		return;
	r->open = true;
	r->start = pos;
	r->len = 0;
}

static enum text_result end_line(struct text_reader *r)
{
	r->open = false;
	r->number++;
	return TEXT_LINE;
}

/* Takes bytes of a chunk that began at `pos`; true when a line is complete. */
static bool take_chunk(struct text_reader *r, uint64_t pos, const uint8_t *chunk, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		begin_line(r, pos + i);
		if (chunk[i] == '\n')
			r->escape = PLAIN; /* no sequence goes on over a newline */
		if (chunk[i] == '\n' || is_full(r, chunk[i])) {
			r->pos = pos + i + (chunk[i] == '\n');
			return true;
		}
		add(r, chunk[i]);
	}
	return false;
}

static enum text_result next_of_ring(struct text_reader *r, size_t *budget)
{
	uint8_t chunk[CHUNK];
	uint64_t missed = 0, from;
	size_t n;

	while (*budget) {
		n = ring_read_at(r->ring, &r->pos, r->end, chunk,
				 (size_t)min_u64(sizeof(chunk), *budget), &missed);
		from = r->pos - n;
		if (missed) { /* what was read of this line stands alone; then the mark */
			r->lost = missed;
			r->pos = from;
			*budget -= (size_t)min_u64(*budget, CHUNK);
			r->escape = PLAIN;
			return r->open ? end_line(r) : TEXT_MORE;
		}
		if (!n)
			return r->open ? end_line(r) : TEXT_END;
		*budget -= n;
		if (take_chunk(r, from, chunk, n)) {
			*budget += from + n - r->pos;
			return end_line(r);
		}
	}
	return TEXT_MORE;
}

static enum text_result next_of_log(const struct mux *m, struct text_reader *r, size_t *budget)
{
	struct log_record record;
	uint64_t lost = 0, us;

	while (*budget) {
		const uint64_t from = r->pos;

		if (r->pos >= r->end || !log_read(&r->pos, &record, &lost))
			return TEXT_END;
		if (lost) {
			r->lost = lost;
			*budget -= (size_t)min_u64(*budget, RECORD_COST);
			r->pos = max_u64(r->pos - 1, from);
			return TEXT_MORE;
		}
		if (r->pos > r->end)
			return TEXT_END;
		begin_line(r, from);
		record.text[LOG_TEXT - 1] = '\0';
		us = m->ops->tsc_to_us ? m->ops->tsc_to_us(record.tsc) : record.tsc;
		r->len = fmt_buf(r->line, sizeof(r->line), "%llu.%06llu cpu%u %s: %s",
				 (unsigned long long)us / 1000000, (unsigned long long)us % 1000000,
				 record.cpu, log_level_name((enum log_level)record.level),
				 record.text);
		*budget -= (size_t)min_u64(*budget, r->len + RECORD_COST);
		return end_line(r);
	}
	return TEXT_MORE;
}

enum text_result text_next(const struct mux *m, struct text_reader *r, size_t *budget)
{
	enum text_result result;

	if (!r->lost) {
		result = r->ring ? next_of_ring(r, budget) : next_of_log(m, r, budget);
		if (result != TEXT_MORE || !r->lost)
			return result;
	}
	return TEXT_LOST;
}
