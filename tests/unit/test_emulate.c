/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulator: devices, faults, modes, segments, LOCK, the stack, RIP and TF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emu_world.h"

#define PF_P 1u
#define PF_W 2u

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

static uint64_t code_start(const struct world *w)
{
	return w->sys.cr0 & CR0_PG ? WORLD_CODE : WORLD_CODE_GPA - w->sys.seg[SEG_CS].base;
}

#define STEP(w, code) step(w, code, sizeof(code) - 1)

/* Runs one instruction at the start of the code page. */
static enum emu_result step(struct world *w, const char *code, size_t n)
{
	w->regs.rip = code_start(w);
	world_code(w, code, n);
	memset(&w->fault, 0xee, sizeof(w->fault));
	return emu_step(&w->cpu, &w->fault);
}

/* The instruction runs to its end. */
#define RUNS(w, code) runs(w, code, sizeof(code) - 1)

static void runs(struct world *w, const char *code, size_t n)
{
	assert_int_equal(step(w, code, n), EMU_OK);
	assert_int_equal(w->regs.rip, code_start(w) + n);
}

/* The instruction faults, and neither registers nor memory have changed. */
#define FAULTS(w, code, vector, has_error, error) \
	faults(w, code, sizeof(code) - 1, vector, has_error, error)

static void faults(struct world *w, const char *code, size_t n, uint8_t vector, bool has_error,
		   uint32_t error)
{
	static uint8_t before[0x20000];
	struct vcpu_regs regs = w->regs;

	world_code(w, code, n);
	memcpy(before, w->ram + 0x50000, sizeof(before));
	assert_int_equal(step(w, code, n), EMU_FAULT);
	assert_int_equal(w->fault.vector, vector);
	assert_int_equal(w->fault.has_error, has_error);
	assert_int_equal(w->fault.error, error);
	regs.rip = w->regs.rip;
	assert_memory_equal(&regs, &w->regs, sizeof(regs));
	assert_memory_equal(before, w->ram + 0x50000, sizeof(before));
}

static uint64_t get(struct world *w, uint64_t gpa, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, w->ram + gpa, size);
	return v;
}

static void put(struct world *w, uint64_t gpa, uint64_t v, unsigned size)
{
	memcpy(w->ram + gpa, &v, size);
}

/* ---- devices ---- */

static void assert_write(struct world *w, uint64_t gpa, unsigned size, uint64_t value)
{
	assert_int_equal(w->writes, 1);
	assert_int_equal(w->gpa, gpa);
	assert_int_equal(w->size, size);
	assert_true(w->value == value);
	w->writes = 0;
}

static void test_mmio_write(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_MMIO;
	w->regs.gpr[GPR_RAX] = 0x8877665544332211;
	RUNS(w, "\x89\x87\xb0\x00\x00\x00"); /* mov [rdi+0xb0], eax */
	assert_write(w, WORLD_MMIO + 0xb0, 4, 0x44332211);
	RUNS(w, "\x48\x89\x47\x10"); /* mov [rdi+16], rax: one access of 8 */
	assert_write(w, WORLD_MMIO + 0x10, 8, 0x8877665544332211);
	RUNS(w, "\x66\x89\x47\x11"); /* mov [rdi+17], ax: not aligned, still one */
	assert_write(w, WORLD_MMIO + 0x11, 2, 0x2211);
	RUNS(w, "\x88\x67\x03"); /* mov [rdi+3], ah */
	assert_write(w, WORLD_MMIO + 3, 1, 0x22);
	RUNS(w, "\xc7\x47\x20\x0d\x00\x00\x80"); /* mov dword [rdi+32], imm */
	assert_write(w, WORLD_MMIO + 0x20, 4, 0x8000000d);
	RUNS(w, "\x48\xc7\x47\x20\xff\xff\xff\xff"); /* mov qword [rdi+32], -1 */
	assert_write(w, WORLD_MMIO + 0x20, 8, ~0ULL);
	RUNS(w, "\xa3\xb0\x00\xe0\xfe\x00\x00\x00\x00"); /* movabs [moffs], eax */
	assert_write(w, WORLD_MMIO + 0xb0, 4, 0x44332211);
	assert_int_equal(w->reads, 0);
	w->sys.seg[SEG_DS].selector = 0x1234;
	RUNS(w, "\x8c\x1f"); /* mov [rdi], ds */
	assert_write(w, WORLD_MMIO, 2, 0x1234);
}

