/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few memory and string functions of the C library that the hypervisor
 * uses, with their standard meaning.  src/lib/string.c has them for the
 * freestanding image; a host build takes the C library's.
 */
#ifndef BULKHEAD_KSTRING_H
#define BULKHEAD_KSTRING_H

#ifdef BULKHEAD_HOST
#include <string.h>
#else

#include "types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

#endif
#endif
