; SPDX-License-Identifier: BSD-2-Clause
; A Multiboot kernel, linked as ELF of either class or described by address
; fields (-DADDRESSES): it prints its command line, its modules' strings and
; first bytes, and the end of the memory map's last entry.
%include "line.inc"
%define HEADER_MAGIC  0x1BADB002
%define LOADER_MAGIC  0x2BADB002
%ifdef ADDRESSES
%define FLAGS         0x10003
%else
%define FLAGS         0x3
%endif
%define INFO_CMDLINE  16
%define INFO_MODS     20                ; count, address
%define INFO_MMAP     44                ; length, address
%define INFO_NAME     64
%define MODULE_SIZE   16
%define MODULE_STRING 8

        bits    32
%ifdef ADDRESSES
        org     0x300000
%else
        section .text
        global  _start
%endif
start:
header: dd      HEADER_MAGIC, FLAGS, -(HEADER_MAGIC + FLAGS)
%ifdef ADDRESSES
        dd      header, start, end, bss_end, _start
%endif

_start: mov     esp, stack_top
        mov     esi, wrong
        cmp     eax, LOADER_MAGIC
        jne     last
        mov     esi, by
        call    print
        mov     esi, [ebx + INFO_NAME]
        call    print
        mov     esi, newline
        call    print
        mov     esi, [ebx + INFO_CMDLINE]
        call    print
        mov     esi, newline
        call    print
        mov     ecx, [ebx + INFO_MODS]
        mov     edi, [ebx + INFO_MODS + 4]
        jecxz   mmap
module: mov     esi, [edi + MODULE_STRING]
        call    print
        mov     esi, colon
        call    print
        mov     esi, [edi]              ; the test's modules are text that ends with a zero
        call    print
        add     edi, MODULE_SIZE
        loop    module
mmap:   mov     esi, [ebx + INFO_MMAP + 4]
        mov     edi, [ebx + INFO_MMAP]
        add     edi, esi
        mov     eax, [edi - 20]         ; the last entry: base, length, type
        add     eax, [edi - 12]
        mov     esi, wrong
        cmp     eax, 0x1000000          ; a guest with 16M
        jne     last
        mov     esi, right
last:   call    print
        power_off

print:  print_line esi
        ret

by:     db      "loaded by ", 0
colon:  db      ": ", 0
newline: db     13, 10, 0
right:  db      "format multiboot ok", 13, 10, 0
wrong:  db      "format multiboot FAIL", 13, 10, 0
        align   4
end:
%ifdef ADDRESSES
stack_top equ   end + 4096
bss_end equ     end + 4096
%else
        section .bss
        resb    4096
stack_top:
%endif
