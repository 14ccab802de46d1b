/* SPDX-License-Identifier: BSD-2-Clause */
/* Events into the guest: injection, windows, NMI blocking (APM vol. 2, 15.20 and 15.21). */
#include "svm_internal.h"

#define DR6_BS BIT(14)

bool svm_event_pending(const struct vcpu_hw *v)
{
	return svm_vmcb(v)->event_inject & EVENT_VALID;
}

bool svm_can_take_extint(const struct vcpu_hw *v)
{
	return (v->regs.rflags & RFLAGS_IF) && !svm_event_pending(v) &&
	       !(svm_vmcb(v)->int_shadow & SHADOW_INTERRUPT);
}

bool svm_can_take_nmi(const struct vcpu_hw *v)
{
	return !v->nmi_blocked && !svm_event_pending(v) &&
	       !(svm_vmcb(v)->int_shadow & SHADOW_INTERRUPT);
}

void svm_inject(struct vcpu_hw *v, const struct vm_event *e)
{
	static const uint64_t types[] = {
		[EVENT_EXTINT] = EVENT_TYPE_EXTERNAL,
		[EVENT_NMI] = EVENT_TYPE_NMI,
		[EVENT_EXCEPTION] = EVENT_TYPE_EXCEPTION,
	};
	struct vmcb *vmcb = svm_vmcb(v);

	vmcb->event_inject = EVENT_VALID | types[e->type] << EVENT_TYPE_SHIFT | e->vector;
	/* In real mode exceptions push no error code (APM vol. 2, 8.2 and 15.20). */
	if (e->has_error && (vmcb->cr0 & CR0_PE))
		vmcb->event_inject |= EVENT_HAS_ERROR | (uint64_t)e->error << EVENT_ERROR_SHIFT;
	if (e->type == EVENT_NMI) {
		/* An injected NMI blocks none: IRET is watched instead. */
		v->nmi_blocked = true;
		vmcb->intercept_misc1 |= INTERCEPT_IRET;
	}
}

/*
 * The guest's own V_IRQ never reaches it: the intercept fires at the moment
 * when it would be taken.
 */
void svm_want_window(struct vcpu_hw *v, bool on)
{
	struct vmcb *vmcb = svm_vmcb(v);

	if (on) {
		vmcb->vintr |= VINTR_IRQ | VINTR_PRIORITY_MAX | VINTR_IGNORE_TPR;
		vmcb->intercept_misc1 |= INTERCEPT_VINTR;
	} else {
		vmcb->vintr &= ~VINTR_IRQ;
		vmcb->intercept_misc1 &= (uint32_t)~INTERCEPT_VINTR;
	}
}

void svm_clear_shadow(struct vcpu_hw *v)
{
	svm_vmcb(v)->int_shadow &= ~SHADOW_INTERRUPT;
}

/*
 * The intercept comes before IRET executes; NMIs stay blocked until it has,
 * which a single step shows.
 */
void svm_nmi_iret(struct vcpu_hw *v)
{
	svm_vmcb(v)->intercept_misc1 &= (uint32_t)~INTERCEPT_IRET;
	/* TF itself comes back from the stack with the IRET. */
	v->nmi_stepping = v->step_keeps_tf = true;
	v->regs.rflags |= RFLAGS_TF;
}

/* A shadow lasts one instruction.  A blocked NMI has the IRET intercept already. */
void svm_want_nmi_window(struct vcpu_hw *v)
{
	if (v->nmi_blocked || v->nmi_stepping)
		return;
	/* Behind an event: an NMI to ourselves ends the guest as soon as that is delivered. */
	if (svm_event_pending(v)) {
		v->kick_self = true;
		return;
	}
	v->nmi_stepping = true;
	v->step_keeps_tf = v->regs.rflags & RFLAGS_TF;
	v->regs.rflags |= RFLAGS_TF;
}

bool svm_nmi_step_done(struct vcpu_hw *v)
{
	if (!v->nmi_stepping)
		return false;
	v->nmi_stepping = false;
	v->nmi_blocked = false;
	if (!v->step_keeps_tf)
		v->regs.rflags &= ~RFLAGS_TF;
	/* DR6 is sticky: the guest's next #DB must not look like a single step too. */
	svm_vmcb(v)->dr6 &= ~DR6_BS;
	return true;
}

/* INT3 and INTO, whose exceptions come from an instruction that can be executed again. */
static bool is_soft_exception(uint64_t vector)
{
	return vector == VEC_BP || vector == VEC_OF;
}

void svm_resume_event(struct vmcb *vmcb)
{
	uint64_t info = vmcb->exit_int_info;
	uint64_t type = info >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK;
	const uint64_t vector = info & EVENT_VECTOR_MASK;

	/* The CPU clears EVENTINJ.V when it has delivered; not every emulator does. */
	vmcb->event_inject = 0;
	if (!(info & EVENT_VALID))
		return;
	/* QEMU says "exception" for an external interrupt that came directly. */
	if (type == EVENT_TYPE_EXCEPTION && vector >= 32)
		type = EVENT_TYPE_EXTERNAL;
	/* RIP still points to INT n, INT3, INTO: it is executed again. */
	if (type == EVENT_TYPE_SOFTWARE ||
	    (type == EVENT_TYPE_EXCEPTION && is_soft_exception(vector)))
		return;
	info &= ~(EVENT_TYPE_MASK << EVENT_TYPE_SHIFT);
	vmcb->event_inject = info | type << EVENT_TYPE_SHIFT;
}