static void test_mmio_read(void **state)
{
	struct world *w = *state;

	w->answer = 0xfedcba9876543210;
	w->regs.gpr[GPR_RDI] = WORLD_MMIO;
	w->regs.gpr[GPR_RAX] = ~0ULL;
	RUNS(w, "\x8b\x47\x20"); /* mov eax, [rdi+32] */
	assert_int_equal(w->size, 4);
	assert_true(w->regs.gpr[GPR_RAX] == 0x76543210);
	RUNS(w, "\x48\x8b\x47\x20");
	assert_int_equal(w->size, 8);
	assert_int_equal(w->reads, 2);
	assert_true(w->regs.gpr[GPR_RAX] == 0xfedcba9876543210);
	RUNS(w, "\x0f\xb6\x57\x01"); /* movzx edx, byte [rdi+1] */
	assert_true(w->regs.gpr[GPR_RDX] == 0x10);
	w->answer = 0x80;
	RUNS(w, "\x48\x0f\xbe\x57\x01"); /* movsx rdx, byte [rdi+1] */
	assert_true(w->regs.gpr[GPR_RDX] == (uint64_t)-128);
	w->reads = 0;
	w->regs.gpr[GPR_RCX] = 1;
	RUNS(w, "\xf0\x09\x0f"); /* lock or [rdi], ecx: a read and a write */
	assert_int_equal(w->reads, 1);
	assert_write(w, WORLD_MMIO, 4, 0x81);
}

/* An operand half in RAM, half in a device: each gets its bytes. */
static void test_mmio_across_pages(void **state)
{
	struct world *w = *state;

	world_map(w, WORLD_MMIO - 0x1000, WORLD_DATA_GPA, MAP_P | MAP_W);
	w->regs.gpr[GPR_RDI] = WORLD_MMIO - 3;
	w->regs.gpr[GPR_RAX] = 0x8877665544332211;
	RUNS(w, "\x48\x89\x07"); /* mov [rdi], rax */
	assert_int_equal(get(w, WORLD_DATA_GPA + 0xffd, 3), 0x332211);
	assert_int_equal(w->writes, 2); /* 4 bytes, then 1 */
	assert_int_equal(w->gpa, WORLD_MMIO + 4);
	assert_int_equal(w->value, 0x88);
	w->answer = 0x55;
	RUNS(w, "\x8b\x07");
	assert_int_equal(w->regs.gpr[GPR_RAX], 0x55332211);
}

static void test_rep_to_device(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_MMIO;
	w->regs.gpr[GPR_RCX] = 100;
	w->regs.gpr[GPR_RAX] = 7;
	assert_int_equal(STEP(w, "\xf3\xab"), EMU_AGAIN); /* rep stosd */
	assert_int_equal(w->writes, EMU_REP_BUDGET);
	assert_int_equal(w->regs.gpr[GPR_RCX], 100 - EMU_REP_BUDGET);
	assert_int_equal(w->regs.gpr[GPR_RDI], WORLD_MMIO + 4 * EMU_REP_BUDGET);
	assert_int_equal(w->regs.rip, WORLD_CODE);
	RUNS(w, "\xf3\xab");
	assert_int_equal(w->writes, 100);
	assert_int_equal(w->regs.gpr[GPR_RCX], 0);
	RUNS(w, "\xf3\xab"); /* a count of 0 does nothing */
	assert_int_equal(w->writes, 100);
}

/* ---- faults ---- */

