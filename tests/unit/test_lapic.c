/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is virtual of the local APIC, by the registers of the xAPIC page (SDM
 * vol. 3, chapter 11).  The fake APIC below aborts on a write that would
 * fault on the real machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_apic.h"
#include "vdev_irq.h"
#include "x86.h"

#define ID 3
#define ENABLED 0x1FF
#define MASKED 0x10000u
#define PERIODIC 0x20000u
#define DEADLINE 0x40000u

static struct vlapic l;
static struct apic_message last;
static unsigned sent, shorthand, eois;
static uint8_t eoi_vector;

static void send(void *ctx, const struct apic_message *m, unsigned sh)
{
	assert_ptr_equal(ctx, &l);
	last = *m;
	shorthand = sh;
	sent++;
}

static void eoi(void *ctx, uint8_t vector)
{
	assert_ptr_equal(ctx, &l);
	eoi_vector = vector;
	eois++;
}

static int setup(void **state)
{
	(void)state;
	fake_apic_reset();
	l = (struct vlapic){ .id = ID, .send = send, .eoi = eoi, .ctx = &l };
	vlapic_reset(&l, false);
	fake_apic_forget_writes();
	sent = eois = 0;
	return 0;
}

static uint32_t rd(uint32_t reg)
{
	return vlapic_mmio_read(&l, reg);
}

static void wr(uint32_t reg, uint32_t value)
{
	vlapic_mmio_write(&l, reg, value);
}

/* 11.4.7.1: the state after power-up. */
static void test_reset_state(void **state)
{
	(void)state;
	assert_int_equal(rd(APIC_ID), ID << 24);
	assert_int_equal(rd(APIC_VERSION), 0x00050014);
	assert_int_equal(rd(APIC_SVR), 0xFF);
	assert_int_equal(rd(APIC_LDR), 0);
	assert_int_equal(rd(APIC_DFR), 0xFFFFFFFF);
	assert_int_equal(rd(APIC_ICR) | rd(APIC_ICR_HIGH), 0);
	for (uint32_t reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg += 16)
		assert_int_equal(rd(reg), MASKED);
	assert_true(vlapic_is_enabled(&l));
	assert_false(vlapic_is_x2apic(&l) || vlapic_software_enabled(&l));
	assert_int_equal(l.base_msr & APIC_BASE_BSP, 0);
	l.id = 0;
	vlapic_reset(&l, false);
	assert_true(l.base_msr & APIC_BASE_BSP);
}

static void test_identity_is_not_written(void **state)
{
	(void)state;
	wr(APIC_ID, 0x07000000);
	wr(APIC_VERSION, 0);
	wr(APIC_ISR, 0xFFFFFFFF);
	wr(APIC_TIMER_CURRENT, 5);
	assert_int_equal(rd(APIC_ID), ID << 24);
	assert_int_equal(fake_apic.n_writes, 0);
	wr(APIC_LDR, 0x12345678);
	assert_int_equal(rd(APIC_LDR), 0x12000000);
	wr(APIC_DFR, 0);
	assert_int_equal(rd(APIC_DFR), 0x0FFFFFFF);
}

static void test_whole_page(void **state)
{
	(void)state;
	for (uint32_t offset = 0; offset < PAGE_SIZE; offset++) {
		if (offset != APIC_ICR) {
			wr(offset, 0xFFFFFFFF);
			wr(offset, 0x5A5A5A5A);
		}
		(void)rd(offset);
	}
	assert_int_equal(sent, 0);
}

/* 11.4.7.2: software-disabled, every LVT entry is masked and stays so. */
static void test_software_disable(void **state)
{
	uint32_t v;

	(void)state;
	wr(APIC_LVT_TIMER, PERIODIC | 0x40);
	assert_int_equal(rd(APIC_LVT_TIMER), MASKED | PERIODIC | 0x40);
	wr(APIC_SVR, ENABLED);
	assert_true(vlapic_software_enabled(&l));
	assert_true(fake_apic_wrote(APIC_SVR, &v) && v == ENABLED);
	wr(APIC_LVT_TIMER, PERIODIC | 0x40);
	assert_true(fake_apic_wrote(APIC_LVT_TIMER, &v) && v == (PERIODIC | 0x40));
	wr(APIC_LVT_LINT0, 0x700);
	wr(APIC_SVR, 0xFF);
	assert_true(fake_apic_wrote(APIC_LVT_TIMER, &v) && v == (MASKED | PERIODIC | 0x40));
	assert_int_equal(rd(APIC_LVT_LINT0), MASKED | 0x700);
	wr(APIC_SVR, ENABLED);
	assert_int_equal(rd(APIC_LVT_TIMER), MASKED | PERIODIC | 0x40);
}

