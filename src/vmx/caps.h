/* SPDX-License-Identifier: BSD-2-Clause */
/* What this CPU's VMX can do, and the controls that follow (SDM vol. 3, appendix A). */
#ifndef VMX_CAPS_H
#define VMX_CAPS_H

#include "types.h"

/* Pin-based (24.6.1). */
#define PIN_EXTERNAL_INTERRUPT BIT(0)
#define PIN_NMI_EXITING BIT(3)
#define PIN_VIRTUAL_NMIS BIT(5)

/* Primary processor-based (24.6.2). */
#define CPU_INTERRUPT_WINDOW BIT(2)
#define CPU_RDPMC_EXITING BIT(11)
#define CPU_MWAIT_EXITING BIT(10)
#define CPU_CR3_LOAD_EXITING BIT(15)
#define CPU_CR3_STORE_EXITING BIT(16)
#define CPU_NMI_WINDOW BIT(22)
#define CPU_IO_BITMAPS BIT(25)
#define CPU_MSR_BITMAPS BIT(28)
#define CPU_MONITOR_EXITING BIT(29)
#define CPU_SECONDARY BIT(31)

/* Secondary processor-based. */
#define CPU2_EPT BIT(1)
#define CPU2_RDTSCP BIT(3)
#define CPU2_VPID BIT(5)
#define CPU2_WBINVD_EXITING BIT(6)
#define CPU2_UNRESTRICTED BIT(7)
#define CPU2_INVPCID BIT(12)

/* VM-exit (24.7.1) and VM-entry (24.8.1). */
#define EXIT_HOST_64 BIT(9)
#define EXIT_SAVE_PAT BIT(18)
#define EXIT_LOAD_PAT BIT(19)
#define EXIT_SAVE_EFER BIT(20)
#define EXIT_LOAD_EFER BIT(21)
#define EXIT_SAVE_DEBUG BIT(2)
#define ENTRY_LOAD_DEBUG BIT(2)
#define ENTRY_IA32E BIT(9)
#define ENTRY_LOAD_PAT BIT(14)
#define ENTRY_LOAD_EFER BIT(15)

/* EPT and VPID capabilities (A.10). */
#define EPT_CAP_WALK4 BIT(6)
#define EPT_CAP_WB BIT(14)
#define EPT_CAP_2M BIT(16)
#define EPT_CAP_1G BIT(17)
#define EPT_CAP_INVEPT BIT(20)
#define EPT_CAP_AD BIT(21)
#define EPT_CAP_INVEPT_ALL BIT(26)
#define EPT_CAP_INVVPID BIT(32)
#define EPT_CAP_INVVPID_SINGLE BIT(41)
#define EPT_CAP_INVVPID_ALL BIT(42)

struct vmx_caps {
	uint32_t revision;
	uint32_t pin, cpu, cpu2, exit, entry; /* the controls as they are to be written */
	uint64_t ept;
	unsigned phys_bits; /* width of a physical address */
	uint64_t cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
};

extern struct vmx_caps vmx_caps;

/* Reads the capability MSRs and works out the controls.  NULL, or what is missing. */
const char *vmx_caps_init(void);

/*
 * One control word: `required` bits must be possible, `wanted` ones are set
 * where they are; `forbidden` ones must be clearable.  `msr` is the capability
 * MSR's value: bits that must be 1 below, bits that may be 1 above.  False: it
 * cannot be done.  Pure.
 */
bool vmx_control(uint64_t msr, uint32_t required, uint32_t wanted, uint32_t forbidden,
		 uint32_t *out);

#endif