static void test_page_faults(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < GPR_COUNT; i++)
		w->regs.gpr[i] = 0x1111111111111111ULL * i;
	w->regs.gpr[GPR_RDI] = WORLD_HOLE;
	FAULTS(w, "\x8b\x07", VEC_PF, true, 0);
	assert_int_equal(w->fault.cr2, WORLD_HOLE);
	FAULTS(w, "\x01\x07", VEC_PF, true, PF_W);
	FAULTS(w, "\x0f\xb1\x17", VEC_PF, true, PF_W); /* cmpxchg */
	FAULTS(w, "\x0f\xc1\x17", VEC_PF, true, PF_W); /* xadd */
	FAULTS(w, "\x87\x17", VEC_PF, true, PF_W);	/* xchg */
	FAULTS(w, "\x39\x17", VEC_PF, true, 0);	/* cmp reads only */
	/* the second half of an operand: the first is not written */
	w->regs.gpr[GPR_RDI] = WORLD_HOLE - 2;
	FAULTS(w, "\x89\x07", VEC_PF, true, PF_W);
	assert_int_equal(w->fault.cr2, WORLD_HOLE);
	/* a write that finds no right to it */
	*world_map(w, WORLD_DATA, WORLD_DATA_GPA, MAP_P) &= ~(uint64_t)MAP_W;
	w->regs.gpr[GPR_RDI] = WORLD_DATA + 8;
	FAULTS(w, "\xff\x07", VEC_PF, true, PF_P | PF_W);
	RUNS(w, "\x8b\x07");
}

static void test_fetch_faults(void **state)
{
	struct world *w = *state;

	/* an instruction across two pages, then with the second one missing */
	w->regs.gpr[GPR_RDI] = WORLD_DATA;
	memcpy(w->ram + WORLD_CODE_GPA + 0xffe, "\x89\x87\xb0\x00\x00\x00", 6);
	w->regs.rip = WORLD_CODE + 0xffe;
	assert_int_equal(emu_step(&w->cpu, &w->fault), EMU_OK);
	assert_int_equal(w->regs.rip, WORLD_CODE + 0x1004);
	*world_map(w, WORLD_CODE + 0x1000, 0, 0) = 0;
	w->regs.rip = WORLD_CODE + 0xffe;
	assert_int_equal(emu_step(&w->cpu, &w->fault), EMU_FAULT);
	assert_int_equal(w->fault.vector, VEC_PF);
	assert_int_equal(w->fault.cr2, WORLD_CODE + 0x1000);
	assert_int_equal(w->fault.error, 0x10);
	/* one that ends with the page does not need the second */
	memcpy(w->ram + WORLD_CODE_GPA + 0xffe, "\x89\x07", 2);
	assert_int_equal(emu_step(&w->cpu, &w->fault), EMU_OK);
	/* 15 prefixes */
	FAULTS(w, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", VEC_GP,
	       true, 0);
	/* RIP outside the canonical range */
	w->regs.rip = 0x800000000000;
	assert_int_equal(emu_step(&w->cpu, &w->fault), EMU_FAULT);
	assert_int_equal(w->fault.vector, VEC_GP);
}

static void test_canonical(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = 0x800000000000;
	FAULTS(w, "\x8b\x07", VEC_GP, true, 0);
	w->regs.gpr[GPR_RDI] = 0x7fffffffffff; /* the first byte is, the others are not */
	FAULTS(w, "\x8b\x07", VEC_GP, true, 0);
	w->regs.gpr[GPR_RBP] = 0x800000000000;
	FAULTS(w, "\x8b\x45\x00", VEC_SS, true, 0);
	w->sys.seg[SEG_FS].base = WORLD_DATA;
	w->regs.gpr[GPR_RBP] = 0x10;
	put(w, WORLD_DATA_GPA + 0x10, 0xabcdef, 4);
	RUNS(w, "\x64\x8b\x45\x00"); /* mov eax, fs:[rbp] */
	assert_int_equal(w->regs.gpr[GPR_RAX], 0xabcdef);
}

