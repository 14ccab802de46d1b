/* SPDX-License-Identifier: BSD-2-Clause */
/* The map of physical memory that guests are told, by E820 and by Multiboot alike. */
#ifndef LOADER_MEMORY_MAP_H
#define LOADER_MEMORY_MAP_H

#include "types.h"

#define MAP_RAM 1 /* the types are ACPI's (ACPI 6.5, table 15-374) */
#define MAP_RESERVED 2
#define MAP_MAX 5

struct map_entry {
	uint64_t base, size;
	uint32_t type;
};

/* For a guest with `memory` bytes of RAM, ascending.  Returns how many entries there are. */
unsigned memory_map(uint64_t memory, struct map_entry map[MAP_MAX]);

#endif
