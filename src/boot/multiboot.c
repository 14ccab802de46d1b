/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 1 and 2 information, turned into `struct boot_info`.  The
 * information lies in memory that guests may get later: all of it is copied.
 */
#include "multiboot.h"

#include "boot_info.h"
#include "kstring.h"

#define MB1_BOOT_MAGIC 0x2BADB002u
#define MB2_BOOT_MAGIC 0x36D76289u

/* Multiboot 1, 3.3: bits of `flags`. */
#define MB1_CMDLINE BIT(2)
#define MB1_MODULES BIT(3)
#define MB1_MMAP BIT(6)

#define MEMORY_AVAILABLE 1u
/* No CPU has more physical address bits (SDM vol. 3, 4.1.4). */
#define MAX_PHYSICAL BIT(52)

#define NO_MEMORY_MAP "the boot loader gave no memory map; use one that does (QEMU, GRUB)"

struct mb1_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
} PACKED;

struct mb1_module {
	uint32_t start, end, string, reserved;
} PACKED;

struct mb1_mmap {
	uint32_t size; /* of the rest of the entry */
	uint64_t base, length;
	uint32_t type;
} PACKED;

/* Multiboot 2, 3.6: tag types. */
enum mb2_type {
	MB2_END = 0, MB2_CMDLINE = 1, MB2_MODULE = 3, MB2_MMAP = 6,
	MB2_RSDP_OLD = 14, MB2_RSDP_NEW = 15
};

struct mb2_tag {
	uint32_t type, size;
} PACKED;

struct mb2_module {
	struct mb2_tag tag;
	uint32_t start, end;
	char string[];
} PACKED;

struct mb2_mmap {
	struct mb2_tag tag;
	uint32_t entry_size, entry_version;
} PACKED;

struct mb2_mmap_entry {
	uint64_t base, length;
	uint32_t type, reserved;
} PACKED;

static const void *at(uint64_t address)
{
	return (const void *)(uintptr_t)address;
}

static void copy_string(char *to, const char *from, size_t size)
{
	size_t i = 0;

	while (i + 1 < size && from[i]) {
		to[i] = from[i];
		i++;
	}
	to[i] = '\0';
}

/* The last path component of the first word: the name a configuration uses. */
static void module_name(char *to, const char *string)
{
	const char *start = string;
	size_t len = 0;

	while (*start == ' ')
		start++;
	for (const char *p = start; *p && *p != ' '; p++) {
		len++;
		if (*p == '/') {
			start = p + 1;
			len = 0;
		}
	}
	copy_string(to, start, len + 1 < BOOT_STRING ? len + 1 : BOOT_STRING);
}

static const char *add_module(uint64_t start, uint64_t end, const char *string)
{
	struct boot_module *m;

	if (boot_info.n_modules == BOOT_MAX_MODULES)
		return "there are more boot modules than Bulkhead has room for (32); pass fewer";
	if (end < start)
		return "a boot module ends before it starts; the boot loader is broken";
	m = &boot_info.modules[boot_info.n_modules++];
	m->base = start;
	m->size = end - start;
	module_name(m->name, string);
	return NULL;
}

static void add_ram(uint64_t base, uint64_t end)
{
	if (base < end && boot_info.n_ram < BOOT_MAX_REGIONS)
		boot_info.ram[boot_info.n_ram++] = (struct boot_region){ base, end - base };
}

static void remove_ram(uint64_t base, uint64_t end)
{
	const unsigned n = boot_info.n_ram;

	for (unsigned i = 0; i < n; i++) {
		struct boot_region *r = &boot_info.ram[i];
		const uint64_t r_end = r->base + r->size;

		if (base >= r_end || end <= r->base)
			continue;
		r->size = base > r->base ? base - r->base : 0;
		add_ram(end, r_end);
	}
}

/*
 * The map is gone through twice: what is available first, then what is not is
 * taken out, because firmware's entries may overlap in any order.
 */
enum map_pass { PASS_AVAILABLE, PASS_OTHER, PASSES };

static void add_region(uint64_t base, uint64_t length, uint32_t type, enum map_pass pass)
{
	uint64_t end = base + length;

	if ((type == MEMORY_AVAILABLE) != (pass == PASS_AVAILABLE) || base >= MAX_PHYSICAL)
		return;
	if (end < base || end > MAX_PHYSICAL)
		end = MAX_PHYSICAL;
	if (pass == PASS_AVAILABLE)
		add_ram(base, end);
	else
		remove_ram(base, end);
}

