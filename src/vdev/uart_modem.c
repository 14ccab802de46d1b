/* SPDX-License-Identifier: BSD-2-Clause */
/* The modem control and status registers of the 16550 (PC16550D 8.7 and 8.8). */
#include "uart_parts.h"
#include "uart_regs.h"

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

uint8_t uart_modem_read(struct uart16550 *u)
{
	uint8_t msr = modem_lines(u->mcr) | u->msr_delta;

	u->msr_delta = 0;
	return msr;
}

void uart_modem_write(struct uart16550 *u, uint8_t value)
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
