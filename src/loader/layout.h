/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the loaders put their own data in the first megabyte of a guest.
 * Pages 0 (a BIOS data area that stays zero) and 0x6000 to 0x7FFF (start-up
 * code of other CPUs in small kernels) are left to the guest.
 */
#ifndef LOADER_LAYOUT_H
#define LOADER_LAYOUT_H

#include "types.h"

#define LAYOUT_GDT 0x1000ULL
#define LAYOUT_GDT_SIZE PAGE_SIZE
#define LAYOUT_BOOT_PARAMS 0x2000ULL
#define LAYOUT_BOOT_PARAMS_SIZE PAGE_SIZE
#define LAYOUT_CMDLINE 0x3000ULL
#define LAYOUT_CMDLINE_SIZE (2 * PAGE_SIZE)
/* The information for a Multiboot kernel, which has neither of the two above. */
#define LAYOUT_INFO LAYOUT_BOOT_PARAMS
#define LAYOUT_INFO_END (LAYOUT_CMDLINE + LAYOUT_CMDLINE_SIZE)
#define LAYOUT_INFO_SIZE (LAYOUT_INFO_END - LAYOUT_INFO)
/* PML4, PDPT, and a page directory for each GiB. */
#define LAYOUT_PAGE_TABLES 0x10000ULL
#define LAYOUT_MAPPED_GIB 4
#define LAYOUT_PAGE_TABLES_SIZE ((2 + LAYOUT_MAPPED_GIB) * PAGE_SIZE)

/* The memory map below 1 MiB that guests are told. */
#define LAYOUT_BASE_RAM_END 0x9FC00ULL /* as a BIOS with a 1 KiB EBDA says */
#define LAYOUT_VGA_HOLE 0xA0000ULL
#define LAYOUT_BIOS 0xE0000ULL /* holds the ACPI tables */
#define LAYOUT_HIGH_MEMORY MIB(1)

#define LAYOUT_BELOW(a, b)                                                                         \
	_Static_assert(LAYOUT_##a + LAYOUT_##a##_SIZE <= (b), #a " runs into " #b)
_Static_assert(LAYOUT_GDT >= PAGE_SIZE, "page 0 is the guest's");
LAYOUT_BELOW(GDT, LAYOUT_BOOT_PARAMS);
LAYOUT_BELOW(BOOT_PARAMS, LAYOUT_CMDLINE);
LAYOUT_BELOW(CMDLINE, 0x6000);
LAYOUT_BELOW(PAGE_TABLES, LAYOUT_BASE_RAM_END);
_Static_assert(LAYOUT_PAGE_TABLES >= 0x8000, "0x6000 to 0x7FFF are the guest's");
_Static_assert(LAYOUT_PAGE_TABLES % PAGE_SIZE == 0, "CR3 holds a page number");

#endif
