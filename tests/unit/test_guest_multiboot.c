/* SPDX-License-Identifier: BSD-2-Clause */
/* The Multiboot loader: ELF of both classes and address fields; what is wrong is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader.h"
#include "loader/elf_abi.h"
#include "loader/layout.h"
#include "loader/multiboot_abi.h"

#define MEMORY MIB(16)
#define HEADER_AT 0x200
#define CODE_AT 0x1000
#define CODE_SIZE 0x800
#define FILE_SIZE (CODE_AT + CODE_SIZE)
#define VIRTUAL 0xC0000000u

struct fixture {
	uint8_t file[FILE_SIZE];
	uint8_t module[2][5000];
	struct guest_image req;
	struct guest_memory mem;
	struct guest_entry entry;
	char error[LOADER_ERROR];
};

static void set_header(struct fixture *f, size_t at, uint32_t flags)
{
	const struct mb_header hdr = { MB_HEADER_MAGIC, flags, 0 - MB_HEADER_MAGIC - flags };

	memcpy(f->file + at, &hdr, sizeof(hdr));
}

static struct elf32_header *elf32(struct fixture *f)
{
	return (struct elf32_header *)f->file;
}

static struct elf64_header *elf64(struct fixture *f)
{
	return (struct elf64_header *)f->file;
}

static struct elf32_segment *segment32(struct fixture *f)
{
	return (struct elf32_segment *)(f->file + sizeof(struct elf32_header));
}

static struct elf64_segment *segment64(struct fixture *f)
{
	return (struct elf64_segment *)(f->file + sizeof(struct elf64_header));
}

static struct elf_ident ident(uint8_t class, uint16_t machine)
{
	return (struct elf_ident){ .magic = ELF_MAGIC, .elf_class = class,
				   .data = ELF_LITTLE_ENDIAN, .version = 1,
				   .type = ELF_TYPE_EXEC, .machine = machine };
}

static void make_elf32(struct fixture *f)
{
	*elf32(f) = (struct elf32_header){
		.ident = ident(ELF_CLASS_32, ELF_MACHINE_386), .entry = MIB(1) + 0x10,
		.phoff = sizeof(struct elf32_header), .phentsize = sizeof(struct elf32_segment),
		.phnum = 1,
	};
	*segment32(f) = (struct elf32_segment){
		.type = ELF_LOAD, .offset = CODE_AT, .vaddr = MIB(1), .paddr = MIB(1),
		.filesz = CODE_SIZE, .memsz = 0x3000,
	};
}

/* Linked high, loaded low, with a segment that is not loaded in front. */
static void make_elf64(struct fixture *f)
{
	*elf64(f) = (struct elf64_header){
		.ident = ident(ELF_CLASS_64, ELF_MACHINE_X86_64), .entry = VIRTUAL + 0x20,
		.phoff = sizeof(struct elf64_header), .phentsize = sizeof(struct elf64_segment),
		.phnum = 2,
	};
	segment64(f)[0] = (struct elf64_segment){ .type = 0x6474E551, .memsz = ~0ULL };
	segment64(f)[1] = (struct elf64_segment){
		.type = ELF_LOAD, .offset = CODE_AT, .vaddr = VIRTUAL, .paddr = MIB(2),
		.filesz = CODE_SIZE, .memsz = CODE_SIZE,
	};
}

static struct mb_addresses *addresses(struct fixture *f)
{
	return (struct mb_addresses *)(f->file + HEADER_AT + sizeof(struct mb_header));
}

static void make_addresses(struct fixture *f)
{
	set_header(f, HEADER_AT, (uint32_t)MB_HAS_ADDRESSES | MB_WANT_MEMORY);
	*addresses(f) = (struct mb_addresses){
		.header_addr = 0x200000 + HEADER_AT, .load_addr = 0x200000,
		.load_end_addr = 0x200000 + FILE_SIZE, .bss_end_addr = 0x208000,
		.entry_addr = 0x201000,
	};
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	for (size_t i = 0; i < FILE_SIZE; i++)
		f->file[i] = (uint8_t)(i >= CODE_AT ? i * 5 + 3 : 0);
	memset(f->module[0], 0x11, sizeof(f->module[0]));
	memset(f->module[1], 0x22, sizeof(f->module[1]));
	make_elf32(f);
	set_header(f, HEADER_AT, MB_ALIGN_MODULES | MB_WANT_MEMORY);
	f->req = (struct guest_image){ .name = "kernels/k.elf", .kernel = f->file,
				       .kernel_size = FILE_SIZE, .cmdline = "one two" };
	f->mem = (struct guest_memory){ calloc(1, MEMORY), MEMORY };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->mem.host);
	free(f);
	return 0;
}

