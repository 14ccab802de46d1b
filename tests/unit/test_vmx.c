/* SPDX-License-Identifier: BSD-2-Clause */
/* The Intel backend: reset, controls, MSRs, events, entries, invalidations. */
#include "vmx_fixture.h"

#include "fake_cpu.h"

static void test_enable(void **state)
{
	(void)state;
	assert_true(fake_vmx.vmxon);
	assert_true(fake_vmx.cr4 & CR4_VMXE);
	/* Locked without VMX: refused, and no #GP from the attempt. */
	fake_vmx.vmxon = false;
	fake_vmx_set_msr(0x3A, 1);
	assert_false(vmx_backend.cpu_enable());
	assert_false(fake_vmx.vmxon);
	/* Left open by the firmware: set and locked. */
	fake_vmx_set_msr(0x3A, 0);
	fake_vmx.cr0 &= ~CR0_NE;
	assert_true(vmx_backend.cpu_enable());
	assert_true(fake_vmx.vmxon && (fake_vmx.cr0 & CR0_NE));
	for (unsigned i = 0; i < fake_vmx.n_msrs; i++)
		if (fake_vmx.msr[i].msr == 0x3A)
			assert_int_equal(fake_vmx.msr[i].value, 5);
}

/* Not what firmware's own loader left in the register; and a CPU need not have it. */
static void test_microcode(void **state)
{
	(void)state;
	fake_vmx.microcode = 0x2800000000;
	fake_vmx_set_msr(0x8B, 0x1234);
	assert_int_equal(vmx_backend.microcode(), 0);
	fake_cpu = (struct fake_cpu){ 0x8B, 0x1234 };
	assert_true(vmx_backend.microcode() == 0x2800000000);
	fake_cpu.msr = 0;
}

/* SDM vol. 3, table 9-1, as the guest sees it and as the entry's checks want it. */
static void test_reset(void **state)
{
	struct vcpu_sysregs s;

	(void)state;
	vmx_backend.get_sysregs(&v, &s);
	assert_int_equal(s.cr0, 0x60000010);
	assert_int_equal(s.cr3 | s.cr4 | s.efer, 0);
	assert_int_equal(s.seg[SEG_CS].base, 0xFFFF0000);
	assert_int_equal(s.seg[SEG_CS].selector, 0xF000);
	assert_int_equal(s.seg[SEG_TR].attr, 0x8B);
	assert_int_equal(v.regs.rip, 0xFFF0);
	assert_int_equal(s.dr7, 0x400);
	assert_int_equal(s.cpl, 0);
	/* For real: numeric errors native, caches on, VMXE. */
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_CR0), 0x30);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_CR4), 0x2000);
	fake_vmcs_set(VMCS_GUEST_RFLAGS, v.regs.rflags);
	fake_vmcs_set(VMCS_GUEST_RIP, v.regs.rip);
	assert_null(vmx_broken_rule());
}

static void test_policy(void **state)
{
	(void)state;
	assert_int_equal(fake_vmcs_get(VMCS_EXCEPTION_BITMAP), BIT(1) | BIT(17) | BIT(18));
	assert_int_equal(fake_vmcs_get(VMCS_VPID), 4); /* 0 is the host's */
	assert_int_equal(fake_vmcs_get(VMCS_EPT_POINTER), 0x123000 | 6 | 3 << 3 | BIT(6));
	assert_int_equal(fake_vmcs_get(VMCS_MSR_BITMAP), (uintptr_t)v.msr_bitmap);
	assert_int_equal(fake_vmcs_get(VMCS_VMCS_LINK_POINTER), ~0ULL);
	assert_int_equal(fake_vmcs_get(VMCS_CR4_MASK), CR4_VMXE);
	for (unsigned i = 0; i < PAGE_SIZE; i++) {
		assert_int_equal(((uint8_t *)(uintptr_t)fake_vmcs_get(VMCS_IO_BITMAP_A))[i], 0xFF);
		assert_int_equal(((uint8_t *)(uintptr_t)fake_vmcs_get(VMCS_IO_BITMAP_B))[i], 0xFF);
	}
}