static void test_lock(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_DATA;
	FAULTS(w, "\xf0\x89\x07", VEC_UD, false, 0);	     /* mov */
	FAULTS(w, "\xf0\x01\xc0", VEC_UD, false, 0);	     /* add eax, eax */
	FAULTS(w, "\xf0\x03\x07", VEC_UD, false, 0);	     /* add eax, [rdi] */
	FAULTS(w, "\xf0\x39\x07", VEC_UD, false, 0);	     /* cmp */
	FAULTS(w, "\xf0\x83\x3f\x01", VEC_UD, false, 0);     /* cmp [rdi], 1 */
	FAULTS(w, "\xf0\x0f\xa3\x07", VEC_UD, false, 0);     /* bt */
	FAULTS(w, "\xf0\x0f\xba\x27\x01", VEC_UD, false, 0); /* bt [rdi], 1 */
	FAULTS(w, "\xf0\xa5", VEC_UD, false, 0);	     /* movsd */
	FAULTS(w, "\xf0\xf7\x07\x01\x00\x00\x00", VEC_UD, false, 0); /* test */
	RUNS(w, "\xf0\xff\x07"); /* lock inc [rdi] */
	assert_int_equal(get(w, WORLD_DATA_GPA, 4), 1);
}

/* Another CPU changes the operand between the emulator's read and its update. */
static void meddle_data(struct world *w, uint64_t gpa)
{
	if (gpa == WORLD_DATA_GPA && w->reads++ == 1)
		w->ram[WORLD_DATA_GPA]++;
}

static void test_locked_race(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_DATA;
	w->meddle = meddle_data;
	assert_int_equal(STEP(w, "\xf0\x83\x07\x10"), EMU_RETRY); /* lock add [rdi], 16 */
	assert_int_equal(w->regs.rip, WORLD_CODE);
	assert_int_equal(get(w, WORLD_DATA_GPA, 4), 1);
	RUNS(w, "\xf0\x83\x07\x10");
	assert_int_equal(get(w, WORLD_DATA_GPA, 4), 17);
	w->reads = 0;
	w->regs.gpr[GPR_RAX] = 5;
	assert_int_equal(STEP(w, "\x87\x07"), EMU_RETRY); /* xchg locks by itself */
	assert_int_equal(w->regs.gpr[GPR_RAX], 5);
}

static void test_cmpxchg8b(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_DATA;
	w->regs.gpr[GPR_RAX] = 0x11223344;
	w->regs.gpr[GPR_RDX] = 0x55667788;
	w->regs.gpr[GPR_RBX] = 0xdeadbeefaabbccdd;
	w->regs.gpr[GPR_RCX] = 0xeeff0011;
	put(w, WORLD_DATA_GPA, 0x5566778811223344, 8);
	RUNS(w, "\xf0\x0f\xc7\x0f");
	assert_true(get(w, WORLD_DATA_GPA, 8) == 0xeeff0011aabbccdd);
	assert_true(w->regs.rflags & RFLAGS_ZF);
	RUNS(w, "\xf0\x0f\xc7\x0f");
	assert_false(w->regs.rflags & RFLAGS_ZF);
	assert_true(w->regs.gpr[GPR_RAX] == 0xaabbccdd && w->regs.gpr[GPR_RDX] == 0xeeff0011);
	/* 16 bytes */
	assert_int_equal(STEP(w, "\xf0\x48\x0f\xc7\x0f"), EMU_UNSUPPORTED);
}

static void test_alignment_check(void **state)
{
	struct world *w = *state;

	world_map(w, WORLD_CODE, WORLD_CODE_GPA, MAP_P | MAP_U);
	world_map(w, WORLD_DATA, WORLD_DATA_GPA, MAP_P | MAP_W | MAP_U);
	w->sys.cpl = 3;
	w->sys.cr0 |= CR0_AM;
	w->regs.gpr[GPR_RDI] = WORLD_DATA + 1;
	RUNS(w, "\x8b\x07");
	w->regs.rflags |= RFLAGS_AC;
	FAULTS(w, "\x8b\x07", VEC_AC, true, 0);
	RUNS(w, "\x8a\x07");
}

