/* SPDX-License-Identifier: BSD-2-Clause */
/* The console multiplexer on a model of the physical UART. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "console_fixture.h"
#include "fmt.h"

#define BUF 4096

static int setup(void **state)
{
	(void)state;
	fx_setup();
	fx_add("alpha", BUF, OVERFLOW_AUTO);
	fx_add("beta", BUF, OVERFLOW_AUTO);
	fx_add("gamma", BUF, OVERFLOW_DROP_OLDEST);
	fx_add("delta", BUF, OVERFLOW_BLOCK);
	console_start(false);
	run();
	return 0;
}

static size_t read_input(unsigned vm, uint8_t *buf, size_t max)
{
	size_t n = 0;
	int byte;

	while (n < max && (byte = vcon_get(guest[vm])) >= 0)
		buf[n++] = (uint8_t)byte;
	return n;
}

static void expect_input(unsigned vm, const char *text)
{
	uint8_t buf[256];
	size_t n = read_input(vm, buf, sizeof(buf));

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, n);
}

static struct vcon_stats stats(unsigned vm)
{
	struct vcon_stats s;

	vcon_get_stats(guest[vm], &s);
	return s;
}

/* ---- start and the keys ---- */

static void start_gives_the_first_guest_the_focus(void **state)
{
	(void)state;
	assert_int_equal(routed, 0);
	EXPECT("[bulkhead: console alpha]\r\n");
	assert_int_equal(tty.ier, IER_ERBFI);
	type("x");
	expect_input(0, "x");
}

static void keys_move_the_focus(void **state)
{
	static const struct {
		const char *keys, *line;
		int route;
	} steps[] = {
		{ "\x05" "2", "[bulkhead: console beta]\r\n", 1 },
		{ "\x05" "n", "[bulkhead: console gamma]\r\n", 2 },
		{ "\x05" "p", "[bulkhead: console beta]\r\n", 1 },
		{ "\x05" "l", "[bulkhead: console gamma]\r\n", 2 },
		{ "\x05" "l", "[bulkhead: console beta]\r\n", 1 },
		{ "\x05" "m", "[bulkhead: console monitor]\r\nbulkhead> ", -1 },
		{ "\x05" "l", "\r\n[bulkhead: console beta]\r\n", 1 },
		{ "\x05" "4", "[bulkhead: console delta]\r\n", 3 },
		{ "\x05" "n", "[bulkhead: console alpha]\r\n", 0 },
		{ "\x05" "p", "[bulkhead: console delta]\r\n", 3 },
		{ "\x05" "4", "[bulkhead: console delta]\r\n", 3 },
	};
	size_t i;

	(void)state;
	forget();
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		type(steps[i].keys);
		assert_int_equal(routed, steps[i].route);
		EXPECT(steps[i].line);
	}
	for (i = 0; i < 4; i++)
		assert_int_equal(vcon_pending(guest[i]), 0);
}

static void neighbours_of_the_monitor_are_guests(void **state)
{
	(void)state;
	type("\x05m");
	type("\x05n");
	assert_int_equal(routed, 0);
	type("\x05m");
	type("\x05p");
	assert_int_equal(routed, 3);
}

static void escape_twice_sends_it(void **state)
{
	(void)state;
	type("a\x05\x05z");
	expect_input(0, "a\x05z");
}

static void unknown_keys_are_named_and_not_sent(void **state)
{
	(void)state;
	forget();
	type("\x05z");
	EXPECT("[bulkhead: unknown key 'z' after Ctrl-E; Ctrl-E ? lists the keys]\r\n");
	type("\x05\x01");
	EXPECT("[bulkhead: unknown key 0x01 after Ctrl-E; Ctrl-E ? lists the keys]\r\n");
	type("\x05" "9");
	EXPECT("[bulkhead: there is no guest 9; guests are 1 to 4]\r\n");
	assert_int_equal(vcon_pending(guest[0]), 0);
}

