/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical local APIC, in x2APIC mode where the CPU has it, else xAPIC. */
#include "invariant.h"
#include "smp_internal.h"
#include "x86.h"

#define CPUID_1_ECX_X2APIC BIT(21)
#define ICR_DEST_SHIFT 24
#define ICR_BUSY BIT(12)
#define ICR_POLL_LIMIT 100000
#define SVR_SPURIOUS 0xFF
#define LVT_COUNT_SHIFT 16
#define BANKS 8
#define DRAIN_ROUNDS 256

/* The same on all CPUs; written by the boot CPU before the others run. */
static bool x2apic;

static volatile uint32_t *mmio(enum apic_reg reg)
{
	return (volatile uint32_t *)(uintptr_t)(APIC_BASE_ADDRESS + (uint32_t)reg);
}

bool apic_is_x2apic(void)
{
	return x2apic;
}

uint32_t apic_read(enum apic_reg reg)
{
	if (x2apic)
		return (uint32_t)rdmsr(MSR_X2APIC_FIRST + (uint32_t)reg / 16);
	return *mmio(reg);
}

void apic_write(enum apic_reg reg, uint32_t value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC_FIRST + (uint32_t)reg / 16, value);
	else
		*mmio(reg) = value;
}

void apic_send_ipi(uint32_t apic_id, uint32_t low)
{
	if (x2apic) {
		/* WRMSR to the ICR does not order earlier stores (SDM vol. 3, 11.12.3). */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC_FIRST + APIC_ICR / 16, (uint64_t)apic_id << 32 | low);
		return;
	}
	/* The previous IPI leaves within some bus cycles; the bound is for broken hardware. */
	for (unsigned i = 0; i < ICR_POLL_LIMIT && (*mmio(APIC_ICR) & ICR_BUSY); i++)
		cpu_pause();
	*mmio(APIC_ICR_HIGH) = apic_id << ICR_DEST_SHIFT;
	*mmio(APIC_ICR) = low;
}

static void mask_lvt(void)
{
	const unsigned last = apic_read(APIC_VERSION) >> LVT_COUNT_SHIFT & 0xFF;

	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT1, APIC_LVT_MASKED);
	apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED);
	if (last >= 4)
		apic_write(APIC_LVT_PERF, APIC_LVT_MASKED);
	if (last >= 5)
		apic_write(APIC_LVT_THERMAL, APIC_LVT_MASKED);
	if (last >= 6)
		apic_write(APIC_LVT_CMCI, APIC_LVT_MASKED);
}

void apic_init_cpu(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (this_cpu()->index == 0)
		x2apic = cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC;
	base |= APIC_BASE_ENABLE;
	wrmsr(MSR_APIC_BASE, base);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	apic_write(APIC_SVR, APIC_SVR_ENABLE | SVR_SPURIOUS);
	mask_lvt();
	if (!x2apic) {
		apic_write(APIC_DFR, 0xFFFFFFFF);
		apic_write(APIC_LDR, 0);
	}
}

static bool any_bit(enum apic_reg bank)
{
	for (uint32_t i = 0; i < BANKS; i++)
		if (apic_read((enum apic_reg)((uint32_t)bank + i * 16)))
			return true;
	return false;
}

void apic_drain_one(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_reset_cpu(void)
{
	mask_lvt();
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SVR, APIC_SVR_ENABLE | SVR_SPURIOUS);
	for (unsigned i = 0; i < DRAIN_ROUNDS && any_bit(APIC_ISR); i++)
		apic_write(APIC_EOI, 0);
	cpu_use_drain_idt(true);
	for (unsigned i = 0; i < DRAIN_ROUNDS && any_bit(APIC_IRR); i++)
		__asm__ volatile("sti; nop; nop; cli" : : : "memory");
	cpu_use_drain_idt(false);
	INVARIANT(!any_bit(APIC_ISR) && !any_bit(APIC_IRR));
	apic_write(APIC_TIMER_DIVIDE, 0);
	apic_write(APIC_ESR, 0);
	apic_write(APIC_ESR, 0);
}
