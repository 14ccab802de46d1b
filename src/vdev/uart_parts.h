/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of the 16550's model, private to it.  uart_pace.c: the transmitter's
 * time, for a console that wants a guest to write no faster than the rate that
 * it programmed.
 */
#ifndef BULKHEAD_VDEV_UART_PARTS_H
#define BULKHEAD_VDEV_UART_PARTS_H

#include "vdev.h"

/* Asks the console whether it wants pacing: the focus may have changed that. */
void uart_pace_look(struct uart16550 *u);
/* May the byte that has waited longest leave the FIFO, at the moment that it was due? */
bool uart_pace_ready(const struct uart16550 *u);
/* Is the shift register empty now? */
bool uart_pace_idle(struct uart16550 *u);
/* A byte went to the shift register. */
void uart_pace_sent(struct uart16550 *u);
/* Sees to it that the model is called when the FIFO will be empty. */
void uart_pace_rearm(struct uart16550 *u);

/* uart_modem.c: reading MSR, writing MCR. */
uint8_t uart_modem_read(struct uart16550 *u);
void uart_modem_write(struct uart16550 *u, uint8_t value);

#endif
