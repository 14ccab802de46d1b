/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic and logic on r/m operands, with the flags. */
#include "emulate_impl.h"

#define FLAGS_ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* Parity flag of a byte: one bit for each value of four bits that has even parity. */
#define EVEN_PARITY 0x9669u

static uint64_t result_flags(uint64_t r, unsigned size)
{
	uint64_t flags = 0;

	if (!r)
		flags |= RFLAGS_ZF;
	if (r >> (8 * size - 1))
		flags |= RFLAGS_SF;
	if (EVEN_PARITY >> ((r ^ (r >> 4)) & 15) & 1)
		flags |= RFLAGS_PF;
	return flags;
}

static uint64_t add(uint64_t a, uint64_t b, uint64_t carry, unsigned size, uint64_t *flags)
{
	uint64_t r = (a + b + carry) & size_mask(size);
	uint64_t sign = BIT(8 * size - 1);

	*flags = result_flags(r, size) | ((a ^ b ^ r) & RFLAGS_AF);
	if (r < a || (carry && r == a))
		*flags |= RFLAGS_CF;
	if ((a ^ r) & (b ^ r) & sign)
		*flags |= RFLAGS_OF;
	return r;
}

static uint64_t sub(uint64_t a, uint64_t b, uint64_t borrow, unsigned size, uint64_t *flags)
{
	uint64_t r = (a - b - borrow) & size_mask(size);
	uint64_t sign = BIT(8 * size - 1);

	*flags = result_flags(r, size) | ((a ^ b ^ r) & RFLAGS_AF);
	if (a < b || (borrow && a == b))
		*flags |= RFLAGS_CF;
	if ((a ^ b) & (a ^ r) & sign)
		*flags |= RFLAGS_OF;
	return r;
}

/* Logic clears CF and OF; AF, undefined, is cleared as CPUs do. */
static uint64_t logic(uint64_t r, unsigned size, uint64_t *flags)
{
	*flags = result_flags(r, size);
	return r;
}

uint64_t alu(enum alu_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags)
{
	uint64_t carry = *flags & RFLAGS_CF, other = *flags & ~FLAGS_ARITH;
	uint64_t set = 0, r;

	a &= size_mask(size);
	b &= size_mask(size);
	switch (op) {
	case ALU_ADD: r = add(a, b, 0, size, &set); break;
	case ALU_OR: r = logic(a | b, size, &set); break;
	case ALU_ADC: r = add(a, b, carry, size, &set); break;
	case ALU_SBB: r = sub(a, b, carry, size, &set); break;
	case ALU_AND: r = logic(a & b, size, &set); break;
	case ALU_XOR: r = logic(a ^ b, size, &set); break;
	default: r = sub(a, b, 0, size, &set); break; /* SUB, CMP */
	}
	*flags = other | set;
	return r;
}

/* r/m = r/m OP b, or for CMP only the flags. */
static enum emu_result arith_to_rm(struct emulation *e, enum alu_op op, unsigned size, uint64_t b)
{
	uint64_t flags = e->cpu->regs->rflags, a, r;
	struct rm rm;

	if (!rm_resolve(e, size, op == ALU_CMP ? EMU_READ : EMU_WRITE, &rm))
		return EMU_FAULT;
	a = rm_read(e, &rm);
	r = alu(op, a, b, size, &flags);
	if (op != ALU_CMP && !rm_update(e, &rm, a, r))
		return EMU_RETRY;
	e->cpu->regs->rflags = flags;
	return EMU_OK;
}

/* reg = reg OP b, or for CMP only the flags. */
static void arith_to_reg(struct emulation *e, enum alu_op op, unsigned reg, unsigned size,
			 uint64_t b)
{
	uint64_t r = alu(op, gpr_read(e, reg, size), b, size, &e->cpu->regs->rflags);

	if (op != ALU_CMP)
		gpr_write(e, reg, size, r);
}

enum emu_result emulate_arith(struct emulation *e)
{
	const struct insn *in = &e->insn;
	enum alu_op op = (enum alu_op)(in->opcode >> 3);
	unsigned form = in->opcode & 7, size = width(in);
	struct rm rm;

	if (form < 2) /* r/m, reg */
		return arith_to_rm(e, op, size, gpr_read(e, in->reg, size));
	if (form >= 4) { /* accumulator, immediate */
		arith_to_reg(e, op, GPR_RAX, size, in->imm);
		return EMU_OK;
	}
	if (!rm_resolve(e, size, EMU_READ, &rm))
		return EMU_FAULT;
	arith_to_reg(e, op, in->reg, size, rm_read(e, &rm));
	return EMU_OK;
}

