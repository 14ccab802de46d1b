/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR policy: what a guest reaches, checked, passed or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/vm.h"
#include "fake_apic.h"
#include "x86.h"

#define MAX_PASSED 128
#define KVM_WALL_CLOCK 0x4B564D00u
#define MICROCODE 0x2800000000ULL
#define PLAIN_IPI 0x100000041ULL
#define KVM_SYSTEM_TIME 0x4B564D01u

static struct cfg_vm cfg;
static struct vm vm;
static struct vcpu v;
static struct vcpu_sysregs sys;
static unsigned access_updates, sent;

/* ---- a backend that keeps every MSR, and what surrounds the policy ------------------- */

static struct {
	uint32_t msr;
	uint64_t value;
} kept;

static struct {
	uint32_t msr;
	bool read, write;
} passed[MAX_PASSED];
static unsigned n_passed;

static void get_sysregs(const struct vcpu_hw *hw, struct vcpu_sysregs *s)
{
	(void)hw;
	*s = sys;
}

static bool read_msr(struct vcpu_hw *hw, uint32_t msr, uint64_t *value)
{
	(void)hw;
	*value = msr == kept.msr ? kept.value : 0;
	return true;
}

static bool write_msr(struct vcpu_hw *hw, uint32_t msr, uint64_t value)
{
	(void)hw;
	kept.msr = msr;
	kept.value = value;
	return true;
}

static void allow_msr(struct vcpu_hw *hw, uint32_t msr, bool read, bool write)
{
	assert_ptr_equal(hw, &v.hw);
	assert_in_range(n_passed, 0, MAX_PASSED - 1);
	passed[n_passed].msr = msr;
	passed[n_passed].read = read;
	passed[n_passed++].write = write;
}

static uint64_t microcode(void)
{
	return MICROCODE;
}

static const struct backend fake_backend = {
	.microcode = microcode,
	.get_sysregs = get_sysregs,
	.read_msr = read_msr,
	.write_msr = write_msr,
	.allow_msr = allow_msr,
};
const struct backend *backend = &fake_backend;

void vcpu_update_apic_access(struct vcpu *vcpu)
{
	assert_ptr_equal(vcpu, &v);
	access_updates++;
}

bool ipi_send_plain(struct vcpu *from, uint64_t icr)
{
	assert_ptr_equal(from, &v);
	return icr == PLAIN_IPI;
}

bool kvmclock_set(struct vcpu *vcpu, uint64_t value)
{
	vcpu->kvm_clock = value;
	return value != 0xBAD;
}

bool kvmclock_wall_set(struct vcpu *vcpu, uint64_t gpa)
{
	(void)vcpu;
	return gpa != 0xBAD;
}

static void lapic_send(void *ctx, const struct apic_message *m, unsigned shorthand)
{
	(void)ctx;
	(void)m;
	(void)shorthand;
	sent++;
}

static int setup(void **state)
{
	(void)state;
	fake_apic_reset();
	fake_apic.x2apic = true;
	memset(&vm, 0, sizeof(vm));
	memset(&v, 0, sizeof(v));
	memset(&sys, 0, sizeof(sys));
	memset(&kept, 0, sizeof(kept));
	n_passed = access_updates = sent = 0;
	memset(&cfg, 0, sizeof(cfg));
	vm.cfg = &cfg;
	v.vm = &vm;
	msr_init();
	msr_power_on(&v);
	v.lapic.send = lapic_send;
	vlapic_reset(&v.lapic, false);
	return 0;
}

static bool readable(uint32_t msr)
{
	uint64_t value;

	return msr_read(&v, msr, &value);
}

static uint64_t rd(uint32_t msr)
{
	uint64_t value = 0;

	assert_true(msr_read(&v, msr, &value));
	return value;
}

/* ---- tests -------------------------------------------------------------------------- */

/*
 * FEATURE_CONTROL, counters, machine checks, what lies around the MTRRs, SMRR, VMX, energy, X2APIC
 * while in xAPIC mode, VM_CR, HSAVE_PA, SMM, IBS, and what does not exist.
 */
