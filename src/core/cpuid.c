/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest sees of the CPU: the host's leaves, cut down by one table.  A
 * leaf that has no row reads as zero.
 */
#include "kstring.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define MAX_BASIC 0x1Fu
#define EXTENDED 0x80000000u
#define MAX_EXTENDED 0x80000021u
#define KVM_BASE 0x40000000u
#define KVM_FEATURES 0x40000001u

/* KVM's feature bits (Linux, Documentation/virt/kvm/x86/cpuid.rst). */
#define KVM_NOP_IO_DELAY BIT(1)   /* port 0x80 writes need no delay: fewer exits */
#define KVM_CLOCKSOURCE2 BIT(3)   /* kvmclock */
#define KVM_CLOCK_STABLE BIT(24)  /* the TSCs of a guest's CPUs are in step */

#define LEAF1_ECX_OSXSAVE BIT(27)
#define LEAF1_ECX_HYPERVISOR BIT(31)
#define LEAF1_EDX_APIC BIT(9)
#define LEAF1_EDX_HTT BIT(28)
#define LEAF7_ECX_OSPKE BIT(4)
#define XSAVE_LEGACY 512u
#define XSAVE_HEADER 64u
#define XSAVE_SUPERVISOR BIT(0) /* leaf Dh, ECX of a component: it is in IA32_XSS */

/*
 * Leaf 1, ECX: SSE3, PCLMULQDQ, SSSE3, FMA, CMPXCHG16B, PCID, SSE4.1, SSE4.2,
 * x2APIC, MOVBE, POPCNT, TSC deadline, AES, XSAVE, AVX, F16C, RDRAND.  Not:
 * MONITOR (would wait for another guest's CPU), VMX, SMX, EST, TM2 (thermal),
 * debug store, PDCM (performance counters), DCA.
 */
#define LEAF1_ECX                                                                          \
	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) |      \
	 BIT(21) | BIT(22) | BIT(23) | BIT(24) | BIT(25) | BIT(26) | BIT(28) | BIT(29) |   \
	 BIT(30))
/*
 * Leaf 1, EDX: FPU, VME, DE, PSE, TSC, MSR, PAE, CX8, APIC, SEP, MTRR (which
 * are ours: mtrr.h), PGE, CMOV, PAT, PSE36, CLFSH, MMX, FXSR, SSE, SSE2, SS.
 * Not: MCE, MCA (machine checks are the machine's), PSN, DS, ACPI, TM.
 */
#define LEAF1_EDX                                                                          \
	(BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(9) |  \
	 BIT(11) | BIT(12) | BIT(13) | BIT(15) | BIT(16) | BIT(17) | BIT(19) | BIT(23) |   \
	 BIT(24) | BIT(25) | BIT(26) | BIT(27))
/*
 * Leaf 7, EBX: FSGSBASE, BMI1, AVX2, FDP, SMEP, BMI2, ERMS, INVPCID, ZFCS,
 * AVX512F/DQ, RDSEED, ADX, SMAP, IFMA, CLFLUSHOPT, CLWB, AVX512CD, SHA,
 * AVX512BW/VL.  Not: TSC_ADJUST (the TSC stays the machine's), SGX, TSX, MPX,
 * resource monitoring, processor trace.
 */
#define LEAF7_EBX                                                                          \
	(BIT(0) | BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(13) | \
	 BIT(16) | BIT(17) | BIT(18) | BIT(19) | BIT(20) | BIT(21) | BIT(23) | BIT(24) |   \
	 BIT(28) | BIT(29) | BIT(30) | BIT(31))
/* Leaf 7, ECX: VBMI, UMIP, PKU, VBMI2, GFNI, VAES, VPCLMULQDQ, VNNI, BITALG, VPOPCNTDQ, LA57, RDPID. */
#define LEAF7_ECX                                                                          \
	(BIT(1) | BIT(2) | BIT(3) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) |         \
	 BIT(12) | BIT(14) | BIT(16) | BIT(22))
