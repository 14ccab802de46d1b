/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical line: flow control both ways, errors, a port that dies; pastes and the focus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "console_fixture.h"

#define BUF 4096
#define XON 0x11
#define XOFF 0x13
#define PASTE KIB(64)

static const struct uart_port port = { .in = tty_in, .out = tty_out };
static uint64_t clock_ns;

static uint64_t now_ns(void)
{
	return clock_ns;
}

static void start(enum line_flow flow)
{
	fx_free();
	fx_setup();
	fx_ops.now_ns = now_ns;
	clock_ns = 5000000000ULL;
	tty.msr = MSR_CTS;
	fx_add("alpha", BUF, OVERFLOW_BLOCK);
	fx_add("beta", BUF, OVERFLOW_AUTO);
	fx_add("gamma", BUF, OVERFLOW_AUTO);
	console_set_flow(flow);
	console_start(false);
	run();
	forget();
}

static int setup(void **state)
{
	(void)state;
	start(FLOW_NONE);
	return 0;
}

static size_t read_some(unsigned vm, size_t n)
{
	size_t i;

	for (i = 0; i < n && vcon_get(guest[vm]) >= 0; i++)
		;
	return i;
}

static struct vcon_stats stats(unsigned vm)
{
	struct vcon_stats s;

	vcon_get_stats(guest[vm], &s);
	return s;
}

static struct console_line line(void)
{
	struct console_line l;

	console_get_line(&l);
	return l;
}

static size_t count(uint8_t byte)
{
	size_t i, n = 0;

	for (i = 0; i < tty.out_len; i++)
		n += tty.out[i] == byte;
	return n;
}

/* ---- output ---- */

static void xoff_stops_the_output_and_xon_continues_it(void **state)
{
	(void)state;
	start(FLOW_XONXOFF);
	type("\x13");
	say(0, "waits");
	run();
	assert_string_equal(seen(), "");
	assert_int_equal(tty.ier, IER_ERBFI); /* nothing interrupts for nothing */
	assert_true(line().host_holds);
	assert_false(console_has_work());
	type("\x11");
	assert_string_equal(seen(), "waits");
	assert_int_equal(read_some(0, 10), 0); /* not the guest's */
	assert_false(line().host_holds);
}

static void without_flow_control_they_are_input(void **state)
{
	(void)state;
	type("\x13\x11");
	say(0, "goes");
	run();
	assert_string_equal(seen(), "goes");
	assert_int_equal(read_some(0, 10), 2);
}

static void cts_stops_the_output(void **state)
{
	(void)state;
	start(FLOW_RTSCTS);
	tty.msr = 0;
	say(0, "waits");
	run();
	assert_string_equal(seen(), "");
	assert_int_equal(tty.ier, IER_ERBFI | IER_EDSSI);
	tty.msr = MSR_CTS;
	console_poll(); /* the modem status interrupt */
	run();
	assert_string_equal(seen(), "waits");
	assert_int_equal(tty.ier, IER_ERBFI | IER_EDSSI);
}

/* Who blocks waits, who drops does not, the keys work, and nothing is lost but what is counted. */
static void a_host_that_stops_reading_stops_only_who_wants_it(void **state)
{
	unsigned i;

	(void)state;
	start(FLOW_XONXOFF);
	type("\x13");
	for (i = 0; i < 3 * BUF; i++)
		if (!vcon_put(guest[0], 'a'))
			break;
	assert_int_equal(i, BUF);
	for (i = 0; i < 3 * BUF; i++)
		assert_true(vcon_put(guest[1], 'b'));
	type("\x05" "2x");
	assert_int_equal(read_some(1, 10), 1);
	assert_int_equal(woken[0], 0);
	type("\x11");
	assert_int_equal(stats(0).lost, 0);
	assert_int_equal(stats(1).written, stats(1).shown + stats(1).lost);
	assert_int_equal(woken[0], 0); /* it has no focus now, and no room */
	type("\x05" "1");
	assert_int_equal(woken[0], 1);
	assert_int_equal(stats(0).shown, BUF);
}

