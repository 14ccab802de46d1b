; SPDX-License-Identifier: BSD-2-Clause
; A flat image for load = 0x200000 and mode = long64: it checks EFER.LMA and
; that memory is mapped one to one.
%include "line.inc"
%define MSR_EFER      0xC0000080
%define EFER_LMA      10
        bits    64
        org     0x200000
        mov     rsi, wrong
        mov     ecx, MSR_EFER
        rdmsr
        bt      eax, EFER_LMA
        jnc     print
        lea     rax, [rel print]
        cmp     rax, print
        jne     print
        mov     rdx, 0x400000
        mov     qword [rdx], rax
        cmp     [abs 0x400000], rax
        jne     print
        mov     rsi, right
print:  print_line rsi
        power_off

right:  db      "format flat long64 ok", 13, 10, 0
wrong:  db      "format flat long64 FAIL", 13, 10, 0
