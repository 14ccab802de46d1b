/* SPDX-License-Identifier: BSD-2-Clause */
/* A hardware exit turned into the neutral form (SDM vol. 3, 27.2 and appendix C). */
#include "insn.h"
#include "vmx_internal.h"

#define REASON_MASK 0xFFFFu

/* Basic exit reasons. */
enum vmx_reason {
	REASON_EXCEPTION_NMI = 0, REASON_TRIPLE_FAULT = 2, REASON_INTERRUPT_WINDOW = 7,
	REASON_NMI_WINDOW = 8, REASON_TASK_SWITCH = 9, REASON_CPUID = 10,
	REASON_GETSEC = 11, REASON_HLT = 12,
	REASON_INVD = 13, REASON_RDPMC = 15, REASON_VMCALL = 18, REASON_VMCLEAR = 19,
	REASON_VMXON = 27, REASON_CR_ACCESS = 28, REASON_IO = 30, REASON_RDMSR = 31,
	REASON_WRMSR = 32, REASON_MWAIT = 36, REASON_MONITOR = 39, REASON_EPT_VIOLATION = 48,
	REASON_INVEPT = 50, REASON_INVVPID = 53, REASON_WBINVD = 54, REASON_XSETBV = 55,
	REASON_VMFUNC = 59
};

/* Exit qualification of an I/O instruction (27.2.1, table 27-5). */
#define IO_SIZE_MASK 7u
#define IO_IN BIT(3)
#define IO_STRING BIT(4)
#define IO_PORT_SHIFT 16

/* Of an EPT violation (table 27-7). */
#define EPT_WRITE BIT(1)
#define EPT_FETCH BIT(2)
#define EPT_LINEAR_VALID BIT(7)
#define EPT_FINAL BIT(8)

/* Of a task switch (table 27-2): the selector in the low half, its source on top. */
#define TASK_SOURCE_SHIFT 30
#define TASK_SOURCE_MASK 3u

/* Of a debug exception (table 27-1): B0 to B3, BD, BS. */
#define DR6_BD BIT(13)
#define DR6_FROM_EXIT (0xFULL | DR6_BD | PENDING_DEBUG_BS)
#define DR7_GD BIT(13)

/* An IRET that faulted had already unblocked NMIs: blocked they are again (27.2.3). */
static void reblock_nmi(uint64_t info)
{
	if (info & INTR_NMI_UNBLOCKING && !(vmcs_read(VMCS_VECTORING_INFO) & INTR_VALID))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_NMI);
}

/*
 * An exit for #DB leaves DR6, DR7.GD and pending debug exceptions to us
 * (27.1, 27.2.1): the exit says what DR6 would have got.
 */
static void finish_debug_exception(struct vcpu_hw *v, uint64_t q, unsigned type)
{
	insn_write_dr6(insn_read_dr6() | (q & DR6_FROM_EXIT));
	if (q & DR6_BD)
		vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~DR7_GD);
	/* INT1 is a trap, but its exit still points to it (27.3.3). */
	if (type == INTR_PRIVILEGED) {
		vmx_skip_instruction(v);
		return;
	}
	/* With TF set an entry in a shadow fails unless a single step is pending (26.3.1.5). */
	if ((v->regs.rflags & RFLAGS_TF) &&
	    (vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS)))
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}

static void decode_exception(struct vcpu_hw *v, struct vm_exit *exit)
{
	const uint64_t info = vmcs_read(VMCS_EXIT_INTERRUPTION);
	const uint64_t type = info >> INTR_TYPE_SHIFT & INTR_TYPE_MASK;

	if (type == INTR_NMI) {
		exit->kind = EXIT_NMI;
		vmx_take_nmi();
		return;
	}
	reblock_nmi(info);
	exit->kind = EXIT_EXCEPTION;
	exit->exception.vector = (uint8_t)(info & INTR_VECTOR);
	exit->exception.has_error = info & INTR_HAS_ERROR;
	exit->exception.error = (uint32_t)vmcs_read(VMCS_EXIT_ERROR_CODE);
	if (exit->exception.vector == VEC_DB)
		finish_debug_exception(v, exit->info[0], (unsigned)type);
}

static void decode_io(struct vm_exit *exit)
{
	const uint64_t q = exit->info[0];

	exit->kind = q & IO_STRING ? EXIT_PORT_STRING : EXIT_PORT;
	exit->port.in = q & IO_IN;
	exit->port.size = (uint8_t)((q & IO_SIZE_MASK) + 1);
	exit->port.port = (uint16_t)(q >> IO_PORT_SHIFT);
}

static void decode_ept(struct vm_exit *exit)
{
	const uint64_t q = exit->info[0];

	reblock_nmi(q);
	exit->kind = EXIT_MEMORY;
	exit->memory.gpa = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
	exit->memory.write = q & EPT_WRITE;
	exit->memory.fetch = q & EPT_FETCH;
	exit->memory.walk = (q & EPT_LINEAR_VALID) && !(q & EPT_FINAL);
}

/*
 * The event whose gate it was is delivered by the switch itself; only an
 * instruction's is behind that instruction (25.4.2, 27.2.4).
 */
