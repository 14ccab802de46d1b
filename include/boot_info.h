/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot loader told us, in one form for Multiboot 1 and 2. */
#ifndef BULKHEAD_BOOT_INFO_H
#define BULKHEAD_BOOT_INFO_H

#include "types.h"

#define BOOT_MAX_REGIONS 64
#define BOOT_MAX_MODULES 32
#define BOOT_STRING 512

struct boot_region {
	uint64_t base, size;
};

struct boot_module {
	uint64_t base, size;
	char name[BOOT_STRING]; /* the last path component of its first word */
};

struct boot_info {
	char cmdline[BOOT_STRING];
	struct boot_region ram[BOOT_MAX_REGIONS]; /* available memory, as reported */
	unsigned n_ram;
	struct boot_module modules[BOOT_MAX_MODULES];
	unsigned n_modules;
	uint64_t rsdp;           /* address of a copy, 0: search for it */
	uint8_t rsdp_copy[36];   /* Multiboot 2 hands over a copy */
	const char *loader;      /* "Multiboot 1" or "Multiboot 2" */
	uint64_t entry_tsc;
};

extern struct boot_info boot_info;

/* The module whose name is `name`, or NULL. */
const struct boot_module *boot_find_module(const char *name);

/* The image's borders, from the linker script. */
extern uint8_t image_start[], image_text_end[], image_rodata_end[], image_data_end[], image_end[];

#endif
