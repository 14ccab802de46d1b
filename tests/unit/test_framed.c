/* SPDX-License-Identifier: BSD-2-Clause */
/* The framed mode of the multiplexer, from a host's side of the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "framed_fixture.h"

static int setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	fx_setup();
	fx_add("alpha", BUF, OVERFLOW_AUTO);
	fx_add("beta", BUF, OVERFLOW_AUTO);
	fx_add("gamma", BUF, OVERFLOW_DROP_OLDEST);
	fx_add("delta", BUF, OVERFLOW_BLOCK);
	console_start(false);
	run();
	forget();
	return 0;
}

static int setup_framed(void **state)
{
	setup(state);
	send_bytes(START, START_LEN);
	say_hello();
	return 0;
}

static void expect_input(unsigned vm, const char *text)
{
	for (; *text; text++)
		assert_int_equal(vcon_get(guest[vm]), *text);
	assert_int_equal(vcon_get(guest[vm]), -1);
}

static void magic_begins_and_names_are_told(void **state)
{
	(void)state;
	send_bytes(START, START_LEN);
	assert_int_equal(host.hellos, 1);
	assert_int_equal(routed, -1);
	assert_int_equal(host.status, 0);
	say_hello();
	assert_int_equal(host.hellos, 2);
	assert_int_equal(host.nonce, 7);
	assert_string_equal(host.name[0], "monitor");
	assert_string_equal(host.name[1], "alpha");
	assert_string_equal(host.name[4], "delta");
	assert_int_equal(host.status, 1);
	for (unsigned c = 1; c <= 4; c++)
		assert_int_equal(host.limit[c], INPUT_RING);
	expect_input(0, "");
}

static void magic_in_pieces_among_keys(void **state)
{
	(void)state;
	type("ab\x05\x05");
	expect_input(0, "ab\x05");
	send_bytes("\x05\x05\0BHF1", 7);
	assert_int_equal(host.hellos, 0);
	assert_false(framed_on(console_mux()));
	assert_int_equal(vcon_get(guest[0]), 5);
	assert_int_equal(vcon_get(guest[0]), 0);
	while (vcon_get(guest[0]) >= 0)
		;
	/* Half of it and then a key: the key counts. */
	type_bytes("\x05\0BH", 4);
	type("2");
	type("x");
	expect_input(1, "x");
	for (unsigned i = 0; i < START_LEN; i++)
		type_bytes(&START[i], 1);
	assert_true(framed_on(console_mux()));
}

static void not_on_a_line_with_xon_and_xoff(void **state)
{
	(void)state;
	console_set_flow(FLOW_XONXOFF);
	send_bytes(START, START_LEN);
	assert_false(framed_on(console_mux()));
	assert_non_null(strstr(host.plain, "framed mode needs a line without XON/XOFF"));
	type("x");
	expect_input(0, "x");
}

static void nothing_goes_without_credit(void **state)
{
	(void)state;
	say(1, "hello");
	listen_host();
	assert_int_equal(host.len[2], 0);
	grant(2, 3);
	assert_string_equal(host.out[2], "hel");
	grant(2, 3);
	assert_string_equal(host.out[2], "hel");
	grant(2, 100);
	assert_string_equal(host.out[2], "hello");
	assert_int_equal(host.lost[2], 0);
	assert_false(console_has_work());
}

static void all_channels_at_once_take_turns(void **state)
{
	unsigned run_of = 0, last = 99;

	(void)state;
	for (unsigned vm = 0; vm < 4; vm++)
		for (unsigned i = 0; i < BUF / 4; i++)
			say(vm, "abcd");
	for (unsigned c = 1; c <= 4; c++)
		grant(c, 0);
	tty.stuck = true;
	for (unsigned c = 1; c <= 4; c++)
		grant(c, BUF);
	tty.stuck = false;
	listen_host();
	for (unsigned c = 1; c <= 4; c++)
		assert_int_equal(host.len[c], BUF);
	for (unsigned i = 4; i + 4 < host.frames; i++) {
		run_of = host.order[i] == last ? run_of + 1 : 1;
		last = host.order[i];
		assert_true(run_of <= 1);
	}
}

