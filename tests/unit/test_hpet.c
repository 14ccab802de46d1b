/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual HPET, against the IA-PC HPET specification 1.0a. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vdev_hpet.h"

#define BASE 0xFED00000ULL
#define CAPABILITIES 0x00
#define CONFIG 0x10
#define STATUS 0x20
#define COUNTER 0xF0
#define TN_CONFIG(n) (0x100 + 0x20 * (n))
#define TN_COMPARATOR(n) (0x108 + 0x20 * (n))
#define TN_FSB(n) (0x110 + 0x20 * (n))

#define RUN 1
#define LEGACY 2
#define LEVEL 2U
#define INT 4U
#define PERIODIC 8U
#define SETVAL 0x40U
#define ONLY32 0x100U
#define ROUTE(pin) ((pin) << 9)

#define TICK 10ULL /* ns */
#define MS 1000000ULL

static struct {
	struct vdev_bus bus;
	struct vhpet h;
	uint64_t ns;
	unsigned rearmed;
	bool pin[24], isa[16];
	unsigned pin_edges[24], isa_edges[16]; /* rising */
} w;

static uint64_t now_ns(void)
{
	return w.ns;
}

static void rearm(void *ctx)
{
	assert_ptr_equal(ctx, &w);
	w.rearmed++;
}

static const struct vclock vclock = { now_ns, now_ns, rearm, &w };

static void set_pin(void *ctx, unsigned pin, bool level)
{
	assert_ptr_equal(ctx, &w);
	assert_true(pin < 24);
	assert_int_not_equal(w.pin[pin], level);
	w.pin[pin] = level;
	w.pin_edges[pin] += level;
}

static void set_isa(void *ctx, unsigned irq, bool level)
{
	assert_ptr_equal(ctx, &w);
	assert_true(irq == 0 || irq == 8);
	assert_int_not_equal(w.isa[irq], level);
	w.isa[irq] = level;
	w.isa_edges[irq] += level;
}

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.ns = 123456789;
	vhpet_init(&w.h, &vclock, set_pin, set_isa, &w);
	assert_true(vhpet_add_to_bus(&w.h, &w.bus));
	return 0;
}

static uint64_t get(unsigned reg)
{
	return bus_mmio_read(&w.bus, BASE + reg, 8);
}

static uint32_t get32(unsigned reg)
{
	return (uint32_t)bus_mmio_read(&w.bus, BASE + reg, 4);
}

static void put(unsigned reg, uint64_t value)
{
	bus_mmio_write(&w.bus, BASE + reg, 8, value);
}

static void put32(unsigned reg, uint64_t value)
{
	bus_mmio_write(&w.bus, BASE + reg, 4, value);
}

/* What the hypervisor does: calls at the moments that the model asks for, up to `ns` from now. */
static unsigned pass(uint64_t ns)
{
	const uint64_t end = w.ns + ns;
	unsigned calls = 0;

	while (vhpet_next(&w.h) <= end) {
		if (vhpet_next(&w.h) > w.ns)
			w.ns = vhpet_next(&w.h);
		vhpet_advance(&w.h, w.ns);
		calls++;
	}
	w.ns = end;
	return calls;
}

/* As pass(), but only one call, at the end. */
static void pass_late(uint64_t ns)
{
	w.ns += ns;
	vhpet_advance(&w.h, w.ns);
}

/* ---- registers -------------------------------------------------------------- */

static void test_capabilities(void **state)
{
	(void)state;
	assert_int_equal(vhpet_id(), 0x8086A201);
	assert_int_equal(get(CAPABILITIES), 10000000ULL << 32 | vhpet_id());
	put(CAPABILITIES, 0);
	assert_int_equal(get32(CAPABILITIES + 4), 10000000);
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(get(TN_CONFIG(n)), 0x00FF010400000030);
		assert_int_equal(get(TN_COMPARATOR(n)), UINT64_MAX);
		put(TN_FSB(n), UINT64_MAX);
		assert_int_equal(get(TN_FSB(n)), 0);
	}
	assert_int_equal(get(TN_CONFIG(3)), 0);
	assert_int_equal(get(0x3F8), 0);
	assert_int_equal(w.bus.denied_mmio, 0);
}

