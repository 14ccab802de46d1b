/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual 16550's transmitter when the console wants the guest's own rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "uart_regs.h"
#include "vdev.h"
#include "vdev_time.h"

#define BASE 0x3F8
#define DIVISOR_9600 12
#define CHAR_9600 1041666ULL /* ten bits, in ns */

static struct {
	uint8_t out[4096];
	size_t len;
	unsigned overruns, rearms, edges;
	bool paced, level, in_advance;
	uint64_t now;
} w;

static struct uart16550 u;

static bool put(void *ctx, uint8_t byte)
{
	(void)ctx;
	w.out[w.len++] = byte;
	return true;
}

static bool room(void *ctx)
{
	(void)ctx;
	return true;
}

static int get(void *ctx)
{
	(void)ctx;
	return -1;
}

static size_t pending(void *ctx)
{
	(void)ctx;
	return 0;
}

static void overrun(void *ctx)
{
	(void)ctx;
	w.overruns++;
}

static bool paced(void *ctx)
{
	(void)ctx;
	return w.paced;
}

static void irq(void *ctx, unsigned n, bool level)
{
	(void)ctx;
	(void)n;
	w.level = level;
	w.edges += level;
}

static uint64_t now_ns(void)
{
	return w.now;
}

static void rearm(void *ctx)
{
	(void)ctx;
	assert_false(w.in_advance);
	w.rearms++;
}

static const struct uart_ops ops = { put, room, get, pending, overrun, paced };
static const struct vclock uart_clock = { now_ns, now_ns, rearm, NULL };

static uint8_t in(unsigned reg)
{
	return (uint8_t)uart16550_read(&u, (uint16_t)(BASE + reg), 1);
}

static void out(unsigned reg, uint8_t value)
{
	uart16550_write(&u, (uint16_t)(BASE + reg), 1, value);
}

static void set_rate(unsigned divisor, uint8_t lcr)
{
	out(REG_LCR, LCR_DLAB);
	out(REG_DATA, (uint8_t)divisor);
	out(REG_IER, (uint8_t)(divisor >> 8));
	out(REG_LCR, lcr);
}

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.now = 1000000000;
	w.paced = true;
	uart16550_init(&u, &ops, NULL, (struct irq_line){ .set = irq, .irq = 4 });
	uart16550_set_clock(&u, &uart_clock);
	set_rate(DIVISOR_9600, LCR_8N1);
	out(REG_IIR, FCR_ENABLE);
	return 0;
}

static void advance(void)
{
	w.in_advance = true;
	uart16550_advance(&u, w.now);
	w.in_advance = false;
}

/* Lets the time pass to the next alarm; false: there is none. */
static bool next(void)
{
	if (uart16550_next(&u) == VTIME_NEVER)
		return false;
	w.now = max_u64(w.now, uart16550_next(&u));
	advance();
	return true;
}

static void an_idle_transmitter_takes_a_byte_at_once(void **state)
{
	(void)state;
	out(REG_DATA, 'a');
	assert_int_equal(w.len, 1);
	assert_int_equal(in(REG_LSR), LSR_THRE); /* in the shift register, not out */
	assert_true(uart16550_next(&u) == VTIME_NEVER);
	w.now += CHAR_9600 + 1;
	assert_int_equal(in(REG_LSR), LSR_THRE | LSR_TEMT);
	assert_int_equal(w.rearms, 0);
}

static void a_full_fifo_takes_its_time(void **state)
{
	const uint64_t start = w.now;

	(void)state;
	for (unsigned i = 0; i < 1 + UART_FIFO; i++)
		out(REG_DATA, (uint8_t)('a' + i));
	assert_int_equal(w.len, 1);
	assert_int_equal(in(REG_LSR), 0);
	out(REG_DATA, 'z'); /* the guest's own doing */
	assert_int_equal(w.overruns, 1);
	w.now = start + 4 * CHAR_9600 + 100;
	assert_int_equal(in(REG_LSR), 0);
	assert_int_equal(w.len, 5);
	while (next())
		;
	assert_int_equal(w.len, 17);
	assert_in_range(w.now - start, 16 * CHAR_9600, 16 * CHAR_9600 + 100);
	assert_memory_equal(w.out, "abcdefghijklmnopq", 17);
}

