/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors of the virtual local APIC (SDM vol. 3, 11.5.3).  What is virtual
 * makes its own; the hardware's come from the timer and from self-IPIs.
 */
#include "lapic_internal.h"
#include "smp.h"

void vlapic_error(struct vlapic *l, uint32_t bit)
{
	const uint32_t lvt = l->lvt[LVT_ERROR];
	const struct apic_message m = { .delivery = APIC_FIXED, .vector = (uint8_t)lvt };

	l->esr_new |= bit;
	if (lvt & APIC_LVT_MASKED)
		return;
	/* That vector being illegal is an error too, but must not go round in a circle. */
	if (m.vector < APIC_FIRST_VECTOR)
		l->esr_new |= ESR_RECEIVE_ILLEGAL_VECTOR;
	else
		l->send(l->ctx, &m, SHORT_SELF);
}

void vlapic_update_esr(struct vlapic *l)
{
	apic_write(APIC_ESR, 0);
	l->esr = l->esr_new | apic_read(APIC_ESR);
	l->esr_new = 0;
}

bool vlapic_is_reserved(uint32_t offset)
{
	switch (offset) {
	case APIC_ID:
	case APIC_VERSION:
	case APIC_TIMER_INITIAL:
	case APIC_TIMER_CURRENT:
	case APIC_TIMER_DIVIDE:
		return false;
	default:
		return !(offset >= APIC_TPR && offset <= APIC_ESR) &&
		       !(offset >= APIC_ICR && offset <= APIC_LVT_ERROR);
	}
}
