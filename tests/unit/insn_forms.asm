; SPDX-License-Identifier: BSD-2-Clause
; The instructions that compilers and kernels use on devices' registers, as an
; assembler writes them.  Each record is a length and that many bytes; a length
; of 0 ends a list.  RDI, EDI or DI points to the operand.
default abs
section .note.GNU-stack noalloc noexec nowrite progbits
section .rodata

%macro I 1+
	db %%end - %%start
%%start:
	%1
%%end:
%endmacro

; What all modes have.  %1: the address of the operand.
%macro COMMON 1
	I mov [%1], al
	I mov [%1], ch
	I mov [%1], ax
	I mov [%1], eax
	I mov bl, [%1]
	I mov bx, [%1]
	I mov ebx, [%1 + 4]
	I mov byte [%1], 0x7f
	I mov word [%1], 0x1234
	I mov dword [%1], 0x12345678
	I mov [%1 + 0x20], ds
	I movzx eax, byte [%1]
	I movzx ax, byte [%1]
	I movzx eax, word [%1]
	I movsx eax, byte [%1]
	I movsx eax, word [%1]
	I movbe eax, [%1]
	I movbe [%1], ax
	I movnti [%1], eax
	I xchg [%1], eax
	I xchg [%1], bl
	I add [%1], al
	I or dword [%1], 0x80000000
	I and word [%1], 0xfff0
	I xor eax, [%1]
	I sub dword [%1], byte -1
	I adc [%1], bx
	I sbb bl, [%1]
	I cmp dword [%1], 5
	I cmp byte [%1], 5
	I cmp ax, [%1]
	I test byte [%1], 0x20
	I test dword [%1], 0x20202020
	I test [%1], ax
	I not dword [%1]
	I neg byte [%1]
	I inc word [%1]
	I dec dword [%1]
	I bt dword [%1], 7
	I bts word [%1], 3
	I btr dword [%1], 31
	I btc dword [%1], 0
	I lock bts dword [%1], 1
	I lock or dword [%1], 1
	I lock inc byte [%1]
	I cmpxchg [%1], ebx
	I lock cmpxchg [%1], bl
	I cmpxchg8b [%1]
	I xadd [%1], ebx
	I lock xadd [%1], bx
	I shl dword [%1], 1
	I shr word [%1], 3
	I rcl byte [%1], cl
	I setc [%1]
	I setg [%1]
	I cmovz eax, [%1]
	I imul eax, [%1]
	I imul eax, [%1], 10
	I imul bx, [%1], 1000
	I stosb
	I stosw
	I stosd
	I lodsd
	I movsb
	I movsd
	I scasb
	I cmpsw
	I rep stosd
	I rep movsb
	I repne scasb
	I repe cmpsb
	I fs mov [%1], al
	I gs mov eax, [%1]
%endmacro

global insn_forms64, insn_forms32, insn_forms16

insn_forms64:
	bits 64
	COMMON rdi
	COMMON edi
	I mov [rdi], rax
	I mov r9, [rdi + rcx * 8 + 0x40]
	I mov r9b, [rdi]
	I mov sil, [rdi]
	I mov qword [rdi], -2
	I mov eax, [rel $ + 0x100]
	I mov dword [rel $ + 0x100], 1
	I mov rax, [qword 0x10000010]
	I mov [qword 0x10000010], al
	I mov eax, [dword 0x10000010]
	I movzx r10, word [rdi]
	I movsx rax, byte [rdi]
	I movsxd rax, dword [rdi]
	I movbe r8, [rdi]
	I movnti [rdi], r8
	I xchg [rdi], r15
	I lock add qword [rdi], byte 1
	I bts qword [rdi], 63
	I bt [rdi], rcx
	I cmpxchg [rdi], r10
	I lock xadd [rdi], r10
	I stosq
	I rep movsq
	I push qword [rdi]
	I pop qword [rdi]
	I push word [rdi]
	I rol qword [rdi], 40
	I cmovnle r11, [rdi]
	I imul r12, [rdi], -3
	db 0

insn_forms32:
	bits 32
	COMMON edi
	COMMON edi + ecx * 4
	I mov eax, [0x50010]
	I mov [0x50010], al
	I mov ax, [es:edi]
	I a16 stosb
	I push dword [edi]
	I pop dword [edi]
	I push word [edi]
	I cs mov eax, [edi]
	I ss mov eax, [edi]
	db 0

insn_forms16:
	bits 16
	COMMON di
	COMMON bx + si
	COMMON edi
	I mov ax, [0x20]
	I mov [0x20], eax
	I a32 rep stosb
	I push word [di]
	I pop dword [di]
	I es mov al, [bp + di + 2]
	db 0
