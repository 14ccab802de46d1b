/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow control of the physical line: XON/XOFF (DC1 and DC3) in both
 * directions, or RTS and CTS.  While the host holds us, the transmitter's
 * interrupt is off; what ends the hold, a received byte or a change of CTS,
 * has an interrupt of its own.
 */
#include "uart_parts.h"

#define XON 0x11
#define XOFF 0x13

#define MCR_HELD (MCR_DTR | MCR_OUT2)

void uart_set_flow(struct uart *u, enum line_flow flow)
{
	u->flow = flow;
	u->tx_held = u->rx_hold = u->rx_told = false;
}

void uart_hold(struct uart *u, bool hold)
{
	if (u->flow == FLOW_NONE || hold == u->rx_hold)
		return;
	u->rx_hold = hold;
	if (u->flow == FLOW_RTSCTS) {
		uart_reg_out(u, REG_MCR, hold ? MCR_HELD : MCR_HELD | MCR_RTS);
		u->rx_told = hold;
	}
}

bool uart_flow_take(struct uart *u, uint8_t byte)
{
	if (u->flow != FLOW_XONXOFF || (byte != XON && byte != XOFF))
		return false;
	u->tx_held = byte == XOFF;
	return true;
}

bool uart_flow_held(struct uart *u)
{
	if (u->flow == FLOW_RTSCTS)
		u->tx_held = !(uart_reg_in(u, REG_MSR) & MSR_CTS);
	return u->tx_held;
}

unsigned uart_flow_tell(struct uart *u, unsigned room)
{
	if (u->rx_hold == u->rx_told || !room)
		return room;
	uart_reg_out(u, REG_DATA, u->rx_hold ? XOFF : XON);
	u->rx_told = u->rx_hold;
	return room - 1;
}

unsigned uart_flow_ier(const struct uart *u, bool more)
{
	unsigned ier = u->flow == FLOW_RTSCTS ? IER_EDSSI : 0;

	if ((more && !u->tx_held) || u->rx_hold != u->rx_told)
		ier |= IER_ETBEI;
	return ier;
}