static void test_unsupported(void **state)
{
	struct world *w = *state;
	struct vcpu_regs before;

	w->regs.gpr[GPR_RDI] = WORLD_DATA;
	w->regs.rip = WORLD_CODE;
	before = w->regs;
	assert_int_equal(STEP(w, "\x0f\x28\x07"), EMU_UNSUPPORTED);	/* movaps */
	assert_int_equal(STEP(w, "\xf7\x27"), EMU_UNSUPPORTED);		/* mul */
	assert_int_equal(STEP(w, "\xff\x17"), EMU_UNSUPPORTED);		/* call */
	assert_int_equal(STEP(w, "\xc5\xfe\x6f\x07"), EMU_UNSUPPORTED); /* vmovdqu */
	assert_int_equal(STEP(w, "\x06"), EMU_UNSUPPORTED);		/* nothing in 64-bit code */
	assert_int_equal(STEP(w, "\xf2\x0f\x38\xf1\x07"), EMU_UNSUPPORTED); /* crc32 */
	assert_memory_equal(&before, &w->regs, sizeof(before));
}

/* A REP that meets a fault: what came before is done, RIP still points at it. */
static void test_rep_fault(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RSI] = WORLD_DATA;
	w->regs.gpr[GPR_RDI] = WORLD_HOLE - 10;
	w->regs.gpr[GPR_RCX] = 20;
	memset(w->ram + WORLD_DATA_GPA, 0x5a, 64);
	assert_int_equal(STEP(w, "\xf3\xa4"), EMU_FAULT);
	assert_int_equal(w->fault.cr2, WORLD_HOLE);
	assert_int_equal(w->regs.gpr[GPR_RCX], 10);
	assert_int_equal(w->regs.gpr[GPR_RSI], WORLD_DATA + 10);
	assert_int_equal(w->regs.gpr[GPR_RDI], WORLD_HOLE);
	assert_int_equal(w->regs.rip, WORLD_CODE);
	assert_int_equal(get(w, WORLD_DATA2_GPA + 0xff6, 8), 0x5a5a5a5a5a5a5a5a);
	/* flags of a comparison that faults are those before it */
	memset(w->ram + WORLD_DATA2_GPA + 0xff0, 0, 16);
	w->regs.gpr[GPR_RDI] = WORLD_HOLE - 4;
	w->regs.gpr[GPR_RCX] = 20;
	w->regs.gpr[GPR_RAX] = 0;
	w->regs.rflags = RFLAGS_RESERVED1 | RFLAGS_CF;
	assert_int_equal(STEP(w, "\xf3\xae"), EMU_FAULT); /* repe scasb */
	assert_int_equal(w->regs.rflags, RFLAGS_RESERVED1 | RFLAGS_CF);
	assert_int_equal(w->regs.gpr[GPR_RCX], 16);
}

/* ---- the end of an instruction ---- */

static void test_rf_tf_rip(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_DATA;
	w->regs.gpr[GPR_RCX] = 5;
	w->regs.rflags |= RFLAGS_RF;
	RUNS(w, "\x89\x07");
	assert_false(w->regs.rflags & RFLAGS_RF);
	assert_false(emu_trap_due(&w->regs));
	w->regs.rflags |= RFLAGS_TF;
	RUNS(w, "\x89\x07");
	assert_true(emu_trap_due(&w->regs));
	/* with TF each element of a REP is a step */
	assert_int_equal(STEP(w, "\xf3\xaa"), EMU_AGAIN);
	assert_int_equal(w->regs.gpr[GPR_RCX], 4);
	assert_true(emu_trap_due(&w->regs));
}

static void test_rip_relative(void **state)
{
	struct world *w = *state;

	put(w, WORLD_CODE_GPA + 6 + 0x100, 0x12345678, 4);
	RUNS(w, "\x8b\x05\x00\x01\x00\x00"); /* mov eax, [rip+0x100] */
	assert_int_equal(w->regs.gpr[GPR_RAX], 0x12345678);
	/* the immediate counts: mov dword [rip+0x100], 9 */
	RUNS(w, "\xc7\x05\x00\x01\x00\x00\x09\x00\x00\x00");
	assert_int_equal(get(w, WORLD_CODE_GPA + 10 + 0x100, 4), 9);
}

/* ---- other modes and segments ---- */

