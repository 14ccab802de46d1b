; SPDX-License-Identifier: BSD-2-Clause
; One entry a vector; all call interrupt(frame) with the struct frame of irq.h.

extern interrupt
section .text

%ifdef MODE64
bits 64
%else
bits 32
%endif

; Vectors for which the CPU pushes an error code (SDM vol. 3, table 6-1).
%define HAS_ERROR(n) (n == 8 || (n >= 10 && n <= 14) || n == 17 || n == 21)

%assign n 0
%rep 256
vector_%+n:
%if !HAS_ERROR(n)
        push 0
%endif
        push n
        jmp save_and_call
%assign n n + 1
%endrep

save_and_call:
%ifdef MODE64
        push rax
        push rcx
        push rdx
        push rbx
        push rbp
        push rsi
        push rdi
        push r8
        push r9
        push r10
        push r11
        push r12
        push r13
        push r14
        push r15
        cld
        mov rdi, rsp
        mov rbx, rsp
        and rsp, -16
        call interrupt
        mov rsp, rbx
        pop r15
        pop r14
        pop r13
        pop r12
        pop r11
        pop r10
        pop r9
        pop r8
        pop rdi
        pop rsi
        pop rbp
        pop rbx
        pop rdx
        pop rcx
        pop rax
        add rsp, 16                     ; the vector and the error code
        iretq
%else
        pusha
        cld
        push esp
        call interrupt
        add esp, 4
        popa
        add esp, 8
        iret
%endif

section .rodata
global vectors
vectors:
%assign n 0
%rep 256
%ifdef MODE64
        dq vector_%+n
%else
        dd vector_%+n
%endif
%assign n n + 1
%endrep
