/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where cached translations have to go (SDM vol. 3, 28.4.3.3).  There are two
 * places: a CPU that begins to use VMX drops everything, and a guest CPU that
 * is reset, or whose EFER or PAT was written for it, drops what is tagged with
 * its VPID.  The EPT entries of a guest never change after boot, so INVEPT for
 * one guest is never needed.
 */
#include "vmx_internal.h"

#define TYPE_SINGLE 1u
#define TYPE_ALL 2u
#define EPTP_WB 6ULL
#define EPTP_WALK4 (3ULL << 3)
#define EPTP_AD BIT(6)

struct invalidation {
	uint64_t what, address;
};

static void invept(uint64_t type, uint64_t eptp)
{
	const struct invalidation d = { eptp, 0 };

	__asm__ volatile("invept %0, %1" : : "m"(d), "r"(type) : "cc", "memory");
}

static void invvpid(uint64_t type, uint16_t vpid)
{
	const struct invalidation d = { vpid, 0 };

	__asm__ volatile("invvpid %0, %1" : : "m"(d), "r"(type) : "cc", "memory");
}

void vmx_flush_cpu(void)
{
	if ((vmx_caps.ept & EPT_CAP_INVEPT) && (vmx_caps.ept & EPT_CAP_INVEPT_ALL))
		invept(TYPE_ALL, 0);
	if ((vmx_caps.ept & EPT_CAP_INVVPID) && (vmx_caps.ept & EPT_CAP_INVVPID_ALL))
		invvpid(TYPE_ALL, 0);
}

void vmx_flush_guest(const struct vcpu_hw *v)
{
	/* Without VPIDs every entry and exit flushes by itself (28.4.3.1). */
	if (!(vmx_caps.cpu2 & CPU2_VPID))
		return;
	if ((vmx_caps.ept & EPT_CAP_INVVPID) && (vmx_caps.ept & EPT_CAP_INVVPID_SINGLE))
		invvpid(TYPE_SINGLE, v->asid);
	else
		vmx_flush_cpu();
}

uint64_t vmx_ept_pointer(uint64_t root)
{
	return root | EPTP_WB | EPTP_WALK4 | (vmx_caps.ept & EPT_CAP_AD ? EPTP_AD : 0);
}
