/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of the guest's state that a VM entry makes (SDM vol. 3, 26.3.1),
 * so that a failed entry can be explained.  Not those that no state of ours
 * could break: SMM, MSR areas, monitor trap.
 */
#include "vmx_internal.h"

#define UPPER_HALF 32
#define CR4_PCIDE BIT(17)
#define CR4_CET BIT(23)
#define EFER_DEFINED (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define RFLAGS_RESERVED 0xFFFFFFFFFFC08028ULL
#define SELECTOR_TI BIT(2)
#define SELECTOR_RPL 3u
#define INTERRUPTIBILITY_RESERVED 0xFFFFFFE0ULL
#define CODE 8u
#define CODE_CONFORMING 4u
#define ACCESSED 1u
#define TYPE_LDT 2u
#define TYPE_BUSY_TSS16 3u
#define LIMIT_LOW 0xFFFULL
#define LIMIT_HIGH_SHIFT 20
#define RIGHTS_RESERVED 0xF00u
#define RIGHTS_RESERVED_SHIFT 17

static bool ia32e(void)
{
	return vmcs_read(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E;
}

static bool paging(void)
{
	return vmcs_read(VMCS_GUEST_CR0) & CR0_PG;
}

static bool protected_mode(void)
{
	return vmcs_read(VMCS_GUEST_CR0) & CR0_PE;
}

static bool v86(void)
{
	return vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_VM;
}

static bool shadowed(void)
{
	return vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS);
}

static uint64_t rights(enum segment i)
{
	return vmcs_read(vmcs_segment(VMCS_GUEST_ES_RIGHTS, i));
}

static uint64_t dpl(enum segment i)
{
	return rights(i) >> RIGHTS_DPL_SHIFT & 3;
}

/* ---- 26.3.1.1: control registers and MSRs ------------------------------------- */

static bool cr0_upper(void)
{
	return vmcs_read(VMCS_GUEST_CR0) >> UPPER_HALF;
}

static bool cr0_fixed(void)
{
	const uint64_t cr0 = vmcs_read(VMCS_GUEST_CR0);

	/* An unrestricted guest may have PE and PG clear. */
	return (vmx_caps.cr0_fixed0 & ~cr0 & ~(CR0_PE | CR0_PG)) || (cr0 & ~vmx_caps.cr0_fixed1);
}

static bool pg_without_pe(void)
{
	return paging() && !protected_mode();
}

static bool cr4_fixed(void)
{
	const uint64_t cr4 = vmcs_read(VMCS_GUEST_CR4);

	return (vmx_caps.cr4_fixed0 & ~cr4) || (cr4 & ~vmx_caps.cr4_fixed1);
}

static bool cet_without_wp(void)
{
	return (vmcs_read(VMCS_GUEST_CR4) & CR4_CET) && !(vmcs_read(VMCS_GUEST_CR0) & CR0_WP);
}

static bool long_without_paging(void)
{
	return ia32e() && (!paging() || !(vmcs_read(VMCS_GUEST_CR4) & CR4_PAE));
}

static bool pcide_outside_long(void)
{
	return !ia32e() && (vmcs_read(VMCS_GUEST_CR4) & CR4_PCIDE);
}

static bool cr3_width(void)
{
	return vmcs_read(VMCS_GUEST_CR3) >> vmx_caps.phys_bits;
}

static bool dr7_upper(void)
{
	return vmcs_read(VMCS_GUEST_DR7) >> UPPER_HALF;
}

static bool efer_reserved(void)
{
	return vmcs_read(VMCS_GUEST_EFER) & ~EFER_DEFINED;
}

static bool lma_differs(void)
{
	const uint64_t efer = vmcs_read(VMCS_GUEST_EFER);
	const bool lma = efer & EFER_LMA, lme = efer & EFER_LME;

	return lma != ia32e() || (paging() && lma != lme);
}

static bool pat_type(void)
{
	const uint64_t pat = vmcs_read(VMCS_GUEST_PAT);

	for (unsigned i = 0; i < 8; i++) {
		const uint8_t type = (uint8_t)(pat >> 8 * i);

		if (type > 7 || type == 2 || type == 3)
			return true;
	}
	return false;
}

/* ---- 26.3.1.2: segments ---------------------------------------------------------- */

static bool tr_shape(void)
{
	const uint64_t r = rights(SEG_TR), type = r & RIGHTS_TYPE;

	return (r & RIGHTS_UNUSABLE) || (r & RIGHTS_S) || !(r & RIGHTS_P) ||
	       (vmcs_read(VMCS_GUEST_TR_SELECTOR) & SELECTOR_TI) ||
	       !(type == TYPE_BUSY_TSS || (type == TYPE_BUSY_TSS16 && !ia32e()));
}

