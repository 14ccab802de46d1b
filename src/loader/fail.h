/* SPDX-License-Identifier: BSD-2-Clause */
/* The one error line of a loader. */
#ifndef LOADER_FAIL_H
#define LOADER_FAIL_H

#include "types.h"

struct error_line {
	char *text;
	size_t size;
};

/* Writes the line; always false, so that a check reads `return loader_fail(...)`. */
bool loader_fail(const struct error_line *error, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