static void help_lists_keys_and_guests(void **state)
{
	(void)state;
	forget();
	say(0, "login: ");
	run();
	type("\x05?");
	EXPECT("login: \r\n[bulkhead: after Ctrl-E: 1-9 guest, TAB or first letters: by name, "
	       "n next, p previous, l last, m monitor, a all guests (again: times), s read-only, "
	       "r replay, e skip to the end, ? help; Ctrl-E again sends it]\r\n"
	       "[bulkhead: input goes to alpha; guests: 1=alpha 2=beta 3=gamma 4=delta]\r\nlogin: ");
}

static void leaning_on_the_keyboard_is_harmless(void **state)
{
	char keys[2000];

	(void)state;
	memset(keys, 0x05, sizeof(keys));
	for (size_t i = 1; i < sizeof(keys); i += 2)
		keys[i] = '?';
	tty.stuck = true;
	type_bytes(keys, sizeof(keys));
	tty.stuck = false;
	run();
	assert_int_equal(tty.overflow, 0);
	forget();
	say(0, "ok");
	EXPECT("ok");
}

/* ---- transparency ---- */

static void every_byte_passes_both_ways(void **state)
{
	uint8_t all[257], got[257];
	unsigned i, n = 0;

	(void)state;
	forget();
	for (i = 0; i < 256; i++) {
		vcon_put(guest[0], (uint8_t)i);
		all[n++] = (uint8_t)i;
		if (i == ESC_KEY)
			all[n++] = (uint8_t)i;
	}
	run();
	assert_int_equal(tty.out_len, 256);
	for (i = 0; i < 256; i++)
		assert_int_equal(tty.out[i], i);
	type_bytes(all, n);
	assert_int_equal(read_input(0, got, sizeof(got)), 256);
	for (i = 0; i < 256; i++)
		assert_int_equal(got[i], i);
}

/* ---- output without the focus ---- */

static void output_waits_for_the_focus(void **state)
{
	(void)state;
	forget();
	say(1, "hello\r\nfrom beta\r\n");
	EXPECT("");
	type("\x05" "2");
	EXPECT("[bulkhead: console beta]\r\nhello\r\nfrom beta\r\n");
	say(1, "live\r\n");
	EXPECT("live\r\n");
	assert_int_equal(stats(1).written, 24);
	assert_int_equal(stats(1).shown, 24);
}

static void loss_is_counted_and_marked_where_it_was(void **state)
{
	unsigned i;

	(void)state;
	forget();
	for (i = 0; i < BUF / 4 + 25; i++) /* 100 bytes more than fit */
		assert_true(say(1, "abc\n"));
	assert_int_equal(stats(1).lost, 100);
	type("\x05" "2");
	assert_memory_equal(seen(), "[bulkhead: console beta]\r\n[bulkhead: 100 bytes lost]\r\nabc\n",
			    58);
	assert_int_equal(tty.out_len, 26 + 28 + BUF);
	assert_int_equal(stats(1).written, stats(1).shown + stats(1).lost);
}

static void loss_while_shown_ends_the_line(void **state)
{
	unsigned i;

	(void)state;
	type("\x05" "3");
	forget();
	say(2, "begin");
	EXPECT("begin");
	tty.stuck = true;
	for (i = 0; i < BUF + 64 + 10; i++)
		assert_true(vcon_put(guest[2], 'x'));
	tty.stuck = false;
	run();
	assert_memory_equal(seen(), "\r\n[bulkhead: 74 bytes lost]\r\nxxx", 32);
	assert_int_equal(stats(2).written, stats(2).shown + stats(2).lost);
	assert_int_not_equal(stats(2).lost, 0);
}

/* ---- switching in the middle of a line ---- */

static void unfinished_line_comes_back(void **state)
{
	(void)state;
	forget();
	say(0, "done\r\nalpha:~# ");
	EXPECT("done\r\nalpha:~# ");
	type("\x05" "2");
	EXPECT("\r\n[bulkhead: console beta]\r\n");
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\nalpha:~# ");
	say(0, "ls\r\n");
	EXPECT("ls\r\n");
	assert_int_equal(stats(0).shown, stats(0).written);
}

