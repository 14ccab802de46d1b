/* SPDX-License-Identifier: BSD-2-Clause */
/* The AMD backend's VMCB: events, windows, NMI blocking, policy, MSRs (APM vol. 2, 15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_cpu.h"
#include "pool.h"
#include "smp.h"
#include "svm/svm_internal.h"
#include "x86.h"

/* What this test never reaches: entering a guest. */
unsigned n_cpus = 1;

void svm_enter(struct vcpu_regs *regs, uint64_t vmcb_pa, uint64_t host_vmcb_pa)
{
	(void)regs;
	(void)vmcb_pa;
	(void)host_vmcb_pa;
	fail();
}

static uint8_t memory[KIB(128)] ALIGNED(4096);
static struct vcpu_hw v;
static struct vmcb *vmcb;

static int setup(void **state)
{
	(void)state;
	pool_init((uintptr_t)memory, sizeof(memory));
	memset(&v, 0, sizeof(v));
	assert_true(svm_backend.init());
	assert_true(svm_backend.vcpu_create(&v, 3));
	v.second_stage = 0x123000;
	svm_backend.vcpu_reset(&v);
	vmcb = v.control;
	return 0;
}

static void test_microcode(void **state)
{
	(void)state;
	assert_int_equal(svm_backend.microcode(), 0);
	fake_cpu = (struct fake_cpu){ 0x8B, 0x8701030 };
	assert_int_equal(svm_backend.microcode(), 0x8701030);
	fake_cpu.msr = 0;
}

static void inject(enum event_type type, uint8_t vector, bool has_error, uint32_t error)
{
	const struct vm_event e = { type, vector, has_error, error };

	svm_backend.inject(&v, &e);
}

/* SDM vol. 3, table 9-1, and what every guest must run under. */
static void test_reset(void **state)
{
	struct vcpu_sysregs s;

	(void)state;
	svm_backend.get_sysregs(&v, &s);
	assert_int_equal(s.cr0, 0x60000010);
	assert_int_equal(s.cr3 | s.cr4 | s.efer, 0);
	assert_int_equal(s.seg[SEG_CS].base, 0xFFFF0000);
	assert_int_equal(s.seg[SEG_CS].selector, 0xF000);
	assert_int_equal(v.regs.rip, 0xFFF0);
	assert_int_equal(v.regs.rflags, 2);
	assert_int_equal(s.dr6, 0xFFFF0FF0);
	assert_int_equal(s.dr7, 0x400);
	assert_true(vmcb->g_pat == PAT_RESET);
	assert_true(vmcb->efer & EFER_SVME); /* VMRUN demands it */
	assert_int_equal(vmcb->nested_control, 1);
	assert_int_equal(vmcb->nested_cr3, 0x123000);
	assert_true(vmcb->asid != 0);
	assert_true(v.flush);
	assert_int_equal(vmcb->event_inject, 0);
	assert_int_equal(vmcb->vintr, 0); /* no V_INTR_MASKING: IF and TPR are the guest's */
}

/* Bits by number, from the APM's appendix B. */
static void test_policy(void **state)
{
	static const unsigned misc1[] = { 1, 3, 15, 18, 19, 22, 26, 27, 28, 31 };
	uint32_t bits = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(misc1); i++)
		bits |= (uint32_t)BIT(misc1[i]);
	assert_int_equal(vmcb->intercept_misc1, bits); /* neither INTR (0) nor HLT (24) */
	assert_int_equal(vmcb->intercept_misc2 & 0x7E7F, 0x7E7F);
	assert_int_equal(vmcb->intercept_exceptions, BIT(1) | BIT(17) | BIT(18));
	assert_int_equal(vmcb->iopm % PAGE_SIZE | vmcb->msrpm % PAGE_SIZE, 0);
	for (unsigned i = 0; i < 3 * PAGE_SIZE; i++)
		assert_int_equal(((const uint8_t *)(uintptr_t)vmcb->iopm)[i], 0xFF);
}

static void test_inject(void **state)
{
	(void)state;
	assert_false(svm_backend.event_pending(&v));
	inject(EVENT_EXTINT, 0x31, false, 0);
	assert_true(vmcb->event_inject == (BIT(31) | 0x31));
	assert_true(svm_backend.event_pending(&v));
	/* In real mode no exception pushes an error code. */
	inject(EVENT_EXCEPTION, VEC_GP, true, 0xDEAD);
	assert_true(vmcb->event_inject == (BIT(31) | 3 << 8 | 13));
	vmcb->cr0 |= CR0_PE;
	inject(EVENT_EXCEPTION, VEC_PF, true, 0xDEAD);
	assert_true(vmcb->event_inject == (0xDEADULL << 32 | BIT(31) | BIT(11) | 3 << 8 | 14));
	inject(EVENT_EXCEPTION, VEC_UD, false, 0xDEAD);
	assert_true(vmcb->event_inject == (BIT(31) | 3 << 8 | 6));
}