/* Leaf 7, EDX: FSRM, MD_CLEAR. */
#define LEAF7_EDX (BIT(4) | BIT(10))
/*
 * Leaf 80000001h, ECX: LAHF, CMP legacy, CR8, ABM, SSE4A, misaligned SSE,
 * PREFETCHW, XOP, FMA4, TBM, topology extensions.  Not: SVM, SKINIT, IBS, WDT,
 * LWP, OSVW, performance counters, MWAITX.
 */
#define LEAF81_ECX                                                                         \
	(BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(11) | BIT(16) | \
	 BIT(21) | BIT(22))
#define LEAF81_ECX_CMP_LEGACY BIT(1)
/* Leaf 80000021h, EAX: LFENCE serialises, a null selector clears the base.  Not: automatic IBRS. */
#define LEAF8021_EAX (BIT(2) | BIT(6))
/* Leaf 80000001h, EDX: the bits of leaf 1 that AMD repeats, SYSCALL, NX, MMXEXT, FFXSR, 1 GiB pages, RDTSCP, LM, 3DNow. */
#define LEAF81_EDX                                                                         \
	(BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(9) |  \
	 BIT(11) | BIT(12) | BIT(13) | BIT(15) | BIT(16) | BIT(17) | BIT(20) | BIT(22) |   \
	 BIT(23) | BIT(24) | BIT(25) | BIT(26) | BIT(27) | BIT(29) | BIT(30) | BIT(31))

#define ALL 0xFFFFFFFFu

struct row {
	uint32_t eax, ebx, ecx, edx; /* what of the host's value is passed */
	void (*fix)(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r);
};

static unsigned log2_ceil(unsigned n)
{
	return n <= 1 ? 0 : 32u - (unsigned)__builtin_clz(n - 1);
}

static void fix_max_basic(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	(void)v;
	(void)subleaf;
	if (r->eax > MAX_BASIC)
		r->eax = MAX_BASIC;
}

static void fix_features(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	(void)subleaf;
	r->ebx = (r->ebx & 0xFFFF) | v->vm->n_vcpus << 16 | v->index << 24;
	if (v->vm->cfg->hypervisor_leaf != LEAF_OFF)
		r->ecx |= (uint32_t)LEAF1_ECX_HYPERVISOR;
	if (backend->get_cr4(&v->hw) & CR4_OSXSAVE)
		r->ecx |= (uint32_t)LEAF1_ECX_OSXSAVE;
	if (!vlapic_is_enabled(&v->lapic))
		r->edx &= (uint32_t)~LEAF1_EDX_APIC;
	if (v->vm->n_vcpus > 1)
		r->edx |= (uint32_t)LEAF1_EDX_HTT;
}

/* Caches: each vCPU is a core of its own; what the host shares beyond a core, all share. */
static void fix_caches(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	const uint32_t level = r->eax >> 5 & 7;
	const uint32_t last = v->vm->n_vcpus - 1;

	(void)subleaf;
	if ((r->eax & 0x1F) == 0)
		return;
	r->eax = (r->eax & 0x3FFF) | (level >= 3 ? last : 0) << 14 | last << 26;
}

static void fix_extended_features(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	if (subleaf != 0) {
		memset(r, 0, sizeof(*r));
		return;
	}
	r->eax = 0;
	if (backend->get_cr4(&v->hw) & CR4_PKE)
		r->ecx |= (uint32_t)LEAF7_ECX_OSPKE;
}

/* One thread a core, all cores in one package (SDM vol. 2, CPUID leaf 0Bh). */
static void fix_topology(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	const unsigned n = v->vm->n_vcpus;

	*r = (struct cpuid_regs){ .ecx = subleaf & 0xFF, .edx = v->index };
	if (subleaf == 0) {
		r->ebx = 1;
		r->ecx |= 1 << 8;
	} else if (subleaf == 1) {
		r->eax = log2_ceil(n);
		r->ebx = n;
		r->ecx |= 2 << 8;
	}
}

/* What an area with all states that are offered takes; the host's has more of them. */
static uint32_t xsave_size(uint32_t components)
{
	uint32_t size = XSAVE_LEGACY + XSAVE_HEADER;

	for (unsigned i = 2; i < 32; i++) {
		struct cpuid_regs r;

		if (!(components >> i & 1))
			continue;
		r = cpuid(0xD, i);
		if (r.ebx + r.eax > size)
			size = r.ebx + r.eax;
	}
	return size;
}

