/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI's fixed registers (ACPI 4.8.3), the ways to reset, the exit port, no PCI bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vdev_pm.h"

#define EXIT_PORT 0xF4
#define NOTHING (-1)

static struct vdev_bus bus;
static struct vpm pm;
static uint64_t ns;
static int ended;
static uint32_t ended_with;

static uint64_t now(void)
{
	return ns;
}

static void end(void *ctx, enum guest_end how, uint32_t value)
{
	assert_ptr_equal(ctx, &pm);
	ended = (int)how;
	ended_with = value;
}

static void out(uint16_t port, unsigned size, uint32_t value)
{
	ended = NOTHING;
	bus_port_write(&bus, port, size, value);
}

static uint32_t in(uint16_t port, unsigned size)
{
	return bus_port_read(&bus, port, size);
}

static unsigned raised, rearmed;
static bool sci_level;

static void sci_set(void *ctx, unsigned irq, bool level)
{
	assert_ptr_equal(ctx, &bus);
	assert_int_equal(irq, 9);
	assert_int_not_equal(level, sci_level);
	sci_level = level;
	raised += level;
}

static void rearm(void *ctx)
{
	assert_ptr_equal(ctx, &pm);
	rearmed++;
}

static const struct vclock vclock = { now, now, rearm, &pm };

static int setup(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	memset(&pm, 0, sizeof(pm));
	ns = 0;
	vpm_init(&pm, now, end, &pm);
	assert_true(vpm_add_to_bus(&pm, &bus, EXIT_PORT));
	return 0;
}

static int setup_sci(void **state)
{
	setup(state);
	sci_level = false;
	raised = rearmed = 0;
	vpm_connect_sci(&pm, &vclock, (struct irq_line){ sci_set, &bus, 9 });
	return 0;
}

/* The first nanosecond at which bit 31 has changed so often. */
static uint64_t carry(unsigned n)
{
	return (((uint64_t)n << 31) * 1000000000 + 3579544) / 3579545;
}

static void test_timer_rate(void **state)
{
	(void)state;
	assert_int_equal(in(PM_TIMER_PORT, 4), 0);
	ns = 1000000000;
	assert_int_equal(in(PM_TIMER_PORT, 4), 3579545);
	ns = 1500000000;
	assert_int_equal(in(PM_TIMER_PORT, 4), 3579545 + 1789772);
	ns = 280; /* one tick is 279.4 ns */
	assert_int_equal(in(PM_TIMER_PORT, 4), 1);
	/* It wraps at 32 bits, and a year does not overflow the arithmetic. */
	ns = 31536000ULL * 1000000000;
	assert_int_equal(in(PM_TIMER_PORT, 4), (uint32_t)(31536000ULL * 3579545));
	ns = ~0ULL;
	assert_int_equal(in(PM_TIMER_PORT, 4),
			 (uint32_t)((unsigned __int128)ns * 3579545 / 1000000000));
}

static void test_timer_status(void **state)
{
	(void)state;
	assert_int_equal(in(PM1_EVENT_PORT, 2), 0);
	ns = carry(1) - 1;
	assert_int_equal(in(PM1_EVENT_PORT, 2), 0);
	ns = carry(1);
	assert_int_equal(in(PM_TIMER_PORT, 4), 0x80000000);
	assert_int_equal(in(PM1_EVENT_PORT, 2), 1);
	out(PM1_EVENT_PORT, 2, 1);
	assert_int_equal(in(PM1_EVENT_PORT, 2), 0);
	ns = carry(2); /* a change to 0 is one, too */
	out(PM1_EVENT_PORT, 2, 1); /* clears what nobody has read yet */
	assert_int_equal(in(PM_TIMER_PORT, 4), 0);
	assert_int_equal(in(PM1_EVENT_PORT, 2), 0);
	ns = carry(3);
	assert_int_equal(in(PM1_EVENT_PORT, 2), 1);
	vpm_reset(&pm);
	assert_int_equal(in(PM1_EVENT_PORT, 2), 0);
	assert_int_equal(vpm_next(&pm), VTIME_NEVER); /* no SCI */
}

