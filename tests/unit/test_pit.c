/* SPDX-License-Identifier: BSD-2-Clause */
/* The six modes of the 8254, on channel 2 (Intel 8254 data sheet). */
#include "pit_fixture.h"

static void test_mode_0(void **state)
{
	(void)state;
	program(2, 0, 4);
	gate(true);
	assert_false(out_of(2));
	pass(1); /* loads */
	assert_int_equal(count_of(2), 4);
	pass(3);
	assert_int_equal(count_of(2), 1);
	assert_false(out_of(2));
	pass(1);
	assert_int_equal(count_of(2), 0);
	assert_true(out_of(2));
	pass(1); /* counts on, OUT stays */
	assert_int_equal(count_of(2), 0xFFFF);
	pass(0x20000);
	assert_true(out_of(2));
}

static void test_mode_0_gate_stops(void **state)
{
	(void)state;
	program(2, 0, 10); /* loads though the gate is low */
	pass(100);
	assert_int_equal(count_of(2), 10);
	gate(true);
	pass(4);
	assert_int_equal(count_of(2), 6);
	gate(false);
	pass(50);
	assert_int_equal(count_of(2), 6);
	assert_false(out_of(2));
	gate(true);
	pass(5);
	assert_false(out_of(2));
	pass(1);
	assert_true(out_of(2));
}

static void test_mode_0_first_byte_stops(void **state)
{
	(void)state;
	program(2, 0, 10);
	gate(true);
	pass(20);
	assert_true(out_of(2));
	out(0x42, 5); /* OUT goes low at once, nothing counts */
	assert_false(out_of(2));
	pass(100);
	assert_false(out_of(2));
	out(0x42, 0);
	pass(5);
	assert_false(out_of(2));
	pass(1);
	assert_true(out_of(2));
}

static void test_mode_1(void **state)
{
	(void)state;
	program(2, 1, 5);
	pass(10);
	assert_true(out_of(2)); /* waits for the gate */
	gate(true);
	pass(1);
	assert_false(out_of(2));
	pass(4);
	assert_false(out_of(2));
	gate(false); /* has no effect */
	assert_int_equal(count_of(2), 1);
	gate(true); /* starts it again */
	pass(5);
	assert_false(out_of(2));
	pass(1);
	assert_true(out_of(2));
	program(2, 1, 5);
	pass(100);
	assert_true(out_of(2)); /* a gate that is high is no trigger */
}

static void test_mode_1_new_count_waits_for_trigger(void **state)
{
	(void)state;
	program(2, 1, 5);
	gate(true);
	pass(3);
	out(0x42, 50);
	out(0x42, 0);
	assert_int_equal(status_of(2) & 0x40, 0x40);
	pass(3);
	assert_true(out_of(2)); /* of the old count */
	gate(false);
	gate(true);
	pass(1);
	assert_int_equal(status_of(2) & 0x40, 0);
	assert_int_equal(count_of(2), 50);
}

static void test_mode_2(void **state)
{
	(void)state;
	gate(true);
	program(2, 2, 3);
	pass(1);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(count_of(2), 3);
		assert_true(out_of(2));
		pass(1);
		assert_int_equal(count_of(2), 2);
		assert_true(out_of(2));
		pass(1);
		assert_int_equal(count_of(2), 1);
		assert_false(out_of(2)); /* for one clock */
		pass(1);
	}
}

static void test_mode_2_new_count_waits_for_period(void **state)
{
	(void)state;
	gate(true);
	program(2, 2, 10);
	pass(1 + 4);
	out(0x42, 100);
	out(0x42, 0);
	assert_int_equal(status_of(2) & 0x40, 0x40);
	pass(5);
	assert_int_equal(count_of(2), 1);
	pass(1);
	assert_int_equal(status_of(2) & 0x40, 0);
	assert_int_equal(count_of(2), 100);
	pass(99);
	assert_false(out_of(2));
	pass(1);
	assert_int_equal(count_of(2), 100);
}

