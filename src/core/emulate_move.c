/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves between registers, immediates, memory and the stack. */
#include "emulate_impl.h"

static enum emu_result store(struct emulation *e, unsigned size, uint64_t v)
{
	struct rm rm;

	if (!rm_resolve(e, size, EMU_WRITE, &rm))
		return EMU_FAULT;
	rm_write(e, &rm, v);
	return EMU_OK;
}

enum emu_result emulate_mov(struct emulation *e)
{
	const struct insn *in = &e->insn;
	unsigned size = width(in);
	struct rm rm;

	if (!(in->opcode & 2))
		return store(e, size, gpr_read(e, in->reg, size));
	if (!rm_resolve(e, size, EMU_READ, &rm))
		return EMU_FAULT;
	gpr_write(e, in->reg, size, rm_read(e, &rm));
	return EMU_OK;
}

enum emu_result emulate_mov_moffs(struct emulation *e)
{
	unsigned size = width(&e->insn);
	struct rm rm;

	if (e->insn.opcode & 2)
		return store(e, size, gpr_read(e, GPR_RAX, size));
	if (!rm_resolve(e, size, EMU_READ, &rm))
		return EMU_FAULT;
	gpr_write(e, GPR_RAX, size, rm_read(e, &rm));
	return EMU_OK;
}

enum emu_result emulate_mov_imm(struct emulation *e)
{
	unsigned size = width(&e->insn);

	if (e->insn.reg & 7)
		return EMU_UNSUPPORTED; /* XABORT, XBEGIN */
	return store(e, size, e->insn.imm & size_mask(size));
}

/* Memory always gets 16 bits. */
enum emu_result emulate_mov_sreg(struct emulation *e)
{
	unsigned n = e->insn.reg & 7;

	if (n > SEG_GS) {
		emu_fault_zero(e->cpu, VEC_UD, e->fault);
		return EMU_FAULT;
	}
	return store(e, e->insn.mem ? 2 : e->insn.opsize, e->cpu->sys->seg[n].selector);
}

static enum emu_result load_extended(struct emulation *e, unsigned size, bool sign)
{
	struct rm rm;
	uint64_t v;

	if (!rm_resolve(e, size, EMU_READ, &rm))
		return EMU_FAULT;
	v = rm_read(e, &rm);
	/* The destination's name does not depend on the source's size: no AH to BH there. */
	gpr_write(e, e->insn.reg, e->insn.opsize, sign ? sign_extend(v, size) : v);
	return EMU_OK;
}

enum emu_result emulate_movx(struct emulation *e)
{
	return load_extended(e, e->insn.opcode & 1 ? 2 : 1, e->insn.opcode & 8);
}

enum emu_result emulate_movsxd(struct emulation *e)
{
	if (e->code_bits != 64)
		return EMU_UNSUPPORTED; /* ARPL */
	return load_extended(e, e->insn.opsize == 2 ? 2 : 4, true);
}

enum emu_result emulate_movnti(struct emulation *e)
{
	const struct insn *in = &e->insn;

	if (!in->mem || in->data16 || in->rep) {
		emu_fault_zero(e->cpu, VEC_UD, e->fault);
		return EMU_FAULT;
	}
	return store(e, in->opsize, gpr_read(e, in->reg, in->opsize));
}

static uint64_t swap_bytes(uint64_t v, unsigned size)
{
	return __builtin_bswap64(v) >> (64 - 8 * size);
}

enum emu_result emulate_movbe(struct emulation *e)
{
	const struct insn *in = &e->insn;
	struct rm rm;

	if (!in->mem || in->rep)
		return EMU_UNSUPPORTED; /* CRC32 */
	if (in->opcode == 0xf1)
		return store(e, in->opsize,
			     swap_bytes(gpr_read(e, in->reg, in->opsize), in->opsize));
	if (!rm_resolve(e, in->opsize, EMU_READ, &rm))
		return EMU_FAULT;
	gpr_write(e, in->reg, in->opsize, swap_bytes(rm_read(e, &rm), in->opsize));
	return EMU_OK;
}

/* With memory always as if it had LOCK. */
enum emu_result emulate_xchg(struct emulation *e)
{
	const struct insn *in = &e->insn;
	unsigned size = width(in);
	uint64_t old, new = gpr_read(e, in->reg, size);
	struct rm rm;

	if (!rm_resolve(e, size, EMU_WRITE, &rm))
		return EMU_FAULT;
	old = rm_read(e, &rm);
	if (!in->mem)
		rm_write(e, &rm, new);
	else if (!mem_update(e, &rm.mem, old, new, true))
		return EMU_RETRY;
	gpr_write(e, in->reg, size, old);
	return EMU_OK;
}

/* In 64-bit code the stack moves by 8 bytes, or by 2 with a 66 prefix. */
static unsigned stack_operand(const struct emulation *e)
{
	if (e->code_bits == 64)
		return e->insn.opsize == 2 ? 2 : 8;
	return e->insn.opsize;
}

static unsigned stack_address(const struct emulation *e)
{
	if (e->code_bits == 64)
		return 8;
	return e->cpu->sys->seg[SEG_SS].attr & SEG_ATTR_DB ? 4 : 2;
}

enum emu_result emulate_push(struct emulation *e)
{
	unsigned size = stack_operand(e), at = stack_address(e);
	uint64_t sp = (e->cpu->regs->gpr[GPR_RSP] - size) & size_mask(at);
	struct mem stack;
	struct rm rm;

	if (!rm_resolve(e, size, EMU_READ, &rm) ||
	    !mem_resolve(e, SEG_SS, sp, size, EMU_WRITE, &stack))
		return EMU_FAULT;
	mem_write(e, &stack, rm_read(e, &rm));
	gpr_write(e, GPR_RSP, at, sp);
	return EMU_OK;
}

/* An address with RSP as its base is taken after the increment (Intel SDM vol. 2, POP). */
static bool pop_destination(const struct emulation *e, unsigned size, struct rm *rm)
{
	const struct insn *in = &e->insn;

	if (!in->mem || in->base != GPR_RSP)
		return rm_resolve(e, size, EMU_WRITE, rm);
	return mem_resolve(e, (enum segment)in->seg, effective_address(e, size), size, EMU_WRITE,
			   &rm->mem);
}

enum emu_result emulate_pop(struct emulation *e)
{
	unsigned size = stack_operand(e), at = stack_address(e);
	uint64_t sp = e->cpu->regs->gpr[GPR_RSP] & size_mask(at);
	struct rm rm = { .size = size };
	struct mem stack;
	uint64_t v;

	if (e->insn.reg & 7)
		return EMU_UNSUPPORTED;
	if (!mem_resolve(e, SEG_SS, sp, size, EMU_READ, &stack) || !pop_destination(e, size, &rm))
		return EMU_FAULT;
	v = mem_read(e, &stack);
	gpr_write(e, GPR_RSP, at, sp + size);
	rm_write(e, &rm, v);
	return EMU_OK;
}
