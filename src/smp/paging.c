/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own address space: all physical memory, identity-mapped.
 * Only the image's text can be executed, and text and constants cannot be
 * written, so that a bug shows as a fault and not as changed code.
 */
#include "boot_info.h"
#include "pool.h"
#include "smp.h"
#include "x86.h"

#define PTE_P BIT(0)
#define PTE_W BIT(1)
#define PTE_PS BIT(7)
#define PTE_NX BIT(63)
#define ENTRIES 512
#define CPUID_81_EDX_NX BIT(20)
#define CPUID_81_EDX_1G BIT(26)
#define MAX_MAPPED GIB(4096)

static uint64_t *root;

static uint64_t *new_table(void)
{
	return pool_alloc(PAGE_SIZE, PAGE_SIZE);
}

static uint64_t *next_table(uint64_t *entry)
{
	uint64_t *t;

	if (*entry & PTE_P)
		return (uint64_t *)(uintptr_t)(*entry & ~(PTE_NX | (PAGE_SIZE - 1)));
	t = new_table();
	if (t)
		*entry = (uintptr_t)t | PTE_P | PTE_W;
	return t;
}

/* The image lies in the first 2 MiB, so only those need small pages. */
static uint64_t image_page_flags(uint64_t page, uint64_t nx)
{
	if (page >= (uintptr_t)image_start && page < (uintptr_t)image_text_end)
		return PTE_P;
	if (page >= (uintptr_t)image_start && page < (uintptr_t)image_rodata_end)
		return PTE_P | nx;
	return PTE_P | PTE_W | nx;
}

static bool map_small(uint64_t *pd_entry, uint64_t base, uint64_t nx)
{
	uint64_t *pt = next_table(pd_entry);

	if (!pt)
		return false;
	for (unsigned i = 0; i < ENTRIES; i++) {
		const uint64_t page = base + i * PAGE_SIZE;

		/* The start-up page of the other CPUs lies below the image and is executed. */
		pt[i] = page | (page < (uintptr_t)image_start ? PTE_P | PTE_W
							       : image_page_flags(page, nx));
	}
	pt[0] = 0; /* a NULL dereference faults */
	return true;
}

static bool map_gib(uint64_t *pdpt, uint64_t base, uint64_t nx, bool huge)
{
	uint64_t *pd;

	if (huge && base != 0) {
		pdpt[base / PAGE_1G % ENTRIES] = base | PTE_P | PTE_W | PTE_PS | nx;
		return true;
	}
	pd = next_table(&pdpt[base / PAGE_1G % ENTRIES]);
	if (!pd)
		return false;
	for (unsigned i = 0; i < ENTRIES; i++) {
		const uint64_t page = base + i * PAGE_2M;

		if (page < (uintptr_t)image_end) {
			if (!map_small(&pd[i], page, nx))
				return false;
		} else {
			pd[i] = page | PTE_P | PTE_W | PTE_PS | nx;
		}
	}
	return true;
}

bool map_all_memory(uint64_t top)
{
	const uint32_t edx = cpuid(0x80000001, 0).edx;
	const uint64_t nx = edx & CPUID_81_EDX_NX ? PTE_NX : 0;

	if (top > MAX_MAPPED)
		top = MAX_MAPPED;
	if (top < GIB(4))
		top = GIB(4);
	root = new_table();
	if (!root)
		return false;
	for (uint64_t base = 0; base < top; base += PAGE_1G) {
		uint64_t *pdpt = next_table(&root[base >> 39]);

		if (!pdpt || !map_gib(pdpt, base, nx, edx & CPUID_81_EDX_1G))
			return false;
	}
	if (nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | BIT(11));
	write_cr3((uintptr_t)root);
	return true;
}

uint64_t map_root(void)
{
	return (uintptr_t)root;
}