/* Delivery modes could carry an NMI, SMI or INIT to the physical CPU. */
static void test_lvt_stays_virtual(void **state)
{
	uint32_t v;

	(void)state;
	wr(APIC_SVR, ENABLED);
	fake_apic_forget_writes();
	wr(APIC_LVT_LINT1, 0x400);
	wr(APIC_LVT_PERF, 0x400);
	wr(APIC_LVT_THERMAL, 0x200);
	assert_int_equal(fake_apic.n_writes, 0);
	assert_int_equal(rd(APIC_LVT_PERF), 0x400);
	wr(APIC_LVT_ERROR, 0x7FE);
	assert_true(fake_apic_wrote(APIC_LVT_ERROR, &v) && v == 0xFE);
	wr(APIC_LVT_TIMER, 0x4FF);
	assert_true(fake_apic_wrote(APIC_LVT_TIMER, &v) && v == 0xFF);
	wr(APIC_LVT_CMCI, 0x400);
	assert_int_equal(rd(APIC_LVT_CMCI), 0);
}

/* Modes that do not exist would fault in the hypervisor: 11b, and the deadline without it. */
static void test_timer_modes(void **state)
{
	const bool deadline = cpuid(1, 0).ecx & BIT(24);

	(void)state;
	wr(APIC_SVR, ENABLED);
	wr(APIC_LVT_TIMER, PERIODIC | DEADLINE | 0x40);
	assert_int_equal(rd(APIC_LVT_TIMER), MASKED | 0x40);
	wr(APIC_LVT_TIMER, DEADLINE | 0x40);
	assert_int_equal(rd(APIC_LVT_TIMER), deadline ? DEADLINE | 0x40 : MASKED | 0x40);
}

static void test_timer_and_priority_are_forwarded(void **state)
{
	uint32_t v;

	(void)state;
	wr(APIC_TIMER_INITIAL, 123456);
	assert_true(fake_apic_wrote(APIC_TIMER_INITIAL, &v) && v == 123456);
	wr(APIC_TIMER_DIVIDE, 0xFF);
	assert_true(fake_apic_wrote(APIC_TIMER_DIVIDE, &v) && v == 0xB);
	wr(APIC_TPR, 0x1FF);
	assert_true(fake_apic_wrote(APIC_TPR, &v) && v == 0xFF);
	wr(APIC_ESR, 0xFF);
	assert_true(fake_apic_wrote(APIC_ESR, &v) && v == 0);
	assert_int_equal(rd(APIC_TIMER_INITIAL), 123456);
	fake_apic_serve(0x41);
	assert_int_equal(rd(APIC_ISR + 0x20), 2);
}

static void test_edge_eoi_touches_one_register(void **state)
{
	(void)state;
	fake_apic_serve(0x41);
	wr(APIC_EOI, 0);
	assert_int_equal(fake_apic.n_writes, 1);
	assert_int_equal(fake_apic.n_reads, 0); /* no search while nothing came as level */
	assert_int_equal(eois, 0);
}

static void test_level_eoi_reaches_the_io_apic(void **state)
{
	(void)state;
	l.tmr[0x59 / 32] |= 1u << 0x59 % 32;
	fake_apic_serve(0x59);
	fake_apic_serve(0xF1);
	assert_int_equal(rd(APIC_TMR + 0x20), 1u << 0x59 % 32);
	wr(APIC_EOI, 0); /* F1h, an edge, comes first */
	assert_int_equal(eois, 0);
	wr(APIC_EOI, 0);
	assert_int_equal(eois, 1);
	assert_int_equal(eoi_vector, 0x59);
	assert_int_equal(l.tmr[0x59 / 32], 0);
	wr(APIC_EOI, 0); /* with nothing in service */
	assert_int_equal(eois, 1);
}

static void test_icr(void **state)
{
	(void)state;
	wr(APIC_ICR_HIGH, 0x05FFFFFF);
	wr(APIC_ICR, 0x00080831);
	assert_int_equal(sent, 1);
	assert_int_equal(last.dest, 5);
	assert_int_equal(last.vector, 0x31);
	assert_true(last.logical);
	assert_false(last.x2apic || last.level);
	assert_int_equal(shorthand, SHORT_ALL);
	assert_int_equal(rd(APIC_ICR_HIGH), 0x05000000);
	assert_int_equal(rd(APIC_ICR), 0x00080831);
	wr(APIC_ICR, 0xFFF3F000); /* reserved bits and delivery status: idle */
	assert_int_equal(rd(APIC_ICR), 0xC000);
	sent = 0;
	wr(APIC_ICR, 0x0000C500);
	assert_int_equal(sent, 1);
	assert_int_equal(last.delivery, APIC_INIT);
	wr(APIC_ICR, 0x00008500); /* the de-assert that follows does nothing */
	assert_int_equal(sent, 1);
	wr(APIC_ICR, 0x00000699);
	assert_int_equal(last.delivery, APIC_STARTUP);
	assert_int_equal(last.vector, 0x99);
	assert_int_equal(fake_apic.n_writes, 0); /* no ICR write reaches the hardware here */
}

