/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550's transmitter on a wire: a character takes as long as the divisor
 * and the format say.  `tx_ready` is the moment at which the shift register
 * takes the next one.
 */
#include "uart_parts.h"
#include "uart_regs.h"
#include "vdev_time.h"

/* Start bit, data, parity and stop bits (PC16550D, table II: LCR), counted in halves. */
static uint64_t char_ns(const struct uart16550 *u)
{
	const unsigned divisor = (unsigned)u->dlm << 8 | u->dll;
	const unsigned data = 5U + (u->lcr & LCR_WORD_MASK);
	unsigned half_bits = 2 * (1 + data + 1);

	if (u->lcr & LCR_PARITY)
		half_bits += 2;
	if (u->lcr & LCR_STOP2)
		half_bits += data == 5 ? 1 : 2;
	/* A guest that never set a rate has the highest. */
	return half_bits * (divisor ? divisor : 1ULL) * NS_PER_S / (2ULL * UART_CLOCK);
}

void uart_pace_look(struct uart16550 *u)
{
	u->paced = u->clock && u->ops->paced && u->ops->paced(u->ctx);
}

bool uart_pace_ready(const struct uart16550 *u)
{
	return !u->paced || u->clock->now_ns() >= u->tx_ready;
}

bool uart_pace_idle(struct uart16550 *u)
{
	uint64_t now;

	if (!u->paced)
		return true;
	now = u->clock->now_ns();
	if (now < u->tx_ready)
		return false;
	u->tx_ready = now; /* the time that it was idle is not made up for */
	return true;
}

void uart_pace_sent(struct uart16550 *u)
{
	if (u->paced)
		u->tx_ready += char_ns(u);
}

/* When the last byte of the FIFO goes to the shift register, and THRE is set. */
static uint64_t empty_at(const struct uart16550 *u)
{
	if (!u->paced || !u->tx_count)
		return VTIME_NEVER;
	return u->tx_ready + (u->tx_count - 1U) * char_ns(u);
}

/*
 * An alarm that is set for an earlier time stays: to look once in vain costs
 * less than to set it anew for each byte that is put behind the others.
 */
void uart_pace_rearm(struct uart16550 *u)
{
	const uint64_t at = empty_at(u);

	if (at >= u->wake_at)
		return;
	u->wake_at = at;
	u->clock->rearm(u->clock->ctx);
}

void uart16550_set_clock(struct uart16550 *u, const struct vclock *clock)
{
	u->clock = clock;
}

uint64_t uart16550_next(const struct uart16550 *u)
{
	return u->clock ? u->wake_at : VTIME_NEVER;
}

void uart16550_advance(struct uart16550 *u, uint64_t now)
{
	if (now < uart16550_next(u))
		return;
	/* 0: whatever the model does now, it asks for no other alarm. */
	u->wake_at = 0;
	uart16550_update(u);
	u->wake_at = empty_at(u);
}
