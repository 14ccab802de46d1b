/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel VMX: recognised, so that the refusal says what is the matter.  Guests
 * run on AMD SVM in this version.
 */
#include "backend.h"
#include "x86.h"

#define CPUID_1_ECX_VMX BIT(5)

static const char *probe(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_VMX))
		return BACKEND_ABSENT;
	return "this CPU offers Intel VMX; this version of Bulkhead runs guests on AMD SVM only "
	       "(in QEMU: -accel tcg -cpu max)";
}

const struct backend vmx_backend = {
	.name = "Intel VMX",
	.probe = probe,
};
