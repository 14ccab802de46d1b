/* SPDX-License-Identifier: BSD-2-Clause */
#include "vcpu_state.h"

#include "kstring.h"

void vcpu_reset_state(struct vcpu_regs *regs, struct vcpu_sysregs *sys)
{
	const struct segment_reg data = { .limit = 0xFFFF, .attr = 0x93 };

	memset(regs, 0, sizeof(*regs));
	regs->rip = 0xFFF0;
	regs->rflags = RFLAGS_RESERVED1;

	memset(sys, 0, sizeof(*sys));
	sys->cr0 = CR0_ET | CR0_CD | CR0_NW;
	sys->dr6 = 0xFFFF0FF0;
	sys->dr7 = 0x400;
	sys->gdtr.limit = sys->idtr.limit = 0xFFFF;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		sys->seg[i] = data;
	sys->seg[SEG_CS] = (struct segment_reg){ 0xFFFF0000, 0xFFFF, 0xF000, 0x9B };
	sys->seg[SEG_LDTR] = (struct segment_reg){ 0, 0xFFFF, 0, 0x82 };
	sys->seg[SEG_TR] = (struct segment_reg){ 0, 0xFFFF, 0, 0x8B };
}