static void load(struct fixture *f)
{
	memset(f->mem.host, 0, MEMORY);
	if (!loader_load(&f->req, &f->mem, &f->entry, f->error, sizeof(f->error)))
		fail_msg("%s", f->error);
	assert_true(loader_check(&f->req, f->mem.size, f->error, sizeof(f->error)));
}

static void refused(struct fixture *f, const char *a, const char *b)
{
	assert_false(loader_check(&f->req, f->mem.size, f->error, sizeof(f->error)));
	f->error[0] = '\0';
	assert_false(loader_load(&f->req, &f->mem, &f->entry, f->error, sizeof(f->error)));
	if (!strstr(f->error, a) || !strstr(f->error, b) || !strchr(f->error, ';'))
		fail_msg("\"%s\" lacks \"%s\", \"%s\" or a remedy", f->error, a, b);
	assert_true(strlen(f->error) < LOADER_ERROR - 1);
}

static const struct mb_info *info(const struct fixture *f)
{
	return (const struct mb_info *)(f->mem.host + f->entry.regs.gpr[GPR_RBX]);
}

static const char *text(const struct fixture *f, uint32_t at)
{
	return (const char *)f->mem.host + at;
}

static void test_elf32(void **state)
{
	struct fixture *f = *state;

	load(f);
	assert_memory_equal(f->mem.host + MIB(1), f->file + CODE_AT, CODE_SIZE);
	assert_int_equal(f->mem.host[MIB(1) + CODE_SIZE], 0);
	assert_int_equal(f->entry.regs.rip, MIB(1) + 0x10);
	assert_int_equal(f->entry.kernel, MIB(1));
}

static void test_entry_state(void **state)
{
	struct fixture *f = *state;
	const struct vcpu_sysregs *s = &f->entry.sys;

	load(f);
	assert_int_equal(f->entry.regs.gpr[GPR_RAX], 0x2BADB002);
	assert_int_equal(f->entry.regs.rflags, RFLAGS_RESERVED1);
	assert_int_equal(s->cr0 & (CR0_PE | CR0_PG), CR0_PE);
	assert_true(s->efer == 0 && s->cr4 == 0);
	assert_int_equal(s->seg[SEG_CS].attr, 0xC9B);
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		assert_true(s->seg[i].base == 0 && s->seg[i].limit == 0xFFFFFFFF);
		if (i != SEG_CS)
			assert_int_equal(s->seg[i].attr, 0xC93);
	}
}

static void test_elf64(void **state)
{
	struct fixture *f = *state;

	make_elf64(f);
	load(f);
	assert_memory_equal(f->mem.host + MIB(2), f->file + CODE_AT, CODE_SIZE);
	assert_int_equal(f->entry.regs.rip, MIB(2) + 0x20);
	elf64(f)->entry = MIB(2) + 0x30; /* a physical one */
	load(f);
	assert_int_equal(f->entry.regs.rip, MIB(2) + 0x30);
}

static void test_address_fields(void **state)
{
	struct fixture *f = *state;

	make_addresses(f); /* they count, though the file is an ELF one */
	load(f);
	assert_memory_equal(f->mem.host + 0x200000, f->file, FILE_SIZE);
	assert_int_equal(f->entry.regs.rip, 0x201000);
	addresses(f)->load_end_addr = addresses(f)->bss_end_addr = 0; /* all of the file */
	load(f);
	assert_memory_equal(f->mem.host + 0x200000, f->file, FILE_SIZE);
	/* The header names a load address inside the file: the part before it stays out. */
	addresses(f)->load_addr = 0x200000 + 0x100;
	load(f);
	assert_memory_equal(f->mem.host + 0x200100, f->file + 0x100, FILE_SIZE - 0x100);
	assert_int_equal(f->mem.host[0x2000FF], 0);
}

static void expect_map(const struct mb_map_entry *e, uint64_t base, uint64_t end, uint32_t type)
{
	assert_int_equal(e->size, 20);
	assert_int_equal(e->base, base);
	assert_int_equal(e->base + e->length, end);
	assert_int_equal(e->type, type);
}

