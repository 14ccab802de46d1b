/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding of one instruction: prefixes, opcode, ModRM, displacement, immediate. */
#include "insn.h"

#include "vcpu_state.h"

#define REX_W 0x08
#define REX_R 0x04
#define REX_X 0x02
#define REX_B 0x01

#define OP_ESCAPE 0x0f
#define OP_ESCAPE_38 0x38
#define OP_ESCAPE_3A 0x3a
#define OP_VEX2 0xc5 /* LDS outside 64-bit code, with a memory operand */
#define OP_VEX3 0xc4 /* LES */
#define OP_EVEX 0x62 /* BOUND */
#define OP_XOP 0x8f  /* POP r/m, when the map number is below 8 (AMD APM vol. 3, 1.2.5) */

/* The bytes, read in order.  Behind the end they read as 0, and `over` is set. */
struct cursor {
	const uint8_t *bytes;
	unsigned pos, end;
	bool over;
};

static uint8_t peek(struct cursor *c)
{
	if (c->pos < c->end)
		return c->bytes[c->pos];
	c->over = true;
	return 0;
}

static uint8_t next(struct cursor *c)
{
	uint8_t b = peek(c);

	c->pos++;
	return b;
}

struct PACKED le32 {
	int32_t v;
};

/* A little-endian field of `size` bytes, sign-extended. */
static int64_t field(struct cursor *c, unsigned size)
{
	unsigned unused = 64 - 8 * size;
	uint64_t v = 0;

	if (size == 4 && c->pos + 4 <= c->end) { /* by far the most frequent */
		c->pos += 4;
		return ((const struct le32 *)(const void *)(c->bytes + c->pos - 4))->v;
	}
	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)next(c) << (8 * i);
	return (int64_t)(v << unused) >> unused;
}

/* In 64-bit code only FS and GS count (Intel SDM vol. 2, 2.1.1). */
static void segment_prefix(struct insn *in, enum segment seg, unsigned code_bits)
{
	if (code_bits != 64 || seg == SEG_FS || seg == SEG_GS)
		in->seg = (uint8_t)seg;
}

static bool legacy_prefix(struct insn *in, uint8_t b, unsigned code_bits, bool *addr)
{
	switch (b) {
	case 0x26: segment_prefix(in, SEG_ES, code_bits); break;
	case 0x2e: segment_prefix(in, SEG_CS, code_bits); break;
	case 0x36: segment_prefix(in, SEG_SS, code_bits); break;
	case 0x3e: segment_prefix(in, SEG_DS, code_bits); break;
	case 0x64: segment_prefix(in, SEG_FS, code_bits); break;
	case 0x65: segment_prefix(in, SEG_GS, code_bits); break;
	case 0x66: in->data16 = true; break;
	case 0x67: *addr = true; break;
	case 0xf0: in->lock = true; break;
	case INSN_REPNE:
	case INSN_REP: in->rep = b; break;
	default: return false;
	}
	return true;
}

static void prefixes(struct cursor *c, struct insn *in, unsigned code_bits)
{
	bool addr = false;

	for (;;) {
		uint8_t b = peek(c);

		if (code_bits == 64 && (b & 0xf0) == 0x40) {
			in->rex = b;
		} else {
			if (!(insn_table_one[b] & INSN_F_PREFIX) ||
			    !legacy_prefix(in, b, code_bits, &addr))
				break;
			in->rex = 0; /* counts only right before the opcode */
		}
		c->pos++;
	}

	if (code_bits == 64) {
		in->opsize = in->rex & REX_W ? 8 : in->data16 ? 2 : 4;
		in->addrsize = addr ? 4 : 8;
	} else {
		in->opsize = (code_bits == 32) != in->data16 ? 4 : 2;
		in->addrsize = (code_bits == 32) != addr ? 4 : 2;
	}
}

/* With the first prefix byte consumed: does a vector prefix follow, not LES, LDS, BOUND, POP? */
static bool is_vector(struct cursor *c, uint8_t op, unsigned code_bits)
{
	switch (op) {
	case OP_VEX2:
	case OP_VEX3:
	case OP_EVEX:
		return code_bits == 64 || peek(c) >= 0xc0;
	case OP_XOP:
		return (peek(c) & 0x1f) >= 8;
	default:
		return false;
	}
}