static void test_timer_interrupt(void **state)
{
	(void)state;
	assert_int_equal(vpm_next(&pm), VTIME_NEVER);
	out(PM1_EVENT_PORT + 2, 2, 1);
	assert_int_equal(rearmed, 1);
	assert_int_equal(vpm_next(&pm), carry(1));
	for (unsigned i = 1; i < 5; i++) {
		vpm_advance(&pm, ns = carry(i) - 1);
		assert_false(sci_level);
		vpm_advance(&pm, ns = carry(i));
		assert_true(sci_level);
		assert_int_equal(vpm_next(&pm), VTIME_NEVER);
		assert_int_equal(in(PM1_EVENT_PORT, 2), 1);
		assert_true(sci_level);
		out(PM1_EVENT_PORT, 2, 1);
		assert_false(sci_level);
		assert_int_equal(vpm_next(&pm), carry(i + 1));
	}
	assert_int_equal(raised, 4);
	assert_int_equal(rearmed, 5);
}

static void test_timer_interrupt_late(void **state)
{
	(void)state;
	out(PM1_EVENT_PORT + 2, 2, 1);
	vpm_advance(&pm, ns = carry(7) + 5);
	assert_int_equal(raised, 1);
	out(PM1_EVENT_PORT, 2, 1);
	assert_int_equal(vpm_next(&pm), carry(8));
	ns = carry(8);
	(void)in(PM_TIMER_PORT, 4); /* the access finds it due */
	assert_int_equal(raised, 2);
	assert_int_equal(rearmed, 3);
	vpm_reset(&pm);
	assert_false(sci_level);
	assert_int_equal(vpm_next(&pm), VTIME_NEVER);
}

/* Status without enable is silent; enabling it then is not. */
static void test_timer_interrupt_enable(void **state)
{
	(void)state;
	ns = carry(1);
	assert_int_equal(in(PM1_EVENT_PORT, 2), 1);
	assert_false(sci_level);
	out(PM1_EVENT_PORT + 2, 2, 0x0100); /* the power button's */
	assert_false(sci_level);
	out(PM1_EVENT_PORT + 2, 2, 1);
	assert_true(sci_level);
	out(PM1_EVENT_PORT + 2, 2, 0);
	assert_false(sci_level);
	assert_int_equal(vpm_next(&pm), VTIME_NEVER);
}

static void test_timer_is_read_only(void **state)
{
	uint32_t bytes = 0;

	(void)state;
	ns = 123456789012;
	out(PM_TIMER_PORT, 4, 0);
	for (unsigned i = 0; i < 4; i++)
		bytes |= in((uint16_t)(PM_TIMER_PORT + i), 1) << 8 * i;
	assert_int_equal(bytes, in(PM_TIMER_PORT, 4));
	assert_int_equal(bytes, (uint32_t)((unsigned __int128)ns * 3579545 / 1000000000));
	assert_int_equal(ended, NOTHING);
}

static void test_event_registers(void **state)
{
	(void)state;
	out(PM1_EVENT_PORT + 2, 2, 0xFFFF);
	assert_int_equal(in(PM1_EVENT_PORT + 2, 2), 0x0721);
	assert_int_equal(in(PM1_EVENT_PORT, 4), 0x07210000);
	out(PM1_EVENT_PORT + 3, 1, 0);
	assert_int_equal(in(PM1_EVENT_PORT + 2, 2), 0x0021);
	pm.status = 0x8021;
	out(PM1_EVENT_PORT, 2, 0x0020);
	assert_int_equal(in(PM1_EVENT_PORT, 2), 0x8001); /* a one clears, a zero leaves */
	out(PM1_EVENT_PORT + 1, 1, 0x80);
	assert_int_equal(in(PM1_EVENT_PORT, 2), 0x0001);
}

static void test_control(void **state)
{
	(void)state;
	assert_int_equal(in(PM1_CONTROL_PORT, 2), 1); /* SCI_EN: ACPI is always on */
	out(PM1_CONTROL_PORT, 2, 0);
	assert_int_equal(in(PM1_CONTROL_PORT, 2), 1);
	out(PM1_CONTROL_PORT, 2, 0xDFFF);
	assert_int_equal(in(PM1_CONTROL_PORT, 2), 0x1C03); /* GBL_RLS is write-only */
	assert_int_equal(ended, NOTHING);
	out(PM1_CONTROL_PORT, 2, 0xFC01);
	assert_int_equal(in(PM1_CONTROL_PORT, 2), 0x1C01); /* SLP_EN reads as 0 */
	assert_int_equal(ended, NOTHING); /* no such sleep state */
}

