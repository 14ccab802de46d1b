/* SPDX-License-Identifier: BSD-2-Clause */
/* Executables in the Executable and Linkable Format (System V ABI, chapters 4 and 5). */
#ifndef LOADER_ELF_ABI_H
#define LOADER_ELF_ABI_H

#include "types.h"

#define ELF_MAGIC 0x464C457FU /* 7F "ELF" */
#define ELF_CLASS_32 1
#define ELF_CLASS_64 2
#define ELF_LITTLE_ENDIAN 1
#define ELF_TYPE_EXEC 2
#define ELF_MACHINE_386 3
#define ELF_MACHINE_X86_64 62
#define ELF_LOAD 1 /* the type of a segment that is loaded */

/* What is the same in both classes. */
struct PACKED elf_ident {
	uint32_t magic;
	uint8_t elf_class, data, version, padding[9];
	uint16_t type, machine;
	uint32_t object_version;
};

struct PACKED elf32_header {
	struct elf_ident ident;
	uint32_t entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct PACKED elf64_header {
	struct elf_ident ident;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct PACKED elf32_segment {
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct PACKED elf64_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct elf32_header) == 52 && sizeof(struct elf64_header) == 64, "headers");
_Static_assert(sizeof(struct elf32_segment) == 32 && sizeof(struct elf64_segment) == 56, "segments");

#endif