static void test_writable_bits(void **state)
{
	(void)state;
	put(CONFIG, UINT64_MAX);
	assert_int_equal(get(CONFIG), 3);
	for (unsigned n = 0; n < 3; n++) {
		put(TN_CONFIG(n), UINT64_MAX & ~(uint64_t)ROUTE(31) & ~(uint64_t)INT);
		assert_int_equal(get(TN_CONFIG(n)), 0x00FF01040000013A);
		assert_int_equal(get(TN_COMPARATOR(n)), UINT32_MAX);
	}
}

static void test_routes(void **state)
{
	(void)state;
	for (unsigned pin = 0; pin < 32; pin++) {
		put32(TN_CONFIG(1), ROUTE(16));
		put32(TN_CONFIG(1), ROUTE(pin));
		assert_int_equal(get32(TN_CONFIG(1)) >> 9,
				 pin == 2 || pin == 8 || (pin >= 16 && pin < 24) ? pin : 16);
	}
}

static void test_access_sizes(void **state)
{
	(void)state;
	put32(TN_COMPARATOR(2), 0x55667788);
	put32(TN_COMPARATOR(2) + 4, 0x11223344);
	assert_int_equal(get(TN_COMPARATOR(2)), 0x1122334455667788);
	assert_int_equal(get32(TN_COMPARATOR(2) + 4), 0x11223344);
	assert_int_equal(bus_mmio_read(&w.bus, BASE + TN_COMPARATOR(2) + 1, 2), 0x6677);
	assert_int_equal(bus_mmio_read(&w.bus, BASE + TN_COMPARATOR(2) + 7, 1), 0x11);
	/* Across two registers. */
	assert_int_equal(bus_mmio_read(&w.bus, BASE + CAPABILITIES + 6, 4), 0x0098);
	assert_int_equal(bus_mmio_read(&w.bus, BASE + TN_CONFIG(2) + 4, 8), 0x5566778800FF0104);
	bus_mmio_write(&w.bus, BASE + TN_CONFIG(2) + 4, 8, 0xAABBCCDD00000000);
	assert_int_equal(get(TN_COMPARATOR(2)), 0x11223344AABBCCDD);
	bus_mmio_write(&w.bus, BASE + TN_COMPARATOR(2) + 3, 1, 0x99);
	assert_int_equal(get(TN_COMPARATOR(2)), 0x1122334499BBCCDD);
}

/* ---- the counter -------------------------------------------------------------- */

static void test_counter(void **state)
{
	(void)state;
	w.ns += MS;
	assert_int_equal(get(COUNTER), 0);
	put(CONFIG, RUN);
	w.ns += MS + 9;
	assert_int_equal(get(COUNTER), MS / TICK);
	put(COUNTER, 5); /* it runs */
	assert_int_equal(get(COUNTER), MS / TICK);
	put(CONFIG, 0);
	w.ns += MS;
	assert_int_equal(get(COUNTER), MS / TICK);
	put32(COUNTER, 0xFFFFFFFE);
	put32(COUNTER + 4, 7);
	put(CONFIG, RUN);
	w.ns += 3 * TICK;
	assert_int_equal(get(COUNTER), 0x800000001);
	assert_int_equal(get32(COUNTER + 4), 8);
}

static void test_counter_wraps(void **state)
{
	(void)state;
	put(COUNTER, UINT64_MAX - 1);
	put(TN_COMPARATOR(0), 1);
	put(TN_CONFIG(0), INT | ROUTE(20));
	put(CONFIG, RUN);
	assert_int_equal(pass(2 * TICK), 0);
	assert_int_equal(get(COUNTER), 0);
	assert_int_equal(pass(TICK), 1);
	assert_int_equal(w.pin_edges[20], 1);
}

/* ---- one-shot ------------------------------------------------------------------ */

