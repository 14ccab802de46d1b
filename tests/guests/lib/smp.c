/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the other CPUs (SDM vol. 3, 9.4.4) and giving them work. */
#include "smp.h"
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "time.h"

#define START_MS 500
#define CALL_MS 2000
#define WAKE_VECTOR 0xF0

struct cpu {
	volatile uint32_t apic_id;
	volatile unsigned starts;
	/* Set by CPU 0 last and with release order; cleared by the CPU when it is through. */
	void (*job)(void *arg);
	void *arg;
};

extern const uint8_t trampoline[], trampoline_end[], pointer_copy[];
extern const uint8_t gdt_pointer[];

uint8_t cpu_stacks[MAX_CPUS][CPU_STACK] __attribute__((aligned(16)));
volatile uint32_t ap_next;
static struct cpu cpus[MAX_CPUS];

static void on_wake(struct frame *f)
{
	(void)f;
	apic_eoi();
}

void smp_prepare(void)
{
	volatile uint8_t *page = (volatile uint8_t *)(uintptr_t)TRAMPOLINE;

	for (size_t i = 0; i < (size_t)(trampoline_end - trampoline); i++)
		page[i] = trampoline[i];
	/* Real mode loads a limit of two bytes and a base of four. */
	for (size_t i = 0; i < 6; i++)
		page[(size_t)(pointer_copy - trampoline) + i] = gdt_pointer[i];
	irq_set(WAKE_VECTOR, on_wake);
	cpus[0].apic_id = apic_id();
	cpus[0].starts = 1;
}

void ap_start(unsigned number);
void ap_start(unsigned number)
{
	struct cpu *me = &cpus[number];

	cpu_init(number);
	apic_enable();
	me->apic_id = apic_id();
	__atomic_store_n(&me->job, NULL, __ATOMIC_RELAXED);
	/* Pairs with smp_wait_started(): what was written above is there. */
	__atomic_store_n(&me->starts, me->starts + 1, __ATOMIC_RELEASE);
	for (;;) {
		irq_off();
		/* Pairs with smp_run(). */
		void (*job)(void *) = __atomic_load_n(&me->job, __ATOMIC_ACQUIRE);

		if (job) {
			irq_on();
			job(me->arg);
			/* Pairs with smp_done(): the job's results are there. */
			__atomic_store_n(&me->job, NULL, __ATOMIC_RELEASE);
		} else {
			/* What comes behind the look at `job` still ends the HLT. */
			__asm__ volatile("sti; hlt" : : : "memory");
		}
	}
}

unsigned smp_starts(unsigned number)
{
	return __atomic_load_n(&cpus[number].starts, __ATOMIC_ACQUIRE); /* pairs with ap_start() */
}

uint32_t smp_apic_id(unsigned number)
{
	return cpus[number].apic_id;
}

bool smp_wait_started(unsigned number, unsigned starts, unsigned ms)
{
	const struct deadline d = deadline_in(ms);

	while (smp_starts(number) < starts && !deadline_passed(&d))
		pause();
	return smp_starts(number) >= starts;
}

bool smp_start(unsigned number)
{
	const unsigned starts = smp_starts(number) + 1;
	const uint32_t id = cpus[number].apic_id;

	ap_next = number;
	apic_ipi(id, ICR_INIT | ICR_ASSERT);
	wait_us(10000);
	apic_ipi(id, ICR_STARTUP | ICR_ASSERT | TRAMPOLINE >> 12);
	if (smp_wait_started(number, starts, 20))
		return true;
	apic_ipi(id, ICR_STARTUP | ICR_ASSERT | TRAMPOLINE >> 12);
	return smp_wait_started(number, starts, START_MS);
}

unsigned smp_start_all(void)
{
	unsigned n = 1;

	smp_prepare();
	for (unsigned i = 0; i < acpi.n_cpus && n < MAX_CPUS; i++) {
		if (acpi.apic_id[i] == cpus[0].apic_id)
			continue;
		cpus[n].apic_id = acpi.apic_id[i];
		if (!smp_start(n))
			give_up("cpu-start", acpi.apic_id[i]);
		n++;
	}
	return n;
}

void smp_run(unsigned number, void (*fn)(void *arg), void *arg)
{
	cpus[number].arg = arg;
	/* Pairs with ap_start(): the argument is there. */
	__atomic_store_n(&cpus[number].job, fn, __ATOMIC_RELEASE);
	apic_ipi(cpus[number].apic_id, ICR_FIXED | ICR_ASSERT | WAKE_VECTOR);
}

bool smp_done(unsigned number)
{
	const struct deadline d = deadline_in(CALL_MS);

	/* Pairs with ap_start(). */
	while (__atomic_load_n(&cpus[number].job, __ATOMIC_ACQUIRE)) {
		if (deadline_passed(&d))
			return false;
		pause();
	}
	return true;
}

bool smp_call(unsigned number, void (*fn)(void *arg), void *arg)
{
	smp_run(number, fn, arg);
	return smp_done(number);
}
