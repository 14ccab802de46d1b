/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a command line: blanks separate them, quotes of either kind keep blanks. */
#include "monitor.h"

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of the quoted word at the start, both quotes with it; 0: the last one is missing. */
static size_t quoted_length(struct span s)
{
	const char quote = s.at[0];
	size_t i;

	for (i = 1; i < s.len; i++) {
		if (s.at[i] == quote)
			return i + 1;
		if (s.at[i] == '\\' && quote == '"')
			i++;
	}
	return 0;
}

static size_t plain_length(struct span s)
{
	size_t i = 0;

	while (i < s.len && !is_blank(s.at[i]))
		i++;
	return i;
}

const char *words_split(struct span line, struct words *w)
{
	size_t n;

	w->n = 0;
	for (line = span_trim(line); line.len; line = span_trim(line)) {
		if (w->n == MON_WORDS)
			return "there are too many words; put a text with blanks into quotes";
		n = is_quote(line.at[0]) ? quoted_length(line) : plain_length(line);
		if (!n)
			return "a quote is not closed";
		if (n < line.len && !is_blank(line.at[n]))
			return "a blank must follow a closing quote";
		w->word[w->n++] = (struct span){ line.at, n };
		line.at += n;
		line.len -= n;
	}
	return NULL;
}

/* What is between the quotes, if there are any; words_split has seen to it that there are two. */
static struct span inside(struct span word)
{
	if (word.len >= 2 && is_quote(word.at[0]))
		return (struct span){ word.at + 1, word.len - 2 };
	return word;
}

size_t word_plain(struct span word, char *buf, size_t size)
{
	const struct span s = inside(word);
	const bool quoted = s.at != word.at && word.at[0] == '"';
	size_t i, n = 0;

	for (i = 0; i < s.len && n + 1 < size; i++) {
		if (quoted && s.at[i] == '\\' && i + 1 < s.len && s.at[i + 1] == '"')
			i++;
		buf[n++] = s.at[i];
	}
	buf[n] = '\0';
	return n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* \xH or \xHH, behind the x. */
static bool hex_escape(struct span s, size_t *at, uint8_t *byte)
{
	unsigned n, value = 0;

	for (n = 0; n < 2 && *at < s.len && hex_digit(s.at[*at]) >= 0; n++)
		value = value * 16 + (unsigned)hex_digit(s.at[(*at)++]);
	*byte = (uint8_t)value;
	return n > 0;
}

/* \O to \OOO. */
static bool octal_escape(struct span s, size_t *at, uint8_t *byte)
{
	unsigned n, value = 0;

	for (n = 0; n < 3 && *at < s.len && s.at[*at] >= '0' && s.at[*at] <= '7'; n++)
		value = value * 8 + (unsigned)(s.at[(*at)++] - '0');
	*byte = (uint8_t)value;
	return n > 0 && value <= UINT8_MAX;
}

static bool escape(struct span s, size_t *at, uint8_t *byte)
{
	static const char names[] = "abefnrtv\\\"'?";
	static const uint8_t values[] = { '\a', '\b', 0x1B, '\f', '\n', '\r', '\t',
					  '\v', '\\', '"',  '\'', '?' };
	size_t i;

	_Static_assert(sizeof(values) == sizeof(names) - 1, "a value for each name");
	if (*at == s.len)
		return false;
	for (i = 0; i < sizeof(values); i++)
		if (s.at[*at] == names[i]) {
			*byte = values[i];
			(*at)++;
			return true;
		}
	if (s.at[*at] != 'x')
		return octal_escape(s, at, byte);
	(*at)++;
	return hex_escape(s, at, byte);
}

const char *word_escapes(struct span word, uint8_t *buf, size_t size, size_t *len)
{
	const struct span s = inside(word);
	size_t at = 0;

	*len = 0;
	while (at < s.len) {
		if (*len == size)
			return "the text is too long";
		if (s.at[at] != '\\') {
			buf[(*len)++] = (uint8_t)s.at[at++];
			continue;
		}
		at++;
		if (!escape(s, &at, &buf[*len]))
			return "that backslash begins no escape; there are "
			       "\\a \\b \\e \\f \\n \\r \\t \\v \\\\ \\\" \\' \\? \\xHH and \\OOO";
		(*len)++;
	}
	return NULL;
}
