/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grep over histories.  Lines before a match are not kept: their places are,
 * and the reader goes back there when a match says that they are to be shown.
 */
#include "kstring.h"
#include "mux.h"

static const char *source_name(const struct mux *m, unsigned source)
{
	return source == SOURCE_LOG ? "log" : m->src[source]->name;
}

static void show(struct mux *m, struct history_job *h, bool hit)
{
	const uint64_t n = h->in.number;
	const char mark = hit ? ':' : '-';

	if (h->any && (h->before || h->after) && n != h->shown + 1)
		console_print("--\n");
	if (h->all)
		console_print("%s%c", source_name(m, h->source), mark);
	if (h->number)
		console_print("%llu%c", (unsigned long long)n, mark);
	monitor_print(m, h->in.line, h->in.len);
	monitor_print(m, "\n", 1);
	h->shown = n;
	h->any = true;
}

/* True when lines before this match are to be shown first: the reader is there now. */
static bool went_back(struct history_job *h)
{
	const uint64_t n = h->in.number;
	const uint64_t first = max_u64(h->shown + 1, n > h->before ? n - h->before : 1);

	if (first >= n)
		return false;
	text_seek(&h->in, first, h->starts[first % ARRAY_SIZE(h->starts)]);
	return true;
}

void grep_line(struct mux *m, struct history_job *h)
{
	const uint64_t n = h->in.number;
	const bool hit = pattern_match(&h->pattern, h->in.line, h->in.len) != h->invert;
	const bool is_new = hit && n > h->show_to;

	h->starts[n % ARRAY_SIZE(h->starts)] = h->in.start;
	if (hit)
		h->show_to = max_u64(h->show_to, n + h->after);
	if (is_new && went_back(h))
		return;
	if (n <= h->show_to)
		show(m, h, hit);
}

static bool take_context(const struct options *o, struct history_job *h)
{
	const uint64_t both = option(o, 'C') ? o->number['C'] : 0;
	const uint64_t before = option(o, 'B') ? o->number['B'] : both;
	const uint64_t after = option(o, 'A') ? o->number['A'] : both;

	h->before = (unsigned)min_u64(before, MON_CONTEXT);
	h->after = (unsigned)min_u64(after, MON_CONTEXT);
	if (before <= MON_CONTEXT && after <= MON_CONTEXT)
		return true;
	console_print("grep shows at most %u lines around a match\n", MON_CONTEXT);
	return false;
}

void cmd_grep(struct mux *m, struct args *a)
{
	const struct options *o = &m->mon.options;
	struct history_job *h = &m->mon.job.history;
	unsigned source = m->n_guests ? 0 : SOURCE_LOG;
	char text[MON_LINE];
	const char *error;

	word_plain(a->word[0], text, sizeof(text));
	error = pattern_compile(&h->pattern, text, option(o, 'i'));
	if (error) {
		console_print("'%s' is no pattern: %s\n", text, error);
		return;
	}
	if (a->n > 1)
		source = find_source(m, a->word[1]);
	if (source == NO_SOURCE || !take_context(o, h))
		return;
	h->grep = true;
	h->invert = option(o, 'v');
	h->number = option(o, 'n');
	history_start(m, source, a->n == 1);
}
