/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest image formats: from the bytes of a boot module to guest RAM and the
 * state of the guest's first CPU.  Pure code; nothing in an image is trusted.
 *
 * Every function that fails leaves one line in `error`: the thing, the rule
 * and the remedy.  LOADER_ERROR bytes hold the longest of them.
 */
#ifndef BULKHEAD_LOADER_H
#define BULKHEAD_LOADER_H

#include "guest_memory.h"
#include "vcpu_state.h"

#define LOADER_ERROR 224

/* ---- Linux: bzImage through the 64-bit entry -------------------------- */

struct linux_request {
	const void *kernel;
	uint64_t kernel_size;
	const void *initrd; /* not looked at when initrd_size is 0 */
	uint64_t initrd_size;
	const char *cmdline; /* NULL: empty */
	uint64_t rsdp;       /* guest-physical, 0: the guest shall search for it */
};

struct linux_entry {
	struct vcpu_regs regs;
	struct vcpu_sysregs sys;
	/* Guest-physical, for messages.  initrd is 0 when there is none. */
	uint64_t kernel, initrd;
};

/* Does it carry the marks of a Linux kernel image, good or bad?  For guessing a format. */
bool linux_recognise(const void *image, uint64_t size);

/* Can it be loaded, as far as the image alone can say? */
bool linux_probe(const void *image, uint64_t size, char *error, size_t error_size);

/*
 * Would linux_load succeed with `memory` bytes of guest RAM?  Touches no
 * guest memory: the whole configuration is checked before any guest starts.
 */
bool linux_check(const struct linux_request *req, uint64_t memory, char *error, size_t error_size);

/*
 * Loads the kernel into `mem`, which must be zeroed, and fills *entry with
 * everything the guest's first CPU needs.  On failure neither was touched.
 */
bool linux_load(const struct linux_request *req, const struct guest_memory *mem,
		struct linux_entry *entry, char *error, size_t error_size);

#endif
