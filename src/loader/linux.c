/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads a Linux kernel for its 64-bit entry (boot.rst, "64-bit Boot Protocol"). */
#include "kstring.h"
#include "layout.h"
#include "linux_image.h"
#include "long_mode.h"

_Static_assert(sizeof(struct boot_params) <= LAYOUT_BOOT_PARAMS_SIZE, "room for boot_params");

static void add_e820(struct boot_params *params, uint64_t base, uint64_t end, uint32_t type)
{
	struct e820_entry *entry = &params->e820_table[params->e820_entries];

	if (end <= base)
		return;
	params->e820_entries++;
	entry->base = base;
	entry->size = end - base;
	entry->type = type;
}

static void fill_e820(struct boot_params *params, uint64_t memory)
{
	add_e820(params, 0, LAYOUT_BASE_RAM_END, E820_RAM);
	add_e820(params, LAYOUT_BASE_RAM_END, LAYOUT_VGA_HOLE, E820_RESERVED);
	add_e820(params, LAYOUT_BIOS, LAYOUT_HIGH_MEMORY, E820_RESERVED);
	add_e820(params, LAYOUT_HIGH_MEMORY, guest_low_ram_end(memory), E820_RAM);
	add_e820(params, GUEST_HIGH_RAM, guest_high_ram_end(memory), E820_RAM);
}

/* The fields of the setup header that are the loader's to write. */
static void fill_header(struct linux_header *hdr, const struct linux_request *req,
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

static void write_params(const struct linux_image *image, const struct linux_request *req,
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
static void copy_parts(const struct linux_image *image, const struct linux_request *req,
		       const struct linux_plan *plan, const struct guest_memory *mem)
{
	memcpy(mem->host + plan->kernel, (const uint8_t *)req->kernel + image->code_offset,
	       image->code_size);
	if (plan->initrd)
		memcpy(mem->host + plan->initrd, req->initrd, req->initrd_size);
	memcpy(mem->host + LAYOUT_CMDLINE, req->cmdline ? req->cmdline : "", plan->cmdline_size);
}

static bool make_plan(const struct linux_request *req, uint64_t memory, struct linux_image *image,
		      struct linux_plan *plan, const struct error_line *error)
{
	return linux_image_read(req->kernel, req->kernel_size, image, error) &&
	       linux_place(image, req, memory, plan, error);
}

bool linux_check(const struct linux_request *req, uint64_t memory, char *error, size_t error_size)
{
	const struct error_line line = { error, error_size };
	struct linux_image image;
	struct linux_plan plan;

	return make_plan(req, memory, &image, &plan, &line);
}

bool linux_load(const struct linux_request *req, const struct guest_memory *mem,
		struct linux_entry *entry, char *error, size_t error_size)
{
	const struct error_line line = { error, error_size };
	struct linux_image image;
	struct linux_plan plan;

	if (!make_plan(req, mem->size, &image, &plan, &line))
		return false;
	/* The kernel lies above 1 MiB, so all of the first megabyte is RAM. */
	copy_parts(&image, req, &plan, mem);
	write_params(&image, req, &plan, mem);
	long_mode_tables(mem);

	long_mode_state(plan.kernel + LINUX_ENTRY64, &entry->regs, &entry->sys);
	entry->regs.gpr[GPR_RSI] = LAYOUT_BOOT_PARAMS;
	entry->kernel = plan.kernel;
	entry->initrd = plan.initrd;
	return true;
}