static void test_one_shot(void **state)
{
	(void)state;
	assert_int_equal(vhpet_next(&w.h), VTIME_NEVER);
	put(CONFIG, RUN);
	put(TN_CONFIG(0), INT | ROUTE(16));
	put(TN_COMPARATOR(0), 1000);
	assert_int_equal(vhpet_next(&w.h), w.ns + 1000 * TICK);
	assert_int_equal(pass(1000 * TICK - 1), 0);
	assert_int_equal(w.pin_edges[16], 0);
	assert_int_equal(pass(1), 1);
	assert_int_equal(w.pin_edges[16], 1);
	assert_false(w.pin[16]);
	assert_int_equal(get(STATUS), 0);
	assert_int_equal(get(TN_COMPARATOR(0)), 1000);
	/* 64 bits: never again. */
	assert_int_equal(vhpet_next(&w.h), VTIME_NEVER);
	/* The next one may follow at once: the bound is for periods. */
	put(TN_COMPARATOR(0), 1001);
	assert_int_equal(vhpet_next(&w.h), w.ns + TICK);
	/* The counter's ticks are the grid, not the moment of the access. */
	w.ns += TICK - 3;
	put(TN_COMPARATOR(0), 1001);
	assert_int_equal(vhpet_next(&w.h), w.ns + 3);
}

static void test_one_shot_32_bit(void **state)
{
	(void)state;
	put(COUNTER, 0x7FFFFFFF0);
	put(CONFIG, RUN);
	put(TN_CONFIG(1), INT | ONLY32 | ROUTE(17));
	put(TN_COMPARATOR(1), 0xABCDFFFFFFF8);
	assert_int_equal(get(TN_COMPARATOR(1)), 0xFFFFFFF8);
	assert_int_equal(vhpet_next(&w.h), w.ns + 8 * TICK);
	pass(8 * TICK);
	assert_int_equal(w.pin_edges[17], 1);
	/* Behind the counter: at the wrap, not now. */
	put(TN_COMPARATOR(1), 0xFFFFFFF0);
	assert_int_equal(vhpet_next(&w.h), w.ns + ((1ULL << 32) - 8) * TICK);
	assert_int_equal(pass(3 * (1ULL << 32) * TICK), 3);
	assert_int_equal(w.pin_edges[17], 4);
	assert_int_equal(get(TN_COMPARATOR(1)), 0xFFFFFFF0);
}

/* Linux (set next event) must be able to see that it came too late. */
static void test_too_late(void **state)
{
	(void)state;
	put(CONFIG, RUN);
	w.ns += MS;
	put(TN_CONFIG(0), INT | ROUTE(16));
	put(TN_COMPARATOR(0), MS / TICK - 1);
	assert_int_equal(vhpet_next(&w.h), VTIME_NEVER);
	pass(3600000 * MS);
	assert_int_equal(w.pin_edges[16], 0);
	/* Equal is not late. */
	put(TN_COMPARATOR(0), get(COUNTER));
	assert_int_equal(pass(0), 1);
	assert_int_equal(w.pin_edges[16], 1);
}

static void test_change_of_width(void **state)
{
	(void)state;
	put(CONFIG, RUN);
	put(TN_CONFIG(0), INT | ROUTE(16));
	put(TN_COMPARATOR(0), 0x100001000);
	put(TN_CONFIG(0), INT | ONLY32 | ROUTE(16));
	assert_int_equal(get(TN_COMPARATOR(0)), 0x1000);
	assert_int_equal(vhpet_next(&w.h), w.ns + 0x1000 * TICK);
	put32(TN_COMPARATOR(0) + 4, 1); /* not there any more */
	assert_int_equal(get(TN_COMPARATOR(0)), 0x1000);
}

/* ---- periodic ------------------------------------------------------------------- */

static void start_periodic(unsigned n, uint32_t config, uint64_t period)
{
	put(TN_CONFIG(n), config | PERIODIC | SETVAL | INT);
	put(TN_COMPARATOR(n), period);
	put(CONFIG, RUN | (get(CONFIG) & LEGACY));
}

static void test_periodic(void **state)
{
	(void)state;
	start_periodic(0, ROUTE(18), MS / TICK);
	assert_int_equal(pass(10 * MS), 10);
	assert_int_equal(w.pin_edges[18], 10);
	assert_int_equal(get(TN_COMPARATOR(0)), 11 * MS / TICK);
	assert_int_equal(vhpet_next(&w.h), w.ns + MS);
}