static void input_goes_to_every_guest(void **state)
{
	(void)state;
	send_data(1, 0, "one");
	send_data(3, 0, "three");
	send_data(1, 3, "\x05" "2");
	expect_input(0, "one\x05" "2");
	expect_input(2, "three");
	assert_int_equal(woken[0] > 0 && woken[2] > 0, 1);
	send_data(9, 0, "nobody");
	assert_int_equal(console_mux()->want, 0);
}

static void input_that_is_missing_is_counted_and_doubled_is_not_taken(void **state)
{
	struct vcon_stats s;

	(void)state;
	send_data(1, 0, "abc");
	send_data(1, 5, "fg");
	send_data(1, 5, "fg");
	expect_input(0, "abcfg");
	vcon_get_stats(guest[0], &s);
	assert_int_equal(s.in_lost, 2);
}

static void monitor_answers_on_its_channel(void **state)
{
	(void)state;
	grant(0, BUF);
	host.len[0] = 0;
	memset(host.out[0], 0, BUF);
	send_data(0, 0, "list\r");
	assert_string_equal(host.out[0], "list\r\nLIST\r\nbulkhead> ");
}

static void events_are_lines_of_their_own(void **state)
{
	(void)state;
	log_write(LOG_INFO, "something happened");
	listen_host();
	assert_string_equal(host.events, "something happened|");
	assert_string_equal(host.plain, "");
}

static void messages_do_not_wait_for_a_host(void **state)
{
	(void)state;
	send_bytes(START, START_LEN);
	log_write(LOG_INFO, "one");
	log_write(LOG_INFO, "two");
	listen_host();
	assert_string_equal(host.events, "one|two|");
	assert_false(console_has_work());
}

static void a_person_is_told_how_to_leave(void **state)
{
	(void)state;
	send_bytes("\r", 1);
	assert_string_equal(host.plain, "\r\n[bulkhead: this line is in framed mode, for "
					"'bulkhead attach'; Ctrl-E q makes it plain]\r\n");
	host.n_plain = 0;
	send_bytes("\x05q", 2);
	assert_int_equal(host.byes, 1);
	assert_string_equal(host.plain, "\r\n[bulkhead: framed mode ends]\r\n"
					"[bulkhead: console alpha]\r\n");
	assert_int_equal(routed, 0);
	type("x");
	expect_input(0, "x");
	say(0, "plain");
	run();
	assert_string_equal(seen(), "plain");
}

static void bye_ends_it_too(void **state)
{
	(void)state;
	send_frame(FRAME_BYE, 0, "", 0);
	assert_int_equal(host.byes, 1);
	assert_false(framed_on(console_mux()));
}

static void a_host_that_does_not_read_holds_up_only_its_channel(void **state)
{
	struct vcon_stats s;

	(void)state;
	grant(1, 100);
	grant(2, BUF * 4);
	/* While there is credit, alpha waits for the line; then its oldest bytes go. */
	tty.stuck = true;
	for (unsigned i = 0; i < BUF; i++)
		assert_true(vcon_put(guest[0], 'a'));
	assert_false(vcon_room(guest[0]));
	woken[0] = 0;
	tty.stuck = false;
	listen_host();
	assert_int_equal(host.len[1], 100);
	assert_int_equal(woken[0], 1);
	for (unsigned i = 0; i < BUF; i++)
		assert_true(vcon_put(guest[0], 'b'));
	/* delta has no credit and blocks, by its policy. */
	for (unsigned i = 0; i < BUF; i++)
		assert_true(vcon_put(guest[3], 'd'));
	assert_false(vcon_put(guest[3], 'd'));
	say(1, "beta goes on");
	listen_host();
	assert_string_equal(host.out[2], "beta goes on");
	grant(1, BUF * 4);
	vcon_get_stats(guest[0], &s);
	assert_true(s.lost > 0);
	assert_int_equal(host.lost[1], s.lost);
	assert_int_equal(host.len[1] + host.lost[1], s.written);
	woken[3] = 0;
	grant(4, BUF * 4);
	assert_int_equal(host.len[4], BUF);
	assert_int_equal(woken[3], 1);
}

