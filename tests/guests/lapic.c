/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of one CPU (SDM vol. 3, 11): registers, timer, priorities,
 * self-IPIs, the software disable, and the change of modes.  All but the last
 * is done once in each of the two forms.
 */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "time.h"

#define LOW 0x41
#define HIGH 0x91
#define TIMER 0x62
#define ERROR 0x73
#define CPUID_1_ECX_DEADLINE BIT(24)
#define CPUID_1_EDX_APIC BIT(9)
#define ESR_SEND_ILLEGAL BIT(5)
#define ILLEGAL 5 /* below 16; a CPU that takes it anyway must not be lost */
#define PERIODS 5

static void handler(struct frame *f)
{
	(void)f;
	apic_eoi();
}

static void self(unsigned vector)
{
	apic_ipi(0, ICR_SELF | ICR_ASSERT | vector);
}

static void check_registers(void)
{
	const uint32_t version = apic_read(APIC_VERSION);

	check_range("version", version & 0xFF, 0x10, 0x1F);
	check_range("lvt-entries", (version >> 16 & 0xFF) + 1, 4, 7);
	check("id-as-in-madt", apic_id(), acpi.apic_id[0]);
	check("id-as-in-cpuid", apic_id(), cpuid(1, 0).ebx >> 24);
	apic_write(APIC_TPR, 0x35);
	check("tpr-reads-back", apic_read(APIC_TPR), 0x35);
	check("ppr-follows-tpr", apic_read(APIC_PPR) & 0xF0, 0x30);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	check("divide-reads-back", apic_read(APIC_DIVIDE), DIVIDE_BY_1);
	apic_write(APIC_LVT_ERROR, LVT_MASKED | ERROR);
	check("lvt-reads-back", apic_read(APIC_LVT_ERROR), LVT_MASKED | ERROR);
}

static void check_self_ipi(void)
{
	unsigned irr;

	irq_forget();
	self(LOW);
	irr = apic_vector_bit(APIC_IRR, LOW);
	check("irr-shows-it", irr, true);
	irq_set(LOW, NULL);
	irq_window();
	check("self-ipi-comes", irq_count(0, LOW), 1);
	check("isr-shows-it", apic_vector_bit(APIC_ISR, LOW), true);
	check("irr-is-cleared", apic_vector_bit(APIC_IRR, LOW), false);
	check("tmr-says-edge", apic_vector_bit(APIC_TMR, LOW), false);
	check("ppr-follows-isr", apic_read(APIC_PPR) & 0xF0, LOW & 0xF0);
	self(LOW);
	irq_window();
	check("in-service-holds-the-next-back", irq_count(0, LOW), 1);
	apic_eoi();
	check("eoi-clears-isr", apic_vector_bit(APIC_ISR, LOW), false);
	irq_window();
	check("comes-after-eoi", irq_count(0, LOW), 2);
	apic_eoi();
	irq_set(LOW, handler);
}

static void check_priorities(void)
{
	irq_forget();
	self(LOW);
	self(HIGH);
	irq_window();
	check("highest-first", irq_trace(0) << 8 | irq_trace(1), HIGH << 8 | LOW);

	irq_forget();
	irq_set(LOW, NULL);
	self(LOW);
	irq_window();
	self(HIGH);
	irq_window();
	check("higher-interrupts-lower", irq_count(0, HIGH), 1);
	check("lower-is-still-in-service", apic_vector_bit(APIC_ISR, LOW), true);
	apic_eoi();
	irq_set(LOW, handler);

	irq_forget();
	apic_write(APIC_TPR, LOW & 0xF0);
	self(LOW);
	self(HIGH);
	irq_window();
	check("tpr-holds-its-class-back", irq_count(0, LOW), 0);
	check("tpr-lets-higher-in", irq_count(0, HIGH), 1);
	apic_write(APIC_TPR, 0);
	irq_window();
	check("comes-with-lower-tpr", irq_count(0, LOW), 1);
}

