/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt messages inside one guest.  Virtual destinations become physical
 * CPUs here, and only CPUs of the same guest can come out.
 */
#include "log.h"
#include "smp.h"
#include "vm.h"

#define FIRST_VECTOR 16 /* lower ones are illegal in a message (SDM vol. 3, 11.5.2) */

static void set_trigger(struct vcpu *v, uint8_t vector, bool level)
{
	uint32_t *word = &v->lapic.tmr[vector / 32];
	const uint32_t bit = (uint32_t)BIT(vector % 32);

	/* The interrupt that follows orders these before the guest's handler. */
	if (level) {
		__atomic_fetch_or(word, bit, __ATOMIC_RELEASE);
		vcpu_post(v, WORK_LEVEL);
	} else if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit) {
		__atomic_fetch_and(word, ~bit, __ATOMIC_RELEASE);
	}
}

static void deliver_fixed(struct vcpu *v, const struct apic_message *m)
{
	if (v->state != VCPU_RUNNING || m->vector < FIRST_VECTOR ||
	    !vlapic_software_enabled(&v->lapic))
		return;
	set_trigger(v, m->vector, m->level);
	apic_send_ipi(cpus[v->cpu]->apic_id, m->vector);
}

static void deliver(struct vcpu *v, const struct apic_message *m)
{
	switch ((enum apic_delivery)m->delivery) {
	case APIC_FIXED:
	case APIC_LOWEST:
		deliver_fixed(v, m);
		break;
	case APIC_NMI:
		vcpu_post(v, WORK_NMI);
		break;
	case APIC_INIT:
		vcpu_post(v, WORK_INIT);
		break;
	case APIC_STARTUP:
		__atomic_store_n(&v->sipi_vector, m->vector, __ATOMIC_RELAXED);
		vcpu_post(v, WORK_SIPI);
		break;
	case APIC_SMI:
	case APIC_EXTINT:
	default:
		/* There is no SMM; ExtINT comes from the 8259s by injection. */
		log_debug("guest %s: message with delivery mode %u dropped", v->vm->cfg->name,
			  m->delivery);
		break;
	}
}

static bool is_target(const struct vcpu *v, const struct vcpu *from, const struct apic_message *m,
		      unsigned shorthand)
{
	switch ((enum apic_shorthand)shorthand) {
	case SHORT_SELF: return v == from;
	case SHORT_ALL: return true;
	case SHORT_OTHERS: return v != from;
	case SHORT_NONE:
	default: return vlapic_matches(&v->lapic, m);
	}
}

void ipi_send(struct vm *vm, struct vcpu *from, const struct apic_message *m, unsigned shorthand)
{
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		struct vcpu *v = &vm->vcpus[i];

		if (!is_target(v, from, m, shorthand))
			continue;
		/* Lowest priority: the first that can take it. */
		if (m->delivery == APIC_LOWEST && !vlapic_software_enabled(&v->lapic))
			continue;
		deliver(v, m);
		if (m->delivery == APIC_LOWEST)
			return;
	}
}

/* ISA IRQ 0 is on pin 2 of the I/O APIC, as the MADT says; the others are on their own. */
static unsigned pin_of(unsigned irq)
{
	return irq == 0 ? 2 : irq;
}

void irq_set(void *ctx, unsigned irq, bool level)
{
	struct vm *vm = ctx;

	pic_set_irq(&vm->pic, irq, level);
	vioapic_set_pin(&vm->ioapic, pin_of(irq), level);
}