static void loss_beyond_the_credit_is_told(void **state)
{
	(void)state;
	grant(3, 100);
	tty.stuck = true;
	for (unsigned i = 0; i < 3 * BUF; i++)
		assert_true(vcon_put(guest[2], 'x'));
	tty.stuck = false;
	listen_host();
	/* All credit is behind the oldest byte that is left. */
	assert_true(host.position[3] > 100);
	assert_int_equal(host.len[3] + host.lost[3], host.position[3]);
	grant(3, host.position[3] + BUF);
	assert_int_equal(host.len[3] + host.lost[3], 3 * BUF);
}

static void a_slow_guest_gets_a_long_paste_whole(void **state)
{
	uint32_t sent = 0, got = 0;
	char chunk[65];

	(void)state;
	while (got < 4 * INPUT_RING) {
		while (sent < 4 * INPUT_RING && host.limit[1] - sent >= 64) {
			for (unsigned i = 0; i < 64; i++)
				chunk[i] = (char)('A' + (sent + i) % 26);
			chunk[64] = '\0';
			send_data(1, sent, chunk);
			sent += 64;
		}
		for (unsigned i = 0; i < 1000; i++) {
			const int byte = vcon_get(guest[0]);

			if (byte < 0)
				break;
			assert_int_equal(byte, 'A' + got % 26);
			got++;
		}
		listen_host();
	}
	assert_int_equal(guest[0]->in_lost, 0);
}

static void a_host_starts_anew(void **state)
{
	(void)state;
	grant(1, BUF);
	say(0, "before");
	send_data(1, 0, "xyz");
	listen_host();
	say(0, "lost?"); /* goes out before the host is heard */
	memset(&host, 0, sizeof(host));
	send_bytes("\0\xC1half a frame", 14);
	send_bytes(START, START_LEN);
	say_hello();
	assert_int_equal(host.position[1], 11);
	say(0, "after");
	grant(1, 11 + BUF);
	send_data(1, 0, "new");
	assert_string_equal(host.out[1], "lost?after");
	expect_input(0, "xyznew");
}

static void a_restarted_hypervisor_asks_for_a_new_start(void **state)
{
	(void)state;
	send_bytes(START, START_LEN);
	host.hellos = 0;
	send_frame(FRAME_STATUS, 0, "12345678", 8);
	assert_int_equal(host.hellos, 1);
	send_data(1, 0, "old");
	expect_input(0, "");
}

static void noise_does_no_harm(void **state)
{
	uint8_t noise[200];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		for (unsigned k = 0; k < sizeof(noise); k++)
			do {
				noise[k] = (uint8_t)rand();
			} while (noise[k] == 'q');
		type_bytes(noise, sizeof(noise));
		forget();
	}
	assert_true(framed_on(console_mux()));
	send_data(1, 0, "fine");
	expect_input(0, "fine");
}

/* A host that missed the last frame before its credit ended hears of it nowhere else. */
static void status_is_answered_with_positions(void **state)
{
	uint8_t pairs[2 * FRAME_PAIR] = { 0 };

	(void)state;
	say(0, "hello again");
	frame_put32(pairs + FRAME_PAIR + 4, 5);
	send_frame(FRAME_STATUS, 0, pairs, sizeof(pairs));
	assert_int_equal(host.status, 2);
	assert_string_equal(host.out[1], "hello");
	send_frame(FRAME_STATUS, 0, pairs, sizeof(pairs));
	assert_int_equal(host.status, 3);
	assert_int_equal(host.told[1], 5);
	/* The host's position: three bytes of input that never came. */
	frame_put32(pairs + FRAME_PAIR, 3);
	send_frame(FRAME_STATUS, 0, pairs, sizeof(pairs));
	send_data(1, 3, "x");
	expect_input(0, "x");
	assert_int_equal(guest[0]->in_lost, 3);
}

/* ---- bad frames ---- */

