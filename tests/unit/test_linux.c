/* SPDX-License-Identifier: BSD-2-Clause */
/* The Linux loader: good images land where the boot protocol says, bad ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "loader.h"
#include "loader/layout.h"
#include "loader/linux_abi.h"
#include "loader/memory_map.h"

#define SETUP_SECTS 3
#define CODE_OFFSET ((SETUP_SECTS + 1) * LINUX_SECTOR)
#define CODE_SIZE 0x1000
#define RSDP 0xE0000

struct fixture {
	uint8_t file[CODE_OFFSET + CODE_SIZE + 8]; /* 8: such as a signature behind the image */
	uint8_t initrd[5000];
	struct guest_image req;
	struct guest_memory mem;
	struct guest_entry entry;
	char error[LOADER_ERROR];
};

static struct linux_header *header(struct fixture *f)
{
	return (struct linux_header *)(f->file + LINUX_HEADER_OFFSET);
}

static const struct boot_params *params(const struct fixture *f)
{
	return (const struct boot_params *)(f->mem.host + f->entry.regs.gpr[GPR_RSI]);
}

static void make_image(struct fixture *f)
{
	struct linux_header *hdr = header(f);

	hdr->setup_sects = SETUP_SECTS;
	hdr->syssize = CODE_SIZE / LINUX_SYSSIZE_UNIT;
	hdr->boot_flag = LINUX_BOOT_FLAG;
	hdr->jump_opcode = 0xEB;
	hdr->jump_length = 0x6A; /* to 0x26C: four bytes behind handover_offset, as in 2.15 */
	hdr->magic = LINUX_MAGIC;
	hdr->version = 0x020F;
	hdr->loadflags = LOADFLAG_LOADED_HIGH | LOADFLAG_CAN_USE_HEAP;
	hdr->heap_end_ptr = 0x1234;
	hdr->initrd_addr_max = 0x7FFFFFFF;
	hdr->kernel_alignment = 0x200000;
	hdr->relocatable_kernel = 1;
	hdr->xloadflags = XLOADFLAG_KERNEL_64;
	hdr->cmdline_size = 255;
	hdr->pref_address = MIB(16);
	hdr->init_size = (uint32_t)MIB(8);
	memcpy(f->file + 0x268, "INFO", 4);
	for (size_t i = 0; i < CODE_SIZE; i++)
		f->file[CODE_OFFSET + i] = (uint8_t)(i * 7 + 1);
	memset(f->file + CODE_OFFSET + CODE_SIZE, 0xEE, 8);
}

/* Reserves address space only; pages come when they are touched, zeroed. */
static void give_memory(struct fixture *f, uint64_t size)
{
	if (f->mem.host)
		munmap(f->mem.host, f->mem.size);
	f->mem.size = size;
	f->mem.host = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(f->mem.host, MAP_FAILED);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_image(f);
	memset(f->initrd, 0x5A, sizeof(f->initrd));
	f->req = (struct guest_image){
		.kernel = f->file, .kernel_size = sizeof(f->file),
		.initrd = f->initrd, .initrd_size = sizeof(f->initrd),
		.cmdline = "console=ttyS0", .rsdp = RSDP,
	};
	give_memory(f, MIB(64));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	munmap(f->mem.host, f->mem.size);
	free(f);
	return 0;
}

static void load(struct fixture *f)
{
	if (!loader_load(&f->req, &f->mem, &f->entry, f->error, sizeof(f->error)))
		fail_msg("%s", f->error);
	assert_true(loader_check(&f->req, f->mem.size, f->error, sizeof(f->error)));
}

/* Refused by the load and the check alike, with a text that has all of these words. */
static void refused(struct fixture *f, const char *a, const char *b)
{
	f->error[0] = '\0';
	assert_false(loader_check(&f->req, f->mem.size, f->error, sizeof(f->error)));
	f->error[0] = '\0';
	assert_false(loader_load(&f->req, &f->mem, &f->entry, f->error, sizeof(f->error)));
	if (!strstr(f->error, a) || !strstr(f->error, b) || !strchr(f->error, ';'))
		fail_msg("\"%s\" lacks \"%s\", \"%s\" or a remedy", f->error, a, b);
	assert_true(strlen(f->error) < LOADER_ERROR - 1);
}