/* An interrupt when the FIFO is empty, and few alarms on the way there. */
static void the_interrupt_comes_when_it_is_empty(void **state)
{
	(void)state;
	out(REG_MCR, MCR_OUT2);
	out(REG_IER, IER_ETBEI);
	assert_int_equal(in(REG_IIR) & 0x0F, IIR_THR_EMPTY);
	for (unsigned i = 0; i < 1 + UART_FIFO; i++)
		out(REG_DATA, 'x');
	assert_false(w.level);
	assert_int_equal(w.rearms, 1);
	assert_true(next()); /* set for the first byte */
	assert_false(w.level);
	assert_true(next());
	assert_true(w.level);
	assert_false(next());
	assert_int_equal(in(REG_IIR) & 0x0F, IIR_THR_EMPTY);
}

/* Ten seconds of a guest that polls as fast as it can. */
static void a_flood_has_the_programmed_rate(void **state)
{
	const uint64_t end = w.now + 10 * CHAR_9600 * 100;
	unsigned written = 0;

	(void)state;
	for (; w.now < end; w.now += CHAR_9600 / 50)
		if (in(REG_LSR) & LSR_THRE) {
			out(REG_DATA, 'x');
			written++;
		}
	assert_in_range(written, 1000, 1002);
	assert_int_equal(w.len + u.tx_count, written);
	assert_int_equal(w.overruns, 0);
}

/* Rests are not saved up for a burst. */
static void idle_time_is_no_credit(void **state)
{
	(void)state;
	w.now += 1000 * CHAR_9600;
	for (unsigned i = 0; i < 10; i++)
		out(REG_DATA, 'x');
	assert_int_equal(w.len, 1);
	w.now += 5 * CHAR_9600 + 10;
	out(REG_DATA, 'x'); /* behind those that left meanwhile */
	assert_int_equal(w.len, 6);
}

static uint64_t time_of_two(void)
{
	const uint64_t start = w.now;

	out(REG_DATA, '1');
	out(REG_DATA, '2');
	w.len = 0;
	assert_true(next());
	assert_int_equal(w.len, 1);
	return w.now - start;
}

static void the_format_counts(void **state)
{
	static const struct {
		unsigned divisor;
		uint8_t lcr;
		uint64_t ns;
	} all[] = {
		{ 12, LCR_8N1, 1041666 },
		{ 1, LCR_8N1, 86805 },
		{ 0, LCR_8N1, 86805 }, /* never set */
		{ 12, LCR_8N1 | LCR_PARITY, 1145833 },
		{ 12, LCR_8N1 | LCR_PARITY | LCR_STOP2, 1250000 },
		{ 12, 0, 729166 },
		{ 12, LCR_STOP2, 781250 },
		{ 0xFFFF, LCR_8N1, 5688802083 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		setup(state);
		set_rate(all[i].divisor, all[i].lcr);
		assert_in_range(time_of_two(), all[i].ns - 1, all[i].ns + 1);
	}
}

static void the_policy_may_change_on_the_way(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		out(REG_DATA, 'x');
	assert_int_equal(w.len, 1);
	w.paced = false;
	uart16550_update(&u);
	assert_int_equal(w.len, 10);
	assert_int_equal(in(REG_LSR), LSR_THRE | LSR_TEMT);
	out(REG_DATA, 'y');
	assert_int_equal(w.len, 11);
	while (next()) /* the alarm that was set comes in vain */
		;
	assert_true(uart16550_next(&u) == VTIME_NEVER);
}

static void the_end_of_the_guest_loses_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		out(REG_DATA, 'x');
	uart16550_flush(&u);
	assert_int_equal(w.len, 10);
	assert_int_equal(w.edges, 0);
	uart16550_reset(&u);
	assert_int_equal(w.overruns, 0);
	assert_true(uart16550_next(&u) == VTIME_NEVER);
}

static void a_reset_forgets_the_alarm(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		out(REG_DATA, 'x');
	uart16550_reset(&u);
	assert_true(uart16550_next(&u) == VTIME_NEVER);
	assert_int_equal(w.overruns, 9); /* counted, because gone */
	out(REG_DATA, 'y');
	assert_int_equal(w.len, 2);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_idle_transmitter_takes_a_byte_at_once),
		T(a_full_fifo_takes_its_time),
		T(the_interrupt_comes_when_it_is_empty),
		T(a_flood_has_the_programmed_rate),
		T(idle_time_is_no_credit),
		T(the_format_counts),
		T(the_policy_may_change_on_the_way),
		T(the_end_of_the_guest_loses_nothing),
		T(a_reset_forgets_the_alarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
