/* SPDX-License-Identifier: BSD-2-Clause */
/* What uart.c and uart_flow.c share. */
#ifndef BULKHEAD_VCONSOLE_UART_PARTS_H
#define BULKHEAD_VCONSOLE_UART_PARTS_H

#include "uart.h"
#include "uart_regs.h"

static inline uint8_t uart_reg_in(struct uart *u, enum uart_reg reg)
{
	return u->port.in(u->port.ctx, reg);
}

static inline void uart_reg_out(struct uart *u, enum uart_reg reg, unsigned value)
{
	u->port.out(u->port.ctx, reg, (uint8_t)value);
}

/* LSR, with its errors counted: they are cleared by being read. */
uint8_t uart_line_status(struct uart *u);

/* A received byte.  True: it was the host's flow control, and nobody's input. */
bool uart_flow_take(struct uart *u, uint8_t byte);
/* Looks at the modem lines; true while the host holds us. */
bool uart_flow_held(struct uart *u);
/* Sends what the host has to be told.  Returns how many of `room` bytes are left. */
unsigned uart_flow_tell(struct uart *u, unsigned room);
/* The interrupts that flow control needs while `more` is to be sent. */
unsigned uart_flow_ier(const struct uart *u, bool more);

#endif
