/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of commands: -x, -xy, -A3, -A 3 and, where a command has that, -3. */
#include "kstring.h"
#include "mux.h"

#define MAX_NUMBER 1000000

static void wrong(const struct command *c, struct span word)
{
	console_print("'%.*s' is no option of '%s': %s %s\n", width(word), word.at, c->name,
		      c->name, c->usage);
}

/* The place of a letter in the command's list, or NULL. */
static const char *known(const struct command *c, char letter)
{
	const char *o;

	for (o = c->options; *o; o++)
		if (*o == letter && letter != ':' && letter != '#')
			return o;
	return NULL;
}

static bool has_plain_number(const struct command *c)
{
	const char *o;

	for (o = c->options; *o; o++)
		if (*o == '#')
			return true;
	return false;
}

static bool store_number(struct options *o, char letter, struct span value, struct span word)
{
	if (parse_number(value, 0, MAX_NUMBER, &o->number[(uint8_t)letter]) == PARSE_OK) {
		o->set[(uint8_t)letter] = true;
		return true;
	}
	console_print("'%.*s' needs a number of lines, 0 to %u\n", width(word), word.at,
		      MAX_NUMBER);
	return false;
}

/* One word of options; `next` is the word behind it, taken when it is a number for the last one. */
static bool take_word(const struct command *c, struct span word, struct span next, bool *took,
		      struct options *o)
{
	size_t i;

	if (has_plain_number(c) && word.at[1] >= '0' && word.at[1] <= '9')
		return store_number(o, '#', (struct span){ word.at + 1, word.len - 1 }, word);
	for (i = 1; i < word.len; i++) {
		const char *place = known(c, word.at[i]);

		if (!place) {
			wrong(c, word);
			return false;
		}
		if (place[1] == ':') {
			*took = i + 1 == word.len;
			if (!*took)
				next = (struct span){ word.at + i + 1, word.len - i - 1 };
			return store_number(o, *place, next, word);
		}
		o->set[(uint8_t)*place] = true;
	}
	return true;
}

bool options_take(const struct command *c, struct args *a, struct options *o)
{
	unsigned i, kept = 0;
	bool ended = false;

	memset(o, 0, sizeof(*o));
	if (!c->options)
		return true;
	for (i = 0; i < a->n; i++) {
		const struct span word = a->word[i];
		bool took = false;

		if (ended || word.len < 2 || word.at[0] != '-') {
			a->word[kept++] = word;
		} else if (span_is(word, "--")) {
			ended = true;
		} else {
			const struct span none = { "", 0 };
			const struct span next = i + 1 < a->n ? a->word[i + 1] : none;

			if (!take_word(c, word, next, &took, o))
				return false;
			i += took;
		}
	}
	a->n = kept;
	return true;
}
