/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual local APIC in x2APIC mode, its mode switches, and who a message is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_apic.h"
#include "vdev_irq.h"
#include "x86.h"

#define XAPIC (APIC_BASE_ADDRESS | APIC_BASE_ENABLE)
#define X2APIC (XAPIC | APIC_BASE_X2APIC)
#define INVALID (APIC_BASE_ADDRESS | APIC_BASE_X2APIC)
#define MSR_OF(reg) (MSR_X2APIC_FIRST + (uint32_t)(reg) / 16)

static struct vlapic l;
static struct apic_message last;
static unsigned sent, shorthand;

static void send(void *ctx, const struct apic_message *m, unsigned sh)
{
	(void)ctx;
	last = *m;
	shorthand = sh;
	sent++;
}

static void eoi(void *ctx, uint8_t vector)
{
	(void)ctx;
	(void)vector;
}

static int setup(void **state)
{
	(void)state;
	fake_apic_reset();
	l = (struct vlapic){ .id = 0x23, .send = send, .eoi = eoi, .ctx = &l };
	vlapic_reset(&l, false);
	sent = 0;
	return 0;
}

static int setup_x2apic(void **state)
{
	setup(state);
	assert_true(vlapic_write_base(&l, X2APIC, true));
	assert_true(vlapic_msr_write(&l, MSR_OF(APIC_SVR), 0x1FF));
	return 0;
}

static uint64_t rd(enum apic_reg reg)
{
	uint64_t v = ~0ULL;

	assert_true(vlapic_msr_read(&l, MSR_OF(reg), &v));
	return v;
}

static bool wr(enum apic_reg reg, uint64_t value)
{
	return vlapic_msr_write(&l, MSR_OF(reg), value);
}

/* The transitions of figure 11-24; all others raise #GP. */
static void test_mode_switches(void **state)
{
	static const uint64_t modes[] = { APIC_BASE_ADDRESS, XAPIC, X2APIC, INVALID };
	static const bool allowed[4][4] = {
		{ true, true, false, false }, /* from disabled */
		{ true, true, true, false },  /* from xAPIC */
		{ true, false, true, false }, /* from x2APIC */
	};

	(void)state;
	for (unsigned from = 0; from < 3; from++)
		for (unsigned to = 0; to < 4; to++) {
			l.base_msr = modes[from];
			assert_int_equal(vlapic_write_base(&l, modes[to], true),
					 allowed[from][to]);
			assert_true(l.base_msr == modes[allowed[from][to] ? to : from]);
		}
}

static void test_base_is_checked(void **state)
{
	(void)state;
	assert_false(vlapic_write_base(&l, X2APIC, false)); /* the machine has none */
	assert_false(vlapic_write_base(&l, XAPIC + 0x1000, true));
	assert_false(vlapic_write_base(&l, XAPIC | BIT(52), true));
	assert_false(vlapic_write_base(&l, XAPIC | 1, true));
	assert_true(vlapic_write_base(&l, XAPIC | APIC_BASE_BSP, true));
	assert_int_equal(l.base_msr & APIC_BASE_BSP, 0); /* who the boot CPU is stays so */
}

static void test_disabling_resets(void **state)
{
	uint32_t v;

	(void)state;
	assert_true(wr(APIC_LVT_TIMER, 0x20040));
	assert_true(wr(APIC_TIMER_INITIAL, 1000));
	fake_apic_serve(0x41);
	l.tmr[1] = 1;
	assert_true(vlapic_write_base(&l, APIC_BASE_ADDRESS, true));
	assert_true(fake_apic_wrote(APIC_LVT_TIMER, &v) && v == APIC_LVT_MASKED);
	assert_true(fake_apic_wrote(APIC_TIMER_INITIAL, &v) && v == 0);
	assert_int_equal(apic_read(APIC_ISR + 0x20) | apic_read(APIC_IRR + 0x20), 0);
	assert_int_equal(l.tmr[1], 0);
	assert_false(vlapic_is_enabled(&l) || vlapic_is_x2apic(&l));
	assert_true(vlapic_write_base(&l, XAPIC, true));
	assert_int_equal(vlapic_mmio_read(&l, APIC_SVR), 0xFF);
	assert_int_equal(vlapic_mmio_read(&l, APIC_LVT_TIMER), APIC_LVT_MASKED);
}