static void test_places(void **state)
{
	struct fixture *f = *state;
	const uint64_t top = MIB(64), initrd = (top - sizeof(f->initrd)) & ~(PAGE_SIZE - 1);

	load(f);
	assert_int_equal(f->entry.kernel, MIB(16));
	assert_memory_equal(f->mem.host + MIB(16), f->file + CODE_OFFSET, CODE_SIZE);
	/* What lies behind the image is not part of it. */
	assert_int_equal(f->mem.host[MIB(16) + CODE_SIZE], 0);
	assert_int_equal(f->entry.initrd, initrd);
	assert_memory_equal(f->mem.host + initrd, f->initrd, sizeof(f->initrd));
	assert_string_equal((char *)f->mem.host + LAYOUT_CMDLINE, "console=ttyS0");
}

static void test_boot_params(void **state)
{
	struct fixture *f = *state;
	const struct boot_params *p;

	load(f);
	p = params(f);
	assert_int_equal(p->hdr.magic, LINUX_MAGIC);
	assert_int_equal(p->hdr.type_of_loader, 0xFF);
	assert_int_equal(p->hdr.loadflags, LOADFLAG_LOADED_HIGH);
	assert_int_equal(p->hdr.heap_end_ptr, 0);
	assert_int_equal(p->hdr.cmd_line_ptr, LAYOUT_CMDLINE);
	assert_int_equal(p->hdr.ramdisk_image, f->entry.initrd);
	assert_int_equal(p->hdr.ramdisk_size, sizeof(f->initrd));
	assert_int_equal(p->ext_ramdisk_image, 0);
	assert_int_equal(p->ext_ramdisk_size, 0);
	assert_int_equal(p->ext_cmd_line_ptr, 0);
	assert_int_equal(p->acpi_rsdp_addr, RSDP);
	/* The header's tail that our struct does not name came along, and no more. */
	assert_memory_equal((const uint8_t *)p + 0x268, "INFO", 4);
	for (unsigned i = 0x26C; i < 0x2D0; i++)
		assert_int_equal(((const uint8_t *)p)[i], 0);
	for (unsigned i = 0; i < 0x70; i++)
		assert_int_equal(((const uint8_t *)p)[i], 0);
}

static void expect_e820(const struct boot_params *p, unsigned i, uint64_t base, uint64_t end,
			uint32_t type)
{
	assert_int_equal(p->e820_table[i].base, base);
	assert_int_equal(p->e820_table[i].base + p->e820_table[i].size, end);
	assert_int_equal(p->e820_table[i].type, type);
}

static void test_e820(void **state)
{
	struct fixture *f = *state;

	load(f);
	assert_int_equal(params(f)->e820_entries, 4);
	expect_e820(params(f), 0, 0, 0x9FC00, MAP_RAM);
	expect_e820(params(f), 1, 0x9FC00, 0xA0000, MAP_RESERVED);
	expect_e820(params(f), 2, 0xE0000, 0x100000, MAP_RESERVED);
	expect_e820(params(f), 3, MIB(1), MIB(64), MAP_RAM);
	give_memory(f, GIB(5));
	load(f);
	assert_int_equal(params(f)->e820_entries, 5);
	expect_e820(params(f), 3, MIB(1), GIB(3), MAP_RAM);
	expect_e820(params(f), 4, GIB(4), GIB(6), MAP_RAM);
	/* The initrd stays where the kernel reaches it. */
	assert_int_equal(f->entry.initrd, GIB(2) - 2 * PAGE_SIZE);
}

