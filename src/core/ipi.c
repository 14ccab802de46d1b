/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt messages inside one guest.  Virtual destinations become physical
 * CPUs here, and only CPUs of the same guest can come out.
 */
#include "log.h"
#include "smp.h"
#include "vm.h"

#define ICR_VECTOR 0xFFu
#define ICR_DEST_SHIFT 32
/* Bits that a fixed IPI to one CPU has not: the mode, logical, level, shorthand.  Assert is idle. */
#define ICR_NOT_PLAIN 0xFFFFBF00u

/*
 * In x2APIC mode the EOI is passed through, but for while a level interrupt
 * is due one: the CPU is told when the first of a vector comes.  The kick is
 * sent before the interrupt, so the intercept is there before the handler's
 * end.  In the xAPIC page every EOI is seen.
 */
static void set_trigger(struct vcpu *v, uint8_t vector, bool level)
{
	uint32_t *word = &v->lapic.tmr[vector / 32];
	const uint32_t bit = (uint32_t)BIT(vector % 32);
	const bool was_level = __atomic_load_n(word, __ATOMIC_RELAXED) & bit;

	/* The interrupt that follows orders these before the guest's handler. */
	if (level && !was_level) {
		__atomic_fetch_or(word, bit, __ATOMIC_RELEASE);
		if (vlapic_is_x2apic(&v->lapic))
			vcpu_post(v, WORK_LEVEL);
	} else if (!level && was_level) {
		__atomic_fetch_and(word, ~bit, __ATOMIC_RELEASE);
	}
}

static bool takes_fixed(const struct vcpu *v)
{
	return v->state == VCPU_RUNNING && vlapic_software_enabled(&v->lapic);
}

static void deliver_fixed(struct vcpu *v, const struct apic_message *m)
{
	if (!takes_fixed(v))
		return;
	if (m->vector < APIC_FIRST_VECTOR) {
		vlapic_error(&v->lapic, ESR_RECEIVE_ILLEGAL_VECTOR);
		return;
	}
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

/* A local APIC that is disabled in IA32_APIC_BASE hears no message at all (SDM vol. 3, 11.4.3). */
static bool is_target(const struct vcpu *v, const struct vcpu *from, const struct apic_message *m,
		      unsigned shorthand)
{
	switch ((enum apic_shorthand)shorthand) {
	case SHORT_SELF: return v == from && vlapic_is_enabled(&v->lapic);
	case SHORT_ALL: return vlapic_is_enabled(&v->lapic);
	case SHORT_OTHERS: return v != from && vlapic_is_enabled(&v->lapic);
	case SHORT_NONE:
	default: return vlapic_matches(&v->lapic, m);
	}
}

/* With the sender among the targets of a shorthand, INIT and SIPI are no valid IPIs (table 11-3). */
static bool is_valid(const struct apic_message *m, unsigned shorthand)
{
	return (m->delivery != APIC_INIT && m->delivery != APIC_STARTUP) ||
	       (shorthand != SHORT_SELF && shorthand != SHORT_ALL);
}

void ipi_send(struct vm *vm, struct vcpu *from, const struct apic_message *m, unsigned shorthand)
{
	if (!is_valid(m, shorthand))
		return;
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		struct vcpu *v = &vm->vcpus[i];

		if (!is_target(v, from, m, shorthand))
			continue;
		/* Lowest priority: the first that can take it. */
		if (m->delivery == APIC_LOWEST && !takes_fixed(v))
			continue;
		deliver(v, m);
		if (m->delivery == APIC_LOWEST)
			return;
	}
}

/* Without the lock: that of an x2APIC ICR is one store, and the sender's own. */
bool ipi_send_plain(struct vcpu *from, uint64_t icr)
{
	const uint32_t dest = (uint32_t)(icr >> ICR_DEST_SHIFT);
	const uint8_t vector = icr & ICR_VECTOR;
	const struct vcpu *to;

	if ((icr & ICR_NOT_PLAIN) || vector < APIC_FIRST_VECTOR || dest >= from->vm->n_vcpus ||
	    !vlapic_is_x2apic(&from->lapic))
		return false;
	to = &from->vm->vcpus[dest];
	/* Relaxed: a level interrupt of the same vector at the same moment may win or lose. */
	if (!takes_fixed(to) ||
	    (__atomic_load_n(&to->lapic.tmr[vector / 32], __ATOMIC_RELAXED) & BIT(vector % 32)))
		return false;
	from->lapic.icr_low = (uint32_t)icr;
	from->lapic.icr_high = dest;
	apic_send_ipi(cpus[to->cpu]->apic_id, vector);
	return true;
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
