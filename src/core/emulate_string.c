/* SPDX-License-Identifier: BSD-2-Clause */
/* String instructions, with REP: MOVS, CMPS, STOS, LODS, SCAS, and INS and OUTS. */
#include "emulate_impl.h"

void string_advance(struct emulation *e, enum gpr index, unsigned size)
{
	unsigned at = e->insn.addrsize;
	uint64_t step = e->cpu->regs->rflags & RFLAGS_DF ? 0 - (uint64_t)size : size;

	gpr_write(e, index, at, gpr_read(e, index, at) + step);
}

static bool source(struct emulation *e, unsigned size, struct mem *m)
{
	return mem_resolve(e, (enum segment)e->insn.seg, gpr_read(e, GPR_RSI, e->insn.addrsize),
			   size, EMU_READ, m);
}

/* ES takes no override. */
static bool destination(struct emulation *e, unsigned size, enum emu_access access,
			struct mem *m)
{
	return mem_resolve(e, SEG_ES, gpr_read(e, GPR_RDI, e->insn.addrsize), size, access, m);
}

static bool movs(struct emulation *e, unsigned size)
{
	struct mem from, to;

	if (!source(e, size, &from) || !destination(e, size, EMU_WRITE, &to))
		return false;
	mem_write(e, &to, mem_read(e, &from));
	string_advance(e, GPR_RSI, size);
	string_advance(e, GPR_RDI, size);
	return true;
}

static bool cmps(struct emulation *e, unsigned size)
{
	struct mem a, b;
	uint64_t left;

	if (!source(e, size, &a) || !destination(e, size, EMU_READ, &b))
		return false;
	left = mem_read(e, &a);
	alu(ALU_CMP, left, mem_read(e, &b), size, &e->cpu->regs->rflags);
	string_advance(e, GPR_RSI, size);
	string_advance(e, GPR_RDI, size);
	return true;
}

static bool stos(struct emulation *e, unsigned size)
{
	struct mem to;

	if (!destination(e, size, EMU_WRITE, &to))
		return false;
	mem_write(e, &to, gpr_read(e, GPR_RAX, size));
	string_advance(e, GPR_RDI, size);
	return true;
}

static bool lods(struct emulation *e, unsigned size)
{
	struct mem from;

	if (!source(e, size, &from))
		return false;
	gpr_write(e, GPR_RAX, size, mem_read(e, &from));
	string_advance(e, GPR_RSI, size);
	return true;
}

static bool scas(struct emulation *e, unsigned size)
{
	struct mem at;

	if (!destination(e, size, EMU_READ, &at))
		return false;
	alu(ALU_CMP, gpr_read(e, GPR_RAX, size), mem_read(e, &at), size, &e->cpu->regs->rflags);
	string_advance(e, GPR_RDI, size);
	return true;
}

static bool ins(struct emulation *e, unsigned size)
{
	uint16_t port = (uint16_t)gpr_read(e, GPR_RDX, 2);
	struct mem to;

	if (!destination(e, size, EMU_WRITE, &to))
		return false;
	mem_write(e, &to, e->port->in(e->cpu->ctx, port, size));
	string_advance(e, GPR_RDI, size);
	return true;
}

static bool outs(struct emulation *e, unsigned size)
{
	uint16_t port = (uint16_t)gpr_read(e, GPR_RDX, 2);
	struct mem from;

	if (!source(e, size, &from))
		return false;
	e->port->out(e->cpu->ctx, port, size, (uint32_t)mem_read(e, &from));
	string_advance(e, GPR_RSI, size);
	return true;
}

/* Only CMPS and SCAS look at ZF; for the others REPNE is REP. */
static bool ends_by_zf(const struct emulation *e)
{
	unsigned op = e->insn.opcode & ~1u;
	bool zf = e->cpu->regs->rflags & RFLAGS_ZF;

	return (op == 0xa6 || op == 0xae) && zf != (e->insn.rep == INSN_REP);
}

enum emu_result emulate_rep(struct emulation *e, string_element_fn element, unsigned size,
			    unsigned budget)
{
	struct vcpu_regs *regs = e->cpu->regs;
	unsigned at = e->insn.addrsize;
	uint64_t flags = regs->rflags;

	if (!e->insn.rep)
		return element(e, size) ? EMU_OK : EMU_FAULT;
	if (budget == 0 || (flags & RFLAGS_TF))
		budget = 1;
	for (;;) {
		uint64_t count = gpr_read(e, GPR_RCX, at);

		if (!count)
			return EMU_OK;
		if (!budget--)
			return EMU_AGAIN;
		if (!element(e, size)) {
			/* Of a comparison that faults no flags are left (Intel SDM vol. 2, REP). */
			regs->rflags = flags;
			return EMU_FAULT;
		}
		gpr_write(e, GPR_RCX, at, count - 1);
		if (ends_by_zf(e))
			return EMU_OK;
	}
}

enum emu_result emulate_string(struct emulation *e)
{
	static const string_element_fn element[8] = {
		[0xa4 >> 1 & 7] = movs, [0xa6 >> 1 & 7] = cmps, [0xaa >> 1 & 7] = stos,
		[0xac >> 1 & 7] = lods, [0xae >> 1 & 7] = scas,
	};

	return emulate_rep(e, element[e->insn.opcode >> 1 & 7], width(&e->insn), EMU_REP_BUDGET);
}

enum emu_result emu_string_io(const struct emu_cpu *cpu, const struct emu_port_ops *port,
			      unsigned budget, struct guest_fault *fault)
{
	struct emulation e;
	enum emu_result result = emu_begin(&e, cpu, fault);
	unsigned size;

	if (result != EMU_OK)
		return result;
	if (e.insn.map != INSN_MAP_ONE || e.insn.opcode < 0x6c || e.insn.opcode > 0x6f)
		return EMU_UNSUPPORTED;
	e.port = port;
	size = (unsigned)min_u64(width(&e.insn), 4); /* there is no 64-bit port access */
	result = emulate_rep(&e, e.insn.opcode & 2 ? outs : ins, size, budget);
	if (result == EMU_OK)
		emu_finish(&e);
	return result;
}
