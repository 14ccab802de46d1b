/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259A's priority modes: rotation, special mask, automatic EOI, poll. */
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

#define ROTATE_AUTO_SET 0x80
#define ROTATE_AUTO_CLEAR 0x00
#define EOI 0x20
#define ROTATE_EOI 0xA0
#define SET_PRIORITY 0xC0
#define ROTATE_SPECIFIC_EOI 0xE0
#define READ_ISR 0x0B
#define POLL 0x0C
#define SPECIAL_MASK_SET 0x68
#define SPECIAL_MASK_CLEAR 0x48

static struct vdev_bus bus;
static struct pic pic;

static void output(void *ctx, bool level)
{
	(void)ctx;
	(void)level;
}

static void outb(uint16_t port, unsigned v)
{
	bus_port_write(&bus, port, 1, v);
}

static void program(unsigned icw4)
{
	static const uint16_t ports[2] = { M_CMD, S_CMD };

	for (unsigned i = 0; i < 2; i++) {
		outb(ports[i], 0x11);
		outb(ports[i] | 1u, 0x30 + 8 * i);
		outb(ports[i] | 1u, i ? 2 : 4);
		outb(ports[i] | 1u, icw4);
		outb(ports[i] | 1u, 0);
	}
}

static unsigned isr(void)
{
	outb(M_CMD, READ_ISR);
	return bus_port_read(&bus, M_CMD, 1);
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
	pic_init(&pic, output, NULL);
	assert_true(pic_add_to_bus(&pic, &bus));
	program(0x01);
	return 0;
}

/* L2-L0 name the line of the lowest priority; the next one has the highest. */
static void test_set_priority(void **state)
{
	(void)state;
	outb(M_CMD, SET_PRIORITY | 5);
	pulse(5);
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x34);
	outb(M_CMD, EOI);
	assert_int_equal(pic_acknowledge(&pic), 0x35);
	outb(M_CMD, EOI);
	pulse(1);
	pulse(6);
	assert_int_equal(pic_acknowledge(&pic), 0x36);
	assert_false(pic.out_level);
	pulse(7);
	assert_false(pic.out_level);
	outb(M_CMD, EOI);
	assert_int_equal(pic_acknowledge(&pic), 0x37);
}

/* The data sheet's figure: 4 and 6 in service; rotating ends 4 and makes it the lowest. */
static void test_rotate_on_eoi(void **state)
{
	(void)state;
	pulse(6);
	pic_acknowledge(&pic);
	pulse(4);
	pic_acknowledge(&pic);
	assert_int_equal(isr(), 0x50);
	outb(M_CMD, ROTATE_EOI);
	assert_int_equal(isr(), 0x40);
	pulse(4);
	pulse(5);
	assert_int_equal(pic_acknowledge(&pic), 0x35); /* 5 is now the highest, 4 the lowest */
	outb(M_CMD, ROTATE_SPECIFIC_EOI | 5);
	assert_int_equal(isr(), 0x40);
	outb(M_CMD, EOI);
	assert_int_equal(pic_acknowledge(&pic), 0x34);
}

static void test_special_mask(void **state)
{
	(void)state;
	pulse(3);
	pic_acknowledge(&pic);
	pulse(5);
	assert_false(pic.out_level);
	outb(M_CMD, SPECIAL_MASK_SET);
	assert_false(pic.out_level);
	outb(M_DATA, 0x08); /* mask the line in service: lower ones are let in */
	assert_true(pic.out_level);
	assert_int_equal(pic_acknowledge(&pic), 0x35);
	outb(M_CMD, EOI); /* does not end a masked line */
	assert_int_equal(isr(), 0x08);
	outb(M_CMD, EOI);
	assert_int_equal(isr(), 0x08);
	outb(M_CMD, SPECIAL_MASK_CLEAR);
	outb(M_CMD, EOI);
	assert_int_equal(isr(), 0);
}

static void test_automatic_eoi(void **state)
{
	(void)state;
	program(0x03);
	pulse(3);
	pulse(6);
	assert_int_equal(pic_acknowledge(&pic), 0x33);
	assert_int_equal(isr(), 0);
	assert_true(pic.out_level);
	assert_int_equal(pic_acknowledge(&pic), 0x36);
	assert_false(pic.out_level);
}

