/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * String instructions on ports, in 32-bit code here and in 64-bit code as
 * strings64: widths, REP, direction, segment overrides, pages.  COM1's scratch
 * register keeps the last byte of what is written; where no port is, all ones
 * are read.
 */
#include "guest.h"
#include "irq.h"

#define SCRATCH (COM1 + 7)
#define NOWHERE 0xEE00
#define PAGE 4096u
#define ONES 0xFFFFFFFFu

static uint8_t buffer[3 * PAGE] __attribute__((aligned(4096)));

/* INSTRUCTION over (pointer, count); both come out as it left them. */
#define INS(text, port, to, n)                                                              \
	__asm__ volatile(text : "+D"(to), "+c"(n) : "d"((uint16_t)(port)) : "memory", "cc")
#define OUTS(text, port, from, n)                                                           \
	__asm__ volatile(text : "+S"(from), "+c"(n) : "d"((uint16_t)(port)) : "memory", "cc")

static void fill(uint8_t value)
{
	for (unsigned i = 0; i < sizeof(buffer); i++)
		((volatile uint8_t *)buffer)[i] = value;
}

static void check_outs(void)
{
	uintptr_t from = (uintptr_t)buffer, n = 3;

	buffer[0] = 0x11;
	buffer[1] = 0x22;
	buffer[2] = 0x33;
	OUTS("outsb", SCRATCH, from, n);
	check("outsb", in8(SCRATCH), 0x11);
	check("outsb-pointer", from - (uintptr_t)buffer, 1);
	check("outsb-leaves-count", n, 3);
	from = (uintptr_t)buffer;
	OUTS("rep outsb", SCRATCH, from, n);
	check("rep-outsb-last", in8(SCRATCH), 0x33);
	check("rep-outsb-pointer", from - (uintptr_t)buffer, 3);
	check("rep-outsb-count", n, 0);
	OUTS("rep outsb", SCRATCH, from, n);
	check("rep-of-none", from - (uintptr_t)buffer, 3);
	from = (uintptr_t)buffer + 2;
	n = 3;
	OUTS("std; rep outsb; cld", SCRATCH, from, n);
	check("down-last", in8(SCRATCH), 0x11);
	check("down-pointer", (uintptr_t)buffer - from, 1);
	from = (uintptr_t)buffer;
	n = 1;
	OUTS(".byte 0x26; outsb", SCRATCH, from, n); /* ES: */
	check("override", in8(SCRATCH), 0x11);
	from = (uintptr_t)buffer;
	n = 2;
	OUTS("rep outsw", NOWHERE, from, n);
	check("rep-outsw-pointer", from - (uintptr_t)buffer, 4);
	from = (uintptr_t)buffer;
	n = 2;
	OUTS("rep outsl", NOWHERE, from, n);
	check("rep-outsl-pointer", from - (uintptr_t)buffer, 8);
}

static void check_ins(void)
{
	uintptr_t to = (uintptr_t)buffer, n = 3;

	fill(0);
	out8(SCRATCH, 0x5A);
	INS("insb", SCRATCH, to, n);
	check("insb", buffer[0], 0x5A);
	check("insb-pointer", to - (uintptr_t)buffer, 1);
	to = (uintptr_t)buffer;
	INS("rep insb", SCRATCH, to, n);
	check("rep-insb", *(uint32_t *)(void *)buffer, 0x5A5A5A);
	check("rep-insb-stops", buffer[3], 0);
	check("rep-insb-count", n, 0);
	fill(0);
	to = (uintptr_t)buffer + 4;
	n = 2;
	INS("std; rep insw; cld", NOWHERE, to, n);
	check("down-insw", *(uint32_t *)(void *)(buffer + 2), ONES);
	check("down-insw-stops", buffer[1] | buffer[6], 0);
	check("down-insw-pointer", (uintptr_t)buffer - to, 0);
	fill(0);
	to = (uintptr_t)buffer;
	n = 2;
	INS("rep insl", NOWHERE, to, n);
	check("rep-insl", *(uint32_t *)(void *)(buffer + 4), ONES);
	check("rep-insl-pointer", to - (uintptr_t)buffer, 8);
}