static void a_wrong_checksum_is_a_gap_and_no_input(void **state)
{
	uint8_t line[FRAME_LINE_MAX];
	const size_t n = frame_make_at(line, FRAME_DATA, 1, 3, "def", 3);

	(void)state;
	send_data(1, 0, "abc");
	line[9] ^= 1; /* in the text */
	send_bytes(line, n);
	assert_int_equal(console_mux()->framed.decoder.bad, 1);
	send_data(1, 6, "ghi");
	expect_input(0, "abcghi");
	assert_int_equal(guest[0]->in_lost, 3);
}

/* The host died amid a frame, at any byte of it; the next one's frames are whole. */
static void a_cut_frame_costs_only_itself(void **state)
{
	uint8_t line[FRAME_LINE_MAX];
	const size_t n = frame_make_at(line, FRAME_DATA, 2, 0, "never whole", 11);

	(void)state;
	for (size_t keep = 1; keep < n - 1; keep++) {
		send_bytes(line, keep);
		send_data(1, (uint32_t)keep - 1, "x");
		expect_input(0, "x");
	}
	expect_input(1, "");
	assert_int_equal(guest[0]->in_lost, 0);
}

/* Whole frames, but with too little in them, or for nobody. */
static void wrong_lengths_and_channels_do_nothing(void **state)
{
	static const enum frame_type types[] = { FRAME_NAME, FRAME_DATA, FRAME_CREDIT, FRAME_EVENT };
	static const char zeros[FRAME_TEXT_MAX];
	const uint64_t limit = guest[0]->framed.limit;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t len = 0; len < 4; len++)
			for (unsigned channel = 0; channel < FRAME_CHANNELS; channel++)
				send_frame(types[i], channel, "\xFF\xFF\xFF", len);
	/* Among so many there are some whose checksum would complete the position. */
	for (unsigned i = 0; i < KIB(4); i++) {
		const uint8_t short_of[] = { (uint8_t)i, (uint8_t)(i >> 8), 0 };

		send_frame(FRAME_DATA, 1, short_of, sizeof(short_of));
	}
	for (size_t len = 0; len < FRAME_PAIR; len++)
		send_frame(FRAME_STATUS, 0, zeros, len);
	for (unsigned channel = 5; channel < FRAME_CHANNELS; channel++) {
		grant(channel, 100);
		send_data(channel, 0, "nobody's");
	}
	/* For more channels than there are. */
	send_frame(FRAME_STATUS, 0, zeros, FRAME_TEXT_MAX);
	assert_true(guest[0]->framed.limit == limit);
	for (unsigned vm = 0; vm < 4; vm++)
		expect_input(vm, "");
	assert_int_equal(console_mux()->framed.decoder.bad, 0);
	send_data(1, 0, "fine");
	expect_input(0, "fine");
	assert_int_equal(guest[0]->in_lost, 0);
}

/* Positions and limits that no host would send. */
static void nonsense_numbers_are_not_taken(void **state)
{
	(void)state;
	send_data(1, 0x80000000, "far");
	send_data(1, INPUT_RING + 1, "too far");
	send_data(1, UINT32_MAX, "behind");
	expect_input(0, "");
	grant(1, 100);
	grant(1, MIB(1) + 1);
	grant(1, UINT32_MAX);
	assert_int_equal(guest[0]->framed.limit, 100);
	assert_int_equal(guest[0]->in_lost, 0);
}

static void a_hello_of_another_version_is_answered_with_ours(void **state)
{
	(void)state;
	host.hellos = 0;
	send_frame(FRAME_HELLO, 0, "\2\0\11", 3);
	send_frame(FRAME_HELLO, 0, "", 0);
	assert_int_equal(host.hellos, 2);
	/* What was agreed before goes on. */
	send_data(1, 0, "on");
	expect_input(0, "on");
}

/* ---- a port of its own ---- */

