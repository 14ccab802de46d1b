/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware task switches (Intel SDM vol. 3, 7.3): the steps in the manual's order. */
#include "task_switch.h"

#include "kstring.h"
#include "task_segment.h"

struct tss32 {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2;
	uint32_t cr3, eip, eflags;
	uint32_t gpr[8];
	uint32_t seg[6]; /* in the order of enum segment */
	uint32_t ldtr;
	uint16_t trap, io_map;
} PACKED;

struct tss16 {
	uint16_t link, sp0, ss0, sp1, ss1, sp2, ss2;
	uint16_t ip, flags;
	uint16_t gpr[8];
	uint16_t seg[4];
	uint16_t ldtr;
} PACKED;

_Static_assert(sizeof(struct tss32) == 104, "SDM vol. 3, figure 7-2");
_Static_assert(offsetof(struct tss32, cr3) == 28 && offsetof(struct tss32, seg) == 72, "7-2");
_Static_assert(sizeof(struct tss16) == 44, "SDM vol. 3, figure 7-10");
_Static_assert(offsetof(struct tss16, ip) == 14 && offsetof(struct tss16, seg) == 34, "7-10");

/* What a switch saves: from EIP, or IP, up to before LDTR's selector. */
#define SAVED32_FIRST offsetof(struct tss32, eip)
#define SAVED32_END offsetof(struct tss32, ldtr)
#define SAVED16_FIRST offsetof(struct tss16, ip)
#define SAVED16_END offsetof(struct tss16, ldtr)

#define SEGS16 4u
#define TSS_TRAP 1u
#define RFLAGS_NT BIT(14)
/* The bits that EFLAGS has. */
#define EFLAGS_DEFINED 0x3F7FD5ULL
#define DR7_LOCAL 0x155ULL /* L0 to L3 and LE, which are one task's (17.2.4) */

/* One switch under way. */
struct switching {
	const struct emu_cpu *cpu;
	struct vcpu_sysregs *sys;
	const struct task_exit *how;
	struct guest_fault *fault;
	uint64_t return_rip;
	uint32_t ext; /* EXT of error codes: not the program's doing (6.13) */
	/* The CPU's own accesses: as if at CPL 0, and SMAP not lifted by AC (4.6.1). */
	struct vcpu_sysregs super_sys;
	struct vcpu_regs super_regs;
	struct emu_cpu super;
	struct descriptor target, left; /* `left` only for has_left: its busy bit goes */
	bool has_left;
	bool wide; /* a 32-bit TSS */
	bool old_wide;
	union {
		struct tss32 t32;
		struct tss16 t16;
	} old, new;
};

static bool fail(struct switching *t, uint8_t vector)
{
	*t->fault = (struct guest_fault){
		.vector = vector, .has_error = true,
		.error = (t->how->selector & ~SELECTOR_RPL) | t->ext,
	};
	return false;
}

/* The CPU has checked this before the exit; another CPU may have changed the tables since. */
static bool find_target(struct switching *t)
{
	const bool back = t->how->source == TASK_IRET;
	const uint8_t wrong = back ? VEC_TS : VEC_GP;
	const uint16_t selector = t->how->selector;
	unsigned attr, type;

	if ((selector & SELECTOR_LOCAL) || !(selector & SELECTOR_INDEX))
		return fail(t, wrong);
	switch (descriptor_read(&t->super, t->sys, selector, &t->target, t->fault)) {
	case DESCRIPTOR_OK: break;
	case DESCRIPTOR_FAULT: return false;
	default: return fail(t, wrong);
	}
	attr = t->target.reg.attr;
	type = attr & ATTR_TYPE & ~TYPE_TSS_BUSY;
	if ((attr & SEG_ATTR_S) || (type != TYPE_TSS16 && type != TYPE_TSS32) ||
	    back != ((attr & TYPE_TSS_BUSY) != 0))
		return fail(t, wrong);
	if (!(attr & SEG_ATTR_P))
		return fail(t, VEC_NP);
	t->wide = type == TYPE_TSS32;
	if (t->target.reg.limit < (t->wide ? sizeof(struct tss32) : sizeof(struct tss16)) - 1)
		return fail(t, VEC_TS);
	return true;
}

static uint64_t tss_at(uint64_t base, size_t offset)
{
	return (base + offset) & 0xFFFFFFFF;
}

static bool nests(const struct task_exit *how)
{
	return how->source == TASK_CALL || how->source == TASK_GATE;
}

/* JMP and IRET leave the old task for good: its descriptor (step 6). */
static bool find_left(struct switching *t)
{
	const uint16_t selector = t->sys->seg[SEG_TR].selector;

	if (nests(t->how) || !(selector & SELECTOR_INDEX))
		return true;
	switch (descriptor_read(&t->super, t->sys, selector, &t->left, t->fault)) {
	case DESCRIPTOR_OK: t->has_left = true; return true;
	case DESCRIPTOR_FAULT: return false;
	default: return true; /* the guest has taken its own GDT away: nothing to clear */
	}
}

