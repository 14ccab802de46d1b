/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's MADT. */
#ifndef VDEV_GUEST_MADT_H
#define VDEV_GUEST_MADT_H

#include "acpi_tables.h"
#include "guest_acpi.h"

struct PACKED guest_madt {
	struct acpi_madt table;
	struct madt_ioapic ioapic;
	struct madt_override pit, sci;
	struct madt_lapic_nmi nmi;
	struct madt_lapic lapic[GUEST_ACPI_MAX_CPUS]; /* as many as there are CPUs */
};

/* Everything but the checksum; returns the table's length. */
uint32_t guest_madt_fill(struct guest_madt *madt, unsigned n_cpus);

#endif
