/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cat and tail: what a guest's ring, or the log, still holds, shown before or
 * not.  The guest writes on meanwhile: what it had written when the command
 * began is read, and what it overwrites before that is done is marked.
 */
#include "kstring.h"
#include "mux.h"

#define CHUNK 256
#define LINE_ROOM (MON_TEXT_LINE + 128) /* a line with what stands before it */

_Static_assert(LINE_ROOM <= MON_STEP_TEXT, "a step can print a line");

#define DEFAULT_LINES 10
#define MAX_LINES 1000000

static void open_source(struct mux *m, struct history_job *h)
{
	text_open(&h->in, h->source == SOURCE_LOG ? NULL : &m->src[h->source]->out);
	h->shown = 0;
	h->show_to = 0;
}

static bool next_source(struct mux *m, struct history_job *h)
{
	if (!h->all || h->source == SOURCE_LOG)
		return false;
	h->source = h->source + 1 < m->n_guests ? h->source + 1 : SOURCE_LOG;
	open_source(m, h);
	return true;
}

/* The place behind the newline that ends the lines before the wanted ones, or not yet. */
static bool found_back(struct history_job *h, uint64_t from, const uint8_t *data, size_t n)
{
	size_t i;

	for (i = n; i; i--) {
		/* The newline at the very end begins no line. */
		if (data[i - 1] != '\n' || from + i == h->back_end)
			continue;
		if (--h->back_lines == 0) {
			text_seek(&h->in, 1, from + i);
			return true;
		}
	}
	return false;
}

/* tail: goes back from the end; when it returns, the place is found or the budget is used. */
static void seek_back(struct history_job *h, size_t *budget)
{
	uint8_t chunk[CHUNK];
	uint64_t missed = 0, from, pos;
	size_t n;

	while (*budget && h->back_pos > h->in.pos) {
		n = (size_t)min_u64(min_u64(sizeof(chunk), *budget), h->back_pos - h->in.pos);
		from = h->back_pos - n;
		pos = from;
		n = ring_read_at(h->in.ring, &pos, h->back_pos, chunk, n, &missed);
		h->seeking = !found_back(h, pos - n, chunk, n) && !missed;
		if (missed)
			text_seek(&h->in, 1, pos - n);
		if (!h->seeking)
			return;
		h->back_pos = from;
		*budget -= n;
	}
	h->seeking = h->back_pos > h->in.pos;
}

static void show_lost(const struct history_job *h)
{
	console_print("[%llu %s overwritten while this was read]\n",
		      (unsigned long long)h->in.lost, h->in.ring ? "bytes" : "records");
}

static void show_line(struct mux *m, const struct history_job *h)
{
	monitor_print(m, h->in.line, h->in.len);
	monitor_print(m, "\n", 1);
}

static bool history_step(struct mux *m)
{
	struct history_job *h = &m->mon.job.history;
	size_t budget = MON_STEP_INPUT;

	if (h->seeking)
		seek_back(h, &budget);
	while (budget && ring_free(&m->mon.text) >= LINE_ROOM) {
		switch (text_next(m, &h->in, &budget)) {
		case TEXT_LINE:
			if (h->grep)
				grep_line(m, h);
			else
				show_line(m, h);
			break;
		case TEXT_LOST:
			show_lost(h);
			h->in.lost = 0;
			break;
		case TEXT_END:
			if (next_source(m, h))
				break;
			if (h->grep && !h->any)
				console_print("nothing matches\n");
			return false;
		case TEXT_MORE:
		default:
			return true;
		}
	}
	return true;
}

void history_start(struct mux *m, unsigned source, bool all)
{
	struct history_job *h = &m->mon.job.history;

	h->source = source;
	h->all = all;
	h->any = false;
	h->seeking = false;
	open_source(m, h);
	m->mon.job.step = history_step;
}

static void start_tail(struct mux *m, unsigned source, uint64_t lines)
{
	struct history_job *h = &m->mon.job.history;

	h->grep = false;
	history_start(m, source, false);
	if (!h->in.ring) {
		h->in.pos = max_u64(h->in.pos, h->in.end > lines ? h->in.end - lines : 0);
		return;
	}
	h->seeking = true;
	h->back_lines = lines;
	h->back_pos = h->in.end;
	h->back_end = h->in.end;
}

void cmd_cat(struct mux *m, struct args *a)
{
	const unsigned source = find_source(m, a->word[0]);

	if (source == NO_SOURCE)
		return;
	m->mon.job.history.grep = false;
	history_start(m, source, false);
}

void cmd_tail(struct mux *m, struct args *a)
{
	const struct options *o = &m->mon.options;
	const unsigned source = find_source(m, a->word[0]);
	uint64_t lines = DEFAULT_LINES;

	if (option(o, '#'))
		lines = o->number['#'];
	if (option(o, 'n'))
		lines = o->number['n'];
	if (!lines || lines > MAX_LINES)
		console_print("tail shows 1 to %u lines\n", MAX_LINES);
	else if (source != NO_SOURCE)
		start_tail(m, source, lines);
}

void log_tail(struct mux *m, uint64_t n)
{
	start_tail(m, SOURCE_LOG, n);
}
