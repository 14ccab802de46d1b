/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the emulator share; nobody else includes it. */
#ifndef BULKHEAD_CORE_EMULATE_IMPL_H
#define BULKHEAD_CORE_EMULATE_IMPL_H

#include "emulate.h"
#include "insn.h"

/* One instruction under way. */
struct emulation {
	const struct emu_cpu *cpu;
	struct guest_fault *fault;
	unsigned code_bits;
	uint64_t next_rip;
	const struct emu_port_ops *port; /* only for INS and OUTS */
	struct insn insn;
};

/* ---- the CPU's mode (emulate_segment.c) ---- */

/* 16, 32 or 64, by CS and EFER. */
unsigned emu_code_bits(const struct emu_cpu *cpu);

/* Bits above an address's width repeat its highest bit (Intel SDM vol. 1, 3.3.7.1). */
static inline bool emu_canonical(const struct emu_cpu *cpu, uint64_t linear)
{
	unsigned unused = cpu->sys->cr4 & CR4_LA57 ? 64 - 57 : 64 - 48;

	return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

/* Fills *fault with a vector whose error code is 0, where the mode has error codes at all. */
void emu_fault_zero(const struct emu_cpu *cpu, uint8_t vector, struct guest_fault *fault);

/* ---- the instruction at CS:RIP (emulate_fetch.c) ---- */

/*
 * Fetches and decodes.  INSN_OK, INSN_BAD, or another value when it cannot be
 * fetched, with *fault set.
 */
enum insn_status emu_fetch(const struct emu_cpu *cpu, unsigned code_bits, struct insn *insn,
			   struct guest_fault *fault);
/*
 * Starts `e` for the instruction at CS:RIP.  EMU_OK when it can go on; #UD for
 * a LOCK where none is allowed.
 */
enum emu_result emu_begin(struct emulation *e, const struct emu_cpu *cpu,
			  struct guest_fault *fault);
/* Moves RIP behind the instruction. */
void emu_finish(struct emulation *e);

/* ---- registers ---- */

static inline uint64_t size_mask(unsigned size)
{
	return ~0ULL >> (64 - 8 * size);
}

static inline uint64_t sign_extend(uint64_t v, unsigned size)
{
	unsigned unused = 64 - 8 * size;

	return (uint64_t)((int64_t)(v << unused) >> unused);
}

/* Without a REX prefix byte registers 4 to 7 are AH, CH, DH and BH. */
static inline bool is_high_byte(const struct emulation *e, unsigned n, unsigned size)
{
	return size == 1 && n >= 4 && !e->insn.rex;
}

static inline uint64_t gpr_read(const struct emulation *e, unsigned n, unsigned size)
{
	const uint64_t *gpr = e->cpu->regs->gpr;

	if (is_high_byte(e, n, size))
		return (gpr[n - 4] >> 8) & 0xff;
	return gpr[n] & size_mask(size);
}

/* Four bytes are zero-extended, one and two leave the rest as it was. */
static inline void gpr_write(const struct emulation *e, unsigned n, unsigned size, uint64_t v)
{
	uint64_t *gpr = e->cpu->regs->gpr;

	if (is_high_byte(e, n, size))
		gpr[n - 4] = (gpr[n - 4] & ~0xff00ULL) | (v & 0xff) << 8;
	else if (size >= 4)
		gpr[n] = v & size_mask(size);
	else
		gpr[n] = (gpr[n] & ~size_mask(size)) | (v & size_mask(size));
}

/* ---- memory operands (emulate_mem.c) ---- */

/* An operand whose every byte has been translated: reading and writing it cannot fail. */
struct mem {
	uint64_t gpa[2]; /* the second only when it crosses a page */
	uint8_t size;    /* 1, 2, 4 or 8 */
	uint8_t first;   /* bytes in the first page */
};

/* False: e->fault is set. */
bool mem_resolve(const struct emulation *e, enum segment seg, uint64_t offset, unsigned size,
		 enum emu_access access, struct mem *m);
uint64_t mem_read(const struct emulation *e, const struct mem *m);
void mem_write(const struct emulation *e, const struct mem *m, uint64_t v);
/*
 * Writes `new` where `old` was read.  With `atomic`, an aligned operand in RAM
 * is replaced only if it still is `old`; false: it is not.
 */
bool mem_update(const struct emulation *e, const struct mem *m, uint64_t old, uint64_t new,
		bool atomic);

/* The address that ModRM or moffs names, plus `extra`, cut to the address size. */
uint64_t effective_address(const struct emulation *e, uint64_t extra);

/* The r/m operand: a register or memory. */
struct rm {
	struct mem mem; /* when insn.mem */
	unsigned size;
};

bool rm_resolve(const struct emulation *e, unsigned size, enum emu_access access, struct rm *rm);
uint64_t rm_read(const struct emulation *e, const struct rm *rm);
void rm_write(const struct emulation *e, const struct rm *rm, uint64_t v);
/* As mem_update; atomic when the instruction has LOCK. */
bool rm_update(const struct emulation *e, const struct rm *rm, uint64_t old, uint64_t new);

/* ---- arithmetic (emulate_alu.c) ---- */

/* In the order of opcodes 00-3F and of group 1. */
enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

/* The result of a OP b in `size` bytes; sets the six arithmetic bits in *flags. */
uint64_t alu(enum alu_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags);

/* ---- instructions, by subject: EMU_OK leaves RIP to the caller ---- */

enum emu_result emulate_arith(struct emulation *e);	 /* 00-3F, the low three bits below 6 */
enum emu_result emulate_group1(struct emulation *e);	 /* 80-83 */
enum emu_result emulate_test(struct emulation *e);	 /* 84, 85, A8, A9 */
enum emu_result emulate_group3(struct emulation *e);	 /* F6, F7 */
enum emu_result emulate_group45(struct emulation *e);	 /* FE, FF */
enum emu_result emulate_cmpxchg(struct emulation *e);	 /* 0F B0, B1 */
enum emu_result emulate_xadd(struct emulation *e);	 /* 0F C0, C1 */
enum emu_result emulate_shift(struct emulation *e);	 /* C0, C1, D0-D3 */
enum emu_result emulate_setcc(struct emulation *e);	 /* 0F 90-9F */
enum emu_result emulate_cmovcc(struct emulation *e);	 /* 0F 40-4F */
enum emu_result emulate_imul(struct emulation *e);	 /* 69, 6B, 0F AF */
enum emu_result emulate_cmpxchg8b(struct emulation *e);	 /* 0F C7 /1 */
enum emu_result emulate_bit_reg(struct emulation *e);	 /* 0F A3, AB, B3, BB */
enum emu_result emulate_bit_imm(struct emulation *e);	 /* 0F BA */
enum emu_result emulate_mov(struct emulation *e);	 /* 88-8B */
enum emu_result emulate_mov_moffs(struct emulation *e);	 /* A0-A3 */
enum emu_result emulate_mov_imm(struct emulation *e);	 /* C6, C7 */
enum emu_result emulate_mov_sreg(struct emulation *e);	 /* 8C */
enum emu_result emulate_movx(struct emulation *e);	 /* 0F B6, B7, BE, BF */
enum emu_result emulate_movsxd(struct emulation *e);	 /* 63 */
enum emu_result emulate_movnti(struct emulation *e);	 /* 0F C3 */
enum emu_result emulate_movbe(struct emulation *e);	 /* 0F 38 F0, F1 */
enum emu_result emulate_xchg(struct emulation *e);	 /* 86, 87 */
enum emu_result emulate_push(struct emulation *e);	 /* FF /6 */
enum emu_result emulate_pop(struct emulation *e);	 /* 8F */
enum emu_result emulate_string(struct emulation *e);	 /* A4-A7, AA-AF */

/*
 * Runs a string instruction: `element` does one element of `size` bytes and
 * moves the index registers, or returns false with e->fault set.
 */
typedef bool (*string_element_fn)(struct emulation *e, unsigned size);
enum emu_result emulate_rep(struct emulation *e, string_element_fn element, unsigned size,
			    unsigned budget);
/* Moves RSI or RDI by one element, as the direction flag and the address size say. */
void string_advance(struct emulation *e, enum gpr index, unsigned size);

/* Operand size of opcodes whose bit 0 tells bytes from words. */
static inline unsigned width(const struct insn *in)
{
	return in->opcode & 1 ? in->opsize : 1;
}

#endif
