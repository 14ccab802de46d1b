/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical 16550 (PC16550D data sheet). */
#include "uart.h"
#include "uart_regs.h"

#define TX_DEPTH 16 /* of a 16550A with its FIFOs on */
#define LSR_GONE 0xFF /* what an empty bus reads as */

/* Bounds on one service: enough to keep the line busy, little enough not to hold up a guest. */
#define RX_PER_SERVICE 64
#define TX_PER_SERVICE 64

/*
 * A polled byte waits for the FIFO to empty: 16 characters at 300 baud are
 * half a second, a register access takes about a microsecond.
 */
#define POLL_LIMIT 500000

static uint8_t reg_in(struct uart *u, enum uart_reg reg)
{
	return u->port.in(u->port.ctx, reg);
}

static void reg_out(struct uart *u, enum uart_reg reg, unsigned value)
{
	u->port.out(u->port.ctx, reg, (uint8_t)value);
}

static bool scratch_keeps(struct uart *u, uint8_t value)
{
	reg_out(u, REG_SCR, value);
	return reg_in(u, REG_SCR) == value;
}

static void set_format(struct uart *u, unsigned baud)
{
	unsigned divisor = baud && baud <= UART_CLOCK ? UART_CLOCK / baud : 1;

	reg_out(u, REG_LCR, LCR_DLAB | LCR_8N1);
	reg_out(u, REG_DATA, divisor & 0xFF);
	reg_out(u, REG_IER, divisor >> 8);
	reg_out(u, REG_LCR, LCR_8N1);
}

/* The FIFOs' identification bits tell a 16550A from what came before it. */
static unsigned enable_fifos(struct uart *u)
{
	reg_out(u, REG_IIR, FCR_ENABLE | FCR_RESET_RX | FCR_RESET_TX | FCR_TRIGGER_8);
	if ((reg_in(u, REG_IIR) & IIR_FIFOS) == IIR_FIFOS)
		return TX_DEPTH;
	reg_out(u, REG_IIR, 0); /* the broken FIFOs of a 16550 without A */
	return 1;
}

bool uart_init(struct uart *u, struct uart_port port, unsigned baud)
{
	*u = (struct uart){ .port = port };
	reg_out(u, REG_LCR, 0);
	reg_out(u, REG_IER, 0);
	if (!scratch_keeps(u, 0x55) || !scratch_keeps(u, 0xAA) || reg_in(u, REG_IER) != 0)
		return false;
	set_format(u, baud);
	u->depth = enable_fifos(u);
	reg_out(u, REG_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	/* Reading these forgets what happened on the line before. */
	(void)reg_in(u, REG_LSR);
	(void)reg_in(u, REG_DATA);
	(void)reg_in(u, REG_IIR);
	(void)reg_in(u, REG_MSR);
	u->present = true;
	return true;
}

static uint8_t line_status(struct uart *u)
{
	uint8_t lsr = reg_in(u, REG_LSR);

	if (lsr == LSR_GONE)
		return 0;
	/* The error bits clear on this read: count them here, wherever it was made. */
	if (lsr & LSR_OE)
		u->overruns++;
	if (lsr & LSR_BI)
		u->breaks++;
	else if (lsr & LSR_FE)
		u->framing++;
	return lsr;
}

void uart_write_polled(struct uart *u, const char *text, size_t len)
{
	unsigned tries;
	size_t i;

	if (!u->present)
		return;
	for (i = 0; i < len; i++) {
		for (tries = 0; tries < POLL_LIMIT; tries++)
			if (line_status(u) & LSR_THRE)
				break;
		if (tries == POLL_LIMIT)
			return;
		reg_out(u, REG_DATA, (uint8_t)text[i]);
	}
}

void uart_begin(struct uart *u)
{
	reg_out(u, REG_IER, 0);
	u->rx_limit = RX_PER_SERVICE;
	u->tx_limit = TX_PER_SERVICE;
}

int uart_get(struct uart *u)
{
	uint8_t lsr, byte;

	while (u->rx_limit) {
		lsr = line_status(u);
		if (!(lsr & LSR_DR))
			return -1;
		u->rx_limit--;
		byte = reg_in(u, REG_DATA);
		if (!(lsr & LSR_BI)) /* a break comes with a NUL that nobody typed (8.5) */
			return byte;
	}
	return -1;
}

unsigned uart_room(struct uart *u)
{
	unsigned n = u->depth < u->tx_limit ? u->depth : u->tx_limit;

	if (!n || !(line_status(u) & LSR_THRE))
		return 0;
	u->tx_limit -= n;
	return n;
}

bool uart_only_transmits(struct uart *u)
{
	return (line_status(u) & (LSR_DR | LSR_THRE)) == LSR_THRE;
}

void uart_send(struct uart *u, uint8_t byte)
{
	reg_out(u, REG_DATA, byte);
}

void uart_end(struct uart *u, bool more)
{
	reg_out(u, REG_IER, more ? IER_ERBFI | IER_ETBEI : IER_ERBFI);
}

bool uart_tx_idle(struct uart *u)
{
	return line_status(u) & LSR_TEMT;
}
