/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Basic regular expressions without groups: c . [set] [^set] item* ^ $ \c.
 *
 * A set of bits follows all ways to match at once (bit i: the items before i
 * have been matched), so the time for a line is its length times the number
 * of items at worst, whatever the pattern is.
 */
#include "kstring.h"
#include "monitor.h"

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void add(struct pattern *p, char c)
{
	p->match[(uint8_t)c] |= BIT(p->n);
}

static void add_range(struct pattern *p, uint8_t first, uint8_t last)
{
	unsigned c;

	for (c = first; c <= last; c++)
		p->match[c] |= BIT(p->n);
}

static void invert(struct pattern *p)
{
	unsigned c;

	for (c = 0; c < ARRAY_SIZE(p->match); c++)
		p->match[c] ^= BIT(p->n);
}

/* Behind the '['; returns what is behind the ']', or NULL. */
static const char *add_set(struct pattern *p, const char *s)
{
	const bool inverted = *s == '^';
	const char *first;

	if (inverted)
		s++;
	for (first = s; *s && (*s != ']' || s == first); s++) {
		if (s[1] == '-' && s[2] && s[2] != ']') {
			add_range(p, (uint8_t)s[0], (uint8_t)s[2]);
			s += 2;
		} else {
			add(p, *s);
		}
	}
	if (inverted)
		invert(p);
	return *s ? s + 1 : NULL;
}

/* One item; returns what is behind it, or NULL with *error. */
static const char *add_item(struct pattern *p, const char *s, const char **error)
{
	switch (*s) {
	case '.':
		add_range(p, 0, UINT8_MAX);
		return s + 1;
	case '[':
		s = add_set(p, s + 1);
		if (!s)
			*error = "its '[' has no ']'; \\[ is the character itself";
		return s;
	case '\\':
		if (!s[1]) {
			*error = "nothing is behind its last backslash; \\\\ is the character itself";
			return NULL;
		}
		s++;
		break;
	default:
		break;
	}
	add(p, *s);
	return s + 1;
}

static void fold_case(struct pattern *p)
{
	for (unsigned c = 'a'; c <= 'z'; c++) {
		const uint8_t other = (uint8_t)upper((char)c);
		const uint64_t both = p->match[c] | p->match[other];

		p->match[c] = p->match[other] = both;
	}
}

const char *pattern_compile(struct pattern *p, const char *text, bool ignore_case)
{
	const char *error = NULL, *s = text;

	memset(p, 0, sizeof(*p));
	if (*s == '^') {
		p->at_start = true;
		s++;
	}
	while (*s) {
		if (*s == '$' && !s[1]) {
			p->at_end = true;
			break;
		}
		if (p->n == PATTERN_MAX)
			return "it has more than 63 characters";
		s = add_item(p, s, &error);
		if (!s)
			return error;
		if (*s == '*') {
			p->star |= BIT(p->n);
			s++;
		}
		p->n++;
	}
	if (ignore_case)
		fold_case(p);
	return NULL;
}

/* Items that may be missing are passed. */
static uint64_t pass_stars(const struct pattern *p, uint64_t at)
{
	uint64_t more;

	while ((more = (at & p->star) << 1 & ~at) != 0)
		at |= more;
	return at;
}

bool pattern_match(const struct pattern *p, const char *line, size_t len)
{
	const uint64_t end = BIT(p->n);
	uint64_t at = pass_stars(p, 1);
	size_t i;

	for (i = 0; i < len && (p->at_end || !(at & end)); i++) {
		const uint64_t fits = at & p->match[(uint8_t)line[i]];

		at = (fits & p->star) | (fits & ~p->star) << 1;
		if (!p->at_start)
			at |= 1;
		at = pass_stars(p, at);
	}
	return at & end;
}
