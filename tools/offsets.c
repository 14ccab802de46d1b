/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled to assembly only: each OFFSET becomes a line that make turns into NASM's `equ`. */
#include "backend.h"
#include "smp.h"

#define OFFSET(name, type, field) \
	__asm__ volatile("#OFFSET " #name " %0" : : "i"(offsetof(type, field)))

void offsets(void);
void offsets(void)
{
	OFFSET(CPU_NMI_COUNT, struct cpu, nmi_count);
	OFFSET(CPU_STACK_TOP, struct cpu, stack_top);
	OFFSET(REGS_RAX, struct vcpu_regs, gpr[GPR_RAX]);
	OFFSET(REGS_RCX, struct vcpu_regs, gpr[GPR_RCX]);
	OFFSET(REGS_RDX, struct vcpu_regs, gpr[GPR_RDX]);
	OFFSET(REGS_RBX, struct vcpu_regs, gpr[GPR_RBX]);
	OFFSET(REGS_RBP, struct vcpu_regs, gpr[GPR_RBP]);
	OFFSET(REGS_RSI, struct vcpu_regs, gpr[GPR_RSI]);
	OFFSET(REGS_RDI, struct vcpu_regs, gpr[GPR_RDI]);
	OFFSET(REGS_R8, struct vcpu_regs, gpr[GPR_R8]);
	OFFSET(REGS_R9, struct vcpu_regs, gpr[GPR_R9]);
	OFFSET(REGS_R10, struct vcpu_regs, gpr[GPR_R10]);
	OFFSET(REGS_R11, struct vcpu_regs, gpr[GPR_R11]);
	OFFSET(REGS_R12, struct vcpu_regs, gpr[GPR_R12]);
	OFFSET(REGS_R13, struct vcpu_regs, gpr[GPR_R13]);
	OFFSET(REGS_R14, struct vcpu_regs, gpr[GPR_R14]);
	OFFSET(REGS_R15, struct vcpu_regs, gpr[GPR_R15]);
}