static void test_entry_state(void **state)
{
	struct fixture *f = *state;
	const struct vcpu_sysregs *s = &f->entry.sys;

	load(f);
	assert_int_equal(f->entry.regs.rip, MIB(16) + 0x200);
	assert_int_equal(f->entry.regs.gpr[GPR_RSI], LAYOUT_BOOT_PARAMS);
	assert_int_equal(f->entry.regs.rflags, RFLAGS_RESERVED1);
	assert_int_equal(s->cr0 & (CR0_PE | CR0_PG), CR0_PE | CR0_PG);
	assert_int_equal(s->cr0 & (CR0_CD | CR0_NW), 0);
	assert_int_equal(s->cr4, CR4_PAE);
	assert_int_equal(s->efer, EFER_LME | EFER_LMA);
	assert_int_equal(s->cpl, 0);
	assert_int_equal(s->seg[SEG_CS].selector, 0x10);
	assert_int_equal(s->seg[SEG_CS].attr, 0xA9B);
	for (unsigned i = 0; i < SEG_LDTR; i++) {
		assert_int_equal(s->seg[i].base, 0);
		assert_int_equal(s->seg[i].limit, 0xFFFFFFFF);
		if (i == SEG_CS)
			continue;
		assert_int_equal(s->seg[i].selector, 0x18);
		assert_int_equal(s->seg[i].attr, 0xC93);
	}
	assert_int_equal(s->seg[SEG_TR].attr, 0x8B);
}

/* The descriptors in memory say the same as the segment registers. */
static void test_gdt(void **state)
{
	struct fixture *f = *state;
	uint64_t gdt[4];

	load(f);
	assert_int_equal(f->entry.sys.gdtr.limit, sizeof(gdt) - 1);
	memcpy(gdt, f->mem.host + f->entry.sys.gdtr.base, sizeof(gdt));
	assert_true(gdt[0] == 0 && gdt[1] == 0);
	assert_true(gdt[2] == 0x00AF9B000000FFFF);
	assert_true(gdt[3] == 0x00CF93000000FFFF);
}

static uint64_t table_entry(const struct fixture *f, uint64_t table, uint64_t index)
{
	uint64_t entry;

	memcpy(&entry, f->mem.host + (table & ~0xFFFULL) + index * 8, 8);
	assert_int_equal(entry & 3, 3);
	return entry;
}

static void test_identity_map(void **state)
{
	struct fixture *f = *state;

	load(f);
	for (uint64_t va = 0; va < GIB(4); va += PAGE_2M) {
		uint64_t e = table_entry(f, f->entry.sys.cr3, 0);

		e = table_entry(f, e, va >> 30);
		assert_int_equal(e & 0x80, 0);
		e = table_entry(f, e, va >> 21 & 511);
		assert_int_equal(e, va | 0x83);
	}
}

static void test_no_initrd_no_cmdline(void **state)
{
	struct fixture *f = *state;

	f->req.initrd = NULL;
	f->req.initrd_size = 0;
	f->req.cmdline = NULL;
	load(f);
	assert_int_equal(f->entry.initrd, 0);
	assert_int_equal(params(f)->hdr.ramdisk_image, 0);
	assert_int_equal(params(f)->hdr.ramdisk_size, 0);
	assert_int_equal(f->mem.host[LAYOUT_CMDLINE], 0);
}

static void test_placement_rules(void **state)
{
	struct fixture *f = *state;

	header(f)->pref_address = 0x1000; /* below 1 MiB: moved to the first aligned place */
	load(f);
	assert_int_equal(f->entry.kernel, MIB(2));
	header(f)->pref_address = MIB(3); /* not aligned */
	load(f);
	assert_int_equal(f->entry.kernel, MIB(4));
	header(f)->relocatable_kernel = 0;
	load(f);
	assert_int_equal(f->entry.kernel, MIB(3));
	header(f)->pref_address = 0x1000;
	refused(f, "load address", "above 1 MiB");
	header(f)->pref_address = ~0ULL;
	refused(f, "load address", "0xffffffffffffffff");
	header(f)->relocatable_kernel = 1;
	refused(f, "load address", "0xffffffffffffffff");
}

