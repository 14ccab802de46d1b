/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own address space: all RAM and the devices below 4 GiB,
 * identity-mapped.  Only the image's text (and, while other CPUs start, the
 * page that they start in) can be executed; text and constants cannot be
 * written, so that a bug shows as a fault and not as changed code.
 *
 * Above 4 GiB only RAM is mapped, and large pages never span different kinds
 * of memory: what lies in the holes of a machine may not even be touched by
 * speculation (SDM vol. 3, 12.11.9).
 */
#include "boot_info.h"
#include "pool.h"
#include "smp_internal.h"
#include "x86.h"

#define PTE_P BIT(0)
#define PTE_W BIT(1)
#define PTE_PWT BIT(3)
#define PTE_PCD BIT(4)
#define PTE_PS BIT(7)
#define PTE_NX BIT(63)
#define ENTRIES 512
#define CPUID_81_EDX_NX BIT(20)
#define CPUID_81_EDX_1G BIT(26)

/* I/O APIC, HPET, local APIC: uncached, whatever the MTRRs say. */
#define DEVICES_BASE 0xFEC00000ULL
#define DEVICES_END 0xFF000000ULL
#define LOW_PAGE_MIN 0x1000ULL
#define LOW_PAGE_MAX 0x9F000ULL

static uint64_t *root;
static uint64_t nx; /* PTE_NX, or 0 where the CPU has none */
static uint64_t startup_page;

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

static uint64_t small_page_flags(uint64_t page)
{
	if (page >= (uintptr_t)image_start && page < (uintptr_t)image_text_end)
		return PTE_P;
	if (page >= (uintptr_t)image_start && page < (uintptr_t)image_rodata_end)
		return PTE_P | nx;
	return PTE_P | PTE_W | (page == startup_page ? 0 : nx);
}

static bool map_small(uint64_t *pd_entry, uint64_t base)
{
	uint64_t *pt = next_table(pd_entry);

	if (!pt)
		return false;
	for (unsigned i = 0; i < ENTRIES; i++)
		pt[i] = (base + i * PAGE_SIZE) | small_page_flags(base + i * PAGE_SIZE);
	if (base == 0)
		pt[0] = 0; /* a NULL dereference faults */
	return true;
}

/* One 2 MiB page; in small ones where the image and the first MiB are. */
static bool map_large(uint64_t *pd, uint64_t page)
{
	uint64_t *entry = &pd[page / PAGE_2M % ENTRIES];
	const bool device = page >= DEVICES_BASE && page < DEVICES_END;

	if (page < (uintptr_t)image_end)
		return map_small(entry, page);
	*entry = page | PTE_P | PTE_W | PTE_PS | nx | (device ? PTE_PCD | PTE_PWT : 0);
	return true;
}

/* Maps from `base` on, at most to `end` (both 2 MiB aligned): the bytes mapped, 0 on failure. */
static uint64_t map_some(uint64_t base, uint64_t end, bool huge)
{
	uint64_t *pdpt = next_table(&root[base >> 39]);
	uint64_t *entry, *pd;

	if (!pdpt)
		return 0;
	entry = &pdpt[base / PAGE_1G % ENTRIES];
	if (huge && base >= GIB(4) && base % PAGE_1G == 0 && end - base >= PAGE_1G) {
		*entry = base | PTE_P | PTE_W | PTE_PS | nx;
		return PAGE_1G;
	}
	pd = next_table(entry);
	return pd && map_large(pd, base) ? PAGE_2M : 0;
}

static bool map_range(uint64_t base, uint64_t end, bool huge)
{
	while (base < end) {
		const uint64_t done = map_some(base, end, huge);

		if (!done)
			return false;
		base += done;
	}
	return true;
}

static bool is_free_low_page(uint64_t page)
{
	bool ram = false;

	for (unsigned i = 0; i < boot_info.n_ram; i++)
		ram |= page >= boot_info.ram[i].base &&
		       page + PAGE_SIZE <= boot_info.ram[i].base + boot_info.ram[i].size;
	for (unsigned i = 0; i < boot_info.n_modules; i++)
		ram &= page >= boot_info.modules[i].base + boot_info.modules[i].size ||
		       page + PAGE_SIZE <= boot_info.modules[i].base;
	return ram;
}

static uint64_t find_startup_page(void)
{
	for (uint64_t page = LOW_PAGE_MAX - PAGE_SIZE; page >= LOW_PAGE_MIN; page -= PAGE_SIZE)
		if (is_free_low_page(page))
			return page;
	return 0;
}

uint64_t map_startup_page(void)
{
	return startup_page;
}

bool map_all_memory(void)
{
	const uint32_t edx = cpuid(0x80000001, 0).edx;

	nx = edx & CPUID_81_EDX_NX ? PTE_NX : 0;
	startup_page = find_startup_page();
	root = new_table();
	if (!root || !map_range(0, GIB(4), false))
		return false;
	for (unsigned i = 0; i < boot_info.n_ram; i++) {
		const struct boot_region *r = &boot_info.ram[i];
		/* Whole 2 MiB pages: guests and the hypervisor use no others up there. */
		const uint64_t base = max_u64(align_up(r->base, PAGE_2M), GIB(4));
		const uint64_t end = min_u64(align_down(r->base + r->size, PAGE_2M), MAP_LIMIT);

		if (base < end && !map_range(base, end, edx & CPUID_81_EDX_1G))
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