static void check_one_shot(void)
{
	uint32_t first, second;

	irq_forget();
	apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER);
	apic_write(APIC_INITIAL, 0xFFFFFFFF);
	first = apic_read(APIC_CURRENT);
	wait_us(100);
	second = apic_read(APIC_CURRENT);
	check_range("timer-counts-down", second, 1, first - 1);
	check("initial-count-stays", apic_read(APIC_INITIAL), 0xFFFFFFFF);
	apic_write(APIC_INITIAL, 0);
	check("initial-0-stops", apic_read(APIC_CURRENT), 0);

	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_INITIAL, 10000);
	check("one-shot", irq_wait(0, TIMER, 1, 500), true);
	irq_wait(0, TIMER, 2, 5);
	check("one-shot-is-one", irq_count(0, TIMER), 1);
	check("one-shot-ends-at-0", apic_read(APIC_CURRENT), 0);

	irq_forget();
	apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER);
	apic_write(APIC_INITIAL, 1000);
	irq_wait(0, TIMER, 1, 5);
	check("masked-timer-does-not-come", irq_count(0, TIMER), 0);
	apic_write(APIC_LVT_TIMER, TIMER);
	irq_window();
	check("masked-timer-is-not-kept", irq_count(0, TIMER), 0);
}

static void check_periodic(void)
{
	irq_forget();
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | TIMER);
	apic_write(APIC_INITIAL, 20000);
	check("periodic", irq_wait(0, TIMER, PERIODS, 1000), true);
	check_range("periodic-reloads", apic_read(APIC_CURRENT), 1, 20000);
	apic_write(APIC_INITIAL, 0);
	irq_window();
	irq_forget();
	irq_wait(0, TIMER, 1, 3);
	check("periodic-stops", irq_count(0, TIMER), 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
}

static void check_deadline(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_DEADLINE)) {
		skip("deadline", "the CPU has no TSC deadline");
		return;
	}
	irq_forget();
	apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | TIMER);
	apic_write(APIC_INITIAL, 1000);
	check("deadline-mode-has-no-count", apic_read(APIC_CURRENT), 0);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 100000);
	check("deadline", irq_wait(0, TIMER, 1, 500), true);
	check("deadline-disarms", rdmsr(MSR_TSC_DEADLINE), 0);
	wrmsr(MSR_TSC_DEADLINE, 1);
	check("deadline-in-the-past", irq_wait(0, TIMER, 2, 500), true);
	wrmsr(MSR_TSC_DEADLINE, ~0ULL);
	check("deadline-reads-back", rdmsr(MSR_TSC_DEADLINE), ~0ULL);
	wrmsr(MSR_TSC_DEADLINE, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 1000);
	check("deadline-needs-its-mode", rdmsr(MSR_TSC_DEADLINE), 0);
	irq_window();
}

static void check_errors(void)
{
	irq_forget();
	irq_set(ERROR, handler);
	irq_set(ILLEGAL, handler);
	apic_write(APIC_LVT_ERROR, ERROR);
	apic_write(APIC_ESR, 0);
	self(ILLEGAL);
	irq_window();
	apic_write(APIC_ESR, 0);
	check("illegal-vector-in-esr", apic_read(APIC_ESR) & ESR_SEND_ILLEGAL, ESR_SEND_ILLEGAL);
	check("illegal-vector-interrupts", irq_count(0, ERROR), 1);
	apic_write(APIC_ESR, 0);
	apic_write(APIC_ESR, 0);
	check("esr-clears", apic_read(APIC_ESR), 0);
	apic_write(APIC_LVT_ERROR, LVT_MASKED | ERROR);
}

static void check_software_disable(void)
{
	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_SVR, SPURIOUS_VECTOR);
	check("disable-masks-lvt", apic_read(APIC_LVT_TIMER) & LVT_MASKED, LVT_MASKED);
	apic_write(APIC_LVT_TIMER, TIMER);
	check("lvt-stays-masked", apic_read(APIC_LVT_TIMER) & LVT_MASKED, LVT_MASKED);
	irq_forget();
	self(LOW);
	irq_window();
	check("disabled-takes-nothing", irq_count(0, LOW), 0);
	apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
	check("svr-reads-back", apic_read(APIC_SVR) & 0x1FF, SVR_ENABLE | SPURIOUS_VECTOR);
	irq_window();
	irq_forget();
	self(LOW);
	irq_window();
	check("enabled-again", irq_count(0, LOW), 1);
}