/* 26.2.2 and 26.2.3: the host's state is the one that runs. */
static void test_host_state(void **state)
{
	(void)state;
	assert_int_equal(fake_vmcs_get(VMCS_HOST_CR0), fake_vmx.cr0);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_CR3), fake_vmx.cr3);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_CR4), fake_vmx.cr4);
	assert_true(fake_vmcs_get(VMCS_HOST_CR4) & CR4_VMXE);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_EFER), 0xD01);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_PAT), PAT_RESET);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_CS_SELECTOR), GDT_CODE);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_TR_SELECTOR), GDT_TSS);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_GS_BASE), (uintptr_t)this_cpu());
	assert_int_equal(fake_vmcs_get(VMCS_HOST_TR_BASE), (uintptr_t)&this_cpu()->tss);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_GDTR_BASE), 0x1000);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_IDTR_BASE), 0x2000);
	assert_int_equal(fake_vmcs_get(VMCS_HOST_RIP), (uintptr_t)vmx_exit_point);
}

/* 24.6.9: where the bits of an MSR are. */
static void test_msr_bitmap(void **state)
{
	static const struct {
		uint32_t msr;
		unsigned read, write; /* bit numbers in the page */
	} rows[] = {
		{ 0, 0, 2048 * 8 },
		{ 0x1FFF, 0x1FFF, 2048 * 8 + 0x1FFF },
		{ 0xC0000000, 1024 * 8, 3072 * 8 },
		{ 0xC0000082, 1024 * 8 + 0x82, 3072 * 8 + 0x82 },
		{ 0xC0001FFF, 1024 * 8 + 0x1FFF, 3072 * 8 + 0x1FFF },
	};
	static const uint32_t outside[] = { 0x2000, 0xBFFFFFFF, 0xC0002000, 0xC0010000, 0xFFFFFFFF };
	uint8_t expected[PAGE_SIZE];

	(void)state;
	memset(expected, 0xFF, sizeof(expected));
	assert_memory_equal(v.msr_bitmap, expected, PAGE_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		vmx_backend.allow_msr(&v, rows[i].msr, true, false);
		expected[rows[i].read / 8] ^= (uint8_t)(1u << rows[i].read % 8);
		assert_memory_equal(v.msr_bitmap, expected, PAGE_SIZE);
		vmx_backend.allow_msr(&v, rows[i].msr, false, true);
		expected[rows[i].read / 8] ^= (uint8_t)(1u << rows[i].read % 8);
		expected[rows[i].write / 8] ^= (uint8_t)(1u << rows[i].write % 8);
		assert_memory_equal(v.msr_bitmap, expected, PAGE_SIZE);
		vmx_backend.allow_msr(&v, rows[i].msr, false, false);
		expected[rows[i].write / 8] ^= (uint8_t)(1u << rows[i].write % 8);
		assert_memory_equal(v.msr_bitmap, expected, PAGE_SIZE);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
		vmx_backend.allow_msr(&v, outside[i], true, true);
		assert_memory_equal(v.msr_bitmap, expected, PAGE_SIZE);
	}
}

static void test_inject(void **state)
{
	(void)state;
	to_protected_mode(false);
	fake_vmcs_set(VMCS_GUEST_ACTIVITY, 1);
	inject(EVENT_EXTINT, 0x31, false, 0);
	assert_int_equal(fake_vmcs_get(VMCS_ENTRY_INTERRUPTION), BIT(31) | 0x31);
	assert_true(vmx_backend.event_pending(&v));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_ACTIVITY), 0); /* out of HLT */
	inject(EVENT_EXCEPTION, VEC_PF, true, 0xDEAD);
	assert_int_equal(fake_vmcs_get(VMCS_ENTRY_INTERRUPTION), BIT(31) | BIT(11) | 3 << 8 | 14);
	assert_int_equal(fake_vmcs_get(VMCS_ENTRY_ERROR_CODE), 0xDEAD);
	inject(EVENT_NMI, 2, false, 0);
	assert_int_equal(fake_vmcs_get(VMCS_ENTRY_INTERRUPTION), BIT(31) | 2 << 8 | 2);
}

/* A #GP with an error code in real mode makes the entry fail (26.2.1.3). */
static void test_no_error_code_in_real_mode(void **state)
{
	(void)state;
	inject(EVENT_EXCEPTION, VEC_GP, true, 0);
	assert_int_equal(fake_vmcs_get(VMCS_ENTRY_INTERRUPTION), BIT(31) | 3 << 8 | 13);
}