static void test_refused(void **state)
{
	static const uint32_t msrs[] = {
		0x3A, 0x3B, 0x48, 0x49, 0xC1, 0xE7, 0xFD, 0x10A, 0x179, 0x17A, 0x186, 0x1DB,
		0x1F2, 0x1FF, 0x210, 0x251, 0x25A, 0x267, 0x270, 0x2FE, 0x300, 0x309, 0x345, 0x38F, 0x400, 0x480, 0x491, 0x600,
		0x606, 0x6E0, 0x802, 0x830, 0xDA0, 0xC0000103, 0xC0000104, 0xC0010000,
		0xC0010111, 0xC0010112, 0xC0010113, 0xC0010114, 0xC0010117, 0xC0011030,
		0xC0010030, 0x40000000, 0x4B564D02, 0x7FFFFFFF, 0xFFFFFFFF
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
		if (readable(msrs[i]) || msr_write(&v, msrs[i], 0))
			fail_msg("MSR %x is open", msrs[i]);
	assert_int_equal(kept.msr, 0);
}

static void test_harmless_ones(void **state)
{
	(void)state;
	assert_int_equal(rd(0xC0010015), BIT(24));
	assert_true(msr_write(&v, 0xC0010015, ~0ULL));
	assert_int_equal(rd(0xC0010015), BIT(24));
	assert_false(msr_write(&v, 0xCE, 0));
	assert_int_equal(rd(0xCE) | rd(0x17), 0);
	assert_true(msr_write(&v, 0x1D9, 2));
	assert_int_equal(rd(0x1D9), 0);
	assert_false(msr_write(&v, 0x1D9, BIT(6))); /* trace messages */
	assert_int_equal(rd(0xC0011029) & 2, 2); /* LFENCE serialises */
	assert_int_equal(rd(0x1A0) & 0x1801, 0x1801);
	assert_true(msr_write(&v, 0x1A0, 0));
	assert_false(msr_write(&v, 0xC0010010, 0)); /* SYSCFG can turn on memory encryption */
	assert_true(msr_write(&v, MSR_TSC, 0)); /* swallowed: the TSC is all CPUs' */
	assert_int_equal(kept.msr, 0);
}

/* The host's revision, which neither a guest's 0 nor its update changes; with the KVM leaf and without. */
static void test_microcode(void **state)
{
	(void)state;
	assert_true(rd(0x8B) == MICROCODE);
	assert_true(msr_write(&v, 0x8B, 0));
	assert_true(rd(0x8B) == MICROCODE);
	assert_true(msr_write(&v, 0x79, 0x1000) && msr_write(&v, 0xC0010020, 0x1000));
	assert_false(readable(0x79) || readable(0xC0010020));
	assert_true(rd(0x8B) == MICROCODE);
	cfg.hypervisor_leaf = LEAF_OFF;
	assert_true(rd(0x8B) == MICROCODE);
	assert_int_equal(kept.msr, 0); /* nothing of it reaches the CPU */
}

static void test_efer(void **state)
{
	(void)state;
	sys.efer = EFER_LMA | EFER_LME;
	sys.cr0 = CR0_PG | CR0_PE;
	assert_false(msr_write(&v, MSR_EFER, EFER_LME | EFER_SVME));
	assert_false(msr_write(&v, MSR_EFER, EFER_LME | BIT(13))); /* LMSLE */
	assert_false(msr_write(&v, MSR_EFER, EFER_LME | BIT(63)));
	assert_false(msr_write(&v, MSR_EFER, 0)); /* LME is fixed while paging is on */
	assert_int_equal(kept.msr, 0);
	assert_true(msr_write(&v, MSR_EFER, EFER_LME | EFER_NXE | EFER_SCE));
	assert_true(kept.value == (EFER_LMA | EFER_LME | EFER_NXE | EFER_SCE));
	sys.efer = sys.cr0 = 0;
	assert_true(msr_write(&v, MSR_EFER, EFER_LME | EFER_LMA));
	assert_true(kept.value == EFER_LME); /* LMA is the CPU's */
}

static void test_pat(void **state)
{
	(void)state;
	assert_true(msr_write(&v, MSR_PAT, 0x0007010600070106));
	assert_true(kept.value == 0x0007010600070106);
	for (unsigned i = 0; i < 8; i++) {
		assert_false(msr_write(&v, MSR_PAT, 2ULL << 8 * i));
		assert_false(msr_write(&v, MSR_PAT, 3ULL << 8 * i));
		assert_false(msr_write(&v, MSR_PAT, 8ULL << 8 * i));
		assert_false(msr_write(&v, MSR_PAT, 0x80ULL << 8 * i));
		assert_true(msr_write(&v, MSR_PAT, 5ULL << 8 * i));
	}
}

static void test_apic(void **state)
{
	(void)state;
	assert_true(rd(MSR_APIC_BASE) == 0xFEE00900);
	assert_false(msr_write(&v, MSR_APIC_BASE, 0xFED00900));
	assert_int_equal(access_updates, 0);
	assert_true(msr_write(&v, MSR_APIC_BASE, 0xFEE00D00));
	assert_int_equal(access_updates, 1); /* the x2APIC MSRs are open now */
	assert_int_equal(rd(0x802), 0);
	assert_true(msr_write(&v, 0x80F, 0x1FF));
	assert_false(msr_write(&v, 0x802, 1));
	setup(state);
	fake_apic.x2apic = false;
	assert_false(msr_write(&v, MSR_APIC_BASE, 0xFEE00D00));
	assert_int_equal(vm.lock.next, vm.lock.owner); /* no way out keeps the lock */
}

/* Of the writes only an EOI changes what is passed: the others need not pay for it. */
static void test_x2apic_writes(void **state)
{
	(void)state;
	assert_true(msr_write(&v, MSR_APIC_BASE, 0xFEE00D00));
	access_updates = 0;
	assert_true(msr_write(&v, 0x830, PLAIN_IPI));
	assert_int_equal(sent, 0);
	assert_true(msr_write(&v, 0x830, PLAIN_IPI | 0x40000));
	assert_int_equal(sent, 1);
	assert_true(msr_write(&v, 0x83E, 3));
	assert_int_equal(access_updates, 0);
	assert_true(msr_write(&v, 0x80B, 0));
	assert_int_equal(access_updates, 1);
	assert_int_equal(vm.lock.next, vm.lock.owner);
}

static void test_kvm_clock(void **state)
{
	(void)state;
	assert_true(msr_write(&v, KVM_SYSTEM_TIME, 0x1001));
	assert_int_equal(rd(KVM_SYSTEM_TIME), 0x1001);
	assert_false(msr_write(&v, KVM_SYSTEM_TIME, 0xBAD));
	assert_true(msr_write(&v, KVM_WALL_CLOCK, 0x2000));
	assert_false(msr_write(&v, KVM_WALL_CLOCK, 0xBAD));
	cfg.hypervisor_leaf = LEAF_OFF; /* no leaf, no clock */
	assert_false(readable(KVM_SYSTEM_TIME) || readable(KVM_WALL_CLOCK));
	assert_false(msr_write(&v, KVM_SYSTEM_TIME, 0x1001));
	assert_false(msr_write(&v, KVM_WALL_CLOCK, 0x2000));
}

static void test_mtrr(void **state)
{
	const unsigned phys_bits = cpuid(0x80000008, 0).eax & 0xFF;

	(void)state;
	assert_int_equal(rd(0xFE), 0x508); /* 8 variable, fixed ones, write-combining */
	assert_false(msr_write(&v, 0xFE, 0x508));
	/* What firmware leaves: all write-back but the VGA window and the PCI hole. */
	assert_int_equal(rd(0x2FF), 0xC06);
	assert_true(rd(0x250) == 0x0606060606060606 && rd(0x26F) == 0x0606060606060606);
	assert_int_equal(rd(0x259), 0);
	assert_int_equal(rd(0x200), 0xC0000000);
	assert_true(rd(0x201) == (BIT(phys_bits) - BIT(30) + 0x800));
	assert_int_equal(rd(0x203), 0);

	assert_true(msr_write(&v, 0x2FF, 0xC00));
	assert_int_equal(rd(0x2FF), 0xC00);
	assert_false(msr_write(&v, 0x2FF, 0xC02));
	assert_false(msr_write(&v, 0x2FF, 0x1C06));
	assert_false(msr_write(&v, 0x2FF, 0xD06));
	assert_true(msr_write(&v, 0x258, 0x0001040506060606));
	assert_true(rd(0x258) == 0x0001040506060606);
	assert_false(msr_write(&v, 0x258, 0x0007));
	assert_false(msr_write(&v, 0x258, 0x02ULL << 56));
	assert_true(msr_write(&v, 0x20E, 0x80000006));
	assert_true(msr_write(&v, 0x20F, (BIT(phys_bits) - BIT(20)) | BIT(11)));
	assert_int_equal(rd(0x20E), 0x80000006);
	assert_false(msr_write(&v, 0x20E, 0x80000003));
	assert_false(msr_write(&v, 0x20E, 0x80000106));
	assert_false(msr_write(&v, 0x20E, BIT(phys_bits)));
	assert_false(msr_write(&v, 0x20F, BIT(phys_bits)));
	assert_false(msr_write(&v, 0x20F, BIT(10)));
	assert_int_equal(rd(0x20E), 0x80000006);
	assert_int_equal(kept.msr, 0); /* nothing of it reaches the CPU */
}

static int pass_of(uint32_t msr)
{
	int pass = 0;

	for (unsigned i = 0; i < n_passed; i++)
		if (passed[i].msr == msr)
			pass = passed[i].read | passed[i].write << 1;
	return pass;
}

/* Only what VMRUN and VMLOAD switch, the TSC's reading, and two that are the CPU's own. */
static void test_what_needs_no_exit(void **state)
{
	static const uint32_t both[] = {
		0x174, 0x175, 0x176, 0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084,
		0xC0000100, 0xC0000101, 0xC0000102
	};
	unsigned open = 0, expected = ARRAY_SIZE(both) + 1;

	(void)state;
	msr_apply_policy(&v);
	for (unsigned i = 0; i < ARRAY_SIZE(both); i++)
		assert_int_equal(pass_of(both[i]), 3);
	assert_int_equal(pass_of(MSR_TSC), 1);
	assert_int_equal(pass_of(MSR_EFER) | pass_of(MSR_APIC_BASE) | pass_of(MSR_PAT), 0);
	expected += (cpuid(1, 0).ecx >> 24 & 1) + (cpuid(0x80000001, 0).edx >> 27 & 1);
	for (unsigned i = 0; i < n_passed; i++)
		open += passed[i].read || passed[i].write;
	assert_int_equal(open, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_harmless_ones, setup),
		cmocka_unit_test_setup(test_microcode, setup),
		cmocka_unit_test_setup(test_efer, setup),
		cmocka_unit_test_setup(test_pat, setup),
		cmocka_unit_test_setup(test_apic, setup),
		cmocka_unit_test_setup(test_x2apic_writes, setup),
		cmocka_unit_test_setup(test_kvm_clock, setup),
		cmocka_unit_test_setup(test_mtrr, setup),
		cmocka_unit_test_setup(test_what_needs_no_exit, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
