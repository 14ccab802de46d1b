/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts between CPUs (SDM vol. 3, 11.6): every destination and delivery
 * mode, in both forms of the local APIC.  A check compares the set of CPUs
 * that the interrupt came to, bit n for CPU n, with the set that it should.
 */
#include "apic.h"
#include "acpi.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "smp.h"
#include "time.h"

#define VECTOR 0x61
#define BROADCAST 0xFF
#define BROADCAST_X2 0xFFFFFFFFu
#define ROUNDS 100

static unsigned n_cpus, all;

static void handler(struct frame *f)
{
	(void)f;
	apic_eoi();
}

static void nmi(struct frame *f)
{
	(void)f;
}

/* Sends, waits for those that should get it and a little for those that should not. */
static unsigned takers(uint32_t destination, uint32_t command, unsigned vector, unsigned expected)
{
	unsigned mask = 0;

	irq_forget();
	apic_ipi(destination, ICR_ASSERT | command);
	irq_window();
	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		if (expected & BIT(cpu))
			irq_wait(cpu, vector, 1, 500);
	wait_us(200);
	for (unsigned cpu = 0; cpu < n_cpus; cpu++) {
		mask |= irq_count(cpu, vector) ? BIT(cpu) : 0;
		if (irq_total(cpu) > 1)
			mask |= BIT(16 + cpu); /* more than one came */
	}
	return mask;
}

static void check_to(const char *name, uint32_t destination, uint32_t mode, unsigned expected)
{
	check(name, takers(destination, VECTOR | mode, VECTOR, expected), expected);
}

static void check_common(uint32_t broadcast)
{
	const unsigned last = n_cpus - 1;

	check_to("physical-self", smp_apic_id(0), ICR_FIXED, 1);
	check_to("physical-last", smp_apic_id(last), ICR_FIXED, BIT(last));
	check_to("physical-broadcast", broadcast, ICR_FIXED, all);
	check_to("shorthand-self", 0, ICR_SELF, 1);
	check_to("shorthand-all", 0, ICR_ALL, all);
	check_to("shorthand-others", 0, ICR_OTHERS, all & ~1u);
	check("nmi-last", takers(smp_apic_id(last), ICR_NMI, EXC_NMI, BIT(last)), BIT(last));
	check("nmi-others", takers(0, ICR_NMI | ICR_OTHERS, EXC_NMI, all & ~1u), all & ~1u);
	check("nmi-self-physical", takers(smp_apic_id(0), ICR_NMI, EXC_NMI, 1), 1);
	check_to("to-nobody", 0x0E, ICR_FIXED, 0);
}

static bool is_one_of(unsigned who, unsigned set)
{
	return who && !(who & (who - 1)) && !(who & ~set);
}

/* CPU n answers to `ids[n]`. */
static uint32_t ids[MAX_CPUS], format;

static void set_logical(void *arg)
{
	(void)arg;
	apic_write(APIC_DFR, format);
	apic_write(APIC_LDR, ids[this_cpu()] << 24);
}

static void on_all(void (*fn)(void *arg))
{
	fn(NULL);
	for (unsigned cpu = 1; cpu < n_cpus; cpu++)
		if (!smp_call(cpu, fn, NULL))
			give_up("cpu-answers", cpu);
}

static void check_flat(void)
{
	const unsigned last = n_cpus - 1;

	format = DFR_FLAT;
	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		ids[cpu] = BIT(cpu);
	on_all(set_logical);
	check_to("flat-last", BIT(last), ICR_LOGICAL, BIT(last));
	check_to("flat-all", all, ICR_LOGICAL, all);
	check_to("flat-broadcast", BROADCAST, ICR_LOGICAL, all);
	check_to("flat-nobody", BIT(7), ICR_LOGICAL, 0);
	check_true("flat-lowest-priority-to-one",
		   is_one_of(takers(all, VECTOR | ICR_LOGICAL | ICR_LOWEST, VECTOR, 0), all));
	check("flat-nmi", takers(BIT(last), ICR_NMI | ICR_LOGICAL, EXC_NMI, BIT(last)), BIT(last));
}

/* Two CPUs a cluster; the high four bits name it, the low four its members. */
static void check_cluster(void)
{
	const unsigned last = n_cpus - 1;

	format = DFR_CLUSTER;
	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		ids[cpu] = cpu / 2 << 4 | BIT(cpu % 2);
	on_all(set_logical);
	check_to("cluster-first-two", 0x03, ICR_LOGICAL, 3);
	check_to("cluster-last", ids[last], ICR_LOGICAL, BIT(last));
	check_to("cluster-nobody", 0x7F, ICR_LOGICAL, 0);
	check_to("cluster-broadcast", BROADCAST, ICR_LOGICAL, all);
	format = DFR_FLAT;
	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		ids[cpu] = BIT(cpu);
	on_all(set_logical);
}

static uint32_t ldr[MAX_CPUS];

static void enter_x2apic(void *arg)
{
	(void)arg;
	apic_enter_x2apic();
	ldr[this_cpu()] = apic_read(APIC_LDR);
}

static volatile bool no_way_back;

static void enter_xapic(void *arg)
{
	(void)arg;
	if (!apic_enter_xapic())
		no_way_back = true;
}

static void check_x2_logical(void)
{
	const unsigned last = n_cpus - 1;
	uint32_t together = ldr[0];
	unsigned expected = 1;

	check_to("logical-last", ldr[last], ICR_LOGICAL, BIT(last));
	for (unsigned cpu = 1; cpu < n_cpus; cpu++)
		if (ldr[cpu] >> 16 == ldr[0] >> 16) {
			together |= ldr[cpu];
			expected |= BIT(cpu);
		}
	check_to("logical-cluster", together, ICR_LOGICAL, expected);
	check_to("logical-nobody", 0x70001, ICR_LOGICAL, 0);
	check_to("logical-broadcast", BROADCAST_X2, ICR_LOGICAL, all);
	check_true("lowest-priority-to-one",
		   is_one_of(takers(together, VECTOR | ICR_LOGICAL | ICR_LOWEST, VECTOR, 0),
			     expected));
}

static void count_rounds(struct frame *f)
{
	(void)f;
	apic_eoi();
	/* CPU 0 hears of each: back and forth. */
	if (this_cpu())
		apic_ipi(smp_apic_id(0), ICR_ASSERT | VECTOR);
}

static void check_ping_pong(void)
{
	unsigned rounds = 0;

	irq_forget();
	irq_set(VECTOR, count_rounds);
	while (rounds < ROUNDS) {
		apic_ipi(smp_apic_id(1), ICR_ASSERT | VECTOR);
		rounds++;
		if (!irq_wait(0, VECTOR, rounds, 500))
			break;
	}
	check("none-is-lost", irq_count(0, VECTOR) << 16 | irq_count(1, VECTOR),
	      ROUNDS << 16 | ROUNDS);
	irq_set(VECTOR, handler);
}

void guest_main(void)
{
	pic_setup(ICW4_8086);
	pic_mask(0xFFFF);
	ioapic_mask_all();
	if (apic_in_x2apic())
		apic_enter_xapic();
	apic_enable();
	apic_mask_lint0();
	irq_set(VECTOR, handler);
	irq_set(EXC_NMI, nmi);
	n_cpus = smp_start_all();
	all = BIT(n_cpus) - 1;
	check_range("cpus", n_cpus, 2, MAX_CPUS);
	if (n_cpus < 2)
		return;
	check_prefix("xapic-");
	check_common(BROADCAST);
	check_flat();
	check_cluster();
	check_ping_pong();
	check_prefix("x2apic-");
	if (!apic_has_x2apic()) {
		skip("all", "the CPUs have no x2APIC");
		return;
	}
	on_all(enter_x2apic);
	check_common(BROADCAST_X2);
	check_x2_logical();
	check_ping_pong();
	check_prefix("back-in-xapic-");
	/* The others first, while this one can still call them. */
	for (unsigned cpu = 1; cpu < n_cpus && !no_way_back; cpu++)
		smp_call(cpu, enter_xapic, NULL);
	if (!no_way_back)
		enter_xapic(NULL);
	check("enabled-again", no_way_back, false);
	if (!no_way_back)
		check_to("physical-broadcast", BROADCAST, ICR_FIXED, all);
}