static void test_when_an_event_can_go_in(void **state)
{
	(void)state;
	assert_false(vmx_backend.can_take_extint(&v));
	assert_true(vmx_backend.can_take_nmi(&v));
	v.regs.rflags |= RFLAGS_IF;
	assert_true(vmx_backend.can_take_extint(&v));
	for (unsigned shadow = BLOCKING_STI; shadow <= BLOCKING_MOV_SS; shadow <<= 1) {
		fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, shadow);
		assert_false(vmx_backend.can_take_extint(&v) || vmx_backend.can_take_nmi(&v));
		vmx_backend.clear_shadow(&v);
		assert_true(vmx_backend.can_take_extint(&v) && vmx_backend.can_take_nmi(&v));
	}
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_NMI | BLOCKING_STI);
	vmx_backend.clear_shadow(&v); /* an NMI in service stays that */
	assert_true(vmx_backend.can_take_extint(&v) && !vmx_backend.can_take_nmi(&v));
	inject(EVENT_EXTINT, 0x31, false, 0);
	assert_false(vmx_backend.can_take_extint(&v));
}

/* The NMI window may be open in STI's shadow: a window that helps nobody. */
static void test_nmi_behind_sti(void **state)
{
	(void)state;
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_STI);
	vmx_backend.want_nmi_window(&v);
	assert_false(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_NMI_WINDOW);
	assert_true(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_INTERRUPT_WINDOW);
	vmx_backend.want_window(&v, false); /* the 8259's want is another one */
	assert_true(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_INTERRUPT_WINDOW);
	decode(7, 0);
	assert_false(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_INTERRUPT_WINDOW);
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_NMI);
	vmx_backend.want_nmi_window(&v);
	assert_true(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_NMI_WINDOW);
}

/* Rights come back as they were, in every bit that both forms have. */
static void test_segment_rights(void **state)
{
	static const struct {
		uint16_t attr;
		uint64_t rights;
	} rows[] = {
		{ 0x093, 0x93 },   { 0xC9B, 0xC09B },   { 0xA9B, 0xA09B },    { 0x1000, 0x10000 },
		{ 0x0F3, 0xF3 },   { 0xFFF, 0xF0FF },   { 0x1060, 0x10060 },
	};
	struct vcpu_sysregs s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		vmx_backend.get_sysregs(&v, &s);
		s.seg[SEG_SS] = (struct segment_reg){ 0x1230, 0xFFFF, 0x123, rows[i].attr };
		vmx_backend.set_sysregs(&v, &s);
		assert_int_equal(fake_vmcs_get(VMCS_GUEST_SS_RIGHTS), rows[i].rights);
		memset(&s, 0, sizeof(s));
		vmx_backend.get_sysregs(&v, &s);
		assert_int_equal(s.seg[SEG_SS].attr, rows[i].attr);
		assert_int_equal(s.seg[SEG_SS].base, 0x1230);
		assert_int_equal(s.cpl, rows[i].attr >> 5 & 3);
	}
}

static void test_msrs(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(vmx_backend.write_msr(&v, MSR_SYSENTER_EIP, 0x1234));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_SYSENTER_EIP), 0x1234);
	assert_true(vmx_backend.write_msr(&v, MSR_LSTAR, 0x5678)); /* stays in the CPU */
	assert_true(vmx_backend.read_msr(&v, MSR_LSTAR, &value) && value == 0x5678);
	assert_false(vmx_backend.read_msr(&v, 0x3A, &value));
	assert_false(vmx_backend.write_msr(&v, 0x480, 0));
}

/* ---- entries ------------------------------------------------------------------------ */

static unsigned enter_cpuid(struct vcpu_regs *regs)
{
	(void)regs;
	fake_vmcs_set(VMCS_EXIT_REASON, 10);
	fake_vmcs_set(VMCS_GUEST_RIP, 0x7777);
	return VMX_ENTERED;
}

static unsigned enter_late_failure(struct vcpu_regs *regs)
{
	(void)regs;
	fake_vmcs_set(VMCS_EXIT_REASON, BIT(31) | 33);
	return VMX_ENTERED;
}

static unsigned enter_early_failure(struct vcpu_regs *regs)
{
	(void)regs;
	fake_vmcs_set(VMCS_INSTRUCTION_ERROR, 7);
	return VMX_ENTRY_FAILED;
}

static unsigned enter_cancelled(struct vcpu_regs *regs)
{
	(void)regs;
	return VMX_ENTRY_CANCELLED;
}

