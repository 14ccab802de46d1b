/* SPDX-License-Identifier: BSD-2-Clause */
/* Two 8259As, against Intel's data sheet (order number 231468). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vdev_irq.h"

#define M_CMD 0x20
#define M_DATA 0x21
#define S_CMD 0xA0
#define S_DATA 0xA1
#define ELCR1 0x4D0

#define EOI 0x20
#define SPECIFIC_EOI 0x60
#define READ_IRR 0x0A
#define READ_ISR 0x0B

static struct vdev_bus bus;
static struct pic pic;
static bool out;
static unsigned changes;

static void output(void *ctx, bool level)
{
	assert_ptr_equal(ctx, &pic);
	assert_int_not_equal(level, out); /* told of changes only */
	out = level;
	changes++;
}

static void outb(uint16_t port, unsigned v)
{
	bus_port_write(&bus, port, 1, v);
}

static unsigned inb(uint16_t port)
{
	return bus_port_read(&bus, port, 1);
}

/* As Linux does it; `icw4` is 1 (8086 mode) with more bits. */
static void program(unsigned icw1, unsigned icw4)
{
	outb(M_CMD, icw1);
	outb(M_DATA, 0x30);
	outb(M_DATA, 0x04);
	outb(M_DATA, icw4);
	outb(S_CMD, icw1);
	outb(S_DATA, 0x38);
	outb(S_DATA, 0x02);
	outb(S_DATA, icw4);
	outb(M_DATA, 0);
	outb(S_DATA, 0);
}

static void pulse(unsigned irq)
{
	pic_set_irq(&pic, irq, false);
	pic_set_irq(&pic, irq, true);
}

static int setup(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	out = false;
	changes = 0;
	pic_init(&pic, output, &pic);
	assert_true(pic_add_to_bus(&pic, &bus));
	program(0x11, 0x01);
	return 0;
}

static void test_masked_after_reset(void **state)
{
	(void)state;
	pic_reset(&pic);
	assert_int_equal(inb(M_DATA), 0xFF);
	pulse(1);
	pulse(9);
	assert_false(out);
}

static void test_vectors(void **state)
{
	(void)state;
	for (unsigned irq = 0; irq < 16; irq++) {
		if (irq == 2)
			continue;
		pulse(irq);
		assert_true(out);
		assert_int_equal(pic_acknowledge(&pic), 0x30 + irq);
		assert_false(out);
		if (irq >= 8)
			outb(S_CMD, EOI);
		outb(M_CMD, EOI);
		pic_set_irq(&pic, irq, false);
	}
	outb(M_CMD, READ_ISR);
	outb(S_CMD, READ_ISR);
	assert_int_equal(inb(M_CMD) | inb(S_CMD), 0);
}

static void test_out_of_range_lines(void **state)
{
	(void)state;
	pulse(2); /* the cascade is no line of a device */
	pulse(16);
	pulse(~0u);
	assert_false(out);
}

static void test_priority_and_nesting(void **state)
{
	(void)state;
	pulse(5);
	pulse(3);
	assert_int_equal(pic_acknowledge(&pic), 0x33);
	assert_false(out); /* 5 waits for 3 */
	pulse(1);
	assert_true(out); /* 1 interrupts 3 */
	assert_int_equal(pic_acknowledge(&pic), 0x31);
	outb(M_CMD, READ_ISR);
	assert_int_equal(inb(M_CMD), 0x0A);
	outb(M_CMD, READ_IRR);
	assert_int_equal(inb(M_CMD), 0x20);
	outb(M_CMD, EOI); /* the highest in service: 1 */
	assert_false(out);
	outb(M_CMD, SPECIFIC_EOI | 3);
	assert_true(out);
	assert_int_equal(pic_acknowledge(&pic), 0x35);
}

static void test_slave_ranks_as_line_2(void **state)
{
	(void)state;
	pulse(3);
	pulse(15);
	assert_int_equal(pic_acknowledge(&pic), 0x3F);
	pulse(8); /* higher in the slave, but the master serves the slave already */
	assert_false(out);
	outb(S_CMD, EOI);
	outb(M_CMD, EOI);
	assert_int_equal(pic_acknowledge(&pic), 0x38);
	outb(S_CMD, EOI);
	outb(M_CMD, EOI);
	assert_int_equal(pic_acknowledge(&pic), 0x33);
}

