/* SPDX-License-Identifier: BSD-2-Clause */
/* Events into the guest (SDM vol. 3, 26.6 and 27.2.4). */
#include "vmx_internal.h"

bool vmx_event_pending(const struct vcpu_hw *v)
{
	return vmx_vcpu(v)->event & INTR_VALID;
}

bool vmx_can_take_extint(const struct vcpu_hw *v)
{
	return (v->regs.rflags & RFLAGS_IF) && !vmx_event_pending(v) &&
	       !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS));
}

bool vmx_can_take_nmi(const struct vcpu_hw *v)
{
	return !vmx_event_pending(v) &&
	       !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
		 (BLOCKING_STI | BLOCKING_MOV_SS | BLOCKING_NMI));
}

static void set_event(struct vcpu_hw *v, uint32_t info, uint32_t error)
{
	vmx_vcpu(v)->event = info;
	vmcs_write(VMCS_ENTRY_INTERRUPTION, info);
	if (info & INTR_HAS_ERROR)
		vmcs_write(VMCS_ENTRY_ERROR_CODE, error);
}

void vmx_inject(struct vcpu_hw *v, const struct vm_event *e)
{
	static const uint32_t types[] = {
		[EVENT_EXTINT] = INTR_EXTERNAL,
		[EVENT_NMI] = INTR_NMI,
		[EVENT_EXCEPTION] = INTR_EXCEPTION,
	};
	uint32_t info = (uint32_t)INTR_VALID | types[e->type] << INTR_TYPE_SHIFT | e->vector;

	/* In real mode exceptions push no error code, and an entry with one fails (26.2.1.3). */
	if (e->has_error && (vmcs_read(VMCS_GUEST_CR0) & CR0_PE))
		info |= (uint32_t)INTR_HAS_ERROR;
	set_event(v, info, e->error);
	/* A guest in HLT goes on with the handler (26.6.2 wants the active state for some). */
	vmcs_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
}

static void set_cpu_control(uint64_t bit, bool on)
{
	const uint64_t old = vmcs_read(VMCS_CPU_CONTROLS);

	vmcs_write(VMCS_CPU_CONTROLS, on ? old | bit : old & ~bit);
}

static void update_interrupt_window(const struct vmx_vcpu *x)
{
	set_cpu_control(CPU_INTERRUPT_WINDOW, x->extint_window || x->nmi_after_sti);
}

void vmx_want_window(struct vcpu_hw *v, bool on)
{
	vmx_vcpu(v)->extint_window = on;
	update_interrupt_window(vmx_vcpu(v));
}

/*
 * The CPU may open the NMI window in STI's shadow, where an NMI must not be
 * injected (26.3.1.5): the guest would exit again and again without a step.
 * IF is set there, so the interrupt window opens behind the next instruction.
 */
void vmx_want_nmi_window(struct vcpu_hw *v)
{
	if (vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_STI) {
		vmx_vcpu(v)->nmi_after_sti = true;
		update_interrupt_window(vmx_vcpu(v));
		return;
	}
	set_cpu_control(CPU_NMI_WINDOW, true);
}

void vmx_nmi_window_open(struct vcpu_hw *v)
{
	(void)v;
	set_cpu_control(CPU_NMI_WINDOW, false);
}

void vmx_nmi_after_sti_done(struct vcpu_hw *v)
{
	vmx_vcpu(v)->nmi_after_sti = false;
	update_interrupt_window(vmx_vcpu(v));
}

void vmx_clear_shadow(struct vcpu_hw *v)
{
	const uint64_t state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	(void)v;
	if (state & (BLOCKING_STI | BLOCKING_MOV_SS))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, state & ~(BLOCKING_STI | BLOCKING_MOV_SS));
}

void vmx_resume_event(struct vcpu_hw *v)
{
	const uint32_t info = (uint32_t)vmcs_read(VMCS_VECTORING_INFO);
	const uint32_t type = info >> INTR_TYPE_SHIFT & INTR_TYPE_MASK;

	vmx_event_delivered(v);
	if (!(info & INTR_VALID))
		return;
	/* INT n, INT3 and INTO are executed again: RIP still points to them. */
	if (type == INTR_SOFTWARE || type == INTR_PRIVILEGED || type == INTR_SOFT_EXCEPTION)
		return;
	/* Not delivered after all, the NMI must not block itself (26.3.1.5). */
	if (type == INTR_NMI)
		vmx_set_nmi_blocking(false);
	set_event(v, info & ~(uint32_t)INTR_NMI_UNBLOCKING,
		  info & INTR_HAS_ERROR ? (uint32_t)vmcs_read(VMCS_VECTORING_ERROR_CODE) : 0);
}

void vmx_cancel_event(struct vcpu_hw *v)
{
	set_event(v, 0, 0);
}

void vmx_set_nmi_blocking(bool on)
{
	const uint64_t state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, on ? state | BLOCKING_NMI : state & ~BLOCKING_NMI);
}
