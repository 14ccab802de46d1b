/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a Linux kernel for its 64-bit entry, or where it has none for its
 * 32-bit entry (boot.rst, "64-bit Boot Protocol" and "32-bit Boot Protocol").
 */
#include "kstring.h"
#include "layout.h"
#include "linux_image.h"
#include "memory_map.h"

_Static_assert(sizeof(struct boot_params) <= LAYOUT_BOOT_PARAMS_SIZE, "room for boot_params");

_Static_assert(MAP_MAX <= E820_MAX, "room for the memory map");

static void fill_e820(struct boot_params *params, uint64_t memory)
{
	struct map_entry map[MAP_MAX];
	const unsigned n = memory_map(memory, map);

	for (unsigned i = 0; i < n; i++)
		params->e820_table[i] =
			(struct e820_entry){ map[i].base, map[i].size, map[i].type };
	params->e820_entries = (uint8_t)n;
}

/* The fields of the setup header that are the loader's to write. */
static void fill_header(struct linux_header *hdr, const struct guest_image *req,
			const struct linux_plan *plan)
{
	hdr->vid_mode = LINUX_VID_MODE_NORMAL;
	hdr->type_of_loader = LINUX_LOADER_UNDEFINED;
	hdr->loadflags &= (uint8_t)~(LOADFLAG_CAN_USE_HEAP | LOADFLAG_KEEP_SEGMENTS);
	hdr->heap_end_ptr = 0;
	hdr->code32_start = (uint32_t)plan->kernel;
	hdr->cmd_line_ptr = (uint32_t)LAYOUT_CMDLINE;
	hdr->ramdisk_image = (uint32_t)plan->initrd;
	hdr->ramdisk_size = (uint32_t)req->initrd_size;
}

static void write_params(const struct linux_image *image, const struct guest_image *req,
			 const struct linux_plan *plan, const struct guest_memory *mem)
{
	struct boot_params *params = (void *)(mem->host + LAYOUT_BOOT_PARAMS);

	memset(params, 0, sizeof(*params));
	memcpy((uint8_t *)params + LINUX_HEADER_OFFSET,
	       (const uint8_t *)req->kernel + LINUX_HEADER_OFFSET, image->header_size);
	fill_header(&params->hdr, req, plan);
	params->acpi_rsdp_addr = req->rsdp;
	params->ext_ramdisk_image = (uint32_t)(plan->initrd >> 32);
	params->ext_ramdisk_size = (uint32_t)(req->initrd_size >> 32);
	fill_e820(params, mem->size);
}

/* The plan has found all these places to be RAM. */
static void copy_parts(const struct linux_image *image, const struct guest_image *req,
		       const struct linux_plan *plan, const struct guest_memory *mem)
{
	memcpy(mem->host + plan->kernel, (const uint8_t *)req->kernel + image->code_offset,
	       image->code_size);
	if (plan->initrd)
		memcpy(mem->host + plan->initrd, req->initrd, req->initrd_size);
	memcpy(mem->host + LAYOUT_CMDLINE, req->cmdline ? req->cmdline : "", plan->cmdline_size);
}

static bool make_plan(const struct guest_image *req, uint64_t memory, struct linux_image *image,
		      struct linux_plan *plan, const struct error_line *error)
{
	return linux_image_read(req->kernel, req->kernel_size, image, error) &&
	       linux_place(image, req, memory, plan, error);
}

static bool linux_check(const struct guest_image *req, uint64_t memory,
			const struct error_line *error)
{
	struct linux_image image;
	struct linux_plan plan;

	return make_plan(req, memory, &image, &plan, error);
}

static bool linux_load(const struct guest_image *req, const struct guest_memory *mem,
		       struct guest_entry *entry, const struct error_line *error)
{
	struct linux_image image;
	struct linux_plan plan;

	if (!make_plan(req, mem->size, &image, &plan, error))
		return false;
	/* The kernel lies above 1 MiB, so all of the first megabyte is RAM. */
	copy_parts(&image, req, &plan, mem);
	write_params(&image, req, &plan, mem);
	entry_tables(image.mode, mem);

	entry_state(image.mode, plan.kernel + image.entry, &entry->regs, &entry->sys);
	entry->regs.gpr[GPR_RSI] = LAYOUT_BOOT_PARAMS;
	entry->kernel = plan.kernel;
	entry->initrd = plan.initrd;
	return true;
}

const struct format linux_format = { linux_check, linux_load };