/* A guest that was started again does not show the line that its last life left. */
static void unfinished_line_ends_with_its_life(void **state)
{
	(void)state;
	forget();
	say(0, "old prompt");
	EXPECT("old prompt");
	type("\x05" "2");
	vcon_restart(guest[0]);
	forget();
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\n");
	forget();
	say(0, "new prompt");
	EXPECT("new prompt");
	type("\x05" "2");
	type("\x05" "1");
	EXPECT("\r\n[bulkhead: console beta]\r\n[bulkhead: console alpha]\r\nnew prompt");
}

static void unfinished_line_survives_a_full_ring(void **state)
{
	(void)state;
	type("\x05" "4");
	say(3, "delta:~# ");
	run();
	type("\x05" "1");
	while (vcon_room(guest[3]))
		vcon_put(guest[3], 'w');
	forget();
	type("\x05" "4");
	assert_memory_equal(seen(), "[bulkhead: console delta]\r\ndelta:~# wwww", 40);
	assert_int_equal(tty.out_len, 36 + BUF);
}

static void finished_line_does_not_come_back(void **state)
{
	(void)state;
	forget();
	say(0, "done\r\n");
	EXPECT("done\r\n");
	type("\x05" "2");
	type("\x05" "1");
	EXPECT("[bulkhead: console beta]\r\n[bulkhead: console alpha]\r\n");
}

static void leaving_guest_ends_its_line(void **state)
{
	(void)state;
	forget();
	tty.stuck = true;
	say(0, "some words");
	run();
	tty.allow = 4;
	run();
	say(0, " and more\r\nnext line\r\n");
	type("\x05" "2");
	tty.stuck = false;
	EXPECT("some words and more\r\n[bulkhead: console beta]\r\n");
	type("\x05" "1");
	EXPECT("[bulkhead: console alpha]\r\nnext line\r\n");
}

static void put_many(unsigned vm, unsigned n)
{
	while (n--)
		vcon_put(guest[vm], 'x');
}

static void endless_line_does_not_hold_the_focus(void **state)
{
	char *mark;

	(void)state;
	forget();
	tty.stuck = true;
	put_many(0, 64 + 10);
	run(); /* 64 bytes are on their way */
	type("\x05" "2");
	tty.allow = 64;
	run(); /* now ten, so that the bound falls inside a chunk */
	put_many(0, 3000);
	tty.stuck = false;
	run();
	mark = strstr((char *)tty.out, "\r\n[bulkhead: console beta]\r\n");
	assert_non_null(mark);
	assert_int_equal(mark - (char *)tty.out, 64 + 1024);
}

static void too_long_line_is_not_repeated(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 600; i++)
		vcon_put(guest[0], 'x');
	run();
	type("\x05" "2");
	forget();
	type("\x05" "1");
	say(0, "!");
	EXPECT("[bulkhead: console alpha]\r\n!");
}

static void input_follows_the_key_at_once(void **state)
{
	(void)state;
	tty.stuck = true; /* the display cannot follow */
	type("1\x05" "2two\x05" "1one");
	expect_input(0, "1one");
	expect_input(1, "two");
}

/* ---- the hypervisor's own lines ---- */

static void log_record_gets_its_own_line(void **state)
{
	(void)state;
	forget();
	log_info("guest beta started");
	EXPECT("[bulkhead: guest beta started]\r\n");
	say(0, "alpha# ");
	EXPECT("alpha# ");
	log_info("one");
	log_info("two");
	EXPECT("\r\n[bulkhead: one]\r\n[bulkhead: two]\r\nalpha# ");
}

static void log_record_waits_for_the_newline(void **state)
{
	(void)state;
	forget();
	tty.stuck = true;
	say(0, "half of a rather long line");
	run();
	tty.allow = 3;
	run();
	log_info("news");
	console_poll();
	say(0, " and its end\r\nanother\r\n");
	tty.stuck = false;
	EXPECT("half of a rather long line and its end\r\n[bulkhead: news]\r\nanother\r\n");
}

static void what_was_printed_comes_before_the_record(void **state)
{
	(void)state;
	forget();
	tty.stuck = true;
	say(0, "a\r\nb\r\nc\r\nlast words\r\n");
	log_info("guest alpha stopped");
	console_poll();
	tty.stuck = false;
	EXPECT("a\r\nb\r\nc\r\nlast words\r\n[bulkhead: guest alpha stopped]\r\n");
}

