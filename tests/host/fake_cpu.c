/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_cpu.h"

#include "smp.h"

struct fake_cpu fake_cpu;

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	if (!fake_cpu.msr || msr != fake_cpu.msr)
		return false;
	*value = fake_cpu.value;
	return true;
}
