/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Multiboot image says of itself: pieces of the file and their places in memory. */
#ifndef LOADER_MULTIBOOT_IMAGE_H
#define LOADER_MULTIBOOT_IMAGE_H

#include "fail.h"
#include "types.h"

#define MB_MAX_SEGMENTS 16

struct mb_segment {
	uint64_t offset, file_size; /* in the file */
	uint64_t address, memory_size; /* in memory; what is more than in the file is zero */
};

struct mb_image {
	struct mb_segment segments[MB_MAX_SEGMENTS];
	unsigned n_segments; /* at least 1 */
	uint64_t entry;
};

/*
 * Reads and checks an image.  Afterwards every segment lies within the file
 * and is no larger there than in memory; the entry lies in one of them.  Where
 * they are in memory is not checked.
 */
bool mb_image_read(const void *file, uint64_t size, struct mb_image *out,
		   const struct error_line *error);

/* The same for an ELF file without looking at its Multiboot header: elf.c. */
bool elf_read(const void *file, uint64_t size, struct mb_image *out,
	      const struct error_line *error);

/* Adds one, checked against the file.  Nothing is added for an empty one. */
bool mb_add_segment(struct mb_image *image, const struct mb_segment *segment, uint64_t file_size,
		    const struct error_line *error);

#endif