static void endless_line_does_not_hold_a_record(void **state)
{
	char *mark;
	unsigned i;

	(void)state;
	forget();
	tty.stuck = true;
	log_info("news");
	console_poll();
	for (i = 0; i < 100; i++)
		vcon_put(guest[0], 'x');
	tty.stuck = false;
	log_info("more");
	for (i = 0; i < 8000; i++) {
		vcon_put(guest[0], 'x');
		if (i % 32 == 0)
			console_poll();
	}
	run();
	mark = strstr((char *)tty.out, "[bulkhead: more]");
	assert_non_null(mark);
	assert_in_range(mark - (char *)tty.out, 20, 4096 + 300);
}

static void focus_and_record_show_the_crash_last(void **state)
{
	(void)state;
	forget();
	say(1, "Oops\r\n");
	log_error("guest beta crashed");
	console_request_focus(1);
	EXPECT("[bulkhead: console beta]\r\nOops\r\n[bulkhead: guest beta crashed]\r\n");
}

static void threshold_is_kept(void **state)
{
	(void)state;
	forget();
	log_set_level(LOG_WARN);
	log_info("quiet");
	log_warn("loud\x1b[2J");
	EXPECT("[bulkhead: loud?[2J]\r\n");
}

static void missed_records_are_counted(void **state)
{
	unsigned i;

	(void)state;
	forget();
	for (i = 0; i < LOG_RECORDS + 7; i++)
		log_info("r%u", i);
	run();
	assert_memory_equal(seen(), "[bulkhead: 7 log messages lost]\r\n[bulkhead: r7]\r\n", 49);
}

static void records_from_before_the_start_are_not_repeated(void **state)
{
	static const struct uart_port port = { .in = tty_in, .out = tty_out };

	(void)state;
	log_set_sink(NULL);
	log_info("early");
	console_setup(&fx_ops, &port, 115200, ESC_KEY);
	assert_non_null(strstr(seen(), "[bulkhead: early]\r\n"));
	forget();
	log_info("polled");
	assert_string_equal(seen(), "[bulkhead: polled]\r\n");
	forget();
	console_start(false);
	EXPECT("[bulkhead: console monitor]\r\nbulkhead> ");
}

/* ---- policies ---- */

static unsigned fill(unsigned vm)
{
	unsigned n = 0;

	while (n < 100000 && vcon_room(guest[vm]) && vcon_put(guest[vm], 'y'))
		n++;
	return n;
}

static void focus_blocks_and_wakes(void **state)
{
	unsigned n, total;

	(void)state;
	tty.stuck = true;
	console_poll();
	n = fill(0);
	assert_int_equal(n, BUF);
	assert_false(vcon_put(guest[0], 'z'));
	assert_int_equal(woken[0], 0);
	tty.allow = 50;
	run();
	assert_int_equal(woken[0], 0); /* too little room to bother */
	tty.allow = 2 * BUF;
	run();
	assert_int_equal(woken[0], 1);
	total = n + fill(0);
	tty.stuck = false;
	run();
	assert_int_equal(stats(0).lost, 0);
	assert_int_equal(stats(0).shown, total);
}

static void leaving_focus_wakes_the_blocked(void **state)
{
	(void)state;
	tty.stuck = true;
	fill(0);
	assert_int_equal(woken[0], 0);
	type("\x05" "2");
	tty.stuck = false; /* the line ends at its bound, then the focus moves */
	run();
	assert_int_equal(woken[0], 1);
	assert_true(vcon_room(guest[0]));
	assert_int_equal(fill(0), 100000);
	assert_int_equal(stats(0).written,
			 stats(0).shown + stats(0).lost + ring_used(&guest[0]->out));
}

static void block_policy_loses_nothing_without_focus(void **state)
{
	(void)state;
	assert_int_equal(fill(3), BUF);
	assert_false(vcon_room(guest[3]));
	assert_int_equal(woken[3], 0);
	type("\x05" "4");
	assert_int_equal(woken[3], 1);
	assert_int_equal(stats(3).shown, BUF);
	assert_int_equal(stats(3).lost, 0);
}

