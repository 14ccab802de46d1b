/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is virtual of a guest's local APIC (SDM vol. 3, chapter 11).  The
 * guest owns the physical one: timer, EOI, TPR, ISR and IRR are the real
 * registers, so its interrupts need no help.  Identity, destinations, ICR and
 * the LVT are virtual, because they could name another guest's CPU or carry a
 * delivery mode that would reach the hypervisor.
 */
#include "lapic_internal.h"
#include "smp.h"
#include "x86.h"

/* Version 14h, LVT entries 0 to 5, no EOI broadcast suppression. */
#define VERSION 0x00050014u

#define ICR_VECTOR 0xFFu
#define ICR_LOGICAL BIT(11)
#define ICR_ASSERT BIT(14)
#define ICR_LEVEL BIT(15)
#define ICR_SHORTHAND_SHIFT 18
#define ICR_WRITABLE 0xCCFFFu

#define SVR_WRITABLE 0x1FFu
#define LVT_TIMER_WRITABLE 0x700FFu
#define LVT_ERROR_WRITABLE 0x100FFu
#define LVT_LINT_WRITABLE 0x1A7FFu
#define LVT_OTHER_WRITABLE 0x107FFu
#define LVT_TIMER_PERIODIC BIT(17)
#define LVT_TIMER_DEADLINE BIT(18)
/* Delivery status and Remote IRR: only the hardware changes them, a write is no mistake. */
#define LVT_READ_ONLY (BIT(12) | BIT(14))
/* Focus checking and EOI broadcast suppression do nothing here, but may be written. */
#define SVR_IGNORED (BIT(9) | BIT(12))
#define DIVIDE_WRITABLE 0xBu

#define ISR_WORDS 8

static const uint32_t lvt_writable[] = {
	[LVT_TIMER] = LVT_TIMER_WRITABLE, [LVT_THERMAL] = LVT_OTHER_WRITABLE,
	[LVT_PERF] = LVT_OTHER_WRITABLE,  [LVT_LINT0] = LVT_LINT_WRITABLE,
	[LVT_LINT1] = LVT_LINT_WRITABLE,  [LVT_ERROR] = LVT_ERROR_WRITABLE,
};

/* ---- writes --------------------------------------------------------------- */

static void write_icr(struct vlapic *l, uint32_t low, uint32_t high)
{
	const bool x2 = vlapic_is_x2apic(l);
	const struct apic_message m = {
		.dest = x2 ? high : high >> 24,
		.logical = low & ICR_LOGICAL,
		.x2apic = x2,
		.delivery = (uint8_t)(low >> APIC_DELIVERY_SHIFT & DELIVERY_MASK),
		.vector = (uint8_t)(low & ICR_VECTOR),
	};

	l->icr_low = low & ICR_WRITABLE;
	l->icr_high = high;
	if (m.delivery <= APIC_LOWEST && m.vector < APIC_FIRST_VECTOR)
		vlapic_error(l, ESR_SEND_ILLEGAL_VECTOR);
	/* INIT level de-assert: nothing on any CPU since the Pentium 4 (11.6.1). */
	if (m.delivery == APIC_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT))
		return;
	l->send(l->ctx, &m, low >> ICR_SHORTHAND_SHIFT & 3);
}

/* The physical LVT gets only what is harmless: the timer and the error interrupt, as fixed. */
static void forward_lvt(const struct vlapic *l, enum lvt_index index)
{
	uint32_t v = l->lvt[index];

	if (!(l->svr & APIC_SVR_ENABLE))
		v |= APIC_LVT_MASKED;
	if (index == LVT_TIMER)
		apic_write(APIC_LVT_TIMER, v & LVT_TIMER_WRITABLE);
	else if (index == LVT_ERROR)
		apic_write(APIC_LVT_ERROR, v & LVT_ERROR_WRITABLE);
}

/*
 * The timer's modes one-shot, periodic, TSC deadline (SDM vol. 3, 11.5.4).  A
 * mode that the CPU has not would raise #GP in the hypervisor.
 */
static bool timer_mode_exists(uint32_t lvt)
{
	if (!(lvt & LVT_TIMER_DEADLINE))
		return true;
	return !(lvt & LVT_TIMER_PERIODIC) && (cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE);
}

