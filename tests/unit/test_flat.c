/* SPDX-License-Identifier: BSD-2-Clause */
/* Flat images: each mode's registers and tables, and the places that are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader.h"

#define MEMORY MIB(16)

struct fixture {
	uint8_t file[1000];
	struct guest_image req;
	struct guest_memory mem;
	struct guest_entry entry;
	char error[LOADER_ERROR];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	memset(f->file, 0xC3, sizeof(f->file));
	f->req = (struct guest_image){ .format = FORMAT_FLAT, .kernel = f->file,
				       .kernel_size = sizeof(f->file) };
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

static void place(struct fixture *f, enum guest_mode mode, uint64_t at, uint64_t entry)
{
	f->req.mode = mode;
	f->req.load = at;
	f->req.entry = entry;
}

static void load(struct fixture *f)
{
	memset(f->mem.host, 0, MEMORY);
	if (!loader_load(&f->req, &f->mem, &f->entry, f->error, sizeof(f->error)))
		fail_msg("%s", f->error);
	assert_true(loader_check(&f->req, f->mem.size, f->error, sizeof(f->error)));
	assert_memory_equal(f->mem.host + f->req.load, f->file, sizeof(f->file));
	assert_int_equal(f->entry.kernel, f->req.load);
	assert_int_equal(f->entry.regs.rflags, RFLAGS_RESERVED1);
}

static void refused(struct fixture *f, const char *a, const char *b)
{
	assert_false(loader_check(&f->req, f->mem.size, f->error, sizeof(f->error)));
	f->error[0] = '\0';
	assert_false(loader_load(&f->req, &f->mem, &f->entry, f->error, sizeof(f->error)));
	if (!strstr(f->error, a) || !strstr(f->error, b) || !strchr(f->error, ';'))
		fail_msg("\"%s\" lacks \"%s\", \"%s\" or a remedy", f->error, a, b);
}

static void test_real16(void **state)
{
	struct fixture *f = *state;
	const struct vcpu_sysregs *s = &f->entry.sys;

	place(f, MODE_REAL16, 0x7C00, 0x7C05);
	load(f);
	assert_int_equal(f->entry.regs.rip, 0x7C05);
	assert_true(s->seg[SEG_CS].selector == 0 && s->seg[SEG_CS].base == 0);
	place(f, MODE_REAL16, 0x9F000, 0x9F123);
	load(f);
	assert_int_equal(f->entry.regs.rip, 0xF123);
	assert_int_equal(s->seg[SEG_CS].selector, 0x9000);
	assert_int_equal(s->seg[SEG_CS].base, 0x90000);
	assert_int_equal(s->cr0, CR0_ET);
	assert_true(s->cr4 == 0 && s->efer == 0 && s->gdtr.base == 0 && s->idtr.limit == 0xFFFF);
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		assert_int_equal(s->seg[i].limit, 0xFFFF);
	/* No table of ours is anywhere: the image may even have the interrupt vectors. */
	place(f, MODE_REAL16, 0, 0);
	load(f);
	for (unsigned i = sizeof(f->file); i < MIB(1); i++)
		assert_int_equal(f->mem.host[i], 0);
}

static void test_protected32(void **state)
{
	struct fixture *f = *state;
	const struct vcpu_sysregs *s = &f->entry.sys;
	uint64_t gdt[4];

	place(f, MODE_PROTECTED32, 0x200000, 0x200000);
	load(f);
	assert_int_equal(f->entry.regs.rip, 0x200000);
	assert_int_equal(s->cr0 & (CR0_PE | CR0_PG), CR0_PE);
	assert_true(s->efer == 0 && s->cr4 == 0);
	assert_int_equal(s->seg[SEG_CS].attr, 0xC9B);
	assert_int_equal(s->seg[SEG_DS].attr, 0xC93);
	memcpy(gdt, f->mem.host + s->gdtr.base, sizeof(gdt));
	assert_true(gdt[2] == 0x00CF9B000000FFFF && gdt[3] == 0x00CF93000000FFFF);
	place(f, MODE_PROTECTED32, 0x2000, 0x2000);
	load(f);
	place(f, MODE_PROTECTED32, 0x1FFF, 0x2000);
	refused(f, "load: 1000 bytes at 0x1fff", "0x2000 to 0x9fc00");
}

static void test_long64(void **state)
{
	struct fixture *f = *state;
	const struct vcpu_sysregs *s = &f->entry.sys;

	place(f, MODE_LONG64, 0x16000, 0x16000 + 999);
	load(f);
	assert_int_equal(f->entry.regs.rip, 0x16000 + 999);
	assert_int_equal(s->cr0 & (CR0_PE | CR0_PG), CR0_PE | CR0_PG);
	assert_int_equal(s->cr4, CR4_PAE);
	assert_int_equal(s->efer, EFER_LME | EFER_LMA);
	assert_int_equal(s->seg[SEG_CS].attr, 0xA9B);
	assert_int_equal(s->cr3, 0x10000);
	assert_int_equal(f->mem.host[s->cr3] & 3, 3);
	place(f, MODE_LONG64, 0x15FFF, 0x16000);
	refused(f, "load:", "0x16000 to 0x9fc00");
}

static void test_places(void **state)
{
	struct fixture *f = *state;

	place(f, MODE_PROTECTED32, MEMORY - 1000, MEMORY - 1);
	load(f);
	place(f, MODE_PROTECTED32, MEMORY - 999, MEMORY - 1);
	refused(f, "memory: the image needs 18 MiB", "set memory = 18M");
	place(f, MODE_REAL16, 0x9FC00 - 999, 0x9F900);
	refused(f, "load:", "0x9fc00");
	place(f, MODE_REAL16, 0xF0000, 0xF0000); /* the ACPI tables */
	refused(f, "load:", "1 MiB");
	place(f, MODE_PROTECTED32, ~0ULL - 10, ~0ULL - 10);
	refused(f, "load:", "3 GiB");
	f->req.kernel_size = ~0ULL;
	place(f, MODE_PROTECTED32, MIB(1), MIB(1));
	refused(f, "load:", "3 GiB");
}

static void test_entry_rules(void **state)
{
	struct fixture *f = *state;

	place(f, MODE_PROTECTED32, 0x200000, 0x200000 + 1000);
	refused(f, "entry: 0x2003e8 is outside the image", "0x200000 to 0x2003e7");
	place(f, MODE_PROTECTED32, 0x200000, 0x1FFFFF);
	refused(f, "entry: 0x1fffff", "outside");
	place(f, MODE_REAL16, MIB(1), MIB(1));
	refused(f, "entry: 0x100000 is out of reach", "below 1 MiB");
	place(f, MODE_REAL16, 0x7C00, 0x7C00);
	f->req.kernel_size = 0;
	refused(f, "kernel: the file is empty", "one byte");
}

static void test_other_parts(void **state)
{
	struct fixture *f = *state;

	place(f, MODE_REAL16, 0x7C00, 0x7C00);
	f->req.initrd = f->file;
	f->req.initrd_size = 1;
	refused(f, "initrd:", "flat");
	f->req.initrd_size = 0;
	f->req.modules[0] = (struct guest_module){ f->file, 1, "m" };
	f->req.n_modules = 1;
	refused(f, "module:", "flat");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_real16), TEST(test_protected32), TEST(test_long64), TEST(test_places),
		TEST(test_entry_rules), TEST(test_other_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
