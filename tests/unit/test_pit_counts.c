/* SPDX-License-Identifier: BSD-2-Clause */
/* How the 8254's counts are written and read, and port 0x61. */
#include "pit_fixture.h"

static void test_bcd(void **state)
{
	(void)state;
	gate(true);
	out(0x43, 0xB1);
	out(0x42, 0x00);
	out(0x42, 0x10); /* 1000 */
	pass(1 + 1);
	assert_int_equal(count_of(2), 0x0999);
	pass(999);
	assert_true(out_of(2));
	pass(1);
	assert_int_equal(count_of(2), 0x9999);
	out(0x42, 0); /* 10000 */
	out(0x42, 0);
	pass(1 + 9999);
	assert_false(out_of(2));
	assert_int_equal(count_of(2), 1);
	pass(1);
	assert_true(out_of(2));
	out(0x42, 0xFF); /* no digits: anything but a fault */
	out(0x42, 0xFF);
	pass(1);
	assert_int_equal(count_of(2), 0x6665);
}

static void test_count_zero_is_all(void **state)
{
	(void)state;
	gate(true);
	program(2, 2, 0);
	pass(1 + 1);
	assert_int_equal(count_of(2), 0xFFFF);
	pass(65535);
	assert_int_equal(count_of(2), 0);
}

static void test_access_low_and_high(void **state)
{
	(void)state;
	gate(true);
	out(0x43, 0x94); /* low byte, mode 2 */
	out(0x42, 0x80);
	pass(1 + 1);
	assert_int_equal(in(0x42), 0x7F);
	assert_int_equal(in(0x42), 0x7F);
	out(0x43, 0xA4); /* high byte: the low one is 0 */
	out(0x42, 0x12);
	pass(1 + 1);
	assert_int_equal(in(0x42), 0x11);
	pass(0x11FF);
	assert_int_equal(in(0x42), 0x12);
}

static void test_reads_go_low_high(void **state)
{
	(void)state;
	gate(true);
	program(2, 2, 0x1234);
	pass(1);
	assert_int_equal(in(0x42), 0x34);
	assert_int_equal(in(0x42), 0x12);
	assert_int_equal(in(0x42), 0x34);
	out(0x42, 0x34); /* writing has its own order */
	assert_int_equal(in(0x42), 0x12);
	assert_int_equal(in(0x43), 0xFF);
}

static void test_latch(void **state)
{
	(void)state;
	gate(true);
	program(2, 2, 1000);
	pass(1 + 100);
	out(0x43, 0x80);
	pass(100);
	out(0x43, 0x80); /* the first latch holds until it was read */
	assert_int_equal(in(0x42), 900 & 0xFF);
	pass(100);
	assert_int_equal(in(0x42), 900 >> 8);
	assert_int_equal(in(0x42), 700 & 0xFF);
	assert_int_equal(in(0x42), 700 >> 8);
	out(0x43, 0x80);
	program(2, 2, 5000); /* a control word gives the latch up */
	pass(1);
	assert_int_equal(in(0x42), 5000 & 0xFF);
}

static void test_read_back(void **state)
{
	(void)state;
	gate(true);
	program(0, 2, 1000);
	program(2, 3, 2000);
	pass(1 + 100);
	out(0x43, 0xC0 | 2 | 8); /* count and status of channels 0 and 2 */
	pass(100);
	assert_int_equal(in(0x40), 0xB4); /* the status comes first */
	assert_int_equal(in(0x40), 900 & 0xFF);
	assert_int_equal(in(0x40), 900 >> 8);
	assert_int_equal(in(0x42), 0xB6);
	assert_int_equal(in(0x42), 1800 & 0xFF);
	assert_int_equal(in(0x42), 1800 >> 8);
	assert_int_equal(in(0x42), 1600 & 0xFF);
}

static void test_null_count(void **state)
{
	(void)state;
	gate(true);
	out(0x43, 0xB0);
	assert_int_equal(status_of(2), 0x70);
	out(0x42, 100);
	out(0x42, 0);
	assert_int_equal(status_of(2), 0x70);
	pass(1);
	assert_int_equal(status_of(2), 0x30);
	out(0x43, 0xBE); /* mode 7 is mode 3 */
	assert_int_equal(status_of(2), 0xFE);
}

static void test_wide_access(void **state)
{
	(void)state;
	bus_port_write(&bus, 0x42, 2, 0x9012); /* 0x12 to the counter, 0x90 to the control word */
	bus_port_write(&bus, 0x42, 1, 7);
	gate(true);
	pass(1);
	assert_int_equal(bus_port_read(&bus, 0x42, 2), 0xFF07);
}

/* ---- port 0x61 ---------------------------------------------------------------------- */

static void test_port_61(void **state)
{
	(void)state;
	program(2, 0, 100);
	out(0x61, 0xFF);
	assert_int_equal(in(0x61) & ~0x10u, 0x0F); /* 4 to 7 cannot be written */
	pass(101);
	assert_int_equal(in(0x61) & ~0x10u, 0x2F);
	out(0x61, 0x02);
	assert_int_equal(in(0x61) & ~0x10u, 0x22);
}

static void test_refresh_toggles(void **state)
{
	unsigned changes = 0;
	uint32_t last = in(0x61) & 0x10;

	(void)state;
	for (unsigned i = 0; i < 1800; i++) {
		pass(1);
		changes += (in(0x61) & 0x10) != last;
		last = in(0x61) & 0x10;
	}
	assert_int_equal(changes, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bcd, setup),
		cmocka_unit_test_setup(test_count_zero_is_all, setup),
		cmocka_unit_test_setup(test_access_low_and_high, setup),
		cmocka_unit_test_setup(test_reads_go_low_high, setup),
		cmocka_unit_test_setup(test_latch, setup),
		cmocka_unit_test_setup(test_read_back, setup),
		cmocka_unit_test_setup(test_null_count, setup),
		cmocka_unit_test_setup(test_wide_access, setup),
		cmocka_unit_test_setup(test_port_61, setup),
		cmocka_unit_test_setup(test_refresh_toggles, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
