/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest system registers between the VMCS and the neutral form. */
#include "insn.h"
#include "vmx_internal.h"
#include "x86.h"

#define RIGHTS_LOW 0xFFu
#define RIGHTS_HIGH_SHIFT 4 /* AVL, L, D/B, G: bits 8-11 of the neutral form, 12-15 here */
#define DPL_MASK 3u

/* What the guest set in CR0 and CR4: its own bits, and the shadow of ours. */
uint64_t vmx_guest_cr0(void)
{
	return (vmcs_read(VMCS_GUEST_CR0) & ~CR0_OWNED) | (vmcs_read(VMCS_CR0_SHADOW) & CR0_OWNED);
}

uint64_t vmx_guest_cr4(void)
{
	return vmcs_read(VMCS_GUEST_CR4) & ~CR4_VMXE;
}

bool vmx_in_64bit_code(void)
{
	return (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA) &&
	       (vmcs_read(VMCS_GUEST_CS_RIGHTS) & RIGHTS_L);
}

void vmx_set_cr0(uint64_t cr0)
{
	uint64_t efer = vmcs_read(VMCS_GUEST_EFER);
	uint64_t entry = vmcs_read(VMCS_ENTRY_CONTROLS);

	/* Caching stays on whatever the guest says: a guest's CD slows its neighbours down. */
	vmcs_write(VMCS_GUEST_CR0, (cr0 & ~CR0_OWNED) | CR0_NE);
	vmcs_write(VMCS_CR0_SHADOW, cr0);
	if ((cr0 & CR0_PG) && (efer & EFER_LME)) {
		efer |= EFER_LMA;
		entry |= ENTRY_IA32E;
	} else {
		efer &= ~EFER_LMA;
		entry &= ~ENTRY_IA32E;
	}
	vmcs_write(VMCS_GUEST_EFER, efer);
	vmcs_write(VMCS_ENTRY_CONTROLS, entry);
}

void vmx_set_cr4(uint64_t cr4)
{
	vmcs_write(VMCS_GUEST_CR4, cr4 | CR4_VMXE);
	vmcs_write(VMCS_CR4_SHADOW, cr4);
}

static uint16_t attr_from_rights(uint64_t rights)
{
	return (uint16_t)((rights & RIGHTS_LOW) | (rights >> RIGHTS_HIGH_SHIFT & 0xF00) |
			  (rights & RIGHTS_UNUSABLE ? SEG_ATTR_UNUSABLE : 0));
}

static uint64_t rights_from_attr(uint16_t attr)
{
	/* The rest counts in an unusable segment too: SS's DPL is the CPL (24.4.1). */
	return (attr & RIGHTS_LOW) | (uint64_t)(attr & 0xF00) << RIGHTS_HIGH_SHIFT |
	       (attr & SEG_ATTR_UNUSABLE ? RIGHTS_UNUSABLE : 0);
}

static void get_segment(struct segment_reg *s, unsigned i)
{
	s->selector = (uint16_t)vmcs_read(vmcs_segment(VMCS_GUEST_ES_SELECTOR, i));
	s->base = vmcs_read(vmcs_segment(VMCS_GUEST_ES_BASE, i));
	s->limit = (uint32_t)vmcs_read(vmcs_segment(VMCS_GUEST_ES_LIMIT, i));
	s->attr = attr_from_rights(vmcs_read(vmcs_segment(VMCS_GUEST_ES_RIGHTS, i)));
}

static void set_segment(const struct segment_reg *s, unsigned i)
{
	vmcs_write(vmcs_segment(VMCS_GUEST_ES_SELECTOR, i), s->selector);
	vmcs_write(vmcs_segment(VMCS_GUEST_ES_BASE, i), s->base);
	vmcs_write(vmcs_segment(VMCS_GUEST_ES_LIMIT, i), s->limit);
	vmcs_write(vmcs_segment(VMCS_GUEST_ES_RIGHTS, i), rights_from_attr(s->attr));
}

