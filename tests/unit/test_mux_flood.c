/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two guests, each on a thread of its own, write as fast as they can while the
 * focus changes again and again.  Each byte's value follows from its position,
 * so the terminal's side knows, byte for byte, whether something is torn,
 * missing, or counted wrong.  `make bench` has 100 MB and more than
 * 10,000 changes.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "uart_regs.h"
#include "vconsole/mux.h"

#ifndef TOTAL
#define TOTAL 1000000U /* bytes each guest writes */
#endif
#ifndef CHANGES
#define CHANGES 200U
#endif

#define GUESTS 2
#define RING 65536
#define LINE 64
#define MESSAGE 128

static struct vcon *guest[GUESTS];

/* Letters, and every LINE bytes a newline: a bracket or CR is the multiplexer's. */
static uint8_t value_at(unsigned vm, uint64_t pos)
{
	if (pos % LINE == LINE - 1)
		return '\n';
	return (uint8_t)((vm ? 'A' : 'a') + (((pos + 1) * 0x9E3779B97F4A7C15ULL) >> 40) % 26);
}

/* What the terminal makes of the output; only touched by the drain's owner. */
static struct {
	unsigned shown;		/* whose output */
	bool any;		/* after the first switch line */
	bool after_cr;
	uint64_t pos[GUESTS];	/* of the next byte */
	uint64_t kept[GUESTS];	/* where a cut line would begin again */
	uint64_t lost[GUESTS], torn, bytes;
	unsigned switches;
	char message[MESSAGE];
	size_t len;
} term;

static void tear(uint8_t byte)
{
	if (!term.torn++)
		printf("%s: byte %llu: shown %02x, written %02x\n", term.shown ? "beta" : "alpha",
		       (unsigned long long)term.pos[term.shown], byte,
		       value_at(term.shown, term.pos[term.shown]));
}

static void take_message(void)
{
	unsigned long long lost;

	term.message[term.len] = '\0';
	term.len = 0;
	if (sscanf(term.message, "[bulkhead: %llu bytes lost]", &lost) == 1) {
		term.lost[term.shown] += lost;
		term.pos[term.shown] += lost;
		term.kept[term.shown] = term.pos[term.shown];
	} else if (!strncmp(term.message, "[bulkhead: console ", 19)) {
		term.shown = term.message[19] == 'b';
		term.any = true;
		term.switches++;
		/* The unfinished line comes again, and what follows it after that. */
		term.pos[term.shown] = term.kept[term.shown];
	} else {
		tear('[');
	}
}

static void see(uint8_t byte)
{
	unsigned g = term.shown;

	term.bytes++;
	if (byte == '[' || term.len) {
		if (byte == '\n')
			take_message();
		else if (term.len < MESSAGE - 1)
			term.message[term.len++] = (char)byte;
		return;
	}
	if (byte == '\r' || term.after_cr || !term.any) {
		term.after_cr = byte == '\r'; /* it ends a cut line by CR LF */
		return;
	}
	if (byte != value_at(g, term.pos[g])) {
		tear(byte);
		return;
	}
	if (++term.pos[g] % LINE == 0)
		term.kept[g] = term.pos[g];
}

static uint8_t scratch, lcr, ier;
static unsigned presses, taken; /* keys: two bytes each; `presses` is shared */
static bool second;

static uint8_t port_in(void *ctx, unsigned reg)
{
	(void)ctx;
	switch (reg) {
	case REG_SCR:
		return scratch;
	case REG_IIR:
		return IIR_FIFOS | IIR_NONE;
	case REG_LSR:
		return LSR_THRE | LSR_TEMT |
		       (__atomic_load_n(&presses, __ATOMIC_ACQUIRE) != taken ? LSR_DR : 0);
	case REG_DATA:
		second = !second;
		if (second)
			return 0x05;
		/* Acquire and release pair with press(): one key at a time. */
		__atomic_store_n(&taken, taken + 1, __ATOMIC_RELEASE);
		return taken % 2 ? '2' : '1';
	default:
		return 0;
	}
}

static void port_out(void *ctx, unsigned reg, uint8_t value)
{
	(void)ctx;
	if (reg == REG_SCR)
		scratch = value;
	if (reg == REG_LCR)
		lcr = value;
	if (lcr & LCR_DLAB)
		return;
	if (reg == REG_IER)
		__atomic_store_n(&ier, value, __ATOMIC_RELAXED);
	if (reg == REG_DATA)
		see(value);
}

static const struct console_ops ops;

static void *run_guest(void *arg)
{
	unsigned vm = *(unsigned *)arg;
	uint64_t pos;

	for (pos = 0; pos < TOTAL; pos++) {
		if (!vcon_put(guest[vm], value_at(vm, pos)))
			abort(); /* its oldest bytes go */
		if (console_has_work())
			console_poll();
	}
	return NULL;
}

static uint64_t written(void)
{
	return ring_head(&guest[0]->out) + ring_head(&guest[1]->out);
}

/* One key for each share of what the guests write; the interrupts between them. */
static void press_keys(void)
{
	unsigned n;

	for (n = 0; n < CHANGES; n++) {
		while (written() < (uint64_t)n * GUESTS * TOTAL / CHANGES)
			console_poll();
		__atomic_store_n(&presses, n + 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) != n + 1)
			console_poll();
	}
}

static bool show_rest(unsigned vm)
{
	struct vcon_stats s;
	unsigned i;

	console_request_focus((int)vm);
	for (i = 0; i < 1000000; i++) {
		console_poll();
		vcon_get_stats(guest[vm], &s);
		if (s.shown + s.lost == TOTAL && console_drained())
			return true;
	}
	return false;
}

static void every_byte_is_shown_or_counted(void **state)
{
	static unsigned index[GUESTS] = { 0, 1 };
	const struct uart_port port = { .in = port_in, .out = port_out };
	pthread_t thread[GUESTS];
	void *memory[GUESTS];
	struct vcon_stats s;
	unsigned i;

	(void)state;
	console_setup(&ops, &port, 115200, 0x05);
	for (i = 0; i < GUESTS; i++) {
		memory[i] = calloc(1, vcon_memory(RING));
		guest[i] = console_add(i ? "beta" : "alpha", memory[i], RING,
				       OVERFLOW_DROP_OLDEST);
	}
	console_start(false);
	for (i = 0; i < GUESTS; i++)
		pthread_create(&thread[i], NULL, run_guest, &index[i]);
	press_keys();
	for (i = 0; i < GUESTS; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < GUESTS; i++) {
		assert_true(show_rest(i));
		vcon_get_stats(guest[i], &s);
		printf("%s: written %llu, shown %llu, lost %llu; marked as lost %llu\n",
		       i ? "beta" : "alpha", (unsigned long long)s.written,
		       (unsigned long long)s.shown, (unsigned long long)s.lost,
		       (unsigned long long)term.lost[i]);
		assert_int_equal(s.written, TOTAL);
		assert_int_equal(s.lost, term.lost[i]);
		assert_int_equal(term.pos[i], TOTAL);
	}
	printf("%u switches, %llu bytes torn\n", term.switches, (unsigned long long)term.torn);
	assert_int_equal(term.torn, 0);
	assert_true(term.switches > CHANGES / 2); /* two keys in a moment are one switch */
	for (i = 0; i < GUESTS; i++)
		free(memory[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_shown_or_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
