/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory below 4 GiB, for code that is given 32-bit physical addresses. */
#ifndef LOW_MEMORY_H
#define LOW_MEMORY_H

#include "types.h"

/*
 * A copy of `len` bytes, at a multiple of `align`, that ends as close as that
 * allows to a page that cannot be accessed: reading past it crashes the test.
 */
uint32_t low_memory_copy(const void *data, size_t len, size_t align);
/* Frees all copies. */
void low_memory_free(void);

#endif
