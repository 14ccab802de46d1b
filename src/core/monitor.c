/* SPDX-License-Identifier: BSD-2-Clause */
/* What the console asks of the core: wake-ups, interrupt routing, monitor commands. */
#include "console_port.h"
#include "log.h"
#include "monitor_show.h"
#include "own_port.h"
#include "smp.h"
#include "vm.h"

#define ISA_GSIS 16 /* GSIs from here on are PCI's, whose lines are active low */

static void wake(unsigned vm)
{
	vcpu_post(&vms[vm].vcpus[0], WORK_CONSOLE);
}

/* A CPU that runs no guest serves the console for nothing; else the boot CPU does. */
unsigned spare_cpu(void)
{
	for (unsigned i = 0; i < n_cpus; i++)
		if (!vcpu_of_cpu(i) && __atomic_load_n(&cpus[i]->online, __ATOMIC_RELAXED))
			return i;
	return 0;
}

/* The physical UART's GSI and polarity. */
static uint32_t interrupt(bool *active_low)
{
	uint16_t flags;
	const uint32_t gsi = acpi_isa_gsi(console_port.irq, &flags);

	*active_low = ACPI_ACTIVE_LOW(flags);
	if (!console_port.has_gsi)
		return gsi;
	if (console_port.gsi >= ISA_GSIS)
		*active_low = true;
	return console_port.gsi;
}

/*
 * The guest with the focus pays for its own console: the physical UART
 * interrupts its CPU and nobody else's.
 */
static void route(int vm)
{
	unsigned cpu = vm < 0 ? spare_cpu() : vms[vm].vcpus[0].cpu;
	bool active_low;
	uint32_t gsi;

	if (!__atomic_load_n(&cpus[cpu]->online, __ATOMIC_RELAXED))
		cpu = spare_cpu();
	gsi = interrupt(&active_low);
	if (console_port.base && !ioapic_route_nmi(gsi, active_low, cpus[cpu]->apic_id))
		log_warn("console: its interrupt cannot be routed to CPU %u; keys are seen late",
			 cpu);
}

static void not_possible(unsigned vm, const char *wanted)
{
	console_print("guest %s is %s, not %s\n", vms[vm].cfg->name, vm_phase_name(&vms[vm]), wanted);
}

static void start(unsigned vm)
{
	if (!vm_start(&vms[vm]))
		not_possible(vm, "stopped");
}

static void stop(unsigned vm)
{
	if (!vm_end_request(&vms[vm], END_ORDER_STOP, "stopped by the monitor"))
		not_possible(vm, "running");
}

static void restart(unsigned vm)
{
	if (!vm_end_request(&vms[vm], END_ORDER_RESTART, "stopped by the monitor") &&
	    !vm_start(&vms[vm]))
		console_print("guest %s is %s; wait until it runs or has stopped\n",
			      vms[vm].cfg->name, vm_phase_name(&vms[vm]));
}

static void pause(unsigned vm)
{
	if (!vm_pause(&vms[vm]))
		not_possible(vm, "running");
}

static void resume(unsigned vm)
{
	if (!vm_resume(&vms[vm]))
		not_possible(vm, "paused");
}

static void nmi(unsigned index, unsigned vcpu)
{
	struct vm *vm = &vms[index];

	if (vcpu >= vm->n_vcpus)
		console_print("guest %s has no CPU %u; it has 0 to %u\n", vm->cfg->name, vcpu,
			      vm->n_vcpus - 1);
	else if (vm_phase(vm) != VM_RUNNING)
		not_possible(index, "running");
	else if (vm->vcpus[vcpu].state != VCPU_RUNNING)
		console_print("guest %s has not started its CPU %u\n", vm->cfg->name, vcpu);
	else
		vcpu_post(&vm->vcpus[vcpu], WORK_NMI);
}

static bool ending(unsigned vm)
{
	return vm_is_ending(&vms[vm]);
}

static uint64_t khz(void)
{
	return tsc_khz;
}

static unsigned cpu(void)
{
	return this_cpu()->index;
}

const struct console_ops monitor_ops = {
	.wake = wake,
	.now_ns = now_ns,
	.route = route,
	.alarm = vtimer_console,
	.tsc_khz = khz,
	.is_here = own_port_is_here,
	.cpu = cpu,
	.kick = smp_kick,
	.list = monitor_list,
	.stats = monitor_stats,
	.regs = monitor_regs,
	.start = start,
	.stop = stop,
	.restart = restart,
	.pause = pause,
	.resume = resume,
	.nmi = nmi,
	.ending = ending,
	.tsc_to_us = tsc_to_us,
	.poweroff = machine_order_off,
};