static bool ldtr_shape(void)
{
	const uint64_t r = rights(SEG_LDTR);

	if (r & RIGHTS_UNUSABLE)
		return false;
	return (r & RIGHTS_TYPE) != TYPE_LDT || (r & RIGHTS_S) || !(r & RIGHTS_P) ||
	       (vmcs_read(VMCS_GUEST_LDTR_SELECTOR) & SELECTOR_TI);
}

static bool v86_segments(void)
{
	if (!v86())
		return false;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		if (rights((enum segment)i) != 0xF3 ||
		    vmcs_read(vmcs_segment(VMCS_GUEST_ES_LIMIT, i)) != 0xFFFF ||
		    vmcs_read(vmcs_segment(VMCS_GUEST_ES_BASE, i)) !=
			    vmcs_read(vmcs_segment(VMCS_GUEST_ES_SELECTOR, i)) << 4)
			return true;
	return false;
}

static bool cs_shape(void)
{
	const uint64_t r = rights(SEG_CS), type = r & RIGHTS_TYPE;

	if (v86())
		return false;
	if (!(r & RIGHTS_S) || !(r & RIGHTS_P) || !(type & ACCESSED))
		return true;
	/* Read-write data, for an unrestricted guest. */
	if (!(type & CODE))
		return type != 3 || dpl(SEG_CS) != 0;
	return type & CODE_CONFORMING ? dpl(SEG_CS) > dpl(SEG_SS) : dpl(SEG_CS) != dpl(SEG_SS);
}

static bool cs_long_and_big(void)
{
	return !v86() && ia32e() && (rights(SEG_CS) & RIGHTS_L) && (rights(SEG_CS) & RIGHTS_DB);
}

static bool ss_shape(void)
{
	const uint64_t r = rights(SEG_SS), type = r & RIGHTS_TYPE;

	if (v86())
		return false;
	if (dpl(SEG_SS) != 0 && (!protected_mode() || (rights(SEG_CS) & RIGHTS_TYPE) == 3))
		return true;
	return !(r & RIGHTS_UNUSABLE) &&
	       (!(r & RIGHTS_S) || !(r & RIGHTS_P) || (type != 3 && type != 7));
}

static bool data_shape(void)
{
	static const enum segment data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };

	for (unsigned i = 0; !v86() && i < ARRAY_SIZE(data); i++) {
		const uint64_t r = rights(data[i]);

		if (r & RIGHTS_UNUSABLE)
			continue;
		if (!(r & RIGHTS_S) || !(r & RIGHTS_P) || !(r & ACCESSED) ||
		    ((r & CODE) && !(r & 2)))
			return true;
	}
	return false;
}

static bool granularity(void)
{
	for (unsigned i = SEG_ES; i <= SEG_TR; i++) {
		const uint64_t r = rights((enum segment)i);
		const uint64_t limit = vmcs_read(vmcs_segment(VMCS_GUEST_ES_LIMIT, i));

		if ((r & RIGHTS_UNUSABLE) && i != SEG_CS)
			continue;
		if ((r & RIGHTS_RESERVED) || r >> RIGHTS_RESERVED_SHIFT ||
		    ((limit & LIMIT_LOW) != LIMIT_LOW && (r & RIGHTS_G)) ||
		    (limit >> LIMIT_HIGH_SHIFT && !(r & RIGHTS_G)))
			return true;
	}
	return false;
}

static bool bases(void)
{
	static const enum segment low[] = { SEG_CS, SEG_SS, SEG_DS, SEG_ES };

	for (unsigned i = 0; i < ARRAY_SIZE(low); i++)
		if ((low[i] == SEG_CS || !(rights(low[i]) & RIGHTS_UNUSABLE)) &&
		    vmcs_read(vmcs_segment(VMCS_GUEST_ES_BASE, low[i])) >> UPPER_HALF)
			return true;
	return false;
}

/* ---- 26.3.1.3 to 26.3.1.5: tables, RIP, RFLAGS, the rest ------------------------------ */

static bool table_limits(void)
{
	return vmcs_read(VMCS_GUEST_GDTR_LIMIT) >> 16 || vmcs_read(VMCS_GUEST_IDTR_LIMIT) >> 16;
}

static bool rip_width(void)
{
	return vmcs_read(VMCS_GUEST_RIP) >> UPPER_HALF &&
	       (!ia32e() || !(rights(SEG_CS) & RIGHTS_L));
}

static bool rflags_reserved(void)
{
	const uint64_t rflags = vmcs_read(VMCS_GUEST_RFLAGS);

	return (rflags & RFLAGS_RESERVED) || !(rflags & RFLAGS_RESERVED1);
}

static bool rflags_vm(void)
{
	return v86() && (ia32e() || !protected_mode());
}

static bool extint_without_if(void)
{
	const uint64_t info = vmcs_read(VMCS_ENTRY_INTERRUPTION);

	return (info & INTR_VALID) && (info >> INTR_TYPE_SHIFT & INTR_TYPE_MASK) == INTR_EXTERNAL &&
	       (!(vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF) || shadowed());
}

