; SPDX-License-Identifier: BSD-2-Clause
;
; Debian has no GRUB for Multiboot, but one for coreboot: an ELF file that wants
; coreboot's table of memory in front of it.  This wraps the two segments of that
; file, which tests/guests/grub/make cut out, into a Multiboot1 kernel.
;
; Assembled with -DKERNEL=..., -DMODULES=... (the files) and -DENTRY=...
bits 32

MULTIBOOT_MAGIC equ 0x1BADB002
TABLE_PLACE equ 0x500      ; where GRUB looks for it first
TAG_MEMORY equ 1
RAM equ 1
LOW_RAM_END equ 0x9F000
HIGH_RAM equ 0x100000
RAM_END equ 0x4000000      ; the guest has 64 MiB

section .wrapper
	dd MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC
global start
start:
	mov esi, table
	mov edi, TABLE_PLACE
	mov ecx, table_end - table
	cld
	rep movsb
	mov eax, ENTRY
	jmp eax

; coreboot's src/commonlib coreboot_tables: header, then records of tag and size.
; GRUB does not look at the checksums.
table:
	db 'LBIO'
	dd records - table, 0, table_end - records, 0, 1
records:
	dd TAG_MEMORY, table_end - records
	dq 0x1000, LOW_RAM_END - 0x1000
	dd RAM
	dq HIGH_RAM, RAM_END - HIGH_RAM
	dd RAM
table_end:

section .kernel
	incbin KERNEL
section .modules
	incbin MODULES
