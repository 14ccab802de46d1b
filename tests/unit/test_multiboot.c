/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 1 information, built by hand in low memory with nothing
 * readable behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/multiboot.h"
#include "boot_info.h"
#include "low_memory.h"

#define MB1 0x2BADB002u
#define RAM 1u
#define RESERVED 2u

/* What is being written: little-endian fields one after the other. */
static struct {
	uint8_t bytes[8192];
	size_t len;
} blob;

static void put(uint64_t value, unsigned size)
{
	memcpy(blob.bytes + blob.len, &value, size);
	blob.len += size;
}

static uint32_t finish(size_t align)
{
	const uint32_t at = low_memory_copy(blob.bytes, blob.len, align);

	blob.len = 0;
	return at;
}

static uint32_t text(const char *t)
{
	return low_memory_copy(t, strlen(t) + 1, 1);
}

static int setup(void **state)
{
	(void)state;
	memset(&boot_info, 0, sizeof(boot_info));
	blob.len = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	low_memory_free();
	return 0;
}

static void check_ram(unsigned i, uint64_t base, uint64_t size)
{
	assert_true(boot_info.ram[i].base == base);
	assert_true(boot_info.ram[i].size == size);
}

/* ---- Multiboot 1 ------------------------------------------------------------------ */

static uint32_t mb1_map_at;
static uint32_t mb1_map_len;

static void mb1_entry(uint32_t size, uint64_t base, uint64_t length, uint32_t type)
{
	put(size, 4);
	put(base, 8);
	put(length, 8);
	put(type, 4);
	if (size > 20 && size < 64)
		blob.len += size - 20;
}

static void mb1_end_map(void)
{
	mb1_map_len = (uint32_t)blob.len;
	mb1_map_at = finish(1);
}

static const char *parse_mb1(uint32_t flags, uint32_t cmdline, uint32_t n_mods, uint32_t mods)
{
	put(flags, 4);
	put(0, 8); /* lower, upper */
	put(0, 4); /* boot device */
	put(cmdline, 4);
	put(n_mods, 4);
	put(mods, 4);
	put(0, 8);
	put(0, 8); /* symbols */
	put(mb1_map_len, 4);
	put(mb1_map_at, 4);
	return multiboot_parse(MB1, finish(4));
}

static void test_mb1(void **state)
{
	uint32_t mods;

	(void)state;
	mb1_entry(20, 0, 0x9FC00, RAM);
	mb1_entry(20, 0x9FC00, 0x400, RESERVED);
	mb1_entry(24, 0x100000, 0x3FF00000, RAM); /* a longer entry */
	mb1_entry(20, GIB(4), GIB(1), RAM);
	mb1_end_map();
	put(0x200000, 4);
	put(0x200123, 4);
	put(text("boot/two-linux.conf"), 4);
	put(0, 4);
	put(0x300000, 4);
	put(0x300000, 4);
	put(0, 4);
	put(0, 4);
	mods = finish(4);
	assert_null(parse_mb1(0x4C, text("bulkhead config=x log=debug"), 2, mods));
	assert_string_equal(boot_info.loader, "Multiboot 1");
	assert_string_equal(boot_info.cmdline, "bulkhead config=x log=debug");
	assert_int_equal(boot_info.n_ram, 3);
	check_ram(0, 0, 0x9FC00);
	check_ram(1, 0x100000, 0x3FF00000);
	check_ram(2, GIB(4), GIB(1));
	assert_int_equal(boot_info.n_modules, 2);
	assert_string_equal(boot_info.modules[0].name, "two-linux.conf");
	assert_int_equal(boot_info.modules[0].size, 0x123);
	assert_string_equal(boot_info.modules[1].name, "");
	assert_ptr_equal(boot_find_module("two-linux.conf"), &boot_info.modules[0]);
	assert_null(boot_find_module("two-linux"));
}

static void test_mb1_without_map(void **state)
{
	(void)state;
	assert_non_null(parse_mb1(0x0C, text(""), 0, 0));
	mb1_entry(20, 0, GIB(1), RESERVED);
	mb1_end_map();
	assert_non_null(parse_mb1(0x40, 0, 0, 0));
}

