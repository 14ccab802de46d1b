/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the parts of a Linux guest go, by the rules of the boot protocol. */
#include "kstring.h"
#include "layout.h"
#include "linux_image.h"
#include "place.h"

/*
 * The kernel's address.  Unpacking starts at the first aligned address that is
 * neither below the load address nor below pref_address, so that a relocatable
 * kernel gains nothing from a place below pref_address.
 */
static bool place_kernel(const struct linux_image *image, uint64_t memory, uint64_t *kernel,
			 const struct error_line *error)
{
	const struct linux_header *hdr = &image->hdr;
	const uint64_t low_end = guest_low_ram_end(memory);
	uint64_t base = image->preferred;

	if (base > GUEST_LOW_RAM_MAX)
		return loader_fail(error, "kernel: its load address is 0x%lx, guests have RAM from "
				   "1 MiB to 3 GiB; build the kernel for a lower address", base);
	if (hdr->relocatable_kernel)
		base = align_up(max_u64(base, LAYOUT_HIGH_MEMORY), hdr->kernel_alignment);
	else if (base < LAYOUT_HIGH_MEMORY)
		return loader_fail(error, "kernel: its load address is 0x%lx, it must lie "
				   "above 1 MiB; use a relocatable kernel", base);
	/* No overflow: base is below 4 GiB + 1 GiB, the footprint below 64 GiB. */
	if (base + image->footprint > low_end)
		return place_too_small("the kernel", base + image->footprint, memory, error);
	*kernel = base;
	return true;
}

/* As high as the kernel can reach it, above the memory in which the kernel unpacks itself. */
static bool place_initrd(const struct linux_image *image, uint64_t size, uint64_t memory,
			 struct linux_plan *plan, const struct error_line *error)
{
	const uint64_t reach = (uint64_t)image->hdr.initrd_addr_max + 1;
	const uint64_t kernel_end = align_up(plan->kernel + image->footprint, PAGE_SIZE);
	const uint64_t top = align_down(min_u64(guest_low_ram_end(memory), reach), PAGE_SIZE);
	uint64_t room = top > kernel_end ? top - kernel_end : 0;

	if (size <= room) {
		plan->initrd = align_down(top - size, PAGE_SIZE);
		return true;
	}
	room = reach > kernel_end ? align_down(reach, PAGE_SIZE) - kernel_end : 0;
	if (size > room)
		return loader_fail(error, "initrd: %lu bytes, this kernel reaches one of %lu at "
				   "most; use a smaller initrd", size, room);
	return place_too_small("the kernel with its initrd", align_up(kernel_end + size, PAGE_SIZE),
			 memory, error);
}

static bool place_cmdline(const struct linux_header *hdr, const char *cmdline,
			  struct linux_plan *plan, const struct error_line *error)
{
	const uint64_t most = min_u64(hdr->cmdline_size, LAYOUT_CMDLINE_SIZE - 1);
	const uint64_t len = cmdline ? strlen(cmdline) : 0;

	if (len > most)
		return loader_fail(error, "cmdline: %lu characters, this kernel takes %lu; shorten "
				   "it", len, most);
	plan->cmdline_size = len + 1;
	return true;
}

bool linux_place(const struct linux_image *image, const struct guest_image *req,
		 uint64_t memory, struct linux_plan *out, const struct error_line *error)
{
	memset(out, 0, sizeof(*out));
	if (!place_cmdline(&image->hdr, req->cmdline, out, error) ||
	    !place_kernel(image, memory, &out->kernel, error))
		return false;
	return req->initrd_size == 0 ||
	       place_initrd(image, req->initrd_size, memory, out, error);
}