static void test_extint_gate(void **state)
{
	(void)state;
	wr(APIC_SVR, ENABLED);
	assert_false(vlapic_takes_extint(&l));
	wr(APIC_LVT_LINT0, 0x700);
	assert_true(vlapic_takes_extint(&l));
	wr(APIC_LVT_LINT0, 0x400);
	assert_false(vlapic_takes_extint(&l));
	wr(APIC_LVT_LINT0, 0x10700);
	assert_false(vlapic_takes_extint(&l));
	assert_true(vlapic_write_base(&l, APIC_BASE_ADDRESS, true));
	assert_true(vlapic_takes_extint(&l)); /* without an APIC, the pin is INTR */
}

/* Neither illegal vectors nor registers that do not exist reach the hardware. */
static void test_errors(void **state)
{
	(void)state;
	wr(APIC_ICR, 0x0F);
	assert_int_equal(rd(APIC_ESR), 0); /* the register shows what it had at the last write */
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), ESR_SEND_ILLEGAL_VECTOR);
	wr(0x3F0, 0);
	(void)rd(0x2F0);
	wr(APIC_ICR, 0x400); /* an NMI has no vector */
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), ESR_ILLEGAL_REGISTER);
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), 0);
	wr(APIC_ID, 0); /* read-only, but there */
	wr(APIC_TIMER_CURRENT, 0);
	(void)rd(APIC_EOI);
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), 0);
}

static void test_hardware_errors_are_seen(void **state)
{
	(void)state;
	wr(APIC_ICR, 0x0F);
	fake_apic.error = ESR_RECEIVE_ILLEGAL_VECTOR; /* of the timer's */
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), ESR_SEND_ILLEGAL_VECTOR | ESR_RECEIVE_ILLEGAL_VECTOR);
}

static void test_error_interrupt(void **state)
{
	(void)state;
	wr(APIC_SVR, ENABLED);
	wr(APIC_LVT_ERROR, 0xFE);
	wr(0x3F0, 0);
	assert_int_equal(sent, 1);
	assert_int_equal(last.vector, 0xFE);
	assert_int_equal(last.delivery, APIC_FIXED);
	assert_int_equal(shorthand, SHORT_SELF);
	wr(APIC_LVT_ERROR, MASKED | 0xFE);
	wr(0x3F0, 0);
	assert_int_equal(sent, 1);
}

static void test_virtual_wire(void **state)
{
	uint32_t v;

	(void)state;
	vlapic_set_virtual_wire(&l);
	assert_true(vlapic_takes_extint(&l) && vlapic_software_enabled(&l));
	assert_true(fake_apic_wrote(APIC_SVR, &v) && v == ENABLED);
	assert_int_equal(rd(APIC_LVT_LINT0), 0x700);
	assert_int_equal(rd(APIC_LVT_LINT1), 0x400);
}

/* LINT0 in the modes that need no acknowledge cycle: Linux's last resort for its timer. */
static void test_lint0_messages(void **state)
{
	struct apic_message m;

	(void)state;
	wr(APIC_SVR, ENABLED);
	assert_false(vlapic_lint0_message(&l, &m));
	wr(APIC_LVT_LINT0, 0x31);
	assert_true(vlapic_lint0_message(&l, &m));
	assert_int_equal(m.vector, 0x31);
	assert_int_equal(m.delivery, APIC_FIXED);
	wr(APIC_LVT_LINT0, 0x400);
	assert_true(vlapic_lint0_message(&l, &m));
	assert_int_equal(m.delivery, APIC_NMI);
	wr(APIC_LVT_LINT0, 0x500); /* INIT through a pin would stop the boot CPU */
	assert_false(vlapic_lint0_message(&l, &m));
	wr(APIC_LVT_LINT0, 0x700); /* the CPU fetches the vector itself */
	assert_false(vlapic_lint0_message(&l, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reset_state, setup),
		cmocka_unit_test_setup(test_identity_is_not_written, setup),
		cmocka_unit_test_setup(test_whole_page, setup),
		cmocka_unit_test_setup(test_software_disable, setup),
		cmocka_unit_test_setup(test_lvt_stays_virtual, setup),
		cmocka_unit_test_setup(test_timer_modes, setup),
		cmocka_unit_test_setup(test_timer_and_priority_are_forwarded, setup),
		cmocka_unit_test_setup(test_edge_eoi_touches_one_register, setup),
		cmocka_unit_test_setup(test_level_eoi_reaches_the_io_apic, setup),
		cmocka_unit_test_setup(test_icr, setup),
		cmocka_unit_test_setup(test_extint_gate, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_hardware_errors_are_seen, setup),
		cmocka_unit_test_setup(test_error_interrupt, setup),
		cmocka_unit_test_setup(test_virtual_wire, setup),
		cmocka_unit_test_setup(test_lint0_messages, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