static void test_real_mode(void **state)
{
	struct world *w = *state;

	world_flat(w, 16);
	w->sys.cr0 = 0;
	world_segment(w, SEG_CS, 0x40000, 0xffff, ATTR_CODE16);
	world_segment(w, SEG_DS, 0x50000, 0xffff, ATTR_DATA);
	world_segment(w, SEG_SS, 0x60000, 0xffff, ATTR_DATA);
	world_segment(w, SEG_ES, 0x70000, 0xffff, ATTR_DATA);
	w->regs.gpr[GPR_RAX] = 0xaabbccdd11223344;
	w->regs.gpr[GPR_RBX] = 0xfff0;
	w->regs.gpr[GPR_RSI] = 0x30;
	RUNS(w, "\x89\x00"); /* mov [bx+si], ax: the sum wraps at 64 KiB */
	assert_int_equal(get(w, 0x50020, 4), 0x3344);
	w->regs.gpr[GPR_RBP] = 0x100;
	RUNS(w, "\x89\x46\x08"); /* mov [bp+8], ax: in SS */
	assert_int_equal(get(w, 0x60108, 2), 0x3344);
	RUNS(w, "\x26\x66\x89\x46\x08"); /* mov es:[bp+8], eax */
	assert_int_equal(get(w, 0x70108, 4), 0x11223344);
	RUNS(w, "\x67\x89\x03"); /* mov [ebx], ax */
	assert_int_equal(get(w, 0x5fff0, 2), 0x3344);
	/* the limit; in real mode without an error code */
	w->regs.gpr[GPR_RBX] = 0xffff;
	FAULTS(w, "\x89\x07", VEC_GP, false, 0);
	w->regs.gpr[GPR_RBP] = 0xffff;
	FAULTS(w, "\x89\x46\x00", VEC_SS, false, 0);
	RUNS(w, "\x88\x46\x00"); /* a byte still fits */
	w->regs.gpr[GPR_RBX] = 0x12340000;
	FAULTS(w, "\x67\x89\x03", VEC_GP, false, 0);
	/* string instructions wrap their 16-bit registers and leave the upper halves */
	w->regs.gpr[GPR_RDI] = 0xdead0000ffff;
	w->regs.gpr[GPR_RCX] = 0xbeef0001;
	RUNS(w, "\xf3\xaa");
	assert_true(w->regs.gpr[GPR_RDI] == 0xdead00000000);
	assert_true(w->regs.gpr[GPR_RCX] == 0xbeef0000);
	assert_int_equal(w->ram[0x7ffff], 0x44);
}

static void test_rip_wraps(void **state)
{
	struct world *w = *state;

	world_flat(w, 16);
	w->sys.cr0 = 0;
	world_segment(w, SEG_CS, 0x40000, 0xffff, ATTR_CODE16);
	memcpy(w->ram + 0x4fffe, "\x88\x07", 2); /* mov [bx], al */
	w->regs.rip = 0xfffe;
	assert_int_equal(emu_step(&w->cpu, &w->fault), EMU_OK);
	assert_int_equal(w->regs.rip, 0);
	/* an instruction that runs past the limit */
	memcpy(w->ram + 0x4fffe, "\xc6\x07", 2);
	w->regs.rip = 0xfffe;
	assert_int_equal(emu_step(&w->cpu, &w->fault), EMU_FAULT);
	assert_int_equal(w->fault.vector, VEC_GP);
	w->regs.rip = 0x10000;
	assert_int_equal(emu_step(&w->cpu, &w->fault), EMU_FAULT);
	assert_int_equal(w->fault.vector, VEC_GP);
}

