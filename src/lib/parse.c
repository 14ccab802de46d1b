/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading words and numbers out of bounded text. */
#include "parse.h"
#include "kstring.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static struct span span_skip(struct span s, size_t n)
{
	return (struct span){ s.at + n, s.len - n };
}

struct span span_trim(struct span s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s = span_skip(s, 1);
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool span_is(struct span s, const char *word)
{
	return span_equal(s, span_of(word));
}

bool span_word(struct span *rest, struct span *word)
{
	size_t n = 0;

	*rest = span_trim(*rest);
	while (n < rest->len && !is_blank(rest->at[n]))
		n++;
	if (n == 0)
		return false;
	*word = (struct span){ rest->at, n };
	*rest = span_skip(*rest, n);
	return true;
}

bool span_split(struct span *rest, char separator, struct span *part)
{
	size_t n = 0;

	if (!rest->at)
		return false;
	while (n < rest->len && rest->at[n] != separator)
		n++;
	*part = (struct span){ rest->at, n };
	if (n < rest->len)
		*rest = span_skip(*rest, n + 1);
	else
		*rest = (struct span){ NULL, 0 };
	return true;
}

bool span_copy(char *buf, size_t size, struct span s)
{
	bool fits = s.len < size;

	if (size == 0)
		return false;
	if (!fits)
		s.len = 0;
	if (s.len > 0)
		memcpy(buf, s.at, s.len);
	buf[s.len] = '\0';
	return fits;
}

/* The value of a digit in `base`, or -1. */
static int digit_value(char c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == 16 && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* All of `s` in digits; PARSE_RANGE when the value has more than 64 bits. */
static enum parse_result parse_digits(struct span s, unsigned base, uint64_t *out)
{
	enum parse_result result = PARSE_OK;
	uint64_t v = 0;

	if (s.len == 0)
		return PARSE_MALFORMED;
	for (size_t i = 0; i < s.len; i++) {
		int digit = digit_value(s.at[i], base);

		if (digit < 0)
			return PARSE_MALFORMED;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit, &v))
			result = PARSE_RANGE; /* go on: a later character may be malformed */
	}
	*out = v;
	return result;
}

static enum parse_result store_in_range(uint64_t v, uint64_t min, uint64_t max, uint64_t *out)
{
	if (v < min || v > max)
		return PARSE_RANGE;
	*out = v;
	return PARSE_OK;
}

enum parse_result parse_number(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
	bool hex = s.len > 2 && s.at[0] == '0' && (s.at[1] == 'x' || s.at[1] == 'X');
	enum parse_result result;
	uint64_t v = 0;

	result = parse_digits(hex ? span_skip(s, 2) : s, hex ? 16 : 10, &v);
	return result == PARSE_OK ? store_in_range(v, min, max, out) : result;
}

/* How far the suffix shifts a size to the left; 0 when there is none. */
static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	default:
		return 0;
	}
}

enum parse_result parse_size(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned shift = s.len > 0 ? suffix_shift(s.at[s.len - 1]) : 0;
	enum parse_result result;
	uint64_t v = 0;

	if (shift != 0)
		s.len--;
	result = parse_digits(s, 10, &v);
	if (result != PARSE_OK)
		return result;
	if (v > UINT64_MAX >> shift)
		return PARSE_RANGE;
	return store_in_range(v << shift, min, max, out);
}

bool cmdline_option(const char *cmdline, const char *key, char *value, size_t size)
{
	struct span rest = span_of(cmdline), word, name, last = { NULL, 0 };
	bool found = false;

	while (span_word(&rest, &word)) {
		struct span tail = word;

		span_split(&tail, '=', &name);
		if (!span_is(name, key))
			continue;
		found = true;
		last = tail.at ? tail : (struct span){ "", 0 };
	}
	/* Also terminates `value` when nothing was found. */
	return span_copy(value, size, last) && found;
}