enum emu_result emulate_group1(struct emulation *e)
{
	return arith_to_rm(e, (enum alu_op)(e->insn.reg & 7), width(&e->insn), e->insn.imm);
}

static enum emu_result test_rm(struct emulation *e, unsigned size, uint64_t b)
{
	struct rm rm;

	if (!rm_resolve(e, size, EMU_READ, &rm))
		return EMU_FAULT;
	alu(ALU_AND, rm_read(e, &rm), b, size, &e->cpu->regs->rflags);
	return EMU_OK;
}

enum emu_result emulate_test(struct emulation *e)
{
	const struct insn *in = &e->insn;
	unsigned size = width(in);

	if (in->opcode < 0xa8)
		return test_rm(e, size, gpr_read(e, in->reg, size));
	alu(ALU_AND, gpr_read(e, GPR_RAX, size), in->imm, size, &e->cpu->regs->rflags);
	return EMU_OK;
}

enum unary { UNARY_INC, UNARY_DEC, UNARY_NOT, UNARY_NEG };

static enum emu_result unary_rm(struct emulation *e, enum unary op)
{
	uint64_t before = e->cpu->regs->rflags, flags = before, a, r;
	unsigned size = width(&e->insn);
	struct rm rm;

	if (!rm_resolve(e, size, EMU_WRITE, &rm))
		return EMU_FAULT;
	a = rm_read(e, &rm);
	switch (op) {
	case UNARY_NOT: r = ~a & size_mask(size); break;
	case UNARY_NEG: r = alu(ALU_SUB, 0, a, size, &flags); break;
	default: /* these two leave CF as it was */
		r = alu(op == UNARY_INC ? ALU_ADD : ALU_SUB, a, 1, size, &flags);
		flags = (flags & ~RFLAGS_CF) | (before & RFLAGS_CF);
	}
	if (!rm_update(e, &rm, a, r))
		return EMU_RETRY;
	e->cpu->regs->rflags = flags;
	return EMU_OK;
}

enum emu_result emulate_group3(struct emulation *e)
{
	switch (e->insn.reg & 7) {
	case 0:
	case 1: return test_rm(e, width(&e->insn), e->insn.imm);
	case 2: return unary_rm(e, UNARY_NOT);
	case 3: return unary_rm(e, UNARY_NEG);
	default: return EMU_UNSUPPORTED; /* MUL, DIV */
	}
}

enum emu_result emulate_group45(struct emulation *e)
{
	switch (e->insn.reg & 7) {
	case 0: return unary_rm(e, UNARY_INC);
	case 1: return unary_rm(e, UNARY_DEC);
	case 6: return e->insn.opcode == 0xff ? emulate_push(e) : EMU_UNSUPPORTED;
	default: return EMU_UNSUPPORTED; /* CALL, JMP */
	}
}

/* The destination is written in either case (Intel SDM vol. 2, CMPXCHG). */
enum emu_result emulate_cmpxchg(struct emulation *e)
{
	const struct insn *in = &e->insn;
	uint64_t flags = e->cpu->regs->rflags, old, expected;
	unsigned size = width(in);
	struct rm rm;

	if (!rm_resolve(e, size, EMU_WRITE, &rm))
		return EMU_FAULT;
	old = rm_read(e, &rm);
	expected = gpr_read(e, GPR_RAX, size);
	alu(ALU_CMP, expected, old, size, &flags);
	if (!rm_update(e, &rm, old, old == expected ? gpr_read(e, in->reg, size) : old))
		return EMU_RETRY;
	if (old != expected)
		gpr_write(e, GPR_RAX, size, old);
	e->cpu->regs->rflags = flags;
	return EMU_OK;
}

enum emu_result emulate_xadd(struct emulation *e)
{
	const struct insn *in = &e->insn;
	uint64_t flags = e->cpu->regs->rflags, old, sum, source;
	unsigned size = width(in);
	struct rm rm;

	if (!rm_resolve(e, size, EMU_WRITE, &rm))
		return EMU_FAULT;
	old = rm_read(e, &rm);
	source = gpr_read(e, in->reg, size);
	sum = alu(ALU_ADD, old, source, size, &flags);
	if (!in->mem) /* both may be one register: the sum is what stays */
		gpr_write(e, in->reg, size, old);
	if (!rm_update(e, &rm, old, sum))
		return EMU_RETRY;
	if (in->mem)
		gpr_write(e, in->reg, size, old);
	e->cpu->regs->rflags = flags;
	return EMU_OK;
}
