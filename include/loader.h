/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest image formats: from the bytes of a boot module to guest RAM and the
 * state of the guest's first CPU.  Pure code; nothing in an image is trusted.
 *
 * Every function that fails leaves one line in `error`: the thing, the rule
 * and the remedy.  The line starts with the configuration's key that it is
 * about and a colon.  LOADER_ERROR bytes hold the longest of them.
 */
#ifndef BULKHEAD_LOADER_H
#define BULKHEAD_LOADER_H

#include "guest_format.h"
#include "guest_memory.h"
#include "vcpu_state.h"

#define LOADER_ERROR 224

struct guest_module {
	const void *data;
	uint64_t size;
	const char *string; /* its name and command line, for the guest */
};

/* What a guest is made of, as its configuration says. */
struct guest_image {
	enum guest_format format;
	const char *name; /* the kernel's, for guests that are told it; NULL: empty */
	const void *kernel;
	uint64_t kernel_size;
	const void *initrd; /* Linux; not looked at when initrd_size is 0 */
	uint64_t initrd_size;
	const char *cmdline; /* NULL: empty */
	uint64_t rsdp;       /* guest-physical, 0: the guest shall search for it */
	struct guest_module modules[GUEST_MAX_MODULES]; /* Multiboot */
	unsigned n_modules;
	uint64_t load, entry; /* flat, as the mode */
	enum guest_mode mode;
};

struct guest_entry {
	struct vcpu_regs regs;
	struct vcpu_sysregs sys;
	/* Guest-physical, for messages: the lowest byte of the kernel; initrd is 0 for none. */
	uint64_t kernel, initrd;
};

/* The format that the image has the marks of, or FORMAT_GUESS. */
enum guest_format loader_recognise(const void *image, uint64_t size);

/*
 * Would loader_load succeed with `memory` bytes of guest RAM?  Touches no
 * guest memory: the whole configuration is checked before any guest starts.
 */
bool loader_check(const struct guest_image *image, uint64_t memory, char *error,
		  size_t error_size);

/*
 * Loads the guest into `mem`, which must be zeroed, and fills *entry with
 * everything the guest's first CPU needs.  On failure neither was touched.
 */
bool loader_load(const struct guest_image *image, const struct guest_memory *mem,
		 struct guest_entry *entry, char *error, size_t error_size);

#endif
