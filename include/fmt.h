/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted print into a buffer, freestanding. */
#ifndef BULKHEAD_FMT_H
#define BULKHEAD_FMT_H

#include <stdarg.h>

#include "types.h"

/*
 * Like snprintf, for %c %s %d %i %u %x %X %p %% with the length modifiers
 * hh h l ll z, the flags '-' and '0', a width and a precision (both may be
 * '*').  Always terminates `buf` when `size` is not 0.  Returns the number of
 * characters stored, the terminator apart: never more than size - 1.
 */
size_t fmt_buf(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
size_t fmt_vbuf(char *buf, size_t size, const char *fmt, va_list ap);

#endif
