/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches (Intel SDM vol. 3, chapter 7).  VMX leaves them to
 * the hypervisor; pure code, as the emulator is.
 */
#ifndef CORE_TASK_SWITCH_H
#define CORE_TASK_SWITCH_H

#include "backend.h"
#include "emulate.h"

enum task_result {
	TASK_DONE,  /* regs and sys are the new task's */
	TASK_TRAP,  /* the same, and its T flag asks for #DB with DR6.BT */
	TASK_FAULT, /* inject *fault; regs and sys are those of the task that takes it */
};

/*
 * Switches to the task that `how` names.  cpu->regs is changed, and *sys, which
 * is what cpu->sys points to.  `return_rip` is where the old task goes on:
 * behind CALL, JMP, IRET and INT n, at an instruction that faulted.
 */
enum task_result task_switch(const struct emu_cpu *cpu, struct vcpu_sysregs *sys,
			     const struct task_exit *how, uint64_t return_rip,
			     struct guest_fault *fault);

/*
 * What a guest gets that meets `second` while `how` delivers an event: *second
 * itself, or #DF in its place.  False: a shutdown (Intel SDM vol. 3, table 6-5).
 */
bool task_fault_combine(const struct task_exit *how, struct guest_fault *second);

#endif
