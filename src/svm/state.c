/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest system registers between the VMCB and the neutral form. */
#include "svm_internal.h"

#include "x86.h"

static inline void get_segment(struct segment_reg *to, const struct vmcb_segment *from)
{
	to->base = from->base;
	to->limit = from->limit;
	to->selector = from->selector;
	to->attr = from->attr;
	if (!(from->attr & SEG_ATTR_P))
		to->attr |= (uint16_t)SEG_ATTR_UNUSABLE;
}

static inline void set_segment(struct vmcb_segment *to, const struct segment_reg *from)
{
	to->base = from->base;
	to->limit = from->limit;
	to->selector = from->selector;
	to->attr = (uint16_t)(from->attr & SEG_ATTR_UNUSABLE ? 0 : from->attr & 0xFFF);
}

void svm_get_sysregs(const struct vcpu_hw *v, struct vcpu_sysregs *s)
{
	struct vmcb *vmcb = svm_vmcb(v);

	s->cr0 = vmcb->cr0;
	s->cr2 = vmcb->cr2;
	s->cr3 = vmcb->cr3;
	s->cr4 = vmcb->cr4;
	s->efer = vmcb->efer & ~EFER_SVME;
	s->dr6 = vmcb->dr6;
	s->dr7 = vmcb->dr7;
	s->cpl = vmcb->cpl;
	s->gdtr = (struct table_reg){ vmcb->gdtr.base, (uint16_t)vmcb->gdtr.limit };
	s->idtr = (struct table_reg){ vmcb->idtr.base, (uint16_t)vmcb->idtr.limit };
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		get_segment(&s->seg[i], &vmcb->seg[i]);
	get_segment(&s->seg[SEG_LDTR], &vmcb->ldtr);
	get_segment(&s->seg[SEG_TR], &vmcb->tr);
}

void svm_set_sysregs(struct vcpu_hw *v, const struct vcpu_sysregs *s)
{
	struct vmcb *vmcb = svm_vmcb(v);

	vmcb->cr0 = s->cr0;
	vmcb->cr2 = s->cr2;
	vmcb->cr3 = s->cr3;
	vmcb->cr4 = s->cr4;
	/* VMRUN demands SVME in the guest's EFER (15.5.1). */
	vmcb->efer = s->efer | EFER_SVME;
	vmcb->dr6 = s->dr6;
	vmcb->dr7 = s->dr7;
	vmcb->cpl = s->cpl;
	vmcb->gdtr.base = s->gdtr.base;
	vmcb->gdtr.limit = s->gdtr.limit;
	vmcb->idtr.base = s->idtr.base;
	vmcb->idtr.limit = s->idtr.limit;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		set_segment(&vmcb->seg[i], &s->seg[i]);
	set_segment(&vmcb->ldtr, &s->seg[SEG_LDTR]);
	set_segment(&vmcb->tr, &s->seg[SEG_TR]);
}

/* MSRs that VMRUN or VMLOAD load from the VMCB. */
static uint64_t *vmcb_msr(struct vmcb *vmcb, uint32_t msr)
{
	switch (msr) {
	case MSR_EFER: return &vmcb->efer;
	case MSR_PAT: return &vmcb->g_pat;
	case MSR_STAR: return &vmcb->star;
	case MSR_LSTAR: return &vmcb->lstar;
	case MSR_CSTAR: return &vmcb->cstar;
	case MSR_SFMASK: return &vmcb->sfmask;
	case MSR_KERNEL_GS_BASE: return &vmcb->kernel_gs_base;
	case MSR_FS_BASE: return &vmcb->seg[SEG_FS].base;
	case MSR_GS_BASE: return &vmcb->seg[SEG_GS].base;
	case MSR_SYSENTER_CS: return &vmcb->sysenter_cs;
	case MSR_SYSENTER_ESP: return &vmcb->sysenter_esp;
	case MSR_SYSENTER_EIP: return &vmcb->sysenter_eip;
	default: return NULL;
	}
}

bool svm_read_msr(struct vcpu_hw *v, uint32_t msr, uint64_t *value)
{
	const uint64_t *field = vmcb_msr(svm_vmcb(v), msr);

	if (!field)
		return false;
	*value = msr == MSR_EFER ? *field & ~EFER_SVME : *field;
	return true;
}

bool svm_write_msr(struct vcpu_hw *v, uint32_t msr, uint64_t value)
{
	uint64_t *field = vmcb_msr(svm_vmcb(v), msr);

	if (!field)
		return false;
	*field = msr == MSR_EFER ? value | EFER_SVME : value;
	/* NX and memory types are part of translations that the TLB holds (15.16). */
	if (msr == MSR_EFER || msr == MSR_PAT)
		v->flush = true;
	return true;
}