static void work_goes_on_although_the_host_holds(void **state)
{
	(void)state;
	start(FLOW_XONXOFF);
	type("\x13");
	console_request_focus(1);
	console_poll();
	type("y");
	assert_int_equal(read_some(1, 10), 1);
}

/* ---- input ---- */

static uint8_t paste[INPUT_RING + KIB(64)];

static void a_paste_of_64k_waits_for_a_slow_guest(void **state)
{
	(void)state;
	memset(paste, 'p', sizeof(paste));
	type("ls\r");
	type_bytes(paste, PASTE);
	assert_int_equal(stats(0).in_lost, 0);
	assert_int_equal(read_some(0, sizeof(paste)), PASTE + 3);
}

static void the_host_is_held_by_xoff(void **state)
{
	(void)state;
	start(FLOW_XONXOFF);
	memset(paste, 'p', sizeof(paste));
	type_bytes(paste, INPUT_RING - KIB(16));
	assert_int_equal(count(XOFF), 0);
	type("x");
	assert_int_equal(count(XOFF), 1);
	assert_true(line().host_held);
	type_bytes(paste, KIB(4)); /* what was on its way */
	assert_int_equal(stats(0).in_lost, 0);
	assert_int_equal(count(XOFF), 1);
	read_some(0, KIB(32));
	run();
	assert_int_equal(count(XON), 0); /* not for every few bytes */
	read_some(0, KIB(32));
	assert_true(console_has_work());
	run();
	assert_int_equal(count(XON), 1);
	assert_false(line().host_held);
}

static void the_host_is_held_by_rts(void **state)
{
	(void)state;
	start(FLOW_RTSCTS);
	memset(paste, 'p', sizeof(paste));
	assert_true(tty.mcr & MCR_RTS);
	type_bytes(paste, INPUT_RING - KIB(15));
	assert_false(tty.mcr & MCR_RTS);
	assert_true(tty.mcr & MCR_OUT2);
	assert_int_equal(tty.out_len, 0);
	read_some(0, INPUT_RING);
	run();
	assert_true(tty.mcr & MCR_RTS);
}

/* XOFF goes out although the host holds our output, and when the transmitter has room. */
static void xoff_is_not_held(void **state)
{
	(void)state;
	start(FLOW_XONXOFF);
	memset(paste, 'p', sizeof(paste));
	type("\x13");
	tty.stuck = true;
	type_bytes(paste, INPUT_RING - KIB(15));
	assert_int_equal(count(XOFF), 0);
	assert_true(tty.ier & IER_ETBEI);
	tty.stuck = false;
	run();
	assert_int_equal(count(XOFF), 1);
	assert_int_equal(tty.ier, IER_ERBFI);
}

/* The only way to the hotkeys when the guest reads nothing: a BREAK is not held. */
static void a_break_lets_keys_in(void **state)
{
	(void)state;
	start(FLOW_XONXOFF);
	memset(paste, 'p', sizeof(paste));
	type_bytes(paste, INPUT_RING - KIB(15));
	tty.lsr_errors = LSR_BI;
	type_bytes("\0", 1);
	assert_int_equal(count(XON), 1);
	assert_int_equal(line().breaks, 1);
	type("\x05" "2b");
	assert_int_equal(read_some(1, 10), 1);
	assert_int_equal(read_some(0, sizeof(paste)), INPUT_RING - KIB(15));
}

static void another_focus_lets_the_host_go(void **state)
{
	(void)state;
	start(FLOW_XONXOFF);
	memset(paste, 'p', sizeof(paste));
	type_bytes(paste, INPUT_RING - KIB(15));
	type("\x05" "2");
	assert_int_equal(count(XON), 1);
	type("\x05" "1");
	assert_int_equal(count(XOFF), 2);
}

/* ---- pastes ---- */

