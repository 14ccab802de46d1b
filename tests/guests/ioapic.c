/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O APIC (Intel 82093AA data sheet): registers, edges, levels with
 * remote IRR, masks, delivery modes and destinations.  COM1's transmitter
 * raises and lowers a line; the 8254 makes edges.
 */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "smp.h"
#include "time.h"

#define VECTOR 0x51
#define WRITABLE 0x1AFFFu /* mask, trigger, polarity, destination mode, delivery, vector */
#define IOAPIC_EOI 0x40
#define HAS_EOI_REGISTER 0x20
#define NEVER_FLAT 0x80

static unsigned pin;            /* COM1's */
static unsigned n_cpus;

static void handler(struct frame *f)
{
	(void)f;
	apic_eoi();
}

static void nmi(struct frame *f)
{
	(void)f;
}

static void quiet(irq_handler h)
{
	irq4_set(false);
	irq_set(VECTOR, h);
	ioapic_route(pin, RTE_MASKED, 0);
	irq_window();
	irq_forget();
}

static void check_registers(void)
{
	const uint32_t id = ioapic_read(IOAPIC_ID);

	check("pins", ioapic_pins(), 24);
	check_range("version", ioapic_read(IOAPIC_VERSION) & 0xFF, 0x11, 0x20);
	ioapic_write(IOAPIC_ID, 0x05000000);
	check("id-reads-back", ioapic_read(IOAPIC_ID) & 0x0F000000, 0x05000000);
	ioapic_write(IOAPIC_ID, id);
	ioapic_write(IOAPIC_RTE + 2 * 5, RTE_MASKED | RTE_LEVEL | RTE_ACTIVE_LOW | VECTOR);
	check("entry-reads-back", ioapic_rte(5) & WRITABLE,
	      RTE_MASKED | RTE_LEVEL | RTE_ACTIVE_LOW | VECTOR);
	ioapic_write(IOAPIC_RTE + 2 * 5, RTE_MASKED | RTE_REMOTE_IRR | BIT(12) | VECTOR);
	check("status-bits-cannot-be-written", ioapic_rte(5) & (RTE_REMOTE_IRR | BIT(12)), 0);
	ioapic_write(IOAPIC_RTE + 2 * 5 + 1, 0xA5000000);
	check("destination-reads-back", ioapic_read(IOAPIC_RTE + 2 * 5 + 1) & 0xFF000000,
	      0xA5000000);
	ioapic_write(IOAPIC_VERSION, 0);
	check("version-cannot-be-written", ioapic_pins(), 24);
	ioapic_mask_all();
}

static void check_edge(void)
{
	unsigned first, second;

	quiet(handler);
	ioapic_route(pin, VECTOR, (uint8_t)apic_id());
	irq4_set(true);
	irq_window();
	first = irq_count(0, VECTOR);
	irq_window();
	second = irq_count(0, VECTOR);
	irq4_set(false);
	check("edge-comes", first, 1);
	check("edge-comes-once-while-high", second, 1);
	check("edge-sets-no-remote-irr", ioapic_rte(pin) & RTE_REMOTE_IRR, 0);
	irq4_set(true);
	irq_window();
	irq4_set(false);
	check("next-edge-comes", irq_count(0, VECTOR), 2);

	quiet(handler);
	irq4_set(true);
	irq4_set(false);
	ioapic_route(pin, VECTOR, (uint8_t)apic_id());
	irq_window();
	check("edge-while-masked-is-lost", irq_count(0, VECTOR), 0);
}

static void check_level(void)
{
	unsigned remote, count, again;

	quiet(NULL);
	ioapic_route(pin, VECTOR | RTE_LEVEL, (uint8_t)apic_id());
	irq4_set(true);
	irq_window();
	remote = ioapic_rte(pin) & RTE_REMOTE_IRR;
	count = irq_count(0, VECTOR);
	apic_eoi();
	irq_window();
	again = irq_count(0, VECTOR);
	irq4_set(false);
	check("level-comes", count, 1);
	check("level-sets-remote-irr", remote, RTE_REMOTE_IRR);
	check("tmr-says-level", apic_vector_bit(APIC_TMR, VECTOR), true);
	check("comes-again-after-eoi-while-high", again, 2);
	remote = ioapic_rte(pin) & RTE_REMOTE_IRR;
	check("remote-irr-waits-for-eoi", remote, RTE_REMOTE_IRR);
	apic_eoi();
	check("eoi-clears-remote-irr", ioapic_rte(pin) & RTE_REMOTE_IRR, 0);
	irq_window();
	check("level-ends-with-the-line", irq_count(0, VECTOR), 2);

	quiet(handler);
	ioapic_route(pin, VECTOR | RTE_LEVEL | RTE_MASKED, (uint8_t)apic_id());
	irq4_set(true);
	irq_window();
	count = irq_count(0, VECTOR);
	irq_set(VECTOR, NULL);
	ioapic_write(IOAPIC_RTE + 2 * pin, VECTOR | RTE_LEVEL);
	irq_window();
	irq4_set(false);
	check("masked-level-does-not-come", count, 0);
	check("level-comes-when-unmasked", irq_count(0, VECTOR), 1);
	apic_eoi();
}

