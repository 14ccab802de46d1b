/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading words and numbers out of text that is not terminated and not
 * trusted.  Pure code; nothing is copied or allocated unless said so.
 */
#ifndef BULKHEAD_PARSE_H
#define BULKHEAD_PARSE_H

#include "types.h"

/* A piece of somebody else's text. */
struct span {
	const char *at;
	size_t len;
};

struct span span_of(const char *s); /* of a terminated string */

/* Without the spaces and tabs at both ends. */
struct span span_trim(struct span s);

/* The same characters as `word`? */
bool span_is(struct span s, const char *word);
bool span_equal(struct span a, struct span b);

/* Takes the next word (between spaces and tabs) off *rest.  False: none is left. */
bool span_word(struct span *rest, struct span *word);

/*
 * Takes the next part, up to `separator` or the end, off *rest; parts may be
 * empty.  False when the part that ended the text was taken before; *rest has
 * at == NULL then.
 */
bool span_split(struct span *rest, char separator, struct span *part);

/* Copies and terminates.  False, with buf = "", when it does not fit. */
bool span_copy(char *buf, size_t size, struct span s);

enum parse_result {
	PARSE_OK,
	PARSE_MALFORMED,
	PARSE_RANGE, /* well-formed, but outside min..max or beyond 64 bits */
};

/* A whole number, decimal or, with 0x in front, hexadecimal.  *out changes only on success. */
enum parse_result parse_number(struct span s, uint64_t min, uint64_t max, uint64_t *out);

/* A decimal number of bytes, or of KiB, MiB or GiB with the suffix K, M or G (or k, m, g). */
enum parse_result parse_size(struct span s, uint64_t min, uint64_t max, uint64_t *out);

/*
 * Looks for `key=value`, or `key` alone (the value is then ""), among the
 * words of a boot command line; the last one counts.  False when there is
 * none or the value does not fit in `size` characters; value is then "".
 */
bool cmdline_option(const char *cmdline, const char *key, char *value, size_t size);

#endif