/*
 * EBX, the size for what is enabled, is right as it comes: the guest's XCR0 is
 * loaded, and IA32_XSS is 0.  Supervisor states (XSAVES) are not offered.
 */
static void fix_xsave(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	(void)v;
	if (subleaf == 0) {
		r->eax &= XCR0_OFFERED;
		r->edx = 0;
		if (r->eax)
			r->ecx = xsave_size(r->eax);
	} else if (subleaf == 1) {
		r->eax &= 7; /* XSAVEOPT, XSAVEC, XGETBV with ECX = 1 */
		r->ecx = r->edx = 0;
	} else if (subleaf >= 32 || !(XCR0_OFFERED >> subleaf & 1) ||
		   (r->ecx & XSAVE_SUPERVISOR)) {
		memset(r, 0, sizeof(*r));
	}
}

static void fix_max_extended(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	(void)v;
	(void)subleaf;
	if (r->eax > MAX_EXTENDED)
		r->eax = MAX_EXTENDED;
}

static void fix_extended_81(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	(void)subleaf;
	if (!vlapic_is_enabled(&v->lapic))
		r->edx &= (uint32_t)~LEAF1_EDX_APIC;
	if (v->vm->n_vcpus == 1)
		r->ecx &= (uint32_t)~LEAF81_ECX_CMP_LEGACY;
}

/* AMD's count of cores (APM vol. 3, E.4.7); where the host has none, the field is reserved. */
static void fix_core_count(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	(void)subleaf;
	if (!r->ecx)
		return;
	r->ecx = log2_ceil(v->vm->n_vcpus) << 12 | (v->vm->n_vcpus - 1);
}

/* AMD's form of fix_caches. */
static void fix_amd_caches(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	const uint32_t level = r->eax >> 5 & 7;

	(void)subleaf;
	if (r->eax & 0x1F)
		r->eax = (r->eax & 0x3FFF) | (level >= 3 ? v->vm->n_vcpus - 1 : 0) << 14;
}

/* One thread a core, one node (APM vol. 3, E.4.17); as leaf Bh says it. */
static void fix_amd_topology(const struct vcpu *v, uint32_t subleaf, struct cpuid_regs *r)
{
	(void)subleaf;
	r->eax = r->ebx = v->index;
}

/* By leaf, so that it is found without a search. */
static const struct row basic[MAX_BASIC + 1] = {
	[0x0] = { ALL, ALL, ALL, ALL, fix_max_basic },
	[0x1] = { ALL, 0xFF00, (uint32_t)LEAF1_ECX, (uint32_t)LEAF1_EDX, fix_features },
	[0x2] = { ALL, ALL, ALL, ALL, NULL },
	[0x4] = { ALL, ALL, ALL, ALL, fix_caches },
	/* Leaf 5, MONITOR: zero.  Leaf 6: only that the APIC timer always runs. */
	[0x6] = { 1u << 2, 0, 0, 0, NULL },
	[0x7] = { 0, (uint32_t)LEAF7_EBX, (uint32_t)LEAF7_ECX, (uint32_t)LEAF7_EDX,
		  fix_extended_features },
	/* Leaf Ah, performance counters: zero. */
	[0xB] = { 0, 0, 0, 0, fix_topology },
	[0xD] = { ALL, ALL, ALL, ALL, fix_xsave },
	/* Fh, 10h, 12h, 14h (resources, SGX, trace): zero.  15h and 16h: the TSC's frequency. */
	[0x15] = { ALL, ALL, ALL, ALL, NULL },
	[0x16] = { ALL, ALL, ALL, ALL, NULL },
	[0x1F] = { 0, 0, 0, 0, fix_topology },
};