static void test_protected_segments(void **state)
{
	struct world *w = *state;

	world_flat(w, 32);
	w->regs.gpr[GPR_RDI] = 0x50000;
	w->regs.gpr[GPR_RBP] = 0x50000;
	w->regs.gpr[GPR_RAX] = 0x77;
	RUNS(w, "\x89\x07");
	assert_int_equal(get(w, 0x50000, 4), 0x77);
	FAULTS(w, "\x2e\x89\x07", VEC_GP, true, 0); /* code cannot be written, */
	RUNS(w, "\x2e\x8b\x07");		     /* but read, */
	w->sys.seg[SEG_CS].attr &= (uint16_t)~2u;
	FAULTS(w, "\x2e\x8b\x07", VEC_GP, true, 0); /* if it is readable */
	w->sys.seg[SEG_DS].attr = ATTR_DATA_RO;
	FAULTS(w, "\x89\x07", VEC_GP, true, 0);
	RUNS(w, "\x8b\x07");
	w->sys.seg[SEG_DS].attr |= SEG_ATTR_UNUSABLE;
	FAULTS(w, "\x8b\x07", VEC_GP, true, 0);
	w->sys.seg[SEG_SS].limit = 0x50002;
	FAULTS(w, "\x8b\x45\x00", VEC_SS, true, 0);
	RUNS(w, "\x66\x8b\x45\x00");
	w->sys.seg[SEG_ES].limit = 0x50003;
	RUNS(w, "\x26\x8b\x07");
	/* expand-down: the limit is below what is valid */
	w->sys.seg[SEG_ES].attr |= 4;
	FAULTS(w, "\x26\x8b\x07", VEC_GP, true, 0);
	w->sys.seg[SEG_ES].limit = 0x4ffff;
	RUNS(w, "\x26\x8b\x07");
	w->sys.seg[SEG_ES].attr &= (uint16_t)~SEG_ATTR_DB; /* then it ends at 64 KiB */
	FAULTS(w, "\x26\x8b\x07", VEC_GP, true, 0);
	/* base and offset wrap at 4 GiB */
	world_segment(w, SEG_ES, 0xfffff000, 0xffffffff, ATTR_DATA);
	w->regs.gpr[GPR_RDI] = 0x51000;
	put(w, 0x50000, 0x99, 4);
	RUNS(w, "\x26\x8b\x07");
	assert_int_equal(w->regs.gpr[GPR_RAX], 0x99);
	/* an operand beyond the last byte of the segment */
	w->regs.gpr[GPR_RDI] = 0xfffffffd;
	FAULTS(w, "\x26\x8b\x07", VEC_GP, true, 0);
}

static void test_vm86(void **state)
{
	struct world *w = *state;

	world_flat(w, 32); /* the D bit of CS does not count */
	w->regs.rflags |= RFLAGS_VM;
	w->sys.cpl = 3;
	world_segment(w, SEG_CS, 0x40000, 0xffff, 0xf3);
	world_segment(w, SEG_DS, 0x50000, 0xffff, 0xf3);
	w->regs.gpr[GPR_RBX] = 0x10;
	w->regs.gpr[GPR_RAX] = 0x12345678;
	RUNS(w, "\x89\x07"); /* mov [bx], ax */
	assert_int_equal(get(w, 0x50010, 4), 0x5678);
	w->regs.gpr[GPR_RBX] = 0xffff;
	FAULTS(w, "\x89\x07", VEC_GP, true, 0);
}

/* ---- the stack ---- */

static void test_push_pop(void **state)
{
	struct world *w = *state;
	uint64_t *rsp = &w->regs.gpr[GPR_RSP];

	*rsp = WORLD_DATA + 0x100;
	w->regs.gpr[GPR_RDI] = WORLD_DATA + 0x200;
	put(w, WORLD_DATA_GPA + 0x200, 0x1122334455667788, 8);
	RUNS(w, "\xff\x37"); /* push qword [rdi] */
	assert_int_equal(*rsp, WORLD_DATA + 0xf8);
	assert_true(get(w, WORLD_DATA_GPA + 0xf8, 8) == 0x1122334455667788);
	RUNS(w, "\x66\xff\x37"); /* push word [rdi] */
	assert_int_equal(*rsp, WORLD_DATA + 0xf6);
	RUNS(w, "\x66\x8f\x47\x10"); /* pop word [rdi+16] */
	assert_int_equal(get(w, WORLD_DATA_GPA + 0x210, 8), 0x7788);
	RUNS(w, "\x8f\x44\x24\x40"); /* pop qword [rsp+0x40]: RSP as it is behind the pop */
	assert_int_equal(*rsp, WORLD_DATA + 0x100);
	assert_true(get(w, WORLD_DATA_GPA + 0x140, 8) == 0x1122334455667788);
	RUNS(w, "\xff\x74\x24\x40"); /* push [rsp+0x40]: RSP as it was before */
	assert_true(get(w, WORLD_DATA_GPA + 0xf8, 8) == 0x1122334455667788);
	/* a push that cannot be stored has not read the device */
	w->regs.gpr[GPR_RDI] = WORLD_MMIO;
	*rsp = WORLD_HOLE + 8;
	w->reads = 0;
	FAULTS(w, "\xff\x37", VEC_PF, true, PF_W);
	assert_int_equal(w->reads, 0);
	*rsp = 0x800000000000 + 8;
	FAULTS(w, "\xff\x37", VEC_SS, true, 0);
	/* a pop to a page that is not there keeps RSP */
	*rsp = WORLD_DATA;
	w->regs.gpr[GPR_RDI] = WORLD_HOLE;
	FAULTS(w, "\x8f\x07", VEC_PF, true, PF_W);
}

