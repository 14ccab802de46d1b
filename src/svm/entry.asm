; SPDX-License-Identifier: BSD-2-Clause
; World switch: AMD APM vol. 2, 15.5.

%include "smp/regs.inc"

section .text
bits 64

; void svm_enter(struct vcpu_regs *regs, uint64_t vmcb_pa, uint64_t host_vmcb_pa)
;
; Called with GIF clear and RFLAGS.IF clear.  Loads the guest's general
; registers (RAX and RSP are in the VMCB), runs it, stores them again, brings
; back the host's FS, GS, TR and SYSCALL state, and sets GIF, which lets a
; pending NMI in: nmi_entry needs GS, so not before.
global svm_enter
svm_enter:
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        push rdx
        push rdi
        mov rax, rsi
        LOAD_GUEST_REGS
        vmload
        vmrun
        vmsave
        STORE_GUEST_REGS
        pop rdi
        pop rax
        vmload                          ; the host's
        stgi
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        ret
