/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: guests whose console has a physical port of its own. */
#include "config_parser.h"

/* The usual ports of a PC and their interrupts, two ports each. */
static const struct com_port {
	const char *name;
	uint16_t base;
	unsigned irq;
} ports[] = {
	{ "com1", 0x3F8, 4 }, { "com2", 0x2F8, 3 }, { "com3", 0x3E8, 4 }, { "com4", 0x2E8, 3 },
};

unsigned config_uart_irq(uint16_t base)
{
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		if (ports[i].base == base)
			return ports[i].irq;
	return 0;
}

void cfg_set_console(struct cfg_parser *p, struct span value)
{
	struct cfg_quote q;

	p->vm->line_console = p->line;
	if (span_is(value, "shared")) {
		p->vm->console_own = 0;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		if (span_is(value, ports[i].name)) {
			p->vm->console_own = ports[i].base;
			return;
		}
	cfg_mistake_at(&p->report, p->line,
		       "a guest's console is on the shared line or has com1, com2, com3 or com4",
		       "write 'console = com2', or 'console = shared'", "%s is no place for it",
		       cfg_quoted(&q, value));
}

/* An edge on a line that two ports share is lost while the other one holds it. */
static void check_pair(struct cfg_parser *p, const struct cfg_vm *vm, uint16_t other,
		       const char *whose)
{
	if (!vm->console_own || !other)
		return;
	if (vm->console_own == other)
		cfg_mistake_at(&p->report, vm->line_console, "a port is one line's",
			       "take another port for one of them",
			       "'%s' and %s have the same serial port", vm->name, whose);
	else if (config_uart_irq(vm->console_own) == config_uart_irq(other))
		cfg_mistake_at(&p->report, vm->line_console,
			       "com1 and com3 share an interrupt, and so do com2 and com4",
			       "take another port for one of them",
			       "the ports of '%s' and %s cannot be used together", vm->name, whose);
}

void cfg_check_consoles(struct cfg_parser *p)
{
	const struct config *cfg = p->out;

	for (unsigned i = 0; i < cfg->n_vms; i++) {
		check_pair(p, &cfg->vms[i], cfg->console_port, "[console]");
		for (unsigned j = 0; j < i; j++)
			check_pair(p, &cfg->vms[i], cfg->vms[j].console_own, "another guest");
	}
}