static void decode_task_switch(struct vcpu_hw *v, struct vm_exit *exit)
{
	const uint32_t info = (uint32_t)vmcs_read(VMCS_VECTORING_INFO);
	const uint32_t type = info >> INTR_TYPE_SHIFT & INTR_TYPE_MASK;
	struct task_exit *task = &exit->task;

	exit->kind = EXIT_TASK_SWITCH;
	*task = (struct task_exit){
		.selector = (uint16_t)exit->info[0],
		.source = (enum task_source)(exit->info[0] >> TASK_SOURCE_SHIFT &
					     TASK_SOURCE_MASK),
	};
	if (task->source == TASK_IRET)
		vmx_set_nmi_blocking(false);
	if (task->source != TASK_GATE || !(info & INTR_VALID) || type == INTR_SOFTWARE ||
	    type == INTR_PRIVILEGED || type == INTR_SOFT_EXCEPTION) {
		exit->insn_len = (uint8_t)vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
		return;
	}
	vmx_cancel_event(v);
	if (type == INTR_NMI)
		vmx_set_nmi_blocking(true);
	task->event = true;
	task->vector = (uint8_t)info;
	task->is_exception = type == INTR_EXCEPTION;
	task->has_error = info & INTR_HAS_ERROR;
	if (task->has_error)
		task->error = (uint32_t)vmcs_read(VMCS_VECTORING_ERROR_CODE);
}

void vmx_skip_instruction(struct vcpu_hw *v)
{
	v->regs.rip += vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	/* Elsewhere an entry with more than 32 bits of RIP fails (26.3.1.4). */
	if (!vmx_in_64bit_code())
		v->regs.rip = (uint32_t)v->regs.rip;
	v->regs.rflags &= ~RFLAGS_RF;
	vmx_clear_shadow(v);
}

static enum exit_kind simple_kind(unsigned reason)
{
	switch (reason) {
	case REASON_TRIPLE_FAULT: return EXIT_SHUTDOWN;
	case REASON_CPUID: return EXIT_CPUID;
	case REASON_HLT: return EXIT_HLT;
	case REASON_INVD:
	case REASON_WBINVD: return EXIT_CACHE;
	case REASON_RDPMC: return EXIT_RDPMC;
	case REASON_VMCALL: return EXIT_HYPERCALL;
	case REASON_RDMSR: return EXIT_RDMSR;
	case REASON_WRMSR: return EXIT_WRMSR;
	case REASON_XSETBV: return EXIT_XSETBV;
	case REASON_GETSEC:
	case REASON_MWAIT:
	case REASON_MONITOR:
	case REASON_INVEPT:
	case REASON_INVVPID:
	case REASON_VMFUNC: return EXIT_FORBIDDEN;
	default:
		/* The VMX instructions but VMCALL. */
		if (reason >= REASON_VMCLEAR && reason <= REASON_VMXON)
			return EXIT_FORBIDDEN;
		return EXIT_UNKNOWN;
	}
}

/*
 * The everyday instructions whose exit has no qualification and comes while no
 * event is on its way (27.2.1, 27.2.4): two VMREADs fewer.
 */
static bool is_plain_instruction(uint64_t reason)
{
	return reason == REASON_CPUID || reason == REASON_RDMSR || reason == REASON_WRMSR;
}

void vmx_decode_exit(struct vcpu_hw *v, struct vm_exit *exit)
{
	const uint64_t reason = vmcs_read(VMCS_EXIT_REASON);

	exit->code = reason;
	exit->info[0] = exit->info[1] = 0;
	if (is_plain_instruction(reason)) {
		vmx_event_delivered(v);
		exit->kind = simple_kind((unsigned)reason);
		exit->insn_len = (uint8_t)vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
		return;
	}
	exit->info[0] = vmcs_read(VMCS_EXIT_QUALIFICATION);
	exit->insn_len = 0;
	if (reason & ENTRY_FAILED) {
		exit->kind = EXIT_INVALID_STATE;
		vmx_report_failure("exit reason", reason);
		return;
	}
	vmx_resume_event(v);
	switch (reason & REASON_MASK) {
	case REASON_EXCEPTION_NMI:
		decode_exception(v, exit);
		return;
	case REASON_NMI_WINDOW:
		vmx_nmi_window_open(v);
		exit->kind = EXIT_NMI;
		return;
	case REASON_CR_ACCESS:
		vmx_cr_access(v);
		exit->kind = EXIT_CONTROL;
		return;
	case REASON_EPT_VIOLATION:
		decode_ept(exit);
		return;
	case REASON_TASK_SWITCH:
		decode_task_switch(v, exit);
		return;
	case REASON_IO:
		decode_io(exit);
		break;
	case REASON_INTERRUPT_WINDOW:
		vmx_nmi_after_sti_done(v);
		exit->kind = EXIT_WINDOW;
		return;
	default:
		exit->kind = simple_kind(reason & REASON_MASK);
		break;
	}
	exit->insn_len = (uint8_t)vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
}

void vmx_decode_failure(struct vm_exit *exit)
{
	exit->kind = EXIT_INVALID_STATE;
	exit->code = vmcs_read(VMCS_INSTRUCTION_ERROR);
	exit->info[0] = exit->info[1] = 0;
	exit->insn_len = 0;
	vmx_report_failure("VM-instruction error", exit->code);
}
