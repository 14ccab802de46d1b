/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual machine control block (AMD APM vol. 2, appendix B) and its constants. */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

#include "types.h"

struct vmcb_segment {
	uint16_t selector, attr;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	/* Control area. */
	uint32_t intercept_cr, intercept_dr, intercept_exceptions;
	uint32_t intercept_misc1, intercept_misc2, intercept_misc3;
	uint8_t reserved1[0x3C - 0x18];
	uint16_t pause_threshold, pause_count;
	uint64_t iopm, msrpm, tsc_offset;
	uint32_t asid;
	uint8_t tlb_control, reserved2[3];
	uint64_t vintr, int_shadow;
	uint64_t exit_code, exit_info[2], exit_int_info;
	uint64_t nested_control;
	uint8_t reserved3[0xA8 - 0x98];
	uint64_t event_inject, nested_cr3, lbr_control;
	uint32_t clean, reserved4;
	uint64_t next_rip;
	uint8_t fetched, insn[15];
	uint8_t reserved5[0x400 - 0xE0];

	/* State save area. */
	struct vmcb_segment seg[6]; /* ES to GS, in the order of enum segment */
	struct vmcb_segment gdtr, ldtr, idtr, tr;
	uint8_t reserved6[0x4CB - 0x4A0];
	uint8_t cpl;
	uint32_t reserved7;
	uint64_t efer;
	uint8_t reserved8[0x548 - 0x4D8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved9[0x5D8 - 0x580];
	uint64_t rsp;
	uint8_t reserved10[0x5F8 - 0x5E0];
	uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t reserved11[0x668 - 0x648];
	uint64_t g_pat;
	uint8_t reserved12[0x1000 - 0x670];
};

#define VMCB_AT(field, offset) \
	_Static_assert(offsetof(struct vmcb, field) == (offset), "VMCB layout: " #field)
VMCB_AT(iopm, 0x40);
VMCB_AT(asid, 0x58);
VMCB_AT(vintr, 0x60);
VMCB_AT(exit_code, 0x70);
VMCB_AT(nested_control, 0x90);
VMCB_AT(event_inject, 0xA8);
VMCB_AT(clean, 0xC0);
VMCB_AT(next_rip, 0xC8);
VMCB_AT(seg, 0x400);
VMCB_AT(tr, 0x490);
VMCB_AT(cpl, 0x4CB);
VMCB_AT(efer, 0x4D0);
VMCB_AT(cr4, 0x548);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5D8);
VMCB_AT(rax, 0x5F8);
VMCB_AT(cr2, 0x640);
VMCB_AT(g_pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "a VMCB is one page");

/* intercept_misc1 (offset 0Ch). */
#define INTERCEPT_NMI BIT(1)
#define INTERCEPT_INIT BIT(3)
#define INTERCEPT_VINTR BIT(4)
#define INTERCEPT_RDPMC BIT(15)
#define INTERCEPT_CPUID BIT(18)
#define INTERCEPT_RSM BIT(19)
#define INTERCEPT_IRET BIT(20)
#define INTERCEPT_INVD BIT(22)
#define INTERCEPT_INVLPGA BIT(26)
#define INTERCEPT_IO BIT(27)
#define INTERCEPT_MSR BIT(28)
#define INTERCEPT_SHUTDOWN BIT(31)

/* intercept_misc2 (offset 10h). */
#define INTERCEPT_VMRUN BIT(0)
#define INTERCEPT_VMMCALL BIT(1)
#define INTERCEPT_VMLOAD BIT(2)
#define INTERCEPT_VMSAVE BIT(3)
#define INTERCEPT_STGI BIT(4)
#define INTERCEPT_CLGI BIT(5)
#define INTERCEPT_SKINIT BIT(6)
#define INTERCEPT_WBINVD BIT(9)
#define INTERCEPT_MONITOR BIT(10)
#define INTERCEPT_MWAIT BIT(11)
#define INTERCEPT_MWAIT_ARMED BIT(12)
#define INTERCEPT_XSETBV BIT(13)
#define INTERCEPT_RDPRU BIT(14)

#define TLB_FLUSH_ALL 1

#define VINTR_IRQ BIT(8)
#define VINTR_PRIORITY_MAX (0xFULL << 16)
#define VINTR_IGNORE_TPR BIT(20)

#define SHADOW_INTERRUPT BIT(0)

#define NESTED_ENABLE BIT(0)

/* EVENTINJ and EXITINTINFO (15.20, figure 15-4). */
#define EVENT_VECTOR_MASK 0xFFULL
#define EVENT_TYPE_SHIFT 8
#define EVENT_TYPE_MASK 7ULL
#define EVENT_TYPE_EXTERNAL 0ULL
#define EVENT_TYPE_NMI 2ULL
#define EVENT_TYPE_EXCEPTION 3ULL
#define EVENT_TYPE_SOFTWARE 4ULL
#define EVENT_HAS_ERROR BIT(11)
#define EVENT_VALID BIT(31)
#define EVENT_ERROR_SHIFT 32

/* EXITINFO1 of an I/O exit (15.10.2). */
#define IO_IN BIT(0)
#define IO_STRING BIT(2)
#define IO_SIZE_SHIFT 4
#define IO_SIZE_MASK 7ULL
#define IO_PORT_SHIFT 16

/* EXITINFO1 of a nested page fault (15.25.6). */
#define NPF_WRITE BIT(1)
#define NPF_FETCH BIT(4)
#define NPF_GUEST_WALK BIT(33)

/* Exit codes (appendix C). */
enum svm_exit_code {
	SVM_EXIT_EXCEPTION = 0x40, SVM_EXIT_EXCEPTION_LAST = 0x5F,
	SVM_EXIT_INTR = 0x60, SVM_EXIT_NMI = 0x61, SVM_EXIT_SMI = 0x62, SVM_EXIT_INIT = 0x63,
	SVM_EXIT_VINTR = 0x64, SVM_EXIT_RDPMC = 0x6F, SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_RSM = 0x73, SVM_EXIT_IRET = 0x74, SVM_EXIT_INVD = 0x76, SVM_EXIT_HLT = 0x78,
	SVM_EXIT_INVLPGA = 0x7A, SVM_EXIT_IO = 0x7B, SVM_EXIT_MSR = 0x7C,
	SVM_EXIT_SHUTDOWN = 0x7F, SVM_EXIT_VMRUN = 0x80, SVM_EXIT_VMMCALL = 0x81,
	SVM_EXIT_VMLOAD = 0x82, SVM_EXIT_VMSAVE = 0x83, SVM_EXIT_STGI = 0x84,
	SVM_EXIT_CLGI = 0x85, SVM_EXIT_SKINIT = 0x86, SVM_EXIT_WBINVD = 0x89,
	SVM_EXIT_MONITOR = 0x8A, SVM_EXIT_MWAIT = 0x8B, SVM_EXIT_MWAIT_ARMED = 0x8C,
	SVM_EXIT_XSETBV = 0x8D, SVM_EXIT_RDPRU = 0x8E, SVM_EXIT_NPF = 0x400
};
/* VMEXIT_INVALID is -1; QEMU 7.2 writes only its lower half. */
#define SVM_EXIT_INVALID32 0xFFFFFFFFu

#endif
