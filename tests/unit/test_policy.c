/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUID shows a guest, on a CPU that claims to have everything and on
 * one that has nothing.  The source is compiled here with our CPUID.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "x86.h"

static struct cpuid_regs fake_cpuid(uint32_t leaf, uint32_t subleaf);
#define cpuid fake_cpuid
#include "../../src/core/cpuid.c"
#undef cpuid

static bool has_all;
static uint32_t max_leaf; /* of both ranges, without bit 31 */
static struct vcpu_sysregs sys;
static struct cfg_vm cfg;
static struct vm vm;
static struct vcpu v;

static bool xsave_sizes;
static const struct {
	uint32_t component, size, offset;
} areas[] = {
	{ 2, 256, 576 },  { 3, 64, 960 },   { 4, 64, 1024 },   { 5, 64, 1088 }, { 6, 512, 1152 },
	{ 7, 1024, 1664 }, { 9, 8, 2688 }, { 17, 64, 2752 }, { 18, 8192, 2816 },
};

static struct cpuid_regs fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	memset(&r, has_all ? 0xFF : 0, sizeof(r));
	/* AVX, the states of MPX and AVX-512, PKRU, and AMX beyond all. */
	for (unsigned i = 0; xsave_sizes && leaf == 0xD && i < ARRAY_SIZE(areas); i++)
		if (areas[i].component == subleaf)
			return (struct cpuid_regs){ areas[i].size, areas[i].offset, 0, 0 };
	if ((leaf & 0x7FFFFFFF) == 0)
		r.eax = leaf + max_leaf;
	return r;
}

static uint64_t get_cr4(const struct vcpu_hw *hw)
{
	assert_ptr_equal(hw, &v.hw);
	return sys.cr4;
}

static const struct backend fake_backend = { .get_cr4 = get_cr4 };
const struct backend *backend = &fake_backend;

static int setup(void **state)
{
	(void)state;
	has_all = true;
	max_leaf = 0x30;
	memset(&sys, 0, sizeof(sys));
	memset(&vm, 0, sizeof(vm));
	memset(&v, 0, sizeof(v));
	memset(&cfg, 0, sizeof(cfg));
	vm.cfg = &cfg;
	vm.n_vcpus = 4;
	v.vm = &vm;
	v.index = 2;
	v.lapic.base_msr = APIC_BASE_ADDRESS | APIC_BASE_ENABLE;
	return 0;
}

static struct cpuid_regs guest(uint32_t leaf, uint32_t subleaf)
{
	uint64_t *gpr = v.hw.regs.gpr;

	memset(gpr, 0xFF, sizeof(v.hw.regs.gpr));
	gpr[GPR_RAX] = 0xFFFFFFFF00000000 | leaf;
	gpr[GPR_RCX] = 0xFFFFFFFF00000000 | subleaf;
	cpuid_init(); /* a test changes the host's CPU */
	cpuid_emulate(&v);
	/* The upper halves are cleared; no other register is touched. */
	assert_int_equal((gpr[GPR_RAX] | gpr[GPR_RBX] | gpr[GPR_RCX] | gpr[GPR_RDX]) >> 32, 0);
	assert_true(gpr[GPR_RSI] == ~0ULL && gpr[GPR_RSP] == ~0ULL);
	return (struct cpuid_regs){ (uint32_t)gpr[GPR_RAX], (uint32_t)gpr[GPR_RBX],
				    (uint32_t)gpr[GPR_RCX], (uint32_t)gpr[GPR_RDX] };
}

static bool is_zero(struct cpuid_regs r)
{
	return !(r.eax | r.ebx | r.ecx | r.edx);
}

static void assert_hidden(uint32_t value, const uint8_t *bits, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (value & BIT(bits[i]))
			fail_msg("bit %u is visible", bits[i]);
}

