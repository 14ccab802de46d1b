/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's RAM as the hypervisor sees it.  Pure code.
 *
 * The guest-physical map is the same for every guest: RAM from 0 up to 3 GiB,
 * and what is more than that from 4 GiB up.  The gap belongs to devices.
 */
#ifndef BULKHEAD_GUEST_MEMORY_H
#define BULKHEAD_GUEST_MEMORY_H

#include "types.h"

#define GUEST_LOW_RAM_MAX GIB(3)
#define GUEST_HIGH_RAM GIB(4)

struct guest_memory {
	uint8_t *host; /* contiguous, page aligned */
	uint64_t size; /* bytes, a multiple of PAGE_SIZE */
};

static inline uint64_t guest_low_ram_end(uint64_t size)
{
	return min_u64(size, GUEST_LOW_RAM_MAX);
}

/* Equal to GUEST_HIGH_RAM when the guest has no RAM up there. */
static inline uint64_t guest_high_ram_end(uint64_t size)
{
	return GUEST_HIGH_RAM + (size - guest_low_ram_end(size));
}

/*
 * The host address of the `len` bytes of RAM at guest-physical `gpa`.  NULL
 * when not all of them are RAM in one piece, or when `len` is 0.  Takes any
 * values, also a guest's.
 */
void *guest_ram(const struct guest_memory *mem, uint64_t gpa, uint64_t len);

#endif
