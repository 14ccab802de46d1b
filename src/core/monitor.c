/* SPDX-License-Identifier: BSD-2-Clause */
/* What the console asks of the core: wake-ups, interrupt routing, monitor commands. */
#include "log.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define COM_IRQ_1_3 4
#define COM_IRQ_2_4 3
#define COM2 0x2F8
#define COM4 0x2E8

static void wake(unsigned vm)
{
	vcpu_post(&vms[vm].vcpus[0], WORK_CONSOLE);
}

/* A CPU that runs no guest serves the console for nothing; else the boot CPU does. */
static unsigned spare_cpu(void)
{
	for (unsigned i = 0; i < n_cpus; i++)
		if (!vcpu_of_cpu(i) && __atomic_load_n(&cpus[i]->online, __ATOMIC_RELAXED))
			return i;
	return 0;
}

/*
 * The guest with the focus pays for its own console: the physical UART
 * interrupts its CPU and nobody else's.
 */
static void route(int vm)
{
	unsigned cpu = vm < 0 ? spare_cpu() : vms[vm].vcpus[0].cpu;
	const bool second = config.console_port == COM2 || config.console_port == COM4;
	uint16_t flags;
	uint32_t gsi;

	if (!__atomic_load_n(&cpus[cpu]->online, __ATOMIC_RELAXED))
		cpu = spare_cpu();
	gsi = acpi_isa_gsi(second ? COM_IRQ_2_4 : COM_IRQ_1_3, &flags);
	if (!ioapic_route_nmi(gsi, ACPI_ACTIVE_LOW(flags), cpus[cpu]->apic_id))
		log_warn("console: its interrupt cannot be routed to CPU %u; keys are seen late",
			 cpu);
}

static void list(void)
{
	console_print("%-3s %-16s %-9s %-12s %10s %7s %8s\n", "#", "name", "state", "cpus", "memory",
		      "starts", "denied");
	for (unsigned i = 0; i < n_vms; i++) {
		const struct vm *vm = &vms[i];
		uint64_t denied = vm->bus.denied_ports + vm->bus.denied_mmio;

		for (unsigned c = 0; c < vm->n_vcpus; c++)
			denied += vm->vcpus[c].denied_msrs;
		console_print("%-3u %-16s %-9s %u from %-5u %6llu MiB %7llu %8llu\n", i + 1,
			      vm->cfg->name, vm_phase_name(vm), vm->n_vcpus, vm->vcpus[0].cpu,
			      (unsigned long long)(vm->memory.size >> 20),
			      (unsigned long long)vm->starts, (unsigned long long)denied);
	}
}

static void vcpu_stats(const struct vcpu *v)
{
	uint64_t total = 0;

	for (unsigned k = 0; k < EXIT_KIND_COUNT; k++)
		total += v->exits[k];
	console_print("  vCPU %u on CPU %u: %llu exits\n", v->index, v->cpu,
		      (unsigned long long)total);
	for (unsigned k = 0; k < EXIT_KIND_COUNT; k++) {
		if (!v->exits[k])
			continue;
		console_print("    %-14s %10llu  %8llu cycles each\n",
			      exit_kind_name((enum exit_kind)k), (unsigned long long)v->exits[k],
			      (unsigned long long)(v->cycles[k] / v->exits[k]));
	}
}

static void vm_stats(const struct vm *vm)
{
	struct vcon_stats s;
	uint64_t ms;

	vcon_get_stats(vm->console, &s);
	console_print("guest %s: %s, %llu KiB of hypervisor memory beside its console ring\n",
		      vm->cfg->name, vm_phase_name(vm),
		      (unsigned long long)(vm->hypervisor_memory >> 10));
	if (vm_phase(vm) == VM_RUNNING) {
		ms = tsc_to_us(rdtsc() - vm->start_tsc) / 1000;
		console_print("  runs for %llu.%03llu s\n", (unsigned long long)ms / 1000,
			      (unsigned long long)ms % 1000);
	}
	console_print("  console: out %llu, shown %llu, lost %llu, overrun %llu; in %llu, lost %llu\n",
		      (unsigned long long)s.written, (unsigned long long)s.shown,
		      (unsigned long long)s.lost, (unsigned long long)s.overrun,
		      (unsigned long long)s.in, (unsigned long long)s.in_lost);
	console_print("  denied: %llu port, %llu memory accesses\n",
		      (unsigned long long)vm->bus.denied_ports,
		      (unsigned long long)vm->bus.denied_mmio);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_stats(&vm->vcpus[i]);
}