static void test_information(void **state)
{
	struct fixture *f = *state;
	const struct mb_map_entry *map;

	load(f);
	assert_int_equal(info(f)->flags, 0x24D);
	assert_int_equal(info(f)->mem_lower, 639);
	assert_int_equal(info(f)->mem_upper, 15 * 1024);
	assert_string_equal(text(f, info(f)->cmdline), "kernels/k.elf one two");
	assert_string_equal(text(f, info(f)->boot_loader_name), "Bulkhead");
	assert_int_equal(info(f)->mods_count, 0);
	assert_int_equal(info(f)->mmap_length, 4 * sizeof(*map));
	map = (const void *)text(f, info(f)->mmap_addr);
	expect_map(map, 0, 0x9FC00, 1);
	expect_map(map + 1, 0x9FC00, 0xA0000, 2);
	expect_map(map + 2, 0xE0000, 0x100000, 2);
	expect_map(map + 3, 0x100000, MEMORY, 1);
	/* The pages from 0x5000 on, and page 0, are the guest's. */
	for (unsigned i = 0; i < 0x1000; i++)
		assert_int_equal(f->mem.host[i], 0);
	for (unsigned i = LAYOUT_INFO_END; i < MIB(1); i++)
		assert_int_equal(f->mem.host[i], 0);
}

static void test_modules(void **state)
{
	struct fixture *f = *state;
	const struct mb_module *m;

	f->req.modules[0] = (struct guest_module){ f->module[0], 5000, "a.bin x=1  y" };
	f->req.modules[1] = (struct guest_module){ f->module[1], 4096, "b.bin" };
	f->req.modules[2] = (struct guest_module){ NULL, 0, "empty" };
	f->req.n_modules = 3;
	load(f);
	assert_int_equal(info(f)->mods_count, 3);
	m = (const void *)text(f, info(f)->mods_addr);
	/* Behind the kernel with its zeroed part, each from a page on. */
	assert_int_equal(m[0].mod_start, MIB(1) + 0x3000);
	assert_int_equal(m[0].mod_end, MIB(1) + 0x3000 + 5000);
	assert_int_equal(m[1].mod_start, MIB(1) + 0x5000);
	assert_int_equal(m[1].mod_end, MIB(1) + 0x6000);
	assert_int_equal(m[2].mod_start, m[2].mod_end);
	assert_string_equal(text(f, m[0].string), "a.bin x=1  y");
	assert_string_equal(text(f, m[1].string), "b.bin");
	assert_string_equal(text(f, m[2].string), "empty");
	assert_memory_equal(f->mem.host + m[0].mod_start, f->module[0], 5000);
	assert_memory_equal(f->mem.host + m[1].mod_start, f->module[1], 4096);
	assert_string_equal(text(f, info(f)->cmdline), "kernels/k.elf one two");
	f->req.modules[1].size = MEMORY;
	refused(f, "memory: the kernel with its modules", "M or more");
	f->req.modules[1].size = ~0ULL;
	refused(f, "module:", "3 GiB");
}

static void test_header_rules(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loader_recognise(f->file, FILE_SIZE), FORMAT_MULTIBOOT);
	assert_int_equal(loader_recognise(f->file, HEADER_AT + 11), FORMAT_GUESS);
	set_header(f, HEADER_AT, MB_WANT_VIDEO);
	refused(f, "kernel: asks for a video mode", "serial console");
	set_header(f, HEADER_AT, BIT(3));
	refused(f, "Multiboot flags 0x8", "does not define");
	set_header(f, HEADER_AT, BIT(31) | BIT(17)); /* optional ones are nobody's concern */
	load(f);
	f->file[HEADER_AT + 8] ^= 1;
	refused(f, "kernel: neither a Linux kernel nor a Multiboot image", "format = flat");
	f->req.format = FORMAT_MULTIBOOT;
	refused(f, "has no Multiboot header", "8 KiB");
	set_header(f, HEADER_AT, 0);
	f->req.initrd = f->module[0];
	f->req.initrd_size = 1;
	refused(f, "initrd:", "module instead");
}

