/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp.h"

/* A CPU that lacks every MSR that may be missing. */
bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	(void)msr;
	(void)value;
	return false;
}
