/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any image, any guest size: the Linux loader refuses, or it puts everything
 * into RAM without overlap.  Guest memory ends at a page that cannot be
 * touched, and so does the image.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader.h"
#include "loader/layout.h"
#include "loader/linux_abi.h"

#define ARENA GIB(5)
#define CMDLINE_MOST 300

struct choice {
	uint32_t pages;       /* of guest RAM */
	uint32_t initrd_size;
	uint16_t cmdline_size;
	uint8_t flags;
} PACKED;

#define CHOOSE_MARKS BIT(0)  /* put the magic numbers in, so that the rest is reached */
#define CHOOSE_SANE BIT(1)   /* and a plausible version and flags */
#define CHOOSE_SMALL BIT(2)  /* little RAM, where things collide */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void add_marks(uint8_t *file, size_t size, uint8_t flags)
{
	struct linux_header *hdr = (struct linux_header *)(file + LINUX_HEADER_OFFSET);

	if (size < LINUX_HEADER_OFFSET + sizeof(*hdr) || !(flags & CHOOSE_MARKS))
		return;
	hdr->boot_flag = LINUX_BOOT_FLAG;
	hdr->magic = LINUX_MAGIC;
	if (!(flags & CHOOSE_SANE))
		return;
	hdr->version = (uint16_t)(LINUX_PROTOCOL_MIN + hdr->version % 10);
	hdr->loadflags |= LOADFLAG_LOADED_HIGH;
	hdr->jump_length = (uint8_t)(0x66 + hdr->jump_length % 41);
	hdr->kernel_alignment = 1U << (12 + hdr->kernel_alignment % 19);
	hdr->setup_sects = 1;
	hdr->syssize %= (uint32_t)(size / LINUX_SYSSIZE_UNIT + 1);
	hdr->pref_address %= GIB(4);
}

static void check_entry(const struct guest_entry *entry, const struct linux_header *hdr)
{
	const bool entry64 = entry->sys.efer != 0;

	if (entry64)
		check(hdr->version >= LINUX_PROTOCOL_ENTRY64 &&
		      hdr->xloadflags & XLOADFLAG_KERNEL_64);
	check(entry->regs.rip == entry->kernel + (entry64 ? 0x200 : 0));
	check(entry->regs.gpr[GPR_RSI] == LAYOUT_BOOT_PARAMS);
}

static void check_loaded(const struct guest_image *req, const struct guest_memory *mem,
			 const struct guest_entry *entry)
{
	const struct boot_params *p = (void *)(mem->host + LAYOUT_BOOT_PARAMS);
	const uint64_t low_end = guest_low_ram_end(mem->size);
	const uint64_t sects = p->hdr.setup_sects ? p->hdr.setup_sects : 4;
	const uint64_t offset = (sects + 1) * LINUX_SECTOR;
	const uint64_t code = min_u64((uint64_t)p->hdr.syssize * LINUX_SYSSIZE_UNIT,
				      req->kernel_size - offset);
	const bool placed = p->hdr.version >= LINUX_PROTOCOL_PLACED;
	const uint64_t need = max_u64(code, placed ? p->hdr.init_size : 0);

	check(entry->kernel >= MIB(1) && entry->kernel + need <= low_end);
	check_entry(entry, &p->hdr);
	check(!memcmp(mem->host + entry->kernel, (const uint8_t *)req->kernel + offset, code));
	check(!strcmp((const char *)mem->host + LAYOUT_CMDLINE, req->cmdline));
	check(p->e820_entries >= 4 && p->e820_entries <= 5);
	if (!req->initrd_size)
		return;
	check(entry->initrd % PAGE_SIZE == 0 && entry->initrd >= entry->kernel + need);
	check(entry->initrd + req->initrd_size <= low_end);
	check(entry->initrd + req->initrd_size - 1 <= p->hdr.initrd_addr_max);
	check(!memcmp(mem->host + entry->initrd, req->initrd, req->initrd_size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t initrd[0x10000];
	char cmdline[CMDLINE_MOST + 1] = { 0 }, error[LOADER_ERROR];
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
	add_marks(file, size, c.flags);
	memset(cmdline, 'x', c.cmdline_size % (CMDLINE_MOST + 1));

	const uint64_t most = c.flags & CHOOSE_SMALL ? MIB(8) : ARENA;

	mem.size = c.pages % (most / PAGE_SIZE + 1) * PAGE_SIZE;
	mem.host = arena() + ARENA - mem.size;
	const struct guest_image req = {
		.format = FORMAT_LINUX, .kernel = file, .kernel_size = size, .initrd = initrd,
		.initrd_size = c.initrd_size % (sizeof(initrd) + 1), .cmdline = cmdline,
	};
	const bool checked = loader_check(&req, mem.size, error, sizeof(error));

	check(loader_load(&req, &mem, &entry, error, sizeof(error)) == checked);
	if (checked) {
		check_loaded(&req, &mem, &entry);
		madvise(arena(), ARENA, MADV_DONTNEED);
	} else {
		check(memchr(error, '\0', sizeof(error)) && error[0]);
	}
	free(file);
	return 0;
}
