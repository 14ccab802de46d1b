/* SPDX-License-Identifier: BSD-2-Clause */
/* The words in which the configuration tells the loader how to start a guest. */
#ifndef BULKHEAD_GUEST_FORMAT_H
#define BULKHEAD_GUEST_FORMAT_H

#define GUEST_MAX_MODULES 8 /* of one guest */

enum guest_format {
	FORMAT_GUESS, /* the image says it itself */
	FORMAT_LINUX,
	FORMAT_MULTIBOOT,
	FORMAT_FLAT
};

/* The state in which a flat image is entered. */
enum guest_mode { MODE_REAL16, MODE_PROTECTED32, MODE_LONG64 };

#endif
