/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any image, any guest size: the Multiboot and the flat loader refuse, or they
 * put everything into RAM, and not over the loader's own data.  Guest memory
 * ends at a page that cannot be touched.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader.h"
#include "loader/elf_abi.h"
#include "loader/layout.h"
#include "loader/multiboot_abi.h"

#define ARENA MIB(64)
#define FIRST_MODULE_SIZE 5000

struct choice {
	uint32_t pages; /* of guest RAM */
	uint8_t flags, header_at;
	uint8_t n_modules, mode;
	uint32_t load, entry; /* flat */
} PACKED;

#define CHOOSE_FLAT BIT(0)
#define CHOOSE_HEADER BIT(1)    /* put a Multiboot header in, so that the rest is reached */
#define CHOOSE_ELF BIT(2)       /* and the start of an ELF header, of 64 bits or 32 */
#define CHOOSE_ELF64 BIT(3)
#define CHOOSE_ADDRESSES BIT(4) /* and sane address fields */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t *arena(void)
{
	static uint8_t *base;

	if (base)
		return base;
	base = mmap(NULL, ARENA + PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED || mprotect(base + ARENA, PAGE_SIZE, PROT_NONE))
		abort();
	return base;
}

static void add_header(uint8_t *file, size_t size, const struct choice *c)
{
	const size_t at = c->header_at * 4u;
	struct mb_header hdr = { MB_HEADER_MAGIC, 3, 0 };

	if (!(c->flags & CHOOSE_HEADER) || at + sizeof(hdr) + sizeof(struct mb_addresses) > size)
		return;
	if (c->flags & CHOOSE_ADDRESSES)
		hdr.flags |= (uint32_t)MB_HAS_ADDRESSES;
	hdr.checksum = 0 - hdr.magic - hdr.flags;
	memcpy(file + at, &hdr, sizeof(hdr));
}

static void add_elf(uint8_t *file, size_t size, const struct choice *c)
{
	struct elf_ident *id = (struct elf_ident *)file;

	if (!(c->flags & CHOOSE_ELF) || size < sizeof(struct elf64_header))
		return;
	id->magic = ELF_MAGIC;
	id->elf_class = c->flags & CHOOSE_ELF64 ? ELF_CLASS_64 : ELF_CLASS_32;
	id->data = ELF_LITTLE_ENDIAN;
	id->type = ELF_TYPE_EXEC;
	id->machine = ELF_MACHINE_386;
	if (c->flags & CHOOSE_ELF64)
		((struct elf64_header *)file)->phentsize = sizeof(struct elf64_segment);
	else
		((struct elf32_header *)file)->phentsize = sizeof(struct elf32_segment);
}

static void check_info(const struct guest_image *req, const struct guest_memory *mem,
		       const struct guest_entry *entry)
{
	const struct mb_info *info = (void *)(mem->host + LAYOUT_INFO);
	const struct mb_module *m = (void *)(mem->host + info->mods_addr);
	uint64_t last = MIB(1);

	check(entry->regs.gpr[GPR_RAX] == MB_LOADER_MAGIC);
	check(entry->regs.gpr[GPR_RBX] == LAYOUT_INFO);
	check(info->mods_count == req->n_modules);
	for (unsigned i = 0; i < req->n_modules; i++) {
		check(m[i].mod_start % PAGE_SIZE == 0 && m[i].mod_start >= last);
		check(m[i].mod_end - m[i].mod_start == req->modules[i].size);
		check(m[i].mod_end <= guest_low_ram_end(mem->size));
		check(!memcmp(mem->host + m[i].mod_start, req->modules[i].data,
			      req->modules[i].size));
		check(!strcmp((char *)mem->host + m[i].string, req->modules[i].string));
		last = m[i].mod_end;
	}
	check(!strcmp((char *)mem->host + info->boot_loader_name, "Bulkhead"));
}

static void check_flat(const struct guest_image *req, const struct guest_memory *mem,
		       const struct guest_entry *entry)
{
	check(!memcmp(mem->host + req->load, req->kernel, req->kernel_size));
	check(entry->regs.rip + entry->sys.seg[SEG_CS].base == req->entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t module[FIRST_MODULE_SIZE];
	char error[LOADER_ERROR];
	struct choice c;
	struct guest_memory mem;
	struct guest_entry entry;
	uint8_t *file;

	if (size < sizeof(c))
		return 0;
	memcpy(&c, data, sizeof(c));
	size -= sizeof(c);
	file = malloc(size ? size : 1);
	memcpy(file, data + sizeof(c), size);
	add_elf(file, size, &c);
	add_header(file, size, &c);
	mem.size = c.pages % (ARENA / PAGE_SIZE + 1) * PAGE_SIZE;
	mem.host = arena() + ARENA - mem.size;

	struct guest_image req = {
		.format = c.flags & CHOOSE_FLAT ? FORMAT_FLAT : FORMAT_MULTIBOOT,
		.name = "kernel", .kernel = file, .kernel_size = size, .cmdline = "a b",
		.load = c.load, .entry = c.entry, .mode = (enum guest_mode)(c.mode % 3),
	};
	if (!(c.flags & CHOOSE_FLAT))
		req.n_modules = c.n_modules % (GUEST_MAX_MODULES + 1);
	for (unsigned i = 0; i < req.n_modules; i++)
		req.modules[i] = (struct guest_module){ module, FIRST_MODULE_SIZE >> i, "m x" };

	const bool checked = loader_check(&req, mem.size, error, sizeof(error));

	check(loader_load(&req, &mem, &entry, error, sizeof(error)) == checked);
	if (!checked) {
		check(memchr(error, '\0', sizeof(error)) && strchr(error, ':'));
	} else {
		if (c.flags & CHOOSE_FLAT)
			check_flat(&req, &mem, &entry);
		else
			check_info(&req, &mem, &entry);
		madvise(arena(), ARENA, MADV_DONTNEED);
	}
	free(file);
	return 0;
}
