; SPDX-License-Identifier: BSD-2-Clause
; Entry from a Multiboot loader: headers, 32-bit start, switch to long mode.
;
; Contract at `start` (Multiboot 1, 3.2; Multiboot 2, 3.3): protected mode,
; flat segments, paging off, interrupts off, EAX = magic, EBX = information.

MB1_MAGIC       equ 0x1BADB002
MB1_FLAGS       equ 0x00000003          ; align modules to pages, give memory map
MB2_MAGIC       equ 0xE85250D6

CR0_PE          equ 1 << 0
CR0_MP          equ 1 << 1
CR0_NE          equ 1 << 5
CR0_WP          equ 1 << 16
CR0_PG          equ 1 << 31
CR4_PAE         equ 1 << 5
MSR_EFER        equ 0xC0000080
EFER_LME        equ 1 << 8
CPUID_LM        equ 1 << 29             ; 8000_0001h EDX
PTE_P_RW        equ 3
PTE_LARGE       equ 1 << 7
COM1            equ 0x3F8

extern boot_main

BOOT_STACK      equ 16 * 1024

section .multiboot align=8
mb1_header:
        dd MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)
        align 8
mb2_header:
        dd MB2_MAGIC, 0, mb2_end - mb2_header
        dd -(MB2_MAGIC + (mb2_end - mb2_header))
        dw 0, 0                         ; end tag
        dd 8
mb2_end:

section .text
bits 32
global start
start:
        cli
        cld
        mov esp, boot_stack_top
        mov esi, eax                    ; the magic, until boot_main gets it
        rdtsc
        mov [entry_tsc], eax
        mov [entry_tsc + 4], edx

        mov eax, 0x80000000
        push ebx
        cpuid
        pop ebx
        cmp eax, 0x80000001
        jb no_long_mode
        mov eax, 0x80000001
        push ebx
        cpuid
        pop ebx
        test edx, CPUID_LM
        jz no_long_mode

        ; The first 4 GiB, identity, in 2 MiB pages: enough to run C, which
        ; then builds the real map.
        mov edi, early_pd
        mov eax, PTE_P_RW | PTE_LARGE
        xor edx, edx
.fill:
        mov [edi], eax
        mov [edi + 4], edx
        add edi, 8
        add eax, 0x200000
        jnc .fill                       ; wraps to 0 behind the last of 4 GiB
        mov edi, early_pdpt
        mov eax, early_pd + PTE_P_RW
        mov ecx, 4
.pdpt:
        mov [edi], eax
        add edi, 8
        add eax, 4096
        loop .pdpt
        mov dword [early_pml4], early_pdpt + PTE_P_RW

        mov eax, CR4_PAE
        mov cr4, eax
        mov eax, early_pml4
        mov cr3, eax
        mov ecx, MSR_EFER
        rdmsr
        or eax, EFER_LME
        wrmsr
        mov eax, CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG
        mov cr0, eax
        lgdt [boot_gdt_pointer]
        jmp 0x08:long_mode

; No C without long mode: say why on the serial port, polled, and stop.
no_long_mode:
        mov edi, no_long_mode_text
.next:
        mov al, [edi]
        inc edi
        test al, al
        jz .stop
        mov ah, al
        mov ecx, 100000                 ; bounded: there may be no port at all
        mov edx, COM1 + 5
.wait:
        in al, dx
        test al, 0x20                   ; LSR.THRE
        loopz .wait
        mov al, ah
        mov edx, COM1
        out dx, al
        jmp .next
.stop:
        hlt
        jmp .stop

bits 64
long_mode:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        xor eax, eax
        mov fs, ax
        mov gs, ax
        mov rsp, boot_stack_top
        mov edi, esi                    ; magic
        mov esi, ebx                    ; information
        mov rdx, [abs entry_tsc]
        call boot_main
.stop:
        cli
        hlt
        jmp .stop

section .rodata
align 8
boot_gdt:
        dq 0
        dq 0x00AF9B000000FFFF           ; 64-bit code
        dq 0x00CF93000000FFFF           ; data
boot_gdt_pointer:
        dw boot_gdt_pointer - boot_gdt - 1
        dq boot_gdt                     ; 32-bit LGDT reads the low half
no_long_mode_text:
        db "bulkhead: this CPU has no 64-bit mode; Bulkhead needs an x86_64 CPU", 13, 10, 0

section .bss
align 4096
early_pml4:     resb 4096
early_pdpt:     resb 4096
early_pd:       resb 4 * 4096
align 16
boot_stack:     resb BOOT_STACK
global boot_stack_top
boot_stack_top:
entry_tsc:      resq 1
