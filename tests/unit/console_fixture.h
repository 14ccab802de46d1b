/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A console on a model of the physical UART, for tests: what the terminal
 * received is text in `tty.out`, what it types goes through `type`.  The model
 * sends at once, or, with `tty.stuck`, only as many bytes as `tty.allow` says.
 */
#ifndef BULKHEAD_TESTS_CONSOLE_FIXTURE_H
#define BULKHEAD_TESTS_CONSOLE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uart_regs.h"
#include "vconsole/mux.h"

#define TTY_SIZE (4U << 20)
#define FIXTURE_MAX_POLLS 1000000
#define ESC_KEY 0x05

struct tty {
	uint8_t *out;
	size_t out_len;
	const uint8_t *in;
	size_t in_len;
	uint8_t ier, scr, lcr, fcr, mcr, msr, lsr_errors;
	bool absent, stuck;
	size_t allow; /* bytes that a stuck port still sends */
	unsigned depth;
	size_t in_fifo; /* bytes written since THRE was last true */
	void (*on_ier)(uint8_t ier); /* called when IER is written, as the first thing in a service */
	size_t overflow; /* bytes written into a full transmitter: a bug */
};

static struct tty tty;

static bool tty_ready(void)
{
	return !tty.stuck || tty.allow;
}

static uint8_t tty_lsr(void)
{
	uint8_t lsr = tty.lsr_errors;

	tty.lsr_errors = 0;
	if (tty.in_len)
		lsr |= LSR_DR;
	if (tty_ready()) {
		lsr |= LSR_THRE | LSR_TEMT;
		tty.in_fifo = 0;
	}
	return lsr;
}

static uint8_t tty_in(void *ctx, unsigned reg)
{
	(void)ctx;
	if (tty.absent)
		return 0xFF;
	switch (reg) {
	case REG_DATA:
		if (!tty.in_len)
			return 0;
		tty.in_len--;
		return *tty.in++;
	case REG_IER:
		return tty.ier;
	case REG_IIR:
		return tty.depth > 1 && (tty.fcr & FCR_ENABLE) ? IIR_FIFOS | IIR_NONE : IIR_NONE;
	case REG_LSR:
		return tty_lsr();
	case REG_SCR:
		return tty.scr;
	case REG_MSR:
		return tty.msr;
	default:
		return 0;
	}
}

static void tty_send(uint8_t byte)
{
	if (tty.in_fifo++ >= tty.depth)
		tty.overflow++;
	if (tty.stuck && tty.allow)
		tty.allow--;
	if (tty.out_len < TTY_SIZE - 1)
		tty.out[tty.out_len++] = byte;
	tty.out[tty.out_len] = '\0';
}

static void tty_out(void *ctx, unsigned reg, uint8_t value)
{
	(void)ctx;
	if (reg == REG_LCR)
		tty.lcr = value;
	if (reg == REG_IIR)
		tty.fcr = value;
	if (reg == REG_MCR)
		tty.mcr = value;
	if (reg == REG_SCR)
		tty.scr = value;
	if (tty.lcr & LCR_DLAB)
		return;
	if (reg == REG_DATA)
		tty_send(value);
	if (reg == REG_IER) {
		tty.ier = value;
		if (tty.on_ier)
			tty.on_ier(value);
	}
}

/* The interrupt line, as the service leaves it. */
static bool tty_irq(void)
{
	return ((tty.ier & IER_ERBFI) && tty.in_len) || ((tty.ier & IER_ETBEI) && tty_ready());
}

static unsigned woken[CFG_MAX_VMS], called_stop, called_restart, called_regs, called_start;
static unsigned called_pause, called_resume, called_nmi;
static int routed, called_stats;
static unsigned ending_rounds; /* how often fx_ending still says yes */

static void fx_wake(unsigned vm)
{
	woken[vm]++;
}

static void fx_route(int vm)
{
	routed = vm;
}

static void fx_list(bool machine)
{
	console_print(machine ? "LIST -m\n" : "LIST\n");
}

/* Two parts. */
static bool fx_stats(unsigned vm, unsigned part, bool machine)
{
	called_stats = (int)vm;
	if (part < 2)
		console_print("STATS %u %u%s\n", vm, part, machine ? " -m" : "");
	return part < 2;
}

/* One CPU, which has to be asked twice. */
static enum console_answer fx_regs(unsigned vm, unsigned vcpu, bool first)
{
	called_regs = vm + 1;
	if (vcpu)
		return ANSWER_NONE;
	if (first)
		return ANSWER_WAIT;
	console_print("REGS %u\n", vm);
	return ANSWER_DONE;
}