static void test_edge_needs_a_new_edge(void **state)
{
	(void)state;
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x34);
	outb(M_CMD, EOI);
	assert_false(out);
	pic_set_irq(&pic, 4, true);
	assert_false(out);
	pulse(4);
	assert_true(out);
}

static void test_edges_wait_behind_the_mask(void **state)
{
	(void)state;
	outb(M_DATA, 0x10);
	pulse(4);
	assert_false(out);
	outb(M_DATA, 0);
	assert_true(out);
}

/* The request has to stay until it is acknowledged, else it is spurious. */
static void test_spurious(void **state)
{
	(void)state;
	pulse(4);
	pic_set_irq(&pic, 4, false);
	assert_false(out);
	assert_int_equal(pic_acknowledge(&pic), 0x37);
	outb(M_CMD, READ_ISR);
	assert_int_equal(inb(M_CMD), 0); /* no EOI is due for it */
}

static void test_level_by_elcr(void **state)
{
	(void)state;
	outb(ELCR1, 0xFF);
	outb(ELCR1 + 1, 0xFF);
	assert_int_equal(bus_port_read(&bus, ELCR1, 2), 0xDEF8);
	pic_set_irq(&pic, 11, true);
	assert_int_equal(pic_acknowledge(&pic), 0x3B);
	outb(S_CMD, EOI);
	outb(M_CMD, EOI);
	assert_true(out); /* the line is still there */
	pic_set_irq(&pic, 11, false);
	assert_false(out);
}

static void test_elcr_takes_the_line_as_it_is(void **state)
{
	(void)state;
	pulse(5);
	pic_acknowledge(&pic);
	outb(M_CMD, EOI);
	assert_false(out);
	outb(ELCR1, 0x20);
	assert_true(out);
}

/* ICW1: edge sense cleared, mask cleared, status reads IRR; ICW1.LTIM makes levels. */
static void test_icw1(void **state)
{
	(void)state;
	outb(M_DATA, 0xFF);
	outb(M_CMD, READ_ISR);
	pulse(6);
	outb(M_CMD, 0x11);
	assert_false(out);
	outb(M_DATA, 0x40);
	outb(M_DATA, 0x04);
	outb(M_DATA, 0x01);
	assert_int_equal(inb(M_DATA), 0);
	assert_int_equal(inb(M_CMD), 0);
	assert_false(out); /* the line is high, but the edge is forgotten */
	outb(M_CMD, 0x19);
	assert_true(out);
	assert_int_equal(inb(M_CMD), 0x40);
}

/* ICW1.SNGL: no ICW3; ICW1.IC4 = 0: no ICW4. */
static void test_short_initializations(void **state)
{
	(void)state;
	outb(M_CMD, 0x13);
	outb(M_DATA, 0x50);
	outb(M_DATA, 0x03); /* ICW4: automatic EOI */
	outb(M_DATA, 0xEF); /* OCW1 */
	assert_int_equal(inb(M_DATA), 0xEF);
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x54);
	outb(M_CMD, READ_ISR);
	assert_int_equal(inb(M_CMD), 0);
	outb(M_CMD, 0x12);
	outb(M_DATA, 0x60);
	outb(M_DATA, 0xAA);
	assert_int_equal(inb(M_DATA), 0xAA);
}

static void test_wide_access_is_both_ports(void **state)
{
	(void)state;
	bus_port_write(&bus, M_CMD, 2, 0x5A0B);
	pulse(0);
	pic_acknowledge(&pic);
	assert_int_equal(bus_port_read(&bus, M_CMD, 2), 0x5A01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_masked_after_reset, setup),
		cmocka_unit_test_setup(test_vectors, setup),
		cmocka_unit_test_setup(test_out_of_range_lines, setup),
		cmocka_unit_test_setup(test_priority_and_nesting, setup),
		cmocka_unit_test_setup(test_slave_ranks_as_line_2, setup),
		cmocka_unit_test_setup(test_edge_needs_a_new_edge, setup),
		cmocka_unit_test_setup(test_edges_wait_behind_the_mask, setup),
		cmocka_unit_test_setup(test_spurious, setup),
		cmocka_unit_test_setup(test_level_by_elcr, setup),
		cmocka_unit_test_setup(test_elcr_takes_the_line_as_it_is, setup),
		cmocka_unit_test_setup(test_icw1, setup),
		cmocka_unit_test_setup(test_short_initializations, setup),
		cmocka_unit_test_setup(test_wide_access_is_both_ports, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
