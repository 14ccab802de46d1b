/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors and the segment registers of a task that begins (Intel SDM vol. 3, 3.4, 7.3). */
#include "task_segment.h"

#define DESCRIPTOR_SIZE 8u
#define LIMIT_4K_SHIFT 12
#define VM86_LIMIT 0xFFFFu
#define VM86_ATTR 0xF3u /* data, writable, accessed, DPL 3, present */
#define VM86_CPL 3u

static bool fail(struct guest_fault *fault, uint8_t vector, uint16_t selector, uint32_t ext)
{
	*fault = (struct guest_fault){ .vector = vector, .has_error = true,
				       .error = (selector & ~SELECTOR_RPL) | ext };
	return false;
}

static void unpack(uint64_t raw, uint16_t selector, struct segment_reg *s)
{
	s->selector = selector;
	s->base = (raw >> 16 & 0xFFFFFF) | (raw >> 56 & 0xFF) << 24;
	s->limit = (uint32_t)((raw & 0xFFFF) | (raw >> 48 & 0xF) << 16);
	s->attr = (uint16_t)((raw >> 40 & 0xFF) | (raw >> 52 & 0xF) << 8);
	if (s->attr & SEG_ATTR_G)
		s->limit = s->limit << LIMIT_4K_SHIFT | (uint32_t)(BIT(LIMIT_4K_SHIFT) - 1);
}

enum descriptor_found descriptor_read(const struct emu_cpu *super,
				      const struct vcpu_sysregs *sys, uint16_t selector,
				      struct descriptor *d, struct guest_fault *fault)
{
	uint64_t base = sys->gdtr.base, raw;
	uint32_t limit = sys->gdtr.limit;
	const uint32_t offset = selector & SELECTOR_INDEX;

	if (selector & SELECTOR_LOCAL) {
		if (sys->seg[SEG_LDTR].attr & SEG_ATTR_UNUSABLE)
			return DESCRIPTOR_OUTSIDE;
		base = sys->seg[SEG_LDTR].base;
		limit = sys->seg[SEG_LDTR].limit;
	}
	if ((uint64_t)offset + DESCRIPTOR_SIZE - 1 > limit)
		return DESCRIPTOR_OUTSIDE;
	d->linear = (base + offset) & 0xFFFFFFFF;
	if (!emu_read_linear(super, d->linear, &raw, sizeof(raw), EMU_READ, fault))
		return DESCRIPTOR_FAULT;
	unpack(raw, selector, &d->reg);
	return DESCRIPTOR_OK;
}

bool descriptor_set_type(const struct emu_cpu *super, const struct descriptor *d, unsigned type,
			 struct guest_fault *fault)
{
	const uint8_t access = (uint8_t)((d->reg.attr & ~ATTR_TYPE) | type);

	return emu_write_linear(super, (d->linear + DESCRIPTOR_ACCESS) & 0xFFFFFFFF, &access,
				sizeof(access), fault);
}

static unsigned dpl(const struct segment_reg *s)
{
	return s->attr >> SEG_ATTR_DPL_SHIFT & ATTR_DPL;
}

static void make_unusable(struct segment_reg *s)
{
	s->attr = (uint16_t)SEG_ATTR_UNUSABLE;
	s->base = s->limit = 0;
}

static bool code_fits(const struct segment_reg *s)
{
	const unsigned rpl = s->selector & SELECTOR_RPL;

	if (!(s->attr & SEG_ATTR_S) || !(s->attr & TYPE_CODE))
		return false;
	return s->attr & TYPE_CONFORMING ? dpl(s) <= rpl : dpl(s) == rpl;
}

static bool stack_fits(const struct segment_reg *s, unsigned cpl)
{
	return (s->attr & SEG_ATTR_S) && !(s->attr & TYPE_CODE) && (s->attr & TYPE_RW) &&
	       dpl(s) == cpl && (s->selector & SELECTOR_RPL) == cpl;
}

static bool data_fits(const struct segment_reg *s, unsigned cpl)
{
	const unsigned rpl = s->selector & SELECTOR_RPL;

	if (!(s->attr & SEG_ATTR_S) || ((s->attr & TYPE_CODE) && !(s->attr & TYPE_RW)))
		return false;
	/* Conforming code can be read from anywhere. */
	if ((s->attr & TYPE_CODE) && (s->attr & TYPE_CONFORMING))
		return true;
	return dpl(s) >= cpl && dpl(s) >= rpl;
}

