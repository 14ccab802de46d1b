/* SPDX-License-Identifier: BSD-2-Clause */
/* One loader a format; image.c chooses.  `check` and `load` as loader_check and loader_load. */
#ifndef LOADER_FORMATS_H
#define LOADER_FORMATS_H

#include "fail.h"
#include "loader.h"

struct format {
	bool (*check)(const struct guest_image *image, uint64_t memory,
		      const struct error_line *error);
	bool (*load)(const struct guest_image *image, const struct guest_memory *mem,
		     struct guest_entry *entry, const struct error_line *error);
};

extern const struct format linux_format, multiboot_format, flat_format;

/* Does it carry the marks of the format, good or bad? */
bool linux_recognise(const void *image, uint64_t size);
bool multiboot_recognise(const void *image, uint64_t size);

#endif
