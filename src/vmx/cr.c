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
/* Writes of the others change nothing (2.5). */
#define CR0_DEFINED                                                                         \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)
#define CR4_PCIDE BIT(17)

/* PAE's page-directory-pointer entries (4.4.1): R/W, U/S, A, D, PS and above the address. */
#define PDPTE_PRESENT BIT(0)
#define PDPTE_RESERVED_LOW 0x1E6ULL
#define CR3_PAE_MASK 0xFFFFFFE0ULL

static void inject_gp(struct vcpu_hw *v)
{
	const struct vm_event gp = { EVENT_EXCEPTION, VEC_GP, true, 0 };

	vmx_inject(v, &gp);
}

static bool cs_is_long(void)
{
	return vmcs_read(VMCS_GUEST_CS_RIGHTS) & RIGHTS_L;
}

/* Long mode is entered with PAE on, from code and with a task that it can have (10.8.5.1). */
static bool may_enter_long_mode(void)
{
	return (vmx_guest_cr4() & CR4_PAE) && !cs_is_long() &&
	       (vmcs_read(VMCS_GUEST_TR_RIGHTS) & RIGHTS_TYPE) == TYPE_BUSY_TSS;
}

/* SDM vol. 3, 2.5, and vol. 2, MOV to control registers: which values CR0 takes. */
static bool cr0_allowed(uint64_t cr0)
{
	const uint64_t efer = vmcs_read(VMCS_GUEST_EFER), old = vmx_guest_cr0();

	if (cr0 >> CR0_UPPER)
		return false;
	if ((cr0 & CR0_PG && !(cr0 & CR0_PE)) || (cr0 & CR0_NW && !(cr0 & CR0_CD)))
		return false;
	if ((cr0 & CR0_PG) && !(old & CR0_PG) && (efer & EFER_LME))
		return may_enter_long_mode();
	if (!(cr0 & CR0_PG) && (old & CR0_PG))
		return !vmx_in_64bit_code() && !(vmx_guest_cr4() & CR4_PCIDE);
	return true;
}

static bool pdpte_valid(uint64_t e)
{
	const uint64_t above = ~((1ULL << vmx_caps.phys_bits) - 1);

	return !(e & PDPTE_PRESENT) || !(e & (above | PDPTE_RESERVED_LOW));
}

bool vmx_load_pdptes(const struct vcpu_hw *v, uint64_t cr0)
{
	static const uint64_t none[PDPTES];
	const uint64_t *entries;
	uint64_t e[PDPTES];

	if (!(cr0 & CR0_PG) || !(vmx_guest_cr4() & CR4_PAE) ||
	    (vmcs_read(VMCS_GUEST_EFER) & EFER_LME))
		return true;
	entries = s2_lookup(&s2_ept_2m, v->second_stage, vmcs_read(VMCS_GUEST_CR3) & CR3_PAE_MASK);
	/* Read once: the guest's other CPUs may write them meanwhile. */
	for (unsigned i = 0; i < PDPTES; i++) {
		e[i] = __atomic_load_n(&(entries ? entries : none)[i], __ATOMIC_RELAXED);
		if (!pdpte_valid(e[i]))
			return false;
	}
	for (unsigned i = 0; i < PDPTES; i++)
		vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), e[i]);
	return true;
}

static bool mov_to_cr0(struct vcpu_hw *v, uint64_t value)
{
	if (!cr0_allowed(value) || !vmx_load_pdptes(v, value))
		return false;
	vmx_set_cr0((value & CR0_DEFINED) | CR0_ET);
	/* As the CPU itself does when PG changes (28.4.3.3: emulation is up to us). */
	v->flush = true;
	return true;
}

static bool access(struct vcpu_hw *v, uint64_t q)
{
	const uint64_t gpr = v->regs.gpr[q >> CR_GPR_SHIFT & 15];
	const uint64_t value = vmx_in_64bit_code() ? gpr : (uint32_t)gpr;
	const uint64_t source = q >> LMSW_SOURCE_SHIFT & LMSW_MASK;

	switch (q >> CR_TYPE_SHIFT & CR_TYPE_MASK) {
	case CR_TYPE_MOV_TO:
		/* The only owned bit of CR4 is VMXE, which does not exist for the guest. */
		return (q & CR_NUMBER) == 0 && mov_to_cr0(v, value);
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
	vmx_skip_instruction(v);
	/* A single step is due: the entry delivers it (26.7.3). */
	if (v->regs.rflags & RFLAGS_TF)
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}
