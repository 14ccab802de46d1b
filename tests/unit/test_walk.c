/* SPDX-License-Identifier: BSD-2-Clause */
/* The page-table walker: each paging mode, each right, each kind of fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emu_world.h"

#define PF_P 1u
#define PF_W 2u
#define PF_U 4u
#define PF_RSVD 8u
#define PF_I 16u
#define PF_PK 32u

static int setup(void **state)
{
	struct world *w = malloc(sizeof(*w));

	world_init(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

static void maps(struct world *w, uint64_t linear, enum emu_access access, uint64_t gpa)
{
	uint64_t got = 0;

	if (!emu_translate(&w->cpu, linear, access, &got, &w->fault))
		fail_msg("%#lx: vector %u, error %#x", linear, w->fault.vector, w->fault.error);
	assert_true(got == gpa);
}

static void faults(struct world *w, uint64_t linear, enum emu_access access, uint32_t error)
{
	uint64_t gpa;

	memset(&w->fault, 0, sizeof(w->fault));
	assert_false(emu_translate(&w->cpu, linear, access, &gpa, &w->fault));
	assert_int_equal(w->fault.vector, VEC_PF);
	assert_true(w->fault.has_error);
	assert_int_equal(w->fault.error, error);
	assert_true(w->fault.cr2 == linear);
}

static void test_no_paging(void **state)
{
	struct world *w = *state;

	world_flat(w, 32);
	maps(w, 0x12345678, EMU_WRITE, 0x12345678);
	maps(w, 0xfffffffff, EMU_READ, 0xffffffff);
}

/* Key 3 in bits 59 to 62 of the leaf; its rights are bits 6 and 7 of PKRU. */
static void test_protection_keys(void **state)
{
	struct world *w = *state;
	uint64_t *leaf = world_map(w, 0x5000, 0x6000, MAP_P | MAP_W | MAP_U | 3ULL << 59);

	w->pkru = 1u << 6;
	maps(w, 0x5000, EMU_WRITE, 0x6000); /* CR4.PKE is clear */
	w->sys.cr4 |= CR4_PKE;
	faults(w, 0x5000, EMU_READ, PF_P | PF_PK); /* also for a supervisor */
	maps(w, 0x5000, EMU_FETCH, 0x6000);
	w->pkru = ~(3u << 6); /* all keys but this one */
	maps(w, 0x5000, EMU_WRITE, 0x6000);
	w->pkru = 2u << 6;
	maps(w, 0x5000, EMU_READ, 0x6000);
	faults(w, 0x5000, EMU_WRITE, PF_P | PF_W | PF_PK);
	w->sys.cr0 &= ~CR0_WP;
	maps(w, 0x5000, EMU_WRITE, 0x6000);
	w->sys.cpl = 3;
	faults(w, 0x5000, EMU_WRITE, PF_P | PF_W | PF_U | PF_PK);
	/* one that lacks another right too still names the key */
	*leaf &= ~(uint64_t)MAP_W;
	faults(w, 0x5000, EMU_WRITE, PF_P | PF_W | PF_U | PF_PK);
	/* supervisor pages have no key */
	*leaf = 0x6000 | MAP_P | MAP_W | 3ULL << 59;
	w->sys.cpl = 0;
	maps(w, 0x5000, EMU_WRITE, 0x6000);
}

static void test_long_4k(void **state)
{
	struct world *w = *state;
	uint64_t *leaf = world_map(w, 0xffff800000123000, 0x5000, MAP_P | MAP_W);

	maps(w, 0xffff800000123456, EMU_READ, 0x5456);
	assert_true((*leaf & (MAP_A | MAP_D)) == MAP_A);
	maps(w, 0xffff800000123fff, EMU_WRITE, 0x5fff);
	assert_true((*leaf & (MAP_A | MAP_D)) == (MAP_A | MAP_D));
	maps(w, 0xffff800000123000, EMU_FETCH, 0x5000);
	/* each level's entry was marked accessed, and only the leaf dirty */
	uint64_t root = *world_entry(w, w->sys.cr3 + 256 * 8);
	assert_true((root & (MAP_A | MAP_D)) == MAP_A);
	faults(w, 0xffff800000124000, EMU_READ, 0);
	faults(w, 0xffff900000123000, EMU_WRITE, PF_W);
	faults(w, 0xffff800000124000, EMU_FETCH, PF_I);
}

static void test_long_non_canonical(void **state)
{
	struct world *w = *state;
	uint64_t gpa;

	assert_false(emu_translate(&w->cpu, 0x800000000000, EMU_READ, &gpa, &w->fault));
	assert_int_equal(w->fault.vector, VEC_GP);
	assert_true(w->fault.has_error);
	assert_int_equal(w->fault.error, 0);
}

