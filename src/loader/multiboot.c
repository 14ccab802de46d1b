/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a Multiboot kernel (0.6.96): its segments where they say, the modules
 * behind it, the information in the first 32 KiB, and then its 32-bit entry.
 */
#include "entry_state.h"
#include "formats.h"
#include "kstring.h"
#include "layout.h"
#include "memory_map.h"
#include "multiboot_abi.h"
#include "multiboot_image.h"
#include "place.h"

static const char loader_name[] = "Bulkhead";

/* Where everything goes. */
struct plan {
	struct mb_image image;
	uint64_t modules[GUEST_MAX_MODULES];
};

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* Modules are page-aligned, whether the kernel asks for it or not; many count on the order. */
static bool place_modules(const struct guest_image *req, uint64_t kernel_end, uint64_t memory,
			  struct plan *plan, const struct error_line *error)
{
	uint64_t at = align_up(max_u64(kernel_end, LAYOUT_HIGH_MEMORY), PAGE_SIZE);

	for (unsigned i = 0; i < req->n_modules; i++) {
		const uint64_t size = req->modules[i].size;

		if (size > GUEST_LOW_RAM_MAX)
			return loader_fail(error, "module: has %lu bytes, a guest has RAM up to 3 "
					   "GiB; use a smaller one", size);
		if (at + size > guest_low_ram_end(memory))
			return place_too_small("the kernel with its modules", at + size, memory,
					       error);
		plan->modules[i] = at;
		at = align_up(at + size, PAGE_SIZE);
	}
	return true;
}

/* The strings and tables of the information, and the end marks of the strings. */
static uint64_t info_size(const struct guest_image *req)
{
	uint64_t size = sizeof(struct mb_info) + MAP_MAX * sizeof(struct mb_map_entry) +
			sizeof(loader_name) + req->n_modules * sizeof(struct mb_module);

	size += strlen(text_or_empty(req->name)) + 1 + strlen(text_or_empty(req->cmdline)) + 1;
	for (unsigned i = 0; i < req->n_modules; i++)
		size += strlen(req->modules[i].string) + 1;
	return size;
}

static bool make_plan(const struct guest_image *req, uint64_t memory, struct plan *plan,
		      const struct error_line *error)
{
	uint64_t end = 0;

	memset(plan, 0, sizeof(*plan));
	if (!mb_image_read(req->kernel, req->kernel_size, &plan->image, error))
		return false;
	if (memory < ENTRY_MIN_RAM)
		return place_too_small("a Multiboot kernel", ENTRY_MIN_RAM, memory, error);
	for (unsigned i = 0; i < plan->image.n_segments; i++) {
		const struct mb_segment *s = &plan->image.segments[i];

		if (!place_check("kernel", s->address, s->memory_size, LAYOUT_INFO_END, memory,
				 error))
			return false;
		end = max_u64(end, s->address + s->memory_size);
	}
	if (info_size(req) > LAYOUT_INFO_SIZE)
		return loader_fail(error, "cmdline: it and the modules' have %lu bytes in all, "
				   "there is room for %lu; shorten them", info_size(req),
				   (uint64_t)LAYOUT_INFO_SIZE);
	return place_modules(req, end, memory, plan, error);
}

/* ---- the information ------------------------------------------------------ */

/* The next free byte of the information's place. */
struct writer {
	uint8_t *host;
	uint64_t at; /* guest-physical */
};

/* Returns where it is in the guest.  info_size() has found room for all that is put. */
static uint32_t put(struct writer *w, const void *data, size_t size)
{
	const uint64_t at = w->at;

	memcpy(w->host + at, data, size);
	w->at += size;
	return (uint32_t)at;
}

static uint32_t put_string(struct writer *w, const char *s)
{
	return put(w, s, strlen(s) + 1);
}

/* The kernel's name comes first, as with other boot loaders: kernels skip one word. */
static uint32_t put_cmdline(struct writer *w, const struct guest_image *req)
{
	const char *name = text_or_empty(req->name);
	const uint32_t at = put(w, name, strlen(name));

	put(w, " ", 1);
	put_string(w, text_or_empty(req->cmdline));
	return at;
}

