; SPDX-License-Identifier: BSD-2-Clause
; A flat image for load = 0x7c00, entry = 0x7c02, mode = real16: it tells real
; mode by CR0.PE, and that it was entered at CS:IP = 0:0x7c02.
%include "line.inc"
        bits    16
        org     0x7C00
        hlt                             ; never reached: the entry is behind it
        hlt
entry:  call    .here
.here:  pop     bx
        mov     si, wrong
        cmp     bx, .here
        jne     print
        mov     ax, cs
        test    ax, ax
        jnz     print
        smsw    ax
        test    al, 1
        jnz     print
        mov     si, right
print:  print_line si
        power_off

right:  db      "format flat real16 ok", 13, 10, 0
wrong:  db      "format flat real16 FAIL", 13, 10, 0
