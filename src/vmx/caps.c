/* SPDX-License-Identifier: BSD-2-Clause */
#include "caps.h"

#include "insn.h"
#include "x86.h"

#define MSR_VMX_BASIC 0x480u
#define BASIC_TRUE_CONTROLS BIT(55)
#define MSR_VMX_PIN 0x481u
#define MSR_VMX_CPU 0x482u
#define MSR_VMX_EXIT 0x483u
#define MSR_VMX_ENTRY 0x484u
#define MSR_VMX_CR0_FIXED0 0x486u
#define MSR_VMX_CPU2 0x48Bu
#define MSR_VMX_EPT_VPID 0x48Cu
#define MSR_VMX_TRUE_PIN 0x48Du /* to 490h: CPU, exit, entry */

#define CPUID_ADDRESS_SIZES 0x80000008u

struct vmx_caps vmx_caps;

bool vmx_control(uint64_t msr, uint32_t required, uint32_t wanted, uint32_t forbidden,
		 uint32_t *out)
{
	const uint32_t must = (uint32_t)msr, may = (uint32_t)(msr >> 32);

	if ((required & ~may) || (forbidden & must))
		return false;
	*out = must | required | (wanted & may);
	return true;
}

/* The TRUE MSRs allow what the old ones report as fixed for old software (A.2). */
static uint64_t control_msr(uint32_t plain)
{
	const bool has_true = insn_rdmsr(MSR_VMX_BASIC) & BASIC_TRUE_CONTROLS;

	return insn_rdmsr(has_true ? MSR_VMX_TRUE_PIN + (plain - MSR_VMX_PIN) : plain);
}

static const char *secondary(void)
{
	const uint64_t msr = insn_rdmsr(MSR_VMX_CPU2);
	const uint32_t may = (uint32_t)(msr >> 32);

	if (!(may & CPU2_EPT))
		return "this CPU has VMX without EPT; Bulkhead needs extended page tables";
	if (!(may & CPU2_UNRESTRICTED))
		return "this CPU has VMX without \"unrestricted guest\"; Bulkhead needs it for "
		       "guests that start in real mode";
	if (!vmx_control(msr, (uint32_t)(CPU2_EPT | CPU2_UNRESTRICTED),
			 (uint32_t)(CPU2_RDTSCP | CPU2_VPID | CPU2_WBINVD_EXITING | CPU2_INVPCID), 0,
			 &vmx_caps.cpu2))
		return "this CPU's VMX cannot be set up (secondary controls)";
	vmx_caps.ept = insn_rdmsr(MSR_VMX_EPT_VPID);
	/* A tag whose translations cannot be dropped is worse than none. */
	if (!(vmx_caps.ept & EPT_CAP_INVVPID) ||
	    !(vmx_caps.ept & (EPT_CAP_INVVPID_SINGLE | EPT_CAP_INVVPID_ALL)))
		vmx_caps.cpu2 &= (uint32_t)~CPU2_VPID;
	if (!(vmx_caps.ept & EPT_CAP_WALK4) || !(vmx_caps.ept & EPT_CAP_WB) ||
	    !(vmx_caps.ept & EPT_CAP_2M))
		return "this CPU's EPT has no 4-level write-back tables with 2 MiB pages";
	return NULL;
}

const char *vmx_caps_init(void)
{
	const char *missing;
	const uint32_t efer_pat = (uint32_t)(EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_SAVE_EFER |
					     EXIT_LOAD_EFER);

	vmx_caps.revision = (uint32_t)insn_rdmsr(MSR_VMX_BASIC) & 0x7FFFFFFF;
	if (!(insn_rdmsr(MSR_VMX_CPU) >> 32 & CPU_SECONDARY))
		return "this CPU has VMX without EPT; Bulkhead needs extended page tables";
	missing = secondary();
	if (missing)
		return missing;
	if (!vmx_control(control_msr(MSR_VMX_PIN), (uint32_t)(PIN_NMI_EXITING | PIN_VIRTUAL_NMIS), 0,
			 (uint32_t)PIN_EXTERNAL_INTERRUPT, &vmx_caps.pin))
		return "this CPU has VMX without virtual NMIs; Bulkhead needs them";
	if (!vmx_control(control_msr(MSR_VMX_CPU),
			 (uint32_t)(CPU_MWAIT_EXITING | CPU_RDPMC_EXITING | CPU_IO_BITMAPS |
				    CPU_MSR_BITMAPS | CPU_MONITOR_EXITING | CPU_SECONDARY),
			 0, (uint32_t)(CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING), &vmx_caps.cpu))
		return "this CPU's VMX cannot be set up (primary controls)";
	if (!vmx_control(control_msr(MSR_VMX_EXIT),
			 (uint32_t)(EXIT_HOST_64 | EXIT_SAVE_DEBUG) | efer_pat, 0, 0,
			 &vmx_caps.exit) ||
	    !vmx_control(control_msr(MSR_VMX_ENTRY),
			 (uint32_t)(ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER), 0, 0,
			 &vmx_caps.entry))
		return "this CPU's VMX cannot switch EFER and PAT";
	vmx_caps.phys_bits = cpuid(CPUID_ADDRESS_SIZES, 0).eax & 0xFF;
	vmx_caps.cr0_fixed0 = insn_rdmsr(MSR_VMX_CR0_FIXED0);
	vmx_caps.cr0_fixed1 = insn_rdmsr(MSR_VMX_CR0_FIXED0 + 1);
	vmx_caps.cr4_fixed0 = insn_rdmsr(MSR_VMX_CR0_FIXED0 + 2);
	vmx_caps.cr4_fixed1 = insn_rdmsr(MSR_VMX_CR0_FIXED0 + 3);
	return NULL;
}
