/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include "types.h"

/* Fills boot_info from what EAX and EBX held at entry.  NULL, or what is wrong. */
const char *multiboot_parse(uint32_t magic, uint32_t info);

#endif