/* Opcode maps 1-3 are 0F, 0F38 and 0F3A; 5 and 6 are EVEX only; 8-10 are XOP only. */
static unsigned vector_flags(uint8_t lead, unsigned map, uint8_t opcode)
{
	if (lead == OP_XOP)
		return map == 8	 ? INSN_F_MODRM | INSN_F_IMM8
		       : map == 9  ? INSN_F_MODRM
		       : map == 10 ? INSN_F_MODRM | INSN_F_IMMZ
				   : INSN_F_UNDEF;
	switch (map) {
	case 1:
		if (opcode == 0x77 && lead != OP_EVEX) /* VZEROUPPER, VZEROALL */
			return 0;
		return INSN_F_MODRM | (insn_table_0f[opcode] & INSN_F_IMM8);
	case 2:
		return INSN_F_MODRM;
	case 3:
		return INSN_F_MODRM | INSN_F_IMM8;
	case 5:
	case 6:
		return lead == OP_EVEX ? INSN_F_MODRM : INSN_F_UNDEF;
	default:
		return INSN_F_UNDEF;
	}
}

static unsigned vector_opcode(struct cursor *c, struct insn *in, uint8_t lead)
{
	uint8_t p = next(c);
	unsigned map = lead == OP_VEX2 ? 1 : lead == OP_EVEX ? p & 0x07 : p & 0x1f;

	/* Intel SDM vol. 2, 2.3.2 to 2.3.4: these before a vector prefix are #UD. */
	if (in->lock || in->rep || in->data16 || in->rex)
		return INSN_F_UNDEF;
	if (lead != OP_VEX2)
		next(c);
	if (lead == OP_EVEX)
		next(c);
	in->map = INSN_MAP_VECTOR;
	in->opcode = next(c);
	in->opsize = 4; /* XOP map 10 has four bytes of immediate in every mode */
	return vector_flags(lead, map, in->opcode);
}

static unsigned escaped_opcode(struct cursor *c, struct insn *in)
{
	uint8_t op = next(c);

	if (op == OP_ESCAPE_38 || op == OP_ESCAPE_3A) {
		in->map = op == OP_ESCAPE_38 ? INSN_MAP_0F38 : INSN_MAP_0F3A;
		in->opcode = next(c);
		return op == OP_ESCAPE_38 ? INSN_F_MODRM : INSN_F_MODRM | INSN_F_IMM8;
	}
	in->map = INSN_MAP_0F;
	in->opcode = op;
	/* EXTRQ and INSERTQ of SSE4a have two bytes, where VMREAD has none. */
	if (op == 0x78 && (in->data16 || in->rep == INSN_REPNE))
		return INSN_F_MODRM | INSN_F_IMM16;
	return insn_table_0f[op];
}

/* Returns the attributes of the opcode. */
static unsigned opcode(struct cursor *c, struct insn *in, unsigned code_bits)
{
	uint8_t op = next(c);
	unsigned flags;

	if (op == OP_ESCAPE)
		return escaped_opcode(c, in);
	if (is_vector(c, op, code_bits))
		return vector_opcode(c, in, op);

	in->map = INSN_MAP_ONE;
	in->opcode = op;
	flags = insn_table_one[op];
	if (code_bits == 64 && (flags & INSN_F_NOT64))
		flags |= INSN_F_UNDEF;
	return flags;
}

/* Intel SDM vol. 2, table 2-1. */
static void address16(struct cursor *c, struct insn *in, unsigned mod, unsigned rm)
{
	static const uint8_t base[8] = { GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
					 GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX };
	static const uint8_t index[4] = { GPR_RSI, GPR_RDI, GPR_RSI, GPR_RDI };

	if (mod == 0 && rm == 6) {
		in->disp = field(c, 2);
		return;
	}
	in->base = base[rm];
	if (rm < 4)
		in->index = index[rm];
	if (mod)
		in->disp = field(c, mod == 1 ? 1 : 2);
}

