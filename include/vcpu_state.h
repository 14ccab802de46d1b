/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The architectural state of a guest CPU in a form that is the same on every
 * backend.  The decoder, the emulator, the loader and the monitor know only
 * this.
 */
#ifndef BULKHEAD_VCPU_STATE_H
#define BULKHEAD_VCPU_STATE_H

#include "types.h"

/* In the order of the instruction encoding (Intel SDM vol. 2, table 2-2). */
enum gpr {
	GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI,
	GPR_R8, GPR_R9, GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15,
	GPR_COUNT
};

struct vcpu_regs {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip;
	uint64_t rflags;
};

enum segment {
	SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR,
	SEG_COUNT
};

/*
 * Attributes in the layout of the descriptor's access byte and flags nibble:
 * bits 0-3 type, 4 S, 5-6 DPL, 7 P, 8 AVL, 9 L, 10 D/B, 11 G (the format of
 * the VMCB, AMD APM vol. 2, 15.5.2).  Bit 12 says that it is unusable.
 */
#define SEG_ATTR_S BIT(4)
#define SEG_ATTR_DPL_SHIFT 5
#define SEG_ATTR_P BIT(7)
#define SEG_ATTR_L BIT(9)
#define SEG_ATTR_DB BIT(10)
#define SEG_ATTR_G BIT(11)
#define SEG_ATTR_UNUSABLE BIT(12)

struct segment_reg {
	uint64_t base;
	uint32_t limit; /* in bytes, the granularity applied */
	uint16_t selector;
	uint16_t attr;
};

struct table_reg {
	uint64_t base;
	uint16_t limit;
};

struct vcpu_sysregs {
	uint64_t cr0, cr2, cr3, cr4;
	uint64_t efer; /* as the guest sees it: no SVME */
	uint64_t dr6, dr7;
	struct segment_reg seg[SEG_COUNT];
	struct table_reg gdtr, idtr;
	uint8_t cpl;
};

/*
 * The state after reset or INIT (SDM vol. 3, table 9-1; APM vol. 2, 14.1.3),
 * but for the family and model in RDX.
 */
void vcpu_reset_state(struct vcpu_regs *regs, struct vcpu_sysregs *sys);

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_PGE BIT(7)
#define CR4_LA57 BIT(12)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define CR4_PKE BIT(22)

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)
#define EFER_SVME BIT(12)

#define RFLAGS_CF BIT(0)
#define RFLAGS_RESERVED1 BIT(1)
#define RFLAGS_PF BIT(2)
#define RFLAGS_AF BIT(4)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_SF BIT(7)
#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define RFLAGS_DF BIT(10)
#define RFLAGS_OF BIT(11)
#define RFLAGS_VM BIT(17)
#define RFLAGS_RF BIT(16)
#define RFLAGS_AC BIT(18)

/* Exception vectors (Intel SDM vol. 3, table 6-1). */
enum vector {
	VEC_DE = 0, VEC_DB = 1, VEC_NMI = 2, VEC_BP = 3, VEC_OF = 4,
	VEC_BR = 5, VEC_UD = 6, VEC_NM = 7, VEC_DF = 8, VEC_TS = 10,
	VEC_NP = 11, VEC_SS = 12, VEC_GP = 13, VEC_PF = 14, VEC_MF = 16,
	VEC_AC = 17, VEC_MC = 18, VEC_XM = 19
};

#endif
