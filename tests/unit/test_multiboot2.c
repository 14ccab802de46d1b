/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot 2 information: a list of tags, with nothing readable behind its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/multiboot.h"
#include "boot_info.h"
#include "low_memory.h"

#define MB2 0x36D76289u

enum tag { END = 0, CMDLINE = 1, NAME = 2, MODULE = 3, MMAP = 6, RSDP_OLD = 14, RSDP_NEW = 15 };

static struct {
	uint8_t bytes[8192];
	size_t len, tag;
} blob;

static void put(uint64_t value, unsigned size)
{
	memcpy(blob.bytes + blob.len, &value, size);
	blob.len += size;
}

static void put_bytes(const void *data, size_t len)
{
	memcpy(blob.bytes + blob.len, data, len);
	blob.len += len;
}

static void begin(enum tag type)
{
	while (blob.len % 8)
		put(0, 1);
	blob.tag = blob.len;
	put(type, 4);
	put(0, 4);
}

static void end_tag_as(uint32_t size)
{
	memcpy(blob.bytes + blob.tag + 4, &size, 4);
}

static void end_tag(void)
{
	end_tag_as((uint32_t)(blob.len - blob.tag));
}

static void add_map_as(uint32_t entry_size)
{
	begin(MMAP);
	put(entry_size, 4);
	put(0, 4);
	put(MIB(1), 8);
	put(MIB(31), 8);
	put(1, 4);
	put(0, 4);
	put(MIB(16), 8);
	put(MIB(1), 8);
	put(2, 4);
	put(0, 4);
	end_tag();
}

static void add_module(const char *name, size_t name_len)
{
	begin(MODULE);
	put(0x200000, 4);
	put(0x200010, 4);
	put_bytes(name, name_len);
	end_tag();
}

static const char *parse(void)
{
	uint32_t total;

	while (blob.len % 8)
		put(0, 1);
	total = (uint32_t)blob.len;
	memcpy(blob.bytes, &total, 4);
	return multiboot_parse(MB2, low_memory_copy(blob.bytes, blob.len, 8));
}

static int setup(void **state)
{
	(void)state;
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&blob, 0, sizeof(blob));
	blob.len = 8;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	low_memory_free();
	return 0;
}

static void test_all_tags(void **state)
{
	(void)state;
	begin(CMDLINE);
	put_bytes("config=a", 9);
	end_tag();
	begin(NAME);
	put_bytes("GRUB", 5);
	end_tag();
	add_module("/boot/vmlinuz quiet", 20);
	add_map_as(24);
	begin(END);
	end_tag();
	assert_null(parse());
	assert_string_equal(boot_info.loader, "Multiboot 2");
	assert_string_equal(boot_info.cmdline, "config=a");
	assert_int_equal(boot_info.n_modules, 1);
	assert_string_equal(boot_info.modules[0].name, "vmlinuz");
	assert_int_equal(boot_info.modules[0].size, 16);
	/* The reserved MiB is taken out. */
	assert_int_equal(boot_info.n_ram, 2);
	assert_int_equal(boot_info.ram[0].size, MIB(15));
	assert_int_equal(boot_info.ram[1].base, MIB(17));
	assert_int_equal(boot_info.ram[1].size, MIB(15));
	assert_int_equal(boot_info.rsdp, 0);
}

static void test_rsdp(void **state)
{
	uint8_t old[20], new[36];

	(void)state;
	memset(old, 0x11, sizeof(old));
	memset(new, 0x22, sizeof(new));
	for (unsigned order = 0; order < 2; order++) {
		setup(state);
		add_map_as(24);
		begin(order ? RSDP_NEW : RSDP_OLD);
		put_bytes(order ? new : old, order ? sizeof(new) : sizeof(old));
		end_tag();
		begin(order ? RSDP_OLD : RSDP_NEW);
		put_bytes(order ? old : new, order ? sizeof(old) : sizeof(new));
		end_tag();
		assert_null(parse());
		assert_ptr_equal((void *)(uintptr_t)boot_info.rsdp, boot_info.rsdp_copy);
		assert_memory_equal(boot_info.rsdp_copy, new, sizeof(new));
	}
}

/* A longer RSDP of some later ACPI is cut, not written past its room. */
static void test_long_rsdp(void **state)
{
	uint8_t rsdp[100];

	(void)state;
	memset(rsdp, 0x33, sizeof(rsdp));
	add_map_as(24);
	begin(RSDP_NEW);
	put_bytes(rsdp, sizeof(rsdp));
	end_tag();
	assert_null(parse());
	assert_memory_equal(boot_info.rsdp_copy, rsdp, sizeof(boot_info.rsdp_copy));
}

static void test_no_map(void **state)
{
	(void)state;
	begin(END);
	end_tag();
	assert_non_null(parse());
}

static void test_broken_entry_size(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 23, 0x80000000, 0xFFFFFFFF };

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		setup(state);
		add_map_as(sizes[i]);
		assert_non_null(parse()); /* nothing usable in it */
	}
}

static void test_broken_tag_sizes(void **state)
{
	static const uint32_t sizes[] = { 0, 7, 9, 15, 2000, 0x7FFFFFFF, 0xFFFFFFF8, 0xFFFFFFFF };
	static const enum tag types[] = { CMDLINE, MODULE, MMAP, RSDP_OLD, RSDP_NEW, 77 };

	for (unsigned t = 0; t < ARRAY_SIZE(types); t++)
		for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
			setup(state);
			add_map_as(24);
			begin(types[t]);
			put(0, 8);
			end_tag_as(sizes[i]);
			parse(); /* must come back, having read nothing behind the end */
			assert_int_equal(boot_info.n_ram, 2);
		}
}

static void test_module_without_a_name(void **state)
{
	(void)state;
	add_map_as(24);
	add_module("", 0);
	assert_non_null(parse());
}

static void test_larger_entries(void **state)
{
	(void)state;
	begin(MMAP);
	put(32, 4);
	put(0, 4);
	for (unsigned i = 0; i < 3; i++) {
		put(MIB(16 * i), 8);
		put(MIB(1), 8);
		put(1, 4);
		put(0, 4);
		put(~0ULL, 8);
	}
	end_tag();
	assert_null(parse());
	assert_int_equal(boot_info.n_ram, 3);
	assert_int_equal(boot_info.ram[2].base, MIB(32));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_tags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rsdp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_rsdp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_entry_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_tag_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_module_without_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_larger_entries, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