static void test_push_16bit_stack(void **state)
{
	struct world *w = *state;

	world_flat(w, 32);
	world_segment(w, SEG_SS, 0x60000, 0xffff, ATTR_DATA & ~SEG_ATTR_DB);
	w->regs.gpr[GPR_RSP] = 0x12340000; /* SP is 0 */
	w->regs.gpr[GPR_RDI] = 0x50000;
	put(w, 0x50000, 0xcafebabe, 4);
	RUNS(w, "\xff\x37");
	assert_int_equal(w->regs.gpr[GPR_RSP], 0x1234fffc);
	assert_int_equal(get(w, 0x6fffc, 4), 0xcafebabe);
}

static void test_bits_beyond_operand(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_DATA + 0x800;
	w->regs.gpr[GPR_RAX] = 0x1005; /* bit 4101: byte 512, bit 5 */
	RUNS(w, "\x0f\xab\x07");
	assert_int_equal(w->ram[WORLD_DATA_GPA + 0xa00], 0x20);
	w->regs.gpr[GPR_RAX] = (uint64_t)-1; /* the bit before */
	RUNS(w, "\x48\x0f\xab\x07");
	assert_int_equal(w->ram[WORLD_DATA_GPA + 0x7ff], 0x80);
	w->regs.gpr[GPR_RAX] = 0x80000000; /* a negative offset of 256 MiB */
	w->regs.gpr[GPR_RDI] = WORLD_DATA + 0x10000000;
	RUNS(w, "\x0f\xab\x07");
	assert_int_equal(w->ram[WORLD_DATA_GPA], 1);
	assert_false(w->regs.rflags & RFLAGS_CF);
	RUNS(w, "\x0f\xa3\x07");
	assert_true(w->regs.rflags & RFLAGS_CF);
	FAULTS(w, "\x0f\xba\x07\x01", VEC_UD, false, 0); /* 0F BA /0 */
}

/* ---- lengths ---- */

static void test_insn_length(void **state)
{
	struct world *w = *state;

	world_code(w, "\x3e\x66\xf2\x48\x0f\xa2", 6);
	assert_int_equal(emu_insn_length(&w->cpu, &w->fault), 6);
	world_code(w, "\x0f\x04", 2);
	assert_int_equal(emu_insn_length(&w->cpu, &w->fault), 0);
	assert_int_equal(w->fault.vector, VEC_UD);
	assert_false(w->fault.has_error);
	w->regs.rip = WORLD_HOLE;
	assert_int_equal(emu_insn_length(&w->cpu, &w->fault), 0);
	assert_int_equal(w->fault.vector, VEC_PF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mmio_write),
		TEST(test_mmio_read),
		TEST(test_mmio_across_pages),
		TEST(test_rep_to_device),
		TEST(test_page_faults),
		TEST(test_fetch_faults),
		TEST(test_canonical),
		TEST(test_lock),
		TEST(test_locked_race),
		TEST(test_cmpxchg8b),
		TEST(test_alignment_check),
		TEST(test_unsupported),
		TEST(test_rep_fault),
		TEST(test_rf_tf_rip),
		TEST(test_rip_relative),
		TEST(test_real_mode),
		TEST(test_rip_wraps),
		TEST(test_protected_segments),
		TEST(test_vm86),
		TEST(test_push_pop),
		TEST(test_push_16bit_stack),
		TEST(test_bits_beyond_operand),
		TEST(test_insn_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
