/* SPDX-License-Identifier: BSD-2-Clause */
/* What the TAB key does: completes the word before the cursor, or lists what fits. */
#include "kstring.h"
#include "mux.h"

static const char *of_list(const char *const *list, unsigned n, unsigned i)
{
	return i < n ? list[i] : NULL;
}

static const char *guest_or(const struct mux *m, unsigned i, const char *behind)
{
	if (i < m->n_guests)
		return m->src[i]->name;
	return i == m->n_guests ? behind : NULL;
}

/* Candidate number `i`; NULL behind the last one. */
static const char *candidate(const struct mux *m, enum complete_what what, unsigned i)
{
	static const char *const log_words[] = { "level" };
	static const char *const switches[] = { "on", "off" };

	switch (what) {
	case COMPLETE_COMMAND:
		return i < monitor_n_commands ? monitor_commands[i].name : NULL;
	case COMPLETE_GUEST: return guest_or(m, i, NULL);
	case COMPLETE_FOCUS: return guest_or(m, i, "monitor");
	case COMPLETE_SOURCE: return guest_or(m, i, "log");
	case COMPLETE_LOG: return of_list(log_words, ARRAY_SIZE(log_words), i);
	case COMPLETE_LEVEL: return i <= LOG_DEBUG ? log_level_name((enum log_level)i) : NULL;
	case COMPLETE_SWITCH: return of_list(switches, ARRAY_SIZE(switches), i);
	case COMPLETE_NOTHING:
	default: return NULL;
	}
}

static const struct command *command_named(struct span name)
{
	unsigned i;

	for (i = 0; i < monitor_n_commands; i++)
		if (span_is(name, monitor_commands[i].name))
			return &monitor_commands[i];
	return NULL;
}

/* What may stand behind these words. */
static enum complete_what what_follows(const struct words *before)
{
	const struct command *c;
	unsigned i, place = 0;

	if (!before->n)
		return COMPLETE_COMMAND;
	c = command_named(before->word[0]);
	if (!c)
		return COMPLETE_NOTHING;
	for (i = 1; i < before->n; i++)
		if (!c->options || before->word[i].at[0] != '-')
			place++;
	return place < ARRAY_SIZE(c->complete) ? c->complete[place] : COMPLETE_NOTHING;
}

static bool begins_with(const char *name, struct span s)
{
	return strlen(name) >= s.len && !memcmp(name, s.at, s.len);
}

static size_t common_length(const char *a, const char *b, size_t len)
{
	size_t i = 0;

	while (i < len && a[i] == b[i])
		i++;
	return i;
}

/* How many candidates fit; the first of them, and how much of it they have in common. */
static unsigned fitting(const struct mux *m, enum complete_what what, struct span word,
			const char **first, size_t *common)
{
	const char *name;
	unsigned i, n = 0;

	for (i = 0; (name = candidate(m, what, i)) != NULL; i++) {
		if (!begins_with(name, word))
			continue;
		if (!n++) {
			*first = name;
			*common = strlen(name);
		}
		*common = common_length(*first, name, *common);
	}
	return n;
}

static void list_fitting(struct mux *m, enum complete_what what, struct span word)
{
	const char *name;
	unsigned i;

	monitor_echo(m, "\r\n");
	for (i = 0; (name = candidate(m, what, i)) != NULL; i++) {
		if (!begins_with(name, word))
			continue;
		monitor_echo(m, name);
		monitor_echo(m, "  ");
	}
	monitor_echo(m, "\r\n");
	line_show(m);
}

/* The word that the cursor is behind. */
static struct span word_at_cursor(const struct line_editor *e)
{
	size_t from = e->cursor;

	while (from && e->line[from - 1] != ' ')
		from--;
	return (struct span){ e->line + from, e->cursor - from };
}

void line_complete(struct mux *m)
{
	const struct line_editor *e = &m->mon.edit;
	const struct span word = word_at_cursor(e);
	enum complete_what what = COMPLETE_NOTHING;
	const char *first = NULL;
	struct words before;
	size_t common = 0;
	unsigned n = 0;

	if (!words_split((struct span){ e->line, (size_t)(word.at - e->line) }, &before))
		what = what_follows(&before);
	n = fitting(m, what, word, &first, &common);
	if (!n)
		monitor_put(m, KEY_BELL);
	else if (common > word.len)
		line_insert(m, first + word.len, common - word.len);
	else if (n > 1)
		list_fitting(m, what, word);
	if (n == 1)
		line_insert(m, " ", 1);
}