/* From 80000000h on. */
static const struct row extended[MAX_EXTENDED - EXTENDED + 1] = {
	[0x00] = { ALL, ALL, ALL, ALL, fix_max_extended },
	[0x01] = { ALL, ALL, (uint32_t)LEAF81_ECX, (uint32_t)LEAF81_EDX, fix_extended_81 },
	/* The processor's name. */
	[0x02] = { ALL, ALL, ALL, ALL, NULL },
	[0x03] = { ALL, ALL, ALL, ALL, NULL },
	[0x04] = { ALL, ALL, ALL, ALL, NULL },
	/* Caches and TLBs. */
	[0x05] = { ALL, ALL, ALL, ALL, NULL },
	[0x06] = { ALL, ALL, ALL, ALL, NULL },
	/* Only the invariant TSC. */
	[0x07] = { 0, 0, 0, 1u << 8, NULL },
	/* Address sizes; CLZERO and XSAVEERPTR. */
	[0x08] = { 0xFFFF, 1u << 0 | 1u << 2, ALL, 0, fix_core_count },
	/* 8000000Ah and 8000001Fh, SVM and SEV: zero.  19h: TLBs for 1 GiB pages. */
	[0x19] = { ALL, ALL, 0, 0, NULL },
	/* Only for topology extensions. */
	[0x1D] = { ALL, ALL, ALL, ALL, fix_amd_caches },
	[0x1E] = { 0, 0, 0, 0, fix_amd_topology },
	[0x21] = { (uint32_t)LEAF8021_EAX, 0, 0, 0, NULL },
};

/* The host's last leaves of both ranges. */
static uint32_t host_basic, host_extended;

void cpuid_init(void)
{
	host_basic = cpuid(0, 0).eax;
	host_extended = cpuid(EXTENDED, 0).eax;
}

static struct cpuid_regs kvm_leaf(uint32_t leaf)
{
	struct cpuid_regs r = { 0 };

	if (leaf == KVM_BASE) {
		r.eax = KVM_FEATURES;
		memcpy(&r.ebx, "KVMK", 4);
		memcpy(&r.ecx, "VMKV", 4);
		memcpy(&r.edx, "M\0\0\0", 4);
	} else if (leaf == KVM_FEATURES) {
		r.eax = (uint32_t)(KVM_NOP_IO_DELAY | KVM_CLOCKSOURCE2 | KVM_CLOCK_STABLE);
	}
	return r;
}

/* NULL: the leaf reads as zero.  Beyond the host's maximum, CPUs return some other leaf. */
static const struct row *find_row(uint32_t leaf)
{
	const uint32_t i = leaf - EXTENDED;

	if (leaf < ARRAY_SIZE(basic))
		return leaf <= host_basic ? &basic[leaf] : NULL;
	return i < ARRAY_SIZE(extended) && leaf <= host_extended ? &extended[i] : NULL;
}

static struct cpuid_regs cut_down(const struct row *row, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r = cpuid(leaf, subleaf);

	r.eax &= row->eax;
	r.ebx &= row->ebx;
	r.ecx &= row->ecx;
	r.edx &= row->edx;
	return r;
}

struct cpuid_regs cpuid_offered(uint32_t leaf, uint32_t subleaf)
{
	const struct row *row = find_row(leaf);

	return row ? cut_down(row, leaf, subleaf) : (struct cpuid_regs){ 0 };
}

void cpuid_emulate(struct vcpu *v)
{
	uint64_t *gpr = v->hw.regs.gpr;
	const uint32_t leaf = (uint32_t)gpr[GPR_RAX], subleaf = (uint32_t)gpr[GPR_RCX];
	const struct row *row = find_row(leaf);
	struct cpuid_regs r;

	if (row) {
		r = cut_down(row, leaf, subleaf);
		if (row->fix)
			row->fix(v, subleaf, &r);
	} else if (leaf >> 8 == KVM_BASE >> 8 && v->vm->cfg->hypervisor_leaf == LEAF_KVM) {
		r = kvm_leaf(leaf);
	} else {
		r = (struct cpuid_regs){ 0 };
	}
	gpr[GPR_RAX] = r.eax;
	gpr[GPR_RBX] = r.ebx;
	gpr[GPR_RCX] = r.ecx;
	gpr[GPR_RDX] = r.edx;
}