static void test_automatic_rotation(void **state)
{
	(void)state;
	program(0x03);
	outb(M_CMD, ROTATE_AUTO_SET);
	pulse(0);
	pic_acknowledge(&pic);
	pulse(0);
	pulse(7);
	assert_int_equal(pic_acknowledge(&pic), 0x37); /* 0 went to the end */
	outb(M_CMD, ROTATE_AUTO_CLEAR);
	pulse(3);
	assert_int_equal(pic_acknowledge(&pic), 0x30); /* 7 went to the end: 0 first again */
}

/* Two requests in a slave that ends them itself: its INT is raised anew for the second. */
static void test_slave_with_automatic_eoi(void **state)
{
	(void)state;
	program(0x03);
	pulse(9);
	pulse(12);
	assert_int_equal(pic_acknowledge(&pic), 0x39);
	assert_true(pic.out_level);
	assert_int_equal(pic_acknowledge(&pic), 0x3C);
	assert_false(pic.out_level);
}

/* The slave's request goes while the master's stands: the slave answers with its line 7. */
static void test_spurious_of_the_slave(void **state)
{
	(void)state;
	outb(M_DATA, 0xFF);
	pulse(10);
	outb(S_DATA, 0xFF);
	outb(M_DATA, 0);
	assert_false(pic.out_level);
	outb(S_DATA, 0);
	assert_true(pic.out_level);
	pic.chip[1].irr = 0; /* between the two acknowledge pulses */
	assert_int_equal(pic_acknowledge(&pic), 0x3F);
	assert_int_equal(isr(), 0x04); /* the master waits for an EOI */
}

/* Special fully nested mode: the slave is not locked out. */
static void test_special_fully_nested(void **state)
{
	(void)state;
	program(0x11);
	pulse(15);
	assert_int_equal(pic_acknowledge(&pic), 0x3F);
	pulse(8);
	assert_true(pic.out_level);
	assert_int_equal(pic_acknowledge(&pic), 0x38);
}

static void test_poll(void **state)
{
	(void)state;
	outb(M_CMD, POLL);
	assert_int_equal(bus_port_read(&bus, M_CMD, 1), 0);
	pulse(6);
	outb(M_CMD, POLL);
	assert_int_equal(bus_port_read(&bus, M_CMD, 1), 0x86);
	assert_false(pic.out_level);
	assert_int_equal(isr(), 0x40);
}

/* Polled drivers serve a slave's requests one by one, without a new edge on its lines. */
static void test_poll_of_the_slave(void **state)
{
	(void)state;
	pulse(9);
	pulse(12);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(pic.out_level);
		outb(M_CMD, POLL);
		assert_int_equal(bus_port_read(&bus, M_CMD, 1), 0x82);
		outb(S_CMD, POLL);
		assert_int_equal(bus_port_read(&bus, S_CMD, 1), i ? 0x84 : 0x81);
		outb(S_CMD, EOI);
		outb(M_CMD, EOI);
	}
	assert_false(pic.out_level);
}

/* The slave ends what it is polled for itself: its INT falls and rises for the next. */
static void test_poll_of_a_slave_with_automatic_eoi(void **state)
{
	(void)state;
	program(0x03);
	pulse(9);
	pulse(12);
	outb(M_CMD, POLL);
	assert_int_equal(bus_port_read(&bus, M_CMD, 1), 0x82);
	outb(S_CMD, POLL);
	assert_int_equal(bus_port_read(&bus, S_CMD, 1), 0x81);
	assert_true(pic.out_level);
	assert_int_equal(pic_acknowledge(&pic), 0x3C);
}

/* ICW1.SNGL: no slave is asked for a vector. */
static void test_single_chip(void **state)
{
	(void)state;
	outb(M_CMD, 0x13);
	outb(M_DATA, 0x50);
	outb(M_DATA, 0x01);
	outb(M_DATA, 0);
	pulse(9);
	assert_int_equal(pic_acknowledge(&pic), 0x52);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_set_priority, setup),
		cmocka_unit_test_setup(test_rotate_on_eoi, setup),
		cmocka_unit_test_setup(test_special_mask, setup),
		cmocka_unit_test_setup(test_automatic_eoi, setup),
		cmocka_unit_test_setup(test_automatic_rotation, setup),
		cmocka_unit_test_setup(test_slave_with_automatic_eoi, setup),
		cmocka_unit_test_setup(test_spurious_of_the_slave, setup),
		cmocka_unit_test_setup(test_special_fully_nested, setup),
		cmocka_unit_test_setup(test_poll, setup),
		cmocka_unit_test_setup(test_poll_of_the_slave, setup),
		cmocka_unit_test_setup(test_poll_of_a_slave_with_automatic_eoi, setup),
		cmocka_unit_test_setup(test_single_chip, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