static void test_mode_2_gate(void **state)
{
	(void)state;
	gate(true);
	program(2, 2, 4);
	pass(1 + 3);
	assert_false(out_of(2));
	gate(false); /* OUT goes high at once */
	assert_true(out_of(2));
	pass(50);
	assert_true(out_of(2));
	gate(true); /* loads anew */
	pass(1);
	assert_int_equal(count_of(2), 4);
	pass(3);
	assert_false(out_of(2));
}

static void test_mode_3_even(void **state)
{
	(void)state;
	gate(true);
	program(2, 3, 4);
	pass(1);
	for (unsigned i = 0; i < 5; i++) {
		for (unsigned half = 0; half < 2; half++) {
			assert_int_equal(count_of(2), 4);
			assert_int_equal(out_of(2), half == 0);
			pass(1);
			assert_int_equal(count_of(2), 2);
			assert_int_equal(out_of(2), half == 0);
			pass(1);
		}
	}
}

static void test_mode_3_odd(void **state)
{
	static const uint8_t counts[] = { 4, 2, 0, 4, 2 };

	(void)state;
	gate(true);
	program(2, 3, 5);
	pass(1);
	for (unsigned i = 0; i < 25; i++) {
		assert_int_equal(count_of(2), counts[i % 5]);
		assert_int_equal(out_of(2), i % 5 < 3);
		pass(1);
	}
}

static void test_mode_3_new_count_waits_for_half(void **state)
{
	(void)state;
	gate(true);
	program(2, 3, 100);
	pass(1 + 20);
	out(0x42, 10);
	out(0x42, 0);
	pass(29);
	assert_true(out_of(2));
	pass(1); /* the high half is over; the low one is of the new count */
	assert_false(out_of(2));
	assert_int_equal(count_of(2), 10);
	pass(4);
	assert_false(out_of(2));
	pass(1);
	assert_true(out_of(2));
	pass(3);
	out(0x42, 200);
	out(0x42, 0);
	pass(2);
	assert_false(out_of(2));
	pass(99);
	assert_false(out_of(2));
	pass(1);
	assert_true(out_of(2));
}

static void test_mode_4(void **state)
{
	(void)state;
	gate(true);
	program(2, 4, 3);
	pass(1 + 2);
	assert_true(out_of(2));
	pass(1);
	assert_false(out_of(2)); /* for one clock */
	pass(1);
	assert_true(out_of(2));
	assert_int_equal(count_of(2), 0xFFFF);
	out(0x42, 3); /* a new count starts it again */
	out(0x42, 0);
	pass(4);
	assert_false(out_of(2));
}

static void test_mode_5(void **state)
{
	(void)state;
	program(2, 5, 3);
	pass(100);
	assert_true(out_of(2));
	gate(true);
	pass(3);
	assert_true(out_of(2));
	gate(false);
	gate(true); /* once more from the start */
	pass(3);
	assert_true(out_of(2));
	pass(1);
	assert_false(out_of(2));
	pass(1);
	assert_true(out_of(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_mode_0, setup),
		cmocka_unit_test_setup(test_mode_0_gate_stops, setup),
		cmocka_unit_test_setup(test_mode_0_first_byte_stops, setup),
		cmocka_unit_test_setup(test_mode_1, setup),
		cmocka_unit_test_setup(test_mode_1_new_count_waits_for_trigger, setup),
		cmocka_unit_test_setup(test_mode_2, setup),
		cmocka_unit_test_setup(test_mode_2_new_count_waits_for_period, setup),
		cmocka_unit_test_setup(test_mode_2_gate, setup),
		cmocka_unit_test_setup(test_mode_3_even, setup),
		cmocka_unit_test_setup(test_mode_3_odd, setup),
		cmocka_unit_test_setup(test_mode_3_new_count_waits_for_half, setup),
		cmocka_unit_test_setup(test_mode_4, setup),
		cmocka_unit_test_setup(test_mode_5, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
