; SPDX-License-Identifier: BSD-2-Clause
; World switch: AMD APM vol. 2, 15.5.

%include "offsets.inc"

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
        mov rbx, [rdi + REGS_RBX]
        mov rcx, [rdi + REGS_RCX]
        mov rdx, [rdi + REGS_RDX]
        mov rsi, [rdi + REGS_RSI]
        mov rbp, [rdi + REGS_RBP]
        mov r8,  [rdi + REGS_R8]
        mov r9,  [rdi + REGS_R9]
        mov r10, [rdi + REGS_R10]
        mov r11, [rdi + REGS_R11]
        mov r12, [rdi + REGS_R12]
        mov r13, [rdi + REGS_R13]
        mov r14, [rdi + REGS_R14]
        mov r15, [rdi + REGS_R15]
        mov rdi, [rdi + REGS_RDI]
        vmload
        vmrun
        vmsave
        push rdi
        mov rdi, [rsp + 8]
        mov [rdi + REGS_RBX], rbx
        mov [rdi + REGS_RCX], rcx
        mov [rdi + REGS_RDX], rdx
        mov [rdi + REGS_RSI], rsi
        mov [rdi + REGS_RBP], rbp
        mov [rdi + REGS_R8],  r8
        mov [rdi + REGS_R9],  r9
        mov [rdi + REGS_R10], r10
        mov [rdi + REGS_R11], r11
        mov [rdi + REGS_R12], r12
        mov [rdi + REGS_R13], r13
        mov [rdi + REGS_R14], r14
        mov [rdi + REGS_R15], r15
        pop qword [rdi + REGS_RDI]
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
