/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an instruction that a hypervisor may intercept costs, measured from
 * inside by the TSC: the least of many tries, without what an empty one costs.
 * Where the TSC counts instructions (Bochs, QEMU with -icount) the same on
 * every run.  Then the way of an IPI to another CPU and back.
 *
 * Prints lines "cost NAME TICKS" and "ipi-round-trip FORM least L median M".
 */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "pit.h"
#include "smp.h"
#include "time.h"

#define TRIES 64
#define ROUNDS 501
#define COM1_SCRATCH (COM1 + 7)
#define HPET_COUNTER 0xF0
#define CMOS_INDEX 0x70
#define UNCLAIMED_PORT 0x5555
#define MSR_MTRR_CAP 0xFE
#define PING 0x61
#define PONG 0x62
#define PARKED 0x63 /* what is sent to a CPU that does not take it */
#define ANSWER_MS 1000

struct cost {
	const char *name;
	void (*run)(void);
};

static uint32_t ticks_of(void (*run)(void))
{
	uint32_t least = ~0u;

	for (unsigned i = 0; i < TRIES; i++) {
		const uint64_t start = rdtsc();
		uint64_t ticks;

		run();
		ticks = rdtsc() - start;
		if (ticks < least)
			least = (uint32_t)ticks;
	}
	return least;
}

static void nothing(void)
{
}

static void run_cpuid(void)
{
	cpuid(0, 0);
}

static void run_cpuid_features(void)
{
	cpuid(1, 0);
}

static void run_msr_read(void)
{
	rdmsr(MSR_MTRR_CAP);
}

static void run_apic_base_write(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE));
}

static void run_tpr_read(void)
{
	apic_read(APIC_TPR);
}

static void run_passed_read(void)
{
	rdmsr(MSR_X2APIC + APIC_TPR / 16);
}

static void run_passed_write(void)
{
	wrmsr(MSR_X2APIC + APIC_TPR / 16, 0);
}

static void run_uart_read(void)
{
	in8(COM1_SCRATCH);
}

static void run_uart_write(void)
{
	out8(COM1_SCRATCH, 0);
}

static void run_pit_read(void)
{
	in8(PIT_DATA(2));
}

static void run_pm_timer(void)
{
	in32(acpi.pm_timer);
}

static void run_cmos(void)
{
	out8(CMOS_INDEX, 0);
}

static void run_unclaimed(void)
{
	in8(UNCLAIMED_PORT);
}

static void run_ioapic(void)
{
	mmio_read(acpi.ioapic);
}

static void run_ioapic_write(void)
{
	mmio_write(acpi.ioapic, IOAPIC_VERSION);
}

static void run_hpet(void)
{
	mmio_read(acpi.hpet + HPET_COUNTER);
}

static void run_icr_self(void)
{
	wrmsr(MSR_X2APIC + APIC_ICR_LOW / 16, ICR_SELF | ICR_ASSERT | PARKED);
}

static void run_icr_own_id(void)
{
	wrmsr(MSR_X2APIC + APIC_ICR_LOW / 16,
	      (uint64_t)acpi.apic_id[0] << 32 | ICR_ASSERT | PARKED);
}

static void run_icr_other(void)
{
	wrmsr(MSR_X2APIC + APIC_ICR_LOW / 16,
	      (uint64_t)smp_apic_id(1) << 32 | ICR_ASSERT | PARKED);
}

static void run_xapic_icr_self(void)
{
	mmio_write(acpi.lapic + APIC_ICR_LOW, ICR_SELF | ICR_ASSERT | PARKED);
}

static void run_xapic_icr_other(void)
{
	mmio_write(acpi.lapic + APIC_ICR_LOW, ICR_ASSERT | PARKED);
}

static void report(const char *name, void (*run)(void), uint32_t empty)
{
	const uint32_t ticks = ticks_of(run);

	print("cost ");
	print(name);
	print(" ");
	print_number(ticks > empty ? ticks - empty : 0);
	print("\r\n");
}

static void report_all(const struct cost *costs, size_t n)
{
	const uint32_t empty = ticks_of(nothing);

	for (size_t i = 0; i < n; i++)
		report(costs[i].name, costs[i].run, empty);
	/* What was sent to this CPU comes now. */
	irq_window();
}

#define REPORT(costs) report_all(costs, sizeof(costs) / sizeof((costs)[0]))

static const struct cost common[] = {
	{ "cpuid-0", run_cpuid },
	{ "cpuid-1", run_cpuid_features },
	{ "rdmsr-emulated", run_msr_read },
	{ "rdmsr+wrmsr-apic-base", run_apic_base_write },
	{ "in-uart", run_uart_read },
	{ "out-uart", run_uart_write },
	{ "in-pit", run_pit_read },
	{ "in-pm-timer", run_pm_timer },
	{ "out-cmos", run_cmos },
	{ "in-unclaimed", run_unclaimed },
	{ "read-ioapic", run_ioapic },
	{ "write-ioapic", run_ioapic_write },
};

static const struct cost with_hpet[] = { { "read-hpet", run_hpet } };

