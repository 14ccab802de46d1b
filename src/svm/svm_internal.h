/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the AMD backend share. */
#ifndef SVM_INTERNAL_H
#define SVM_INTERNAL_H

#include "backend.h"
#include "vmcb.h"

struct vmcb *svm_vmcb(const struct vcpu_hw *v);

/* entry.asm */
void svm_enter(struct vcpu_regs *regs, uint64_t vmcb_pa, uint64_t host_vmcb_pa);

/* exit.c */
void svm_decode_exit(struct vcpu_hw *v, struct vm_exit *exit);

/* report.c: the state that VMRUN refused goes to the log. */
void svm_report_failure(const struct vmcb *c);
/* The first rule of VMRUN's checks that the state breaks, or NULL.  Pure. */
const char *svm_broken_rule(const struct vmcb *c);

/* state.c */
void svm_get_sysregs(const struct vcpu_hw *v, struct vcpu_sysregs *s);
void svm_set_sysregs(struct vcpu_hw *v, const struct vcpu_sysregs *s);
bool svm_read_msr(struct vcpu_hw *v, uint32_t msr, uint64_t *value);
bool svm_write_msr(struct vcpu_hw *v, uint32_t msr, uint64_t value);

/* event.c */
bool svm_event_pending(const struct vcpu_hw *v);
bool svm_can_take_extint(const struct vcpu_hw *v);
bool svm_can_take_nmi(const struct vcpu_hw *v);
void svm_inject(struct vcpu_hw *v, const struct vm_event *e);
void svm_want_window(struct vcpu_hw *v, bool on);
void svm_want_nmi_window(struct vcpu_hw *v);
void svm_clear_shadow(struct vcpu_hw *v);
/* The guest is about to execute IRET while an NMI is in service. */
void svm_nmi_iret(struct vcpu_hw *v);
/* True when the #DB was our single step and is done with. */
bool svm_nmi_step_done(struct vcpu_hw *v);
/* Puts an event whose delivery the exit interrupted back to be delivered. */
void svm_resume_event(struct vmcb *vmcb);

#endif
