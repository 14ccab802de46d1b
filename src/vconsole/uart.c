/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical 16550 (PC16550D data sheet). */
#include "uart_parts.h"

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

static bool scratch_keeps(struct uart *u, uint8_t value)
{
	uart_reg_out(u, REG_SCR, value);
	return uart_reg_in(u, REG_SCR) == value;
}

static void set_format(struct uart *u, unsigned baud)
{
	unsigned divisor = baud && baud <= UART_CLOCK ? UART_CLOCK / baud : 1;

	uart_reg_out(u, REG_LCR, LCR_DLAB | LCR_8N1);
	uart_reg_out(u, REG_DATA, divisor & 0xFF);
	uart_reg_out(u, REG_IER, divisor >> 8);
	uart_reg_out(u, REG_LCR, LCR_8N1);
}

/* The FIFOs' identification bits tell a 16550A from what came before it. */
static unsigned enable_fifos(struct uart *u)
{
	uart_reg_out(u, REG_IIR, FCR_ENABLE | FCR_RESET_RX | FCR_RESET_TX | FCR_TRIGGER_8);
	if ((uart_reg_in(u, REG_IIR) & IIR_FIFOS) == IIR_FIFOS)
		return TX_DEPTH;
	uart_reg_out(u, REG_IIR, 0); /* the broken FIFOs of a 16550 without A */
	return 1;
}

/* After the FIFO's reset there is nothing to send: a transmitter that does not say so is dead. */
static bool transmitter_lives(struct uart *u)
{
	unsigned tries;

	for (tries = 0; tries < POLL_LIMIT; tries++)
		if (uart_reg_in(u, REG_LSR) & LSR_THRE)
			return true;
	return false;
}

bool uart_init(struct uart *u, struct uart_port port, unsigned baud)
{
	*u = (struct uart){ .port = port };
	uart_reg_out(u, REG_LCR, 0);
	uart_reg_out(u, REG_IER, 0);
	if (!scratch_keeps(u, 0x55) || !scratch_keeps(u, 0xAA) || uart_reg_in(u, REG_IER) != 0)
		return false;
	set_format(u, baud);
	u->depth = enable_fifos(u);
	uart_reg_out(u, REG_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	/* Reading these forgets what happened on the line before. */
	(void)uart_reg_in(u, REG_LSR);
	(void)uart_reg_in(u, REG_DATA);
	(void)uart_reg_in(u, REG_IIR);
	(void)uart_reg_in(u, REG_MSR);
	u->present = transmitter_lives(u);
	return u->present;
}

/* An LSR of all ones is no state of a 16550: is there anything left of it? */
static void look_if_gone(struct uart *u)
{
	u->gone = !scratch_keeps(u, 0x55) || !scratch_keeps(u, 0xAA);
}

uint8_t uart_line_status(struct uart *u)
{
	uint8_t lsr = uart_reg_in(u, REG_LSR);

	if (lsr == LSR_GONE) {
		look_if_gone(u);
		return 0;
	}
	/* The error bits clear on this read: count them here, wherever it was made. */
	if (lsr & LSR_OE)
		u->overruns++;
	if (lsr & LSR_BI) {
		/* A break looks like errors in the format, too (8.5). */
		u->breaks++;
		u->broke = true;
		return lsr;
	}
	if (lsr & LSR_FE)
		u->framing++;
	if (lsr & LSR_PE)
		u->parity++;
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
			if (uart_line_status(u) & LSR_THRE)
				break;
		if (tries == POLL_LIMIT)
			return;
		uart_reg_out(u, REG_DATA, (uint8_t)text[i]);
	}
}

void uart_begin(struct uart *u)
{
	uart_reg_out(u, REG_IER, 0);
	u->rx_limit = RX_PER_SERVICE;
	u->tx_limit = TX_PER_SERVICE;
}

int uart_get(struct uart *u)
{
	uint8_t lsr, byte;

	while (u->rx_limit) {
		lsr = uart_line_status(u);
		if (!(lsr & LSR_DR))
			return -1;
		u->rx_limit--;
		byte = uart_reg_in(u, REG_DATA);
		if (lsr & LSR_BI) /* a break comes with a NUL that nobody typed (8.5) */
			continue;
		u->received++;
		if (!uart_flow_take(u, byte))
			return byte;
	}
	return -1;
}

bool uart_take_break(struct uart *u)
{
	bool broke = u->broke;

	u->broke = false;
	return broke;
}

unsigned uart_room(struct uart *u)
{
	unsigned n = u->depth < u->tx_limit ? u->depth : u->tx_limit;

	if (!n || !(uart_line_status(u) & LSR_THRE))
		return 0;
	n = uart_flow_tell(u, n);
	if (uart_flow_held(u))
		return 0;
	u->tx_limit -= n;
	return n;
}

bool uart_only_transmits(struct uart *u)
{
	return u->rx_hold == u->rx_told &&
	       (uart_line_status(u) & (LSR_DR | LSR_THRE)) == LSR_THRE && !uart_flow_held(u);
}

void uart_send(struct uart *u, uint8_t byte)
{
	uart_reg_out(u, REG_DATA, byte);
	u->sent++;
}

void uart_end(struct uart *u, bool more)
{
	if (u->rx_hold != u->rx_told && (uart_line_status(u) & LSR_THRE))
		uart_flow_tell(u, 1);
	uart_reg_out(u, REG_IER, IER_ERBFI | uart_flow_ier(u, more));
}

bool uart_tx_idle(struct uart *u)
{
	return uart_line_status(u) & LSR_TEMT;
}