static void parse_mb1_map(const struct mb1_info *info, enum map_pass pass)
{
	for (uint64_t off = 0; off + sizeof(struct mb1_mmap) <= info->mmap_length;) {
		const struct mb1_mmap *e = at(info->mmap_addr + off);

		add_region(e->base, e->length, e->type, pass);
		off += (uint64_t)e->size + sizeof(e->size);
	}
}

static const char *parse_mb1(const struct mb1_info *info)
{
	const char *error;

	boot_info.loader = "Multiboot 1";
	if (info->flags & MB1_CMDLINE)
		copy_string(boot_info.cmdline, at(info->cmdline), BOOT_STRING);
	for (unsigned pass = 0; (info->flags & MB1_MMAP) && pass < PASSES; pass++)
		parse_mb1_map(info, pass);
	if (boot_info.n_ram == 0)
		return NO_MEMORY_MAP;
	if (!(info->flags & MB1_MODULES))
		return NULL;
	for (uint32_t i = 0; i < info->mods_count; i++) {
		const struct mb1_module *m = at(info->mods_addr + (uint64_t)i * sizeof(*m));

		error = add_module(m->start, m->end, m->string ? at(m->string) : "");
		if (error)
			return error;
	}
	return NULL;
}

static void parse_mb2_map(const struct mb2_mmap *map, enum map_pass pass)
{
	if (map->tag.size < sizeof(*map) || map->entry_size < sizeof(struct mb2_mmap_entry))
		return;
	for (uint64_t off = sizeof(*map); off + map->entry_size <= map->tag.size;
	     off += map->entry_size) {
		const struct mb2_mmap_entry *e = at((uintptr_t)map + off);

		add_region(e->base, e->length, e->type, pass);
	}
}

static void copy_rsdp(const struct mb2_tag *tag)
{
	size_t size = tag->size - sizeof(*tag);

	/* The newer table comes in the later tag type; let it win. */
	if (size > sizeof(boot_info.rsdp_copy))
		size = sizeof(boot_info.rsdp_copy);
	memcpy(boot_info.rsdp_copy, tag + 1, size);
	boot_info.rsdp = (uintptr_t)boot_info.rsdp_copy;
}

static const char *parse_mb2_tag(const struct mb2_tag *tag)
{
	const struct mb2_module *m;

	switch (tag->type) {
	case MB2_CMDLINE:
		copy_string(boot_info.cmdline, (const char *)(tag + 1), BOOT_STRING);
		return NULL;
	case MB2_MODULE:
		m = (const struct mb2_module *)tag;
		if (tag->size <= sizeof(*m))
			return "a boot module has no name; the boot loader is broken";
		return add_module(m->start, m->end, m->string);
	case MB2_MMAP:
		for (unsigned pass = 0; pass < PASSES; pass++)
			parse_mb2_map((const struct mb2_mmap *)tag, pass);
		return NULL;
	case MB2_RSDP_OLD:
		if (boot_info.rsdp == 0)
			copy_rsdp(tag);
		return NULL;
	case MB2_RSDP_NEW:
		copy_rsdp(tag);
		return NULL;
	default:
		return NULL;
	}
}

static const char *parse_mb2(uint64_t info)
{
	const uint32_t total = *(const uint32_t *)at(info);
	const char *error;

	boot_info.loader = "Multiboot 2";
	for (uint64_t off = 8; off + sizeof(struct mb2_tag) <= total;) {
		const struct mb2_tag *tag = at(info + off);

		if (tag->type == MB2_END || tag->size < sizeof(*tag) || tag->size > total - off)
			break;
		error = parse_mb2_tag(tag);
		if (error)
			return error;
		off += align_up(tag->size, 8);
	}
	if (boot_info.n_ram == 0)
		return NO_MEMORY_MAP;
	return NULL;
}

const char *multiboot_parse(uint32_t magic, uint32_t info)
{
	if (magic == MB1_BOOT_MAGIC)
		return parse_mb1(at(info));
	if (magic == MB2_BOOT_MAGIC)
		return parse_mb2(info);
	return "not started by a Multiboot loader; use QEMU's -kernel or GRUB's multiboot2";
}
