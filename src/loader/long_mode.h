/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest CPU that starts in 64-bit mode, with flat segments and identity paging. */
#ifndef LOADER_LONG_MODE_H
#define LOADER_LONG_MODE_H

#include "guest_memory.h"
#include "vcpu_state.h"

#define LONG_MODE_CS 0x10
#define LONG_MODE_DS 0x18

/* Bytes of RAM from address 0 that long_mode_tables needs. */
#define LONG_MODE_MIN_RAM MIB(1)

/*
 * Writes the GDT and the page tables (see layout.h) into `mem`, which has at
 * least LONG_MODE_MIN_RAM bytes.
 */
void long_mode_tables(const struct guest_memory *mem);

/* All registers: 64-bit mode at `rip`, interrupts off, every other register zero. */
void long_mode_state(uint64_t rip, struct vcpu_regs *regs, struct vcpu_sysregs *sys);

#endif