/* Can all of it be written?  So that no fault comes half-way (7.3, step 5). */
static bool probe(struct switching *t, uint64_t base, size_t len)
{
	uint64_t gpa;

	return emu_translate(&t->super, tss_at(base, 0), EMU_WRITE, &gpa, t->fault) &&
	       emu_translate(&t->super, tss_at(base, len - 1), EMU_WRITE, &gpa, t->fault);
}

static bool probe_all(struct switching *t)
{
	const struct segment_reg *tr = &t->sys->seg[SEG_TR];
	const size_t old_size = t->old_wide ? sizeof(struct tss32) : sizeof(struct tss16);
	const size_t new_size = t->wide ? sizeof(struct tss32) : sizeof(struct tss16);

	if (tr->limit < old_size - 1)
		return fail(t, VEC_TS);
	return probe(t, tr->base, old_size) && probe(t, t->target.reg.base, new_size) &&
	       probe(t, t->target.linear, sizeof(uint64_t)) &&
	       (!t->has_left || probe(t, t->left.linear, sizeof(uint64_t)));
}

static bool read_new(struct switching *t)
{
	return emu_read_linear(&t->super, tss_at(t->target.reg.base, 0), &t->new,
			       t->wide ? sizeof(struct tss32) : sizeof(struct tss16), EMU_READ,
			       t->fault);
}

static void fill_old32(struct switching *t, uint64_t rflags)
{
	struct tss32 *o = &t->old.t32;

	o->eip = (uint32_t)t->return_rip;
	o->eflags = (uint32_t)rflags;
	for (unsigned i = 0; i < ARRAY_SIZE(o->gpr); i++)
		o->gpr[i] = (uint32_t)t->cpu->regs->gpr[i];
	for (unsigned i = 0; i < ARRAY_SIZE(o->seg); i++)
		o->seg[i] = t->sys->seg[i].selector;
}

static void fill_old16(struct switching *t, uint64_t rflags)
{
	struct tss16 *o = &t->old.t16;

	o->ip = (uint16_t)t->return_rip;
	o->flags = (uint16_t)rflags;
	for (unsigned i = 0; i < ARRAY_SIZE(o->gpr); i++)
		o->gpr[i] = (uint16_t)t->cpu->regs->gpr[i];
	for (unsigned i = 0; i < ARRAY_SIZE(o->seg); i++)
		o->seg[i] = t->sys->seg[i].selector;
}

/* Step 7 and 8: a task that IRET leaves is no longer nested. */
static bool save_old(struct switching *t)
{
	const uint64_t base = t->sys->seg[SEG_TR].base;
	uint64_t rflags = t->cpu->regs->rflags;

	if (t->how->source == TASK_IRET)
		rflags &= ~RFLAGS_NT;
	if (t->old_wide) {
		fill_old32(t, rflags);
		return emu_write_linear(&t->super, tss_at(base, SAVED32_FIRST), &t->old.t32.eip,
					SAVED32_END - SAVED32_FIRST, t->fault);
	}
	fill_old16(t, rflags);
	return emu_write_linear(&t->super, tss_at(base, SAVED16_FIRST), &t->old.t16.ip,
				SAVED16_END - SAVED16_FIRST, t->fault);
}

/* Step 6. */
static bool free_old(struct switching *t)
{
	return !t->has_left ||
	       descriptor_set_type(&t->super, &t->left,
				   t->left.reg.attr & ATTR_TYPE & ~TYPE_TSS_BUSY, t->fault);
}

/* Step 10, and the way back for a nested task. */
static bool claim_new(struct switching *t)
{
	const uint16_t link = t->sys->seg[SEG_TR].selector;

	if (t->how->source != TASK_IRET &&
	    !descriptor_set_type(&t->super, &t->target,
				 (t->target.reg.attr & ATTR_TYPE) | TYPE_TSS_BUSY, t->fault))
		return false;
	return !nests(t->how) || emu_write_linear(&t->super, tss_at(t->target.reg.base, 0), &link,
						  sizeof(link), t->fault);
}

static void load_new32(struct switching *t)
{
	const struct tss32 *n = &t->new.t32;
	struct vcpu_regs *regs = t->cpu->regs;

	if (t->sys->cr0 & CR0_PG)
		t->sys->cr3 = n->cr3;
	regs->rip = n->eip;
	regs->rflags = n->eflags;
	for (unsigned i = 0; i < ARRAY_SIZE(n->gpr); i++)
		regs->gpr[i] = n->gpr[i];
	for (unsigned i = 0; i < ARRAY_SIZE(n->seg); i++)
		t->sys->seg[i].selector = (uint16_t)n->seg[i];
	t->sys->seg[SEG_LDTR].selector = (uint16_t)n->ldtr;
}

/* The upper halves of registers, undefined, are zero; FS and GS are null. */
static void load_new16(struct switching *t)
{
	const struct tss16 *n = &t->new.t16;
	struct vcpu_regs *regs = t->cpu->regs;

	regs->rip = n->ip;
	regs->rflags = n->flags;
	for (unsigned i = 0; i < ARRAY_SIZE(n->gpr); i++)
		regs->gpr[i] = n->gpr[i];
	for (unsigned i = 0; i < SEGS16; i++)
		t->sys->seg[i].selector = n->seg[i];
	t->sys->seg[SEG_FS].selector = t->sys->seg[SEG_GS].selector = 0;
	t->sys->seg[SEG_LDTR].selector = n->ldtr;
}

