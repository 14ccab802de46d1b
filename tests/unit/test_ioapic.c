/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual I/O APIC, against the 82093AA data sheet and the ICH9's EOI register. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "smp.h"
#include "vdev_irq.h"

#define SELECT 0x00
#define WINDOW 0x10
#define EOI 0x40

#define ID 4
#define LEVEL 0x8000u
#define LOGICAL 0x800u
#define MASKED 0x10000u
#define REMOTE_IRR 0x4000u
#define MODE(m) ((uint32_t)(m) << 8)

static struct vioapic io;
static struct apic_message last;
static unsigned sent;

static void send(void *ctx, const struct apic_message *m)
{
	assert_ptr_equal(ctx, &io);
	last = *m;
	sent++;
}

static void write_reg(unsigned index, uint32_t value)
{
	vioapic_write(&io, SELECT, 4, index);
	vioapic_write(&io, WINDOW, 4, value);
}

static uint32_t read_reg(unsigned index)
{
	vioapic_write(&io, SELECT, 4, index);
	assert_int_equal(vioapic_read(&io, SELECT, 4), index);
	return (uint32_t)vioapic_read(&io, WINDOW, 4);
}

static void program(unsigned pin, uint32_t low, uint8_t dest)
{
	write_reg(0x11 + 2 * pin, (uint32_t)dest << 24);
	write_reg(0x10 + 2 * pin, low);
}

static int setup(void **state)
{
	(void)state;
	memset(&io, 0, sizeof(io));
	vioapic_init(&io, ID, send, &io);
	sent = 0;
	return 0;
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(read_reg(0), ID << 24);
	assert_int_equal(read_reg(1), 0x00170020);
	assert_int_equal(read_reg(2), ID << 24);
	write_reg(0, 0xFFFFFFFF);
	assert_int_equal(read_reg(0), 0x0F000000);
	write_reg(1, 0);
	assert_int_equal(read_reg(1), 0x00170020);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		assert_int_equal(read_reg(0x10 + 2 * pin), MASKED);
		assert_int_equal(read_reg(0x11 + 2 * pin), 0);
	}
	vioapic_reset(&io);
	assert_int_equal(read_reg(0), ID << 24);
}

static void test_no_register(void **state)
{
	(void)state;
	for (unsigned index = 0x10 + 2 * IOAPIC_PINS; index < 0x100; index++) {
		write_reg(index, 0);
		assert_int_equal(read_reg(index), 0xFFFFFFFF);
	}
	vioapic_write(&io, SELECT, 4, 0xFFFFFF10);
	assert_int_equal(vioapic_read(&io, SELECT, 4), 0x10);
	assert_int_equal(vioapic_read(&io, EOI, 4), 0);
	vioapic_write(&io, 0xFFC, 4, ~0ULL);
	assert_int_equal(sent, 0);
}

static void test_reserved_and_read_only_bits(void **state)
{
	(void)state;
	program(3, 0xFFFFFFFF, 0xFF);
	assert_int_equal(read_reg(0x16), 0x1AFFF); /* not: delivery status, Remote IRR, 17-31 */
	assert_int_equal(read_reg(0x17), 0xFF000000);
}

static void test_edge(void **state)
{
	(void)state;
	program(4, 0x34, 2);
	vioapic_set_pin(&io, 4, true);
	assert_int_equal(sent, 1);
	assert_int_equal(last.vector, 0x34);
	assert_int_equal(last.dest, 2);
	assert_false(last.logical || last.level || last.x2apic);
	assert_int_equal(last.delivery, APIC_FIXED);
	vioapic_set_pin(&io, 4, true);
	assert_int_equal(sent, 1);
	vioapic_set_pin(&io, 4, false);
	vioapic_set_pin(&io, 4, true);
	assert_int_equal(sent, 2);
}

static void test_masked_edge_is_lost(void **state)
{
	(void)state;
	program(4, 0x34 | MASKED, 0);
	vioapic_set_pin(&io, 4, true);
	program(4, 0x34, 0);
	assert_int_equal(sent, 0);
}

static void test_pins_out_of_range(void **state)
{
	(void)state;
	vioapic_set_pin(&io, IOAPIC_PINS, true);
	vioapic_set_pin(&io, ~0u, true);
	assert_int_equal(io.lines, 0);
}

