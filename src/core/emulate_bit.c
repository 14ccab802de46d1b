/* SPDX-License-Identifier: BSD-2-Clause */
/* BT, BTS, BTR and BTC: only CF changes. */
#include "emulate_impl.h"

/* In the order of 0F BA /4-7, and of bits 3-4 of the opcodes with a register. */
enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static uint64_t bit_result(enum bit_op op, uint64_t v, uint64_t mask)
{
	switch (op) {
	case BIT_SET: return v | mask;
	case BIT_RESET: return v & ~mask;
	case BIT_COMPLEMENT: return v ^ mask;
	default: return v;
	}
}

/* Bit `bit` of the operand that `rm` has resolved. */
static enum emu_result bit_apply(struct emulation *e, enum bit_op op, const struct rm *rm,
				 unsigned bit)
{
	uint64_t old = rm_read(e, rm);
	uint64_t *flags = &e->cpu->regs->rflags;

	if (op != BIT_TEST && !rm_update(e, rm, old, bit_result(op, old, BIT(bit))))
		return EMU_RETRY;
	*flags = (*flags & ~RFLAGS_CF) | (old >> bit & 1 ? RFLAGS_CF : 0);
	return EMU_OK;
}

static enum emu_access bit_access(enum bit_op op)
{
	return op == BIT_TEST ? EMU_READ : EMU_WRITE;
}

/*
 * A bit offset in a register is signed and reaches beyond the operand: the
 * operand moves by whole words (Intel SDM vol. 1, 3.1.1.9, BitBase).
 */
enum emu_result emulate_bit_reg(struct emulation *e)
{
	const struct insn *in = &e->insn;
	enum bit_op op = (enum bit_op)((in->opcode >> 3) & 3);
	unsigned size = in->opsize, bits = 8 * size;
	uint64_t offset = sign_extend(gpr_read(e, in->reg, size), size);
	unsigned bit = (unsigned)(offset & (bits - 1));
	struct rm rm = { .size = size };

	if (in->mem) {
		uint64_t bytes = (uint64_t)((int64_t)(offset - bit) >> 3);

		if (!mem_resolve(e, (enum segment)in->seg, effective_address(e, bytes), size,
				 bit_access(op), &rm.mem))
			return EMU_FAULT;
	}
	return bit_apply(e, op, &rm, bit);
}

enum emu_result emulate_bit_imm(struct emulation *e)
{
	const struct insn *in = &e->insn;
	enum bit_op op = (enum bit_op)(in->reg & 3);
	struct rm rm;

	if ((in->reg & 7) < 4) {
		emu_fault_zero(e->cpu, VEC_UD, e->fault);
		return EMU_FAULT;
	}
	if (!rm_resolve(e, in->opsize, bit_access(op), &rm))
		return EMU_FAULT;
	return bit_apply(e, op, &rm, (unsigned)(in->imm & (8u * in->opsize - 1)));
}