/* Intel SDM vol. 2, tables 2-2, 2-3 and 2.2.1.6. */
static void address32(struct cursor *c, struct insn *in, unsigned mod, unsigned rm, bool code64)
{
	unsigned base = rm;

	if (rm == 4) {
		uint8_t sib = next(c);
		unsigned index = ((sib >> 3) & 7u) | (in->rex & REX_X ? 8u : 0u);

		base = sib & 7u;
		in->scale = sib >> 6;
		if (index != 4)
			in->index = (uint8_t)index;
	}
	if (mod == 0 && base == 5) { /* no base; without SIB relative to RIP */
		in->disp = field(c, 4);
		in->rip_relative = code64 && rm == 5;
		return;
	}
	in->base = (uint8_t)(base | (in->rex & REX_B ? 8u : 0u));
	if (mod)
		in->disp = field(c, mod == 1 ? 1 : 4);
}

/* A base of (R)SP or (R)BP makes the stack segment the default (Intel SDM vol. 1, 3.7.4). */
static void default_segment(struct insn *in)
{
	if (in->seg == INSN_NO_REG)
		in->seg = in->base == GPR_RSP || in->base == GPR_RBP ? SEG_SS : SEG_DS;
}

static void modrm(struct cursor *c, struct insn *in, unsigned flags, unsigned code_bits)
{
	uint8_t b = next(c);
	unsigned mod = b >> 6, rm = b & 7u;

	in->reg = (uint8_t)(((b >> 3) & 7u) | (in->rex & REX_R ? 8u : 0u));
	if (mod == 3 || (flags & INSN_F_REGS)) {
		in->rm = (uint8_t)(rm | (in->rex & REX_B ? 8u : 0u));
		return;
	}
	in->mem = true;
	if (in->addrsize == 2)
		address16(c, in, mod, rm);
	else
		address32(c, in, mod, rm, code_bits == 64);
}

static void immediates(struct cursor *c, struct insn *in, unsigned flags, unsigned code_bits)
{
	unsigned z = in->opsize == 2 ? 2 : 4;

	if ((flags & INSN_F_GROUP3) && (in->reg & 7) > 1)
		return;
	if (flags & INSN_F_MOFFS) {
		in->disp = field(c, in->addrsize);
		in->mem = true;
	}
	if (flags & INSN_F_IMMZ)
		in->imm = (uint64_t)field(c, z);
	if (flags & INSN_F_IMMV)
		in->imm = (uint64_t)field(c, in->opsize);
	if (flags & INSN_F_REL)
		in->imm = (uint64_t)field(c, code_bits == 64 ? 4 : z);
	if (flags & INSN_F_FAR)
		in->imm = (uint64_t)field(c, z);
	if (flags & (INSN_F_IMM16 | INSN_F_FAR))
		in->imm = (uint64_t)field(c, 2);
	if (flags & INSN_F_IMM8)
		in->imm = (uint64_t)field(c, 1);
}

enum insn_status insn_decode(struct insn *in, const uint8_t *bytes, size_t n, unsigned code_bits)
{
	struct cursor c = { .bytes = bytes, .end = n < INSN_MAX ? (unsigned)n : INSN_MAX };
	unsigned flags;

	*in = (struct insn){ .base = INSN_NO_REG, .index = INSN_NO_REG, .seg = INSN_NO_REG };
	prefixes(&c, in, code_bits);
	flags = opcode(&c, in, code_bits);
	if (!(flags & INSN_F_UNDEF)) {
		if (flags & INSN_F_MODRM)
			modrm(&c, in, flags, code_bits);
		if (flags & ~(unsigned)(INSN_F_MODRM | INSN_F_REGS))
			immediates(&c, in, flags, code_bits);
	}
	default_segment(in);
	if (c.over)
		return n < INSN_MAX ? INSN_SHORT : INSN_TOOLONG;
	in->len = (uint8_t)c.pos;
	return flags & INSN_F_UNDEF ? INSN_BAD : INSN_OK;
}