static void test_run(void **state)
{
	(void)state;
	v.regs.rip = 0x1111;
	fake_vmx.enter = enter_cancelled;
	vmx_backend.run(&v, &e);
	assert_int_equal(e.kind, EXIT_NMI);
	fake_vmx.enter = enter_late_failure;
	vmx_backend.run(&v, &e);
	assert_int_equal(e.kind, EXIT_INVALID_STATE);
	assert_int_equal(v.regs.rip, 0x1111);
	fake_vmx.enter = enter_early_failure;
	vmx_backend.run(&v, &e);
	assert_int_equal(e.kind, EXIT_INVALID_STATE);
	assert_int_equal(e.code, 7);
	fake_vmx.enter = enter_cpuid;
	vmx_backend.run(&v, &e);
	assert_int_equal(fake_vmx.entered_launched, 0); /* none of those launched it */
	assert_int_equal(e.kind, EXIT_CPUID);
	assert_int_equal(v.regs.rip, 0x7777);
	vmx_backend.run(&v, &e);
	assert_int_equal(fake_vmx.entered_launched, 1);
	vmx_backend.vcpu_reset(&v); /* VMCLEAR: launched anew */
	vmx_backend.run(&v, &e);
	assert_int_equal(fake_vmx.entered_launched, 0);
	assert_int_equal(fake_vmx.n_clears, 2);
}

/* ---- where translations go: no emulator would show a missing one ----------------------- */

static void expect_flush(unsigned n, bool vpid, unsigned type, uint64_t what)
{
	assert_int_equal(fake_vmx.n_invalidated, n);
	assert_int_equal(fake_vmx.invalidated[n - 1].vpid, vpid);
	assert_int_equal(fake_vmx.invalidated[n - 1].type, type);
	assert_int_equal(fake_vmx.invalidated[n - 1].what, what);
}

static void test_flush_when_vmx_begins(void **state)
{
	(void)state;
	assert_int_equal(fake_vmx.n_invalidated, 2);
	assert_false(fake_vmx.invalidated[0].vpid);
	assert_int_equal(fake_vmx.invalidated[0].type, 2);
	expect_flush(2, true, 2, 0);
}

static void test_flush_at_entry(void **state)
{
	(void)state;
	fake_vmx.enter = enter_cpuid;
	fake_vmx.n_invalidated = 0;
	vmx_backend.run(&v, &e); /* after reset */
	expect_flush(1, true, 1, 4);
	vmx_backend.run(&v, &e); /* not at every entry */
	assert_int_equal(fake_vmx.n_invalidated, 1);
	vmx_backend.write_msr(&v, MSR_EFER, EFER_NXE);
	vmx_backend.run(&v, &e);
	expect_flush(2, true, 1, 4);
	vmx_backend.write_msr(&v, MSR_PAT, PAT_RESET);
	vmx_backend.run(&v, &e);
	expect_flush(3, true, 1, 4);
	vmx_backend.write_msr(&v, MSR_SYSENTER_CS, 8);
	vmx_backend.run(&v, &e);
	assert_int_equal(fake_vmx.n_invalidated, 3);
	v.regs.gpr[GPR_RAX] = CR0_ET; /* caches on: an emulated MOV to CR0 */
	decode(28, 0);
	vmx_backend.run(&v, &e);
	expect_flush(4, true, 1, 4);
	vmx_backend.vcpu_reset(&v); /* a restarted guest's memory is new */
	vmx_backend.run(&v, &e);
	expect_flush(5, true, 1, 4);
}

static void test_flush_with_less(void **state)
{
	(void)state;
	fake_vmx.enter = enter_cpuid;
	fake_vmx.n_invalidated = 0;
	vmx_caps.ept &= ~EPT_CAP_INVVPID_SINGLE;
	vmx_backend.run(&v, &e);
	expect_flush(2, true, 2, 0); /* then everything */
	vmx_caps.cpu2 &= (uint32_t)~CPU2_VPID;
	v.flush = true;
	vmx_backend.run(&v, &e); /* no tags: entries and exits flush */
	assert_int_equal(fake_vmx.n_invalidated, 2);
	assert_false(v.flush);
}

#define TEST(f) cmocka_unit_test_setup(f, vmx_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_enable), TEST(test_microcode), TEST(test_reset),
		TEST(test_policy), TEST(test_host_state),
		TEST(test_msr_bitmap), TEST(test_inject), TEST(test_no_error_code_in_real_mode),
		TEST(test_when_an_event_can_go_in), TEST(test_nmi_behind_sti),
		TEST(test_segment_rights), TEST(test_msrs), TEST(test_run),
		TEST(test_flush_when_vmx_begins), TEST(test_flush_at_entry),
		TEST(test_flush_with_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