static void stats(int vm)
{
	for (unsigned i = 0; i < n_vms; i++)
		if (vm < 0 || (unsigned)vm == i)
			vm_stats(&vms[i]);
}

static void stop(unsigned vm)
{
	if (!vm_end_request(&vms[vm], END_ORDER_STOP, "stopped by the monitor"))
		console_print("guest %s is %s, not running\n", vms[vm].cfg->name,
			      vm_phase_name(&vms[vm]));
}

static void restart(unsigned vm)
{
	if (!vm_end_request(&vms[vm], END_ORDER_RESTART, "stopped by the monitor") &&
	    !vm_start(&vms[vm]))
		console_print("guest %s is %s; wait until it runs or has stopped\n",
			      vms[vm].cfg->name, vm_phase_name(&vms[vm]));
}

static void print_segment(const char *name, const struct segment_reg *s)
{
	console_print("  %-4s %04x base %016llx limit %08x attr %04x\n", name, s->selector,
		      (unsigned long long)s->base, s->limit, s->attr);
}

static void print_regs(const struct vcpu_regs *r, const struct vcpu_sysregs *s)
{
	static const char *const gpr[GPR_COUNT] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
	};
	static const char *const seg[SEG_COUNT] = {
		"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr",
	};

	console_print("  rip %016llx rflags %08llx cpl %u\n", (unsigned long long)r->rip,
		      (unsigned long long)r->rflags, s->cpl);
	for (unsigned i = 0; i < GPR_COUNT; i++)
		console_print("  %-3s %016llx%s", gpr[i], (unsigned long long)r->gpr[i],
			      i % 3 == 2 || i == GPR_COUNT - 1 ? "\n" : "");
	console_print("  cr0 %08llx cr2 %016llx cr3 %016llx\n  cr4 %08llx efer %08llx\n",
		      (unsigned long long)s->cr0, (unsigned long long)s->cr2,
		      (unsigned long long)s->cr3, (unsigned long long)s->cr4,
		      (unsigned long long)s->efer);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		print_segment(seg[i], &s->seg[i]);
	console_print("  gdtr %016llx limit %04x\n  idtr %016llx limit %04x\n",
		      (unsigned long long)s->gdtr.base, s->gdtr.limit,
		      (unsigned long long)s->idtr.base, s->idtr.limit);
}

/*
 * A guest that has ended shows the state in which it did.  A running one
 * shows that of its last exit: it is not disturbed for this.
 */
static void regs(unsigned index)
{
	const struct vm *vm = &vms[index];
	const bool running = vm_phase(vm) == VM_RUNNING;

	if (!vm->starts) {
		console_print("guest %s has not run yet\n", vm->cfg->name);
		return;
	}
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		struct vcpu *v = &vm->vcpus[i];
		struct vcpu_sysregs sys = v->last_sys;

		if (running)
			backend->get_sysregs(&v->hw, &sys);
		console_print("guest %s, vCPU %u (CPU %u), %s\n", vm->cfg->name, i, v->cpu,
			      running ? "as of its last exit" : "as it ended");
		print_regs(running ? &v->hw.regs : &v->last_regs, &sys);
	}
}

static unsigned cpu(void)
{
	return this_cpu()->index;
}

const struct console_ops monitor_ops = {
	.wake = wake,
	.route = route,
	.cpu = cpu,
	.kick = smp_kick,
	.list = list,
	.stats = stats,
	.stop = stop,
	.restart = restart,
	.regs = regs,
	.poweroff = machine_order_off,
};