static void drop_oldest_never_blocks(void **state)
{
	(void)state;
	type("\x05" "3");
	tty.stuck = true;
	assert_int_equal(fill(2), 100000);
}

/* ---- input ---- */

static void full_input_is_counted_and_keys_still_work(void **state)
{
	static uint8_t paste[INPUT_RING + 300];

	(void)state;
	memset(paste, 'p', sizeof(paste));
	type_bytes(paste, sizeof(paste));
	assert_int_equal(stats(0).in, sizeof(paste));
	assert_int_equal(stats(0).in_lost, 300);
	assert_int_equal(vcon_pending(guest[0]), INPUT_RING);
	forget();
	type("\x05" "2");
	EXPECT("[bulkhead: console beta]\r\n");
}

static void one_wake_for_a_burst(void **state)
{
	uint8_t buf[300];

	(void)state;
	type("0123456789012345678901234567890123456789012345678901234567890123456789"
	     "0123456789012345678901234567890123456789012345678901234567890123456789");
	assert_int_equal(woken[0], 1);
	assert_int_equal(read_input(0, buf, 100), 100);
	type("x");
	assert_int_equal(woken[0], 1); /* it has not found the end yet */
	assert_int_equal(read_input(0, buf, sizeof(buf)), 41);
	type("y");
	assert_int_equal(woken[0], 2);
	vcon_restart(guest[0]);
	assert_int_equal(vcon_pending(guest[0]), 0);
	type("z");
	assert_int_equal(woken[0], 3);
}

static void line_errors_are_counted(void **state)
{
	(void)state;
	tty.lsr_errors = LSR_BI | LSR_FE;
	type_bytes("\0ok", 3);
	expect_input(0, "ok");
	tty.lsr_errors = LSR_FE | LSR_OE;
	type("f");
	expect_input(0, "f");
	assert_int_equal(console_mux()->uart.breaks, 1);
	assert_int_equal(console_mux()->uart.framing, 1);
	assert_int_equal(console_mux()->uart.overruns, 1);
}

/* ---- the UART and the work ---- */

static void work_of_one_poll_is_bounded(void **state)
{
	unsigned i;

	(void)state;
	forget();
	for (i = 0; i < 1000; i++)
		vcon_put(guest[0], 'x');
	console_poll();
	assert_in_range(tty.out_len, 1, 64);
	assert_int_equal(tty.ier, IER_ERBFI | IER_ETBEI);
	run();
	assert_int_equal(tty.out_len, 1000);
	assert_int_equal(tty.ier, IER_ERBFI);
	assert_false(console_has_work());
	assert_int_equal(tty.overflow, 0);
}

static void armed_interrupt_needs_no_poll(void **state)
{
	(void)state;
	tty.stuck = true;
	say(0, "x");
	assert_true(console_has_work());
	console_poll();
	say(0, "y");
	assert_false(console_has_work());
	say(1, "z");
	assert_false(console_has_work());
}

static void port_without_fifo_gets_single_bytes(void **state)
{
	(void)state;
	fx_free();
	fx_setup();
	tty.depth = 1;
	fx_setup();
	tty.depth = 1;
	console_mux()->uart.depth = 1;
	fx_add("solo", BUF, OVERFLOW_AUTO);
	console_start(false);
	say(0, "hello");
	EXPECT("[bulkhead: console solo]\r\nhello");
	assert_int_equal(tty.overflow, 0);
}

static void wake_and_write(unsigned vm)
{
	say(vm, "seen\r\n");
	console_poll(); /* owned: returns at once and leaves the work to the owner */
}

static void work_found_while_owned_is_done_by_the_owner(void **state)
{
	(void)state;
	forget();
	fx_ops.wake = wake_and_write;
	tty.in = (const uint8_t *)"k";
	tty.in_len = 1;
	console_poll();
	fx_ops.wake = fx_wake;
	assert_string_equal(seen(), "seen\r\n");
	assert_int_equal(tty.ier, IER_ERBFI);
}

static void ask_again(int vm)
{
	console_request_focus(vm);
}

