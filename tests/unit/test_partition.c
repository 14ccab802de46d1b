/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets which memory, and the check of the final tables: no page has two owners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot_info.h"
#include "core/partition.h"
#include "core/vm.h"
#include "pool.h"

/* The linker script's symbols: an image of three pages, the last one not full. */
__asm__(".pushsection .bss\n"
	".balign 4096\n"
	".globl image_start, image_end\n"
	"image_start: .skip 10000\n"
	"image_end:\n"
	".popsection");

#define IMAGE ((uintptr_t)image_start)

struct vm vms[CFG_MAX_VMS];
unsigned n_vms;

static uint8_t pool_memory[KIB(256)] ALIGNED(4096);

static void add_ram(uint64_t base, uint64_t size)
{
	boot_info.ram[boot_info.n_ram++] = (struct boot_region){ base, size };
}

static void add_module(uint64_t base, uint64_t size)
{
	boot_info.modules[boot_info.n_modules].base = base;
	boot_info.modules[boot_info.n_modules++].size = size;
}

static void *table_page(void)
{
	return pool_alloc(PAGE_SIZE, PAGE_SIZE);
}

static int setup(void **state)
{
	(void)state;
	memset(&boot_info, 0, sizeof(boot_info));
	memset(vms, 0, sizeof(vms));
	n_vms = 0;
	pool_init((uintptr_t)pool_memory, sizeof(pool_memory));
	return 0;
}

static void test_first_mib_is_never_free(void **state)
{
	(void)state;
	add_ram(0, KIB(640));
	add_ram(MIB(1), MIB(15));
	partition_init();
	assert_int_equal(partition_free(), MIB(15));
	assert_int_equal(partition_top(), MIB(16));
	assert_int_equal(partition_take(PAGE_SIZE, PAGE_SIZE, ~0ULL), MIB(1));
}

static void test_image_and_modules_are_not_free(void **state)
{
	(void)state;
	add_ram(IMAGE - PAGE_SIZE, 5 * PAGE_SIZE);
	partition_init();
	assert_int_equal(partition_free(), 2 * PAGE_SIZE); /* one before, one behind three */
	boot_info.n_ram = 0;
	add_ram(MIB(1), MIB(8));
	add_module(MIB(2) + 100, 1); /* one byte takes its page */
	add_module(MIB(4) - 1, 2);   /* two bytes, two pages */
	add_module(MIB(5), 0);
	partition_init();
	assert_int_equal(partition_free(), MIB(8) - 3 * PAGE_SIZE);
	assert_int_equal(partition_take(MIB(1) + PAGE_SIZE, PAGE_SIZE, ~0ULL), MIB(2) + PAGE_SIZE);
}

static void test_parts_of_pages_are_not_free(void **state)
{
	(void)state;
	add_ram(MIB(1) + 1, PAGE_SIZE);
	add_ram(MIB(2) + 1, 2 * PAGE_SIZE);
	partition_init();
	assert_int_equal(partition_free(), PAGE_SIZE);
	assert_int_equal(partition_take(PAGE_SIZE, PAGE_SIZE, ~0ULL), MIB(2) + PAGE_SIZE);
}

static void test_take(void **state)
{
	(void)state;
	add_ram(MIB(3), MIB(16));
	partition_init();
	assert_int_equal(partition_take(MIB(2), MIB(4), ~0ULL), MIB(4));
	assert_int_equal(partition_free(), MIB(14));
	assert_int_equal(partition_take(MIB(2), MIB(2), MIB(8)), MIB(6));
	assert_int_equal(partition_take(MIB(2), MIB(2), MIB(8)), 0); /* all below 8 MiB is gone */
	assert_int_equal(partition_take(MIB(11), MIB(1), ~0ULL), MIB(8));
	assert_int_equal(partition_take(MIB(1), MIB(1), ~0ULL), MIB(3));
	assert_int_equal(partition_free(), 0);
	assert_int_equal(partition_take(PAGE_SIZE, PAGE_SIZE, ~0ULL), 0);
}

static void test_limit(void **state)
{
	(void)state;
	add_ram(GIB(5), GIB(1));
	add_ram(GIB(3), MIB(512));
	partition_init();
	assert_true(partition_take(MIB(1), PAGE_SIZE, GIB(4)) == GIB(3));
	assert_true(partition_take(MIB(512), PAGE_SIZE, GIB(4)) == 0);
	assert_true(partition_take(GIB(1), GIB(1), ~0ULL) == GIB(5));
}

/* Firmware that names memory twice does not make anyone get it twice. */
static void test_overlapping_regions(void **state)
{
	uint64_t taken[8];
	unsigned n = 0;

	(void)state;
	add_ram(MIB(2), MIB(4));
	add_ram(MIB(4), MIB(4));
	partition_init();
	while (n < ARRAY_SIZE(taken)) {
		taken[n] = partition_take(MIB(2), MIB(2), ~0ULL);
		if (!taken[n])
			break;
		for (unsigned i = 0; i < n; i++)
			assert_true(taken[i] != taken[n]);
		n++;
	}
	assert_int_equal(n, 3);
}

/* ---- the check ------------------------------------------------------------------ */

/* Two guests of 4 MiB at 64 and 68 MiB. */
static int setup_guests(void **state)
{
	setup(state);
	add_ram(0, MIB(128));
	add_module(MIB(80), MIB(1));
	n_vms = 2;
	for (unsigned i = 0; i < 2; i++) {
		vms[i].memory.host = (uint8_t *)(MIB(64) + i * MIB(4));
		vms[i].memory.size = MIB(4);
		assert_true(s2_init(&vms[i].s2, &s2_npt_1g, table_page));
		assert_true(s2_map(&vms[i].s2, 0, MIB(64) + i * MIB(4), i ? PAGE_2M : MIB(4)));
	}
	return 0;
}

/* The second guest's second half at `hpa`. */
static const char *check_with(uint64_t hpa)
{
	assert_true(s2_map(&vms[1].s2, PAGE_2M, hpa, PAGE_2M));
	return partition_check();
}

static void test_check_accepts_what_is_right(void **state)
{
	(void)state;
	assert_null(check_with(MIB(70)));
}

static void expect_wrong(const char *message, const char *what)
{
	assert_non_null(message);
	assert_non_null(strstr(message, what));
}

static void test_check_finds_another_guest(void **state)
{
	(void)state;
	expect_wrong(check_with(MIB(66)), "another guest");
}

static void test_check_finds_modules(void **state)
{
	(void)state;
	expect_wrong(check_with(MIB(80)), "module");
}

static void test_check_finds_the_hypervisor(void **state)
{
	(void)state;
	expect_wrong(check_with(align_down(IMAGE, PAGE_2M)), "hypervisor");
}

static void test_check_finds_the_pool(void **state)
{
	(void)state;
	expect_wrong(check_with(align_down((uintptr_t)pool_memory, PAGE_2M)), "hypervisor");
}

static void test_check_finds_low_memory(void **state)
{
	(void)state;
	expect_wrong(check_with(0), "hypervisor");
}

static void test_check_finds_what_is_nobodys(void **state)
{
	(void)state;
	expect_wrong(check_with(MIB(72)), "not its own");
}

static void test_check_finds_holes(void **state)
{
	(void)state;
	boot_info.n_ram = 0;
	add_ram(0, MIB(71));
	expect_wrong(check_with(MIB(70)), "not RAM");
}

static void test_check_finds_missing_memory(void **state)
{
	(void)state;
	expect_wrong(partition_check(), "all of its memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_mib_is_never_free, setup),
		cmocka_unit_test_setup(test_image_and_modules_are_not_free, setup),
		cmocka_unit_test_setup(test_parts_of_pages_are_not_free, setup),
		cmocka_unit_test_setup(test_take, setup),
		cmocka_unit_test_setup(test_limit, setup),
		cmocka_unit_test_setup(test_overlapping_regions, setup),
		cmocka_unit_test_setup(test_check_accepts_what_is_right, setup_guests),
		cmocka_unit_test_setup(test_check_finds_another_guest, setup_guests),
		cmocka_unit_test_setup(test_check_finds_modules, setup_guests),
		cmocka_unit_test_setup(test_check_finds_the_hypervisor, setup_guests),
		cmocka_unit_test_setup(test_check_finds_the_pool, setup_guests),
		cmocka_unit_test_setup(test_check_finds_low_memory, setup_guests),
		cmocka_unit_test_setup(test_check_finds_what_is_nobodys, setup_guests),
		cmocka_unit_test_setup(test_check_finds_holes, setup_guests),
		cmocka_unit_test_setup(test_check_finds_missing_memory, setup_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