/* Lengths that lead out of the map, or nowhere. */
static void test_mb1_broken_map(void **state)
{
	(void)state;
	mb1_entry(20, MIB(1), MIB(1), RAM);
	mb1_entry(0xFFFFFFFC, MIB(4), MIB(1), RAM); /* 4 more would be 0 */
	mb1_entry(20, MIB(8), MIB(1), RAM);
	mb1_end_map();
	assert_null(parse_mb1(0x40, 0, 0, 0));
	assert_int_equal(boot_info.n_ram, 2);
}

static const char *broken_module(uint32_t n)
{
	mb1_entry(20, MIB(1), MIB(1), RAM);
	mb1_end_map();
	for (uint32_t i = 0; i < n; i++) {
		put(0x300000, 4);
		put(n > 1 ? 0x300001 : 0x2FFFFF, 4);
		put(0, 8);
	}
	return parse_mb1(0x48, 0, n, finish(4));
}

static void test_mb1_broken_modules(void **state)
{
	(void)state;
	assert_non_null(broken_module(1));
	setup(state);
	assert_null(broken_module(BOOT_MAX_MODULES));
	setup(state);
	assert_non_null(broken_module(BOOT_MAX_MODULES + 1));
	assert_int_equal(boot_info.n_modules, BOOT_MAX_MODULES);
}

static void test_module_names(void **state)
{
	static const struct {
		const char *string, *name;
	} rows[] = {
		{ "vmlinuz", "vmlinuz" },
		{ "/boot/a b/c", "a" },
		{ "  dir/sub/vmlinuz console=/dev/ttyS0", "vmlinuz" },
		{ "dir/", "" },
		{ "", "" },
	};
	char longest[2 * BOOT_STRING];
	uint32_t mods;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	mb1_entry(20, MIB(1), MIB(1), RAM);
	mb1_end_map();
	for (unsigned i = 0; i <= ARRAY_SIZE(rows); i++) {
		put(0, 8);
		put(text(i < ARRAY_SIZE(rows) ? rows[i].string : longest), 4);
		put(0, 4);
	}
	mods = finish(4);
	assert_null(parse_mb1(0x4C, text(longest), ARRAY_SIZE(rows) + 1, mods));
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(boot_info.modules[i].name, rows[i].name);
	assert_int_equal(strlen(boot_info.modules[ARRAY_SIZE(rows)].name), BOOT_STRING - 1);
	assert_int_equal(strlen(boot_info.cmdline), BOOT_STRING - 1);
}

/* ---- the memory map ----------------------------------------------------------------- */

/* What firmware says is not RAM is not, in whatever order it says so. */
static void test_overlapping_entries(void **state)
{
	(void)state;
	mb1_entry(20, MIB(4), MIB(1), RESERVED);
	mb1_entry(20, 0, MIB(16), RAM);
	mb1_entry(20, MIB(15), MIB(4), RESERVED);
	mb1_entry(20, MIB(8), PAGE_SIZE, 5);
	mb1_end_map();
	assert_null(parse_mb1(0x40, 0, 0, 0));
	assert_int_equal(boot_info.n_ram, 3);
	check_ram(0, 0, MIB(4));
	check_ram(1, MIB(5), MIB(3));
	check_ram(2, MIB(8) + PAGE_SIZE, MIB(7) - PAGE_SIZE);
}

static void test_absurd_entries(void **state)
{
	(void)state;
	mb1_entry(20, MIB(1), MIB(1), RAM);
	mb1_entry(20, ~0ULL - 4095, 4096, RAM);
	mb1_entry(20, BIT(52), MIB(1), RAM);
	mb1_entry(20, MIB(8), 0, RAM);
	mb1_entry(20, MIB(16), ~0ULL, RAM);
	mb1_end_map();
	assert_null(parse_mb1(0x40, 0, 0, 0));
	assert_int_equal(boot_info.n_ram, 2);
	check_ram(1, MIB(16), BIT(52) - MIB(16));
}

static void test_many_regions(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BOOT_MAX_REGIONS + 5; i++)
		mb1_entry(20, MIB(2 * i), MIB(1), RAM);
	mb1_end_map();
	assert_null(parse_mb1(0x40, 0, 0, 0));
	assert_int_equal(boot_info.n_ram, BOOT_MAX_REGIONS);
}

static void test_unknown_loader(void **state)
{
	(void)state;
	assert_non_null(multiboot_parse(0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mb1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mb1_without_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mb1_broken_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mb1_broken_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_module_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlapping_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absurd_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_loader, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
