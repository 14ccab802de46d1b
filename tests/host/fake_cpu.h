/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSRs that a CPU may lack, for rdmsr_safe: this one lacks all but one. */
#ifndef FAKE_CPU_H
#define FAKE_CPU_H

#include "types.h"

struct fake_cpu {
	uint32_t msr; /* 0: there is none */
	uint64_t value;
};

extern struct fake_cpu fake_cpu;

#endif