static void who_has_a_port_of_its_own_is_elsewhere(void **state)
{
	static const struct uart_port port = { .in = tty_in, .out = tty_out };
	static struct private_line line;
	const struct vcon *c = guest[1];

	(void)state;
	forget();
	assert_false(console_bind(guest[1], &line, &port, console_mux()->uart_base, 115200));
	assert_null(c->own);
	/* One model serves as both ports: what is typed reaches whoever looks first. */
	assert_true(console_bind(guest[1], &line, &port, 0x2F8, 115200));
	say(1, "to my own port");
	run();
	assert_string_equal(seen(), "to my own port");
	forget();
	type("for beta");
	expect_input(1, "for beta");
	expect_input(0, "");
	assert_true(console_drained());
	mux_focus(console_mux(), 1);
	while (!console_drained())
		;
	assert_int_equal(console_mux()->want, 0);
	assert_non_null(strstr(seen(), "the console of beta is on port 0x2f8, not on this line"));
}

static void loss_on_a_port_of_its_own_is_marked(void **state)
{
	static const struct uart_port port = { .in = tty_in, .out = tty_out };
	static struct private_line line;

	(void)state;
	forget();
	assert_true(console_bind(guest[2], &line, &port, 0x2F8, 115200));
	tty.stuck = true;
	for (unsigned i = 0; i < BUF + 100; i++)
		assert_true(vcon_put(guest[2], 'x'));
	tty.stuck = false;
	/* The shared line uses the same model and takes the interrupt away. */
	while (!console_drained())
		;
	assert_memory_equal(seen(), "\r\n[bulkhead: 100 bytes lost]\r\nxxx", 33);
	assert_int_equal(tty.out_len, BUF + 30);
}

static void a_dead_port_of_its_own_stops_nobody(void **state)
{
	static const struct uart_port port = { .in = tty_in, .out = tty_out };
	static struct private_line line;

	(void)state;
	assert_true(console_bind(guest[3], &line, &port, 0x2F8, 115200));
	tty.stuck = true;
	for (unsigned i = 0; i < BUF; i++)
		assert_true(vcon_put(guest[3], 'x'));
	while (vcon_room(guest[3])) /* the transmitter took a few */
		vcon_put(guest[3], 'x');
	woken[3] = 0;
	tty.absent = true;
	console_poll();
	assert_int_equal(woken[3], 1);
	for (unsigned i = 0; i < 3 * BUF; i++)
		assert_true(vcon_put(guest[3], 'x'));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_framed, fx_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(magic_begins_and_names_are_told, setup, fx_teardown),
		cmocka_unit_test_setup_teardown(magic_in_pieces_among_keys, setup, fx_teardown),
		cmocka_unit_test_setup_teardown(a_restarted_hypervisor_asks_for_a_new_start, setup,
						fx_teardown),
		cmocka_unit_test_setup_teardown(messages_do_not_wait_for_a_host, setup, fx_teardown),
		cmocka_unit_test_setup_teardown(not_on_a_line_with_xon_and_xoff, setup, fx_teardown),
		TEST(nothing_goes_without_credit),
		TEST(all_channels_at_once_take_turns),
		TEST(input_goes_to_every_guest),
		TEST(input_that_is_missing_is_counted_and_doubled_is_not_taken),
		TEST(monitor_answers_on_its_channel),
		TEST(events_are_lines_of_their_own),
		TEST(a_person_is_told_how_to_leave),
		TEST(bye_ends_it_too),
		TEST(a_host_that_does_not_read_holds_up_only_its_channel),
		TEST(loss_beyond_the_credit_is_told),
		TEST(a_slow_guest_gets_a_long_paste_whole),
		TEST(a_host_starts_anew),
		TEST(noise_does_no_harm),
		TEST(status_is_answered_with_positions),
		TEST(a_wrong_checksum_is_a_gap_and_no_input),
		TEST(a_cut_frame_costs_only_itself),
		TEST(wrong_lengths_and_channels_do_nothing),
		TEST(nonsense_numbers_are_not_taken),
		TEST(a_hello_of_another_version_is_answered_with_ours),
		cmocka_unit_test_setup_teardown(who_has_a_port_of_its_own_is_elsewhere, setup,
						fx_teardown),
		cmocka_unit_test_setup_teardown(a_dead_port_of_its_own_stops_nobody, setup,
						fx_teardown),
		cmocka_unit_test_setup_teardown(loss_on_a_port_of_its_own_is_marked, setup, fx_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