static void test_level_repeats_after_eoi(void **state)
{
	(void)state;
	program(9, 0x59 | LEVEL | LOGICAL | MODE(APIC_LOWEST), 3);
	vioapic_set_pin(&io, 9, true);
	assert_int_equal(sent, 1);
	assert_true(last.level && last.logical);
	assert_int_equal(last.delivery, APIC_LOWEST);
	assert_true(read_reg(0x22) & REMOTE_IRR);
	vioapic_set_pin(&io, 9, true);
	assert_int_equal(sent, 1);
	vioapic_eoi(&io, 0x58);
	assert_int_equal(sent, 1);
	vioapic_eoi(&io, 0x59);
	assert_int_equal(sent, 2);
	vioapic_set_pin(&io, 9, false);
	vioapic_eoi(&io, 0x59);
	assert_int_equal(sent, 2);
	assert_false(read_reg(0x22) & REMOTE_IRR);
	/* By the I/O APIC's own EOI register. */
	vioapic_set_pin(&io, 9, true);
	vioapic_write(&io, EOI, 4, 0x59);
	assert_int_equal(sent, 4);
}

static void test_level_behind_the_mask(void **state)
{
	(void)state;
	program(9, 0x59 | LEVEL | MASKED, 0);
	vioapic_set_pin(&io, 9, true);
	assert_int_equal(sent, 0);
	program(9, 0x59 | LEVEL, 0);
	assert_int_equal(sent, 1);
	program(9, 0x59 | LEVEL | MASKED, 0);
	vioapic_eoi(&io, 0x59);
	assert_int_equal(sent, 1);
	assert_false(read_reg(0x22) & REMOTE_IRR);
}

static void test_two_pins_of_one_vector(void **state)
{
	(void)state;
	program(9, 0x59 | LEVEL, 0);
	program(10, 0x59 | LEVEL, 1);
	vioapic_set_pin(&io, 9, true);
	vioapic_set_pin(&io, 10, true);
	assert_int_equal(sent, 2);
	vioapic_set_pin(&io, 9, false);
	vioapic_eoi(&io, 0x59);
	assert_int_equal(sent, 3);
	assert_int_equal(last.dest, 1);
}

/* Linux unblocks a lost EOI by switching the pin to edge and back. */
static void test_edge_mode_clears_remote_irr(void **state)
{
	(void)state;
	program(9, 0x59 | LEVEL, 0);
	vioapic_set_pin(&io, 9, true);
	program(9, 0x59 | MASKED, 0);
	assert_false(read_reg(0x22) & REMOTE_IRR);
	program(9, 0x59 | LEVEL, 0);
	assert_int_equal(sent, 2);
}

/* Always edge-triggered, even if programmed as level (82093AA, 3.2.4). */
static void test_nmi_is_an_edge(void **state)
{
	(void)state;
	program(5, LEVEL | MODE(APIC_NMI), 0);
	vioapic_set_pin(&io, 5, true);
	assert_int_equal(sent, 1);
	assert_int_equal(last.delivery, APIC_NMI);
	assert_false(last.level);
	vioapic_set_pin(&io, 5, true);
	program(5, LEVEL | MODE(APIC_NMI), 0);
	assert_int_equal(sent, 1);
	assert_false(read_reg(0x1A) & REMOTE_IRR);
}

/* SMI, and the two reserved modes, of which one is SIPI in an ICR. */
static void test_modes_that_are_not_sent(void **state)
{
	static const unsigned modes[] = { APIC_SMI, 3, APIC_STARTUP };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		program(i, 0x30 | MODE(modes[i]), 0);
		vioapic_set_pin(&io, i, true);
	}
	assert_int_equal(sent, 0);
	program(5, 0x30 | MODE(APIC_INIT), 0);
	vioapic_set_pin(&io, 5, true);
	assert_int_equal(sent, 1);
}

static void test_extint(void **state)
{
	(void)state;
	assert_false(vioapic_passes_extint(&io));
	program(0, MODE(APIC_EXTINT), 0);
	assert_true(vioapic_passes_extint(&io));
	vioapic_set_pin(&io, 0, true);
	assert_int_equal(sent, 0); /* the CPU fetches the vector from the 8259s */
	program(0, MODE(APIC_EXTINT) | MASKED, 0);
	assert_false(vioapic_passes_extint(&io));
	program(0, 0x30, 0);
	assert_false(vioapic_passes_extint(&io));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_no_register, setup),
		cmocka_unit_test_setup(test_reserved_and_read_only_bits, setup),
		cmocka_unit_test_setup(test_edge, setup),
		cmocka_unit_test_setup(test_masked_edge_is_lost, setup),
		cmocka_unit_test_setup(test_pins_out_of_range, setup),
		cmocka_unit_test_setup(test_level_repeats_after_eoi, setup),
		cmocka_unit_test_setup(test_level_behind_the_mask, setup),
		cmocka_unit_test_setup(test_two_pins_of_one_vector, setup),
		cmocka_unit_test_setup(test_edge_mode_clears_remote_irr, setup),
		cmocka_unit_test_setup(test_nmi_is_an_edge, setup),
		cmocka_unit_test_setup(test_modes_that_are_not_sent, setup),
		cmocka_unit_test_setup(test_extint, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