static void a_crash_does_not_divert_a_paste(void **state)
{
	(void)state;
	type("first half ");
	console_request_focus(1);
	run();
	clock_ns += 900000000;
	type("second half");
	assert_int_equal(read_some(0, 100), 22);
	assert_int_equal(read_some(1, 100), 0);
	clock_ns += 1000000000;
	type("new");
	assert_int_equal(read_some(1, 100), 3);
}

static void a_key_ends_the_paste(void **state)
{
	(void)state;
	type("paste");
	console_request_focus(1);
	run();
	type("r\x05" "2to beta");
	assert_int_equal(read_some(0, 100), 6);
	assert_int_equal(read_some(1, 100), 7);
}

static void nobody_types_so_the_focus_takes_the_input(void **state)
{
	(void)state;
	console_request_focus(1);
	run();
	type("x");
	assert_int_equal(read_some(1, 100), 1);
}

static void two_changes_do_not_divert_it_either(void **state)
{
	(void)state;
	type("one");
	console_request_focus(1);
	run();
	console_request_focus(2);
	run();
	type("two");
	assert_int_equal(read_some(0, 100), 6);
}

/* It is asked for when no guest is left: there is nobody for whom keys could be kept. */
static void the_monitor_takes_the_keys_at_once(void **state)
{
	(void)state;
	type("one");
	console_request_focus(-1);
	run();
	type("two");
	assert_int_equal(read_some(0, 100), 3);
}

/* ---- errors ---- */

static void errors_are_counted_apart(void **state)
{
	(void)state;
	tty.lsr_errors = LSR_BI | LSR_FE | LSR_PE;
	type_bytes("\0", 1);
	tty.lsr_errors = LSR_FE;
	type("f");
	tty.lsr_errors = LSR_PE | LSR_OE;
	type("p");
	assert_int_equal(line().breaks, 1);
	assert_int_equal(line().framing, 1);
	assert_int_equal(line().parity, 1);
	assert_int_equal(line().overruns, 1);
	assert_int_equal(line().in, 2);
	say(0, "out");
	run();
	assert_int_equal(line().out, strlen("[bulkhead: console alpha]\r\n") + 3);
}

static void a_port_that_dies_stops_nobody(void **state)
{
	unsigned i;

	(void)state;
	tty.stuck = true;
	for (i = 0; vcon_put(guest[0], 'a'); i++)
		;
	assert_int_equal(i, BUF);
	tty.absent = true;
	console_poll();
	assert_false(line().present);
	assert_int_equal(woken[0], 1);
	for (i = 0; i < 2 * BUF; i++)
		assert_true(vcon_put(guest[0], 'a'));
	run();
	assert_false(console_has_work());
	assert_true(console_drained());
}

static void a_dead_transmitter_is_no_port(void **state)
{
	(void)state;
	fx_free();
	fx_setup();
	tty.stuck = true;
	console_mux()->uart.present = false;
	console_setup(&fx_ops, &port, 115200, ESC_KEY);
	assert_false(console_mux()->uart.present);
	fx_add("alpha", BUF, OVERFLOW_BLOCK);
	console_start(false);
	for (unsigned i = 0; i < 2 * BUF; i++)
		assert_true(vcon_put(guest[0], 'a'));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(xoff_stops_the_output_and_xon_continues_it),
		T(without_flow_control_they_are_input),
		T(cts_stops_the_output),
		T(a_host_that_stops_reading_stops_only_who_wants_it),
		T(work_goes_on_although_the_host_holds),
		T(a_paste_of_64k_waits_for_a_slow_guest),
		T(the_host_is_held_by_xoff),
		T(the_host_is_held_by_rts),
		T(xoff_is_not_held),
		T(a_break_lets_keys_in),
		T(another_focus_lets_the_host_go),
		T(a_crash_does_not_divert_a_paste),
		T(a_key_ends_the_paste),
		T(nobody_types_so_the_focus_takes_the_input),
		T(two_changes_do_not_divert_it_either),
		T(the_monitor_takes_the_keys_at_once),
		T(errors_are_counted_apart),
		T(a_port_that_dies_stops_nobody),
		T(a_dead_transmitter_is_no_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
