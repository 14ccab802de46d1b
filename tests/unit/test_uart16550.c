/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual 16550A, register by register, and the way Linux's 8250 driver meets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "uart_regs.h"
#include "vdev.h"

#define BASE 0x3F8

static struct {
	uint8_t out[4096], in[4096];
	size_t out_len, in_len, in_pos;
	size_t room; /* bytes that the console still takes */
	unsigned overruns, edges, irq;
	bool level;
} con;

static struct uart16550 u;

static bool con_put(void *ctx, uint8_t byte)
{
	(void)ctx;
	if (!con.room)
		return false;
	con.room--;
	con.out[con.out_len++] = byte;
	return true;
}

static bool con_room(void *ctx)
{
	(void)ctx;
	return con.room > 0;
}

static int con_get(void *ctx)
{
	(void)ctx;
	return con.in_pos < con.in_len ? con.in[con.in_pos++] : -1;
}

static size_t con_pending(void *ctx)
{
	(void)ctx;
	return con.in_len - con.in_pos;
}

static void con_overrun(void *ctx)
{
	(void)ctx;
	con.overruns++;
}

static void con_irq(void *ctx, unsigned irq, bool level)
{
	(void)ctx;
	assert_int_not_equal(level, con.level); /* only changes are told */
	con.level = level;
	con.irq = irq;
	con.edges += level;
}

static const struct uart_ops ops = {
	.put = con_put,
	.room = con_room,
	.get = con_get,
	.pending = con_pending,
	.overrun = con_overrun,
};

static int setup(void **state)
{
	(void)state;
	memset(&con, 0, sizeof(con));
	con.room = 4096;
	uart16550_init(&u, &ops, NULL, (struct irq_line){ .set = con_irq, .irq = 4 });
	return 0;
}

static uint8_t in(unsigned reg)
{
	return (uint8_t)uart16550_read(&u, (uint16_t)(BASE + reg), 1);
}

static void out(unsigned reg, uint8_t value)
{
	uart16550_write(&u, (uint16_t)(BASE + reg), 1, value);
}

static void receive(const char *text)
{
	size_t n = strlen(text);

	memcpy(con.in + con.in_len, text, n);
	con.in_len += n;
	uart16550_update(&u);
}

static void after_reset(void **state)
{
	(void)state;
	assert_int_equal(in(REG_IER), 0);
	assert_int_equal(in(REG_IIR), IIR_NONE);
	assert_int_equal(in(REG_LCR), 0);
	assert_int_equal(in(REG_MCR), 0);
	assert_int_equal(in(REG_LSR), LSR_THRE | LSR_TEMT);
	assert_int_equal(in(REG_MSR), MSR_DCD | MSR_DSR | MSR_CTS);
	assert_int_equal(in(REG_DATA), 0);
}

/* What Linux's autoconfig() asks, in its order. */
static void linux_finds_a_16550a(void **state)
{
	(void)state;
	out(REG_IER, 0);
	assert_int_equal(in(REG_IER) & 0x0F, 0);
	out(REG_IER, 0x0F);
	assert_int_equal(in(REG_IER) & 0x0F, 0x0F);
	out(REG_IER, 0);
	out(REG_MCR, MCR_LOOP | 0x0A);
	assert_int_equal(in(REG_MSR) & 0xF0, 0x90);
	out(REG_MCR, 0);
	out(REG_LCR, 0xBF); /* an EFR here would be another chip */
	out(REG_IIR, 0);
	out(REG_LCR, 0);
	out(REG_IIR, FCR_ENABLE);
	assert_int_equal(in(REG_IIR) >> 6, 3);
	out(REG_LCR, LCR_DLAB);
	assert_int_not_equal(in(REG_IIR), 0); /* not a 16650 */
	out(REG_LCR, 0);
	out(REG_IER, 0x40); /* nor an XScale port */
	assert_int_equal(in(REG_IER), 0);
}