static void test_power_off(void **state)
{
	(void)state;
	out(PM1_CONTROL_PORT, 2, 0x2000);
	assert_int_equal(ended, GUEST_POWER_OFF);
	out(PM1_CONTROL_PORT + 1, 1, 0x20);
	assert_int_equal(ended, GUEST_POWER_OFF);
	out(PM1_CONTROL_PORT, 4, 0x2001);
	assert_int_equal(ended, GUEST_POWER_OFF);
	out(PM1_CONTROL_PORT, 2, 0x3400);
	assert_int_equal(ended, NOTHING);
	out(PM1_CONTROL_PORT, 1, 0x20); /* SLP_EN's place in the wrong byte */
	assert_int_equal(ended, NOTHING);
}

static void test_reset_register(void **state)
{
	(void)state;
	out(0xCF9, 1, 0x02);
	assert_int_equal(ended, NOTHING);
	assert_int_equal(in(0xCF9, 1), 0x02);
	out(0xCF9, 1, 0x06);
	assert_int_equal(ended, GUEST_RESET_CF9);
	out(0xCF8, 2, 0x0600);
	assert_int_equal(ended, GUEST_RESET_CF9);
	out(0xCF9, 2, 0x0006);
	assert_int_equal(ended, GUEST_RESET_CF9);
	vpm_reset(&pm);
	assert_int_equal(in(0xCF9, 1), 0);
}

/* A configuration address is 32 bits wide, whatever its second byte holds. */
static void test_no_pci(void **state)
{
	(void)state;
	for (uint32_t address = 0x80000000; address < 0x80010000; address += 0x100) {
		out(0xCF8, 4, address);
		assert_int_equal(ended, NOTHING);
		assert_int_equal(in(0xCFC, 4), 0xFFFFFFFF);
	}
	assert_int_equal(in(0xCF8, 4), 0xFFFFFFFF);
	assert_int_equal(in(0xCF9, 1), 0);
	assert_int_equal(in(0xCF8, 2), 0x00FF);
	assert_int_equal(in(0xCF9, 2), 0xFF00);
	out(0xCFC, 4, 0xFFFFFFFF);
	out(0xCFB, 1, 0xFF);
	out(0xCFA, 2, 0xFFFF);
	assert_int_equal(ended, NOTHING);
	assert_int_equal(bus.denied_ports, 0);
}

static void test_keyboard_reset(void **state)
{
	(void)state;
	assert_int_equal(in(0x64, 1), 0xFF); /* no controller */
	out(0x64, 1, 0xFE);
	assert_int_equal(ended, GUEST_RESET_8042);
	out(0x64, 1, 0xF0); /* pulses all lines, the reset among them */
	assert_int_equal(ended, GUEST_RESET_8042);
	out(0x64, 1, 0xFF); /* pulses none */
	assert_int_equal(ended, NOTHING);
	out(0x64, 1, 0xD1);
	assert_int_equal(ended, NOTHING);
}

static void test_port_92(void **state)
{
	(void)state;
	assert_int_equal(in(0x92, 1), 0x02);
	out(0x92, 1, 0x00);
	assert_int_equal(in(0x92, 1), 0x02); /* A20 stays on */
	assert_int_equal(ended, NOTHING);
	out(0x92, 1, 0x03);
	assert_int_equal(ended, GUEST_RESET_92);
}

static void test_exit_port(void **state)
{
	(void)state;
	out(EXIT_PORT, 1, 0x42);
	assert_int_equal(ended, GUEST_EXIT_PORT);
	assert_int_equal(ended_with, 0x42);
	memset(&bus, 0, sizeof(bus));
	assert_true(vpm_add_to_bus(&pm, &bus, 0));
	out(EXIT_PORT, 1, 0x42);
	assert_int_equal(ended, NOTHING);
	memset(&bus, 0, sizeof(bus));
	assert_false(vpm_add_to_bus(&pm, &bus, 0x604));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_timer_rate, setup),
		cmocka_unit_test_setup(test_timer_status, setup),
		cmocka_unit_test_setup(test_timer_interrupt, setup_sci),
		cmocka_unit_test_setup(test_timer_interrupt_late, setup_sci),
		cmocka_unit_test_setup(test_timer_interrupt_enable, setup_sci),
		cmocka_unit_test_setup(test_timer_is_read_only, setup),
		cmocka_unit_test_setup(test_event_registers, setup),
		cmocka_unit_test_setup(test_control, setup),
		cmocka_unit_test_setup(test_power_off, setup),
		cmocka_unit_test_setup(test_reset_register, setup),
		cmocka_unit_test_setup(test_no_pci, setup),
		cmocka_unit_test_setup(test_keyboard_reset, setup),
		cmocka_unit_test_setup(test_port_92, setup),
		cmocka_unit_test_setup(test_exit_port, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
