/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the 16550A serial port (National Semiconductor PC16550D data
 * sheet; section numbers are from it), for the virtual and the physical one.
 */
#ifndef BULKHEAD_UART_REGS_H
#define BULKHEAD_UART_REGS_H

/* Register offsets (table II); some have two meanings by direction or by LCR.DLAB. */
enum uart_reg {
	REG_DATA = 0, /* RBR, THR, DLL */
	REG_IER = 1,  /* also DLM */
	REG_IIR = 2,  /* FCR when written */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
};

#define UART_REGS 8
#define REG_MASK 7U

#define UART_CLOCK 115200 /* bits a second at divisor 1 */

#define IER_ERBFI 0x01 /* received data */
#define IER_ETBEI 0x02 /* transmitter holding register empty */
#define IER_ELSI 0x04  /* receiver line status */
#define IER_EDSSI 0x08 /* modem status */
#define IER_MASK 0x0F

/* Interrupt identification, highest priority first (8.6). */
#define IIR_LINE_STATUS 0x06
#define IIR_RX_DATA 0x04
#define IIR_RX_TIMEOUT 0x0C
#define IIR_THR_EMPTY 0x02
#define IIR_MODEM_STATUS 0x00
#define IIR_NONE 0x01
#define IIR_FIFOS 0xC0

#define FCR_ENABLE 0x01
#define FCR_RESET_RX 0x02
#define FCR_RESET_TX 0x04
#define FCR_TRIGGER_SHIFT 6
#define FCR_TRIGGER_8 0x80

#define LCR_WORD_MASK 0x03 /* data bits, from 5 */
#define LCR_STOP2 0x04     /* two stop bits; one and a half behind 5 data bits */
#define LCR_PARITY 0x08
#define LCR_8N1 0x03
#define LCR_DLAB 0x80

#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_MASK 0x1F

#define LSR_DR 0x01
#define LSR_OE 0x02 /* overrun */
#define LSR_PE 0x04 /* parity */
#define LSR_FE 0x08 /* framing */
#define LSR_BI 0x10 /* break */
#define LSR_THRE 0x20
#define LSR_TEMT 0x40

#define MSR_DCTS 0x01
#define MSR_DDSR 0x02
#define MSR_TERI 0x04
#define MSR_DDCD 0x08
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

#endif
