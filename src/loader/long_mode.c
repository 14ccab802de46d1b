/* SPDX-License-Identifier: BSD-2-Clause */
#include "long_mode.h"

#include "kstring.h"
#include "layout.h"

/* Page-table entries, Intel SDM vol. 3, 4.5.4. */
#define PTE_PRESENT BIT(0)
#define PTE_WRITE BIT(1)
#define PDE_LARGE BIT(7)
#define TABLE_ENTRIES 512

/* Access bytes and flags as in struct segment_reg; types of Intel SDM vol. 3, 3.4.5.1 and 3.5. */
#define TYPE_CODE_READ_ACCESSED 0xB
#define TYPE_DATA_WRITE_ACCESSED 0x3
#define TYPE_TSS_BUSY 0xB
#define CODE64_ATTR                                                                                \
	(TYPE_CODE_READ_ACCESSED | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_L | SEG_ATTR_G)
#define DATA_ATTR                                                                                  \
	(TYPE_DATA_WRITE_ACCESSED | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_DB | SEG_ATTR_G)
#define FLAT_LIMIT 0xFFFFFFFFU

#define GDT_ENTRIES (LONG_MODE_DS / 8 + 1)
#define TSS64_LIMIT 0x67

#define DR6_RESET 0xFFFF0FF0ULL /* Intel SDM vol. 3, table 9-1 */
#define DR7_RESET 0x400ULL

/* A flat descriptor (base 0, limit 4 GiB) with these attributes; Intel SDM vol. 3, 3.4.5. */
static uint64_t flat_descriptor(uint64_t attr)
{
	const uint64_t access = attr & 0xFF, flags = attr >> 8 & 0xF;

	return 0xFFFFULL | access << 40 | 0xFULL << 48 | flags << 52;
}

static void write_gdt(const struct guest_memory *mem)
{
	uint64_t gdt[GDT_ENTRIES] = { 0 };

	gdt[LONG_MODE_CS / 8] = flat_descriptor(CODE64_ATTR);
	gdt[LONG_MODE_DS / 8] = flat_descriptor(DATA_ATTR);
	memcpy(mem->host + LAYOUT_GDT, gdt, sizeof(gdt));
}

static void write_entry(const struct guest_memory *mem, uint64_t table, uint64_t index,
			uint64_t entry)
{
	memcpy(mem->host + table + index * sizeof(entry), &entry, sizeof(entry));
}

static void write_page_tables(const struct guest_memory *mem)
{
	const uint64_t pml4 = LAYOUT_PAGE_TABLES;
	const uint64_t pdpt = pml4 + PAGE_SIZE;
	const uint64_t directories = pdpt + PAGE_SIZE;

	write_entry(mem, pml4, 0, pdpt | PTE_PRESENT | PTE_WRITE);
	for (uint64_t i = 0; i < LAYOUT_MAPPED_GIB; i++)
		write_entry(mem, pdpt, i,
			    (directories + i * PAGE_SIZE) | PTE_PRESENT | PTE_WRITE);
	/* The directories follow each other: one table of large pages. */
	for (uint64_t i = 0; i < LAYOUT_MAPPED_GIB * TABLE_ENTRIES; i++)
		write_entry(mem, directories, i,
			    i * PAGE_2M | PTE_PRESENT | PTE_WRITE | PDE_LARGE);
}

_Static_assert(LAYOUT_PAGE_TABLES + LAYOUT_PAGE_TABLES_SIZE <= LONG_MODE_MIN_RAM, "RAM needed");

void long_mode_tables(const struct guest_memory *mem)
{
	write_gdt(mem);
	write_page_tables(mem);
}

static void load_segments(struct vcpu_sysregs *sys)
{
	static const struct segment_reg data = {
		.limit = FLAT_LIMIT, .selector = LONG_MODE_DS, .attr = DATA_ATTR,
	};

	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		sys->seg[i] = data;
	sys->seg[SEG_CS].selector = LONG_MODE_CS;
	sys->seg[SEG_CS].attr = CODE64_ATTR;
	sys->seg[SEG_LDTR].attr = SEG_ATTR_UNUSABLE;
	/* VM entry to 64-bit mode wants a busy TSS (Intel SDM vol. 3, 27.3.1.2). */
	sys->seg[SEG_TR].limit = TSS64_LIMIT;
	sys->seg[SEG_TR].attr = TYPE_TSS_BUSY | SEG_ATTR_P;
}

void long_mode_state(uint64_t rip, struct vcpu_regs *regs, struct vcpu_sysregs *sys)
{
	memset(regs, 0, sizeof(*regs));
	regs->rip = rip;
	regs->rflags = RFLAGS_RESERVED1;

	memset(sys, 0, sizeof(*sys));
	sys->cr0 = CR0_PG | CR0_NE | CR0_ET | CR0_PE;
	sys->cr3 = LAYOUT_PAGE_TABLES;
	sys->cr4 = CR4_PAE;
	sys->efer = EFER_LME | EFER_LMA;
	sys->dr6 = DR6_RESET;
	sys->dr7 = DR7_RESET;
	sys->gdtr.base = LAYOUT_GDT;
	sys->gdtr.limit = GDT_ENTRIES * 8 - 1;
	load_segments(sys);
}
