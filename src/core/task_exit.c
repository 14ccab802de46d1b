/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits for task switches: from the guest CPU to the pure code and back. */
#include "task_switch.h"
#include "vm.h"

#define DR6_BT BIT(15)

bool access_task_switch(struct vcpu *v, const struct vm_exit *exit)
{
	const uint64_t behind = (uint32_t)(v->hw.regs.rip + exit->insn_len);
	struct guest_fault fault;
	struct vcpu_view view;
	enum task_result result;

	vcpu_view(v, &view);
	result = task_switch(&view.cpu, &view.sys, &exit->task, behind, &fault);
	if (result == TASK_TRAP)
		view.sys.dr6 |= DR6_BT;
	backend->set_sysregs(&v->hw, &view.sys);
	backend->clear_shadow(&v->hw);
	if (result == TASK_TRAP)
		vcpu_inject_exception(v, VEC_DB, false, 0);
	if (result != TASK_FAULT)
		return true;
	if (!task_fault_combine(&exit->task, &fault))
		return false;
	vcpu_inject_fault(v, &fault);
	return true;
}