/* CR2 and DR6 are in no VMCS: the hypervisor leaves the guest's in the CPU. */
void vmx_get_sysregs(const struct vcpu_hw *v, struct vcpu_sysregs *s)
{
	(void)v;
	s->cr0 = vmx_guest_cr0();
	s->cr2 = insn_read_cr2();
	s->cr3 = vmcs_read(VMCS_GUEST_CR3);
	s->cr4 = vmx_guest_cr4();
	s->efer = vmcs_read(VMCS_GUEST_EFER);
	s->dr6 = insn_read_dr6();
	s->dr7 = vmcs_read(VMCS_GUEST_DR7);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		get_segment(&s->seg[i], i);
	s->gdtr.base = vmcs_read(VMCS_GUEST_GDTR_BASE);
	s->gdtr.limit = (uint16_t)vmcs_read(VMCS_GUEST_GDTR_LIMIT);
	s->idtr.base = vmcs_read(VMCS_GUEST_IDTR_BASE);
	s->idtr.limit = (uint16_t)vmcs_read(VMCS_GUEST_IDTR_LIMIT);
	/* In SS's rights, whatever its selector says (24.4.1). */
	s->cpl = s->seg[SEG_SS].attr >> SEG_ATTR_DPL_SHIFT & DPL_MASK;
}

/* As MOV to CR3 does: a task switch loads it too. */
static void set_cr3(struct vcpu_hw *v, const struct vcpu_sysregs *s)
{
	const bool changes = vmcs_read(VMCS_GUEST_CR3) != s->cr3;

	vmcs_write(VMCS_GUEST_CR3, s->cr3);
	if (!changes)
		return;
	v->flush = true;
	/* Entries with reserved bits would fail the entry: nothing is mapped then. */
	if (!vmx_load_pdptes(v, s->cr0))
		for (unsigned i = 0; i < PDPTES; i++)
			vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), 0);
}

void vmx_set_sysregs(struct vcpu_hw *v, const struct vcpu_sysregs *s)
{
	vmcs_write(VMCS_GUEST_EFER, s->efer);
	vmx_set_cr0(s->cr0);
	vmx_set_cr4(s->cr4);
	insn_write_cr2(s->cr2);
	set_cr3(v, s);
	insn_write_dr6(s->dr6);
	vmcs_write(VMCS_GUEST_DR7, s->dr7);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		set_segment(&s->seg[i], i);
	vmcs_write(VMCS_GUEST_GDTR_BASE, s->gdtr.base);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, s->gdtr.limit);
	vmcs_write(VMCS_GUEST_IDTR_BASE, s->idtr.base);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, s->idtr.limit);
}

/* MSRs that a VM entry loads; -1: none. */
static int field_of(uint32_t msr)
{
	switch (msr) {
	case MSR_EFER: return VMCS_GUEST_EFER;
	case MSR_PAT: return VMCS_GUEST_PAT;
	case MSR_FS_BASE: return VMCS_GUEST_FS_BASE;
	case MSR_GS_BASE: return VMCS_GUEST_GS_BASE;
	case MSR_SYSENTER_CS: return VMCS_GUEST_SYSENTER_CS;
	case MSR_SYSENTER_ESP: return VMCS_GUEST_SYSENTER_ESP;
	case MSR_SYSENTER_EIP: return VMCS_GUEST_SYSENTER_EIP;
	default: return -1;
	}
}

/* MSRs that the hypervisor uses not at all: the guest's values stay in the CPU. */
static bool is_live(uint32_t msr)
{
	return msr == MSR_STAR || msr == MSR_LSTAR || msr == MSR_CSTAR || msr == MSR_SFMASK ||
	       msr == MSR_KERNEL_GS_BASE;
}

bool vmx_read_msr(struct vcpu_hw *v, uint32_t msr, uint64_t *value)
{
	(void)v;
	if (is_live(msr))
		*value = insn_rdmsr(msr);
	else if (field_of(msr) >= 0)
		*value = vmcs_read((enum vmcs_field)field_of(msr));
	else
		return false;
	return true;
}

bool vmx_write_msr(struct vcpu_hw *v, uint32_t msr, uint64_t value)
{
	if (is_live(msr))
		insn_wrmsr(msr, value);
	else if (field_of(msr) >= 0)
		vmcs_write((enum vmcs_field)field_of(msr), value);
	else
		return false;
	/* NX and memory types are part of translations that the TLB holds. */
	if (msr == MSR_EFER || msr == MSR_PAT)
		v->flush = true;
	return true;
}
