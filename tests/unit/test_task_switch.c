/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware task switches: what is saved, loaded, checked and left behind (SDM vol. 3, 7.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/task_switch.h"
#include "emu_world.h"

#define GDT 0x10000u
#define TSS_A 0x11000u
#define TSS_B 0x12000u
#define LDT 0x13000u
#define CODE0 0x08
#define DATA0 0x10
#define CODE3 0x1B
#define DATA3 0x23
#define SEL_A 0x28
#define SEL_B 0x30
#define SEL_LDT 0x38
#define SEL_ABSENT 0x40
#define BUSY 2u
#define EIP32 32
#define FLAGS32 36
#define NT BIT(14)

static struct task_exit how;

static void put(struct world *w, uint32_t at, uint64_t v, unsigned n)
{
	memcpy(w->ram + at, &v, n);
}

static uint64_t get(struct world *w, uint32_t at, unsigned n)
{
	uint64_t v = 0;

	memcpy(&v, w->ram + at, n);
	return v;
}

static void describe(struct world *w, uint32_t table, unsigned selector, uint32_t base,
		     uint32_t limit, unsigned access, unsigned flags)
{
	put(w, table + (selector & 0xFFF8u),
	    (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)access << 40 |
		    (uint64_t)(limit >> 16 & 0xF) << 48 | (uint64_t)flags << 52 |
		    (uint64_t)(base >> 24) << 56,
	    8);
}

static unsigned access_of(struct world *w, unsigned selector)
{
	return w->ram[GDT + selector + 5];
}

/* Registers n of a 32-bit TSS hold 0x1000 + n. */
static void fill_b(struct world *w, unsigned cs, unsigned data)
{
	put(w, TSS_B + EIP32, 0x2000, 4);
	put(w, TSS_B + FLAGS32, 0x202, 4);
	for (unsigned i = 0; i < 8; i++)
		put(w, TSS_B + 40 + 4 * i, 0x1000 + i, 4);
	for (unsigned i = 0; i < 6; i++)
		put(w, TSS_B + 72 + 4 * i, i == SEG_CS ? cs : data, 4);
}

static int setup(void **state)
{
	struct world *w = malloc(sizeof(*w));

	world_init(w);
	world_flat(w, 32);
	w->sys.gdtr = (struct table_reg){ GDT, 0x47 };
	describe(w, GDT, CODE0, 0, 0xFFFFF, 0x9A, 0xC);
	describe(w, GDT, DATA0, 0, 0xFFFFF, 0x92, 0xC);
	describe(w, GDT, CODE3, 0, 0xFFFFF, 0xFA, 0xC);
	describe(w, GDT, DATA3, 0, 0xFFFFF, 0xF2, 0xC);
	describe(w, GDT, SEL_A, TSS_A, 0x67, 0x8B, 0);
	describe(w, GDT, SEL_B, TSS_B, 0x67, 0x89, 0);
	describe(w, GDT, SEL_LDT, LDT, 0xF, 0x82, 0);
	describe(w, GDT, SEL_ABSENT, 0, 0xFFFFF, 0x12, 0xC);
	world_segment(w, SEG_TR, TSS_A, 0x67, 0x8B);
	w->sys.seg[SEG_TR].selector = SEL_A;
	w->sys.seg[SEG_CS].selector = CODE0;
	w->sys.seg[SEG_DS].selector = w->sys.seg[SEG_SS].selector = DATA0;
	w->sys.dr7 = 0x7FF;
	for (unsigned i = 0; i < 8; i++)
		w->regs.gpr[i] = 0xA0 + i;
	w->regs.rip = 0x700;
	w->regs.rflags = 0x46;
	fill_b(w, CODE0, DATA0);
	how = (struct task_exit){ .selector = SEL_B, .source = TASK_CALL };
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

static enum task_result go(struct world *w)
{
	memset(&w->fault, 0xEE, sizeof(w->fault));
	return task_switch(&w->cpu, &w->sys, &how, 0x777, &w->fault);
}

static void expect_fault(struct world *w, uint8_t vector, uint32_t error)
{
	assert_int_equal(go(w), TASK_FAULT);
	assert_int_equal(w->fault.vector, vector);
	assert_int_equal(w->fault.error, error);
	assert_true(w->fault.has_error);
}

static void test_call(void **state)
{
	struct world *w = *state;

	assert_int_equal(go(w), TASK_DONE);
	/* the old task, saved; still busy */
	assert_int_equal(get(w, TSS_A + EIP32, 4), 0x777);
	assert_int_equal(get(w, TSS_A + FLAGS32, 4), 0x46);
	assert_int_equal(get(w, TSS_A + 40, 4), 0xA0);
	assert_int_equal(get(w, TSS_A + 68, 4), 0xA7);
	assert_int_equal(get(w, TSS_A + 76, 4), CODE0);
	assert_int_equal(get(w, TSS_A + 84, 4), DATA0);
	assert_int_equal(access_of(w, SEL_A), 0x8B);
	/* the new one: nested, busy, linked */
	assert_int_equal(w->regs.rip, 0x2000);
	assert_int_equal(w->regs.rflags, 0x202 | NT);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(w->regs.gpr[i], 0x1000 + i);
	assert_int_equal(get(w, TSS_B, 2), SEL_A);
	assert_int_equal(access_of(w, SEL_B), 0x8B);
	assert_int_equal(w->sys.seg[SEG_TR].selector, SEL_B);
	assert_int_equal(w->sys.seg[SEG_TR].base, TSS_B);
	assert_int_equal(w->sys.seg[SEG_TR].attr, 0x8B);
	assert_true(w->sys.cr0 & CR0_TS);
	assert_int_equal(w->sys.dr7, 0x6AA);
	assert_int_equal(w->sys.cpl, 0);
	/* segments from the GDT, marked as accessed there and here */
	assert_int_equal(w->sys.seg[SEG_CS].attr, 0xC9B);
	assert_int_equal(w->sys.seg[SEG_SS].attr, 0xC93);
	assert_int_equal(w->sys.seg[SEG_GS].limit, 0xFFFFFFFF);
	assert_int_equal(access_of(w, DATA0), 0x93);
	assert_true(w->sys.seg[SEG_LDTR].attr & SEG_ATTR_UNUSABLE);
}

static void test_jmp_and_iret(void **state)
{
	struct world *w = *state;

	how.source = TASK_JMP;
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(access_of(w, SEL_A) & BUSY, 0);
	assert_int_equal(access_of(w, SEL_B) & BUSY, BUSY);
	assert_int_equal(w->regs.rflags, 0x202);
	assert_int_equal(get(w, TSS_B, 2), 0); /* no way back */

	/* A is available now: it can be called, not returned to */
	how = (struct task_exit){ .selector = SEL_A, .source = TASK_IRET };
	expect_fault(w, VEC_TS, SEL_A);
	how.source = TASK_CALL;
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(w->regs.rip, 0x777);
	assert_int_equal(w->regs.gpr[GPR_RDI], 0xA7);
	assert_true(w->regs.rflags & NT);
	how = (struct task_exit){ .selector = SEL_B, .source = TASK_IRET };
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(access_of(w, SEL_A) & BUSY, 0);
	assert_int_equal(access_of(w, SEL_B) & BUSY, BUSY);
	assert_int_equal(get(w, TSS_A + FLAGS32, 4) & NT, 0); /* as if never nested */
	assert_int_equal(w->regs.rflags & NT, 0);
}

static void test_gate_with_error_code(void **state)
{
	struct world *w = *state;

	how = (struct task_exit){ .selector = SEL_B, .source = TASK_GATE, .event = true,
				  .is_exception = true, .vector = VEC_DF, .has_error = true,
				  .error = 0xABCD };
	put(w, TSS_B + 56, 0x3000, 4);
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(w->regs.gpr[GPR_RSP], 0x2FFC);
	assert_int_equal(get(w, 0x2FFC, 4), 0xABCD);
	assert_true(w->regs.rflags & NT);
	assert_int_equal(get(w, TSS_B, 2), SEL_A);
}

static void test_gate_stack_fault(void **state)
{
	struct world *w = *state;

	how = (struct task_exit){ .selector = SEL_B, .source = TASK_GATE, .event = true,
				  .has_error = true };
	describe(w, GDT, DATA0, 0, 0xFFF, 0x92, 4); /* a stack that ends below 0x3000 */
	put(w, TSS_B + 56, 0x3000, 4);
	expect_fault(w, VEC_SS, 1); /* EXT: not the program's doing */
	assert_int_equal(w->regs.rip, 0x2000);
	assert_int_equal(w->regs.gpr[GPR_RSP], 0x3000);
}

static void test_16_bit_tss(void **state)
{
	struct world *w = *state;

	describe(w, GDT, SEL_B, TSS_B, 0x2B, 0x81, 0);
	memset(w->ram + TSS_B, 0, 104);
	put(w, TSS_B + 14, 0x2000, 2);
	put(w, TSS_B + 16, 0x202, 2);
	put(w, TSS_B + 18, 0x1234, 2);
	for (unsigned i = 0; i < 4; i++)
		put(w, TSS_B + 34 + 2 * i, i == SEG_CS ? CODE0 : DATA0, 2);
	w->sys.seg[SEG_FS].selector = DATA0;
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(w->regs.gpr[GPR_RAX], 0x1234);
	assert_int_equal(w->regs.rip, 0x2000);
	assert_int_equal(w->sys.seg[SEG_TR].attr, 0x83);
	assert_int_equal(w->sys.seg[SEG_FS].selector, 0);
	assert_true(w->sys.seg[SEG_FS].attr & SEG_ATTR_UNUSABLE);
	/* and back, from 16 to 32 bits */
	w->regs.gpr[GPR_RBX] = 0x5678;
	how = (struct task_exit){ .selector = SEL_A, .source = TASK_IRET };
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(get(w, TSS_B + 14, 2), 0x777);
	assert_int_equal(get(w, TSS_B + 24, 2), 0x5678);
	assert_int_equal(w->regs.gpr[GPR_RBX], 0xA3);
}

/* Before anything is changed: the fault is the old task's. */
static void test_bad_targets(void **state)
{
	struct world *w = *state;
	struct vcpu_regs regs = w->regs;
	struct vcpu_sysregs sys = w->sys;

	how.selector = 0x50; /* beyond the GDT */
	expect_fault(w, VEC_GP, 0x50);
	how.selector = SEL_B | 4; /* in the LDT */
	expect_fault(w, VEC_GP, SEL_B | 4);
	how.selector = 3;
	expect_fault(w, VEC_GP, 0);
	how.selector = CODE0;
	expect_fault(w, VEC_GP, CODE0);
	how.selector = SEL_A | 3; /* busy; the RPL is not in the code */
	expect_fault(w, VEC_GP, SEL_A);
	how.selector = SEL_B;
	describe(w, GDT, SEL_B, TSS_B, 0x67, 0x09, 0);
	expect_fault(w, VEC_NP, SEL_B);
	describe(w, GDT, SEL_B, TSS_B, 0x66, 0x89, 0);
	expect_fault(w, VEC_TS, SEL_B);
	how.event = true;
	expect_fault(w, VEC_TS, SEL_B | 1);
	w->sys.efer = EFER_LMA;
	expect_fault(w, VEC_GP, SEL_B | 1);
	w->sys.efer = 0;
	assert_memory_equal(&regs, &w->regs, sizeof(regs));
	assert_memory_equal(&sys, &w->sys, sizeof(sys));
	assert_int_equal(get(w, TSS_A + EIP32, 4), 0);
}

/* In the new task: what it has loaded so far is what takes the fault. */
static void test_bad_segments(void **state)
{
	static const struct {
		enum segment seg;
		uint16_t selector;
		uint8_t vector;
	} rows[] = {
		{ SEG_CS, 0, VEC_TS },	       { SEG_CS, DATA0, VEC_TS },
		{ SEG_CS, CODE0 | 3, VEC_TS }, { SEG_CS, 0x50, VEC_TS },
		{ SEG_SS, 0, VEC_TS },	       { SEG_SS, CODE0, VEC_TS },
		{ SEG_SS, DATA3, VEC_TS },     { SEG_SS, SEL_ABSENT, VEC_SS },
		{ SEG_DS, SEL_B, VEC_TS },     { SEG_ES, SEL_ABSENT, VEC_NP },
		{ SEG_GS, DATA0 | 3, VEC_TS }, { SEG_FS, DATA0 | 4, VEC_TS },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world *w;

		teardown(state);
		setup(state);
		w = *state;
		put(w, TSS_B + 72 + 4 * rows[i].seg, rows[i].selector, 4);
		expect_fault(w, rows[i].vector, rows[i].selector & ~3u);
		assert_int_equal(w->regs.rip, 0x2000);
		assert_int_equal(w->sys.seg[SEG_TR].selector, SEL_B);
		assert_int_equal(get(w, TSS_A + EIP32, 4), 0x777);
		/* CS can always be entered with, and SS says the CPL */
		assert_false(w->sys.seg[SEG_CS].attr & SEG_ATTR_UNUSABLE);
		assert_int_equal(w->sys.seg[SEG_SS].attr >> 5 & 3, w->sys.cpl);
	}
}

static void test_to_user_with_ldt(void **state)
{
	struct world *w = *state;

	fill_b(w, CODE3, DATA3);
	put(w, TSS_B + 96, SEL_LDT, 4);
	describe(w, LDT, 8, 0x5000, 0xFFF, 0xF2, 4);
	put(w, TSS_B + 72 + 4 * SEG_FS, 0xF, 4); /* in the new LDT */
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(w->sys.cpl, 3);
	assert_int_equal(w->sys.seg[SEG_LDTR].base, LDT);
	assert_int_equal(w->sys.seg[SEG_FS].base, 0x5000);
	assert_int_equal(w->sys.seg[SEG_FS].selector, 0xF);
}

static void test_ldt_faults(void **state)
{
	struct world *w = *state;

	put(w, TSS_B + 96, DATA0, 4);
	expect_fault(w, VEC_TS, DATA0);
}

static void test_vm86(void **state)
{
	struct world *w = *state;

	fill_b(w, 0x1000, 0x2000);
	put(w, TSS_B + FLAGS32, 0x20202, 4);
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(w->sys.cpl, 3);
	assert_int_equal(w->sys.seg[SEG_CS].base, 0x10000);
	assert_int_equal(w->sys.seg[SEG_SS].attr, 0xF3);
	assert_int_equal(w->sys.seg[SEG_SS].limit, 0xFFFF);
}

static void test_trap_and_flags(void **state)
{
	struct world *w = *state;

	put(w, TSS_B + 100, 1, 2);
	put(w, TSS_B + FLAGS32, 0xFFFDFFFF, 4); /* all but VM */
	assert_int_equal(go(w), TASK_TRAP);
	assert_int_equal(w->regs.rflags, 0x3D7FD7);
}

static void test_entry_beyond_limit(void **state)
{
	struct world *w = *state;

	describe(w, GDT, CODE0, 0, 0xFFF, 0x9A, 4);
	expect_fault(w, VEC_GP, 0);
	assert_int_equal(w->sys.seg[SEG_CS].limit, 0xFFF);
}

/* 32-bit paging: CR3 changes, and a TSS that cannot be written changes nothing. */
static void test_paging(void **state)
{
	struct world *w = *state;
	const uint32_t dir = 0x20000, table = 0x21000, dir2 = 0x22000;

	put(w, dir, table | 3, 4);
	put(w, dir2, table | 3, 4);
	for (uint32_t i = 0; i < 0x40; i++)
		put(w, table + 4 * i, i << 12 | 3, 4);
	w->sys.cr0 |= CR0_PG | CR0_WP;
	w->sys.cr3 = dir;
	w->sys.cpl = 3; /* the CPU's own accesses are not the program's */
	put(w, TSS_B + 28, dir2, 4);
	put(w, table + 4 * (TSS_A >> 12), TSS_A | 1, 4);
	expect_fault(w, VEC_PF, 3);
	assert_int_equal(w->fault.cr2, TSS_A);
	assert_int_equal(w->sys.cr3, dir);
	assert_int_equal(access_of(w, SEL_B) & BUSY, 0);
	put(w, table + 4 * (TSS_A >> 12), TSS_A | 3, 4);
	assert_int_equal(go(w), TASK_DONE);
	assert_int_equal(w->sys.cr3, dir2);
	assert_int_equal(w->ram[dir2] & 0x20, 0x20); /* the new tables were walked */
}

static void test_combined_faults(void **state)
{
	static const struct {
		uint8_t first, second, result;
		bool goes_on;
	} rows[] = {
		{ VEC_GP, VEC_TS, VEC_DF, true }, { VEC_GP, VEC_PF, VEC_PF, true },
		{ VEC_PF, VEC_PF, VEC_DF, true }, { VEC_PF, VEC_NP, VEC_DF, true },
		{ VEC_DB, VEC_TS, VEC_TS, true }, { VEC_DF, VEC_TS, VEC_TS, false },
		{ VEC_DE, VEC_DB, VEC_DB, true },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guest_fault f = { .vector = rows[i].second };

		how = (struct task_exit){ .source = TASK_GATE, .event = true,
					  .is_exception = true, .vector = rows[i].first };
		assert_int_equal(task_fault_combine(&how, &f), rows[i].goes_on);
		assert_int_equal(f.vector, rows[i].result);
		f.vector = rows[i].second;
		how.is_exception = false; /* an interrupt: nothing to combine with */
		assert_true(task_fault_combine(&how, &f));
		assert_int_equal(f.vector, rows[i].second);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_call),
		TEST(test_jmp_and_iret),
		TEST(test_gate_with_error_code),
		TEST(test_gate_stack_fault),
		TEST(test_16_bit_tss),
		TEST(test_bad_targets),
		TEST(test_bad_segments),
		TEST(test_to_user_with_ldt),
		TEST(test_ldt_faults),
		TEST(test_vm86),
		TEST(test_trap_and_flags),
		TEST(test_entry_beyond_limit),
		TEST(test_paging),
		TEST(test_combined_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
