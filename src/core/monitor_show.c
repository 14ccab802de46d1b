/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the monitor shows of guests: states, counters, registers.  Everything
 * is read while its owners go on writing it: each figure is right, and of
 * about the same moment as the others.
 *
 * The fields for programs are documented in docs/console.md.  New ones go to
 * the end of a record, and none changes its meaning.
 */
#include "monitor_show.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define ULL(x) ((unsigned long long)(x))

static uint64_t denied_msrs(const struct vm *vm)
{
	uint64_t n = 0;

	for (unsigned c = 0; c < vm->n_vcpus; c++)
		n += vm->vcpus[c].denied_msrs;
	return n;
}

static uint64_t uptime_ms(const struct vm *vm)
{
	return vm_phase(vm) == VM_RUNNING ? tsc_to_us(rdtsc() - vm->start_tsc) / 1000 : 0;
}

/* ---- list ---------------------------------------------------------------------------- */

static void list_for_people(const struct vm *vm)
{
	const uint64_t denied = vm->bus.denied_ports + vm->bus.denied_mmio + denied_msrs(vm);

	console_print("%-3u %-16s %-9s %u from %-5u %6llu MiB %7llu %8llu\n", vm->index + 1,
		      vm->cfg->name, vm_phase_name(vm), vm->n_vcpus, vm->vcpus[0].cpu,
		      ULL(vm->memory.size >> 20), ULL(vm->starts), ULL(denied));
}

static void list_for_programs(const struct vm *vm)
{
	console_print("guest index=%u name=%s state=%s vcpus=%u cpu=%u memory=%llu starts=%llu "
		      "uptime_ms=%llu\n",
		      vm->index + 1, vm->cfg->name, vm_phase_name(vm), vm->n_vcpus,
		      vm->vcpus[0].cpu, ULL(vm->memory.size), ULL(vm->starts), ULL(uptime_ms(vm)));
}

void monitor_list(bool machine)
{
	if (!machine)
		console_print("%-3s %-16s %-9s %-12s %10s %7s %8s\n", "#", "name", "state", "cpus",
			      "memory", "starts", "denied");
	for (unsigned i = 0; i < n_vms; i++) {
		if (machine)
			list_for_programs(&vms[i]);
		else
			list_for_people(&vms[i]);
	}
}

/* ---- stats --------------------------------------------------------------------------- */

static uint64_t total_exits(const struct vcpu *v)
{
	uint64_t total = 0;

	for (unsigned k = 0; k < EXIT_KIND_COUNT; k++)
		total += v->exits[k];
	return total;
}

static void vcpu_for_people(const struct vcpu *v)
{
	console_print("  vCPU %u on CPU %u: %llu exits\n", v->index, v->cpu, ULL(total_exits(v)));
	for (unsigned k = 0; k < EXIT_KIND_COUNT; k++) {
		const uint64_t n = v->exits[k];

		if (n)
			console_print("    %-14s %10llu  %8llu cycles each\n",
				      exit_kind_name((enum exit_kind)k), ULL(n),
				      ULL(v->cycles[k] / n));
	}
}

static void vcpu_for_programs(const struct vcpu *v)
{
	const char *guest = v->vm->cfg->name;

	console_print("vcpu guest=%s vcpu=%u cpu=%u exits=%llu denied_msrs=%llu\n", guest, v->index,
		      v->cpu, ULL(total_exits(v)), ULL(v->denied_msrs));
	for (unsigned k = 0; k < EXIT_KIND_COUNT; k++)
		if (v->exits[k])
			console_print("exit guest=%s vcpu=%u reason=%s count=%llu cycles=%llu\n",
				      guest, v->index, exit_kind_name((enum exit_kind)k),
				      ULL(v->exits[k]), ULL(v->cycles[k]));
}

