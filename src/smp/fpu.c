/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87 and vector registers.  The hypervisor uses none, so a guest's stay in
 * the CPU over exits; only a guest's start puts them into their first state.
 */
#include "smp.h"
#include "x86.h"

#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_OSXSAVE_HOST BIT(18)
#define CPUID_1_ECX_XSAVE BIT(26)
#define CR0_CLEAR (BIT(2) | BIT(3)) /* EM, TS: would make the instructions below fault */

#define FCW_RESET 0x37F
#define MXCSR_RESET 0x1F80

/* An XSAVE area whose header says "all in their initial state" (SDM vol. 1, 13.6). */
struct xsave_area {
	uint16_t fcw, fsw;
	uint8_t skip[20];
	uint32_t mxcsr;
	uint8_t rest[512 - 28 + 64];
} ALIGNED(64);

_Static_assert(offsetof(struct xsave_area, mxcsr) == 24, "FXSAVE layout");
_Static_assert(sizeof(struct xsave_area) == 576, "legacy region and header");

static const struct xsave_area initial = { .fcw = FCW_RESET, .mxcsr = MXCSR_RESET };

static void xsetbv(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void fpu_set_xcr0(uint64_t value)
{
	xsetbv(value);
}

void fpu_enable_cpu(void)
{
	const bool xsave = cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE;
	uint64_t cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~CR0_CLEAR));
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | (xsave ? CR4_OSXSAVE_HOST : 0));
}

void fpu_reset_cpu(void)
{
	struct cpuid_regs all;

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE)) {
		__asm__ volatile("fxrstor %0" : : "m"(initial));
		return;
	}
	all = cpuid(0xD, 0);
	xsetbv((uint64_t)all.edx << 32 | all.eax);
	__asm__ volatile("xrstor %0" : : "m"(initial), "a"(~0u), "d"(~0u));
	xsetbv(1);
}