static void fx_start(unsigned vm)
{
	called_start = vm + 1;
}

static void fx_stop(unsigned vm)
{
	called_stop = vm + 1;
}

static bool fx_ending(unsigned vm)
{
	(void)vm;
	return ending_rounds && ending_rounds--;
}

static void fx_restart(unsigned vm)
{
	called_restart = vm + 1;
}

static void fx_pause(unsigned vm)
{
	called_pause = vm + 1;
}

static void fx_resume(unsigned vm)
{
	called_resume = vm + 1;
}

static void fx_nmi(unsigned vm, unsigned vcpu)
{
	called_nmi = (vm + 1) * 100 + vcpu;
}

/*
 * The clock's rate, as the console believes it: with 1 the quiet time is over
 * at once, with PATIENT it never is.
 */
#define PATIENT 1000000000000ULL
static uint64_t fx_rate = 1, fx_alarm_at;

static uint64_t fx_khz(void)
{
	return fx_rate;
}

static void fx_alarm(uint64_t tsc)
{
	fx_alarm_at = tsc;
}

static bool alarm_rings(void)
{
	if (!fx_alarm_at || fx_rate == PATIENT)
		return false;
	while (__builtin_ia32_rdtsc() < fx_alarm_at)
		;
	fx_alarm_at = 0;
	return true;
}

static struct console_ops fx_ops = {
	.wake = fx_wake,
	.route = fx_route,
	.alarm = fx_alarm,
	.tsc_khz = fx_khz,
	.list = fx_list,
	.stats = fx_stats,
	.regs = fx_regs,
	.start = fx_start,
	.stop = fx_stop,
	.ending = fx_ending,
	.restart = fx_restart,
	.pause = fx_pause,
	.resume = fx_resume,
	.nmi = fx_nmi,
};

static struct vcon *guest[CFG_MAX_VMS];
static unsigned n_guest;

static void fx_setup(void)
{
	static const struct uart_port port = { .in = tty_in, .out = tty_out };
	uint8_t *out = tty.out ? tty.out : malloc(TTY_SIZE);

	memset(&tty, 0, sizeof(tty));
	tty.out = out;
	tty.out[0] = '\0';
	tty.depth = 16;
	memset(woken, 0, sizeof(woken));
	called_stop = called_restart = called_regs = called_start = 0;
	called_pause = called_resume = called_nmi = 0;
	called_stats = routed = -2;
	ending_rounds = 0;
	fx_rate = 1;
	fx_alarm_at = 0;
	log_set_level(LOG_INFO);
	console_setup(&fx_ops, &port, 115200, ESC_KEY);
	tty.out_len = 0;
	tty.out[0] = '\0';
}

/* The guests' memory is kept for the next test: to clear it is quicker than to get it anew. */
static struct {
	void *at;
	size_t size;
} fx_memory[CFG_MAX_VMS];

static void *fx_cleared(unsigned vm, size_t size)
{
	if (fx_memory[vm].size != size) {
		free(fx_memory[vm].at);
		fx_memory[vm].at = malloc(size);
		fx_memory[vm].size = size;
	}
	return memset(fx_memory[vm].at, 0, size);
}

static void fx_add(const char *name, uint32_t size, enum overflow_policy policy)
{
	guest[n_guest] = console_add(name, fx_cleared(n_guest, vcon_memory(size)), size, policy);
	n_guest++;
}

static void fx_free(void)
{
	n_guest = 0;
}

/* As the machine would: the interrupt, and guests that did something, lead to polls. */
static void run(void)
{
	unsigned i;

	for (i = 0; i < FIXTURE_MAX_POLLS && (tty_irq() || console_has_work() || alarm_rings()); i++)
		console_poll();
}

static void type_bytes(const void *bytes, size_t len)
{
	tty.in = bytes;
	tty.in_len = len;
	run();
}

static inline void type(const char *text)
{
	type_bytes(text, strlen(text));
}

/* The guest writes without waiting; false when it was refused. */
static inline bool say(unsigned vm, const char *text)
{
	for (; *text; text++)
		if (!vcon_put(guest[vm], (uint8_t)*text))
			return false;
	return true;
}

static inline void forget(void)
{
	tty.out_len = 0;
	tty.out[0] = '\0';
}

static inline const char *seen(void)
{
	return (const char *)tty.out;
}

/* What is seen from here on, and nothing else. */
#define EXPECT(text)                                                                               \
	do {                                                                                       \
		run();                                                                             \
		assert_string_equal(seen(), text);                                                 \
		forget();                                                                          \
	} while (0)

static inline int fx_teardown(void **state)
{
	(void)state;
	fx_free();
	return 0;
}

#endif