static void test_when_an_event_can_go_in(void **state)
{
	(void)state;
	assert_false(svm_backend.can_take_extint(&v));
	assert_true(svm_backend.can_take_nmi(&v)); /* whatever IF says */
	v.regs.rflags |= RFLAGS_IF;
	assert_true(svm_backend.can_take_extint(&v));
	vmcb->int_shadow = 1;
	assert_false(svm_backend.can_take_extint(&v) || svm_backend.can_take_nmi(&v));
	svm_backend.clear_shadow(&v);
	assert_true(svm_backend.can_take_extint(&v) && svm_backend.can_take_nmi(&v));
	inject(EVENT_EXTINT, 0x31, false, 0);
	assert_false(svm_backend.can_take_extint(&v) || svm_backend.can_take_nmi(&v));
}

static void test_window(void **state)
{
	(void)state;
	svm_backend.want_window(&v, true);
	assert_true(vmcb->vintr & BIT(8));
	assert_true(vmcb->vintr & BIT(20)); /* the guest's TPR is no reason to wait */
	assert_true(vmcb->intercept_misc1 & BIT(4));
	svm_backend.want_window(&v, false);
	assert_false(vmcb->vintr & BIT(8));
	assert_false(vmcb->intercept_misc1 & BIT(4));
}

/* NMIs are blocked from the injection until behind the IRET that ends the handler. */
static void test_nmi_blocking(void **state)
{
	(void)state;
	inject(EVENT_NMI, VEC_NMI, false, 0);
	assert_true(vmcb->event_inject == (BIT(31) | 2 << 8 | 2));
	vmcb->event_inject = 0;
	assert_false(svm_backend.can_take_nmi(&v));
	assert_true(vmcb->intercept_misc1 & BIT(20));
	svm_nmi_iret(&v);
	assert_false(vmcb->intercept_misc1 & BIT(20));
	assert_true(v.regs.rflags & RFLAGS_TF);
	assert_false(svm_backend.can_take_nmi(&v));
	vmcb->dr6 = 0xFFFF0FF0 | BIT(14);
	assert_true(svm_nmi_step_done(&v));
	assert_int_equal(vmcb->dr6, 0xFFFF0FF0); /* the step was not the guest's */
	assert_true(svm_backend.can_take_nmi(&v));
	assert_false(svm_nmi_step_done(&v)); /* the next #DB is */
}

struct resume_row {
	uint64_t from, to;
};

/* EXITINTINFO: type in bits 8 to 10, 11 error code valid, 31 valid. */
static void test_interrupted_delivery(void **state)
{
	static const struct resume_row rows[] = {
		{ 0x0000031, 0 },                                   /* not valid */
		{ 0x80000031, 0x80000031 },                         /* external interrupt */
		{ 0x80000202, 0x80000202 },                         /* NMI */
		{ 0x4500000B0EULL | 1ULL << 31, 0x4580000B0E },     /* #PF with its error code */
		{ 0x80000306, 0x80000306 },                         /* #UD */
		{ 0x80000303, 0 },                                  /* INT3: executed again */
		{ 0x80000304, 0 },                                  /* INTO */
		{ 0x80000480, 0 },                                  /* INT 80h */
		{ 0x80000331, 0x80000031 },                         /* QEMU's external interrupt */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		vmcb->event_inject = 0x80000077; /* what the last entry delivered */
		vmcb->exit_int_info = rows[i].from;
		svm_resume_event(vmcb);
		assert_true(vmcb->event_inject == rows[i].to);
	}
}

/* ---- MSRs ------------------------------------------------------------------------- */

static unsigned denied_bits(void)
{
	const uint8_t *map = v.msr_bitmap;
	unsigned n = 0;

	for (unsigned i = 0; i < 2 * PAGE_SIZE; i++)
		n += (unsigned)__builtin_popcount(map[i]);
	return n;
}

