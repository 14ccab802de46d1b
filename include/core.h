/* SPDX-License-Identifier: BSD-2-Clause */
/* The core's entry, called once from the boot code. */
#ifndef BULKHEAD_CORE_H
#define BULKHEAD_CORE_H

#include "types.h"

/*
 * From a filled boot_info to running guests.  On the boot CPU, in long mode,
 * with the first 4 GiB mapped.  Does not return.
 */
void NORETURN core_main(void);

/*
 * The log's first port: what the command line names, else COM1.  What the
 * configuration or the firmware says comes with core_main.  Boot CPU.
 */
void core_early_console(void);

/* Bulkhead cannot go on: says why on the console, tells debug-exit=, halts. */
void NORETURN core_give_up(const char *why);

#endif