/* What its start-up asks: an interrupt at each enabling, and no "txen" bug. */
static void linux_finds_no_bugs(void **state)
{
	uint8_t first;

	(void)state;
	out(REG_IER, IER_ETBEI);
	first = in(REG_IIR);
	out(REG_IER, 0);
	out(REG_IER, IER_ETBEI);
	assert_int_equal(first, IIR_THR_EMPTY);
	assert_int_equal(in(REG_IIR), IIR_THR_EMPTY);
	out(REG_IER, 0);
}

static void divisor_is_kept_apart(void **state)
{
	(void)state;
	out(REG_LCR, LCR_DLAB | LCR_8N1);
	out(REG_DATA, 0x34);
	out(REG_IER, 0x12);
	assert_int_equal(in(REG_DATA), 0x34);
	assert_int_equal(in(REG_IER), 0x12);
	out(REG_LCR, LCR_8N1);
	assert_int_equal(in(REG_IER), 0);
	assert_int_equal(con.out_len, 0);
	out(REG_SCR, 0xA5);
	assert_int_equal(in(REG_SCR), 0xA5);
}

static void bytes_go_out_in_order(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 256; i++)
		out(REG_DATA, (uint8_t)i);
	assert_int_equal(con.out_len, 256);
	for (i = 0; i < 256; i++)
		assert_int_equal(con.out[i], i);
	assert_int_equal(con.overruns, 0);
}

static void no_room_withholds_thre(void **state)
{
	unsigned i;

	(void)state;
	out(REG_IIR, FCR_ENABLE);
	out(REG_MCR, MCR_OUT2);
	con.room = 3;
	assert_int_equal(in(REG_LSR), LSR_THRE | LSR_TEMT);
	for (i = 0; i < 19; i++)
		out(REG_DATA, (uint8_t)i);
	assert_int_equal(con.out_len, 3);
	assert_int_equal(con.overruns, 0);
	assert_int_equal(in(REG_LSR), 0);
	out(REG_DATA, 99);
	assert_int_equal(con.overruns, 1);

	out(REG_IER, IER_ETBEI);
	assert_int_equal(in(REG_IIR) & 0x0F, IIR_NONE);
	assert_false(con.level);
	con.room = 10;
	uart16550_update(&u);
	assert_int_equal(con.out_len, 13);
	assert_false(con.level);
	con.room = 100;
	uart16550_update(&u);
	assert_int_equal(con.out_len, 19);
	assert_true(con.level);
	assert_int_equal(in(REG_IIR) & 0x0F, IIR_THR_EMPTY);
	assert_false(con.level);
	for (i = 0; i < 19; i++)
		assert_int_equal(con.out[i], i);
}

static void full_ring_alone_withholds_thre(void **state)
{
	(void)state;
	out(REG_MCR, MCR_OUT2);
	con.room = 1;
	out(REG_DATA, 'x');
	assert_int_equal(in(REG_LSR), 0);
	out(REG_IER, IER_ETBEI);
	assert_false(con.level);
	con.room = 1;
	uart16550_update(&u);
	assert_true(con.level);
}

static void without_fifo_one_byte_waits(void **state)
{
	(void)state;
	con.room = 0;
	out(REG_DATA, 'a');
	assert_int_equal(con.overruns, 0);
	out(REG_DATA, 'b');
	assert_int_equal(con.overruns, 1);
}

static void each_byte_without_reading_iir_is_an_edge(void **state)
{
	(void)state;
	out(REG_MCR, MCR_OUT2);
	out(REG_IER, IER_ETBEI);
	assert_int_equal(con.edges, 1);
	out(REG_DATA, 'a');
	assert_int_equal(con.edges, 2);
	assert_true(con.level);
	assert_int_equal(in(REG_IIR), IIR_THR_EMPTY);
	assert_false(con.level);
	out(REG_DATA, 'b');
	assert_int_equal(con.edges, 3);
	out(REG_IER, 0);
	assert_false(con.level);
	assert_int_equal(con.irq, 4);
}