static void test_setup_sects_zero(void **state)
{
	struct fixture *f = *state;
	const size_t offset = (LINUX_DEFAULT_SETUP_SECTS + 1) * LINUX_SECTOR;

	header(f)->setup_sects = 0;
	header(f)->syssize = (uint32_t)(sizeof(f->file) - offset) / LINUX_SYSSIZE_UNIT;
	load(f);
	assert_memory_equal(f->mem.host + MIB(16), f->file + offset, 256);
}

static void test_recognise(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loader_recognise(f->file, sizeof(f->file)), FORMAT_LINUX);
	header(f)->version = 0x0100; /* Linux, but not one that can be booted */
	assert_int_equal(loader_recognise(f->file, sizeof(f->file)), FORMAT_LINUX);
	refused(f, "kernel:", "too old");
	assert_int_equal(loader_recognise(f->file, 0x267), FORMAT_GUESS);
	assert_int_equal(loader_recognise(f->file, 0), FORMAT_GUESS);
	header(f)->magic ^= 1;
	assert_int_equal(loader_recognise(f->file, sizeof(f->file)), FORMAT_GUESS);
	refused(f, "kernel: neither", "format = flat");
	f->req.format = FORMAT_LINUX;
	refused(f, "kernel:", "not a Linux bzImage");
}

/* A kernel that says it is Linux takes no modules. */
static void test_modules_refused(void **state)
{
	struct fixture *f = *state;

	f->req.modules[0] = (struct guest_module){ f->initrd, 1, "m" };
	f->req.n_modules = 1;
	refused(f, "module:", "Linux");
}

/* Protected mode without paging, the first byte of the code, boot_params in ESI. */
static void expect_entry32(const struct fixture *f, uint64_t at)
{
	const struct vcpu_sysregs *s = &f->entry.sys;
	uint64_t gdt[4];

	assert_int_equal(f->entry.kernel, at);
	assert_int_equal(f->entry.regs.rip, at);
	assert_memory_equal(f->mem.host + at, f->file + CODE_OFFSET, CODE_SIZE);
	for (unsigned i = 0; i < GPR_COUNT; i++)
		assert_int_equal(f->entry.regs.gpr[i], i == GPR_RSI ? LAYOUT_BOOT_PARAMS : 0);
	assert_int_equal(s->cr0 & (CR0_PE | CR0_PG | CR0_CD | CR0_NW), CR0_PE);
	assert_true(s->efer == 0 && s->cr4 == 0 && s->cr3 == 0);
	assert_int_equal(s->seg[SEG_CS].selector, 0x10);
	assert_int_equal(s->seg[SEG_CS].attr, 0xC9B);
	assert_int_equal(s->seg[SEG_CS].limit, 0xFFFFFFFF);
	assert_int_equal(s->seg[SEG_CS].base, 0);
	assert_int_equal(s->seg[SEG_SS].selector, 0x18);
	assert_int_equal(s->seg[SEG_SS].attr, 0xC93);
	memcpy(gdt, f->mem.host + s->gdtr.base, sizeof(gdt));
	assert_true(gdt[2] == 0x00CF9B000000FFFF);
	assert_true(gdt[3] == 0x00CF93000000FFFF);
}

static void test_32_bit_kernel(void **state)
{
	struct fixture *f = *state;

	header(f)->code32_start = 0x100000;
	header(f)->xloadflags = 0;
	load(f);
	expect_entry32(f, MIB(16));
	header(f)->code32_start = 0;
	refused(f, "has no 32-bit entry", "BIOS");
}

