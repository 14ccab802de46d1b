/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MP table (Intel MultiProcessor Specification 1.4) for guests that do
 * not read ACPI: old and small kernels, and Linux with acpi=off.  It says
 * what the MADT says.  Pure code.
 */
#ifndef BULKHEAD_GUEST_MP_H
#define BULKHEAD_GUEST_MP_H

#include "guest_memory.h"

/* In the last 64 KiB below 1 MiB, where guests search (chapter 4). */
#define GUEST_MP_BASE 0xF0000ULL
#define GUEST_MP_END 0x100000ULL

struct guest_mp_config {
	unsigned n_cpus;    /* 1 to GUEST_ACPI_MAX_CPUS; their APIC IDs are 0 to n_cpus - 1 */
	/* CPUID leaf 1 as the guest sees it: EAX, and EDX, of which the table has four bits. */
	uint32_t signature, features;
};

/*
 * Writes the table into `mem`.  False, with nothing written, when `mem` has
 * less than 1 MiB or n_cpus is out of range.
 */
bool guest_mp_build(const struct guest_memory *mem, const struct guest_mp_config *cfg);

#endif
