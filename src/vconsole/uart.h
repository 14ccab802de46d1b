/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical serial port.  Used by one CPU at a time: the boot CPU, then
 * the owner of the drain.  No function waits longer than a bounded time.
 */
#ifndef BULKHEAD_VCONSOLE_UART_H
#define BULKHEAD_VCONSOLE_UART_H

#include "config.h"
#include "types.h"

/* Register access: port I/O on the machine, a model in host tests. */
struct uart_port {
	uint8_t (*in)(void *ctx, unsigned reg);
	void (*out)(void *ctx, unsigned reg, uint8_t value);
	void *ctx;
};

/* The port at an I/O base. */
struct uart_port uart_io_port(uint16_t base);

struct uart {
	struct uart_port port;
	bool present;
	unsigned depth;    /* bytes the transmitter takes when THRE is set */
	unsigned rx_limit; /* what is left of the bound on input in this service */
	unsigned tx_limit;
	/* Flow control: the host holds us, we hold the host, and whether it knows. */
	enum line_flow flow;
	bool tx_held, rx_hold, rx_told;
	bool broke; /* a BREAK came since uart_take_break */
	bool gone;  /* no register answers any more */
	/* Counted since boot. */
	uint64_t received, sent;
	uint64_t overruns, framing, parity, breaks;
};

/* Looks for a UART and sets it to 8N1 at `baud`, interrupts off.  False: none that works. */
bool uart_init(struct uart *u, struct uart_port port, unsigned baud);

/* Polled output with a bounded wait for each byte; a byte that finds no room in time is dropped. */
void uart_write_polled(struct uart *u, const char *text, size_t len);
/* Outside a service: a FIFO's depth of bytes may be sent, and nothing was received. */
bool uart_only_transmits(struct uart *u);

/*
 * One service: uart_begin masks the interrupts, so that the line drops and no
 * access below raises it; then input and output; then uart_end, which enables
 * receive interrupts and, if `more` is to be sent and the host does not hold
 * us, transmitter-empty ones.
 * A condition that holds by then gives a new edge.
 */
void uart_begin(struct uart *u);
int uart_get(struct uart *u);	  /* the next byte, or -1: none, or enough for this service */
unsigned uart_room(struct uart *u); /* bytes that uart_send may be called for now */
void uart_send(struct uart *u, uint8_t byte);
void uart_end(struct uart *u, bool more);

/* Has a BREAK come since this was last asked? */
bool uart_take_break(struct uart *u);

/* uart_flow.c: the line's flow control.  Before any service. */
void uart_set_flow(struct uart *u, enum line_flow flow);
/* The host shall stop sending, or may go on.  Without flow control nothing happens.  In a service. */
void uart_hold(struct uart *u, bool hold);

/* All is sent, also the shift register. */
bool uart_tx_idle(struct uart *u);

#endif