static void check_eoi_register(void)
{
	if ((ioapic_read(IOAPIC_VERSION) & 0xFF) < HAS_EOI_REGISTER) {
		skip("directed-eoi", "the version has no EOI register");
		return;
	}
	quiet(NULL);
	ioapic_route(pin, VECTOR | RTE_LEVEL, (uint8_t)apic_id());
	irq4_set(true);
	irq_window();
	irq4_set(false);
	mmio_write(acpi.ioapic + IOAPIC_EOI, VECTOR + 1);
	check("directed-eoi-of-another", ioapic_rte(pin) & RTE_REMOTE_IRR, RTE_REMOTE_IRR);
	mmio_write(acpi.ioapic + IOAPIC_EOI, VECTOR);
	check("directed-eoi", ioapic_rte(pin) & RTE_REMOTE_IRR, 0);
	apic_eoi();
}

/* Who gets an edge that is routed so: bit n for CPU n. */
static unsigned takers(uint32_t rte, uint8_t destination, unsigned vector)
{
	unsigned mask = 0;

	quiet(handler);
	ioapic_route(pin, rte, destination);
	irq4_set(true);
	irq_window();
	for (unsigned cpu = 0; cpu < n_cpus; cpu++) {
		/* The others are in no hurry; those that get nothing are not waited for long. */
		irq_wait(cpu, vector, 1, 20);
		mask |= irq_count(cpu, vector) ? BIT(cpu) : 0;
	}
	irq4_set(false);
	ioapic_route(pin, RTE_MASKED, 0);
	return mask;
}

static void logical_id(void *arg)
{
	(void)arg;
	apic_write(APIC_DFR, DFR_FLAT);
	apic_write(APIC_LDR, BIT(this_cpu()) << 24);
}

static void check_destinations(void)
{
	unsigned who;

	check("nmi", takers(RTE_NMI, (uint8_t)apic_id(), EXC_NMI), 1);
	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		if (cpu)
			smp_call(cpu, logical_id, NULL);
		else
			logical_id(NULL);
	check("logical-to-cpu0", takers(VECTOR | RTE_LOGICAL, 1, VECTOR), 1);
	check("logical-to-nobody", takers(VECTOR | RTE_LOGICAL, NEVER_FLAT, VECTOR), 0);
	check("lowest-priority-to-one", takers(VECTOR | RTE_LOGICAL | RTE_LOWEST, 1, VECTOR), 1);
	if (n_cpus < 2) {
		skip("other-cpu", "there is none");
		return;
	}
	check("physical-to-cpu1", takers(VECTOR, (uint8_t)smp_apic_id(1), VECTOR), 2);
	check("logical-to-cpu1", takers(VECTOR | RTE_LOGICAL, 2, VECTOR), 2);
	check("logical-to-both", takers(VECTOR | RTE_LOGICAL, 3, VECTOR), 3);
	check("nmi-to-cpu1", takers(RTE_NMI, (uint8_t)smp_apic_id(1), EXC_NMI), 2);
	who = takers(VECTOR | RTE_LOGICAL | RTE_LOWEST, 3, VECTOR);
	check_true("lowest-priority-to-one-of-two", who == 1 || who == 2);
}

/* The 8259s through pin 0, as the virtual wire over the I/O APIC. */
static void check_extint(void)
{
	quiet(handler);
	pic_setup(ICW4_8086);
	irq_set(PIC_BASE_MASTER, NULL);
	irq0_set(false);
	pic_mask(0xFFFE);
	ioapic_route(0, RTE_EXTINT, (uint8_t)apic_id());
	irq0_set(true);
	irq_window();
	check("extint-by-pin-0", irq_count(0, PIC_BASE_MASTER), 1);
	pic_settle();
	pic_mask(0xFFFF);
	ioapic_mask_all();
}

void guest_main(void)
{
	pin = acpi.gsi[COM1_IRQ];
	pic_setup(ICW4_8086);
	pic_mask(0xFFFF);
	irq0_set(false);
	apic_enable();
	apic_mask_lint0();
	ioapic_mask_all();
	irq_set(EXC_NMI, nmi);
	n_cpus = smp_start_all();
	check_registers();
	check_edge();
	check_level();
	check_eoi_register();
	check_destinations();
	check_extint();
}
