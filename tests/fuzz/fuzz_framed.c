/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framed mode under any frames and any bytes from the host, with guests
 * that write and read meanwhile.  What it sends is always whole frames or its
 * own lines, every byte is accounted for, and it can be left.
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

static void check_counts(void)
{
	for (unsigned vm = 0; vm < GUESTS; vm++) {
		struct vcon_stats s;

		vcon_get_stats(guest[vm], &s);
		CHECK(s.written == s.shown + s.lost + ring_used(&guest[vm]->out));
	}
}

/* What came over the line: no broken frame, no channel that is not there. */
static void check_line(void)
{
	static struct frame_decoder d;
	struct frame f;

	for (size_t i = 0; i < tty.out_len; i++) {
		const enum frame_event e = frame_decode(&d, tty.out[i]);

		CHECK(e != FRAME_BAD);
		if (e == FRAME_GOOD)
			CHECK(frame_parse(&d, &f) && f.channel <= GUESTS);
	}
	forget();
}

/* What waits although the host would take it has an alarm. */
static void check_alarm(void)
{
	const struct mux *m = console_mux();

	for (unsigned vm = 0; vm < GUESTS; vm++)
		CHECK(!framed_shows(m, guest[vm]) || !ring_used(&guest[vm]->out) ||
		      (m->framed.deadline && m->framed.alarm));
}

/* From now on time stands still, or it flies and the alarm comes. */
static void set_clock(bool stands)
{
	fx_rate = stands ? PATIENT : 1;
	if (stands)
		return;
	fx_alarm_at = 0;
	console_ask();
}

static void send_to_mux(const uint8_t *bytes, size_t n)
{
	type_bytes(bytes, n);
	CHECK(!tty.in_len && !console_has_work());
}

/* One step; returns how many bytes of `data` it used. */
static size_t step(const uint8_t *data, size_t size)
{
	const unsigned what = data[0] & 3, n = data[0] >> 2 & 31;
	const size_t len = size - 1 < n ? size - 1 : n;
	uint8_t line[FRAME_LINE_MAX];

	switch (what) {
	case 0:
		if (len)
			send_to_mux(line, frame_encode(line, data + 1, len));
		return 1 + len;
	case 1:
		send_to_mux(data + 1, len);
		return 1 + len;
	case 2:
		for (size_t i = 0; i < len && vcon_room(guest[n % GUESTS]); i++)
			CHECK(vcon_put(guest[n % GUESTS], data[1 + i]));
		run();
		return 1 + len;
	default:
		for (unsigned i = 0; i < n && vcon_get(guest[n % GUESTS]) >= 0; i++)
			;
		set_clock(n & 1);
		log_write(LOG_INFO, "record %u", n);
		run();
		CHECK(!console_has_work());
		return 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fresh_log();
	fx_setup();
	fx_add("alpha", RING, OVERFLOW_AUTO);
	fx_add("beta", RING, OVERFLOW_BLOCK);
	fx_add("gamma", RING, OVERFLOW_DROP_OLDEST);
	console_start(false);
	run();
	forget();
	send_to_mux((const uint8_t *)"\x05" FRAME_MAGIC, 1 + FRAME_MAGIC_LEN);
	while (size && framed_on(console_mux())) {
		const size_t used = step(data, size);

		data += used;
		size -= used;
		check_counts();
		if (framed_on(console_mux())) {
			check_line();
			check_alarm();
		}
	}
	set_clock(false);
	send_to_mux((const uint8_t *)"\0\x05q", 3);
	CHECK(!framed_on(console_mux()));
	run();
	CHECK(console_drained() && !console_has_work() && !tty.overflow);
	log_set_sink(NULL);
	fx_free();
	return 0;
}