static bool nmi_blocked(void)
{
	const uint64_t info = vmcs_read(VMCS_ENTRY_INTERRUPTION);

	return (info & INTR_VALID) && (info >> INTR_TYPE_SHIFT & INTR_TYPE_MASK) == INTR_NMI &&
	       (vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_MOV_SS | BLOCKING_NMI));
}

static bool error_code_in_real_mode(void)
{
	const uint64_t info = vmcs_read(VMCS_ENTRY_INTERRUPTION);

	return (info & INTR_VALID) && (info & INTR_HAS_ERROR) && !protected_mode();
}

static bool activity(void)
{
	const uint64_t state = vmcs_read(VMCS_GUEST_ACTIVITY);

	return state > ACTIVITY_LAST || (state == ACTIVITY_HLT && dpl(SEG_SS) != 0) ||
	       (state != ACTIVITY_ACTIVE && shadowed());
}

static bool interruptibility(void)
{
	const uint64_t state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	return (state & INTERRUPTIBILITY_RESERVED) ||
	       ((state & BLOCKING_STI) && (state & BLOCKING_MOV_SS)) ||
	       ((state & BLOCKING_STI) && !(vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF));
}

static bool single_step(void)
{
	const bool step = vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF;
	const bool pending = vmcs_read(VMCS_GUEST_PENDING_DEBUG) & PENDING_DEBUG_BS;

	return (shadowed() || vmcs_read(VMCS_GUEST_ACTIVITY) == ACTIVITY_HLT) && step != pending;
}

static bool link_pointer(void)
{
	return vmcs_read(VMCS_VMCS_LINK_POINTER) != ~0ULL;
}

const char *vmx_broken_rule(void)
{
	static const struct {
		bool (*broken)(void);
		const char *rule;
	} rules[] = {
		{ error_code_in_real_mode, "no error code in real mode (26.2.1.3)" },
		{ cr0_upper, "CR0 bits 63:32 are 0 (26.3.1.1)" },
		{ cr0_fixed, "CR0 has what IA32_VMX_CR0_FIXED0/1 ask (26.3.1.1)" },
		{ pg_without_pe, "CR0.PG needs CR0.PE (26.3.1.1)" },
		{ cr4_fixed, "CR4 has what IA32_VMX_CR4_FIXED0/1 ask (26.3.1.1)" },
		{ cet_without_wp, "CR4.CET needs CR0.WP (26.3.1.1)" },
		{ long_without_paging, "IA-32e mode needs CR0.PG and CR4.PAE (26.3.1.1)" },
		{ pcide_outside_long, "CR4.PCIDE needs IA-32e mode (26.3.1.1)" },
		{ cr3_width, "CR3 is no wider than a physical address (26.3.1.1)" },
		{ dr7_upper, "DR7 bits 63:32 are 0 (26.3.1.1)" },
		{ efer_reserved, "EFER has no reserved bit (26.3.1.1)" },
		{ lma_differs, "EFER.LMA is as IA-32e mode and, with paging, LME (26.3.1.1)" },
		{ pat_type, "PAT has memory types only (26.3.1.1)" },
		{ v86_segments, "virtual-8086 segments (26.3.1.2)" },
		{ cs_shape, "CS is a present code segment of the right DPL (26.3.1.2)" },
		{ cs_long_and_big, "CS.L and CS.D not both (26.3.1.2)" },
		{ ss_shape, "SS is a present, writable data segment of the right DPL (26.3.1.2)" },
		{ data_shape, "DS, ES, FS, GS are present, accessed and readable (26.3.1.2)" },
		{ ldtr_shape, "LDTR is a present LDT (26.3.1.2)" },
		{ tr_shape, "TR is a present, busy TSS (26.3.1.2)" },
		{ granularity, "limits fit granularity, rights have no reserved bit (26.3.1.2)" },
		{ bases, "bases of CS, SS, DS, ES have 32 bits (26.3.1.2)" },
		{ table_limits, "limits of GDTR and IDTR have 16 bits (26.3.1.3)" },
		{ rip_width, "RIP has 32 bits outside 64-bit code (26.3.1.4)" },
		{ rflags_reserved, "RFLAGS bit 1 is 1, its other reserved bits are 0 (26.3.1.4)" },
		{ rflags_vm, "RFLAGS.VM needs protected mode without IA-32e (26.3.1.4)" },
		{ extint_without_if, "an external interrupt needs IF and no shadow (26.3.1.4)" },
		{ activity, "the activity state fits SS.DPL and shadow (26.3.1.5)" },
		{ interruptibility, "the interruptibility state is possible (26.3.1.5)" },
		{ nmi_blocked, "an NMI needs NMIs not blocked (26.3.1.5)" },
		{ single_step, "in a shadow a pending single step goes with TF (26.3.1.5)" },
		{ link_pointer, "the VMCS link pointer is all ones (26.3.1.5)" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].broken())
			return rules[i].rule;
	return NULL;
}