#define HIDDEN(value, ...)                                                  \
	assert_hidden(value, (const uint8_t[]){ __VA_ARGS__ },              \
		      sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* DTES64, MONITOR, DS-CPL, VMX, SMX, EST, TM2, CNXT-ID, SDBG, xTPR, PDCM, DCA; MCE, MCA,
 * PSN, DS, ACPI, TM, PBE. */
static void test_leaf_1(void **state)
{
	const struct cpuid_regs r = guest(1, 0);

	(void)state;
	HIDDEN(r.ecx, 2, 3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 16, 18);
	HIDDEN(r.edx, 7, 10, 14, 18, 20, 21, 22, 29, 30, 31);
	assert_true(r.ecx & BIT(31)); /* a hypervisor is present */
	assert_true(r.ecx & BIT(21)); /* x2APIC */
	assert_true(r.edx & BIT(9));
	assert_int_equal(r.ebx, 2u << 24 | 4u << 16 | 0xFF00);
}

/* OSXSAVE and the APIC bit follow the guest's own registers, not the host's. */
static void test_bits_that_change(void **state)
{
	(void)state;
	assert_false(guest(1, 0).ecx & BIT(27));
	sys.cr4 = CR4_OSXSAVE;
	assert_true(guest(1, 0).ecx & BIT(27));
	assert_false(guest(7, 0).ecx & BIT(4));
	sys.cr4 = CR4_PKE;
	assert_true(guest(7, 0).ecx & BIT(4));
	v.lapic.base_msr = APIC_BASE_ADDRESS;
	assert_false(guest(1, 0).edx & BIT(9));
	assert_false(guest(0x80000001, 0).edx & BIT(9));
	vm.n_vcpus = 1;
	assert_false(guest(1, 0).edx & BIT(28));
}

/* TSC_ADJUST, SGX, HLE, RDT-M, RTM, MPX, RDT-A, processor trace; WAITPKG, CET, TME, SGX_LC; no
 * speculation control, PCONFIG, architectural LBRs, AMX, CET_IBT. */
static void test_leaf_7(void **state)
{
	const struct cpuid_regs r = guest(7, 0);

	(void)state;
	HIDDEN(r.ebx, 1, 2, 4, 11, 12, 14, 15, 25);
	HIDDEN(r.ecx, 0, 5, 7, 13, 30);
	HIDDEN(r.edx, 18, 19, 20, 22, 24, 25, 26, 27, 28, 29, 30, 31);
	assert_int_equal(r.eax, 0);
	assert_true(is_zero(guest(7, 1)));
}

/* SVM, extended APIC space, OSVW, IBS, SKINIT, WDT, LWP, counters, MWAITX. */
static void test_extended_features(void **state)
{
	const struct cpuid_regs r = guest(0x80000001, 0);

	(void)state;
	HIDDEN(r.ecx, 2, 3, 9, 10, 12, 13, 15, 23, 24, 28, 29);
	HIDDEN(r.edx, 7, 14);
	assert_true(r.edx & BIT(29)); /* long mode */
	assert_int_equal(guest(0x80000007, 0).edx, BIT(8));
	assert_int_equal(guest(0x80000007, 0).eax, 0);
	assert_int_equal(guest(0x80000008, 0).ebx & ~5u, 0);
	assert_int_equal(guest(0x80000008, 0).ecx, 2 << 12 | 3);
	assert_int_equal(guest(0x80000008, 0).eax, 0xFFFF);
	assert_int_equal(guest(0x80000021, 0).eax, 1 << 2 | 1 << 6); /* no automatic IBRS */
	vm.n_vcpus = 1;
	assert_false(guest(0x80000001, 0).ecx & BIT(1)); /* more cores than one */
}

static void test_maximum_leaves(void **state)
{
	(void)state;
	assert_int_equal(guest(0, 0).eax, 0x1F);
	assert_int_equal(guest(0x80000000, 0).eax, 0x80000021);
	assert_int_equal(guest(0x40000000, 0).eax, 0x40000001);
	max_leaf = 7;
	assert_int_equal(guest(0, 0).eax, 7);
	/* Beyond its maximum a CPU answers with another leaf's values. */
	assert_true(is_zero(guest(0xD, 0)) && is_zero(guest(0x15, 0)));
	assert_true(is_zero(guest(0x80000019, 0)));
}

/* MONITOR, counters, PQoS, SGX, trace, SVM, IBS, SEV...: no row, no answer. */
static void test_unknown_leaves_are_zero(void **state)
{
	static const uint32_t leaves[] = {
		0x3, 0x5, 0x8, 0x9, 0xA, 0xC, 0xE, 0xF, 0x10, 0x11, 0x12, 0x13, 0x14, 0x17,
		0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x20, 0x21, 0x40000002, 0x400000FF,
		0x40000100, 0x80000009, 0x8000000A, 0x8000001A, 0x8000001B, 0x8000001C,
		0x8000001F, 0x80000020, 0x80000022, 0xC0000000, 0x12345678, 0xFFFFFFFF
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++)
		if (!is_zero(guest(leaves[i], 0)) || !is_zero(guest(leaves[i], 5)))
			fail_msg("leaf %x is visible", leaves[i]);
}

/* On a CPU without features the guest sees only what Bulkhead itself provides. */
static void test_nothing_is_invented(void **state)
{
	struct cpuid_regs r;

	(void)state;
	has_all = false;
	r = guest(1, 0);
	assert_int_equal(r.ecx, BIT(31));
	assert_int_equal(r.edx, BIT(28));
	assert_true(is_zero(guest(7, 0)) && is_zero(guest(0xD, 1)) && is_zero(guest(4, 0)));
	assert_true(is_zero(guest(0x80000001, 0)) && is_zero(guest(6, 0)));
}

/* The MP table says what the guest's own CPUID says of a CPU that has just been reset. */
static void test_offered(void **state)
{
	struct cpuid_regs now, offered;

	(void)state;
	now = guest(1, 0);
	offered = cpuid_offered(1, 0);
	assert_int_equal(offered.eax, now.eax);
	assert_int_equal(offered.edx | BIT(28), now.edx); /* several CPUs are the guest's, no feature */
	HIDDEN(offered.edx, 7, 14);
	v.lapic.base_msr = APIC_BASE_ADDRESS;
	assert_int_equal(cpuid_offered(1, 0).edx, offered.edx);
	assert_true(is_zero(cpuid_offered(0xA, 0)));
}

static void test_kvm_leaf(void **state)
{
	struct cpuid_regs r = guest(0x40000000, 0);
	char signature[13] = { 0 };

	(void)state;
	memcpy(signature, &r.ebx, 4);
	memcpy(signature + 4, &r.ecx, 4);
	memcpy(signature + 8, &r.edx, 4);
	assert_string_equal(signature, "KVMKVMKVM");
	/* No delay for port 80h, kvmclock, a stable TSC; not steal time, not async faults. */
	assert_int_equal(guest(0x40000001, 0).eax, BIT(1) | BIT(3) | BIT(24));
}

/* hypervisor-leaf = off: nothing says that this is no real machine. */
static void test_no_hypervisor_leaf(void **state)
{
	(void)state;
	cfg.hypervisor_leaf = LEAF_OFF;
	assert_false(guest(1, 0).ecx & BIT(31));
	assert_true(is_zero(guest(0x40000000, 0)) && is_zero(guest(0x40000001, 0)));
}

static void test_amd_topology(void **state)
{
	struct cpuid_regs r = guest(0x8000001E, 0);

	(void)state;
	assert_true(r.eax == 2 && r.ebx == 2 && r.ecx == 0 && r.edx == 0);
	r.eax = 7u << 14 | 1u << 5 | 1;
	fix_amd_caches(&v, 0, &r);
	assert_int_equal(r.eax, 1u << 5 | 1);
	r.eax = 7u << 14 | 3u << 5 | 3;
	fix_amd_caches(&v, 0, &r);
	assert_int_equal(r.eax, 3u << 14 | 3u << 5 | 3);
	has_all = false; /* not AMD: the field is reserved */
	assert_int_equal(guest(0x80000008, 0).ecx, 0);
}

static void test_topology(void **state)
{
	static const uint32_t leaves[] = { 0xB, 0x1F };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct cpuid_regs r = guest(leaves[i], 0);

		assert_true(r.eax == 0 && r.ebx == 1 && r.ecx == 0x100 && r.edx == 2);
		r = guest(leaves[i], 1);
		assert_true(r.eax == 2 && r.ebx == 4 && r.ecx == 0x201 && r.edx == 2);
		r = guest(leaves[i], 2);
		assert_true(r.eax == 0 && r.ebx == 0 && r.ecx == 2 && r.edx == 2);
	}
	vm.n_vcpus = 5;
	assert_int_equal(guest(0xB, 1).eax, 3); /* five CPUs need three bits */
	vm.n_vcpus = 1;
	assert_int_equal(guest(0xB, 1).eax, 0);
}

