/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's serial port: a 16550A (National Semiconductor PC16550D data
 * sheet; section numbers below are from it).  Transmission takes no time as
 * long as the console has room; when it has none, THRE stays clear and the
 * guest waits, so that nothing is lost.  Received bytes stay in the console's
 * ring until the guest has read what is in the receiver's FIFO.  Where the
 * console wants it paced, bytes leave one by one as they would on a wire.
 */
#include "kstring.h"
#include "uart_parts.h"
#include "uart_regs.h"
#include "vdev.h"
#include "vdev_time.h"

static bool fifo_enabled(const struct uart16550 *u)
{
	return u->fcr & FCR_ENABLE;
}

static bool looping(const struct uart16550 *u)
{
	return u->mcr & MCR_LOOP;
}

static unsigned fifo_depth(const struct uart16550 *u)
{
	return fifo_enabled(u) ? UART_FIFO : 1;
}

static unsigned rx_trigger(const struct uart16550 *u)
{
	static const uint8_t levels[4] = { 1, 4, 8, 14 };

	return fifo_enabled(u) ? levels[u->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/*
 * The cause that IIR would name if only `enabled` interrupts were.  A rest of
 * bytes below the trigger level is reported as a character timeout at once:
 * no time passes on this line, so there is nothing to wait for.
 */
static uint8_t irq_cause(const struct uart16550 *u, unsigned enabled)
{
	if ((enabled & IER_ELSI) && u->lsr_errors)
		return IIR_LINE_STATUS;
	if ((enabled & IER_ERBFI) && u->rx_count)
		return u->rx_count >= rx_trigger(u) ? IIR_RX_DATA : IIR_RX_TIMEOUT;
	if ((enabled & IER_ETBEI) && u->thre_pending)
		return IIR_THR_EMPTY;
	if ((enabled & IER_EDSSI) && u->msr_delta)
		return IIR_MODEM_STATUS;
	return IIR_NONE;
}

/* A PC gates the interrupt with the OUT2 pin, which loopback forces inactive (8.7). */
static void set_line(struct uart16550 *u, unsigned enabled)
{
	bool gate = (u->mcr & MCR_OUT2) && !looping(u);
	bool level = gate && irq_cause(u, enabled) != IIR_NONE;

	if (level == u->irq_level)
		return;
	u->irq_level = level;
	u->irq.set(u->irq.ctx, u->irq.irq, level);
}

static void rx_push(struct uart16550 *u, uint8_t byte)
{
	if (u->rx_count == fifo_depth(u)) {
		u->lsr_errors |= LSR_OE;
		if (!fifo_enabled(u)) /* without FIFO the newer character stays (8.5) */
			u->rx[u->rx_head] = byte;
		return;
	}
	u->rx[(u->rx_head + u->rx_count) % UART_FIFO] = byte;
	u->rx_count++;
}

/* Takes from the console what the receiver can hold; nothing while its input is disconnected. */
static void rx_fill(struct uart16550 *u)
{
	int byte;

	if (looping(u))
		return;
	while (u->rx_count < fifo_depth(u)) {
		byte = u->ops->get(u->ctx);
		if (byte < 0)
			break;
		rx_push(u, (uint8_t)byte);
	}
}

static void rx_clear(struct uart16550 *u)
{
	u->rx_head = 0;
	u->rx_count = 0;
	u->lsr_errors = 0;
}

static void tx_clear(struct uart16550 *u)
{
	u->tx_head = 0;
	u->tx_count = 0;
	u->wake_at = VTIME_NEVER;
}

/* The guest itself gives up bytes that wait: they count like those it wrote without room. */
static void tx_discard(struct uart16550 *u)
{
	for (; u->tx_count; u->tx_count--)
		u->ops->overrun(u->ctx);
	tx_clear(u);
}

static bool tx_send_one(struct uart16550 *u)
{
	if (!u->tx_count || !u->ops->put(u->ctx, u->tx[u->tx_head]))
		return false;
	u->tx_head = (uint8_t)((u->tx_head + 1U) % UART_FIFO);
	u->tx_count--;
	return true;
}

static void tx_drain(struct uart16550 *u)
{
	if (!u->tx_count)
		return;
	uart_pace_look(u);
	while (uart_pace_ready(u) && tx_send_one(u))
		uart_pace_sent(u);
}

/* A byte that goes past the empty FIFO, straight to the shift register. */
static bool tx_send_now(struct uart16550 *u, uint8_t byte)
{
	if (u->tx_count || !uart_pace_idle(u) || !u->ops->put(u->ctx, byte))
		return false;
	uart_pace_sent(u);
	return true;
}

/* Moves bytes both ways; becoming empty is what makes the THRE interrupt due. */
static void move_bytes(struct uart16550 *u)
{
	bool empty;

	rx_fill(u);
	tx_drain(u);
	uart_pace_rearm(u);
	empty = !u->tx_count && (looping(u) || u->ops->room(u->ctx));
	if (empty && !u->thr_empty)
		u->thre_pending = true;
	u->thr_empty = empty;
}

static uint8_t read_rbr(struct uart16550 *u)
{
	uint8_t byte;

	if (!u->rx_count)
		return 0;
	byte = u->rx[u->rx_head];
	u->rx_head = (uint8_t)((u->rx_head + 1U) % UART_FIFO);
	u->rx_count--;
	/*
	 * Below the trigger level this interrupt is served.  The line must be
	 * seen to drop before the following bytes raise it again: it is edge
	 * triggered, and a handler may take one byte per interrupt.
	 */
	if (u->rx_count < rx_trigger(u))
		set_line(u, u->ier & ~(unsigned)IER_ERBFI);
	else
		return byte;
	rx_fill(u);
	return byte;
}

static void write_thr(struct uart16550 *u, uint8_t byte)
{
	u->thre_pending = false;
	set_line(u, u->ier); /* down before it rises for the next empty: see read_rbr */
	u->thr_empty = false;
	if (looping(u)) {
		rx_push(u, byte);
		return;
	}
	uart_pace_look(u);
	if (u->paced)
		tx_drain(u); /* what has left by now makes room, and is not delayed by this byte */
	if (tx_send_now(u, byte))
		return;
	if (u->tx_count < fifo_depth(u)) {
		u->tx[(u->tx_head + u->tx_count) % UART_FIFO] = byte;
		u->tx_count++;
	} else {
		u->ops->overrun(u->ctx);
	}
}

static uint8_t read_iir(struct uart16550 *u)
{
	uint8_t cause = irq_cause(u, u->ier);

	if (cause == IIR_THR_EMPTY)
		u->thre_pending = false;
	return (uint8_t)(cause | (fifo_enabled(u) ? IIR_FIFOS : 0));
}

static uint8_t read_lsr(struct uart16550 *u)
{
	uint8_t lsr = u->lsr_errors;

	u->lsr_errors = 0;
	if (u->rx_count)
		lsr |= LSR_DR;
	if (u->thr_empty)
		lsr |= LSR_THRE;
	if (u->thr_empty && uart_pace_idle(u))
		lsr |= LSR_TEMT;
	return lsr;
}

static void write_fcr(struct uart16550 *u, uint8_t value)
{
	bool toggled = (value ^ u->fcr) & FCR_ENABLE;

	/* Without bit 0 the other bits are not programmed (8.4). */
	if (toggled || (value & (FCR_ENABLE | FCR_RESET_RX)) == (FCR_ENABLE | FCR_RESET_RX))
		rx_clear(u);
	if (toggled || (value & (FCR_ENABLE | FCR_RESET_TX)) == (FCR_ENABLE | FCR_RESET_TX))
		tx_discard(u);
	u->fcr = value & FCR_ENABLE ? value : 0;
}

static void write_ier(struct uart16550 *u, uint8_t value)
{
	unsigned rising = value & ~(unsigned)u->ier;

	u->ier = value & IER_MASK;
	if ((rising & IER_ETBEI) && u->thr_empty)
		u->thre_pending = true;
}

static uint8_t read_reg(struct uart16550 *u, unsigned reg)
{
	bool dlab = u->lcr & LCR_DLAB;

	switch ((enum uart_reg)reg) {
	case REG_DATA:
		return dlab ? u->dll : read_rbr(u);
	case REG_IER:
		return dlab ? u->dlm : u->ier;
	case REG_IIR:
		return read_iir(u);
	case REG_LCR:
		return u->lcr;
	case REG_MCR:
		return u->mcr;
	case REG_LSR:
		return read_lsr(u);
	case REG_MSR:
		return uart_modem_read(u);
	case REG_SCR:
		return u->scr;
	}
	return 0xFF;
}

static void write_reg(struct uart16550 *u, unsigned reg, uint8_t value)
{
	bool dlab = u->lcr & LCR_DLAB;

	switch ((enum uart_reg)reg) {
	case REG_DATA:
		if (dlab)
			u->dll = value;
		else
			write_thr(u, value);
		break;
	case REG_IER:
		if (dlab)
			u->dlm = value;
		else
			write_ier(u, value);
		break;
	case REG_IIR:
		write_fcr(u, value);
		break;
	case REG_LCR:
		u->lcr = value;
		break;
	case REG_MCR:
		uart_modem_write(u, value);
		break;
	case REG_SCR:
		u->scr = value;
		break;
	case REG_LSR: /* factory test only, and read-only */
	case REG_MSR:
		break;
	}
}

uint32_t uart16550_read(void *dev, uint16_t port, unsigned size)
{
	struct uart16550 *u = dev;
	uint32_t value = 0;
	unsigned i;

	for (i = 0; i < size && i < sizeof(value); i++) {
		move_bytes(u);
		value |= (uint32_t)read_reg(u, (port + i) & REG_MASK) << (8 * i);
	}
	set_line(u, u->ier);
	return value;
}

void uart16550_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct uart16550 *u = dev;
	unsigned i;

	for (i = 0; i < size && i < sizeof(value); i++) {
		write_reg(u, (port + i) & REG_MASK, (uint8_t)(value >> (8 * i)));
		move_bytes(u);
	}
	set_line(u, u->ier);
}

void uart16550_update(struct uart16550 *u)
{
	move_bytes(u);
	set_line(u, u->ier);
}

void uart16550_flush(struct uart16550 *u)
{
	u->paced = false;
	while (tx_send_one(u))
		;
}

void uart16550_reset(struct uart16550 *u)
{
	u->ier = 0;
	set_line(u, 0);
	u->fcr = 0;
	u->lcr = 0;
	u->mcr = 0;
	u->scr = 0;
	u->dll = 0;
	u->dlm = 0;
	u->msr_delta = 0;
	rx_clear(u);
	tx_discard(u);
	u->tx_ready = 0;
	u->thr_empty = true;
	u->thre_pending = false;
}

void uart16550_init(struct uart16550 *u, const struct uart_ops *ops, void *ctx,
		    struct irq_line irq)
{
	memset(u, 0, sizeof(*u));
	u->ops = ops;
	u->ctx = ctx;
	u->irq = irq;
	uart16550_reset(u);
}
