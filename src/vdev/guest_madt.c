/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt controllers of a guest, as its MADT tells them. */
#include "guest_madt.h"

static struct madt_override isa_override(uint8_t irq, uint32_t gsi, uint16_t flags)
{
	return (struct madt_override){
		.type = MADT_OVERRIDE, .length = sizeof(struct madt_override),
		.irq = irq, .gsi = gsi, .flags = flags,
	};
}

static void fill_controllers(struct guest_madt *madt, unsigned n_cpus)
{
	madt->table.lapic_base = (uint32_t)GUEST_LAPIC_BASE;
	madt->table.flags = MADT_PCAT_COMPAT;
	madt->ioapic = (struct madt_ioapic){
		.type = MADT_IOAPIC, .length = sizeof(madt->ioapic),
		.id = guest_ioapic_id(n_cpus), .address = (uint32_t)GUEST_IOAPIC_BASE,
	};
	madt->pit = isa_override(0, GUEST_PIT_GSI, MADT_CONFORMS);
	/* Without this the SCI would be level-triggered (ACPI 5.2.9, SCI_INT). */
	madt->sci = isa_override(GUEST_SCI_IRQ, GUEST_SCI_IRQ, MADT_ACTIVE_HIGH | MADT_EDGE);
	madt->nmi = (struct madt_lapic_nmi){
		.type = MADT_LAPIC_NMI, .length = sizeof(madt->nmi), .uid = MADT_ALL_CPUS,
		.flags = MADT_CONFORMS, .lint = 1,
	};
}

uint32_t guest_madt_fill(struct guest_madt *madt, unsigned n_cpus)
{
	fill_controllers(madt, n_cpus);
	for (unsigned i = 0; i < n_cpus; i++)
		madt->lapic[i] = (struct madt_lapic){
			.type = MADT_LAPIC, .length = sizeof(madt->lapic[i]),
			.uid = (uint8_t)i, .apic_id = (uint8_t)i, .flags = MADT_CPU_ENABLED,
		};
	return (uint32_t)(offsetof(struct guest_madt, lapic) + n_cpus * sizeof(madt->lapic[0]));
}
