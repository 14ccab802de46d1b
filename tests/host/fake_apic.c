/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_apic.h"

#include <stdlib.h>
#include <string.h>

#include "x86.h"

#define WORDS 8
#define TIMER_MODE_DEADLINE BIT(18)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)

struct fake_apic fake_apic;

static uint32_t *reg_of(uint32_t reg)
{
	/* Not a register of the page at all: a bug of the code under test. */
	if (reg % 16 || reg / 16 >= ARRAY_SIZE(fake_apic.regs))
		abort();
	return &fake_apic.regs[reg / 16];
}

void fake_apic_forget_writes(void)
{
	fake_apic.n_writes = fake_apic.n_reads = 0;
	memset(fake_apic.writes, 0, sizeof(fake_apic.writes));
}

void fake_apic_reset(void)
{
	memset(&fake_apic, 0, sizeof(fake_apic));
	*reg_of(APIC_SVR) = 0xFF;
	*reg_of(APIC_LVT_TIMER) = *reg_of(APIC_LVT_ERROR) = APIC_LVT_MASKED;
}

void fake_apic_serve(uint8_t vector)
{
	*reg_of(APIC_ISR + vector / 32u * 16) |= (uint32_t)BIT(vector % 32);
}

bool fake_apic_wrote(enum apic_reg reg, uint32_t *value)
{
	for (unsigned i = fake_apic.n_writes; i-- > 0;) {
		if (fake_apic.writes[i].reg != reg)
			continue;
		*value = fake_apic.writes[i].value;
		return true;
	}
	return false;
}

/* SDM vol. 3, table 11-6 and the figures of the registers. */
static uint32_t writable_bits(enum apic_reg reg)
{
	switch (reg) {
	case APIC_EOI:
	case APIC_ESR: return 0;
	case APIC_TPR: return 0xFF;
	case APIC_SVR: return 0x1FF;
	case APIC_LVT_TIMER: return 0x700FF;
	case APIC_LVT_ERROR: return 0x100FF;
	case APIC_TIMER_DIVIDE: return 0xB;
	case APIC_TIMER_INITIAL: return 0xFFFFFFFF;
	default: abort(); /* the hypervisor forwards no other register */
	}
}

static void check_timer_mode(uint32_t value)
{
	const uint32_t mode = value >> 17 & 3;

	if (mode == 3 || (mode == 2 && !(cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE)))
		abort();
}

/* Ends the service of the vector with the highest priority. */
static void end_of_interrupt(void)
{
	for (uint32_t i = WORDS; i-- > 0;) {
		uint32_t *word = reg_of(APIC_ISR + i * 16);

		if (!*word)
			continue;
		*word &= ~(0x80000000u >> __builtin_clz(*word));
		return;
	}
}

bool apic_is_x2apic(void)
{
	return fake_apic.x2apic;
}

uint32_t apic_read(enum apic_reg reg)
{
	fake_apic.n_reads++;
	return *reg_of(reg);
}

void apic_write(enum apic_reg reg, uint32_t value)
{
	if (value & ~writable_bits(reg))
		abort();
	if (reg == APIC_LVT_TIMER)
		check_timer_mode(value);
	if (fake_apic.n_writes < FAKE_APIC_WRITES) {
		fake_apic.writes[fake_apic.n_writes].reg = reg;
		fake_apic.writes[fake_apic.n_writes++].value = value;
	}
	*reg_of(reg) = value;
	if (reg == APIC_ESR) {
		*reg_of(reg) = fake_apic.error;
		fake_apic.error = 0;
	}
	if (reg == APIC_EOI)
		end_of_interrupt();
}

void apic_reset_cpu(void)
{
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
	apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED);
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_TPR, 0);
	for (uint32_t i = 0; i < WORDS; i++)
		*reg_of(APIC_ISR + i * 16) = *reg_of(APIC_IRR + i * 16) = 0;
}

void smp_kick(unsigned cpu)
{
	(void)cpu;
	fake_apic.kicks++;
}
