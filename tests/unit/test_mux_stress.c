/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiplexer on several CPUs: two guests write and read on threads of
 * their own and poll as they would after an exit; the main thread is the
 * terminal and the UART's interrupt.  Nothing may be torn, lost or left lying.
 * Also built under ThreadSanitizer: see mk/host.mk.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "uart_regs.h"
#include "vconsole/mux.h"

#define GUESTS 2
#define RING 4096
#ifndef TOTAL
#define TOTAL 200000U	 /* bytes each guest writes */
#endif
#define MAX_TURNS 20000000U /* of the terminal: an end to a lost wake-up */
#define OUT_MAX (GUESTS * TOTAL + 8U * 1024 * 1024)

/*
 * The UART is used by one owner at a time, so its output needs no atomics: if
 * the ownership were broken, ThreadSanitizer would see it here.
 */
static uint8_t *out;
static size_t out_len;
static uint8_t scratch, ier, typed[2], n_typed;
static unsigned typed_seq; /* shared: what the terminal offers; taken by the owner */
static unsigned taken_seq;

static uint8_t port_in(void *ctx, unsigned reg)
{
	uint8_t byte;

	(void)ctx;
	switch (reg) {
	case REG_SCR:
		return scratch;
	case REG_IIR:
		return IIR_FIFOS | IIR_NONE;
	case REG_LSR:
		/* Acquire pairs with the release in press(): the bytes are there. */
		if (!n_typed && __atomic_load_n(&typed_seq, __ATOMIC_ACQUIRE) != taken_seq)
			n_typed = 2;
		return LSR_THRE | LSR_TEMT | (n_typed ? LSR_DR : 0);
	case REG_DATA:
		if (!n_typed)
			return 0;
		if (--n_typed)
			return typed[0];
		/* Release pairs with the acquire in press(): typed[] may be written again. */
		byte = typed[1];
		__atomic_store_n(&taken_seq, taken_seq + 1, __ATOMIC_RELEASE);
		return byte;
	default:
		return 0;
	}
}

static void port_out(void *ctx, unsigned reg, uint8_t value)
{
	static uint8_t lcr;

	(void)ctx;
	if (reg == REG_SCR)
		scratch = value;
	if (reg == REG_LCR)
		lcr = value;
	if (reg == REG_IER && !(lcr & LCR_DLAB))
		__atomic_store_n(&ier, value, __ATOMIC_RELAXED);
	if (reg == REG_DATA && !(lcr & LCR_DLAB) && out_len < OUT_MAX)
		out[out_len++] = value;
}

/* The terminal presses two keys and the interrupt comes. */
static void press(uint8_t first, uint8_t second)
{
	static unsigned seq;

	while (__atomic_load_n(&taken_seq, __ATOMIC_ACQUIRE) != seq)
		console_poll();
	typed[0] = first;
	typed[1] = second;
	__atomic_store_n(&typed_seq, ++seq, __ATOMIC_RELEASE);
	console_poll();
}

static struct vcon *guest[GUESTS];
static unsigned woken[GUESTS]; /* shared */

static void wake(unsigned vm)
{
	__atomic_store_n(&woken[vm], 1, __ATOMIC_RELEASE);
}

static const struct console_ops ops = { .wake = wake };

/* Waits to be woken, as a guest without polling would. */
static void sleep_until_woken(unsigned vm)
{
	while (!__atomic_exchange_n(&woken[vm], 0, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void *run_guest(void *arg)
{
	unsigned vm = *(unsigned *)arg, i, line = 0;
	char text[32] = "";
	const char *next = text;

	for (i = 0; i < TOTAL; i++) {
		if (!*next) {
			snprintf(text, sizeof(text), "%c%u.\n", 'a' + vm, line++);
			next = text;
		}
		while (!vcon_room(guest[vm]))
			sleep_until_woken(vm);
		if (!vcon_put(guest[vm], (uint8_t)*next++))
			abort(); /* one producer: room does not go away */
		if (console_has_work())
			console_poll();
		while (i % 64 == 0 && vcon_get(guest[vm]) >= 0)
			;
	}
	return NULL;
}

static bool all_shown(void)
{
	struct vcon_stats s;
	unsigned i;

	for (i = 0; i < GUESTS; i++) {
		vcon_get_stats(guest[i], &s);
		if (s.shown + s.lost != TOTAL)
			return false;
	}
	return true;
}

/* Each guest's lines come in order; a beginning of one may stand before a line of ours. */
static void check_output(void)
{
	unsigned next[GUESTS] = { 0 }, number, vm;
	char *line, *end, last;

	out[out_len] = '\0';
	for (line = (char *)out; (end = strchr(line, '\n')); line = end + 1) {
		if (*line == '[' || line == end || *line == '\r')
			continue;
		vm = (unsigned)(*line - 'a');
		assert_in_range(vm, 0, GUESTS - 1);
		if (sscanf(line + 1, "%u%c", &number, &last) != 2 || last != '.') {
			assert_int_equal(end[1], '['); /* cut */
			continue;
		}
		if (number + 1 == next[vm]) /* cut before its newline, and shown again */
			continue;
		assert_int_equal(number, next[vm]);
		next[vm]++;
	}
	assert_true(next[0] > 1000 && next[1] > 1000);
}

static void guests_and_terminal_at_once(void **state)
{
	static unsigned index[GUESTS] = { 0, 1 };
	const struct uart_port port = { .in = port_in, .out = port_out };
	pthread_t thread[GUESTS];
	void *memory[GUESTS];
	struct vcon_stats s;
	unsigned i;

	(void)state;
	out = malloc(OUT_MAX + 1);
	console_setup(&ops, &port, 115200, 0x05);
	for (i = 0; i < GUESTS; i++) {
		memory[i] = calloc(1, vcon_memory(RING));
		guest[i] = console_add(i ? "beta" : "alpha", memory[i], RING, OVERFLOW_BLOCK);
	}
	console_start(false);
	for (i = 0; i < GUESTS; i++)
		pthread_create(&thread[i], NULL, run_guest, &index[i]);
	for (i = 0; i < MAX_TURNS && !all_shown(); i++) {
		if (i % 64 == 0)
			press(0x05, (uint8_t)('1' + i / 64 % 2));
		else if (i % 64 == 32)
			press('x', 'y');
		/* The transmitter's interrupt. */
		if (__atomic_load_n(&ier, __ATOMIC_RELAXED) & IER_ETBEI)
			console_poll();
	}
	assert_true(all_shown());
	for (i = 0; i < GUESTS; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < GUESTS; i++) {
		vcon_get_stats(guest[i], &s);
		assert_int_equal(s.written, TOTAL);
		assert_int_equal(s.lost, 0);
		assert_int_equal(s.in_lost, 0);
	}
	check_output();
	for (i = 0; i < GUESTS; i++)
		free(memory[i]);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guests_and_terminal_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
