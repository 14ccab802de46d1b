/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting CPUs: one by one, INIT and start again, all at once; what a CPU
 * finds after INIT; the topology in CPUID; TSCs in step.
 */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "smp.h"
#include "time.h"

#define LEAF_TOPOLOGY 0xB
#define ROUNDS 200
#define MSR_TEST 0x175u        /* SYSENTER_ESP: plain storage */

struct seen {
	uint32_t apic_id, leaf1_id, leafb_id, leafb_logical, base_low, cr0;
	uint64_t tsc;
};

static struct seen seen[MAX_CPUS];
static unsigned n_cpus;

static void look(void *arg)
{
	struct seen *s = arg;
	uintptr_t cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	s->apic_id = apic_id();
	s->leaf1_id = cpuid(1, 0).ebx >> 24;
	s->leafb_id = cpuid(LEAF_TOPOLOGY, 0).edx;
	s->leafb_logical = cpuid(LEAF_TOPOLOGY, 1).ebx & 0xFFFF;
	s->base_low = (uint32_t)rdmsr(MSR_APIC_BASE);
	s->cr0 = (uint32_t)cr0;
	s->tsc = rdtsc();
}

static void check_identity(void)
{
	unsigned wrong_id = 0, wrong_leaf1 = 0, wrong_leafb = 0, bsps = 0, twice = 0;
	const bool leafb = cpuid(0, 0).eax >= LEAF_TOPOLOGY && cpuid(LEAF_TOPOLOGY, 0).ebx;

	for (unsigned cpu = 0; cpu < n_cpus; cpu++) {
		if (cpu)
			smp_call(cpu, look, &seen[cpu]);
		else
			look(&seen[0]);
		wrong_id += seen[cpu].apic_id != acpi.apic_id[cpu];
		wrong_leaf1 += seen[cpu].leaf1_id != seen[cpu].apic_id;
		wrong_leafb += leafb && seen[cpu].leafb_id != seen[cpu].apic_id;
		bsps += !!(seen[cpu].base_low & APIC_BASE_BSP);
		for (unsigned other = 0; other < cpu; other++)
			twice += seen[other].apic_id == seen[cpu].apic_id;
	}
	check("apic-ids-as-in-madt", wrong_id, 0);
	check("apic-ids-differ", twice, 0);
	check("cpuid-1-has-the-apic-id", wrong_leaf1, 0);
	check("cpuid-b-has-the-apic-id", wrong_leafb, 0);
	check("one-boot-cpu", bsps, 1);
	check("boot-cpu-is-the-first", seen[0].base_low & APIC_BASE_BSP, APIC_BASE_BSP);
	if (leafb) {
		check("cpuid-b-counts-cpus", seen[0].leafb_logical, n_cpus);
		check_true("cpuid-b-shift-holds-all",
			   BIT(cpuid(LEAF_TOPOLOGY, 1).eax & 31) >= n_cpus);
	}
	if (n_cpus > 1)
		check_range("cpuid-1-count", cpuid(1, 0).ebx >> 16 & 0xFF, n_cpus, 255);
}

/* The other CPU waits for even values and answers with its TSC. */
static volatile uint32_t turn;
static volatile uint64_t other_tsc;

static void answer(void *arg)
{
	(void)arg;
	for (uint32_t round = 1; round < 2 * ROUNDS; round += 2) {
		/* Each pairs with the store of the other side: the time stamp is there. */
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != round)
			pause();
		other_tsc = rdtsc();
		__atomic_store_n(&turn, round + 1, __ATOMIC_RELEASE);
	}
}

/* A TSC that is read later, on whatever CPU, is not smaller. */
static void check_tsc(void)
{
	unsigned behind = 0, ahead = 0;

	turn = 0;
	smp_run(1, answer, NULL);
	for (uint32_t round = 1; round < 2 * ROUNDS; round += 2) {
		const uint64_t before = rdtsc();
		uint64_t after;

		/* See answer(). */
		__atomic_store_n(&turn, round, __ATOMIC_RELEASE);
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != round + 1)
			pause();
		after = rdtsc();
		behind += other_tsc < before;
		ahead += other_tsc > after;
	}
	smp_done(1);
	check("tsc-is-not-behind", behind, 0);
	check("tsc-is-not-ahead", ahead, 0);
}

static void leave_traces(void *arg)
{
	(void)arg;
	wrmsr(MSR_TEST, 0x1234);
	apic_write(APIC_LVT_ERROR, LVT_MASKED | 0x77);
}

static volatile uint32_t msr_after, lvt_after;

static void find_traces(void *arg)
{
	(void)arg;
	msr_after = (uint32_t)rdmsr(MSR_TEST);
	lvt_after = apic_read(APIC_LVT_ERROR);
}

static void check_restart(void)
{
	const unsigned last = n_cpus - 1;
	unsigned starts;

	check("runs-a-call", smp_call(last, leave_traces, NULL), true);
	apic_ipi(smp_apic_id(last), ICR_INIT | ICR_ASSERT);
	wait_us(2000);
	starts = smp_starts(last);
	smp_run(last, find_traces, NULL);
	wait_us(2000);
	check("init-stops-it", msr_after, 0);
	check("init-alone-does-not-start", starts, 1);
	check("starts-again", smp_start(last), true);
	smp_call(last, find_traces, NULL);
	check("init-keeps-msrs", msr_after, 0x1234);
	check("init-resets-lvt", lvt_after, LVT_MASKED);

	/* A second SIPI to a CPU that runs is without effect. */
	starts = smp_starts(last);
	ap_next = last;
	apic_ipi(smp_apic_id(last), ICR_STARTUP | ICR_ASSERT | TRAMPOLINE >> 12);
	wait_us(3000);
	check("sipi-to-a-running-cpu", smp_starts(last), starts);
}

static void check_all_at_once(void)
{
	unsigned came = 1;

	apic_ipi(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	wait_us(10000);
	ap_next = 1;
	apic_ipi(0, ICR_STARTUP | ICR_ASSERT | ICR_OTHERS | TRAMPOLINE >> 12);
	for (unsigned cpu = 1; cpu < n_cpus; cpu++)
		came += smp_wait_started(cpu, cpu == n_cpus - 1 ? 3 : 2, 500);
	check("start-by-broadcast", came, n_cpus);
	if (came == n_cpus)
		check("works-after-broadcast", smp_call(n_cpus - 1, look, &seen[0]), true);
}

void guest_main(void)
{
	pic_setup(ICW4_8086);
	pic_mask(0xFFFF);
	ioapic_mask_all();
	apic_enable();
	apic_mask_lint0();
	n_cpus = smp_start_all();
	check("all-cpus-start", n_cpus, acpi.n_cpus < MAX_CPUS ? acpi.n_cpus : MAX_CPUS);
	check_identity();
	if (n_cpus < 2) {
		skip("others", "there is one CPU");
		return;
	}
	check_tsc();
	check_restart();
	check_all_at_once();
}
