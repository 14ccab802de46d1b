/* SPDX-License-Identifier: BSD-2-Clause */
/* A bzImage whose header was checked, and the places its parts get in guest memory. */
#ifndef LOADER_LINUX_IMAGE_H
#define LOADER_LINUX_IMAGE_H

#include "entry_state.h"
#include "formats.h"
#include "linux_abi.h"

struct linux_image {
	struct linux_header hdr;            /* zero where its protocol has no such field yet */
	uint32_t header_size;               /* bytes to copy from LINUX_HEADER_OFFSET */
	uint64_t code_offset, code_size;    /* the protected-mode code in the file */
	uint64_t preferred;                 /* its load address; the only one if not relocatable */
	uint64_t footprint;                 /* RAM it needs from its load address on */
	enum guest_mode mode;
	uint64_t entry;                     /* from the load address */
};

/* Reads and checks the header.  Afterwards all of `out` is consistent with the file's size. */
bool linux_image_read(const void *file, uint64_t size, struct linux_image *out,
		      const struct error_line *error);

struct linux_plan {
	uint64_t kernel;
	uint64_t initrd; /* 0: none */
	uint64_t cmdline_size; /* with its terminator */
};

/* Finds a place for everything in a guest with `memory` bytes of RAM. */
bool linux_place(const struct linux_image *image, const struct guest_image *req,
		 uint64_t memory, struct linux_plan *out, const struct error_line *error);

#endif
