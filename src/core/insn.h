/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction decoder: length and operands of one x86 instruction, for
 * 16, 32 and 64-bit code (Intel SDM vol. 2, chapter 2 and appendix A).
 * Vector instructions (VEX, EVEX, XOP) are only measured.
 */
#ifndef BULKHEAD_CORE_INSN_H
#define BULKHEAD_CORE_INSN_H

#include "emulate.h" /* INSN_MAX */

#define INSN_NO_REG 0xff  /* no base or no index register */
#define INSN_REPNE 0xf2	  /* the prefixes as they stand in `rep` */
#define INSN_REP 0xf3

enum insn_map {
	INSN_MAP_ONE,	 /* one-byte opcodes */
	INSN_MAP_0F,	 /* behind 0F */
	INSN_MAP_0F38,
	INSN_MAP_0F3A,
	INSN_MAP_VECTOR, /* VEX, EVEX or XOP */
};

enum insn_status {
	INSN_OK,
	INSN_SHORT,   /* more bytes are needed than were given */
	INSN_BAD,     /* undefined: the CPU raises #UD */
	INSN_TOOLONG, /* more than INSN_MAX bytes: the CPU raises #GP */
};

struct insn {
	uint8_t len;
	uint8_t map; /* enum insn_map */
	uint8_t opcode;
	uint8_t rex;	  /* the REX prefix, 0 when there is none */
	uint8_t rep;	  /* INSN_REP, INSN_REPNE or 0 */
	uint8_t opsize;	  /* 2, 4 or 8 bytes, by mode, 66 and REX.W */
	uint8_t addrsize; /* 2, 4 or 8 bytes, by mode and 67 */
	bool lock;
	bool data16; /* a 66 prefix was there */
	bool mem;    /* r/m or moffs is in memory */
	bool rip_relative;
	uint8_t reg; /* ModRM.reg with REX.R; an opcode extension is reg & 7 */
	uint8_t rm;  /* ModRM.rm with REX.B, when !mem */
	uint8_t base, index, scale;
	uint8_t seg;  /* enum segment: the override, or the default of the memory operand */
	int64_t disp; /* displacement or moffs */
	uint64_t imm; /* sign-extended; for ENTER and far pointers only the last field */
};

/*
 * Decodes the instruction that begins at bytes[0]; looks at no more than `n`
 * bytes and never at more than INSN_MAX.  `code_bits` is 16, 32 or 64.
 * *insn is complete only for INSN_OK.
 */
enum insn_status insn_decode(struct insn *insn, const uint8_t *bytes, size_t n,
			     unsigned code_bits);

/* ---- the opcode tables' attributes (insn_table.c) ---- */

#define INSN_F_MODRM BIT(0)
#define INSN_F_IMM8 BIT(1)
#define INSN_F_IMM16 BIT(2)
#define INSN_F_IMMZ BIT(3)   /* 2 or 4 bytes, by operand size */
#define INSN_F_IMMV BIT(4)   /* 2, 4 or 8 bytes, by operand size */
#define INSN_F_REL BIT(5)    /* near branch: as IMMZ, but always 4 bytes in 64-bit code */
#define INSN_F_FAR BIT(6)    /* far pointer: IMMZ and a selector */
#define INSN_F_MOFFS BIT(7)  /* an address, by address size */
#define INSN_F_PREFIX BIT(8)
#define INSN_F_UNDEF BIT(9)
#define INSN_F_NOT64 BIT(10) /* undefined in 64-bit code */
#define INSN_F_GROUP3 BIT(11) /* F6, F7: immediate only with /0 and /1 */
#define INSN_F_REGS BIT(12)  /* ModRM always names registers (moves of CRx and DRx) */

extern const uint16_t insn_table_one[256];
extern const uint16_t insn_table_0f[256];

#endif
