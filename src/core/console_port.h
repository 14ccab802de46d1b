/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which serial port is the console, at what rate, with which interrupt: what
 * the command line says (`console=`), else the configuration, else the
 * firmware's SPCR table, else COM1.
 */
#ifndef BULKHEAD_CORE_CONSOLE_PORT_H
#define BULKHEAD_CORE_CONSOLE_PORT_H

#include "config.h"
#include "smp.h"

struct console_port {
	uint16_t base; /* 0: none */
	unsigned baud;
	enum line_flow flow;
	const char *said_by; /* for people */
	/* The interrupt: a GSI of the I/O APIC, or an ISA IRQ. */
	bool has_gsi;
	uint32_t gsi;
	uint8_t irq;
};

/* main.c: the one that was chosen. */
extern struct console_port console_port;

/*
 * `cfg` is NULL as long as it was not read, `firmware` as long as ACPI was not.
 * False: console= is malformed and was passed over.
 */
bool console_port_choose(struct console_port *out, const char *cmdline, const struct config *cfg,
			 const struct acpi_console *firmware);

#endif