static void receive_one_by_one_without_fifo(void **state)
{
	(void)state;
	out(REG_MCR, MCR_OUT2);
	out(REG_IER, IER_ERBFI);
	receive("xyz");
	assert_int_equal(con.edges, 1);
	assert_int_equal(in(REG_IIR), IIR_RX_DATA);
	assert_int_equal(in(REG_LSR), LSR_DR | LSR_THRE | LSR_TEMT);
	assert_int_equal(in(REG_DATA), 'x');
	assert_int_equal(con.edges, 2); /* a handler that takes one byte is called again */
	assert_int_equal(in(REG_DATA), 'y');
	assert_int_equal(in(REG_DATA), 'z');
	assert_false(con.level);
	assert_int_equal(in(REG_LSR) & LSR_DR, 0);
	assert_int_equal(con.edges, 3);
}

static void trigger_and_timeout(void **state)
{
	(void)state;
	out(REG_MCR, MCR_OUT2);
	out(REG_IIR, FCR_ENABLE | FCR_TRIGGER_8);
	out(REG_IER, IER_ERBFI);
	receive("1234567");
	assert_int_equal(in(REG_IIR), IIR_FIFOS | IIR_RX_TIMEOUT);
	receive("8");
	assert_int_equal(in(REG_IIR), IIR_FIFOS | IIR_RX_DATA);
	assert_int_equal(con.edges, 1);
	assert_int_equal(in(REG_DATA), '1');
	assert_int_equal(in(REG_IIR), IIR_FIFOS | IIR_RX_TIMEOUT);
	assert_int_equal(con.edges, 2);
}

static void long_paste_arrives_whole(void **state)
{
	char text[1001];
	unsigned i, n = 0;

	(void)state;
	for (i = 0; i < 1000; i++)
		text[i] = (char)('a' + i % 26);
	text[1000] = '\0';
	out(REG_IIR, FCR_ENABLE | 0xC0);
	receive(text);
	assert_int_equal(con_pending(NULL), 1000 - UART_FIFO);
	while (in(REG_LSR) & LSR_DR)
		assert_int_equal(in(REG_DATA), text[n++]);
	assert_int_equal(n, 1000);
}

static void out2_gates_the_line(void **state)
{
	(void)state;
	out(REG_IER, IER_ERBFI);
	receive("x");
	assert_false(con.level);
	assert_int_equal(in(REG_IIR), IIR_RX_DATA);
	out(REG_MCR, MCR_OUT2);
	assert_true(con.level);
	out(REG_MCR, 0);
	assert_false(con.level);
}

static void loopback(void **state)
{
	unsigned i;

	(void)state;
	out(REG_IIR, FCR_ENABLE);
	out(REG_MCR, MCR_LOOP);
	(void)in(REG_MSR);
	receive("outside");
	assert_int_equal(in(REG_LSR) & LSR_DR, 0);
	for (i = 0; i < UART_FIFO + 1; i++)
		out(REG_DATA, (uint8_t)i);
	assert_int_equal(con.out_len, 0);
	out(REG_IER, IER_ERBFI | IER_ELSI);
	assert_int_equal(in(REG_IIR), IIR_FIFOS | IIR_LINE_STATUS);
	assert_int_equal(in(REG_LSR), LSR_DR | LSR_OE | LSR_THRE | LSR_TEMT);
	assert_int_equal(in(REG_LSR), LSR_DR | LSR_THRE | LSR_TEMT);
	for (i = 0; i < UART_FIFO; i++)
		assert_int_equal(in(REG_DATA), i);
	assert_int_equal(in(REG_LSR) & LSR_DR, 0);
	out(REG_MCR, 0);
	assert_int_equal(in(REG_DATA), 'o'); /* the outside was only disconnected */
}

static void modem_lines_and_their_changes(void **state)
{
	(void)state;
	out(REG_MCR, MCR_LOOP | MCR_DTR | MCR_RTS | MCR_OUT1 | MCR_OUT2);
	assert_int_equal(in(REG_MSR), MSR_CTS | MSR_DSR | MSR_RI | MSR_DCD);
	out(REG_MCR, MCR_LOOP);
	out(REG_IER, IER_EDSSI);
	assert_int_equal(in(REG_IIR), IIR_MODEM_STATUS);
	assert_int_equal(in(REG_MSR), MSR_DCTS | MSR_DDSR | MSR_TERI | MSR_DDCD);
	assert_int_equal(in(REG_MSR), 0);
	assert_int_equal(in(REG_IIR), IIR_NONE);
	out(REG_MCR, MCR_LOOP | MCR_OUT1); /* a rising ring line is no event */
	assert_int_equal(in(REG_MSR), MSR_RI);
}