/* 15.11: byte 0 is MSR 0 to 3; 800h C0000000h; 1000h C0010000h; read is the lower bit. */
static void test_msr_bitmap(void **state)
{
	static const struct {
		uint32_t msr, byte, shift;
	} rows[] = {
		{ 0, 0, 0 }, { 0x10, 4, 0 }, { 0x175, 0x5D, 2 }, { 0x1FFF, 0x7FF, 6 },
		{ 0xC0000080, 0x820, 0 }, { 0xC0001FFF, 0xFFF, 6 },
		{ 0xC0010000, 0x1000, 0 }, { 0xC0010015, 0x1005, 2 }, { 0xC0011FFF, 0x17FF, 6 },
	};
	const uint8_t *map = v.msr_bitmap;
	const unsigned all = 2 * PAGE_SIZE * 8;

	(void)state;
	assert_int_equal(denied_bits(), all);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		svm_backend.allow_msr(&v, rows[i].msr, true, false);
		assert_int_equal(map[rows[i].byte] >> rows[i].shift & 3, 2);
		assert_int_equal(denied_bits(), all - 1);
		svm_backend.allow_msr(&v, rows[i].msr, false, true);
		assert_int_equal(map[rows[i].byte] >> rows[i].shift & 3, 1);
		svm_backend.allow_msr(&v, rows[i].msr, true, true);
		assert_int_equal(denied_bits(), all - 2);
		svm_backend.allow_msr(&v, rows[i].msr, false, false);
		assert_int_equal(denied_bits(), all);
	}
}

/* MSRs outside the three ranges always exit; asking for them changes nothing. */
static void test_msrs_without_a_bit(void **state)
{
	static const uint32_t msrs[] = { 0x2000, 0x40000000, 0xBFFFFFFF, 0xC0002000, 0xC000FFFF,
					 0xC0012000, 0xFFFFFFFF };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
		svm_backend.allow_msr(&v, msrs[i], true, true);
	assert_int_equal(denied_bits(), 2 * PAGE_SIZE * 8);
}

static void test_msr_values(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(svm_backend.write_msr(&v, MSR_EFER, EFER_LME));
	assert_int_equal(vmcb->efer, EFER_LME | EFER_SVME);
	assert_true(svm_backend.read_msr(&v, MSR_EFER, &value) && value == EFER_LME);
	assert_true(svm_backend.write_msr(&v, MSR_GS_BASE, 0x1234));
	assert_int_equal(vmcb->seg[SEG_GS].base, 0x1234);
	assert_false(svm_backend.read_msr(&v, 0xC0010117, &value)); /* VM_HSAVE_PA */
	assert_false(svm_backend.write_msr(&v, 0x1B, 0));
}

static void test_sysregs_round_trip(void **state)
{
	struct vcpu_sysregs a, b;

	(void)state;
	memset(&a, 0, sizeof(a));
	for (unsigned i = 0; i < SEG_COUNT; i++)
		a.seg[i] = (struct segment_reg){ i * 0x1000, 0xFFFFFFFF - i, (uint16_t)(8 * i),
						 (uint16_t)(0xC93 | (i & 3) << 5) };
	a.cr0 = 0x80050033;
	a.cr2 = 2;
	a.cr3 = 0x3000;
	a.cr4 = 0x6A0;
	a.efer = EFER_LME | EFER_LMA;
	a.dr6 = 6;
	a.dr7 = 7;
	a.gdtr = (struct table_reg){ 0xFFFF888812345678, 0x7F };
	a.idtr = (struct table_reg){ 0xFFFF888887654321, 0xFFF };
	a.cpl = 3;
	svm_backend.set_sysregs(&v, &a);
	memset(&b, 0, sizeof(b));
	svm_backend.get_sysregs(&v, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	a.seg[SEG_LDTR].attr = (uint16_t)SEG_ATTR_UNUSABLE;
	svm_backend.set_sysregs(&v, &a);
	assert_int_equal(vmcb->ldtr.attr, 0);
	svm_backend.get_sysregs(&v, &b);
	assert_true(b.seg[SEG_LDTR].attr & SEG_ATTR_UNUSABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_microcode, setup),
		cmocka_unit_test_setup(test_policy, setup),
		cmocka_unit_test_setup(test_inject, setup),
		cmocka_unit_test_setup(test_when_an_event_can_go_in, setup),
		cmocka_unit_test_setup(test_window, setup),
		cmocka_unit_test_setup(test_nmi_blocking, setup),
		cmocka_unit_test_setup(test_interrupted_delivery, setup),
		cmocka_unit_test_setup(test_msr_bitmap, setup),
		cmocka_unit_test_setup(test_msrs_without_a_bit, setup),
		cmocka_unit_test_setup(test_msr_values, setup),
		cmocka_unit_test_setup(test_sysregs_round_trip, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
