/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 boot protocol of Linux: the setup header inside a bzImage and the
 * "zero page" (struct boot_params) that a loader hands over.  Names and
 * offsets are those of the kernel's Documentation/arch/x86/boot.rst and
 * zero-page.rst.  Images are unaligned: these structures are only ever filled
 * by memcpy.
 */
#ifndef LOADER_LINUX_ABI_H
#define LOADER_LINUX_ABI_H

#include "types.h"

#define LINUX_HEADER_OFFSET 0x1F1 /* in the file and in boot_params */
#define LINUX_HEADER_MAGIC_OFFSET 0x202
#define LINUX_HEADER_END_206 0x23C /* behind cmdline_size, its last field */
#define LINUX_HEADER_END_MAX 0x290 /* boot_params: the EDD signatures begin here */
#define LINUX_ENTRY64 0x200        /* from the start of the protected-mode code */

#define LINUX_BOOT_FLAG 0xAA55
#define LINUX_MAGIC 0x53726448 /* "HdrS" */
#define LINUX_SECTOR 512
#define LINUX_DEFAULT_SETUP_SECTS 4 /* what 0 means */
#define LINUX_SYSSIZE_UNIT 16

#define LINUX_PROTOCOL_MIN 0x0206     /* below: no cmdline_size, no sane placement */
#define LINUX_PROTOCOL_PLACED 0x020A  /* pref_address, init_size */
#define LINUX_PROTOCOL_ENTRY64 0x020C /* xloadflags */

#define LOADFLAG_LOADED_HIGH BIT(0)
#define LOADFLAG_KEEP_SEGMENTS BIT(6)
#define LOADFLAG_CAN_USE_HEAP BIT(7)
#define XLOADFLAG_KERNEL_64 BIT(0)

#define LINUX_LOADER_UNDEFINED 0xFF /* type_of_loader: no assigned number */
#define LINUX_VID_MODE_NORMAL 0xFFFF

struct PACKED linux_header {
	uint8_t setup_sects;
	uint16_t root_flags;
	uint32_t syssize;
	uint16_t ram_size;
	uint16_t vid_mode;
	uint16_t root_dev;
	uint16_t boot_flag;
	uint8_t jump_opcode;
	uint8_t jump_length; /* the header ends this many bytes behind the jump */
	uint32_t magic;
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys_seg;
	uint16_t kernel_version;
	uint8_t type_of_loader;
	uint8_t loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image;
	uint32_t ramdisk_size;
	uint32_t bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver;
	uint8_t ext_loader_type;
	uint32_t cmd_line_ptr;
	uint32_t initrd_addr_max;
	uint32_t kernel_alignment;
	uint8_t relocatable_kernel;
	uint8_t min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size;
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset;
	uint32_t payload_length;
	uint64_t setup_data;
	uint64_t pref_address;
	uint32_t init_size;
	uint32_t handover_offset;
};

#define HEADER_AT(field, offset)                                                                   \
	_Static_assert(offsetof(struct linux_header, field) == (offset)-LINUX_HEADER_OFFSET, #field)
HEADER_AT(boot_flag, 0x1FE);
HEADER_AT(magic, 0x202);
HEADER_AT(type_of_loader, 0x210);
HEADER_AT(ramdisk_image, 0x218);
HEADER_AT(cmd_line_ptr, 0x228);
HEADER_AT(xloadflags, 0x236);
HEADER_AT(hardware_subarch, 0x23C);
HEADER_AT(payload_offset, 0x248);
HEADER_AT(setup_data, 0x250);
HEADER_AT(pref_address, 0x258);
HEADER_AT(handover_offset, 0x264);

#define E820_MAX 128

struct PACKED e820_entry {
	uint64_t base;
	uint64_t size;
	uint32_t type;
};

struct PACKED boot_params {
	uint8_t screen_info[0x40]; /* zero: there is no screen */
	uint8_t unused_040[0x30];
	uint64_t acpi_rsdp_addr;
	uint8_t unused_078[0x48];
	uint32_t ext_ramdisk_image; /* bits 32-63 of the header's fields */
	uint32_t ext_ramdisk_size;
	uint32_t ext_cmd_line_ptr;
	uint8_t unused_0cc[0x11C];
	uint8_t e820_entries;
	uint8_t unused_1e9[8];
	struct linux_header hdr; /* its tail, newer than ours, is copied over what follows */
	uint8_t unused_268[0x68];
	struct e820_entry e820_table[E820_MAX];
	uint8_t unused_cd0[0x330];
};

#define PARAM_AT(field, offset)                                                                    \
	_Static_assert(offsetof(struct boot_params, field) == (offset), #field)
PARAM_AT(acpi_rsdp_addr, 0x070);
PARAM_AT(ext_ramdisk_image, 0x0C0);
PARAM_AT(ext_cmd_line_ptr, 0x0C8);
PARAM_AT(e820_entries, 0x1E8);
PARAM_AT(hdr, LINUX_HEADER_OFFSET);
PARAM_AT(e820_table, 0x2D0);
_Static_assert(sizeof(struct boot_params) == PAGE_SIZE, "the zero page is one page");

#endif
