; SPDX-License-Identifier: BSD-2-Clause
; Interrupt entries, idling and the start-up code of the other CPUs.

%include "offsets.inc"

extern fault_report, apic_drain_one, ap_main

section .text
bits 64

; NMI: a kick, or the physical UART.  The exit loop and idle_wait look for the
; work themselves; the handler only counts, and moves a CPU that is about to
; halt past the HLT, so that no kick is slept through.  Runs on its own stack
; (IST); GS is the per-CPU area whenever NMIs can arrive.
global nmi_entry
nmi_entry:
        push rax
        inc qword [gs:CPU_NMI_COUNT]
        mov rax, [rsp + 8]              ; interrupted RIP
        cmp rax, idle_window
        jb .not_idle
        cmp rax, idle_window_end
        jae .not_idle
        mov rax, idle_window_end
        mov [rsp + 8], rax
        jmp .out
.not_idle:
        cmp rax, [entry_window]
        jb .out
        cmp rax, [entry_window_end]
        jae .out
        mov rax, [entry_window_target]
        mov [rsp + 8], rax
.out:
        pop rax
        iretq

; void idle_wait(const uint32_t *work, uint64_t seen_nmis): see smp.h.
global idle_wait
idle_wait:
idle_window:
        cmp dword [rdi], 0
        jne idle_window_end
        cmp [gs:CPU_NMI_COUNT], rsi
        jne idle_window_end
        hlt
idle_window_end:
        ret

; void smp_set_nmi_window(start, end, target): see smp.h.
global smp_set_nmi_window
smp_set_nmi_window:
        mov [entry_window], rdi
        mov [entry_window_end], rsi
        mov [entry_window_target], rdx
        ret

section .bss
align 8
entry_window:           resq 1
entry_window_end:       resq 1
entry_window_target:    resq 1

section .text

; Exceptions: a bug of ours.  fault_report prints and stops this CPU.
; Stack for it: r15..rax, vector, error code, RIP, CS, RFLAGS, RSP, SS.
%macro FAULT 2
fault_%1:
%if %2 == 0
        push qword 0
%endif
        push qword %1
        jmp fault_common
%endmacro

; A #GP at the RDMSR of rdmsr_safe is an answer, not a bug.
global rdmsr_safe
rdmsr_safe:
        mov ecx, edi
rdmsr_safe_at:
        rdmsr
        shl rdx, 32
        or rax, rdx
        mov [rsi], rax
        mov eax, 1
        ret
rdmsr_safe_refused:
        xor eax, eax
        ret

general_protection:
        push rax
        mov rax, rdmsr_safe_at
        cmp rax, [rsp + 16]             ; RIP, behind RAX and the error code
        pop rax
        jne fault_13
        add rsp, 8
        mov qword [rsp], rdmsr_safe_refused
        iretq

%assign v 0
%rep 32
%if v = 8 || (v >= 10 && v <= 14) || v = 17 || v = 21 || v = 29 || v = 30
        FAULT v, 1
%else
        FAULT v, 0
%endif
%assign v v + 1
%endrep

fault_common:
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
        call fault_report
.stop:
        cli
        hlt
        jmp .stop

; An interrupt that a guest left behind, taken only inside apic_reset_cpu's
; window (which runs with an IDT of nothing else): end it and go on.
global drain_entry
drain_entry:
        push rax
        push rcx
        push rdx
        push rsi
        push rdi
        push r8
        push r9
        push r10
        push r11
        cld
        call apic_drain_one
        pop r11
        pop r10
        pop r9
        pop r8
        pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rax
        iretq

section .rodata
global fault_entries
fault_entries:
%assign v 0
%rep 32
%if v = 13
        dq general_protection
%else
        dq fault_ %+ v
%endif
%assign v v + 1
%endrep

; ---- start-up of another CPU --------------------------------------------
; Copied to a page below 1 MiB.  It starts in real mode with CS:IP =
; page:0 (SDM vol. 3, 9.4.4) and goes straight to long mode.

section .text
global trampoline, trampoline_end, trampoline_args
trampoline:
bits 16
        cli
        cld
        mov ax, cs
        mov ds, ax
        movzx ebx, ax
        shl ebx, 4                      ; linear address of this page
        lea eax, [ebx + (tramp_gdt - trampoline)]
        mov [tramp_gdt_pointer - trampoline + 2], eax
        lea eax, [ebx + (tramp_long - trampoline)]
        mov [tramp_jump - trampoline], eax
        o32 lgdt [tramp_gdt_pointer - trampoline]
        mov eax, (1 << 5)               ; CR4.PAE
        mov cr4, eax
        mov eax, [tramp_cr3 - trampoline]
        mov cr3, eax
        mov ecx, 0xC0000080             ; EFER
        rdmsr
        or eax, (1 << 8) | (1 << 11)    ; LME, NXE (the map uses NX)
        wrmsr
        mov eax, (1 << 0) | (1 << 1) | (1 << 5) | (1 << 16) | (1 << 31)
        mov cr0, eax                    ; PE, MP, NE, WP, PG: long mode at once
        o32 jmp far [tramp_jump - trampoline]
align 8
tramp_jump:
        dd 0
        dw 0x08
align 8
tramp_gdt:
        dq 0
        dq 0x00AF9B000000FFFF           ; 64-bit code
        dq 0x00CF93000000FFFF           ; data
tramp_gdt_pointer:
        dw tramp_gdt_pointer - tramp_gdt - 1
        dd 0
align 8
trampoline_args:
tramp_cr3:      dq 0
tramp_cpu:      dq 0                    ; struct cpu *
bits 64
tramp_long:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        xor eax, eax
        mov fs, ax
        mov gs, ax
        mov rdi, [rel tramp_cpu]
        mov rsp, [rdi + CPU_STACK_TOP]
        mov rax, ap_main
        call rax                        ; absolute: this code was copied
trampoline_end:
