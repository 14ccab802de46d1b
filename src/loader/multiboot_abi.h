/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Multiboot specification, version 0.6.96: the header in an image (3.1)
 * and the information for it (3.3).  Images are unaligned: the structures are
 * only ever filled and written by memcpy.
 */
#ifndef LOADER_MULTIBOOT_ABI_H
#define LOADER_MULTIBOOT_ABI_H

#include "types.h"

#define MB_HEADER_MAGIC 0x1BADB002U
#define MB_HEADER_SEARCH 8192 /* all of the header is within the first so many bytes */
#define MB_HEADER_ALIGN 4
#define MB_LOADER_MAGIC 0x2BADB002U /* in EAX */

/* Header flags.  Of the lower half a loader must understand every bit that is set. */
#define MB_ALIGN_MODULES BIT(0)
#define MB_WANT_MEMORY BIT(1)
#define MB_WANT_VIDEO BIT(2)
#define MB_MUST_KNOW 0xFFFFULL
#define MB_HAS_ADDRESSES BIT(16)

struct PACKED mb_header {
	uint32_t magic, flags, checksum; /* their sum is 0 */
};

/* Behind the header when MB_HAS_ADDRESSES is set. */
struct PACKED mb_addresses {
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

#define MB_INFO_MEMORY BIT(0)
#define MB_INFO_CMDLINE BIT(2)
#define MB_INFO_MODULES BIT(3)
#define MB_INFO_MAP BIT(6)
#define MB_INFO_LOADER_NAME BIT(9)

struct PACKED mb_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB from 0 and from 1 MiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint8_t vbe_and_framebuffer[44];
};

_Static_assert(offsetof(struct mb_info, mmap_length) == 44, "3.3: mmap_length");
_Static_assert(offsetof(struct mb_info, boot_loader_name) == 64, "3.3: boot_loader_name");
_Static_assert(sizeof(struct mb_info) == 116, "3.3: its end");

struct PACKED mb_module {
	uint32_t mod_start, mod_end; /* the end is the first byte behind it */
	uint32_t string;
	uint32_t reserved;
};

struct PACKED mb_map_entry {
	uint32_t size; /* of what follows */
	uint64_t base, length;
	uint32_t type;
};

#endif
