/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical interrupt controllers: everything masked but what we route as NMI. */
#include "io.h"
#include "log.h"
#include "smp.h"

#define PIC1_DATA 0x21
#define PIC2_DATA 0xA1
#define PIC_ALL 0xFF

/* Intel 82093AA, 3.1 and 3.2. */
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_REG_VERSION 0x01
#define IOAPIC_REG_TABLE 0x10

#define RTE_NMI (APIC_NMI << APIC_DELIVERY_SHIFT)
#define RTE_LOW BIT(13)
#define RTE_MASKED BIT(16)
#define RTE_DEST_SHIFT 24
#define RTE_DEST_MAX 254u

/* MADT interrupt flags (ACPI 5.2.12.5). */
#define FLAG_POLARITY_LOW(f) (((f) & 3) == 3)

/* Of the I/O APIC with GSI 0; none when there is no such. */
static uint32_t pins;

static uint32_t ioapic_read(uint8_t reg)
{
	volatile uint32_t *io = (volatile uint32_t *)(uintptr_t)acpi.ioapic_base;

	io[IOAPIC_SELECT / 4] = reg;
	return io[IOAPIC_WINDOW / 4];
}

static void ioapic_write(uint8_t reg, uint32_t v)
{
	volatile uint32_t *io = (volatile uint32_t *)(uintptr_t)acpi.ioapic_base;

	io[IOAPIC_SELECT / 4] = reg;
	io[IOAPIC_WINDOW / 4] = v;
}

void ioapic_init(void)
{
	io_out8(PIC1_DATA, PIC_ALL);
	io_out8(PIC2_DATA, PIC_ALL);
	if (!acpi.ioapic_base)
		return;
	pins = (ioapic_read(IOAPIC_REG_VERSION) >> 16 & 0xFF) + 1;
	for (uint32_t i = 0; i < pins; i++)
		ioapic_write((uint8_t)(IOAPIC_REG_TABLE + 2 * i), RTE_MASKED);
}

void ioapic_route_nmi(uint8_t irq, uint32_t apic_id)
{
	uint16_t flags;
	const uint32_t gsi = acpi_isa_gsi(irq, &flags);
	const uint8_t reg = (uint8_t)(IOAPIC_REG_TABLE + 2 * gsi);
	uint32_t low = RTE_NMI;

	if (gsi >= pins || apic_id > RTE_DEST_MAX) {
		log_warn("console: IRQ %u cannot be routed to the CPU with APIC ID %u; keys "
			 "are seen late", irq, apic_id);
		return;
	}
	/* NMI is always edge-triggered, whatever the line is (82093AA, 3.2.4). */
	if (FLAG_POLARITY_LOW(flags))
		low |= RTE_LOW;
	ioapic_write(reg, RTE_MASKED);
	ioapic_write((uint8_t)(reg + 1), apic_id << RTE_DEST_SHIFT);
	ioapic_write(reg, low);
}