static void priorities(void **state)
{
	(void)state;
	out(REG_MCR, MCR_LOOP | MCR_RTS);
	out(REG_IER, IER_MASK);
	out(REG_DATA, 'a');
	out(REG_DATA, 'b'); /* overrun: without FIFO the newer stays */
	assert_int_equal(in(REG_IIR), IIR_LINE_STATUS);
	(void)in(REG_LSR);
	assert_int_equal(in(REG_IIR), IIR_RX_DATA);
	assert_int_equal(in(REG_DATA), 'b');
	assert_int_equal(in(REG_IIR), IIR_THR_EMPTY);
	assert_int_equal(in(REG_IIR), IIR_MODEM_STATUS);
	(void)in(REG_MSR);
	assert_int_equal(in(REG_IIR), IIR_NONE);
}

static void fifo_resets(void **state)
{
	(void)state;
	out(REG_IIR, FCR_ENABLE);
	receive("abc");
	out(REG_IIR, FCR_RESET_RX); /* bit 0 clear: the FIFOs go off, which clears them, too */
	assert_int_equal(in(REG_LSR) & LSR_DR, 0);
	assert_int_equal(in(REG_IIR), IIR_NONE);
	out(REG_IIR, FCR_ENABLE);
	receive("def");
	out(REG_IIR, FCR_ENABLE | FCR_RESET_TX);
	assert_int_equal(in(REG_DATA), 'd');
	out(REG_IIR, FCR_ENABLE | FCR_RESET_RX);
	assert_int_equal(in(REG_LSR) & LSR_DR, 0);
	con.room = 0;
	out(REG_DATA, 'x');
	out(REG_IIR, FCR_ENABLE | FCR_RESET_TX);
	assert_int_equal(con.overruns, 1);
	con.room = 10;
	uart16550_update(&u);
	assert_int_equal(con.out_len, 0);
}

static void wide_accesses_are_bytes(void **state)
{
	(void)state;
	uart16550_write(&u, BASE + REG_LCR, 2, 0x0203); /* LCR and MCR */
	assert_int_equal(in(REG_LCR), 3);
	assert_int_equal(in(REG_MCR), 2);
	uart16550_write(&u, BASE + 4, 4, 0x5A000000); /* SCR is the last */
	assert_int_equal(uart16550_read(&u, BASE + 4, 4),
			 0x5A000000U | (MSR_DCD | MSR_DSR | MSR_CTS) << 16 | 0x6000);
}

static void reset_drops_everything(void **state)
{
	(void)state;
	out(REG_MCR, MCR_OUT2);
	out(REG_IER, IER_MASK);
	receive("x");
	assert_true(con.level);
	con.room = 0;
	out(REG_DATA, 'y');
	uart16550_reset(&u);
	assert_false(con.level);
	con.room = 10;
	after_reset(NULL);
	assert_int_equal(con.out_len, 0);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(after_reset),
		T(linux_finds_a_16550a),
		T(linux_finds_no_bugs),
		T(divisor_is_kept_apart),
		T(bytes_go_out_in_order),
		T(no_room_withholds_thre),
		T(full_ring_alone_withholds_thre),
		T(without_fifo_one_byte_waits),
		T(each_byte_without_reading_iir_is_an_edge),
		T(receive_one_by_one_without_fifo),
		T(trigger_and_timeout),
		T(long_paste_arrives_whole),
		T(out2_gates_the_line),
		T(loopback),
		T(modem_lines_and_their_changes),
		T(priorities),
		T(fifo_resets),
		T(wide_accesses_are_bytes),
		T(reset_drops_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