static const struct cost xapic[] = {
	{ "xapic-read-tpr", run_tpr_read },
	{ "xapic-icr-self", run_xapic_icr_self },
};

static const struct cost x2apic[] = {
	{ "rdmsr-passed-tpr", run_passed_read },
	{ "wrmsr-passed-tpr", run_passed_write },
	{ "icr-self", run_icr_self },
	{ "icr-own-id", run_icr_own_id },
};

static const struct cost xapic_other[] = { { "xapic-icr-other", run_xapic_icr_other } };
static const struct cost x2apic_other[] = { { "icr-other", run_icr_other } };

/* ---- to another CPU and back ---- */

static volatile unsigned pongs;
static uint32_t rounds[ROUNDS];
static volatile bool release;

static void end_of_interrupt(struct frame *f)
{
	(void)f;
	apic_eoi();
}

/* The fewest accesses that each form needs; apic.c asks for the form each time, which exits. */
static bool use_x2apic;

static void finish_interrupt(void)
{
	if (use_x2apic)
		wrmsr(MSR_X2APIC + APIC_EOI / 16, 0);
	else
		mmio_write(acpi.lapic + APIC_EOI, 0);
}

static void send(uint32_t id, uint32_t vector)
{
	if (use_x2apic) {
		wrmsr(MSR_X2APIC + APIC_ICR_LOW / 16, (uint64_t)id << 32 | ICR_ASSERT | vector);
		return;
	}
	mmio_write(acpi.lapic + APIC_ICR_HIGH, id << 24);
	mmio_write(acpi.lapic + APIC_ICR_LOW, ICR_ASSERT | vector);
}

static void on_ping(struct frame *f)
{
	(void)f;
	finish_interrupt();
	send(acpi.apic_id[0], PONG);
}

static void on_pong(struct frame *f)
{
	(void)f;
	pongs++;
	finish_interrupt();
}

/* Interrupts stay off, so that what is sent to it only waits. */
static void hold_off(void *arg)
{
	(void)arg;
	irq_off();
	while (!release)
		pause();
	irq_on();
}

/* Awake and ready to take interrupts. */
static void spin(void *arg)
{
	(void)arg;
	while (!release)
		pause();
}

static void enter_x2apic(void *arg)
{
	(void)arg;
	apic_enter_x2apic();
}

static void sort(uint32_t *v, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		const uint32_t x = v[i];
		unsigned at = i;

		for (; at && v[at - 1] > x; at--)
			v[at] = v[at - 1];
		v[at] = x;
	}
}

static bool round_trip(uint32_t peer, uint32_t *ticks)
{
	const unsigned before = pongs;
	const struct deadline d = deadline_in(ANSWER_MS);
	const uint64_t start = rdtsc();

	send(peer, PING);
	while (pongs == before) {
		/* The clock is looked at only where it has been long: that may be an exit. */
		if (rdtsc() - start > 1u << 31 && deadline_passed(&d))
			return false;
		pause();
	}
	*ticks = (uint32_t)(rdtsc() - start);
	return true;
}

static void ping_pong(const char *form)
{
	const uint32_t peer = smp_apic_id(1);
	bool answered = true;

	use_x2apic = apic_in_x2apic();
	release = false;
	smp_run(1, spin, NULL);
	irq_on();
	for (unsigned i = 0; answered && i < ROUNDS; i++)
		answered = round_trip(peer, &rounds[i]);
	irq_off();
	release = true;
	check(form, answered && smp_done(1), true);
	sort(rounds, ROUNDS);
	print("ipi-round-trip ");
	print(form);
	print(" least ");
	print_number(rounds[0]);
	print(" median ");
	print_number(rounds[ROUNDS / 2]);
	print("\r\n");
}

static void report_other(const struct cost *cost)
{
	release = false;
	smp_run(1, hold_off, NULL);
	/* The other CPU has its interrupts off before the first is sent. */
	wait_us(1000);
	report_all(cost, 1);
	release = true;
	check(cost->name, smp_done(1), true);
}

static void measure_other_cpu(void)
{
	if (apic_in_x2apic()) {
		report_other(x2apic_other);
		ping_pong("x2apic");
		return;
	}
	/* Once and for all tries: the high half stays. */
	mmio_write(acpi.lapic + APIC_ICR_HIGH, smp_apic_id(1) << 24);
	report_other(xapic_other);
	ping_pong("xapic");
}

void guest_main(void)
{
	const bool two = acpi.n_cpus > 1;

	pic_setup(ICW4_8086);
	pic_mask(0xFFFF);
	apic_enable();
	apic_mask_lint0();
	irq_set(PARKED, end_of_interrupt);
	irq_set(PING, on_ping);
	irq_set(PONG, on_pong);
	if (two)
		check_true("second-cpu", smp_start_all() > 1);
	REPORT(common);
	if (acpi.hpet)
		REPORT(with_hpet);
	REPORT(xapic);
	if (two)
		measure_other_cpu();
	if (!apic_has_x2apic())
		return;
	apic_enter_x2apic();
	REPORT(x2apic);
	if (!two)
		return;
	check("x2apic-other", smp_call(1, enter_x2apic, NULL), true);
	measure_other_cpu();
}