/* Before 2.12 there is no 64-bit entry, before 2.10 no preferred address. */
static void test_old_protocols(void **state)
{
	struct fixture *f = *state;

	header(f)->version = 0x0205;
	refused(f, "kernel: boot protocol 2.05 is too old", "2.06");
	header(f)->code32_start = 0x100000;
	header(f)->version = 0x020B;
	load(f);
	expect_entry32(f, MIB(16));
	header(f)->version = 0x020A;
	header(f)->jump_length = 0x62; /* to 0x264 */
	load(f);
	expect_entry32(f, MIB(16));
	header(f)->version = 0x0209;
	load(f);
	expect_entry32(f, MIB(2)); /* relocatable: the first aligned place */
	header(f)->relocatable_kernel = 0;
	load(f);
	expect_entry32(f, MIB(1));
	header(f)->version = 0x0206;
	header(f)->jump_length = 0x3A; /* to 0x23C */
	header(f)->init_size = 0xFFFFFFFF; /* bytes of the code that follows */
	load(f);
	expect_entry32(f, MIB(1));
	assert_int_equal(params(f)->hdr.cmdline_size, 255);
	assert_int_equal(params(f)->hdr.init_size, 0); /* behind the header: not copied */
	header(f)->jump_length = 0x39;
	refused(f, "setup header ends at 0x23b", "0x23c");
	header(f)->loadflags = 0;
	refused(f, "zImage", "bzImage");
}

static void test_damaged_header(void **state)
{
	struct fixture *f = *state;

	header(f)->jump_length = 0x10;
	refused(f, "setup header ends at 0x212", "0x268");
	header(f)->jump_length = 0xFF;
	refused(f, "setup header ends at 0x301", "0x290");
	header(f)->jump_length = 0x66; /* exactly protocol 2.12 */
	load(f);
	for (unsigned i = 0; i < 3; i++) {
		header(f)->kernel_alignment = (const uint32_t[]){ 0, 0x300000, 0x80000000 }[i];
		refused(f, "kernel_alignment", "power of two");
	}
}

static void test_truncated(void **state)
{
	struct fixture *f = *state;

	f->req.kernel_size = CODE_OFFSET + CODE_SIZE;
	load(f);
	/* The header counts in units of 16 bytes: a file may end inside the last. */
	f->req.kernel_size -= LINUX_SYSSIZE_UNIT - 1;
	load(f);
	assert_int_equal(f->mem.host[MIB(16) + CODE_SIZE - LINUX_SYSSIZE_UNIT],
			 f->file[CODE_OFFSET + CODE_SIZE - LINUX_SYSSIZE_UNIT]);
	f->req.kernel_size--;
	refused(f, "truncated", "6144 bytes and the file has 6128");
	f->req.kernel_size = CODE_OFFSET - 1;
	refused(f, "truncated", "has 2047");
	f->req.kernel_size = sizeof(f->file);
	header(f)->syssize = 0xFFFFFFFF;
	refused(f, "truncated", "68719478768");
	header(f)->setup_sects = 255;
	header(f)->syssize = 0x100;
	refused(f, "truncated", "file has 6152");
	header(f)->syssize = 0x20;
	refused(f, "512 bytes of code", "the entry is at 512");
}

static void test_memory_too_small(void **state)
{
	struct fixture *f = *state;

	f->req.initrd_size = 0;
	give_memory(f, MIB(24));
	load(f);
	give_memory(f, MIB(24) - PAGE_SIZE);
	refused(f, "memory: the kernel needs 24 MiB, the guest has 23", "set memory = 24M");
	give_memory(f, PAGE_SIZE);
	refused(f, "memory:", "24M");
	header(f)->init_size = 0xFFFFFFFF;
	refused(f, "the kernel needs RAM up to 0x100ffffff", "3 GiB");
	header(f)->init_size = 0; /* then the image itself counts */
	give_memory(f, MIB(16));
	refused(f, "memory: the kernel needs 18 MiB", "18M");
}

static void test_initrd_fits(void **state)
{
	struct fixture *f = *state;

	/* Two pages between the kernel's end and the end of RAM: just enough. */
	give_memory(f, MIB(24) + 2 * PAGE_SIZE);
	load(f);
	assert_int_equal(f->entry.initrd, MIB(24));
	give_memory(f, MIB(24) + PAGE_SIZE);
	refused(f, "the kernel with its initrd needs 26 MiB", "26M");
	give_memory(f, MIB(64));
	header(f)->initrd_addr_max = MIB(32) + 0x17FF; /* rounded down to a page */
	load(f);
	assert_int_equal(f->entry.initrd, MIB(32) + PAGE_SIZE - 2 * PAGE_SIZE);
	header(f)->initrd_addr_max = MIB(24) + 0xFFF;
	refused(f, "initrd: 5000 bytes", "4096 at most");
	header(f)->initrd_addr_max = 0;
	refused(f, "initrd: 5000 bytes", "0 at most");
	header(f)->initrd_addr_max = 0xFFFFFFFF;
	f->req.initrd_size = ~0ULL;
	refused(f, "initrd: 18446744073709551615 bytes", "smaller");
	f->req.initrd_size = GIB(3);
	refused(f, "initrd", "0xc1800000");
}

