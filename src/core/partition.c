/* SPDX-License-Identifier: BSD-2-Clause */
#include "partition.h"

#include "boot_info.h"
#include "pool.h"
#include "vm.h"

#define MAX_FREE (BOOT_MAX_REGIONS + BOOT_MAX_MODULES + 2 * CFG_MAX_VMS + 8)

/* The BIOS data area, the start-up code of other CPUs, firmware's tables. */
#define LOW_MEMORY MIB(1)

static struct boot_region free_list[MAX_FREE];
static unsigned n_free;

static void add_free(uint64_t base, uint64_t end)
{
	if (base < end && n_free < MAX_FREE)
		free_list[n_free++] = (struct boot_region){ base, end - base };
}

/* Takes [base, end) out of every free piece. */
static void reserve(uint64_t base, uint64_t end)
{
	const unsigned n = n_free;

	for (unsigned i = 0; i < n; i++) {
		struct boot_region *r = &free_list[i];
		const uint64_t r_end = r->base + r->size;

		if (base >= r_end || end <= r->base)
			continue;
		add_free(end, r_end);
		r->size = base > r->base ? base - r->base : 0;
	}
}

void partition_init(void)
{
	n_free = 0;
	for (unsigned i = 0; i < boot_info.n_ram; i++)
		add_free(align_up(boot_info.ram[i].base, PAGE_SIZE),
			 align_down(boot_info.ram[i].base + boot_info.ram[i].size, PAGE_SIZE));
	reserve(0, LOW_MEMORY);
	reserve((uintptr_t)image_start, align_up((uintptr_t)image_end, PAGE_SIZE));
	for (unsigned i = 0; i < boot_info.n_modules; i++)
		reserve(align_down(boot_info.modules[i].base, PAGE_SIZE),
			align_up(boot_info.modules[i].base + boot_info.modules[i].size, PAGE_SIZE));
}

uint64_t partition_free(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n_free; i++)
		sum += free_list[i].size;
	return sum;
}

uint64_t partition_top(void)
{
	uint64_t top = 0;

	for (unsigned i = 0; i < boot_info.n_ram; i++)
		top = max_u64(top, boot_info.ram[i].base + boot_info.ram[i].size);
	return top;
}

uint64_t partition_take(uint64_t size, uint64_t align, uint64_t limit)
{
	for (unsigned i = 0; i < n_free; i++) {
		const uint64_t base = align_up(free_list[i].base, align);
		const uint64_t end = min_u64(free_list[i].base + free_list[i].size, limit);

		if (base >= end || end - base < size)
			continue;
		reserve(base, base + size);
		return base;
	}
	return 0;
}

/* ---- the check -------------------------------------------------------------------- */

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool is_ram(uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < boot_info.n_ram; i++)
		if (base >= boot_info.ram[i].base &&
		    base + size <= boot_info.ram[i].base + boot_info.ram[i].size)
			return true;
	return false;
}

struct check {
	const struct vm *vm;
	const char *wrong;
	uint64_t mapped;
};

static const char *check_page(const struct vm *vm, uint64_t hpa, uint64_t size)
{
	const uint64_t image = (uintptr_t)image_start;

	if (hpa < LOW_MEMORY || overlap(hpa, size, image, (uintptr_t)image_end - image) ||
	    overlap(hpa, size, pool_base(), pool_size()))
		return "a guest's tables reach the hypervisor's memory";
	for (unsigned i = 0; i < boot_info.n_modules; i++)
		if (overlap(hpa, size, boot_info.modules[i].base, boot_info.modules[i].size))
			return "a guest's tables reach a boot module";
	for (unsigned i = 0; i < n_vms; i++)
		if (&vms[i] != vm && overlap(hpa, size, (uintptr_t)vms[i].memory.host,
					     vms[i].memory.size))
			return "a guest's tables reach another guest's memory";
	if (hpa < (uintptr_t)vm->memory.host ||
	    hpa + size > (uintptr_t)vm->memory.host + vm->memory.size)
		return "a guest's tables reach memory that is not its own";
	return is_ram(hpa, size) ? NULL : "a guest's tables reach what is not RAM";
}

static bool visit(void *ctx, uint64_t gpa, uint64_t hpa, uint64_t size)
{
	struct check *c = ctx;

	(void)gpa;
	c->wrong = check_page(c->vm, hpa, size);
	c->mapped += size;
	return c->wrong == NULL;
}

const char *partition_check(void)
{
	for (unsigned i = 0; i < n_vms; i++) {
		struct check c = { .vm = &vms[i] };

		s2_walk(&vms[i].s2, visit, &c);
		if (c.wrong)
			return c.wrong;
		if (c.mapped != vms[i].memory.size)
			return "a guest's tables do not map all of its memory, once";
	}
	return NULL;
}
