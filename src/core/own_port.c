/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's console on a physical port of its own: whose CPU serves it. */
#include "log.h"
#include "own_port.h"
#include "smp.h"
#include "vm.h"

bool own_port_is_here(unsigned index)
{
	return vms[index].vcpus && vms[index].vcpus[0].cpu == this_cpu()->index;
}

static bool route(const struct vm *vm)
{
	uint16_t flags;
	const uint32_t gsi = acpi_isa_gsi((uint8_t)config_uart_irq(vm->cfg->console_own), &flags);

	return ioapic_route_nmi(gsi, ACPI_ACTIVE_LOW(flags), cpus[vm->vcpus[0].cpu]->apic_id);
}

void own_ports_open(void)
{
	for (unsigned i = 0; i < n_vms; i++) {
		const struct cfg_vm *cfg = vms[i].cfg;

		if (!cfg->console_own)
			continue;
		if (!console_own_port(vms[i].console, cfg->console_own, config.baud))
			log_warn("guest %s: no serial port answers at 0x%x; its console is on the "
				 "shared line", cfg->name, cfg->console_own);
		else if (!route(&vms[i]))
			log_warn("guest %s: the interrupt of port 0x%x cannot be routed to CPU %u",
				 cfg->name, cfg->console_own, vms[i].vcpus[0].cpu);
	}
}
