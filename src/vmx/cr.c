/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits for CR0 and CR4: only writes that change a bit which the guest may
 * not have for real (NE, CD, NW; VMXE).  Done here, whole, because which bits
 * those are is VMX's own business.
 */
#include "vmx_internal.h"
#include "x86.h"

/* Exit qualification (SDM vol. 3, table 27-3). */
#define CR_NUMBER 0xFu
#define CR_TYPE_SHIFT 4
#define CR_TYPE_MASK 3u
#define CR_GPR_SHIFT 8
#define CR_TYPE_MOV_TO 0
#define CR_TYPE_CLTS 2
#define CR_TYPE_LMSW 3
#define LMSW_SOURCE_SHIFT 16
#define LMSW_MASK 0xFULL

#define CR0_UPPER 32

static void inject_gp(struct vcpu_hw *v)
{
	const struct vm_event gp = { EVENT_EXCEPTION, VEC_GP, true, 0 };

	vmx_inject(v, &gp);
}

/* SDM vol. 3, 2.5 and 4.1.2: which values a MOV to CR0 takes. */
static bool cr0_allowed(uint64_t cr0)
{
	const uint64_t efer = vmcs_read(VMCS_GUEST_EFER), cr4 = vmx_guest_cr4();

	if (cr0 >> CR0_UPPER)
		return false;
	if ((cr0 & CR0_PG && !(cr0 & CR0_PE)) || (cr0 & CR0_NW && !(cr0 & CR0_CD)))
		return false;
	/* Long mode is entered with PAE on, and left from compatibility mode. */
	return !((cr0 & CR0_PG) && (efer & EFER_LME) && !(efer & EFER_LMA) && !(cr4 & CR4_PAE));
}

/*
 * With PAE paging the CPU loads four entries when paging is switched on; after
 * an emulated MOV that is ours to do (SDM vol. 3, 26.3.2.4).
 */
static void load_pdptes(struct vcpu_hw *v, uint64_t cr0, uint64_t cr4)
{
	const uint64_t *entries;

	if (!(cr0 & CR0_PG) || !(cr4 & CR4_PAE) || (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA))
		return;
	entries = s2_lookup(&s2_ept_2m, v->second_stage, vmcs_read(VMCS_GUEST_CR3) & 0xFFFFFFE0ULL);
	for (unsigned i = 0; i < 4; i++)
		vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), entries ? entries[i] : 0);
}

static bool mov_to_cr0(struct vcpu_hw *v, uint64_t value)
{
	if (!cr0_allowed(value))
		return false;
	vmx_set_cr0(value | CR0_ET);
	load_pdptes(v, value, vmx_guest_cr4());
	v->flush = true;
	return true;
}

/* The only owned bit is VMXE, which does not exist for the guest. */
static bool mov_to_cr4(struct vcpu_hw *v, uint64_t value)
{
	(void)v;
	if (value & CR4_VMXE)
		return false;
	vmx_set_cr4(value);
	return true;
}

static bool access(struct vcpu_hw *v, uint64_t q)
{
	const uint64_t value = v->regs.gpr[q >> CR_GPR_SHIFT & 15];
	const uint64_t source = q >> LMSW_SOURCE_SHIFT & LMSW_MASK;

	switch (q >> CR_TYPE_SHIFT & CR_TYPE_MASK) {
	case CR_TYPE_MOV_TO:
		return (q & CR_NUMBER) == 0 ? mov_to_cr0(v, value) : mov_to_cr4(v, value);
	case CR_TYPE_CLTS:
		vmx_set_cr0(vmx_guest_cr0() & ~CR0_TS);
		return true;
	case CR_TYPE_LMSW:
		/* LMSW cannot clear PE. */
		return mov_to_cr0(v, (vmx_guest_cr0() & ~(LMSW_MASK & ~CR0_PE)) | source);
	default:
		return true; /* reads of CR0 and CR4 do not exit */
	}
}

void vmx_cr_access(struct vcpu_hw *v)
{
	if (!access(v, vmcs_read(VMCS_EXIT_QUALIFICATION))) {
		inject_gp(v);
		return;
	}
	v->regs.rip += vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	vmx_clear_shadow(v);
}
