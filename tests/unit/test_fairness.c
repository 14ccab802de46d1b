/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much a guest that writes as fast as it can delays others: counted in
 * bytes on the line, in rounds of work and in calls that reach another guest.
 * The bounds are those that docs/console.md states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "console_fixture.h"
#include "vdev.h"

#define BUF KIB(64)

/* From the key to the line that answers: the rest of an item, the leaving guest's line. */
#define KEY_TO_LINE (64 + 64 + 1024)
#define WORK_BYTES 64

static unsigned routes;

static void count_route(int vm)
{
	(void)vm;
	routes++;
}

static int setup(void **state)
{
	(void)state;
	fx_setup();
	fx_ops.route = count_route;
	fx_add("alpha", BUF, OVERFLOW_AUTO);
	fx_add("beta", BUF, OVERFLOW_AUTO);
	console_start(false);
	run();
	forget();
	routes = 0;
	return 0;
}

/* The guest writes until it is refused, at most `most` bytes. */
static void flood(unsigned vm, unsigned most)
{
	while (most-- && vcon_room(guest[vm]))
		vcon_put(guest[vm], 'x');
}

/* The guest never ends its line and never stops: the worst case for who waits. */
static void a_flood_delays_a_key_by_a_bounded_number_of_bytes(void **state)
{
	char *answer = NULL;
	unsigned rounds;
	size_t at;

	(void)state;
	flood(0, BUF);
	console_poll();
	forget();
	tty.in = (const uint8_t *)"\x05" "2";
	tty.in_len = 2;
	for (rounds = 0; rounds < 100 && !answer; rounds++) {
		flood(0, BUF);
		console_poll();
		answer = strstr((char *)tty.out, "[bulkhead: console beta]");
	}
	assert_non_null(answer);
	at = (size_t)(answer - (char *)tty.out);
	assert_in_range(at, 1, KEY_TO_LINE);
	assert_in_range(rounds, 1, KEY_TO_LINE / WORK_BYTES + 2);
}

/* And the other guest's input gets past it at once. */
static void a_flood_does_not_delay_input(void **state)
{
	(void)state;
	flood(0, BUF);
	tty.stuck = true; /* not a byte goes out */
	tty.in = (const uint8_t *)"\x05" "2key";
	tty.in_len = 5;
	console_poll();
	assert_int_equal(vcon_pending(guest[1]), 3);
	assert_int_equal(woken[1], 1);
}

static void one_work_sends_a_bounded_number_of_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		forget();
		flood(0, BUF);
		console_poll();
		assert_in_range(tty.out_len, 1, 4 * WORK_BYTES); /* at most four rounds */
	}
}

/* Without the focus a flood is not even noticed by the drain. */
static void a_flood_without_the_focus_costs_nobody_anything(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		flood(1, 2 * BUF);
		assert_false(console_has_work());
	}
	assert_int_equal(tty.out_len, 0);
	assert_int_equal(woken[0] + woken[1], 0);
	assert_int_equal(routes, 0);
	say(0, "at once");
	run();
	assert_string_equal(seen(), "at once");
}

/* ---- a guest that turns every knob of its port ---- */

static bool port_put(void *ctx, uint8_t byte)
{
	(void)ctx;
	return vcon_put(guest[1], byte);
}

static bool port_room(void *ctx)
{
	(void)ctx;
	return vcon_room(guest[1]);
}

static int port_get(void *ctx)
{
	(void)ctx;
	return vcon_get(guest[1]);
}

static size_t port_pending(void *ctx)
{
	(void)ctx;
	return vcon_pending(guest[1]);
}

static void port_overrun(void *ctx)
{
	(void)ctx;
	vcon_count_overrun(guest[1]);
}

static void port_irq(void *ctx, unsigned irq, bool level)
{
	(void)ctx;
	(void)irq;
	(void)level;
}

static void turning_every_knob_costs_nobody_anything(void **state)
{
	static const struct uart_ops ops = { port_put,	   port_room,	 port_get,
					     port_pending, port_overrun, NULL };
	struct uart16550 u;

	(void)state;
	uart16550_init(&u, &ops, NULL, (struct irq_line){ .set = port_irq });
	srand(7);
	for (unsigned i = 0; i < 200000; i++) {
		unsigned reg = (unsigned)rand() & REG_MASK;

		if (rand() & 1)
			uart16550_write(&u, (uint16_t)(0x3F8 + reg), 1, (uint32_t)rand() & 0xFF);
		else
			(void)uart16550_read(&u, (uint16_t)(0x3F8 + reg), 1);
		assert_false(console_has_work());
	}
	assert_int_equal(woken[0] + woken[1], 0);
	assert_int_equal(tty.out_len + routes, 0);
	tty.in = (const uint8_t *)"k";
	tty.in_len = 1;
	console_poll();
	assert_int_equal(vcon_pending(guest[0]), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_flood_delays_a_key_by_a_bounded_number_of_bytes),
		T(a_flood_does_not_delay_input),
		T(one_work_sends_a_bounded_number_of_bytes),
		T(a_flood_without_the_focus_costs_nobody_anything),
		T(turning_every_knob_costs_nobody_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
