/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory_map.h"

#include "guest_memory.h"
#include "layout.h"

static unsigned add(struct map_entry *map, unsigned n, uint64_t base, uint64_t end, uint32_t type)
{
	if (end <= base)
		return n;
	map[n] = (struct map_entry){ base, end - base, type };
	return n + 1;
}

unsigned memory_map(uint64_t memory, struct map_entry map[MAP_MAX])
{
	unsigned n = 0;

	n = add(map, n, 0, LAYOUT_BASE_RAM_END, MAP_RAM);
	n = add(map, n, LAYOUT_BASE_RAM_END, LAYOUT_VGA_HOLE, MAP_RESERVED);
	n = add(map, n, LAYOUT_BIOS, LAYOUT_HIGH_MEMORY, MAP_RESERVED);
	n = add(map, n, LAYOUT_HIGH_MEMORY, guest_low_ram_end(memory), MAP_RAM);
	return add(map, n, GUEST_HIGH_RAM, guest_high_ram_end(memory), MAP_RAM);
}