/* The specification's way: accumulator and period are different values. */
static void test_accumulator(void **state)
{
	(void)state;
	put32(TN_CONFIG(0), PERIODIC | SETVAL | INT | ONLY32 | ROUTE(18));
	assert_int_equal(get32(TN_CONFIG(0)) & SETVAL, 0);
	put32(TN_CONFIG(0) + 4, 0); /* the other half of the register: no matter */
	put32(TN_COMPARATOR(0), 500);
	put32(TN_COMPARATOR(0), 70000);
	assert_int_equal(get32(TN_COMPARATOR(0)), 500);
	put(CONFIG, RUN);
	pass(500 * TICK);
	assert_int_equal(w.pin_edges[18], 1);
	assert_int_equal(get(TN_COMPARATOR(0)), 70500);
	pass(70000 * TICK);
	assert_int_equal(w.pin_edges[18], 2);
	/* A new period counts from the next match on. */
	put32(TN_COMPARATOR(0), 100000);
	assert_int_equal(vhpet_next(&w.h), w.ns + 70000 * TICK);
	pass(70000 * TICK);
	assert_int_equal(vhpet_next(&w.h), w.ns + 100000 * TICK);
}

static void test_periodic_32_bit_wraps(void **state)
{
	(void)state;
	put(COUNTER, 0xFFFFFFFF);
	put(TN_CONFIG(2), PERIODIC | SETVAL | INT | ONLY32 | ROUTE(23));
	put(TN_COMPARATOR(2), 0x80000000);
	put(CONFIG, RUN);
	pass(0x80000001 * TICK);
	assert_int_equal(w.pin_edges[23], 1);
	assert_int_equal(get(TN_COMPARATOR(2)), 0);
	pass(0x80000000 * TICK);
	assert_int_equal(w.pin_edges[23], 2);
}

static void test_late_calls_keep_phase(void **state)
{
	uint64_t start;

	(void)state;
	start_periodic(0, ROUTE(18), MS / TICK);
	start = w.ns;
	pass_late(7 * MS + MS / 2);
	assert_int_equal(w.pin_edges[18], 1);
	assert_int_equal(vhpet_next(&w.h), start + 8 * MS);
	assert_int_equal(get(TN_COMPARATOR(0)), 8 * MS / TICK);
	/* On the spot is not late. */
	pass_late(MS / 2);
	assert_int_equal(w.pin_edges[18], 2);
	assert_int_equal(vhpet_next(&w.h), start + 9 * MS);
}

static void test_tiny_period(void **state)
{
	(void)state;
	start_periodic(0, ROUTE(18), 1);
	assert_in_range(pass(10 * MS), 90, 101);
	assert_in_range(w.pin_edges[18], 90, 101);
	assert_int_equal(get(TN_COMPARATOR(0)), get(COUNTER) + 1);
}

/* No period was ever given: one match, as if it were none. */
static void test_period_zero(void **state)
{
	(void)state;
	put(TN_CONFIG(0), INT | ROUTE(18));
	put(TN_COMPARATOR(0), 100);
	put(TN_CONFIG(0), INT | PERIODIC | ROUTE(18));
	put(CONFIG, RUN);
	assert_int_equal(pass(1000 * MS), 1);
	put(TN_CONFIG(0), INT | PERIODIC | SETVAL | ROUTE(18));
	put(TN_COMPARATOR(0), 0);
	assert_int_equal(vhpet_next(&w.h), VTIME_NEVER);
}

/* ---- interrupts -------------------------------------------------------------------- */

static void test_level(void **state)
{
	(void)state;
	start_periodic(1, LEVEL | ROUTE(19), MS / TICK);
	assert_int_equal(pass(MS), 1);
	assert_true(w.pin[19]);
	assert_int_equal(get(STATUS), 2);
	/* Until the guest has seen it there is nothing to call for. */
	assert_int_equal(vhpet_next(&w.h), VTIME_NEVER);
	put(STATUS, 5);
	assert_true(w.pin[19]);
	w.rearmed = 0;
	put32(STATUS, 2);
	assert_int_equal(w.rearmed, 1);
	assert_false(w.pin[19]);
	assert_int_equal(get(STATUS), 0);
	assert_int_equal(vhpet_next(&w.h), w.ns + MS);
	pass(MS);
	assert_true(w.pin[19]);
	assert_int_equal(w.pin_edges[19], 2);
}