static bool fits(const struct segment_reg *s, enum segment seg, unsigned cpl)
{
	return seg == SEG_CS ? code_fits(s) : seg == SEG_SS ? stack_fits(s, cpl)
							    : data_fits(s, cpl);
}

static bool load(const struct emu_cpu *super, struct vcpu_sysregs *sys, enum segment seg,
		 uint32_t ext, struct guest_fault *fault)
{
	const uint16_t selector = sys->seg[seg].selector;
	struct descriptor d;

	if (!(selector & ~SELECTOR_RPL)) /* null: only for data */
		return seg != SEG_CS && seg != SEG_SS ? true : fail(fault, VEC_TS, selector, ext);
	switch (descriptor_read(super, sys, selector, &d, fault)) {
	case DESCRIPTOR_OK: break;
	case DESCRIPTOR_FAULT: return false;
	default: return fail(fault, VEC_TS, selector, ext);
	}
	if (!fits(&d.reg, seg, sys->cpl))
		return fail(fault, VEC_TS, selector, ext);
	if (!(d.reg.attr & SEG_ATTR_P))
		return fail(fault, seg == SEG_SS ? VEC_SS : VEC_NP, selector, ext);
	if (!(d.reg.attr & TYPE_ACCESSED)) {
		d.reg.attr |= TYPE_ACCESSED;
		if (!descriptor_set_type(super, &d, d.reg.attr & ATTR_TYPE, fault))
			return false;
	}
	sys->seg[seg] = d.reg;
	return true;
}

static bool load_ldtr(const struct emu_cpu *super, struct vcpu_sysregs *sys, uint32_t ext,
		      struct guest_fault *fault)
{
	const uint16_t selector = sys->seg[SEG_LDTR].selector;
	struct descriptor d;

	if (!(selector & ~SELECTOR_RPL))
		return true;
	if (selector & SELECTOR_LOCAL)
		return fail(fault, VEC_TS, selector, ext);
	switch (descriptor_read(super, sys, selector, &d, fault)) {
	case DESCRIPTOR_OK: break;
	case DESCRIPTOR_FAULT: return false;
	default: return fail(fault, VEC_TS, selector, ext);
	}
	if ((d.reg.attr & (SEG_ATTR_S | ATTR_TYPE)) != TYPE_LDT || !(d.reg.attr & SEG_ATTR_P))
		return fail(fault, VEC_TS, selector, ext);
	sys->seg[SEG_LDTR] = d.reg;
	return true;
}

static void set_vm86(struct vcpu_sysregs *sys)
{
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		struct segment_reg *s = &sys->seg[i];

		s->base = (uint64_t)s->selector << 4;
		s->limit = VM86_LIMIT;
		s->attr = VM86_ATTR;
	}
	sys->cpl = VM86_CPL;
}

/*
 * A fault before CS is loaded is taken with the new selector and what CS was:
 * there is no such thing as an unusable CS.  The CPL is SS's DPL all along.
 */
static void begin_at_cpl(struct vcpu_sysregs *sys, const struct segment_reg *old_cs, unsigned cpl)
{
	struct segment_reg *cs = &sys->seg[SEG_CS];
	const uint16_t level = (uint16_t)(cpl << SEG_ATTR_DPL_SHIFT);

	cs->base = old_cs->base;
	cs->limit = old_cs->limit;
	cs->attr = (uint16_t)((old_cs->attr & ~(ATTR_TYPE | ATTR_DPL << SEG_ATTR_DPL_SHIFT)) |
			      TYPE_CODE | TYPE_RW | TYPE_ACCESSED | level);
	sys->seg[SEG_SS].attr = (uint16_t)(level | SEG_ATTR_UNUSABLE);
	sys->cpl = (uint8_t)cpl;
}

bool task_load_segments(const struct emu_cpu *super, struct vcpu_sysregs *sys, uint64_t rflags,
			uint32_t ext, struct guest_fault *fault)
{
	static const enum segment order[] = { SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS };
	const struct segment_reg old_cs = sys->seg[SEG_CS];

	for (unsigned i = SEG_ES; i <= SEG_LDTR; i++)
		make_unusable(&sys->seg[i]);
	begin_at_cpl(sys, &old_cs, old_cs.selector & SELECTOR_RPL);
	if (!load_ldtr(super, sys, ext, fault))
		return false;
	if (rflags & RFLAGS_VM) {
		set_vm86(sys);
		return true;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		if (!load(super, sys, order[i], ext, fault))
			return false;
	return true;
}
