/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor under any typed bytes, in pieces of any length, with guests
 * that write meanwhile, a port that stalls and any paging.  It must come to
 * rest, answer a command after all that, and print nothing that a guest put
 * into its history as an escape sequence.
 */
#include "../unit/console_fixture.h"
#include "fresh_log.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

#define GUESTS 3
#define RING 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void poll_some(unsigned n)
{
	while (n--)
		console_poll();
}

/* A guest writes; SO, which the monitor never prints, is in what it writes. */
static void write_guest(unsigned vm, const uint8_t *data, size_t n)
{
	while (n--)
		vcon_put(guest[vm], *data++);
	vcon_put(guest[vm], 0x0E);
}

/* One step; returns how many bytes of `data` it used. */
static size_t step(const uint8_t *data, size_t size)
{
	const unsigned what = data[0] & 7;
	size_t len = data[0] >> 3;

	if (len > size - 1)
		len = size - 1;
	switch (what) {
	case 0:
		write_guest(data[0] % GUESTS, data + 1, len);
		return 1 + len;
	case 1:
		tty.stuck = len & 1;
		tty.allow = len;
		break;
	case 2:
		poll_some((unsigned)len);
		break;
	case 3:
		log_info("record %zu", len);
		break;
	default:
		tty.in = data + 1;
		tty.in_len = len;
		poll_some(1);
		tty.in_len = 0;
		return 1 + len;
	}
	return 1;
}

static void check_state(void)
{
	const struct monitor *mon = &console_mux()->mon;

	CHECK(mon->edit.len < MON_LINE && mon->edit.cursor <= mon->edit.len);
	CHECK(mon->n_ahead <= MON_AHEAD);
	CHECK(!mon->paused || (mon->busy && mon->page));
	CHECK(mon->busy || (!mon->job.step && !ring_used(&mon->text)));
	CHECK(ring_lost(&mon->text) <= ring_head(&mon->text));
}

/* After any pager, command, line or sequence under way: does it still answer? */
static void check_alive(void)
{
	tty.stuck = false;
	run();
	console_request_focus(-1);
	run();
	type("\x03");
	type("\x03");
	type("x\x03");
	type("page off\r");
	forget();
	type("version\r");
	CHECK(strstr(seen(), "version\r\nBulkhead "));
	CHECK(console_drained() && !console_has_work());
	type("cat alpha\rgrep -C9 . beta\r"); /* as text: no control character of the guests */
	CHECK(!strchr(seen(), 0x0E));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fresh_log();
	fx_setup();
	fx_add("alpha", RING, OVERFLOW_DROP_OLDEST);
	fx_add("beta", RING, OVERFLOW_DROP_OLDEST);
	fx_add("gamma", KIB(16), OVERFLOW_DROP_OLDEST);
	console_start(true);
	while (size) {
		size_t used = step(data, size);

		data += used;
		size -= used;
		check_state();
	}
	check_alive();
	CHECK(!tty.overflow);
	log_set_sink(NULL);
	fx_free();
	return 0;
}
