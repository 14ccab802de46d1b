; SPDX-License-Identifier: BSD-2-Clause
; A flat image for load = 0x200000 and mode = protected32: it checks that paging
; is off, that the segments are flat, and that they can be loaded again.
%include "line.inc"
        bits    32
        org     0x200000
        mov     esi, wrong
        mov     eax, cr0
        and     eax, 0x80000001
        cmp     eax, 1                  ; PE without PG
        jne     print
        mov     eax, ds
        mov     es, eax                 ; faults without a GDT
        mov     eax, cs
        mov     esp, 0x300000
        push    eax
        push    again
        retf
again:  mov     esi, right
print:  print_line esi
        power_off

right:  db      "format flat protected32 ok", 13, 10, 0
wrong:  db      "format flat protected32 FAIL", 13, 10, 0
