/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own memory besides its image: one range, given out once,
 * at boot, by the boot CPU.  Nothing is ever freed.
 */
#ifndef BULKHEAD_POOL_H
#define BULKHEAD_POOL_H

#include "types.h"

/* Zeroes the range and makes it the pool. */
void pool_init(uint64_t base, uint64_t size);

/* Zeroed memory; `align` is a power of two.  NULL when the pool is used up. */
void *pool_alloc(uint64_t size, uint64_t align);

/* Bytes given out so far, alignment included. */
uint64_t pool_used(void);

uint64_t pool_base(void);
uint64_t pool_size(void);

#endif
