/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables that a guest finds between 0xE0000 and 0xF0000.  Pure code. */
#ifndef BULKHEAD_GUEST_ACPI_H
#define BULKHEAD_GUEST_ACPI_H

#include "guest_memory.h"

#define GUEST_ACPI_BASE 0xE0000ULL
#define GUEST_ACPI_END 0xF0000ULL /* the MP table follows */
#define GUEST_ACPI_MAX_CPUS 64

/* The hardware that the tables describe; the devices must be where these say. */
#define GUEST_PM1A_EVENT 0x600   /* 4 bytes: status, enable */
#define GUEST_PM1A_CONTROL 0x604 /* 2 bytes */
#define GUEST_PM_TIMER 0x608     /* 4 bytes; 32 bits count */
#define GUEST_RESET_PORT 0xCF9
#define GUEST_RESET_VALUE 6
#define GUEST_SCI_IRQ 9 /* edge, active high: the guest's EOI is not seen */
#define GUEST_LAPIC_BASE 0xFEE00000ULL
#define GUEST_IOAPIC_BASE 0xFEC00000ULL
#define GUEST_HPET_BASE 0xFED00000ULL
#define GUEST_RTC_CENTURY 0x32 /* the RTC's register that holds the century */
#define GUEST_PIT_GSI 2 /* the I/O APIC pin of ISA IRQ 0 */

struct guest_acpi_config {
	unsigned n_cpus;  /* 1 to GUEST_ACPI_MAX_CPUS; their APIC IDs are 0 to n_cpus - 1 */
	bool rtc;         /* there is an MC146818 at port 0x70 */
	uint32_t hpet_id; /* bits 0-31 of the HPET's capability register, 0: no HPET */
};

/* The ID of the I/O APIC as the MADT gives it: the first that no CPU has. */
static inline uint8_t guest_ioapic_id(unsigned n_cpus)
{
	return (uint8_t)n_cpus;
}

/*
 * Writes the tables into `mem` and sets *rsdp to the guest-physical address
 * of the root pointer.  False, with nothing written, when `mem` ends below
 * GUEST_ACPI_END or n_cpus is out of range.
 */
bool guest_acpi_build(const struct guest_memory *mem, const struct guest_acpi_config *cfg,
		      uint64_t *rsdp);

#endif
