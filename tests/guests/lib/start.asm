; SPDX-License-Identifier: BSD-2-Clause
; Entry from a Multiboot1 loader and of the CPUs that the first one starts.
; With MODE64 the guest's C code runs in long mode, else in 32-bit protected
; mode with paging off.  Memory is mapped as it is in both.

MB_MAGIC        equ 0x1BADB002
MB_FLAGS        equ 3                   ; modules on pages, memory information
CODE64          equ 0x08                ; the selectors of gdt.c
DATA            equ 0x10
CODE32          equ 0x18
CR0_PE          equ 1
CR0_PG          equ 1 << 31
CR4_PAE         equ 1 << 5
MSR_EFER        equ 0xC0000080
EFER_LME        equ 1 << 8
PTE_P_RW        equ 3
PTE_LARGE       equ 1 << 7
TRAMPOLINE      equ 0x8000              ; where smp.c copies the code below to
STACK           equ 8192                ; CPU_STACK of smp.h

extern guest_start, ap_start, gdt_pointer, cpu_stacks, boot_magic, boot_info
extern ap_next

section .multiboot align=4
        dd MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

section .text
bits 32

; Goes to long mode, or stays.  Returns to a caller of the new mode; only ESP,
; ESI, EDI and EBX are kept.
%macro ENTER_MODE 0
        lgdt [gdt_pointer]
%ifdef MODE64
        mov eax, CR4_PAE
        mov cr4, eax
        mov eax, pml4
        mov cr3, eax
        mov ecx, MSR_EFER
        rdmsr
        or eax, EFER_LME
        wrmsr
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        jmp CODE64:%%mode
bits 64
%else
        jmp CODE32:%%mode
%endif
%%mode:
        mov eax, DATA
        mov ds, eax
        mov es, eax
        mov ss, eax
        mov fs, eax
        mov gs, eax
%endmacro

global start
start:
        cli
        cld
        mov esp, cpu_stacks + STACK
        mov [boot_magic], eax
        mov [boot_info], ebx
%ifdef MODE64
        call build_tables
%endif
        ENTER_MODE
        call guest_start
stop:
        cli
        hlt
        jmp stop

%ifdef MODE64
bits 32
; The first 4 GiB in pages of 2 MiB.
build_tables:
        mov edi, page_directories
        mov eax, PTE_P_RW | PTE_LARGE
.page:
        mov [edi], eax
        add edi, 8
        add eax, 0x200000
        jnc .page                       ; wraps behind the last of 4 GiB
        mov edi, pdpt
        mov eax, page_directories + PTE_P_RW
        mov ecx, 4
.directory:
        mov [edi], eax
        add edi, 8
        add eax, 4096
        loop .directory
        mov dword [pml4], pdpt + PTE_P_RW
        ret
%endif

; A started CPU: real mode at TRAMPOLINE:0.  It takes the number in ap_next, so
; that many may come at once, and that number's stack.
global trampoline, trampoline_end
bits 16
trampoline:
        cli
        cld
        xor ax, ax
        mov ds, ax
        o32 lgdt [TRAMPOLINE + pointer_copy - trampoline]
        mov eax, cr0
        or eax, CR0_PE
        mov cr0, eax
        jmp dword CODE32:ap_entry
align 8
global pointer_copy
pointer_copy:                           ; of gdt_pointer, which real mode cannot reach
        dw 0
        dd 0
trampoline_end:

bits 32
ap_entry:
        mov eax, DATA
        mov ds, eax
        mov ss, eax
        mov edi, 1
        lock xadd [ap_next], edi
        mov eax, edi
        imul eax, STACK
        lea esp, [cpu_stacks + STACK + eax]
        ENTER_MODE
%ifdef MODE64
        call ap_start                   ; the number is in EDI
%else
        push edi
        call ap_start
%endif
        jmp stop

%ifdef MODE64
section .bss align=4096
global page_directories
pml4:                   resb 4096
pdpt:                   resb 4096
page_directories:       resb 4 * 4096
%endif
