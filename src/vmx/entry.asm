; SPDX-License-Identifier: BSD-2-Clause
; World switch: Intel SDM vol. 3, 26 and 27.

%include "smp/regs.inc"

VMCS_HOST_RSP   equ 0x6C14

section .text
bits 64

; unsigned vmx_enter(struct vcpu_regs *regs, uint64_t launched, uint64_t entry_nmis)
;
; Enters the guest of the current VMCS and returns 0 after its exit, with the
; general registers stored (RSP, RIP and RFLAGS are in the VMCS); 1 when the
; entry failed early; 2 when an NMI came since entry_nmis was read and the
; guest was not entered.  An NMI cannot be held back here as SVM's GIF does:
; one that comes between vmx_window and the entry is sent to vmx_cancelled by
; nmi_entry.  Interrupts are off.  All registers but RBP and RSP are changed:
; the caller (enter() in vmx.c) saves those that it uses.
global vmx_enter, vmx_exit_point, vmx_window, vmx_window_end, vmx_cancelled
vmx_enter:
        push rbp
        push rdi
        mov rax, VMCS_HOST_RSP
        vmwrite rax, rsp
vmx_window:
        cmp [gs:CPU_NMI_COUNT], rdx
        jne vmx_cancelled
        test rsi, rsi                   ; MOV keeps the flags for the JNZ below
        mov rax, [rdi + REGS_RAX]
        LOAD_GUEST_REGS
        jnz .resume
        vmlaunch
        jmp vmx_window_end
.resume:
        vmresume
vmx_window_end:                         ; only when the entry failed
        mov eax, 1
        jmp vmx_leave
vmx_cancelled:
        mov eax, 2
        jmp vmx_leave
vmx_exit_point:
        STORE_GUEST_REGS
        mov [rdi + REGS_RAX], rax
        xor eax, eax
vmx_leave:
        pop rdi
        pop rbp
        ret

; void vmx_take_nmi(void): as if the NMI had come to the host.
global vmx_take_nmi
vmx_take_nmi:
        int 2
        ret