static void test_lying_addresses(void **state)
{
	struct fixture *f = *state;

	make_addresses(f);
	addresses(f)->load_addr = 0x200000 + HEADER_AT + 1;
	refused(f, "outside the file", "link");
	addresses(f)->load_addr = 0x100000;
	refused(f, "outside the file", "link");
	make_addresses(f);
	addresses(f)->load_end_addr++;
	refused(f, "truncated", "6144");
	addresses(f)->load_end_addr = 0x200000;
	refused(f, "load_end_addr 0x200000", "not above");
	make_addresses(f);
	addresses(f)->bss_end_addr = 0x200001;
	refused(f, "bss_end_addr 0x200001", "below");
	make_addresses(f);
	addresses(f)->entry_addr = 0x208000;
	refused(f, "entry 0x208000", "none of its segments");
	make_addresses(f);
	addresses(f)->bss_end_addr = 0xFFFFFFFF;
	refused(f, "kernel: ", "to 3 GiB");
	make_addresses(f);
	addresses(f)->bss_end_addr = (uint32_t)MEMORY + 1;
	refused(f, "memory: the image needs 18 MiB", "set memory = 18M");
	f->req.kernel_size = HEADER_AT + 20;
	refused(f, "truncated inside its Multiboot header", "copy");
}

static void test_lying_elf(void **state)
{
	struct fixture *f = *state;

	segment32(f)->filesz = CODE_SIZE + 1;
	refused(f, "truncated", "6144");
	segment32(f)->offset = 0xFFFFFFF0;
	refused(f, "truncated", "starts at byte 4294967280");
	make_elf32(f);
	segment32(f)->memsz = CODE_SIZE - 1;
	refused(f, "2048 bytes in the file and 2047 in memory", "damaged");
	make_elf32(f);
	elf32(f)->phnum = 65;
	refused(f, "65 program headers", "1 to 64");
	elf32(f)->phnum = 1;
	elf32(f)->phoff = FILE_SIZE - 31;
	refused(f, "ELF headers reach beyond", "6144");
	make_elf32(f);
	elf32(f)->ident.type = 3;
	refused(f, "type 3", "fixed addresses");
	make_elf32(f);
	elf32(f)->ident.machine = 40;
	refused(f, "another machine", "machine 40");
	make_elf32(f);
	elf32(f)->entry = 0x1000;
	refused(f, "entry 0x1000", "none of its segments");
	make_elf32(f);
	segment32(f)->type = 4;
	refused(f, "nothing to load", "program headers");
	f->file[0] = 0;
	refused(f, "no ELF file", "ELF file it was made from");
	make_elf64(f);
	segment64(f)[1].paddr = ~0xFFFULL;
	refused(f, "kernel: 2048 bytes at 0xfff", "move it");
}

/* Not over the information, the ACPI tables, the BIOS's data or the video memory. */
static void test_forbidden_places(void **state)
{
	static const uint32_t bad[] = { 0, 0x1000, 0x4FFF, 0x9F800, 0xA0000, 0xE0000, 0xFFFFF };
	static const uint32_t good[] = { 0x5000, 0x6000, 0x7C00, 0x90000 };
	struct fixture *f = *state;

	segment32(f)->memsz = CODE_SIZE;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		segment32(f)->paddr = bad[i];
		refused(f, "kernel: 2048 bytes at", "0x5000 to 0x9fc00");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		segment32(f)->paddr = good[i];
		load(f);
		assert_memory_equal(f->mem.host + good[i], f->file + CODE_AT, CODE_SIZE);
		assert_string_equal(text(f, info(f)->boot_loader_name), "Bulkhead");
	}
}

static void test_too_many_segments(void **state)
{
	struct fixture *f = *state;

	elf32(f)->phnum = 17;
	for (unsigned i = 1; i < 17; i++) /* over the header: it moves behind */
		segment32(f)[i] = segment32(f)[0];
	set_header(f, 0xF00, 0);
	refused(f, "too many segments", "16");
	elf32(f)->phnum = 16;
	load(f);
}

static void test_long_strings(void **state)
{
	static char line[0x4000];
	struct fixture *f = *state;

	memset(line, 'c', sizeof(line) - 1);
	f->req.cmdline = line;
	refused(f, "cmdline:", "12288");
	line[LAYOUT_INFO_SIZE - 500] = '\0';
	load(f);
	assert_string_equal(text(f, info(f)->cmdline) + 14, line);
}

static void test_little_memory(void **state)
{
	struct fixture *f = *state;

	f->mem.size = MIB(1) - PAGE_SIZE;
	refused(f, "memory: a Multiboot kernel needs 2 MiB", "set memory");
	f->mem.size = MIB(1);
	refused(f, "memory: the image needs 2 MiB", "set memory");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_elf32), TEST(test_entry_state), TEST(test_elf64),
		TEST(test_address_fields), TEST(test_information), TEST(test_modules),
		TEST(test_header_rules), TEST(test_lying_addresses), TEST(test_lying_elf),
		TEST(test_forbidden_places), TEST(test_too_many_segments),
		TEST(test_long_strings), TEST(test_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