static void write_lvt(struct vlapic *l, enum lvt_index index, uint32_t value)
{
	l->lvt[index] = value & lvt_writable[index];
	/* In the xAPIC page there is no #GP for it: the timer stays one-shot and still. */
	if (index == LVT_TIMER && !timer_mode_exists(value))
		l->lvt[index] = (l->lvt[index] & LVT_VECTOR) | APIC_LVT_MASKED;
	if (!(l->svr & APIC_SVR_ENABLE))
		l->lvt[index] |= APIC_LVT_MASKED;
	forward_lvt(l, index);
}

static void write_svr(struct vlapic *l, uint32_t value)
{
	l->svr = value & SVR_WRITABLE;
	/* Software-disabled: all LVT entries mask themselves (11.4.7.2). */
	if (!(l->svr & APIC_SVR_ENABLE))
		for (unsigned i = 0; i < LAPIC_LVTS; i++)
			l->lvt[i] |= APIC_LVT_MASKED;
	apic_write(APIC_SVR, l->svr);
	forward_lvt(l, LVT_TIMER);
	forward_lvt(l, LVT_ERROR);
}

/* The vector in service with the highest priority, or -1. */
static int in_service(void)
{
	for (uint32_t i = ISR_WORDS; i-- > 0;) {
		const uint32_t word = apic_read((enum apic_reg)(APIC_ISR + i * 16));

		if (word)
			return (int)(i * 32 + 31) - __builtin_clz(word);
	}
	return -1;
}

static bool any_level(const struct vlapic *l)
{
	uint32_t any = 0;

	for (unsigned i = 0; i < LAPIC_VECTOR_WORDS; i++)
		any |= l->tmr[i];
	return any;
}

static void write_eoi(struct vlapic *l)
{
	int vector = -1;

	if (any_level(l))
		vector = in_service();
	apic_write(APIC_EOI, 0);
	if (vector < 0 || !(l->tmr[vector / 32] & BIT(vector % 32)))
		return;
	l->tmr[vector / 32] &= (uint32_t)~BIT(vector % 32);
	l->eoi(l->ctx, (uint8_t)vector);
}

/* ---- register access, the same for the page and the MSRs --------------------- */

static int lvt_of(uint32_t reg)
{
	if (reg < APIC_LVT_TIMER || reg > APIC_LVT_ERROR)
		return -1;
	return (int)((reg - APIC_LVT_TIMER) / 16);
}

static uint32_t read_virtual_id(const struct vlapic *l)
{
	return vlapic_is_x2apic(l) ? l->id : l->id << 24;
}

static bool read_register(struct vlapic *l, uint32_t reg, uint32_t *value)
{
	if (lvt_of(reg) >= 0) {
		*value = l->lvt[lvt_of(reg)];
		return true;
	}
	if (reg >= APIC_ISR && reg < APIC_ESR) {
		*value = reg >= APIC_TMR && reg < APIC_IRR ? l->tmr[(reg - APIC_TMR) / 16]
							   : apic_read((enum apic_reg)reg);
		return true;
	}
	switch (reg) {
	case APIC_ID: *value = read_virtual_id(l); return true;
	case APIC_VERSION: *value = VERSION; return true;
	case APIC_LDR: *value = vlapic_is_x2apic(l) ? vlapic_x2apic_ldr(l) : l->ldr; return true;
	case APIC_SVR: *value = l->svr; return true;
	case APIC_ICR: *value = l->icr_low; return true;
	case APIC_ESR: *value = l->esr; return true;
	case APIC_TPR:
	case APIC_PPR:
	case APIC_TIMER_INITIAL:
	case APIC_TIMER_CURRENT:
	case APIC_TIMER_DIVIDE:
		*value = apic_read((enum apic_reg)reg);
		return true;
	default:
		return false;
	}
}

