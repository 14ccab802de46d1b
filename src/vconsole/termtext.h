/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files that know what sequences set, and how they are composed. */
#ifndef BULKHEAD_VCONSOLE_TERMTEXT_H
#define BULKHEAD_VCONSOLE_TERMTEXT_H

#include "termstate.h"

struct text {
	char *buf;
	size_t size, len;
};

/* Appends a short piece, or nothing if it does not fit as a whole. */
void text_add(struct text *text, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* termsgr.c: the parameters of a control sequence that ends in `m`. */
void sgr_apply(struct termstate *t);
void sgr_reset(struct termstate *t);
bool sgr_is_set(const struct termstate *t);
void sgr_enter(const struct termstate *t, struct text *text);

#endif
