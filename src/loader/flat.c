/* SPDX-License-Identifier: BSD-2-Clause */
/* A flat image: bytes that go to one address and are entered in a given mode. */
#include "entry_state.h"
#include "formats.h"
#include "kstring.h"
#include "layout.h"
#include "place.h"

static bool flat_check(const struct guest_image *image, uint64_t memory,
		       const struct error_line *error)
{
	if (!image->kernel_size)
		return loader_fail(error, "kernel: the file is empty; a flat image has at least "
				   "one byte; check the file");
	if (memory < ENTRY_MIN_RAM)
		return place_too_small("a flat image", ENTRY_MIN_RAM, memory, error);
	if (!place_check("load", image->load, image->kernel_size, entry_tables_end(image->mode),
			 memory, error))
		return false;
	if (image->entry < image->load || image->entry - image->load >= image->kernel_size)
		return loader_fail(error, "entry: 0x%lx is outside the image, which has the bytes "
				   "from 0x%lx to 0x%lx; correct entry or load", image->entry,
				   image->load, image->load + image->kernel_size - 1);
	if (image->mode == MODE_REAL16 && image->entry >= LAYOUT_HIGH_MEMORY)
		return loader_fail(error, "entry: 0x%lx is out of reach, real mode starts below "
				   "1 MiB; load the image there, or take another mode",
				   image->entry);
	return true;
}

static bool flat_load(const struct guest_image *image, const struct guest_memory *mem,
		      struct guest_entry *entry, const struct error_line *error)
{
	if (!flat_check(image, mem->size, error))
		return false;
	entry_tables(image->mode, mem);
	memcpy(mem->host + image->load, image->kernel, image->kernel_size);
	entry_state(image->mode, image->entry, &entry->regs, &entry->sys);
	entry->kernel = image->load;
	entry->initrd = 0;
	return true;
}

const struct format flat_format = { flat_check, flat_load };
