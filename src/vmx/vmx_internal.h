/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the Intel backend share. */
#ifndef VMX_INTERNAL_H
#define VMX_INTERNAL_H

#include "backend.h"
#include "caps.h"
#include "vmcs.h"

/* What a guest CPU needs beside its VMCS; `control` of vcpu_hw points to it. */
struct vmx_vcpu {
	void *vmcs;
	bool launched;        /* VMRESUME, not VMLAUNCH */
	uint32_t event;       /* VM-entry interruption information, 0: none */
	bool extint_window;   /* the core wants to know when an ExtINT can be taken */
	bool nmi_after_sti;   /* an NMI waits behind the shadow of STI */
};

static inline struct vmx_vcpu *vmx_vcpu(const struct vcpu_hw *v)
{
	return v->control;
}

/* Interruption information (24.8.3, 24.9.2). */
#define INTR_VECTOR 0xFFu
#define INTR_TYPE_SHIFT 8
#define INTR_TYPE_MASK 7u
#define INTR_HAS_ERROR BIT(11)
#define INTR_NMI_UNBLOCKING BIT(12)
#define INTR_VALID BIT(31)
enum intr_type {
	INTR_EXTERNAL = 0, INTR_NMI = 2, INTR_EXCEPTION = 3, INTR_SOFTWARE = 4,
	INTR_PRIVILEGED = 5, INTR_SOFT_EXCEPTION = 6
};

/* In an exit reason (24.9.1). */
#define ENTRY_FAILED BIT(31)

/* Guest interruptibility (24.4.2). */
#define BLOCKING_STI BIT(0)
#define BLOCKING_MOV_SS BIT(1)
#define BLOCKING_NMI BIT(3)

/* Access rights of a segment (24.4.1). */
#define RIGHTS_TYPE 0xFu
#define TYPE_BUSY_TSS 11u
#define RIGHTS_S BIT(4)
#define RIGHTS_DPL_SHIFT 5
#define RIGHTS_P BIT(7)
#define RIGHTS_L BIT(13)
#define RIGHTS_DB BIT(14)
#define RIGHTS_G BIT(15)
#define RIGHTS_UNUSABLE BIT(16)

/* Pending debug exceptions, and DR6 (24.4.2). */
#define PENDING_DEBUG_BS BIT(14)

/* The entries that CR3 points to with PAE paging (4.4.1). */
#define PDPTES 4u

/* Activity states (24.4.2). */
enum activity { ACTIVITY_ACTIVE = 0, ACTIVITY_HLT = 1, ACTIVITY_LAST = 3 };

/* The bits of CR0 and CR4 that the guest may not change for real. */
#define CR0_OWNED (CR0_NE | CR0_CD | CR0_NW)
#define CR4_VMXE BIT(13)

/* entry.asm; see there. */
enum vmx_entry_result { VMX_ENTERED, VMX_ENTRY_FAILED, VMX_ENTRY_CANCELLED };
unsigned vmx_enter(struct vcpu_regs *regs, uint64_t launched, uint64_t entry_nmis);
extern const uint8_t vmx_exit_point[], vmx_window[], vmx_window_end[], vmx_cancelled[];
/* Takes an NMI in software, which also ends the blocking of NMIs that a VM exit began (27.5.5). */
void vmx_take_nmi(void);

/* setup.c: all fields of a fresh VMCS. */
void vmx_setup_vmcs(struct vcpu_hw *v);
void vmx_set_io_bitmaps(void *a, void *b);

/* state.c */
void vmx_get_sysregs(const struct vcpu_hw *v, struct vcpu_sysregs *s);
void vmx_set_sysregs(struct vcpu_hw *v, const struct vcpu_sysregs *s);
bool vmx_read_msr(struct vcpu_hw *v, uint32_t msr, uint64_t *value);
bool vmx_write_msr(struct vcpu_hw *v, uint32_t msr, uint64_t value);
/* EFER.LMA and the entry control that goes with it follow CR0.PG and EFER.LME. */
void vmx_set_cr0(uint64_t cr0);
void vmx_set_cr4(uint64_t cr4);
uint64_t vmx_guest_cr0(void);
uint64_t vmx_guest_cr4(void);
bool vmx_in_64bit_code(void);

/* cr.c: an exit for a control register; injects #GP where the CPU would. */
void vmx_cr_access(struct vcpu_hw *v);
/*
 * With PAE paging the CPU loads four entries when CR3 or certain bits of CR0
 * change; where we change them that is ours to do (4.4.1, 26.3.2.4).  False: a
 * reserved bit is set, and nothing was loaded.
 */
bool vmx_load_pdptes(const struct vcpu_hw *v, uint64_t cr0);

/* event.c */
bool vmx_event_pending(const struct vcpu_hw *v);
bool vmx_can_take_extint(const struct vcpu_hw *v);
bool vmx_can_take_nmi(const struct vcpu_hw *v);
void vmx_inject(struct vcpu_hw *v, const struct vm_event *e);
void vmx_want_window(struct vcpu_hw *v, bool on);
void vmx_want_nmi_window(struct vcpu_hw *v);
/* The exit that vmx_want_nmi_window asked for has come. */
void vmx_nmi_window_open(struct vcpu_hw *v);
void vmx_nmi_after_sti_done(struct vcpu_hw *v);
void vmx_clear_shadow(struct vcpu_hw *v);
/* The exit came behind the delivery of whatever event the entry had. */
static inline void vmx_event_delivered(struct vcpu_hw *v)
{
	vmx_vcpu(v)->event = 0;
}
/* An event whose delivery the exit interrupted is delivered at the next entry. */
void vmx_resume_event(struct vcpu_hw *v);
/* No event after all: what vmx_resume_event has found has been delivered by other means. */
void vmx_cancel_event(struct vcpu_hw *v);
void vmx_set_nmi_blocking(bool on);

/* exit.c */
void vmx_decode_exit(struct vcpu_hw *v, struct vm_exit *exit);
void vmx_decode_failure(struct vm_exit *exit);
/* Past the instruction that exited, its shadow and RFLAGS.RF over; a single step is the caller's. */
void vmx_skip_instruction(struct vcpu_hw *v);

/* check.c: the first rule of an entry's checks of the guest's state that is broken, or NULL. */
const char *vmx_broken_rule(void);
/* report.c: everything about an entry that failed goes to the log. */
void vmx_report_failure(const char *kind, uint64_t code);

/* tlb.c */
void vmx_flush_guest(const struct vcpu_hw *v);
void vmx_flush_cpu(void);
uint64_t vmx_ept_pointer(uint64_t root);

#endif