static void test_cmdline_too_long(void **state)
{
	struct fixture *f = *state;
	static char line[0x4000];

	memset(line, 'a', 255);
	f->req.cmdline = line;
	load(f);
	line[255] = 'b';
	refused(f, "cmdline: 256 characters", "takes 255");
	/* However much the kernel takes, our own room is limited. */
	header(f)->cmdline_size = 0xFFFFFFFF;
	memset(line, 'a', LAYOUT_CMDLINE_SIZE);
	refused(f, "cmdline: 8192 characters", "takes 8191");
}

/* A refused load leaves the guest's memory as it was. */
static void test_refusal_touches_nothing(void **state)
{
	struct fixture *f = *state;

	give_memory(f, MIB(24));
	refused(f, "initrd", "memory");
	for (uint64_t i = 0; i < MIB(24); i++)
		if (f->mem.host[i])
			fail_msg("byte 0x%lx was written", i);
}

static void test_short_error_buffer(void **state)
{
	struct fixture *f = *state;
	char tiny[8] = "1234567";

	header(f)->magic = 0;
	assert_false(loader_check(&f->req, MIB(64), tiny, 5));
	assert_int_equal(tiny[4], '\0');
	assert_int_equal(tiny[5], '6');
}

static void test_guest_ram(void **state)
{
	uint8_t *const host = (uint8_t *)PAGE_SIZE; /* never followed */
	const struct guest_memory small = { host, MIB(16) }, big = { host, GIB(5) };

	(void)state;
	assert_ptr_equal(guest_ram(&small, 0, MIB(16)), host);
	assert_null(guest_ram(&small, 0, MIB(16) + 1));
	assert_null(guest_ram(&small, 1, MIB(16)));
	assert_null(guest_ram(&small, 0, 0));
	assert_null(guest_ram(&small, MIB(16), 1));
	assert_ptr_equal(guest_ram(&small, MIB(16) - 1, 1), host + MIB(16) - 1);
	assert_null(guest_ram(&small, GIB(4), 1));
	assert_null(guest_ram(&small, ~0ULL, 2));
	assert_null(guest_ram(&small, 1, ~0ULL));
	assert_ptr_equal(guest_ram(&big, GIB(3) - 8, 8), host + GIB(3) - 8);
	assert_null(guest_ram(&big, GIB(3) - 8, 9));
	assert_null(guest_ram(&big, GIB(3), 1));
	assert_null(guest_ram(&big, GIB(4) - 1, 2));
	assert_ptr_equal(guest_ram(&big, GIB(4), GIB(2)), host + GIB(3));
	assert_null(guest_ram(&big, GIB(4), GIB(2) + 1));
	assert_null(guest_ram(&big, GIB(6), 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_places), TEST(test_boot_params), TEST(test_e820),
		TEST(test_entry_state), TEST(test_gdt), TEST(test_identity_map),
		TEST(test_no_initrd_no_cmdline), TEST(test_placement_rules),
		TEST(test_setup_sects_zero), TEST(test_recognise),
		TEST(test_modules_refused), TEST(test_32_bit_kernel), TEST(test_old_protocols),
		TEST(test_damaged_header), TEST(test_truncated), TEST(test_memory_too_small),
		TEST(test_initrd_fits), TEST(test_cmdline_too_long),
		TEST(test_refusal_touches_nothing), TEST(test_short_error_buffer),
		TEST(test_guest_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
