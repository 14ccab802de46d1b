/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical interrupt controllers: everything masked but what we route as NMI. */
#include "election.h"
#include "io.h"
#include "smp.h"

#define PIC1_DATA 0x21
#define PIC2_DATA 0xA1
#define PIC_ALL 0xFF

/* Intel 82093AA, 3.1 and 3.2. */
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_REG_VERSION 0x01
#define IOAPIC_REG_TABLE 0x10

#define MAX_PINS 240u

#define RTE_NMI (APIC_NMI << APIC_DELIVERY_SHIFT)
#define RTE_LOW BIT(13)
#define RTE_MASKED BIT(16)
#define RTE_DEST_SHIFT 24
#define RTE_DEST_MAX 254u

/* Of the I/O APIC with GSI 0; none when there is no such. */
static uint32_t pins;

/* What goes to a pin, 0: nothing.  `wanted` is anybody's, `applied` the owner's. */
#define ROUTE_APIC_ID 0xFFu
#define ROUTE_LOW 0x100u
#define ROUTE_SET 0x200u
static uint32_t wanted[MAX_PINS], applied[MAX_PINS];
static struct election election;

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
	if (pins > MAX_PINS)
		pins = MAX_PINS;
	for (uint32_t i = 0; i < pins; i++)
		ioapic_write((uint8_t)(IOAPIC_REG_TABLE + 2 * i), RTE_MASKED);
}

uint32_t ioapic_pins(void)
{
	return pins;
}

static void apply(uint32_t pin, uint32_t route)
{
	const uint8_t reg = (uint8_t)(IOAPIC_REG_TABLE + 2 * pin);

	/* NMI is always edge-triggered, whatever the line is (82093AA, 3.2.4). */
	ioapic_write(reg, RTE_MASKED);
	ioapic_write((uint8_t)(reg + 1), (route & ROUTE_APIC_ID) << RTE_DEST_SHIFT);
	ioapic_write(reg, RTE_NMI | (route & ROUTE_LOW ? (uint32_t)RTE_LOW : 0));
	applied[pin] = route;
}

static void apply_changes(void)
{
	for (uint32_t pin = 0; pin < pins; pin++) {
		/* Relaxed: the election orders it. */
		const uint32_t route = __atomic_load_n(&wanted[pin], __ATOMIC_RELAXED);

		if (route != applied[pin])
			apply(pin, route);
	}
}

/* A register is reached by two accesses, so one CPU at a time, which does it for all. */
bool ioapic_route_nmi(uint32_t gsi, bool active_low, uint32_t apic_id)
{
	if (gsi >= pins || apic_id > RTE_DEST_MAX)
		return false;
	__atomic_store_n(&wanted[gsi], apic_id | ROUTE_SET | (active_low ? ROUTE_LOW : 0u),
			 __ATOMIC_RELAXED);
	election_ask(&election);
	while (election_wanted(&election) && election_win(&election)) {
		apply_changes();
		election_leave(&election);
	}
	return true;
}