static void check_x2apic_form(void)
{
	uint64_t value;

	check("ldr-from-id", apic_read(APIC_LDR), 1u << (apic_id() & 15) | apic_id() >> 4 << 16);
	irq_forget();
	wrmsr(MSR_X2APIC + APIC_SELF_IPI / 16, LOW);
	irq_window();
	check("self-ipi-register", irq_count(0, LOW), 1);
	check("dfr-faults", try_rdmsr(MSR_X2APIC + APIC_DFR / 16, &value), false);
	check("icr-high-faults", try_rdmsr(MSR_X2APIC + APIC_ICR_HIGH / 16, &value), false);
	check("eoi-read-faults", try_rdmsr(MSR_X2APIC + APIC_EOI / 16, &value), false);
	check("eoi-non-zero-faults", try_wrmsr(MSR_X2APIC + APIC_EOI / 16, 1), false);
	check("id-write-faults", try_wrmsr(MSR_X2APIC + APIC_ID / 16, 0), false);
	check("reserved-tpr-bits-fault", try_wrmsr(MSR_X2APIC + APIC_TPR / 16, 0x100), false);
	check("direct-way-back-faults",
	      try_wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) & ~(uint64_t)APIC_BASE_X2APIC), false);
}

static void check_base(void)
{
	const uint64_t base = rdmsr(MSR_APIC_BASE);
	uint64_t value;

	check("base-says-boot-cpu", base & APIC_BASE_BSP, APIC_BASE_BSP);
	check("base-address", (uint32_t)base & 0xFFFFF000u, acpi.lapic);
	check("x2apic-msr-faults", try_rdmsr(MSR_X2APIC + APIC_ID / 16, &value), false);
}

/* From either form to disabled, and to xAPIC; false: there is no way back. */
static bool check_modes(void)
{
	const uint64_t off = rdmsr(MSR_APIC_BASE) &
			     ~(uint64_t)(APIC_BASE_ENABLE | APIC_BASE_X2APIC);

	check("disabling", try_wrmsr(MSR_APIC_BASE, off), true);
	check("disabled-hides-cpuid-bit", cpuid(1, 0).edx & CPUID_1_EDX_APIC, 0);
	if (apic_has_x2apic())
		check("disabled-to-x2apic-faults",
		      try_wrmsr(MSR_APIC_BASE, off | APIC_BASE_ENABLE | APIC_BASE_X2APIC), false);
	check("not-in-x2apic", apic_in_x2apic(), false);
	check("enabling", try_wrmsr(MSR_APIC_BASE, off | APIC_BASE_ENABLE), true);
	check("enabled-reads-back", rdmsr(MSR_APIC_BASE) & APIC_BASE_ENABLE, APIC_BASE_ENABLE);
	check("enabled-shows-cpuid-bit", cpuid(1, 0).edx & CPUID_1_EDX_APIC, CPUID_1_EDX_APIC);
	if (!(rdmsr(MSR_APIC_BASE) & APIC_BASE_ENABLE))
		return false;
	check("disabling-resets-svr", apic_read(APIC_SVR) & SVR_ENABLE, 0);
	return true;
}

static void check_all(void)
{
	check_registers();
	check_self_ipi();
	check_priorities();
	check_one_shot();
	check_periodic();
	check_deadline();
	check_errors();
	check_software_disable();
}

void guest_main(void)
{
	pic_setup(ICW4_8086);
	pic_mask(0xFFFF);
	ioapic_mask_all();
	irq_set(LOW, handler);
	irq_set(HIGH, handler);
	irq_set(TIMER, handler);
	if (apic_in_x2apic())
		apic_enter_xapic();
	apic_enable();
	apic_mask_lint0();
	check_prefix("xapic-");
	check_base();
	check_all();
	check_prefix("x2apic-");
	if (apic_has_x2apic()) {
		apic_enter_x2apic();
		check_all();
		check_x2apic_form();
	} else {
		skip("all", "the CPU has no x2APIC");
	}
	check_prefix("modes-");
	if (!check_modes())
		return;
	check_prefix("back-in-xapic-");
	apic_enable();
	check_self_ipi();
	check_one_shot();
}
