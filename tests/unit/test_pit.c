/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 and port 0x61 (Intel 8254 data sheet), with a clock that stands until it is moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vdev_pit.h"

#define START 1000000 /* input clocks: an instant like any other */

static struct vdev_bus bus;
static struct vpit pit;
static uint64_t ns;
static unsigned raised, dropped, rearmed;
static bool level;

static uint64_t now(void)
{
	return ns;
}

static void rearm(void *ctx)
{
	assert_ptr_equal(ctx, &pit);
	rearmed++;
}

static void set(void *ctx, unsigned irq, bool to)
{
	assert_ptr_equal(ctx, &bus);
	assert_int_equal(irq, 0);
	assert_int_not_equal(level, to);
	level = to;
	raised += to;
	dropped += !to;
}

static const struct vclock vclock = { now, now, rearm, &pit };

/* The first nanosecond of an input clock. */
static uint64_t ns_of(uint64_t tick)
{
	return (uint64_t)(((unsigned __int128)tick * 1000000000 + PIT_HZ - 1) / PIT_HZ);
}

static uint64_t tick;

/* Time goes on without anybody looking. */
static void pass(uint64_t clocks)
{
	tick += clocks;
	ns = ns_of(tick);
}

/* The same, with the hypervisor's timer; returns how often it went off. */
static unsigned run(uint64_t clocks)
{
	const uint64_t end = ns_of(tick + clocks);
	unsigned n = 0;

	for (; vpit_next(&pit) <= end; n++) {
		assert_true(vpit_next(&pit) > ns);
		ns = vpit_next(&pit);
		vpit_advance(&pit, ns);
	}
	pass(clocks);
	return n;
}

static void out(uint16_t port, uint32_t value)
{
	bus_port_write(&bus, port, 1, value);
}

static uint32_t in(uint16_t port)
{
	return bus_port_read(&bus, port, 1);
}

/* Both bytes, binary; the count is loaded one clock later. */
static void program(unsigned channel, unsigned mode, unsigned count)
{
	out(0x43, channel << 6 | 0x30 | mode << 1);
	out((uint16_t)(0x40 + channel), count & 0xFF);
	out((uint16_t)(0x40 + channel), count >> 8);
}

static unsigned count_of(unsigned channel)
{
	const uint16_t port = (uint16_t)(0x40 + channel);
	unsigned v;

	out(0x43, channel << 6);
	v = in(port);
	return v | in(port) << 8;
}

static unsigned status_of(unsigned channel)
{
	out(0x43, 0xE0 | 2u << channel);
	return in((uint16_t)(0x40 + channel));
}

static bool out_of(unsigned channel)
{
	return status_of(channel) & 0x80;
}

static void gate(bool on)
{
	out(0x61, on);
}

static void forget(void)
{
	raised = dropped = rearmed = 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	level = false;
	tick = 0;
	pass(START);
	vpit_init(&pit, &vclock, (struct irq_line){ set, &bus, 0 });
	assert_true(vpit_add_to_bus(&pit, &bus));
	forget();
	return 0;
}

/* ---- the modes ------------------------------------------------------------------ */

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

/* ---- reading and writing counts ---------------------------------------------------- */

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

/* ---- IRQ 0 ---------------------------------------------------------------------------- */

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
