/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets which physical memory. */
#ifndef CORE_PARTITION_H
#define CORE_PARTITION_H

#include "config.h"
#include "types.h"

/* Takes stock: all RAM but the first MiB, the image and the boot modules is free. */
void partition_init(void);
uint64_t partition_free(void);
/* The end of the highest RAM. */
uint64_t partition_top(void);
/*
 * Takes `size` bytes at a multiple of `align`, all below `limit`.  0: there is
 * no such piece.
 */
uint64_t partition_take(uint64_t size, uint64_t align, uint64_t limit);

/*
 * Walks the final second-stage tables of every guest and checks that each
 * page belongs to that guest alone: not to another, not to the hypervisor,
 * not to a boot module, and that it is RAM.  NULL, or what is wrong.
 */
const char *partition_check(void);

#endif
