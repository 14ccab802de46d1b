; SPDX-License-Identifier: BSD-2-Clause
; From 32-bit protected mode to real mode and back, for realmode.c.  What runs
; in real mode is copied to REAL_PAGE, and refers to itself relative to that.

REAL_PAGE       equ 0x6000              ; realmode.c knows it too
CODE32          equ 0x18                ; selectors of gdt.c
DATA            equ 0x10
CODE16          equ 0x20
DATA16          equ 0x28
CR0_PE          equ 1
IVT_TEST        equ 0x60                ; a vector of software's
IVT_TIMER       equ 0x20                ; the 8259's line 0, as pic.c sets it up
BIG             equ 0x00200000          ; behind the image, beyond 1 MiB

%define REAL(label) (REAL_PAGE + label - real_start)

section .text
bits 32

; void real_run(void): all checks of real mode, with interrupts off.  The results
; are in the words at REAL_PAGE + 0x800 (struct results of realmode.c).
RESULTS         equ REAL_PAGE + 0x800
global real_run
real_run:
        pusha
        sidt [saved_idt]
        mov [saved_esp], esp
        jmp CODE16:REAL(to_real)

bits 32
back:
        mov eax, DATA
        mov ds, eax
        mov es, eax
        mov ss, eax
        mov fs, eax
        mov gs, eax
        mov esp, [saved_esp]
        lidt [saved_idt]
        popa
        ret

section .bss
saved_idt:      resb 6
saved_esp:      resd 1

section .text
bits 16
global real_start, real_end
real_start:
; 16-bit protected mode first, so that the limits are those of real mode.
to_real:
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        lidt [REAL(real_idt)]
        mov eax, cr0
        and al, ~CR0_PE & 0xFF
        mov cr0, eax
        jmp 0:REAL(in_real)
in_real:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, REAL_PAGE + 0x800
        mov word [RESULTS + 0], 1       ; real mode was reached

        ; Segments are paragraphs: two names of one byte.
        mov ax, (REAL_PAGE >> 4)
        mov es, ax
        mov byte [es:0x900], 0x5A
        mov al, [REAL_PAGE + 0x900]
        mov [RESULTS + 2], al
        mov byte [RESULTS + 3], 0

        ; A software interrupt through the IVT, which is 16 bits wide.
        mov word [IVT_TEST * 4], REAL(int_handler)
        mov word [IVT_TEST * 4 + 2], 0
        mov cx, 0
        int IVT_TEST
        mov [RESULTS + 4], cx
        mov [RESULTS + 6], sp           ; all of the frame is gone again

        ; A divide error comes through the IVT too.
        mov word [0], REAL(divide_handler)
        mov word [2], 0
        mov cx, 0
        mov ax, 1
        mov bl, 0
divide: div bl
after_divide:
        mov [RESULTS + 8], cx

        ; A hardware interrupt: C has line 0 of the 8259 requested.
        mov word [IVT_TIMER * 4], REAL(timer_handler)
        mov word [IVT_TIMER * 4 + 2], 0
        mov cx, 0
        sti
        mov dx, 0xFFFF
.wait:  in al, 0x61                     ; what takes a moment
        test cx, cx
        jnz .came
        dec dx
        jnz .wait
.came:  cli
        mov [RESULTS + 10], cx

        ; HLT ends with an interrupt in real mode as well: C's 8254 goes on ticking.
        mov cx, 0
        sti
        hlt
        cli
        mov [RESULTS + 12], cx

        ; Calls, far and near, and string instructions with segments.
        mov bx, 0
        call 0:REAL(far_target)
        mov [RESULTS + 14], bx
        mov si, REAL_PAGE + 0x900
        mov ax, 0x0700
        mov es, ax
        mov di, 0
        mov cx, 4
        mov dword [REAL_PAGE + 0x900], 0x44332211
        cld
        rep movsb
        mov eax, [0x7000]
        mov [RESULTS + 16], eax

        ; Big real mode: a segment keeps the limit that protected mode gave it.
        lgdt [REAL(real_gdt_pointer)]
        mov eax, cr0
        or al, CR0_PE
        mov cr0, eax
        mov bx, 8                       ; 4 GiB of data
        mov fs, bx
        and al, ~CR0_PE & 0xFF
        mov cr0, eax
        jmp 0:REAL(big)
big:
        mov ebx, BIG
        mov dword [fs:ebx], 0xB16B00B5
        mov eax, [fs:ebx]
        mov [RESULTS + 20], eax
        mov eax, [fs:dword 0xFEE00030]  ; the local APIC's version
        mov [RESULTS + 24], eax

        ; And back.
        lgdt [REAL(c_gdt_pointer)]
        mov eax, cr0
        or al, CR0_PE
        mov cr0, eax
        jmp dword CODE32:back

int_handler:
        mov cx, 0x1234
        iret
divide_handler:
        mov cx, 0xD1
        push bp
        mov bp, sp
        mov word [bp + 2], REAL(after_divide)
        pop bp
        iret
timer_handler:
        inc cx
        push ax
        mov al, 0x20
        out 0x20, al
        pop ax
        iret
far_target:
        mov bx, 0xFA7
        retf

align 8
real_gdt:
        dq 0
        dq 0x00CF93000000FFFF
real_gdt_pointer:
        dw real_gdt_pointer - real_gdt - 1
        dd REAL(real_gdt)
real_idt:
        dw 0x3FF
        dd 0
global c_gdt_pointer
c_gdt_pointer:                          ; filled by realmode.c
        dw 0
        dd 0
real_end:
