/* SPDX-License-Identifier: BSD-2-Clause */
#include "entry_state.h"

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
#define CODE32_ATTR                                                                                \
	(TYPE_CODE_READ_ACCESSED | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_DB | SEG_ATTR_G)
#define DATA_ATTR                                                                                  \
	(TYPE_DATA_WRITE_ACCESSED | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_DB | SEG_ATTR_G)
#define FLAT_LIMIT 0xFFFFFFFFU

#define GDT_ENTRIES (ENTRY_DS / 8 + 1)
#define TSS_LIMIT 0x67

/* Real mode: a segment's base is 16 times its selector (Intel SDM vol. 3, 21.1.1). */
#define REAL_SEGMENT_SHIFT 4
#define REAL_IP_MASK 0xFFFFULL

static uint64_t code_attr(enum guest_mode mode)
{
	return mode == MODE_LONG64 ? CODE64_ATTR : CODE32_ATTR;
}

/* A flat descriptor (base 0, limit 4 GiB) with these attributes; Intel SDM vol. 3, 3.4.5. */
static uint64_t flat_descriptor(uint64_t attr)
{
	const uint64_t access = attr & 0xFF, flags = attr >> 8 & 0xF;

	return 0xFFFFULL | access << 40 | 0xFULL << 48 | flags << 52;
}

static void write_gdt(enum guest_mode mode, const struct guest_memory *mem)
{
	uint64_t gdt[GDT_ENTRIES] = { 0 };

	gdt[ENTRY_CS / 8] = flat_descriptor(code_attr(mode));
	gdt[ENTRY_DS / 8] = flat_descriptor(DATA_ATTR);
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

_Static_assert(LAYOUT_PAGE_TABLES + LAYOUT_PAGE_TABLES_SIZE <= ENTRY_MIN_RAM, "RAM needed");

uint64_t entry_tables_end(enum guest_mode mode)
{
	switch (mode) {
	case MODE_REAL16: return 0;
	case MODE_PROTECTED32: return LAYOUT_GDT + LAYOUT_GDT_SIZE;
	case MODE_LONG64:
	default: return LAYOUT_PAGE_TABLES + LAYOUT_PAGE_TABLES_SIZE;
	}
}

void entry_tables(enum guest_mode mode, const struct guest_memory *mem)
{
	if (mode != MODE_REAL16)
		write_gdt(mode, mem);
	if (mode == MODE_LONG64)
		write_page_tables(mem);
}

/* As a BIOS leaves it: caches on, all segments but CS at 0. */
static void real_state(uint64_t entry, struct vcpu_regs *regs, struct vcpu_sysregs *sys)
{
	const uint64_t base = entry & ~REAL_IP_MASK;

	vcpu_reset_state(regs, sys);
	sys->cr0 = CR0_ET;
	sys->seg[SEG_CS].base = base;
	sys->seg[SEG_CS].selector = (uint16_t)(base >> REAL_SEGMENT_SHIFT);
	regs->rip = entry & REAL_IP_MASK;
}

static void load_flat_segments(enum guest_mode mode, struct vcpu_sysregs *sys)
{
	static const struct segment_reg data = {
		.limit = FLAT_LIMIT, .selector = ENTRY_DS, .attr = DATA_ATTR,
	};

	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		sys->seg[i] = data;
	sys->seg[SEG_CS].selector = ENTRY_CS;
	sys->seg[SEG_CS].attr = (uint16_t)code_attr(mode);
	sys->seg[SEG_LDTR].base = 0;
	sys->seg[SEG_LDTR].attr = SEG_ATTR_UNUSABLE;
	/* VM entry to 64-bit mode wants a busy TSS (Intel SDM vol. 3, 27.3.1.2). */
	sys->seg[SEG_TR].limit = TSS_LIMIT;
	sys->seg[SEG_TR].attr = TYPE_TSS_BUSY | SEG_ATTR_P;
}

void entry_state(enum guest_mode mode, uint64_t entry, struct vcpu_regs *regs,
		 struct vcpu_sysregs *sys)
{
	if (mode == MODE_REAL16) {
		real_state(entry, regs, sys);
		return;
	}
	vcpu_reset_state(regs, sys);
	regs->rip = entry;
	sys->cr0 = CR0_NE | CR0_ET | CR0_PE;
	sys->gdtr.base = LAYOUT_GDT;
	sys->gdtr.limit = GDT_ENTRIES * 8 - 1;
	sys->idtr.limit = 0;
	load_flat_segments(mode, sys);
	if (mode == MODE_LONG64) {
		sys->cr0 |= CR0_PG;
		sys->cr3 = LAYOUT_PAGE_TABLES;
		sys->cr4 = CR4_PAE;
		sys->efer = EFER_LME | EFER_LMA;
	}
}
