/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where cached translations have to go (SDM vol. 3, 28.4.3.3 and 28.4.3.4).
 *
 * - A CPU that begins to use VMX drops everything: firmware or another
 *   hypervisor may have left translations under our EPTPs and VPIDs.
 * - A guest CPU that is reset drops what is tagged with its VPID: INIT ends
 *   all translations, and a restarted guest's page tables are other ones.
 * - So it does after a MOV to CR0 that was emulated, and after a write of EFER
 *   or PAT that was: the CPU would have dropped them by itself.
 *
 * A guest's EPT entries never change after boot, so no INVEPT for one guest.
 * No emulator shows a call that is missing here: they drop everything at each
 * entry and exit.  The unit test of these call sites is all there is.
 */
#include "insn.h"
#include "vmx_internal.h"

#define EPTP_WB 6ULL
#define EPTP_WALK4 (3ULL << 3)
#define EPTP_AD BIT(6)

void vmx_flush_cpu(void)
{
	if ((vmx_caps.ept & EPT_CAP_INVEPT) && (vmx_caps.ept & EPT_CAP_INVEPT_ALL))
		insn_invept(INVALIDATE_ALL, 0);
	if ((vmx_caps.ept & EPT_CAP_INVVPID) && (vmx_caps.ept & EPT_CAP_INVVPID_ALL))
		insn_invvpid(INVALIDATE_ALL, 0);
}

void vmx_flush_guest(const struct vcpu_hw *v)
{
	/* Without VPIDs every entry and exit flushes by itself (28.4.3.1). */
	if (!(vmx_caps.cpu2 & CPU2_VPID))
		return;
	if ((vmx_caps.ept & EPT_CAP_INVVPID) && (vmx_caps.ept & EPT_CAP_INVVPID_SINGLE))
		insn_invvpid(INVALIDATE_SINGLE, v->asid);
	else
		vmx_flush_cpu();
}

uint64_t vmx_ept_pointer(uint64_t root)
{
	return root | EPTP_WB | EPTP_WALK4 | (vmx_caps.ept & EPT_CAP_AD ? EPTP_AD : 0);
}