static void test_long_large(void **state)
{
	struct world *w = *state;
	uint64_t *pdpt_entry, *pd_entry;

	world_map(w, 0x7f0000000000, 0x5000, MAP_P | MAP_W);
	pdpt_entry = world_entry(w, *world_entry(w, w->sys.cr3 + 254 * 8) & ~0xfffULL);
	*pdpt_entry = 0x40000000 | MAP_P | MAP_W | MAP_PS;
	maps(w, 0x7f003fffffff, EMU_WRITE, 0x7fffffff);
	assert_true(*pdpt_entry & MAP_D);
	*pdpt_entry = 0x40000000 | MAP_P | MAP_PS | 1 << 13;
	faults(w, 0x7f0000000000, EMU_READ, PF_P | PF_RSVD);
	*pdpt_entry = 0x40000000 | MAP_P | MAP_PS | 1 << 12; /* PAT */
	maps(w, 0x7f0000001000, EMU_READ, 0x40001000);

	world_map(w, 0x600000000000, 0x5000, MAP_P | MAP_W);
	pd_entry = world_entry(w, *world_entry(w, w->sys.cr3 + 192 * 8) & ~0xfffULL);
	pd_entry = world_entry(w, *pd_entry & ~0xfffULL);
	*pd_entry = 0x600000 | MAP_P | MAP_W | MAP_PS;
	maps(w, 0x600000123456, EMU_READ, 0x723456);
	*pd_entry = 0x700000 | MAP_P | MAP_W | MAP_PS;
	faults(w, 0x600000123456, EMU_READ, PF_P | PF_RSVD);
}

static void test_long_reserved(void **state)
{
	struct world *w = *state;
	uint64_t *leaf = world_map(w, 0x30000000, 0x5000, MAP_P | MAP_W);
	uint64_t *root = world_entry(w, w->sys.cr3);

	*leaf |= 1ULL << 45;
	maps(w, 0x30000000, EMU_READ, 1ULL << 45 | 0x5000);
	w->cpu.phys_bits = 40;
	faults(w, 0x30000000, EMU_READ, PF_P | PF_RSVD);
	faults(w, 0x30000000, EMU_WRITE, PF_P | PF_RSVD | PF_W);
	*leaf &= ~(1ULL << 45);
	maps(w, 0x30000000, EMU_READ, 0x5000);
	*leaf |= 0x7ffULL << 52; /* ignored */
	maps(w, 0x30000000, EMU_READ, 0x5000);
	*leaf |= MAP_NX;
	w->sys.efer &= ~EFER_NXE;
	faults(w, 0x30000000, EMU_READ, PF_P | PF_RSVD);
	*leaf &= ~MAP_NX;
	*root |= MAP_PS;
	faults(w, 0x30000000, EMU_READ, PF_P | PF_RSVD);
}

static void test_rights(void **state)
{
	struct world *w = *state;
	uint64_t *leaf = world_map(w, 0x30000000, 0x5000, MAP_P);

	/* a supervisor's page that cannot be written */
	faults(w, 0x30000000, EMU_WRITE, PF_P | PF_W);
	assert_false(*leaf & MAP_A);
	w->sys.cr0 &= ~CR0_WP;
	maps(w, 0x30000000, EMU_WRITE, 0x5000);
	w->sys.cr0 |= CR0_WP;
	w->sys.cpl = 3;
	faults(w, 0x30000000, EMU_READ, PF_P | PF_U);
	faults(w, 0x30000000, EMU_WRITE, PF_P | PF_U | PF_W);
	/* a user's */
	*leaf |= MAP_U;
	maps(w, 0x30000000, EMU_READ, 0x5000);
	maps(w, 0x30000000, EMU_FETCH, 0x5000);
	faults(w, 0x30000000, EMU_WRITE, PF_P | PF_U | PF_W);
	w->sys.cr0 &= ~CR0_WP; /* counts for the supervisor only */
	faults(w, 0x30000000, EMU_WRITE, PF_P | PF_U | PF_W);
	*leaf |= MAP_W | MAP_NX;
	maps(w, 0x30000000, EMU_WRITE, 0x5000);
	faults(w, 0x30000000, EMU_FETCH, PF_P | PF_U | PF_I);
	/* the right must be there on every level */
	*world_entry(w, w->sys.cr3) &= ~(uint64_t)MAP_W;
	faults(w, 0x30000000, EMU_WRITE, PF_P | PF_U | PF_W);
	*world_entry(w, w->sys.cr3) &= ~(uint64_t)MAP_U;
	faults(w, 0x30000000, EMU_READ, PF_P | PF_U);
}