static void test_init_keeps_the_mode(void **state)
{
	(void)state;
	vlapic_reset(&l, true);
	assert_true(vlapic_is_x2apic(&l));
	assert_int_equal(rd(APIC_SVR), 0xFF);
	vlapic_reset(&l, false);
	assert_false(vlapic_is_x2apic(&l));
}

static void test_msrs_need_x2apic(void **state)
{
	uint64_t v;

	(void)state;
	for (uint32_t msr = MSR_X2APIC_FIRST; msr <= MSR_X2APIC_LAST; msr++) {
		assert_false(vlapic_msr_read(&l, msr, &v));
		assert_false(vlapic_msr_write(&l, msr, 0));
	}
	assert_int_equal(sent, 0);
}

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(rd(APIC_ID), 0x23);
	assert_int_equal(rd(APIC_LDR), 0x00020008); /* cluster 2, the fourth of it */
	assert_false(wr(APIC_ID, 1));
	assert_false(wr(APIC_LDR, 1));
	assert_false(wr(APIC_VERSION, 1));
}

/* Table 11-6: what does not exist, is write-only or read-only raises #GP. */
static void test_every_msr(void **state)
{
	static const enum apic_reg writable[] = {
		APIC_TPR, APIC_EOI, APIC_SVR, APIC_ESR, APIC_ICR, APIC_LVT_TIMER,
		APIC_LVT_THERMAL, APIC_LVT_PERF, APIC_LVT_LINT0, APIC_LVT_LINT1,
		APIC_LVT_ERROR, APIC_TIMER_INITIAL, APIC_TIMER_DIVIDE, APIC_SELF_IPI
	};
	static const enum apic_reg unreadable[] = {
		APIC_APR, APIC_EOI, APIC_RRD, APIC_DFR, APIC_LVT_CMCI, APIC_ICR_HIGH,
		APIC_SELF_IPI, 0, 0x10, 0x290, 0x3A0
	};
	unsigned n = 0;
	uint64_t v;

	(void)state;
	for (uint32_t msr = MSR_X2APIC_FIRST; msr <= MSR_X2APIC_LAST; msr++)
		n += vlapic_msr_write(&l, msr, 0);
	assert_int_equal(n, ARRAY_SIZE(writable));
	for (unsigned i = 0; i < ARRAY_SIZE(writable); i++)
		assert_true(wr(writable[i], 0));
	for (unsigned i = 0; i < ARRAY_SIZE(unreadable); i++)
		assert_false(vlapic_msr_read(&l, MSR_OF(unreadable[i]), &v));
	for (uint32_t msr = MSR_X2APIC_FIRST + 0x40; msr <= MSR_X2APIC_LAST; msr++)
		assert_false(vlapic_msr_read(&l, msr, &v));
}

static void test_reserved_bits_fault(void **state)
{
	(void)state;
	assert_false(wr(APIC_EOI, 1));
	assert_false(wr(APIC_ESR, 1));
	assert_false(wr(APIC_TPR, 0x100));
	assert_false(wr(APIC_TIMER_DIVIDE, 4));
	assert_false(wr(APIC_SELF_IPI, 0x100));
	assert_false(wr(APIC_SVR, 0x400));
	assert_true(wr(APIC_SVR, 0x3FF)); /* Linux sets bit 9 */
	assert_false(wr(APIC_LVT_TIMER, 0x60040));
	assert_false(wr(APIC_LVT_TIMER, 0x400));
	assert_false(wr(APIC_LVT_ERROR, 0x20000));
	assert_false(wr(APIC_LVT_LINT0, 0x20000));
	assert_true(wr(APIC_LVT_LINT0, 0x1F7FF)); /* with delivery status and Remote IRR */
	assert_int_equal(rd(APIC_LVT_LINT0), 0x1A7FF);
	assert_false(wr(APIC_TIMER_INITIAL, BIT(32)));
	assert_false(wr(APIC_ICR, 0x1031));
	assert_false(wr(APIC_ICR, 0x100031));
	assert_int_equal(sent, 0);
}