static void owner_is_let_go(void **state)
{
	(void)state;
	fx_ops.route = ask_again;
	console_request_focus(1);
	console_poll(); /* returns, although there is always something new */
	assert_true(console_has_work());
	fx_ops.route = fx_route;
	run();
	assert_false(console_has_work());
	assert_int_equal(tty.ier, IER_ERBFI);
}

static void drained_means_everything_is_out(void **state)
{
	(void)state;
	assert_true(console_drained());
	tty.stuck = true;
	say(0, "x");
	assert_false(console_drained());
	tty.stuck = false;
	run();
	assert_true(console_drained());
	log_info("one more");
	tty.stuck = true;
	assert_false(console_drained());
	tty.stuck = false;
	run();
	assert_true(console_drained());
}

static void missing_port_blocks_nobody(void **state)
{
	static const struct uart_port port = { .in = tty_in, .out = tty_out };

	(void)state;
	fx_free();
	tty.absent = true;
	console_mux()->uart.present = false;
	console_setup(&fx_ops, &port, 115200, ESC_KEY);
	assert_false(console_mux()->uart.present);
	fx_add("alpha", BUF, OVERFLOW_BLOCK);
	console_start(false);
	assert_int_equal(fill(0), 100000);
	log_info("nobody reads this");
	assert_true(console_drained());
	assert_false(console_has_work());
}

static void bad_guests_are_refused(void **state)
{
	static uint64_t memory[64];

	(void)state;
	assert_null(console_add("odd", memory, 5000, OVERFLOW_AUTO));
	assert_null(console_add("none", memory, 0, OVERFLOW_AUTO));
	console_request_focus(77);
	forget();
	EXPECT("");
}

/* ---- many focus changes under output from both ---- */

struct counter {
	unsigned next; /* the line that comes next */
	bool dup_ok;   /* it may come once more: cut between its text and its newline */
};

/* One line of what the terminal received; `cut` when a line of ours follows. */
static void check_line(struct counter *c, const char *line, size_t len, bool cut)
{
	char expected[32], previous[32];
	size_t n = fmt_buf(expected, sizeof(expected), "line %u.", c->next);

	if (cut && len && line[len - 1] == '\r') /* cut between the two bytes of its end */
		len--;
	fmt_buf(previous, sizeof(previous), "line %u.", c->next - 1);
	if (len == n && !memcmp(line, expected, n)) {
		c->next++;
		c->dup_ok = cut;
	} else if (c->dup_ok && len == strlen(previous) && !memcmp(line, previous, len)) {
		c->dup_ok = cut;
	} else {
		/* Only the beginning of the right line may stand before a switch. */
		assert_true(cut && len < n);
		assert_memory_equal(line, expected, len);
	}
}

static void check_stream(struct counter count[2])
{
	char *at = (char *)tty.out, *end;
	unsigned who = 0;

	while ((end = strstr(at, "\r\n"))) {
		if (!strncmp(at, "[bulkhead: console alpha]", 25))
			who = 0;
		else if (!strncmp(at, "[bulkhead: console beta]", 24))
			who = 1;
		else
			check_line(&count[who], at, (size_t)(end - at), end[2] == '[');
		at = end + 2;
	}
}

/* Each guest writes its next bytes, in pieces that end anywhere. */
static void write_some(unsigned vm, unsigned *line, char *rest, unsigned n)
{
	char text[32];

	while (n--) {
		if (!*rest) {
			fmt_buf(text, sizeof(text), "line %u.\r\n", (*line)++);
			memcpy(rest, text, sizeof(text));
		}
		if (!vcon_room(guest[vm]) || !vcon_put(guest[vm], (uint8_t)rest[0]))
			return;
		memmove(rest, rest + 1, strlen(rest));
	}
}

