/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest_memory.h"

/* Is [gpa, gpa + len) inside [start, end)?  Subtractions only: nothing can overflow. */
static bool inside(uint64_t gpa, uint64_t len, uint64_t start, uint64_t end)
{
	return gpa >= start && gpa < end && len <= end - gpa;
}

void *guest_ram(const struct guest_memory *mem, uint64_t gpa, uint64_t len)
{
	if (len == 0)
		return NULL;
	if (inside(gpa, len, 0, guest_low_ram_end(mem->size)))
		return mem->host + gpa;
	if (inside(gpa, len, GUEST_HIGH_RAM, guest_high_ram_end(mem->size)))
		return mem->host + GUEST_LOW_RAM_MAX + (gpa - GUEST_HIGH_RAM);
	return NULL;
}