static void test_smep_smap(void **state)
{
	struct world *w = *state;

	world_map(w, 0x30000000, 0x5000, MAP_P | MAP_W | MAP_U);
	maps(w, 0x30000000, EMU_FETCH, 0x5000);
	maps(w, 0x30000000, EMU_READ, 0x5000);
	w->sys.cr4 |= CR4_SMEP | CR4_SMAP;
	faults(w, 0x30000000, EMU_FETCH, PF_P | PF_I);
	faults(w, 0x30000000, EMU_READ, PF_P);
	faults(w, 0x30000000, EMU_WRITE, PF_P | PF_W);
	w->regs.rflags |= RFLAGS_AC;
	maps(w, 0x30000000, EMU_WRITE, 0x5000);
	w->regs.rflags &= ~RFLAGS_AC;
	w->sys.cpl = 3;
	maps(w, 0x30000000, EMU_FETCH, 0x5000);
	maps(w, 0x30000000, EMU_READ, 0x5000);
}

static void test_la57(void **state)
{
	struct world *w = *state;
	uint64_t root = w->next_table;

	world_map(w, 0x30000000, 0x5000, MAP_P);
	root = w->next_table;
	*world_entry(w, root + 3 * 8) = w->sys.cr3 | MAP_P | MAP_W;
	w->sys.cr3 = root;
	w->sys.cr4 |= CR4_LA57;
	maps(w, (3ULL << 48) | 0x30000123, EMU_READ, 0x5123);
	faults(w, 0x30000123, EMU_READ, 0);
}

static void set32(struct world *w, uint64_t gpa, uint32_t v)
{
	memcpy(w->ram + gpa, &v, 4);
}

static uint32_t get32(struct world *w, uint64_t gpa)
{
	uint32_t v;

	memcpy(&v, w->ram + gpa, 4);
	return v;
}

static void test_32bit(void **state)
{
	struct world *w = *state;

	w->sys.efer = 0;
	w->sys.cr4 = CR4_PSE;
	w->sys.cr3 = 0x60018; /* PCD and PWT are no address */
	set32(w, 0x60000 + 4 * 0x3ff, 0x61000 | MAP_P | MAP_W);
	set32(w, 0x61000 + 4 * 0x005, 0x7000 | MAP_P | MAP_W);
	maps(w, 0xffc05abc, EMU_WRITE, 0x7abc);
	assert_true(get32(w, 0x60000 + 4 * 0x3ff) & MAP_A);
	assert_true(get32(w, 0x61000 + 4 * 0x005) & MAP_D);
	faults(w, 0xffc06000, EMU_WRITE, PF_W);
	faults(w, 0x1000, EMU_READ, 0);
	faults(w, 0x1000, EMU_FETCH, 0); /* the I bit only with NX or SMEP */

	set32(w, 0x60000, 0x00800000 | MAP_P | MAP_W | MAP_PS | 0x5 << 13);
	maps(w, 0x3fffff, EMU_READ, 0x500bfffffULL);
	set32(w, 0x60000, 0x00800000 | MAP_P | MAP_W | MAP_PS | 1 << 21);
	faults(w, 0x1000, EMU_READ, PF_P | PF_RSVD);
	set32(w, 0x60000, 0x00800000 | MAP_P | MAP_W | MAP_PS | 0x10 << 13);
	w->cpu.phys_bits = 36;
	faults(w, 0x1000, EMU_READ, PF_P | PF_RSVD);
	w->sys.cr4 = 0; /* then PS is an ordinary bit */
	set32(w, 0x60000, 0x61000 | MAP_P | MAP_W | MAP_PS);
	maps(w, 0x5abc, EMU_READ, 0x7abc);
}

static void test_pae(void **state)
{
	struct world *w = *state;

	w->sys.efer = EFER_NXE;
	w->sys.cr3 = 0x60020;
	*world_entry(w, 0x60020 + 3 * 8) = 0x61000 | MAP_P;
	*world_entry(w, 0x61000 + 511 * 8) = 0x62000 | MAP_P | MAP_W | MAP_U;
	*world_entry(w, 0x62000 + 7 * 8) = 0x2300007000ULL | MAP_P | MAP_W;
	maps(w, 0xffe07123, EMU_WRITE, 0x2300007123ULL);
	/* the root has no accessed bit, and no rights */
	assert_true(*world_entry(w, 0x60020 + 3 * 8) == (0x61000 | MAP_P));
	assert_true(*world_entry(w, 0x62000 + 7 * 8) & MAP_D);
	faults(w, 0x40000000, EMU_READ, 0);
	*world_entry(w, 0x62000 + 7 * 8) |= 1ULL << 55; /* not ignored as in long mode */
	faults(w, 0xffe07123, EMU_READ, PF_P | PF_RSVD);
	*world_entry(w, 0x61000 + 511 * 8) = 0x600000 | MAP_P | MAP_PS | MAP_NX;
	maps(w, 0xffe07123, EMU_READ, 0x607123);
	faults(w, 0xffe07123, EMU_FETCH, PF_P | PF_I);
	*world_entry(w, 0x60020 + 3 * 8) |= MAP_A; /* QEMU does so */
	maps(w, 0xffe07123, EMU_READ, 0x607123);
	*world_entry(w, 0x60020 + 3 * 8) |= MAP_W;
	faults(w, 0xffe07123, EMU_READ, PF_P | PF_RSVD);
}