static void vm_for_people(const struct vm *vm)
{
	const uint64_t ms = uptime_ms(vm);
	struct vcon_stats s;

	vcon_get_stats(vm->console, &s);
	console_print("guest %s: %s, %llu KiB of hypervisor memory beside its console ring\n",
		      vm->cfg->name, vm_phase_name(vm), ULL(vm->hypervisor_memory >> 10));
	if (vm_phase(vm) == VM_RUNNING)
		console_print("  runs for %llu.%03llu s\n", ULL(ms / 1000), ULL(ms % 1000));
	console_print("  console: out %llu, shown %llu, lost %llu, overrun %llu; in %llu, lost %llu\n",
		      ULL(s.written), ULL(s.shown), ULL(s.lost), ULL(s.overrun), ULL(s.in),
		      ULL(s.in_lost));
	if (s.skipped)
		console_print("  skipped at switches: %llu\n", ULL(s.skipped));
	console_print("  denied: %llu port, %llu memory accesses\n", ULL(vm->bus.denied_ports),
		      ULL(vm->bus.denied_mmio));
}

static void vm_for_programs(const struct vm *vm)
{
	struct vcon_stats s;

	vcon_get_stats(vm->console, &s);
	console_print("guest name=%s state=%s uptime_ms=%llu starts=%llu hypervisor_memory=%llu "
		      "denied_ports=%llu denied_memory=%llu\n",
		      vm->cfg->name, vm_phase_name(vm), ULL(uptime_ms(vm)), ULL(vm->starts),
		      ULL(vm->hypervisor_memory), ULL(vm->bus.denied_ports),
		      ULL(vm->bus.denied_mmio));
	console_print("console guest=%s out=%llu shown=%llu lost=%llu skipped=%llu overrun=%llu "
		      "in=%llu in_lost=%llu\n",
		      vm->cfg->name, ULL(s.written), ULL(s.shown), ULL(s.lost), ULL(s.skipped),
		      ULL(s.overrun), ULL(s.in), ULL(s.in_lost));
}

bool monitor_stats(unsigned index, unsigned part, bool machine)
{
	const struct vm *vm = &vms[index];

	if (part > vm->n_vcpus)
		return false;
	if (part == 0 && machine)
		vm_for_programs(vm);
	else if (part == 0)
		vm_for_people(vm);
	else if (machine)
		vcpu_for_programs(&vm->vcpus[part - 1]);
	else
		vcpu_for_people(&vm->vcpus[part - 1]);
	return true;
}

/* ---- registers ----------------------------------------------------------------------- */

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

static enum console_answer show_regs(const struct vcpu *v, const char *when)
{
	console_print("guest %s, vCPU %u (CPU %u), %s\n", v->vm->cfg->name, v->index, v->cpu, when);
	print_regs(&v->last_regs, &v->last_sys);
	return ANSWER_DONE;
}

/*
 * Only a vCPU's own CPU can read its control block (SDM vol. 3, 24.1), so a
 * guest that runs is asked, and answers when the kick has made it exit.  One
 * that has ended shows the state in which it did.
 */
enum console_answer monitor_regs(unsigned index, unsigned vcpu, bool first)
{
	const struct vm *vm = &vms[index];
	struct vcpu *v;

	if (vcpu >= vm->n_vcpus)
		return ANSWER_NONE;
	if (!vm->starts) {
		console_print("guest %s has not run yet\n", vm->cfg->name);
		return ANSWER_NONE;
	}
	v = &vm->vcpus[vcpu];
	if (vm_phase(vm) != VM_RUNNING)
		return show_regs(v, "as it ended");
	if (first) {
		/* Relaxed: published by the release in vcpu_post. */
		__atomic_store_n(&v->regs_taken, 0, __ATOMIC_RELAXED);
		vcpu_post(v, WORK_REGS);
	}
	/* Pairs with the release in take_regs. */
	if (!__atomic_load_n(&v->regs_taken, __ATOMIC_ACQUIRE))
		return ANSWER_WAIT;
	return show_regs(v, v->state == VCPU_RUNNING ? "now" : "not started by its guest");
}
