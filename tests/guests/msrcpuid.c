/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUID offers, what MSRs do and what the MP table says: they have to agree (SDM vol. 2, CPUID; vol. 4). */
#include "apic.h"
#include "guest.h"
#include "irq.h"

#define MSR_UNKNOWN 0x12345u
#define MSR_PAT 0x277u
#define MSR_MTRR_CAP 0xFEu
#define MSR_MTRR_DEF 0x2FFu
#define MSR_MTRR_BASE0 0x200u
#define MSR_MTRR_MASK0 0x201u
#define MSR_MTRR_FIX64K 0x250u
#define MSR_STAR 0xC0000081u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_VM_CR 0xC0010114u
#define MSR_VMX_BASIC 0x480u
#define MSR_PERF_GLOBAL 0x38Fu

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_NXE BIT(11)
#define EFER_RESERVED BIT(9)

#define LEAF1_ECX_MONITOR BIT(3)
#define LEAF1_ECX_VMX BIT(5)
#define LEAF1_ECX_XSAVE BIT(26)
#define LEAF1_ECX_OSXSAVE BIT(27)
#define LEAF1_EDX_MTRR BIT(12)
#define LEAF1_EDX_PAT BIT(16)
#define LEAF81_ECX_SVM BIT(2)
#define LEAF81_EDX_NX BIT(20)
#define LEAF_EXTENDED 0x80000000u
#define LEGACY_AREA 576 /* x87, SSE and the XSAVE header */
#define PAT_RESET 0x0007040600070406ULL

/* MultiProcessor Specification 1.4, 4.1 to 4.3.1. */
#define MP_FIRST 0xF0000u
#define MP_END 0x100000u
#define MP_PARAGRAPH 16u
#define MP_SIGNATURE 0x5F504D5Fu /* "_MP_" */
#define MP_HEADER 44u
#define MP_FEATURES 0x381u /* FPU, MCE, CX8, APIC: the bits of table 4-6 */

struct mp_processor {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features;
};

static uint64_t read_or_ones(uint32_t msr)
{
	uint64_t value;

	return try_rdmsr(msr, &value) ? value : ~0ULL;
}

static void check_faults(void)
{
	uint64_t value;

	check("pat-at-reset", read_or_ones(MSR_PAT), PAT_RESET);
	check("unknown-msr-read-faults", try_rdmsr(MSR_UNKNOWN, &value), false);
	check("fault-is-gp", fault_vector << 16 | fault_error, EXC_GP << 16);
	check("unknown-msr-write-faults", try_wrmsr(MSR_UNKNOWN, 0), false);
	check("unknown-extended-msr-faults", try_rdmsr(0xC0123456u, &value), false);
	check("reserved-efer-bit-faults", try_wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_RESERVED), false);
	check("bad-pat-faults", try_wrmsr(MSR_PAT, 0x02), false);
}

static void check_storage(void)
{
	const uint64_t efer = rdmsr(MSR_EFER);

	check("sysenter-keeps", try_wrmsr(MSR_SYSENTER_ESP, 0x1000), true);
	check("sysenter-reads", rdmsr(MSR_SYSENTER_ESP), 0x1000);
	check("star-keeps", try_wrmsr(MSR_STAR, 0x0010000800000000ULL), true);
	check("star-reads", rdmsr(MSR_STAR), 0x0010000800000000ULL);
	check("efer-sce", try_wrmsr(MSR_EFER, efer | EFER_SCE) && (rdmsr(MSR_EFER) & EFER_SCE), true);
	if (cpuid(LEAF_EXTENDED + 1, 0).edx & LEAF81_EDX_NX)
		check("efer-nx", try_wrmsr(MSR_EFER, efer | EFER_NXE) &&
					  (rdmsr(MSR_EFER) & EFER_NXE), true);
	wrmsr(MSR_EFER, efer);
	check("pat-keeps", try_wrmsr(MSR_PAT, 0x0007010600070406ULL), true);
	check("pat-reads", read_or_ones(MSR_PAT), 0x0007010600070406ULL);
	wrmsr(MSR_PAT, PAT_RESET);
}

static void check_mtrrs(void)
{
	uint64_t cap, def;

	if (!(cpuid(1, 0).edx & LEAF1_EDX_MTRR)) {
		skip("mtrr", "the CPU has none");
		check("mtrr-cap-faults-then", try_rdmsr(MSR_MTRR_CAP, &cap), false);
		return;
	}
	check("mtrr-cap", try_rdmsr(MSR_MTRR_CAP, &cap), true);
	check("mtrr-def", try_rdmsr(MSR_MTRR_DEF, &def), true);
	check("mtrr-cap-write-faults", try_wrmsr(MSR_MTRR_CAP, cap), false);
	if ((cap & 0xFF) == 0) {
		check("mtrr-variable-fault-then", try_rdmsr(MSR_MTRR_BASE0, &cap), false);
		return;
	}
	check("mtrr-variable-keeps", try_wrmsr(MSR_MTRR_BASE0, 0xC0000006), true);
	check("mtrr-variable-reads", read_or_ones(MSR_MTRR_BASE0), 0xC0000006);
	check("mtrr-bad-type-faults", try_wrmsr(MSR_MTRR_BASE0, 0xC0000002), false);
	check("mtrr-mask-bit-11-only", try_wrmsr(MSR_MTRR_MASK0, 0xF0000001), false);
	wrmsr(MSR_MTRR_BASE0, 0);
}

