/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ACPI tables say of the machine: FADT and MADT (ACPI 6.5, 5.2.9 and 5.2.12). */
#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H

#include "x86.h"

#define ACPI_MAX_CPUS 16
#define ISA_IRQS 16

struct acpi {
	uint16_t pm_timer;             /* port */
	bool pm_timer_32;              /* 32 bits wide */
	uint32_t n_cpus;
	uint32_t apic_id[ACPI_MAX_CPUS];
	uint32_t lapic, ioapic, hpet;  /* addresses; hpet 0: no table */
	uint32_t gsi[ISA_IRQS];        /* where an ISA line arrives at the I/O APIC */
};

extern struct acpi acpi;

void acpi_init(void);

#endif
