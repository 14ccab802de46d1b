/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetching the instruction at CS:RIP, and moving past it. */
#include "emulate_impl.h"
#include "kstring.h"

/* Where the instruction's bytes are, and how many of them the CPU may fetch. */
struct window {
	uint64_t linear;
	unsigned bytes;
};

static bool code_window64(const struct emu_cpu *cpu, struct window *w, struct guest_fault *fault)
{
	uint64_t rip = cpu->regs->rip;

	if (!emu_canonical(cpu, rip)) {
		emu_fault_zero(cpu, VEC_GP, fault);
		return false;
	}
	w->linear = rip;
	w->bytes = INSN_MAX;
	if (!emu_canonical(cpu, rip + INSN_MAX - 1)) { /* the lower half ends inside */
		w->bytes = 1;
		while (emu_canonical(cpu, rip + w->bytes))
			w->bytes++;
	}
	return true;
}

static bool code_window(const struct emu_cpu *cpu, unsigned code_bits, struct window *w,
			struct guest_fault *fault)
{
	const struct segment_reg *cs = &cpu->sys->seg[SEG_CS];
	uint64_t rip = cpu->regs->rip;

	if (code_bits == 64)
		return code_window64(cpu, w, fault);
	if (rip > cs->limit) {
		emu_fault_zero(cpu, VEC_GP, fault);
		return false;
	}
	w->linear = (cs->base + rip) & 0xffffffff;
	w->bytes = (unsigned)min_u64(INSN_MAX, cs->limit - rip + 1);
	return true;
}

struct PACKED any64 {
	uint64_t v;
};

/* On every exit's path: the usual case, all in one page, is two overlapping moves. */
static void copy_code(uint8_t *to, const uint8_t *from, unsigned n)
{
	if (n == INSN_MAX) {
		*(struct any64 *)(void *)to = *(const struct any64 *)(const void *)from;
		*(struct any64 *)(void *)(to + 7) = *(const struct any64 *)(const void *)(from + 7);
	} else {
		memcpy(to, from, n);
	}
}

/* Bytes of an instruction that are not RAM read as ones. */
static bool fetch_piece(const struct emu_cpu *cpu, uint64_t linear, uint8_t *to, unsigned n,
			struct guest_fault *fault)
{
	const uint8_t *host;
	uint64_t gpa;

	if (!emu_translate(cpu, linear, EMU_FETCH, &gpa, fault))
		return false;
	host = cpu->ops->ram(cpu->ctx, gpa, n);
	if (host)
		copy_code(to, host, n);
	else
		memset(to, 0xff, n);
	return true;
}

/* The instruction does not end inside what was fetched: its second page. */
static enum insn_status fetch_rest(const struct emu_cpu *cpu, unsigned code_bits,
				   const struct window *w, uint8_t *code, unsigned have,
				   struct insn *insn, struct guest_fault *fault)
{
	uint64_t at = w->linear + have;

	if (code_bits != 64)
		at &= 0xffffffff;
	if (!fetch_piece(cpu, at, code + have, w->bytes - have, fault))
		return INSN_SHORT;
	return insn_decode(insn, code, w->bytes, code_bits);
}

enum insn_status emu_fetch(const struct emu_cpu *cpu, unsigned code_bits, struct insn *insn,
			   struct guest_fault *fault)
{
	uint8_t code[INSN_MAX];
	struct window w;
	enum insn_status status;
	unsigned n;

	if (!code_window(cpu, code_bits, &w, fault))
		return INSN_SHORT;
	n = (unsigned)min_u64(w.bytes, PAGE_SIZE - (w.linear & (PAGE_SIZE - 1)));
	if (!fetch_piece(cpu, w.linear, code, n, fault))
		return INSN_SHORT;
	status = insn_decode(insn, code, n, code_bits);
	if (status == INSN_SHORT) {
		/* What stays when the whole window is too short, or a page fault's details. */
		emu_fault_zero(cpu, VEC_GP, fault);
		if (n < w.bytes)
			status = fetch_rest(cpu, code_bits, &w, code, n, insn, fault);
	}
	if (status == INSN_TOOLONG)
		emu_fault_zero(cpu, VEC_GP, fault);
	return status;
}

/*
 * The instructions that take LOCK, with a destination in memory (Intel SDM
 * vol. 2, LOCK).
 */
static bool lock_allowed(const struct insn *in)
{
	unsigned extension = in->reg & 7;

	if (!in->mem)
		return false;
	if (in->map == INSN_MAP_ONE) {
		if (in->opcode < 0x38) /* ADD to XOR, r/m as the destination */
			return (in->opcode & 7) < 2;
		switch (in->opcode) {
		case 0x80: case 0x81: case 0x82: case 0x83: return extension != ALU_CMP;
		case 0x86: case 0x87: return true; /* XCHG */
		case 0xf6: case 0xf7: return extension == 2 || extension == 3; /* NOT, NEG */
		case 0xfe: case 0xff: return extension < 2; /* INC, DEC */
		default: return false;
		}
	}
	if (in->map != INSN_MAP_0F)
		return false;
	switch (in->opcode) {
	case 0xab: case 0xb3: case 0xbb: return true; /* BTS, BTR, BTC */
	case 0xba: return extension >= 5;
	case 0xb0: case 0xb1: return true; /* CMPXCHG */
	case 0xc0: case 0xc1: return true; /* XADD */
	case 0xc7: return extension == 1;  /* CMPXCHG8B, CMPXCHG16B */
	default: return false;
	}
}

enum emu_result emu_begin(struct emulation *e, const struct emu_cpu *cpu,
			  struct guest_fault *fault)
{
	enum insn_status status;

	e->cpu = cpu;
	e->fault = fault;
	e->port = NULL;
	e->code_bits = emu_code_bits(cpu);
	status = emu_fetch(cpu, e->code_bits, &e->insn, fault);
	if (status == INSN_BAD)
		return EMU_UNSUPPORTED;
	if (status != INSN_OK)
		return EMU_FAULT;
	if (e->insn.lock && !lock_allowed(&e->insn)) {
		emu_fault_zero(cpu, VEC_UD, fault);
		return EMU_FAULT;
	}
	e->next_rip = (cpu->regs->rip + e->insn.len) & size_mask(e->code_bits / 8);
	return EMU_OK;
}

void emu_finish(struct emulation *e)
{
	struct vcpu_regs *regs = e->cpu->regs;

	regs->rip = e->next_rip;
	regs->rflags &= ~RFLAGS_RF;
}

unsigned emu_insn_length(const struct emu_cpu *cpu, struct guest_fault *fault)
{
	struct insn insn;
	enum insn_status status = emu_fetch(cpu, emu_code_bits(cpu), &insn, fault);

	if (status == INSN_BAD)
		emu_fault_zero(cpu, VEC_UD, fault);
	return status == INSN_OK ? insn.len : 0;
}
