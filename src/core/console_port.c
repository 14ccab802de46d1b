/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice of the console's serial port.  Pure code. */
#include "console_port.h"
#include "parse.h"

#define COM1 0x3F8
#define COM2 0x2F8
#define COM4 0x2E8
#define IRQ_COM_1_3 4
#define IRQ_COM_2_4 3
#define DEFAULT_BAUD 115200
#define MIN_BAUD 50

/* What somebody said so far; who comes later fills in what is missing. */
struct choice {
	struct console_port port;
	bool has_base, has_baud, has_flow;
};

/* "PORT", "PORT,BAUD" or "none". */
static bool take_option(struct choice *c, struct span value)
{
	struct span rest = value, name;
	uint64_t baud = 0;
	uint16_t base = 0;

	span_split(&rest, ',', &name);
	if (!span_is(name, "none") && !config_uart_port(name, &base))
		return false;
	if (rest.at && (parse_number(rest, MIN_BAUD, DEFAULT_BAUD, &baud) != PARSE_OK ||
			DEFAULT_BAUD % baud))
		return false;
	c->has_base = true;
	c->port.base = base;
	c->port.said_by = "the command line";
	c->has_baud = rest.at;
	c->port.baud = (unsigned)baud;
	return true;
}

static bool take_cmdline(struct choice *c, const char *cmdline)
{
	char value[32];

	return !cmdline_option(cmdline, "console", value, sizeof(value)) ||
	       take_option(c, span_of(value));
}

static void take_config(struct choice *c, const struct config *cfg)
{
	if (!c->has_base && cfg->port_given) {
		c->has_base = true;
		c->port.base = cfg->console_port;
		c->port.said_by = "the configuration";
	}
	if (!c->has_baud && cfg->baud_given) {
		c->has_baud = true;
		c->port.baud = cfg->baud;
	}
	if (cfg->flow_given) {
		c->has_flow = true;
		c->port.flow = cfg->flow;
	}
}

/* The firmware's rate and flow control are those of its own port. */
static void take_firmware(struct choice *c, const struct acpi_console *f)
{
	if (!f->port || (c->has_base && c->port.base != f->port))
		return;
	if (!c->has_base) {
		c->has_base = true;
		c->port.base = f->port;
		c->port.said_by = "ACPI SPCR";
	}
	if (!c->has_baud && f->baud) {
		c->has_baud = true;
		c->port.baud = f->baud;
	}
	if (!c->has_flow && (f->rtscts || f->xonxoff)) {
		c->has_flow = true;
		c->port.flow = f->rtscts ? FLOW_RTSCTS : FLOW_XONXOFF;
	}
}

/* The firmware knows how its own port is wired; the others are where a PC has them. */
static void find_interrupt(struct console_port *out, const struct acpi_console *f)
{
	out->irq = out->base == COM2 || out->base == COM4 ? IRQ_COM_2_4 : IRQ_COM_1_3;
	if (!f || f->port != out->base)
		return;
	if (f->has_gsi) {
		out->has_gsi = true;
		out->gsi = f->gsi;
	} else if (f->has_irq) {
		out->irq = f->irq;
	}
}

bool console_port_choose(struct console_port *out, const char *cmdline, const struct config *cfg,
			 const struct acpi_console *firmware)
{
	struct choice c = { .has_base = false };
	bool good = take_cmdline(&c, cmdline);

	if (cfg)
		take_config(&c, cfg);
	if (firmware)
		take_firmware(&c, firmware);
	if (!c.has_base) {
		c.port.base = COM1;
		c.port.said_by = "default";
	}
	if (!c.has_baud)
		c.port.baud = DEFAULT_BAUD;
	find_interrupt(&c.port, firmware);
	*out = c.port;
	return good;
}
