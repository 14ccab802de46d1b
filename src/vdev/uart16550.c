/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's serial port: a 16550A (National Semiconductor PC16550D data
 * sheet; section numbers below are from it).  Transmission takes no time as
 * long as the console has room; when it has none, THRE stays clear and the
 * guest waits, so that nothing is lost.  Received bytes stay in the console's
 * ring until the guest has read what is in the receiver's FIFO.
 */
#include "kstring.h"
#include "uart_regs.h"
#include "vdev.h"

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
}

/* The guest itself gives up bytes that wait: they count like those it wrote without room. */
static void tx_discard(struct uart16550 *u)
{
	for (; u->tx_count; u->tx_count--)
		u->ops->overrun(u->ctx);
	tx_clear(u);
}

static void tx_drain(struct uart16550 *u)
{
	while (u->tx_count && u->ops->put(u->ctx, u->tx[u->tx_head])) {
		u->tx_head = (uint8_t)((u->tx_head + 1U) % UART_FIFO);
		u->tx_count--;
	}
}

/* Moves bytes both ways; becoming empty is what makes the THRE interrupt due. */
static void move_bytes(struct uart16550 *u)
{
	bool empty;

	rx_fill(u);
	tx_drain(u);
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
	if (!u->tx_count && u->ops->put(u->ctx, byte))
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
		lsr |= LSR_THRE | LSR_TEMT;
	return lsr;
}

/* The modem lines: a cable that is always there, or in loopback our own outputs (8.7). */
static uint8_t modem_lines(uint8_t mcr)
{
	unsigned lines = 0;

	if (!(mcr & MCR_LOOP))
		return MSR_DCD | MSR_DSR | MSR_CTS;
	if (mcr & MCR_RTS)
		lines |= MSR_CTS;
	if (mcr & MCR_DTR)
		lines |= MSR_DSR;
	if (mcr & MCR_OUT1)
		lines |= MSR_RI;
	if (mcr & MCR_OUT2)
		lines |= MSR_DCD;
	return (uint8_t)lines;
}

static uint8_t read_msr(struct uart16550 *u)
{
	uint8_t msr = modem_lines(u->mcr) | u->msr_delta;

	u->msr_delta = 0;
	return msr;
}

static void write_mcr(struct uart16550 *u, uint8_t value)
{
	unsigned before = modem_lines(u->mcr), now, delta = 0;

	u->mcr = value & MCR_MASK;
	now = modem_lines(u->mcr);
	if ((before ^ now) & MSR_CTS)
		delta |= MSR_DCTS;
	if ((before ^ now) & MSR_DSR)
		delta |= MSR_DDSR;
	if (before & ~now & MSR_RI)
		delta |= MSR_TERI; /* the trailing edge only (8.8) */
	if ((before ^ now) & MSR_DCD)
		delta |= MSR_DDCD;
	u->msr_delta |= (uint8_t)delta;
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
		return read_msr(u);
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
		write_mcr(u, value);
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
	tx_clear(u);
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