/* The guest's own CPUs share the last level and nothing below it. */
static void test_caches(void **state)
{
	struct cpuid_regs r = { .eax = 3u << 26 | 7u << 14 | 1u << 5 | 1 };

	(void)state;
	fix_caches(&v, 0, &r);
	assert_int_equal(r.eax, 3u << 26 | 1u << 5 | 1);
	r.eax = 3u << 5 | 3;
	fix_caches(&v, 0, &r);
	assert_int_equal(r.eax, 3u << 26 | 3u << 14 | 3u << 5 | 3);
	r.eax = 0xFFFFFFE0; /* no more caches */
	fix_caches(&v, 0, &r);
	assert_int_equal(r.eax & 0x1F, 0);
}

static void test_xsave(void **state)
{
	struct cpuid_regs user = { 64, 832, 0, 0 };

	(void)state;
	assert_int_equal(guest(0xD, 0).eax & ~XCR0_OFFERED, 0);
	assert_int_equal(guest(0xD, 0).edx, 0);
	assert_int_equal(guest(0xD, 1).eax, 7); /* no XSAVES */
	assert_int_equal(guest(0xD, 1).ecx | guest(0xD, 1).edx, 0);
	/* Room for the states that are offered, not for all that the host has. */
	xsave_sizes = true;
	assert_int_equal(guest(0xD, 0).ecx, 2696);
	xsave_sizes = false;
	fix_xsave(&v, 9, &user);
	assert_int_equal(user.ebx, 832);
	user.ecx = 1;
	fix_xsave(&v, 9, &user);
	assert_true(is_zero(user));
	assert_true(is_zero(guest(0xD, 8))); /* a state of IA32_XSS */
	assert_true(is_zero(guest(0xD, 63)) && is_zero(guest(0xD, 0xFFFFFFFF)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_leaf_1, setup),
		cmocka_unit_test_setup(test_bits_that_change, setup),
		cmocka_unit_test_setup(test_leaf_7, setup),
		cmocka_unit_test_setup(test_extended_features, setup),
		cmocka_unit_test_setup(test_maximum_leaves, setup),
		cmocka_unit_test_setup(test_unknown_leaves_are_zero, setup),
		cmocka_unit_test_setup(test_nothing_is_invented, setup),
		cmocka_unit_test_setup(test_offered, setup),
		cmocka_unit_test_setup(test_kvm_leaf, setup),
		cmocka_unit_test_setup(test_no_hypervisor_leaf, setup),
		cmocka_unit_test_setup(test_amd_topology, setup),
		cmocka_unit_test_setup(test_topology, setup),
		cmocka_unit_test_setup(test_caches, setup),
		cmocka_unit_test_setup(test_xsave, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
