/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment-relative to linear addresses (Intel SDM vol. 3, chapter 5). */
#include "emulate_impl.h"

/* Bits of a code or data segment's type (Intel SDM vol. 3, table 3-1). */
#define TYPE_CODE BIT(3)
#define TYPE_EXPAND_DOWN BIT(2) /* data */
#define TYPE_WRITABLE BIT(1)	/* data */
#define TYPE_READABLE BIT(1)	/* code */

unsigned emu_code_bits(const struct emu_cpu *cpu)
{
	uint16_t attr = cpu->sys->seg[SEG_CS].attr;

	if ((cpu->sys->efer & EFER_LMA) && (attr & SEG_ATTR_L))
		return 64;
	if (cpu->regs->rflags & RFLAGS_VM)
		return 16;
	return attr & SEG_ATTR_DB ? 32 : 16;
}

void emu_fault_zero(const struct emu_cpu *cpu, uint8_t vector, struct guest_fault *fault)
{
	/* #UD never has an error code, and in real mode no exception has. */
	bool has_error = vector != VEC_UD && (cpu->sys->cr0 & CR0_PE);

	*fault = (struct guest_fault){ .vector = vector, .has_error = has_error };
}

static bool segment_fault(const struct emu_cpu *cpu, enum segment seg, struct guest_fault *fault)
{
	emu_fault_zero(cpu, seg == SEG_SS ? VEC_SS : VEC_GP, fault);
	return false;
}

static bool type_allows(const struct segment_reg *s, enum emu_access access)
{
	bool code = s->attr & TYPE_CODE;

	if ((s->attr & SEG_ATTR_UNUSABLE) || !(s->attr & SEG_ATTR_P))
		return false;
	if (access == EMU_WRITE)
		return !code && (s->attr & TYPE_WRITABLE);
	return access == EMU_FETCH || !code || (s->attr & TYPE_READABLE);
}

static bool within_limit(const struct segment_reg *s, uint64_t offset, unsigned size)
{
	uint64_t last = offset + size - 1;

	/* Expand-down: what is valid lies above the limit (Intel SDM vol. 3, 5.3). */
	if ((s->attr & (TYPE_CODE | TYPE_EXPAND_DOWN)) == TYPE_EXPAND_DOWN)
		return offset > s->limit && last <= (s->attr & SEG_ATTR_DB ? 0xffffffff : 0xffff);
	return last <= s->limit;
}

static bool linear64(const struct emu_cpu *cpu, enum segment seg, uint64_t offset, unsigned size,
		     uint64_t *linear, struct guest_fault *fault)
{
	uint64_t at = offset;

	if (seg == SEG_FS || seg == SEG_GS)
		at += cpu->sys->seg[seg].base;
	if (!emu_canonical(cpu, at) || !emu_canonical(cpu, at + size - 1))
		return segment_fault(cpu, seg, fault);
	*linear = at;
	return true;
}

bool emu_linear(const struct emu_cpu *cpu, enum segment seg, uint64_t offset, unsigned size,
		enum emu_access access, uint64_t *linear, struct guest_fault *fault)
{
	const struct segment_reg *s = &cpu->sys->seg[seg];
	bool typed = (cpu->sys->cr0 & CR0_PE) && !(cpu->regs->rflags & RFLAGS_VM);

	if (emu_code_bits(cpu) == 64)
		return linear64(cpu, seg, offset, size, linear, fault);
	offset &= 0xffffffff;
	if ((typed && !type_allows(s, access)) || !within_limit(s, offset, size))
		return segment_fault(cpu, seg, fault);
	*linear = (s->base + offset) & 0xffffffff;
	return true;
}
