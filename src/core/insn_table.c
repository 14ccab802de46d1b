/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows each opcode (Intel SDM vol. 2, appendix A, tables ).
 * One letter or two for each opcode; a row is 16 opcodes.
 */
#include "insn.h"

enum {
	o_ = 0,			      /* nothing follows */
	M_ = INSN_F_MODRM,
	B_ = INSN_F_IMM8,
	W_ = INSN_F_IMM16,
	WB = INSN_F_IMM16 | INSN_F_IMM8, /* ENTER */
	Z_ = INSN_F_IMMZ,
	V_ = INSN_F_IMMV,
	J_ = INSN_F_REL,
	A_ = INSN_F_MOFFS,
	P_ = INSN_F_PREFIX,
	U_ = INSN_F_UNDEF,
	R_ = INSN_F_MODRM | INSN_F_REGS,
	MB = INSN_F_MODRM | INSN_F_IMM8,
	MZ = INSN_F_MODRM | INSN_F_IMMZ,
	o6 = INSN_F_NOT64,
	B6 = INSN_F_IMM8 | INSN_F_NOT64,
	M6 = INSN_F_MODRM | INSN_F_NOT64,
	N6 = INSN_F_MODRM | INSN_F_IMM8 | INSN_F_NOT64, /* 82, an alias of 80 */
	F6 = INSN_F_FAR | INSN_F_NOT64,
	G3 = INSN_F_MODRM | INSN_F_IMM8 | INSN_F_GROUP3,
	H3 = INSN_F_MODRM | INSN_F_IMMZ | INSN_F_GROUP3,
};

/* 40-4F are REX prefixes in 64-bit code, C4, C5, 62 and 8F may be vector prefixes. */
const uint16_t insn_table_one[256] = {
	/* 0 */ M_, M_, M_, M_, B_, Z_, o6, o6, M_, M_, M_, M_, B_, Z_, o6, U_,
	/* 1 */ M_, M_, M_, M_, B_, Z_, o6, o6, M_, M_, M_, M_, B_, Z_, o6, o6,
	/* 2 */ M_, M_, M_, M_, B_, Z_, P_, o6, M_, M_, M_, M_, B_, Z_, P_, o6,
	/* 3 */ M_, M_, M_, M_, B_, Z_, P_, o6, M_, M_, M_, M_, B_, Z_, P_, o6,
	/* 4 */ o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_,
	/* 5 */ o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, o_,
	/* 6 */ o6, o6, M6, M_, P_, P_, P_, P_, Z_, MZ, B_, MB, o_, o_, o_, o_,
	/* 7 */ B_, B_, B_, B_, B_, B_, B_, B_, B_, B_, B_, B_, B_, B_, B_, B_,
	/* 8 */ MB, MZ, N6, MB, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* 9 */ o_, o_, o_, o_, o_, o_, o_, o_, o_, o_, F6, o_, o_, o_, o_, o_,
	/* A */ A_, A_, A_, A_, o_, o_, o_, o_, B_, Z_, o_, o_, o_, o_, o_, o_,
	/* B */ B_, B_, B_, B_, B_, B_, B_, B_, V_, V_, V_, V_, V_, V_, V_, V_,
	/* C */ MB, MB, W_, o_, M6, M6, MB, MZ, WB, o_, W_, o_, o_, B_, o6, o_,
	/* D */ M_, M_, M_, M_, B6, B6, o6, o_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* E */ B_, B_, B_, B_, B_, B_, B_, B_, J_, J_, F6, B_, o_, o_, o_, o_,
	/* F */ P_, o_, P_, P_, o_, o_, G3, H3, o_, o_, o_, o_, o_, o_, M_, M_,
};

const uint16_t insn_table_0f[256] = {
	/* 0 */ M_, M_, M_, M_, U_, o_, o_, o_, o_, o_, U_, o_, U_, M_, o_, MB,
	/* 1 */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* 2 */ R_, R_, R_, R_, U_, U_, U_, U_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* 3 */ o_, o_, o_, o_, o_, o_, U_, o_, U_, U_, U_, U_, U_, U_, U_, U_,
	/* 4 */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* 5 */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* 6 */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* 7 */ MB, MB, MB, MB, M_, M_, M_, o_, M_, M_, U_, U_, M_, M_, M_, M_,
	/* 8 */ J_, J_, J_, J_, J_, J_, J_, J_, J_, J_, J_, J_, J_, J_, J_, J_,
	/* 9 */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* A */ o_, o_, o_, M_, MB, M_, M_, M_, o_, o_, o_, M_, MB, M_, M_, M_,
	/* B */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, MB, M_, M_, M_, M_, M_,
	/* C */ M_, M_, MB, M_, MB, MB, MB, M_, o_, o_, o_, o_, o_, o_, o_, o_,
	/* D */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* E */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
	/* F */ M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_,
};
