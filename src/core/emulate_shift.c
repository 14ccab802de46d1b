/* SPDX-License-Identifier: BSD-2-Clause */
/* Shifts and rotates of r/m operands: C0, C1 and D0 to D3 (Intel SDM vol. 2, SAL and RCL). */
#include "emulate_impl.h"

/* In the order of ModRM.reg. */
enum shift_op { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAL,
		SHIFT_SAR };

static unsigned shift_count(const struct emulation *e, unsigned size)
{
	const unsigned mask = size == 8 ? 63 : 31;

	switch (e->insn.opcode & ~1u) {
	case 0xc0: return (unsigned)e->insn.imm & mask;
	case 0xd0: return 1;
	default: return (unsigned)e->cpu->regs->gpr[GPR_RCX] & mask;
	}
}

/* By one bit; *carry is CF before and after. */
static uint64_t shift_bit(enum shift_op op, uint64_t v, unsigned size, bool *carry)
{
	const unsigned top = 8 * size - 1;
	const bool high = v >> top & 1, low = v & 1;
	const bool into = op == SHIFT_RCL || op == SHIFT_RCR ? *carry
			  : op == SHIFT_ROL || op == SHIFT_SAR ? high
			  : op == SHIFT_ROR		       ? low
							       : false;
	const bool right = op & 1;

	*carry = right ? low : high;
	return right ? v >> 1 | (uint64_t)into << top : (v << 1 & size_mask(size)) | into;
}

/* OF is what a shift by one makes it; by more it is undefined. */
static bool shift_overflow(enum shift_op op, uint64_t r, unsigned size, bool carry)
{
	const unsigned top = 8 * size - 1;
	const bool other = op & 1 ? r >> (top - 1) & 1 : carry;

	return (r >> top & 1) != other;
}

static uint64_t shift_flags(enum shift_op op, uint64_t r, unsigned size, bool carry,
			    uint64_t flags)
{
	/* Rotates leave the others as they were. */
	if (op >= SHIFT_SHL)
		alu(ALU_OR, r, 0, size, &flags);
	flags &= ~(RFLAGS_CF | RFLAGS_OF);
	return flags | (carry ? RFLAGS_CF : 0) |
	       (shift_overflow(op, r, size, carry) ? RFLAGS_OF : 0);
}

enum emu_result emulate_shift(struct emulation *e)
{
	const enum shift_op op = (enum shift_op)(e->insn.reg & 7);
	const unsigned size = width(&e->insn), count = shift_count(e, size);
	uint64_t *flags = &e->cpu->regs->rflags, v;
	bool carry = *flags & RFLAGS_CF;
	struct rm rm;

	if (!rm_resolve(e, size, EMU_WRITE, &rm))
		return EMU_FAULT;
	v = rm_read(e, &rm);
	for (unsigned i = 0; i < count; i++)
		v = shift_bit(op, v, size, &carry);
	rm_write(e, &rm, v);
	if (count)
		*flags = shift_flags(op, v, size, carry, *flags);
	return EMU_OK;
}
