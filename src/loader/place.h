/* SPDX-License-Identifier: BSD-2-Clause */
/* What RAM a guest has for images, and the two ways of not fitting into it. */
#ifndef LOADER_PLACE_H
#define LOADER_PLACE_H

#include "fail.h"
#include "guest_memory.h"

/*
 * May an image have these bytes?  They must be RAM in one piece that the guest
 * is told of, and not below `lowest`, where the loader's own data ends.  `key`
 * starts the message.  Takes any values.
 */
bool place_check(const char *key, uint64_t base, uint64_t size, uint64_t lowest, uint64_t memory,
		 const struct error_line *error);

/* The guest's RAM ends before `end`: says what would be enough.  Always false. */
bool place_too_small(const char *what, uint64_t end, uint64_t memory,
		     const struct error_line *error);

#endif
