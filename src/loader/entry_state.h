/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states in which a guest's first CPU can start.  In all of them
 * interrupts are off, segments are flat and every other register is zero.
 */
#ifndef LOADER_ENTRY_STATE_H
#define LOADER_ENTRY_STATE_H

#include "guest_format.h"
#include "guest_memory.h"
#include "vcpu_state.h"

#define ENTRY_CS 0x10
#define ENTRY_DS 0x18

/* Bytes of RAM from address 0 that entry_tables may write to. */
#define ENTRY_MIN_RAM MIB(1)

/* The lowest address that entry_tables leaves alone in this mode, and all above it. */
uint64_t entry_tables_end(enum guest_mode mode);

/*
 * Writes what the mode needs (a GDT, identity page tables; see layout.h) into
 * `mem`, which has at least ENTRY_MIN_RAM bytes.
 */
void entry_tables(enum guest_mode mode, const struct guest_memory *mem);

/*
 * All registers.  `entry` is a guest-physical address; in real mode, where it
 * is below 1 MiB, CS gets its bits 16 to 19 and IP the others.
 */
void entry_state(enum guest_mode mode, uint64_t entry, struct vcpu_regs *regs,
		 struct vcpu_sysregs *sys);

#endif