static void put_map(struct writer *w, uint64_t memory, struct mb_info *info)
{
	struct map_entry map[MAP_MAX];
	const unsigned n = memory_map(memory, map);

	info->mmap_addr = (uint32_t)w->at;
	info->mmap_length = n * (uint32_t)sizeof(struct mb_map_entry);
	for (unsigned i = 0; i < n; i++) {
		const struct mb_map_entry e = {
			.size = sizeof(e) - sizeof(e.size),
			.base = map[i].base, .length = map[i].size, .type = map[i].type,
		};

		put(w, &e, sizeof(e));
	}
}

/* The table first, the strings behind it. */
static void put_modules(struct writer *w, const struct guest_image *req, const struct plan *plan,
			struct mb_info *info)
{
	struct writer strings = { w->host, w->at + req->n_modules * sizeof(struct mb_module) };

	info->mods_addr = (uint32_t)w->at;
	info->mods_count = req->n_modules;
	for (unsigned i = 0; i < req->n_modules; i++) {
		const struct mb_module m = {
			.mod_start = (uint32_t)plan->modules[i],
			.mod_end = (uint32_t)(plan->modules[i] + req->modules[i].size),
			.string = put_string(&strings, req->modules[i].string),
		};

		put(w, &m, sizeof(m));
	}
	w->at = strings.at;
}

static void write_info(const struct guest_image *req, const struct plan *plan,
		       const struct guest_memory *mem)
{
	struct writer w = { mem->host, LAYOUT_INFO + sizeof(struct mb_info) };
	struct mb_info info = {
		.flags = MB_INFO_MEMORY | MB_INFO_CMDLINE | MB_INFO_MODULES | MB_INFO_MAP |
			 MB_INFO_LOADER_NAME,
		.mem_lower = LAYOUT_BASE_RAM_END / KIB(1),
		.mem_upper = (uint32_t)((guest_low_ram_end(mem->size) - LAYOUT_HIGH_MEMORY) /
					KIB(1)),
	};

	put_map(&w, mem->size, &info);
	put_modules(&w, req, plan, &info);
	info.cmdline = put_cmdline(&w, req);
	info.boot_loader_name = put_string(&w, loader_name);
	memcpy(mem->host + LAYOUT_INFO, &info, sizeof(info));
}

/* ---- the format ------------------------------------------------------------- */

static bool multiboot_check(const struct guest_image *req, uint64_t memory,
			    const struct error_line *error)
{
	struct plan plan;

	return make_plan(req, memory, &plan, error);
}

static uint64_t copy_parts(const struct guest_image *req, const struct plan *plan,
			   const struct guest_memory *mem)
{
	uint64_t lowest = UINT64_MAX;

	for (unsigned i = 0; i < plan->image.n_segments; i++) {
		const struct mb_segment *s = &plan->image.segments[i];

		memcpy(mem->host + s->address, (const uint8_t *)req->kernel + s->offset,
		       s->file_size);
		lowest = min_u64(lowest, s->address);
	}
	for (unsigned i = 0; i < req->n_modules; i++)
		if (req->modules[i].size)
			memcpy(mem->host + plan->modules[i], req->modules[i].data,
			       req->modules[i].size);
	return lowest;
}

static bool multiboot_load(const struct guest_image *req, const struct guest_memory *mem,
			   struct guest_entry *entry, const struct error_line *error)
{
	struct plan plan;

	if (!make_plan(req, mem->size, &plan, error))
		return false;
	entry->kernel = copy_parts(req, &plan, mem);
	entry->initrd = 0;
	write_info(req, &plan, mem);
	entry_tables(MODE_PROTECTED32, mem);
	entry_state(MODE_PROTECTED32, plan.image.entry, &entry->regs, &entry->sys);
	entry->regs.gpr[GPR_RAX] = MB_LOADER_MAGIC;
	entry->regs.gpr[GPR_RBX] = LAYOUT_INFO;
	return true;
}

const struct format multiboot_format = { multiboot_check, multiboot_load };
