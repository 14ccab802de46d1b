/* SPDX-License-Identifier: BSD-2-Clause */
#include "place.h"

#include "layout.h"

/* What the configuration's `memory` would have to be, in MiB, for RAM up to `end`. */
static uint64_t memory_needed(uint64_t end)
{
	return align_up(end, PAGE_2M) / MIB(1);
}

bool place_too_small(const char *what, uint64_t end, uint64_t memory,
		     const struct error_line *error)
{
	if (end > GUEST_LOW_RAM_MAX)
		return loader_fail(error, "kernel: %s needs RAM up to 0x%lx, a guest has it up to "
				   "3 GiB; use a smaller one", what, end);
	return loader_fail(error, "memory: %s needs %lu MiB, the guest has %lu; set memory = %luM "
			   "or more", what, memory_needed(end), memory / MIB(1),
			   memory_needed(end));
}

bool place_check(const char *key, uint64_t base, uint64_t size, uint64_t lowest, uint64_t memory,
		 const struct error_line *error)
{
	const uint64_t end = base + size;

	if (end >= base && base >= lowest && end <= LAYOUT_BASE_RAM_END)
		return true;
	if (end < base || base < LAYOUT_HIGH_MEMORY || end > GUEST_LOW_RAM_MAX)
		return loader_fail(error, "%s: %lu bytes at 0x%lx; an image lies in RAM, from 0x%lx "
				   "to 0x%lx or from 1 MiB to 3 GiB; move it there", key, size,
				   base, lowest, (uint64_t)LAYOUT_BASE_RAM_END);
	if (end > guest_low_ram_end(memory))
		return place_too_small("the image", end, memory, error);
	return true;
}
