/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that go by the flags, SETcc and CMOVcc; IMUL; CMPXCHG8B. */
#include "emulate_impl.h"

/* Intel SDM vol. 1, appendix B. */
static bool condition(unsigned code, uint64_t flags)
{
	const bool less = !(flags & RFLAGS_SF) != !(flags & RFLAGS_OF);
	bool holds;

	switch (code >> 1 & 7) {
	case 0: holds = flags & RFLAGS_OF; break;
	case 1: holds = flags & RFLAGS_CF; break;
	case 2: holds = flags & RFLAGS_ZF; break;
	case 3: holds = flags & (RFLAGS_CF | RFLAGS_ZF); break;
	case 4: holds = flags & RFLAGS_SF; break;
	case 5: holds = flags & RFLAGS_PF; break;
	case 6: holds = less; break;
	default: holds = less || (flags & RFLAGS_ZF); break;
	}
	return holds != (code & 1);
}

enum emu_result emulate_setcc(struct emulation *e)
{
	struct rm rm;

	if (!rm_resolve(e, 1, EMU_WRITE, &rm))
		return EMU_FAULT;
	rm_write(e, &rm, condition(e->insn.opcode, e->cpu->regs->rflags));
	return EMU_OK;
}

/* The operand is read, and the upper half of a 32-bit register cleared, in either case. */
enum emu_result emulate_cmovcc(struct emulation *e)
{
	const struct insn *in = &e->insn;
	const unsigned size = in->opsize;
	struct rm rm;
	uint64_t v;

	if (!rm_resolve(e, size, EMU_READ, &rm))
		return EMU_FAULT;
	v = rm_read(e, &rm);
	if (!condition(in->opcode, e->cpu->regs->rflags))
		v = gpr_read(e, in->reg, size);
	gpr_write(e, in->reg, size, v);
	return EMU_OK;
}

/* With two or three operands.  CF and OF say that the product did not fit; the rest is undefined. */
enum emu_result emulate_imul(struct emulation *e)
{
	const struct insn *in = &e->insn;
	const unsigned size = in->opsize;
	uint64_t *flags = &e->cpu->regs->rflags, a, b, low;
	__int128 product;
	struct rm rm;

	if (!rm_resolve(e, size, EMU_READ, &rm))
		return EMU_FAULT;
	a = sign_extend(rm_read(e, &rm), size);
	b = in->map == INSN_MAP_0F ? sign_extend(gpr_read(e, in->reg, size), size) : in->imm;
	product = (__int128)(int64_t)a * (int64_t)b;
	low = sign_extend((uint64_t)product, size);
	*flags &= ~(RFLAGS_CF | RFLAGS_OF);
	if ((__int128)(int64_t)low != product)
		*flags |= RFLAGS_CF | RFLAGS_OF;
	gpr_write(e, in->reg, size, low);
	return EMU_OK;
}

/* CMPXCHG16B is for RAM: no device has 16-byte registers that a CPU locks. */
enum emu_result emulate_cmpxchg8b(struct emulation *e)
{
	uint64_t *flags = &e->cpu->regs->rflags, old, expected;
	struct rm rm;
	bool equal;

	if (!e->insn.mem || (e->insn.reg & 7) != 1 || e->insn.opsize == 8)
		return EMU_UNSUPPORTED;
	if (!rm_resolve(e, 8, EMU_WRITE, &rm))
		return EMU_FAULT;
	old = rm_read(e, &rm);
	expected = gpr_read(e, GPR_RDX, 4) << 32 | gpr_read(e, GPR_RAX, 4);
	equal = old == expected;
	if (!rm_update(e, &rm, old,
		       equal ? gpr_read(e, GPR_RCX, 4) << 32 | gpr_read(e, GPR_RBX, 4) : old))
		return EMU_RETRY;
	if (!equal) {
		gpr_write(e, GPR_RAX, 4, old);
		gpr_write(e, GPR_RDX, 4, old >> 32);
	}
	*flags = (*flags & ~RFLAGS_ZF) | (equal ? RFLAGS_ZF : 0);
	return EMU_OK;
}