static void check_pages(void)
{
	uintptr_t to = (uintptr_t)buffer + PAGE - 6, n = 4;
	unsigned wrong = 0;

	fill(0);
	INS("rep insl", NOWHERE, to, n);
	for (unsigned i = 0; i < 16; i++)
		wrong += buffer[PAGE - 6 + i] != 0xFF;
	check("across-a-page", wrong, 0);
	check("across-a-page-stops", buffer[PAGE + 10] | buffer[PAGE - 7], 0);
	to = (uintptr_t)buffer;
	n = 2 * PAGE + 100;
	out8(SCRATCH, 0xC3);
	INS("rep insb", SCRATCH, to, n);
	wrong = 0;
	for (unsigned i = 0; i < 2 * PAGE + 100; i++)
		wrong += buffer[i] != 0xC3;
	check("many-bytes", wrong, 0);
	check("many-bytes-stops", buffer[2 * PAGE + 100] == 0xC3, 0);
}

#ifdef __x86_64__
#define PTE_PRESENT 1ULL
#define PTE_WRITE 2ULL
#define FAULT_WRITE_ABSENT 2u
#define LINEAR 0x7FE00000u /* 2 MiB below 2 GiB, where nothing is */
#define PAGE_INDEX (LINEAR >> 21)

extern uint64_t page_directories[];
static uint64_t table[512] __attribute__((aligned(4096)));

static void flush(void)
{
	__asm__ volatile("mov %%cr3, %%rax\n\tmov %%rax, %%cr3" : : : "rax", "memory");
}

static void check_faults(void)
{
	uintptr_t to = LINEAR + PAGE - 8, n = 4, failed = 1;

	/* The first page of three is there. */
	table[0] = (uintptr_t)buffer | PTE_PRESENT | PTE_WRITE;
	table[1] = 0;
	page_directories[PAGE_INDEX] = (uintptr_t)table | PTE_PRESENT | PTE_WRITE;
	flush();
	fill(0);
	__asm__ volatile("1: rep insl\n\txorl %k2, %k2\n2:\n\t" FIXUP
			 : "+D"(to), "+c"(n), "+r"(failed) : "d"((uint16_t)NOWHERE) : "memory");
	check("fault-in-the-middle", failed << 8 | fault_vector, 0x100 | EXC_PF);
	check("fault-address", fault_address, LINEAR + PAGE);
	check("fault-error", fault_error, FAULT_WRITE_ABSENT);
	check("fault-keeps-what-was-done", n << 16 | (to - LINEAR), 2u << 16 | PAGE);
	check("fault-after-the-last-good", *(uint32_t *)(void *)(buffer + PAGE - 4), ONES);
	/* The handler of a kernel would map the page and go on, and so it is here. */
	table[1] = ((uintptr_t)buffer + PAGE) | PTE_PRESENT | PTE_WRITE;
	flush();
	INS("rep insl", NOWHERE, to, n);
	check("goes-on", n << 16 | (to - LINEAR), PAGE + 8);
	check("goes-on-in-memory", *(uint32_t *)(void *)(buffer + PAGE + 4), ONES);

	table[0] = (uintptr_t)buffer | PTE_PRESENT; /* read-only, which counts with CR0.WP */
	{
		uintptr_t cr0;

		__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
		__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | BIT(16)));
		flush();
		to = LINEAR;
		n = 1;
		failed = 1;
		__asm__ volatile("1: insb\n\txorl %k2, %k2\n2:\n\t" FIXUP
				 : "+D"(to), "+c"(n), "+r"(failed) : "d"((uint16_t)SCRATCH)
				 : "memory");
		__asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
	}
	check("read-only-faults", failed << 8 | fault_error, 0x100 | 3);
	check("read-only-pointer-stays", to, LINEAR);
	page_directories[PAGE_INDEX] = 0;
	flush();
}
#endif

void guest_main(void)
{
	fill(0);
	check_outs();
	check_ins();
	check_pages();
#ifdef __x86_64__
	check_faults();
#endif
}