static bool write_register(struct vlapic *l, uint32_t reg, uint32_t value)
{
	if (lvt_of(reg) >= 0) {
		write_lvt(l, (enum lvt_index)lvt_of(reg), value);
		return true;
	}
	switch (reg) {
	case APIC_EOI: write_eoi(l); return true;
	case APIC_SVR: write_svr(l, value); return true;
	case APIC_TPR: apic_write(APIC_TPR, value & 0xFF); return true;
	case APIC_TIMER_DIVIDE:
		apic_write(APIC_TIMER_DIVIDE, value & DIVIDE_WRITABLE);
		return true;
	case APIC_TIMER_INITIAL: apic_write(APIC_TIMER_INITIAL, value); return true;
	case APIC_ESR: vlapic_update_esr(l); return true;
	default: return false;
	}
}

/* Registers lie every 16 bytes and are 32 bits wide; the rest of the page reads as 0. */
uint32_t vlapic_mmio_read(struct vlapic *l, uint32_t offset)
{
	uint32_t value = 0;

	if (offset == APIC_ICR_HIGH)
		return l->icr_high;
	if (offset == APIC_DFR)
		return l->dfr;
	if (offset % 16 == 0 && !read_register(l, offset, &value) && vlapic_is_reserved(offset))
		vlapic_error(l, ESR_ILLEGAL_REGISTER);
	return value;
}

void vlapic_mmio_write(struct vlapic *l, uint32_t offset, uint32_t value)
{
	if (offset == APIC_ICR)
		write_icr(l, value, l->icr_high);
	else if (offset == APIC_ICR_HIGH)
		l->icr_high = value & 0xFF000000u;
	else if (offset == APIC_DFR)
		l->dfr = value | 0x0FFFFFFFu;
	else if (offset == APIC_LDR)
		l->ldr = value & 0xFF000000u;
	else if (offset % 16 == 0 && !write_register(l, offset, value) &&
		 vlapic_is_reserved(offset))
		vlapic_error(l, ESR_ILLEGAL_REGISTER);
}

bool vlapic_msr_read(struct vlapic *l, uint32_t msr, uint64_t *value)
{
	const uint32_t reg = (msr - MSR_X2APIC_FIRST) * 16;
	uint32_t low;

	if (!vlapic_is_x2apic(l))
		return false;
	if (reg == APIC_ICR) {
		*value = (uint64_t)l->icr_high << 32 | l->icr_low;
		return true;
	}
	if (!read_register(l, reg, &low))
		return false;
	*value = low;
	return true;
}

/* Reserved bits raise #GP in x2APIC mode (11.12.1.3), unlike in the page. */
static bool has_reserved_bits(uint32_t reg, uint32_t value)
{
	const int lvt = lvt_of(reg);

	if (lvt >= 0)
		return (value & ~(lvt_writable[lvt] | (uint32_t)LVT_READ_ONLY)) ||
		       (lvt == LVT_TIMER && !timer_mode_exists(value));
	switch (reg) {
	case APIC_EOI:
	case APIC_ESR: return value != 0;
	case APIC_TPR: return value > 0xFF;
	case APIC_SVR: return value & ~(SVR_WRITABLE | (uint32_t)SVR_IGNORED);
	case APIC_TIMER_DIVIDE: return value & ~DIVIDE_WRITABLE;
	default: return false;
	}
}

bool vlapic_msr_write(struct vlapic *l, uint32_t msr, uint64_t value)
{
	const uint32_t reg = (msr - MSR_X2APIC_FIRST) * 16;
	struct apic_message self = { .delivery = APIC_FIXED, .vector = (uint8_t)value };

	if (!vlapic_is_x2apic(l))
		return false;
	if (reg == APIC_ICR) {
		if (value & 0xFFFFFFFFULL & ~(uint64_t)ICR_WRITABLE)
			return false;
		write_icr(l, (uint32_t)value, (uint32_t)(value >> 32));
		return true;
	}
	if (value >> 32)
		return false;
	if (reg == APIC_SELF_IPI) {
		if (value > 0xFF)
			return false;
		if (self.vector < APIC_FIRST_VECTOR)
			vlapic_error(l, ESR_SEND_ILLEGAL_VECTOR);
		l->send(l->ctx, &self, SHORT_SELF);
		return true;
	}
	if (has_reserved_bits(reg, (uint32_t)value))
		return false;
	return write_register(l, reg, (uint32_t)value);
}