/* Status is kept without the interrupt, and raises it when that is enabled. */
static void test_level_disabled(void **state)
{
	(void)state;
	put(TN_CONFIG(0), LEVEL | ROUTE(16));
	put(TN_COMPARATOR(0), 100);
	put(CONFIG, RUN);
	assert_int_equal(pass(MS), 0);
	assert_int_equal(get(STATUS), 1);
	assert_false(w.pin[16]);
	put(TN_CONFIG(0), LEVEL | INT | ROUTE(16));
	assert_true(w.pin[16]);
	put(TN_CONFIG(0), LEVEL | INT | ROUTE(17)); /* moves */
	assert_true(!w.pin[16] && w.pin[17]);
	put(CONFIG, 0);
	assert_false(w.pin[17]);
	assert_int_equal(get(STATUS), 1);
	put(CONFIG, RUN);
	assert_true(w.pin[17]);
	put(TN_CONFIG(0), INT | ROUTE(17)); /* an edge has no status */
	assert_false(w.pin[17]);
	assert_int_equal(get(STATUS), 0);
}

static void test_shared_pin(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		put(TN_CONFIG(n), (n < 2 ? LEVEL : 0) | INT | ROUTE(21));
		put(TN_COMPARATOR(n), 100 + n);
	}
	put(CONFIG, RUN);
	pass(MS);
	assert_int_equal(get(STATUS), 3);
	assert_int_equal(w.pin_edges[21], 1);
	put(STATUS, 1);
	assert_true(w.pin[21]);
	put(STATUS, 2);
	assert_false(w.pin[21]);
}

static void test_no_route(void **state)
{
	(void)state;
	start_periodic(0, 0, MS / TICK);
	assert_int_equal(vhpet_next(&w.h), VTIME_NEVER);
	pass(10 * MS);
	vhpet_advance(&w.h, w.ns);
	assert_int_equal(w.pin_edges[0] + w.isa_edges[0], 0);
}

static void test_legacy(void **state)
{
	(void)state;
	put(CONFIG, LEGACY);
	assert_false(vhpet_is_legacy(&w.h));
	for (unsigned n = 0; n < 3; n++)
		start_periodic(n, ROUTE(20), (n + 1) * MS / TICK);
	assert_true(vhpet_is_legacy(&w.h));
	pass(6 * MS);
	assert_int_equal(w.isa_edges[0], 6);
	assert_int_equal(w.isa_edges[8], 3);
	assert_int_equal(w.pin_edges[20], 2);
	/* The 8259 needs the line until it acknowledges. */
	assert_true(w.isa[0] && w.isa[8]);
	assert_false(w.pin[20]);
	w.rearmed = 0;
	put(CONFIG, RUN);
	assert_int_equal(w.rearmed, 1);
	assert_false(vhpet_is_legacy(&w.h));
	assert_false(w.isa[0] || w.isa[8]);
	pass(6 * MS);
	assert_int_equal(w.isa_edges[0], 6);
	assert_true(w.pin_edges[20] > 8);
}

static void test_legacy_level(void **state)
{
	(void)state;
	put(CONFIG, LEGACY);
	start_periodic(0, LEVEL, MS / TICK);
	pass(3 * MS);
	assert_int_equal(w.isa_edges[0], 1);
	put(STATUS, 1);
	assert_false(w.isa[0]);
	pass(MS);
	assert_int_equal(w.isa_edges[0], 2);
}

/* ---- the caller ---------------------------------------------------------------------- */

