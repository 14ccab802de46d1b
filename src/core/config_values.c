/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: the values of [hypervisor] and [console], and lists of words. */
#include "config_parser.h"
#include "fmt.h"
#include "log.h"

/* Divisor 1 of a 16550 with the usual 1.8432 MHz crystal. */
#define UART_BASE_BAUD 115200

/* Where a serial port can be: above the mainboard's own ports, eight ports each. */
#define MIN_UART_PORT 0x100
#define MAX_UART_PORT 0xFFF8
#define UART_PORTS 8

/* "WORD, WORD or WORD", as far as it fits. */
static void list_words(char *buf, size_t size, const struct cfg_choice *choices, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += fmt_buf(buf + len, size - len, "%s%s",
			       i == 0 ? "" : i + 1 == n ? " or " : ", ", choices[i].word);
}

int cfg_choose(struct cfg_parser *p, struct span value, const struct cfg_choice *choices,
	       size_t n)
{
	char remedy[96];
	struct cfg_quote q;
	size_t len;

	for (size_t i = 0; i < n; i++) {
		if (span_is(value, choices[i].word))
			return choices[i].value;
	}
	len = fmt_buf(remedy, sizeof(remedy), "write ");
	list_words(remedy + len, sizeof(remedy) - len, choices, n);
	cfg_mistake_at(&p->report, p->line, "the value is one word of a list", remedy,
		       "unknown value %s", cfg_quoted(&q, value));
	return -1;
}

void cfg_set_all_stopped(struct cfg_parser *p, struct span value)
{
	static const struct cfg_choice choices[] = {
		{ "monitor", ALL_STOPPED_MONITOR },
		{ "poweroff", ALL_STOPPED_POWEROFF },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	if (v >= 0)
		p->out->on_all_stopped = (enum all_stopped)v;
}

void cfg_set_log(struct cfg_parser *p, struct span value)
{
	static const struct cfg_choice choices[] = {
		{ "error", LOG_ERROR },
		{ "warn", LOG_WARN },
		{ "info", LOG_INFO },
		{ "debug", LOG_DEBUG },
	};

	p->out->log = cfg_choose(p, value, choices, ARRAY_SIZE(choices));
}

static bool known_port_name(struct span value, uint16_t *port)
{
	static const struct {
		const char *name;
		uint16_t port;
	} names[] = {
		{ "com1", 0x3F8 },
		{ "com2", 0x2F8 },
		{ "com3", 0x3E8 },
		{ "com4", 0x2E8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (span_is(value, names[i].name)) {
			*port = names[i].port;
			return true;
		}
	}
	return false;
}

bool config_uart_port(struct span value, uint16_t *port)
{
	uint64_t v;

	if (known_port_name(value, port))
		return true;
	if (parse_number(value, MIN_UART_PORT, MAX_UART_PORT, &v) != PARSE_OK ||
	    v % UART_PORTS != 0)
		return false;
	*port = (uint16_t)v;
	return true;
}

void cfg_set_port(struct cfg_parser *p, struct span value)
{
	struct cfg_quote q;

	p->out->port_given = true;
	if (span_is(value, "none")) {
		p->out->console_port = 0;
		return;
	}
	if (config_uart_port(value, &p->out->console_port))
		return;
	cfg_mistake_at(&p->report, p->line,
		       "a serial port is com1 to com4 or an I/O base from 0x100 to 0xfff8, "
		       "a multiple of 8; none is no port",
		       "write it as in 'port = com1' or 'port = 0x3f8'", "%s is not a serial port",
		       cfg_quoted(&q, value));
}

void cfg_set_baud(struct cfg_parser *p, struct span value)
{
	static const unsigned rates[] = {
		50, 75, 150, 300, 600, 1200, 1800, 2400, 4800,
		7200, 9600, 14400, 19200, 28800, 38400, 57600, 115200,
	};
	struct cfg_quote q;
	uint64_t v = 0;

	parse_number(value, rates[0], UART_BASE_BAUD, &v);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		if (v == rates[i]) {
			p->out->baud = rates[i];
			p->out->baud_given = true;
			return;
		}
	}
	cfg_mistake_at(&p->report, p->line,
		       "the port can do the standard rates that divide 115200",
		       "write 115200, 57600, 38400, 19200, 9600 or a lower one",
		       "%s is not a baud rate of a 16550", cfg_quoted(&q, value));
}

void cfg_set_flow(struct cfg_parser *p, struct span value)
{
	static const struct cfg_choice choices[] = {
		{ "none", FLOW_NONE },
		{ "xonxoff", FLOW_XONXOFF },
		{ "rtscts", FLOW_RTSCTS },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	p->out->flow_given = true;
	if (v >= 0)
		p->out->flow = (enum line_flow)v;
}

void cfg_set_escape(struct cfg_parser *p, struct span value)
{
	struct cfg_quote q;
	char c = 0;

	if (value.len == 2 && value.at[0] == '^')
		c = value.at[1];
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c >= 'A' && c <= '_') {
		p->out->escape = (uint8_t)(c & 0x1F);
		return;
	}
	cfg_mistake_at(&p->report, p->line, "the escape is a control key from ^A to ^_",
		       "write it as in 'escape = ^E'", "%s is not a control key",
		       cfg_quoted(&q, value));
}
