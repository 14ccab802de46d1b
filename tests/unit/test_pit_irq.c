/* SPDX-License-Identifier: BSD-2-Clause */
/* IRQ 0 of the 8254, and its reset. */
#include "pit_fixture.h"

static void test_irq_rate(void **state)
{
	(void)state;
	program(0, 2, 11932);
	assert_int_equal(vpit_next(&pit), ns_of(START + 1 + 11932));
	forget();
	assert_int_equal(run(11932ULL * 1000 + 1), 1000); /* ten seconds */
	assert_int_equal(raised, 1000);
	assert_int_equal(rearmed, 0);
	assert_true(level);
}

static void test_irq_square_wave(void **state)
{
	(void)state;
	program(0, 3, 1193);
	forget();
	assert_int_equal(run(1193 * 1000 + 1), 1000);
	assert_int_equal(raised, 1000);
}

static void test_irq_one_shot(void **state)
{
	(void)state;
	program(0, 0, 100);
	assert_false(level);
	assert_int_equal(run(100), 0);
	assert_int_equal(run(1), 1);
	assert_true(level);
	assert_int_equal(vpit_next(&pit), VTIME_NEVER);
	out(0x40, 200); /* the line drops, and nothing is due before the second byte */
	assert_false(level);
	assert_int_equal(vpit_next(&pit), VTIME_NEVER);
	out(0x40, 0);
	assert_int_equal(run(1000), 1);
	assert_int_equal(raised, 2);
}

static void test_irq_strobe(void **state)
{
	(void)state;
	program(0, 4, 50);
	forget();
	assert_int_equal(run(50 + 1), 0);
	assert_int_equal(run(1), 1);
	assert_int_equal(raised, 1);
	assert_int_equal(vpit_next(&pit), VTIME_NEVER);
}

static void test_irq_needs_a_trigger(void **state)
{
	(void)state;
	program(0, 1, 50);
	assert_int_equal(vpit_next(&pit), VTIME_NEVER);
	program(0, 5, 50);
	assert_int_equal(vpit_next(&pit), VTIME_NEVER);
}

static void test_irq_late(void **state)
{
	(void)state;
	program(0, 2, 1000);
	forget();
	pass(1 + 5500);
	vpit_advance(&pit, ns);
	assert_int_equal(raised, 1); /* one for five */
	assert_int_equal(vpit_next(&pit), ns_of(START + 1 + 6000)); /* in phase */
	vpit_advance(&pit, ns);
	assert_int_equal(raised, 1);
}

static void test_irq_new_count(void **state)
{
	(void)state;
	program(0, 2, 1000);
	pass(1 + 500);
	forget();
	out(0x40, 4000 & 0xFF);
	out(0x40, 4000 >> 8);
	assert_int_equal(vpit_next(&pit), ns_of(START + 1 + 1000));
	assert_int_equal(run(500), 1);
	assert_int_equal(vpit_next(&pit), ns_of(START + 1 + 1000 + 4000));
}

static void test_irq_new_count_in_square_wave(void **state)
{
	(void)state;
	program(0, 3, 10000);
	pass(1 + 1000);
	out(0x40, 2000 & 0xFF);
	out(0x40, 2000 >> 8);
	/* high 5000 of the old, low 1000 of the new */
	assert_int_equal(vpit_next(&pit), ns_of(START + 1 + 6000));
	pass(4500);
	(void)in(0x40); /* the new count is in use now */
	assert_int_equal(vpit_next(&pit), ns_of(START + 1 + 6000));
}

/* An access that finds an edge due delivers it, and has the timer armed anew. */
static void test_irq_by_access(void **state)
{
	(void)state;
	program(0, 2, 1000);
	forget();
	pass(1 + 1000);
	(void)count_of(2);
	assert_int_equal(raised, 1);
	assert_true(rearmed > 0);
	forget();
	(void)count_of(2);
	assert_int_equal(rearmed, 0);
}

static void test_irq_rate_is_bounded(void **state)
{
	static const unsigned counts[] = { 1, 2, 3, 10, 100, 119 };

	(void)state;
	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (unsigned mode = 2; mode <= 3; mode++) {
			program(0, mode, counts[i]);
			assert_in_range(run(PIT_HZ), 1000, PIT_HZ / PIT_MIN_EDGE_CLOCKS + 1);
		}
	}
	program(0, 2, 120);
	assert_in_range(run(PIT_HZ), 9942, 9944);
}

/* A control word takes OUT up from its low part: an edge, as in hardware. */
static void test_irq_of_control_word(void **state)
{
	(void)state;
	program(0, 0, 100);
	forget();
	out(0x43, 0x34);
	assert_int_equal(raised, 1);
	program(0, 3, 1000);
	pass(1 + 700);
	forget();
	out(0x43, 0x34);
	assert_int_equal(raised, 1);
	out(0x43, 0x34);
	assert_int_equal(raised, 1);
}

static void test_no_drift_in_years(void **state)
{
	const uint64_t years = 200ULL * 366 * 86400;

	(void)state;
	program(0, 2, 1000);
	tick += years * PIT_HZ;
	ns = ns_of(tick);
	vpit_advance(&pit, ns);
	assert_true(vpit_next(&pit) ==
		    ns_of(START + 1 + ((years * PIT_HZ - 1) / 1000 + 1) * 1000));
	assert_int_equal(count_of(0), 1000 - (years * PIT_HZ - 1) % 1000);
}

/* ---- reset ------------------------------------------------------------------------------- */

static void test_reset(void **state)
{
	(void)state;
	assert_int_equal(vpit_next(&pit), ns_of(START + 1 + 65536));
	assert_false(level);
	out(0x43, 0x34); /* OUT was high: no edge */
	assert_int_equal(raised, 0);
	program(0, 0, 10);
	run(100);
	assert_true(level);
	out(0x61, 3);
	vpit_reset(&pit);
	assert_false(level);
	assert_int_equal(in(0x61) & 0x0F, 0);
	assert_int_equal(run(65536 + 1), 1);
	assert_true(level);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_irq_rate, setup),
		cmocka_unit_test_setup(test_irq_square_wave, setup),
		cmocka_unit_test_setup(test_irq_one_shot, setup),
		cmocka_unit_test_setup(test_irq_strobe, setup),
		cmocka_unit_test_setup(test_irq_needs_a_trigger, setup),
		cmocka_unit_test_setup(test_irq_late, setup),
		cmocka_unit_test_setup(test_irq_new_count, setup),
		cmocka_unit_test_setup(test_irq_new_count_in_square_wave, setup),
		cmocka_unit_test_setup(test_irq_by_access, setup),
		cmocka_unit_test_setup(test_irq_rate_is_bounded, setup),
		cmocka_unit_test_setup(test_irq_of_control_word, setup),
		cmocka_unit_test_setup(test_no_drift_in_years, setup),
		cmocka_unit_test_setup(test_reset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