static void test_rearm(void **state)
{
	(void)state;
	put(TN_COMPARATOR(0), 1000);
	put(TN_CONFIG(0), INT | ROUTE(16));
	assert_int_equal(w.rearmed, 0);
	put(CONFIG, RUN);
	assert_int_equal(w.rearmed, 1);
	get(COUNTER);
	put(TN_COMPARATOR(1), 5); /* no interrupt */
	assert_int_equal(w.rearmed, 1);
	put(TN_COMPARATOR(0), 2000);
	assert_int_equal(w.rearmed, 2);
	pass(2000 * TICK);
	assert_int_equal(w.rearmed, 2);
	put(TN_COMPARATOR(0), 3000);
	assert_int_equal(w.rearmed, 3);
	/* A read that finds it due does what the call would have done. */
	w.ns += 1000 * TICK;
	get(COUNTER);
	assert_int_equal(w.pin_edges[16], 1 + 1);
	assert_int_equal(w.rearmed, 4);
	put(TN_COMPARATOR(0), 9000);
	put(CONFIG, 0);
	assert_int_equal(w.rearmed, 6);
	assert_int_equal(vhpet_next(&w.h), VTIME_NEVER);
}

static void test_halt_freezes(void **state)
{
	(void)state;
	start_periodic(0, ROUTE(16), MS / TICK);
	pass(MS / 4);
	put(CONFIG, 0);
	pass(100 * MS);
	vhpet_advance(&w.h, w.ns);
	assert_int_equal(w.pin_edges[16], 0);
	put(CONFIG, RUN);
	assert_int_equal(vhpet_next(&w.h), w.ns + MS * 3 / 4);
}

static void test_reset(void **state)
{
	(void)state;
	put(CONFIG, LEGACY);
	start_periodic(0, 0, MS / TICK);
	start_periodic(2, LEVEL | ROUTE(22), MS / TICK);
	pass(MS);
	assert_true(w.isa[0] && w.pin[22]);
	vhpet_reset(&w.h);
	assert_false(w.isa[0] || w.pin[22]);
	assert_int_equal(vhpet_next(&w.h), VTIME_NEVER);
	assert_int_equal(get(CONFIG) | get(STATUS) | get(COUNTER), 0);
	assert_int_equal(get(TN_CONFIG(2)), 0x00FF010400000030);
	assert_int_equal(get(TN_COMPARATOR(2)), UINT64_MAX);
}

/* As Linux 6.1 calibrates and then takes its tick: 32-bit accesses, legacy. */
static void test_linux_tick(void **state)
{
	const uint32_t delta = 400000; /* 250 Hz */
	uint32_t counter;

	(void)state;
	put32(CONFIG, 0);
	put32(COUNTER, 0);
	put32(COUNTER + 4, 0);
	put32(CONFIG, RUN | LEGACY);
	w.ns += 5 * MS;
	put32(CONFIG, LEGACY);
	counter = get32(COUNTER);
	put32(TN_CONFIG(0), INT | PERIODIC | SETVAL | ONLY32);
	put32(TN_COMPARATOR(0), counter + delta);
	w.ns += 1000;
	put32(TN_COMPARATOR(0), delta);
	put32(CONFIG, RUN | LEGACY);
	pass(40 * MS);
	assert_int_equal(w.isa_edges[0], 10);
	put32(TN_CONFIG(0), INT | ONLY32); /* one-shot */
	put32(TN_COMPARATOR(0), get32(COUNTER) + 12345);
	pass(MS);
	assert_int_equal(w.isa_edges[0], 11);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_capabilities), TEST(test_writable_bits), TEST(test_routes),
		TEST(test_access_sizes), TEST(test_counter), TEST(test_counter_wraps),
		TEST(test_one_shot), TEST(test_one_shot_32_bit), TEST(test_too_late),
		TEST(test_change_of_width), TEST(test_periodic), TEST(test_accumulator),
		TEST(test_periodic_32_bit_wraps), TEST(test_late_calls_keep_phase),
		TEST(test_tiny_period), TEST(test_period_zero), TEST(test_level),
		TEST(test_level_disabled), TEST(test_shared_pin), TEST(test_no_route),
		TEST(test_legacy), TEST(test_legacy_level), TEST(test_rearm),
		TEST(test_halt_freezes), TEST(test_reset), TEST(test_linux_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
