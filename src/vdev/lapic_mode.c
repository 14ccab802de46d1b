/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual local APIC: reset, its modes, and its pins (SDM vol. 3, 11.4 and 11.12.5). */
#include "kstring.h"
#include "lapic_internal.h"
#include "smp.h"
#include "x86.h"

#define LVT_RESET 0x10000u
#define SVR_RESET 0xFFu
#define DFR_RESET 0xFFFFFFFFu

bool vlapic_is_enabled(const struct vlapic *l)
{
	return l->base_msr & APIC_BASE_ENABLE;
}

bool vlapic_is_x2apic(const struct vlapic *l)
{
	return vlapic_is_enabled(l) && (l->base_msr & APIC_BASE_X2APIC);
}

bool vlapic_software_enabled(const struct vlapic *l)
{
	return vlapic_is_enabled(l) && (l->svr & APIC_SVR_ENABLE);
}

static unsigned delivery_of(uint32_t lvt)
{
	return lvt >> APIC_DELIVERY_SHIFT & DELIVERY_MASK;
}

bool vlapic_takes_extint(const struct vlapic *l)
{
	const uint32_t lint0 = l->lvt[LVT_LINT0];

	/* With the APIC disabled, LINT0 is the CPU's INTR pin (11.4.3). */
	if (!vlapic_is_enabled(l))
		return true;
	return !(lint0 & APIC_LVT_MASKED) && delivery_of(lint0) == APIC_EXTINT;
}

bool vlapic_lint0_message(const struct vlapic *l, struct apic_message *m)
{
	const uint32_t lint0 = l->lvt[LVT_LINT0];
	const unsigned mode = delivery_of(lint0);

	*m = (struct apic_message){ .delivery = (uint8_t)mode, .vector = (uint8_t)lint0 };
	return vlapic_is_enabled(l) && !(lint0 & APIC_LVT_MASKED) &&
	       (mode == APIC_FIXED || mode == APIC_NMI);
}

void vlapic_reset(struct vlapic *l, bool keep_base)
{
	if (!keep_base)
		l->base_msr = APIC_BASE_ADDRESS | APIC_BASE_ENABLE |
			      (l->id == 0 ? APIC_BASE_BSP : 0);
	l->ldr = 0;
	l->dfr = DFR_RESET;
	l->svr = SVR_RESET;
	l->icr_high = l->icr_low = 0;
	l->esr = l->esr_new = 0;
	for (unsigned i = 0; i < LAPIC_LVTS; i++)
		l->lvt[i] = LVT_RESET;
	memset(l->tmr, 0, sizeof(l->tmr));
	apic_write(APIC_SVR, l->svr);
}

/* MP specification 3.6.2.2: what a PC's firmware leaves on the boot CPU. */
void vlapic_set_virtual_wire(struct vlapic *l)
{
	l->svr |= (uint32_t)APIC_SVR_ENABLE;
	l->lvt[LVT_LINT0] = APIC_EXTINT << APIC_DELIVERY_SHIFT;
	l->lvt[LVT_LINT1] = APIC_NMI << APIC_DELIVERY_SHIFT;
	apic_write(APIC_SVR, l->svr);
}

/*
 * The transitions of 11.12.5: disabled to xAPIC to x2APIC to disabled.  The
 * physical APIC stays enabled whatever the guest does: kicks need it.
 */
bool vlapic_write_base(struct vlapic *l, uint64_t value, bool host_x2apic)
{
	const uint64_t modes = APIC_BASE_ENABLE | APIC_BASE_X2APIC;
	const uint64_t from = l->base_msr & modes, to = value & modes;

	/* The page cannot be moved: no guest we know does. */
	if ((value & ~(modes | APIC_BASE_BSP)) != APIC_BASE_ADDRESS)
		return false;
	if (to == APIC_BASE_X2APIC || ((to & APIC_BASE_X2APIC) && !host_x2apic))
		return false;
	if ((from & APIC_BASE_X2APIC) && to == APIC_BASE_ENABLE)
		return false;
	if (from == 0 && (to & APIC_BASE_X2APIC))
		return false;
	l->base_msr = (value & ~APIC_BASE_BSP) | (l->base_msr & APIC_BASE_BSP);
	/* Enabled again, it is as after power-up, with nothing pending (11.4.3). */
	if (to == 0 && from != 0) {
		apic_reset_cpu();
		vlapic_reset(l, true);
	}
	return true;
}