static void check_hidden(void)
{
	const struct cpuid one = cpuid(1, 0);
	uint64_t value;

	if (one.ecx & LEAF1_ECX_VMX)
		skip("vmx", "the CPU offers it");
	else
		check("no-vmx-no-msr", try_rdmsr(MSR_VMX_BASIC, &value), false);
	if (cpuid(LEAF_EXTENDED + 1, 0).ecx & LEAF81_ECX_SVM)
		skip("svm", "the CPU offers it");
	else
		check("no-svm-no-efer-bit", try_wrmsr(MSR_EFER, rdmsr(MSR_EFER) | BIT(12)), false);
	if (cpuid(0, 0).eax >= 0xA && (cpuid(0xA, 0).eax & 0xFF))
		skip("pmu", "the CPU offers it");
	else
		check("no-pmu-no-msr", try_rdmsr(MSR_PERF_GLOBAL, &value), false);
	check("vmx-and-svm-not-both", (one.ecx & LEAF1_ECX_VMX) &&
	      (cpuid(LEAF_EXTENDED + 1, 0).ecx & LEAF81_ECX_SVM), false);
}

static void check_leaves(void)
{
	const struct cpuid zero = cpuid(0, 0), extended = cpuid(LEAF_EXTENDED, 0);
	const uint32_t sizes = cpuid(LEAF_EXTENDED + 8, 0).eax;

	check_range("maximum", zero.eax, 1, 0xFF);
	check_range("maximum-extended", extended.eax, LEAF_EXTENDED + 8, LEAF_EXTENDED + 0xFF);
	check_range("physical-address-bits", sizes & 0xFF, 32, 52);
	check_range("linear-address-bits", sizes >> 8 & 0xFF, 48, 57);
	check("no-leaf-beyond-hypervisor", cpuid(0x40000100, 0).eax == 0x4B4D564B, false);
	check_true("long-mode", cpuid(LEAF_EXTENDED + 1, 0).edx & BIT(29));
}

static void check_topology(void)
{
	if (cpuid(0, 0).eax < 0xB || !cpuid(0xB, 0).ebx) {
		skip("topology", "there is no leaf 0xB");
		return;
	}
	check("leaf-b-level-0-is-threads", cpuid(0xB, 0).ecx >> 8 & 0xFF, 1);
	check("leaf-b-level-1-is-cores", cpuid(0xB, 1).ecx >> 8 & 0xFF, 2);
	check("leaf-b-ends", cpuid(0xB, 2).ecx >> 8 & 0xFF, 0);
	check("leaf-b-echoes-its-number", cpuid(0xB, 1).ecx & 0xFF, 1);
	check_true("leaf-b-shift-grows", cpuid(0xB, 1).eax >= cpuid(0xB, 0).eax);
}

static bool try_xsetbv(uint64_t value)
{
	uint32_t failed = 1;

	__asm__ volatile("1: xsetbv\n\txorl %0, %0\n2:\n\t" FIXUP
			 : "+r"(failed) : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
	return !failed;
}

static void set_osxsave(bool on)
{
	uintptr_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 = on ? cr4 | CR4_OSXSAVE : cr4 & ~(uintptr_t)CR4_OSXSAVE;
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

static void check_xsave(void)
{
	uint32_t largest;

	if (!(cpuid(1, 0).ecx & LEAF1_ECX_XSAVE)) {
		skip("xsave", "the CPU has none");
		return;
	}
	check("osxsave-follows-cr4", cpuid(1, 0).ecx & LEAF1_ECX_OSXSAVE, 0);
	set_osxsave(true);
	check("osxsave-shows", cpuid(1, 0).ecx & LEAF1_ECX_OSXSAVE, LEAF1_ECX_OSXSAVE);
	check("xcr0-x87-sse", try_xsetbv(3), true);
	check("xsave-size-of-sse", cpuid(0xD, 0).ebx, LEGACY_AREA);
	largest = cpuid(0xD, 0).ecx;
	check_range("xsave-largest", largest, LEGACY_AREA, 16384);
	check("xcr0-without-x87-faults", try_xsetbv(2), false);
	check("xcr0-unknown-bit-faults", try_xsetbv(3 | 1ULL << 62), false);
	if (cpuid(0xD, 0).eax & BIT(2)) {
		const struct cpuid avx = cpuid(0xD, 2);

		check("xcr0-avx", try_xsetbv(7), true);
		check("xsave-size-of-avx", cpuid(0xD, 0).ebx, avx.ebx + avx.eax);
		check("xcr0-avx-without-sse-faults", try_xsetbv(5), false);
	}
	check("xcr0-all-that-is-offered", try_xsetbv(cpuid(0xD, 0).eax |
						    (uint64_t)cpuid(0xD, 0).edx << 32), true);
	check("xsave-size-of-all", cpuid(0xD, 0).ebx, largest);
	try_xsetbv(1);
	set_osxsave(false);
}

/* The first processor of the MP table; NULL: there is no table. */
static const struct mp_processor *mp_processor(void)
{
	for (uintptr_t at = MP_FIRST; at < MP_END; at += MP_PARAGRAPH) {
		const volatile uint32_t *floating = (const volatile uint32_t *)at;

		if (floating[0] == MP_SIGNATURE && floating[1])
			return (const struct mp_processor *)(uintptr_t)(floating[1] + MP_HEADER);
	}
	return NULL;
}

static void check_mp_table(void)
{
	const struct mp_processor *p = mp_processor();

	if (!p) {
		skip("mp-table", "there is none");
		return;
	}
	check("mp-type", p->type, 0);
	check("mp-signature-is-cpuids", p->signature, cpuid(1, 0).eax);
	check("mp-features-are-cpuids", p->features & MP_FEATURES, cpuid(1, 0).edx & MP_FEATURES);
}

void guest_main(void)
{
	check_faults();
	check_storage();
	check_mtrrs();
	check_hidden();
	check_leaves();
	check_topology();
	check_xsave();
	check_mp_table();
}
