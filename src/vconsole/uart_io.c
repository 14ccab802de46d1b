/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical serial port's registers in I/O space. */
#include "io.h"
#include "uart.h"

/* The context is the I/O base itself, carried in the pointer. */
static uint16_t port_of(void *ctx, unsigned reg)
{
	return (uint16_t)((uintptr_t)ctx + reg);
}

static uint8_t port_in(void *ctx, unsigned reg)
{
	return io_in8(port_of(ctx, reg));
}

static void port_out(void *ctx, unsigned reg, uint8_t value)
{
	io_out8(port_of(ctx, reg), value);
}

struct uart_port uart_io_port(uint16_t base)
{
	return (struct uart_port){ .in = port_in, .out = port_out, .ctx = (void *)(uintptr_t)base };
}
