/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiplexer under any mix of typed bytes, guest output, log records,
 * focus requests and a port that stalls.  It must come to rest once the port
 * moves again, and account for every byte.
 */
#include "../unit/console_fixture.h"
#include "fresh_log.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

#define GUESTS 3
#define RING 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_counts(unsigned vm)
{
	struct vcon_stats s;

	vcon_get_stats(guest[vm], &s);
	CHECK(s.written == s.shown + s.lost + s.skipped + ring_used(&guest[vm]->out));
	CHECK(s.in == vcon_pending(guest[vm]) + s.in_lost + ring_tail(&guest[vm]->in));
}

static void write_guest(unsigned vm, const uint8_t *data, size_t n)
{
	while (n-- && vcon_room(guest[vm]))
		CHECK(vcon_put(guest[vm], *data++));
}

/* One step; returns how many bytes of `data` it used. */
static size_t step(const uint8_t *data, size_t size)
{
	static uint8_t hotkey[2] = { ESC_KEY };
	unsigned what = data[0] & 7, vm = (data[0] >> 3) % GUESTS, n = data[0] >> 5;
	size_t len = size - 1 < n ? size - 1 : n;

	switch (what) {
	case 0:
	case 1:
		write_guest(vm, data + 1, len);
		return 1 + len;
	case 2:
	case 3:
		tty.in = data + 1;
		tty.in_len = len;
		console_poll();
		CHECK(!tty.in_len);
		return 1 + len;
	case 4:
		tty.stuck = n & 1;
		tty.allow = n;
		tty.msr = n & 2 ? 0 : MSR_CTS;
		tty.lsr_errors = n & 4 ? LSR_BI | LSR_FE : 0;
		break;
	case 5:
		log_write(n & 1 ? LOG_ERROR : LOG_INFO, "record %u", n);
		break;
	case 6:
		if (n < 4) {
			console_request_focus((int)n - 2);
			break;
		}
		hotkey[1] = (uint8_t)"arse"[n - 4];
		tty.in = hotkey;
		tty.in_len = sizeof(hotkey);
		console_poll();
		break;
	default:
		while (len-- && vcon_get(guest[vm]) >= 0)
			;
		console_poll();
	}
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned i;

	fresh_log();
	fx_setup();
	tty.msr = MSR_CTS;
	fx_add("alpha", RING, OVERFLOW_AUTO);
	fx_add("beta", RING, OVERFLOW_BLOCK);
	fx_add("gamma", RING, OVERFLOW_DROP_OLDEST);
	if (size) /* the first byte: which flow control */
		console_set_flow((enum line_flow)(data[0] % 3));
	console_start(false);
	while (size) {
		size_t used = step(data, size);

		data += used;
		size -= used;
		for (i = 0; i < GUESTS; i++)
			check_counts(i);
	}
	tty.stuck = false;
	tty.msr = MSR_CTS;
	type("\x11"); /* XON */
	console_poll(); /* the modem status interrupt */
	run();
	CHECK(console_drained() && !console_has_work());
	CHECK(!tty.overflow);
	CHECK((tty.ier & ~IER_EDSSI) == IER_ERBFI);
	if (console_mux()->focus < GUESTS)
		CHECK(!ring_used(&guest[console_mux()->focus]->out));
	for (i = 0; i < GUESTS && console_mux()->focus == ALL; i++)
		CHECK(!ring_used(&guest[i]->out));
	log_set_sink(NULL);
	fx_free();
	return 0;
}