/* Steps 9, 11 and 12.  From here on faults are the new task's. */
static void load_new(struct switching *t)
{
	struct vcpu_regs *regs = t->cpu->regs;

	t->sys->seg[SEG_TR] = t->target.reg;
	t->sys->seg[SEG_TR].attr |= TYPE_TSS_BUSY;
	if (t->wide)
		load_new32(t);
	else
		load_new16(t);
	regs->rflags = (regs->rflags & EFLAGS_DEFINED) | RFLAGS_RESERVED1;
	if (nests(t->how))
		regs->rflags |= RFLAGS_NT;
	t->sys->cr0 |= CR0_TS;
	t->sys->dr7 &= ~DR7_LOCAL;
	t->super_sys = *t->sys;
	t->super_sys.cpl = 0;
}

/* The error code of the exception whose handler the task is, in the size of its TSS. */
static bool push_error(struct switching *t)
{
	const unsigned size = t->wide ? 4 : 2;
	uint64_t *rsp = &t->cpu->regs->gpr[GPR_RSP], mask, sp, linear;

	if (!t->how->has_error)
		return true;
	mask = t->sys->seg[SEG_SS].attr & SEG_ATTR_DB ? 0xFFFFFFFF : 0xFFFF;
	sp = (*rsp - size) & mask;
	if (!emu_linear(t->cpu, SEG_SS, sp, size, EMU_WRITE, &linear, t->fault) ||
	    !emu_write_linear(t->cpu, linear, &t->how->error, size, t->fault)) {
		t->fault->error |= t->fault->vector == VEC_PF ? 0 : t->ext;
		return false;
	}
	*rsp = (*rsp & ~mask) | sp;
	return true;
}

static bool entry_point_is_code(struct switching *t)
{
	if (t->cpu->regs->rip <= t->sys->seg[SEG_CS].limit)
		return true;
	*t->fault = (struct guest_fault){ .vector = VEC_GP, .has_error = true, .error = t->ext };
	return false;
}

static bool old_tss_is_wide(const struct vcpu_sysregs *sys)
{
	return (sys->seg[SEG_TR].attr & ATTR_TYPE & ~TYPE_TSS_BUSY) == TYPE_TSS32;
}

static void begin(struct switching *t)
{
	t->ext = t->how->event;
	t->super_sys = *t->sys;
	t->super_sys.cpl = 0;
	t->super_regs = *t->cpu->regs;
	t->super_regs.rflags &= ~RFLAGS_AC;
	t->super = *t->cpu;
	t->super.regs = &t->super_regs;
	t->super.sys = &t->super_sys;
	t->old_wide = old_tss_is_wide(t->sys);
}

enum task_result task_switch(const struct emu_cpu *cpu, struct vcpu_sysregs *sys,
			     const struct task_exit *how, uint64_t return_rip,
			     struct guest_fault *fault)
{
	struct switching t = { .cpu = cpu, .sys = sys, .how = how, .fault = fault,
			       .return_rip = return_rip };
	bool ok;

	begin(&t);
	/* Long mode has no task switches; the CPU raises #GP there by itself (7.7). */
	if (sys->efer & EFER_LMA) {
		fail(&t, VEC_GP);
		return TASK_FAULT;
	}
	if (!find_target(&t) || !find_left(&t) || !probe_all(&t) || !read_new(&t))
		return TASK_FAULT;
	/* All probed: these fail only for a guest that changes its page tables meanwhile. */
	if (!free_old(&t) || !save_old(&t) || !claim_new(&t))
		return TASK_FAULT;
	load_new(&t);
	ok = task_load_segments(&t.super, sys, cpu->regs->rflags, t.ext, fault) &&
	     entry_point_is_code(&t) && push_error(&t);
	if (!ok)
		return TASK_FAULT;
	return t.wide && (t.new.t32.trap & TSS_TRAP) ? TASK_TRAP : TASK_DONE;
}

enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT };

static enum fault_class class_of(uint8_t vector)
{
	switch (vector) {
	case VEC_PF: return PAGE_FAULT;
	case VEC_DE:
	case VEC_TS:
	case VEC_NP:
	case VEC_SS:
	case VEC_GP: return CONTRIBUTORY;
	default: return BENIGN;
	}
}

bool task_fault_combine(const struct task_exit *how, struct guest_fault *second)
{
	const enum fault_class b = class_of(second->vector);
	enum fault_class a;

	if (how->source != TASK_GATE || !how->is_exception)
		return true;
	a = class_of(how->vector);
	if (how->vector == VEC_DF)
		return b == BENIGN;
	if ((a == CONTRIBUTORY && b == CONTRIBUTORY) || (a == PAGE_FAULT && b != BENIGN))
		*second = (struct guest_fault){ .vector = VEC_DF, .has_error = true };
	return true;
}