static void no_line_is_torn_by_focus_changes(void **state)
{
	struct counter count[2] = { { 0, false }, { 0, false } };
	char rest[2][32] = { "", "" };
	unsigned line[2] = { 0, 0 }, i;

	(void)state;
	fx_free();
	fx_setup();
	fx_add("alpha", BUF, OVERFLOW_BLOCK);
	fx_add("beta", BUF, OVERFLOW_BLOCK);
	console_start(false);
	srand(42);
	for (i = 0; i < 20000; i++) {
		tty.stuck = rand() % 4 != 0;
		tty.allow = (size_t)(rand() % 20);
		write_some(0, &line[0], rest[0], (unsigned)(rand() % 16));
		write_some(1, &line[1], rest[1], (unsigned)(rand() % 16));
		if (i % 10 == 0)
			type(rand() % 2 ? "\x05" "1" : "\x05" "2");
		console_poll();
	}
	tty.stuck = false;
	type("\x05" "1");
	type("\x05" "2");
	assert_int_equal(tty.overflow, 0);
	check_stream(count);
	assert_true(line[0] > 1000 && line[1] > 1000);
	assert_in_range(count[0].next, line[0] - 1, line[0]);
	assert_in_range(count[1].next, line[1] - 1, line[1]);
}

static unsigned asking_cpu, kicked;

static unsigned fx_cpu(void)
{
	return asking_cpu;
}

static void fx_kick(unsigned cpu)
{
	kicked = cpu + 1;
}

/* Another CPU polls in the middle of each of the owner's services, until `polls` is used up. */
static unsigned polls;

static void another_cpu_polls(uint8_t ier)
{
	(void)ier;
	if (!polls)
		return;
	polls--;
	asking_cpu = 7;
	console_poll();
	asking_cpu = 0;
}

/*
 * Whoever asks during the owner's last round, and finds it at work, is called
 * when the owner goes: the interrupt that made it ask does not come again.
 */
static void who_asks_during_the_last_round_is_called(void **state)
{
	const struct console_ops with_calls = { .cpu = fx_cpu, .kick = fx_kick };

	(void)state;
	console_mux()->ops = &with_calls;
	kicked = 0;
	tty.on_ier = another_cpu_polls;
	polls = 3; /* fewer than the owner's rounds */
	type("\x05" "?");
	assert_int_equal(kicked, 0);
	polls = 1000;
	console_poll();
	assert_int_equal(kicked, 7 + 1);
	assert_true(console_has_work());
	polls = 0;
	tty.on_ier = NULL;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(start_gives_the_first_guest_the_focus),
		T(keys_move_the_focus),
		T(neighbours_of_the_monitor_are_guests),
		T(escape_twice_sends_it),
		T(unknown_keys_are_named_and_not_sent),
		T(who_asks_during_the_last_round_is_called),
		T(help_lists_keys_and_guests),
		T(leaning_on_the_keyboard_is_harmless),
		T(every_byte_passes_both_ways),
		T(output_waits_for_the_focus),
		T(loss_is_counted_and_marked_where_it_was),
		T(loss_while_shown_ends_the_line),
		T(unfinished_line_comes_back),
		T(unfinished_line_ends_with_its_life),
		T(unfinished_line_survives_a_full_ring),
		T(finished_line_does_not_come_back),
		T(leaving_guest_ends_its_line),
		T(endless_line_does_not_hold_the_focus),
		T(too_long_line_is_not_repeated),
		T(input_follows_the_key_at_once),
		T(log_record_gets_its_own_line),
		T(log_record_waits_for_the_newline),
		T(what_was_printed_comes_before_the_record),
		T(endless_line_does_not_hold_a_record),
		T(focus_and_record_show_the_crash_last),
		T(threshold_is_kept),
		T(missed_records_are_counted),
		T(records_from_before_the_start_are_not_repeated),
		T(focus_blocks_and_wakes),
		T(leaving_focus_wakes_the_blocked),
		T(block_policy_loses_nothing_without_focus),
		T(drop_oldest_never_blocks),
		T(full_input_is_counted_and_keys_still_work),
		T(one_wake_for_a_burst),
		T(line_errors_are_counted),
		T(work_of_one_poll_is_bounded),
		T(armed_interrupt_needs_no_poll),
		T(port_without_fifo_gets_single_bytes),
		T(work_found_while_owned_is_done_by_the_owner),
		T(owner_is_let_go),
		T(drained_means_everything_is_out),
		T(missing_port_blocks_nobody),
		T(bad_guests_are_refused),
		T(no_line_is_torn_by_focus_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