static void test_icr_is_one_register(void **state)
{
	(void)state;
	assert_true(wr(APIC_ICR, 0x12345678ULL << 32 | 0x00000841));
	assert_int_equal(sent, 1);
	assert_true(last.dest == 0x12345678 && last.x2apic && last.logical);
	assert_int_equal(last.vector, 0x41);
	assert_int_equal(shorthand, SHORT_NONE);
	assert_true(rd(APIC_ICR) == (0x12345678ULL << 32 | 0x841));
	assert_true(wr(APIC_SELF_IPI, 0x52));
	assert_int_equal(last.vector, 0x52);
	assert_int_equal(last.delivery, APIC_FIXED);
	assert_int_equal(shorthand, SHORT_SELF);
}

/* ---- destinations ----------------------------------------------------------- */

static bool hits(uint32_t dest, bool logical, bool x2)
{
	const struct apic_message m = { .dest = dest, .logical = logical, .x2apic = x2 };

	return vlapic_matches(&l, &m);
}

static void test_xapic_destinations(void **state)
{
	(void)state;
	assert_true(hits(0x23, false, false));
	assert_false(hits(0x22, false, false));
	assert_true(hits(0xFF, false, false));
	assert_false(hits(0x04, true, false)); /* no logical ID yet */
	assert_true(hits(0xFF, true, false));
	vlapic_mmio_write(&l, APIC_LDR, 0x04000000);
	assert_true(hits(0x04, true, false));
	assert_true(hits(0x0C, true, false));
	assert_false(hits(0x08, true, false));
	/* Clusters: the upper half names one, the lower half is a mask. */
	vlapic_mmio_write(&l, APIC_DFR, 0x0FFFFFFF);
	vlapic_mmio_write(&l, APIC_LDR, 0x24000000);
	assert_true(hits(0x24, true, false));
	assert_false(hits(0x34, true, false));
	assert_false(hits(0x23, true, false));
	assert_true(hits(0xF4, true, false));
	vlapic_write_base(&l, APIC_BASE_ADDRESS, true);
	assert_false(hits(0x23, false, false));
	assert_false(hits(0xFF, false, false));
}

static void test_x2apic_destinations(void **state)
{
	(void)state;
	assert_true(hits(0x23, false, true));
	assert_false(hits(0x123, false, true));
	assert_false(hits(0xFF, false, true)); /* a CPU's ID, no broadcast */
	assert_true(hits(0xFFFFFFFF, false, true));
	assert_true(hits(0xFFFFFFFF, true, true));
	assert_true(hits(0x00020008, true, true));
	assert_true(hits(0x0002FFFF, true, true));
	assert_false(hits(0x00020004, true, true));
	assert_false(hits(0x00010008, true, true));
	/* The I/O APIC has eight bits in every mode. */
	assert_true(hits(0x23, false, false));
	assert_true(hits(0xFF, false, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_mode_switches, setup),
		cmocka_unit_test_setup(test_base_is_checked, setup),
		cmocka_unit_test_setup(test_disabling_resets, setup_x2apic),
		cmocka_unit_test_setup(test_init_keeps_the_mode, setup_x2apic),
		cmocka_unit_test_setup(test_msrs_need_x2apic, setup),
		cmocka_unit_test_setup(test_identity, setup_x2apic),
		cmocka_unit_test_setup(test_every_msr, setup_x2apic),
		cmocka_unit_test_setup(test_reserved_bits_fault, setup_x2apic),
		cmocka_unit_test_setup(test_icr_is_one_register, setup_x2apic),
		cmocka_unit_test_setup(test_xapic_destinations, setup),
		cmocka_unit_test_setup(test_x2apic_destinations, setup_x2apic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
