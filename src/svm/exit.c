/* SPDX-License-Identifier: BSD-2-Clause */
/* A hardware exit turned into the neutral form (APM vol. 2, 15.6 to 15.25, appendix C). */
#include "svm_internal.h"

#define INSN_LONGEST 15

/* 0, "unknown", when the two are not one instruction apart: the core then decodes. */
static uint8_t length_to(const struct vmcb *vmcb, uint64_t next_rip)
{
	const uint64_t len = next_rip - vmcb->rip;

	return len <= INSN_LONGEST ? (uint8_t)len : 0;
}

/* With next-RIP save the hardware tells the length. */
static uint8_t insn_length(const struct vmcb *vmcb)
{
	return vmcb->next_rip ? length_to(vmcb, vmcb->next_rip) : 0;
}

static void decode_io(const struct vmcb *vmcb, struct vm_exit *exit)
{
	const uint64_t info = vmcb->exit_info[0];

	exit->kind = info & IO_STRING ? EXIT_PORT_STRING : EXIT_PORT;
	exit->port.in = info & IO_IN;
	exit->port.size = (uint8_t)(info >> IO_SIZE_SHIFT & IO_SIZE_MASK);
	exit->port.port = (uint16_t)(info >> IO_PORT_SHIFT);
	/* EXITINFO2 is the next RIP, on every model. */
	exit->insn_len = length_to(vmcb, vmcb->exit_info[1]);
}

static void decode_npf(const struct vmcb *vmcb, struct vm_exit *exit)
{
	exit->kind = EXIT_MEMORY;
	exit->memory.gpa = vmcb->exit_info[1];
	exit->memory.write = vmcb->exit_info[0] & NPF_WRITE;
	exit->memory.fetch = vmcb->exit_info[0] & NPF_FETCH;
	exit->memory.walk = vmcb->exit_info[0] & NPF_GUEST_WALK;
}

static void decode_exception(struct vcpu_hw *v, struct vm_exit *exit)
{
	const uint8_t vector = (uint8_t)(exit->code - SVM_EXIT_EXCEPTION);

	if (vector == VEC_DB && svm_nmi_step_done(v)) {
		exit->kind = EXIT_NMI; /* ours: nothing for the guest */
		return;
	}
	exit->kind = EXIT_EXCEPTION;
	exit->exception.vector = vector;
	exit->exception.has_error = vector == VEC_AC;
	exit->exception.error = (uint32_t)svm_vmcb(v)->exit_info[0];
}

static enum exit_kind simple_kind(uint64_t code)
{
	switch (code) {
	case SVM_EXIT_NMI: return EXIT_NMI;
	case SVM_EXIT_VINTR: return EXIT_WINDOW;
	case SVM_EXIT_RDPMC: return EXIT_RDPMC;
	case SVM_EXIT_CPUID: return EXIT_CPUID;
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD: return EXIT_CACHE;
	case SVM_EXIT_HLT: return EXIT_HLT;
	case SVM_EXIT_SHUTDOWN: return EXIT_SHUTDOWN;
	case SVM_EXIT_VMMCALL: return EXIT_HYPERCALL;
	case SVM_EXIT_XSETBV: return EXIT_XSETBV;
	case SVM_EXIT_RSM:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_MWAIT_ARMED:
	case SVM_EXIT_RDPRU: return EXIT_FORBIDDEN;
	default: return EXIT_UNKNOWN;
	}
}

void svm_decode_exit(struct vcpu_hw *v, struct vm_exit *exit)
{
	struct vmcb *vmcb = svm_vmcb(v);

	exit->code = vmcb->exit_code;
	exit->info[0] = vmcb->exit_info[0];
	exit->info[1] = vmcb->exit_info[1];
	exit->insn_len = 0;
	if ((uint32_t)exit->code == SVM_EXIT_INVALID32) {
		exit->kind = EXIT_INVALID_STATE;
		svm_report_failure(vmcb);
		return;
	}
	svm_resume_event(vmcb);
	if (exit->code >= SVM_EXIT_EXCEPTION && exit->code <= SVM_EXIT_EXCEPTION_LAST) {
		decode_exception(v, exit);
		return;
	}
	switch (exit->code) {
	case SVM_EXIT_IO:
		decode_io(vmcb, exit);
		break;
	case SVM_EXIT_NPF:
		decode_npf(vmcb, exit);
		break;
	case SVM_EXIT_MSR:
		exit->kind = vmcb->exit_info[0] & 1 ? EXIT_WRMSR : EXIT_RDMSR;
		exit->insn_len = insn_length(vmcb);
		break;
	case SVM_EXIT_IRET:
		svm_nmi_iret(v);
		exit->kind = EXIT_NMI;
		break;
	default:
		exit->kind = simple_kind(exit->code);
		exit->insn_len = insn_length(vmcb);
		break;
	}
}
