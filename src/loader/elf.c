/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF executables of both classes, as the segments of a Multiboot image. */
#include "elf_abi.h"
#include "kstring.h"
#include "multiboot_image.h"

#define MAX_PROGRAM_HEADERS 64

/* What both classes have, in one width. */
struct program {
	uint64_t entry, phoff;
	unsigned phentsize, phnum;
	bool is64;
};

struct program_header {
	uint32_t type;
	uint64_t vaddr;
	struct mb_segment segment;
};

static bool check_ident(const struct elf_ident *id, const struct error_line *error)
{
	if (id->magic != ELF_MAGIC)
		return loader_fail(error, "kernel: has a Multiboot header without address fields "
				   "and is no ELF file, so that nothing says where it goes; give "
				   "the ELF file it was made from");
	if ((id->elf_class != ELF_CLASS_32 && id->elf_class != ELF_CLASS_64) ||
	    id->data != ELF_LITTLE_ENDIAN ||
	    (id->machine != ELF_MACHINE_386 && id->machine != ELF_MACHINE_X86_64))
		return loader_fail(error, "kernel: an ELF file for another machine (class %u, "
				   "machine %u); build it for x86", id->elf_class, id->machine);
	if (id->type != ELF_TYPE_EXEC)
		return loader_fail(error, "kernel: an ELF file of type %u, a kernel is of type 2, "
				   "with fixed addresses; link it as such", id->type);
	return true;
}

static bool truncated(uint64_t size, const struct error_line *error)
{
	return loader_fail(error, "kernel: truncated, its ELF headers reach beyond its %lu bytes; "
			   "copy it again", size);
}

/* `at` and what it reads are within the file. */
static struct program_header read_program_header(const uint8_t *at, bool is64)
{
	struct elf32_segment s32;
	struct elf64_segment s64;

	if (is64) {
		memcpy(&s64, at, sizeof(s64));
		return (struct program_header){ s64.type, s64.vaddr,
						{ s64.offset, s64.filesz, s64.paddr, s64.memsz } };
	}
	memcpy(&s32, at, sizeof(s32));
	return (struct program_header){ s32.type, s32.vaddr,
					{ s32.offset, s32.filesz, s32.paddr, s32.memsz } };
}

static bool read_program(const void *file, uint64_t size, struct program *out,
			 const struct error_line *error)
{
	struct elf_ident id = { .magic = 0 };
	struct elf32_header h32;
	struct elf64_header h64;

	memcpy(&id, file, min_u64(size, sizeof(id)));
	if (!check_ident(&id, error))
		return false;
	out->is64 = id.elf_class == ELF_CLASS_64;
	if (size < (out->is64 ? sizeof(h64) : sizeof(h32)))
		return truncated(size, error);
	if (out->is64) {
		memcpy(&h64, file, sizeof(h64));
		*out = (struct program){ h64.entry, h64.phoff, h64.phentsize, h64.phnum, true };
	} else {
		memcpy(&h32, file, sizeof(h32));
		*out = (struct program){ h32.entry, h32.phoff, h32.phentsize, h32.phnum, false };
	}
	return true;
}

static bool check_table(const struct program *p, uint64_t size, const struct error_line *error)
{
	const uint64_t entry = p->is64 ? sizeof(struct elf64_segment) : sizeof(struct elf32_segment);

	if (p->phentsize != entry || p->phnum == 0 || p->phnum > MAX_PROGRAM_HEADERS)
		return loader_fail(error, "kernel: has %u program headers of %u bytes, there are 1 "
				   "to 64 of %lu; the file is damaged, copy it again", p->phnum,
				   p->phentsize, entry);
	if (p->phoff > size || p->phnum * entry > size - p->phoff)
		return truncated(size, error);
	return true;
}

bool elf_read(const void *file, uint64_t size, struct mb_image *out,
	      const struct error_line *error)
{
	struct program p = { .phnum = 0 };

	if (!read_program(file, size, &p, error) || !check_table(&p, size, error))
		return false;
	out->entry = p.entry;
	for (unsigned i = 0; i < p.phnum; i++) {
		const uint8_t *at = (const uint8_t *)file + p.phoff + (uint64_t)i * p.phentsize;
		const struct program_header h = read_program_header(at, p.is64);

		if (h.type != ELF_LOAD)
			continue;
		if (!mb_add_segment(out, &h.segment, size, error))
			return false;
		/* The entry may be a virtual address of a kernel that is linked high. */
		if (p.entry >= h.vaddr && p.entry - h.vaddr < h.segment.memory_size)
			out->entry = h.segment.address + (p.entry - h.vaddr);
	}
	if (!out->n_segments)
		return loader_fail(error, "kernel: an ELF file with nothing to load; link it with "
				   "program headers");
	return true;
}