/* Tables outside RAM read as ones: reserved bits, no access outside. */
static void test_tables_outside_ram(void **state)
{
	struct world *w = *state;

	w->cpu.phys_bits = 40;
	w->sys.cr3 = 0xffffff000;
	faults(w, 0x1000, EMU_READ, PF_P | PF_RSVD);
	w->sys.efer = 0;
	w->sys.cr4 = 0;
	w->sys.cr3 = 0xfffff000;
	maps(w, 0x1234, EMU_WRITE, 0xfffff234);
}

/*
 * When the walk is at the leaf, another CPU changes the root's entry, which
 * was read but not yet marked: `answer` times, counting walks in `reads`.
 */
static void change_root(struct world *w, uint64_t gpa)
{
	if (gpa != w->value)
		return;
	if (w->reads++ < w->answer) {
		*world_entry(w, w->sys.cr3) ^= 1ULL << 60; /* ignored */
		*world_entry(w, w->sys.cr3) &= ~(uint64_t)MAP_A;
	}
}

static void test_changed_under_walk(void **state)
{
	struct world *w = *state;
	uint64_t *leaf = world_map(w, 0x30000000, 0x5000, MAP_P | MAP_W);

	w->value = (uint64_t)((uint8_t *)leaf - w->ram);
	w->meddle = change_root;
	w->answer = 1;
	maps(w, 0x30000000, EMU_READ, 0x5000);
	assert_int_equal(w->reads, 2); /* walked again */
	assert_true(*world_entry(w, w->sys.cr3) & MAP_A);
	w->answer = 1000000;
	maps(w, 0x30000000, EMU_READ, 0x5000);
	assert_true(w->reads < 100); /* not forever */
}

static void test_linear_copies(void **state)
{
	struct world *w = *state;
	uint8_t out[64], in[64];

	for (unsigned i = 0; i < 64; i++)
		out[i] = (uint8_t)i;
	assert_true(emu_write_linear(&w->cpu, WORLD_DATA + 0xff0, out, 64, &w->fault));
	assert_memory_equal(w->ram + WORLD_DATA_GPA + 0xff0, out, 16);
	assert_memory_equal(w->ram + WORLD_DATA2_GPA, out + 16, 48);
	assert_true(emu_read_linear(&w->cpu, WORLD_DATA + 0xff0, in, 64, EMU_READ, &w->fault));
	assert_memory_equal(in, out, 64);
	assert_false(emu_read_linear(&w->cpu, WORLD_DATA + 0xff0, in, 64, EMU_FETCH, &w->fault));
	assert_int_equal(w->fault.error, PF_P | PF_I);
	/* the second page is missing: the first is copied, cr2 is where it begins */
	assert_false(emu_write_linear(&w->cpu, WORLD_DATA + 0x1ff8, out, 64, &w->fault));
	assert_memory_equal(w->ram + WORLD_DATA2_GPA + 0xff8, out, 8);
	assert_true(w->fault.cr2 == WORLD_HOLE);
	/* a device gets pieces that are aligned */
	w->answer = 0x1122334455667788;
	assert_true(emu_read_linear(&w->cpu, WORLD_MMIO + 4, in, 13, EMU_READ, &w->fault));
	assert_int_equal(w->reads, 3);
	assert_int_equal(in[0], 0x88);
	assert_int_equal(in[4], 0x88);
	assert_int_equal(in[11], 0x11);
	assert_int_equal(in[12], 0x88);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_protection_keys),
		TEST(test_no_paging),	  TEST(test_long_4k),
		TEST(test_long_non_canonical), TEST(test_long_large),
		TEST(test_long_reserved), TEST(test_rights),
		TEST(test_smep_smap),	  TEST(test_la57),
		TEST(test_32bit),	  TEST(test_pae),
		TEST(test_tables_outside_ram), TEST(test_changed_under_walk),
		TEST(test_linear_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
