/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one switch for exits.  Whatever is not handled here stops the guest,
 * whole, with its registers kept: safe by default.
 */
#include "log.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

const char *exit_kind_name(enum exit_kind kind)
{
	static const char *const names[EXIT_KIND_COUNT] = {
		[EXIT_NMI] = "kick",
		[EXIT_PORT] = "port",
		[EXIT_PORT_STRING] = "port-string",
		[EXIT_MEMORY] = "memory",
		[EXIT_CPUID] = "cpuid",
		[EXIT_RDMSR] = "rdmsr",
		[EXIT_WRMSR] = "wrmsr",
		[EXIT_HLT] = "hlt",
		[EXIT_XSETBV] = "xsetbv",
		[EXIT_HYPERCALL] = "hypercall",
		[EXIT_CACHE] = "cache",
		[EXIT_FORBIDDEN] = "forbidden",
		[EXIT_RDPMC] = "rdpmc",
		[EXIT_CONTROL] = "control",
		[EXIT_EXCEPTION] = "exception",
		[EXIT_WINDOW] = "window",
		[EXIT_SHUTDOWN] = "shutdown",
		[EXIT_TASK_SWITCH] = "task-switch",
		[EXIT_INVALID_STATE] = "invalid-state",
		[EXIT_UNKNOWN] = "unknown",
	};

	return kind < EXIT_KIND_COUNT ? names[kind] : "?";
}

#define HYPERCALL_UNKNOWN (~0ULL - 999) /* -1000: KVM_ENOSYS, what the KVM leaf's users expect */

static void set_edx_eax(struct vcpu *v, uint64_t value)
{
	v->hw.regs.gpr[GPR_RAX] = (uint32_t)value;
	v->hw.regs.gpr[GPR_RDX] = value >> 32;
}

static uint64_t edx_eax(const struct vcpu *v)
{
	return v->hw.regs.gpr[GPR_RDX] << 32 | (uint32_t)v->hw.regs.gpr[GPR_RAX];
}

static void rdmsr_exit(struct vcpu *v, const struct vm_exit *exit)
{
	const uint32_t msr = (uint32_t)v->hw.regs.gpr[GPR_RCX];
	uint64_t value;

	if (!msr_read(v, msr, &value)) {
		v->denied_msrs++;
		log_debug("guest %s: RDMSR %x denied at rip %llx", v->vm->cfg->name, msr,
			  (unsigned long long)v->hw.regs.rip);
		vcpu_inject_exception(v, VEC_GP, true, 0);
		return;
	}
	if (skip_instruction(v, exit))
		set_edx_eax(v, value);
}

static void wrmsr_exit(struct vcpu *v, const struct vm_exit *exit)
{
	const uint32_t msr = (uint32_t)v->hw.regs.gpr[GPR_RCX];

	if (!msr_write(v, msr, edx_eax(v))) {
		v->denied_msrs++;
		log_debug("guest %s: WRMSR %x = %llx denied at rip %llx", v->vm->cfg->name, msr,
			  (unsigned long long)edx_eax(v), (unsigned long long)v->hw.regs.rip);
		vcpu_inject_exception(v, VEC_GP, true, 0);
		return;
	}
	skip_instruction(v, exit);
}

/*
 * SDM vol. 1, 13.3: which states may be enabled together.  Only states whose
 * rules are known here are offered (XCR0_OFFERED), so XSETBV cannot fault.
 */
static bool xcr0_valid(uint64_t v)
{
	const uint64_t host = cpuid(0xD, 0).eax & XCR0_OFFERED;
	const uint64_t avx512 = 7ULL << 5;

	return (v & 1) && !(v & ~host) && ((v & 4) == 0 || (v & 2)) &&
	       ((v & avx512) == 0 || ((v & avx512) == avx512 && (v & 4)));
}

static void xsetbv_exit(struct vcpu *v, const struct vm_exit *exit)
{
	const uint64_t value = edx_eax(v);
	struct vcpu_sysregs sys;

	/* The intercept may come before the CPU's own check of the privilege level. */
	backend->get_sysregs(&v->hw, &sys);
	if (sys.cpl != 0 || (uint32_t)v->hw.regs.gpr[GPR_RCX] != 0 || !xcr0_valid(value)) {
		vcpu_inject_exception(v, VEC_GP, true, 0);
		return;
	}
	/* The hypervisor uses no vector state: the guest's XCR0 stays loaded. */
	if (skip_instruction(v, exit))
		fpu_set_xcr0(value);
}

static void crash(struct vcpu *v, const struct vm_exit *exit, const char *what)
{
	vm_end_request(v->vm, END_CRASH, "crashed (%s; vCPU %u at rip %llx, exit %llx, %llx, %llx)",
		       what, v->index, (unsigned long long)v->hw.regs.rip,
		       (unsigned long long)exit->code, (unsigned long long)exit->info[0],
		       (unsigned long long)exit->info[1]);
}

static void triple_fault(struct vcpu *v)
{
	const bool restart = v->vm->cfg->on_reset == ACTION_RESTART;

	/* A PC resets on it, and some guests reboot that way. */
	vm_end_request(v->vm, restart ? END_RESET : END_CRASH,
		       restart ? "reset (triple fault at rip %llx)"
			       : "crashed (triple fault at rip %llx)",
		       (unsigned long long)v->hw.regs.rip);
}

void dispatch_exit(struct vcpu *v, const struct vm_exit *exit)
{
	switch (exit->kind) {
	case EXIT_NMI:
	case EXIT_CONTROL:
		return; /* the loop sees what came; the backend has done it */
	case EXIT_PORT:
		access_port(v, exit);
		return;
	case EXIT_PORT_STRING:
		access_port_string(v, exit);
		return;
	case EXIT_MEMORY:
		access_memory(v, exit);
		return;
	case EXIT_CPUID:
		if (skip_instruction(v, exit))
			cpuid_emulate(v);
		return;
	case EXIT_RDMSR:
		rdmsr_exit(v, exit);
		return;
	case EXIT_WRMSR:
		wrmsr_exit(v, exit);
		return;
	case EXIT_XSETBV:
		xsetbv_exit(v, exit);
		return;
	case EXIT_HYPERCALL:
		if (skip_instruction(v, exit))
			v->hw.regs.gpr[GPR_RAX] = HYPERCALL_UNKNOWN;
		return;
	case EXIT_CACHE:
		/* Write-back memory is coherent, and no device of a guest does DMA. */
		skip_instruction(v, exit);
		return;
	case EXIT_FORBIDDEN:
		vcpu_inject_exception(v, VEC_UD, false, 0);
		return;
	case EXIT_RDPMC:
		vcpu_inject_exception(v, VEC_GP, true, 0);
		return;
	case EXIT_EXCEPTION:
		if (exit->exception.vector == VEC_MC) {
			crash(v, exit, "machine check: the hardware reports an error");
			return;
		}
		vcpu_inject_exception(v, exit->exception.vector, exit->exception.has_error,
				      exit->exception.error);
		return;
	case EXIT_WINDOW:
		v->window_open = false;
		backend->want_window(&v->hw, false);
		return;
	case EXIT_SHUTDOWN:
		triple_fault(v);
		return;
	case EXIT_TASK_SWITCH:
		if (!access_task_switch(v, exit))
			triple_fault(v);
		return;
	case EXIT_INVALID_STATE:
		crash(v, exit, "the CPU refused its state");
		return;
	case EXIT_HLT:
	case EXIT_UNKNOWN:
	case EXIT_KIND_COUNT:
	default:
		crash(v, exit, "an exit that Bulkhead does not know");
		return;
	}
}
