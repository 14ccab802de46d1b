/* SPDX-License-Identifier: BSD-2-Clause */
/* One GDT for all CPUs; each has its own task register, which tells its number. */
#include "irq.h"
#include "smp.h"

#define TSS_SIZE 0x68
#define AVAILABLE_TSS 0x89ULL

static uint64_t gdt[SEL_TSS / 8 + 2 * MAX_CPUS] = {
	[SEL_CODE64 / 8] = 0x00AF9B000000FFFFULL,
	[SEL_DATA / 8] = 0x00CF93000000FFFFULL,
	[SEL_CODE32 / 8] = 0x00CF9B000000FFFFULL,
	[SEL_CODE16 / 8] = 0x00009B000000FFFFULL,
	[SEL_DATA16 / 8] = 0x000093000000FFFFULL,
};

struct gdt_pointer {
	uint16_t limit;
	const uint64_t *base;
} __attribute__((packed));

extern const struct gdt_pointer gdt_pointer;
const struct gdt_pointer gdt_pointer = { sizeof(gdt) - 1, gdt };

static uint8_t tss[MAX_CPUS][TSS_SIZE];

void gdt_set(unsigned selector, uint64_t descriptor)
{
	gdt[selector / 8] = descriptor;
}

uint64_t tss_descriptor(uintptr_t base)
{
	return (TSS_SIZE - 1) | ((uint64_t)base & 0xFFFFFF) << 16 | AVAILABLE_TSS << 40 |
	       (uint64_t)(base >> 24 & 0xFF) << 56;
}

void cpu_init(unsigned number)
{
	const unsigned selector = SEL_TSS + 16 * number;

	gdt_set(selector, tss_descriptor((uintptr_t)tss[number]));
	__asm__ volatile("ltr %w0" : : "r"(selector) : "memory");
	irq_load();
}

unsigned this_cpu(void)
{
	unsigned tr;

	__asm__ volatile("str %0" : "=r"(tr));
	return (tr - SEL_TSS) / 16;
}
