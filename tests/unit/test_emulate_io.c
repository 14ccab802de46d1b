/* SPDX-License-Identifier: BSD-2-Clause */
/* INS and OUTS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emu_world.h"

/* Ports: what was written, and a counter to read. */
static uint32_t out_log[128], in_next;
static unsigned n_out, n_in, port_size;
static uint16_t last_port;

static uint32_t port_in(void *ctx, uint16_t port, unsigned size)
{
	(void)ctx;
	n_in++;
	last_port = port;
	port_size = size;
	return in_next++;
}

static void port_out(void *ctx, uint16_t port, unsigned size, uint32_t value)
{
	(void)ctx;
	if (n_out < ARRAY_SIZE(out_log))
		out_log[n_out] = value;
	n_out++;
	last_port = port;
	port_size = size;
}

static const struct emu_port_ops ports = { port_in, port_out };

static int setup(void **state)
{
	struct world *w = malloc(sizeof(*w));

	world_init(w);
	*state = w;
	n_in = n_out = 0;
	in_next = 0x41;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

static enum emu_result run(struct world *w, const char *code, size_t n, unsigned budget)
{
	world_code(w, code, n);
	return emu_string_io(&w->cpu, &ports, budget, &w->fault);
}

#define RUN(w, code, budget) run(w, code, sizeof(code) - 1, budget)

static void test_outs(void **state)
{
	struct world *w = *state;

	memcpy(w->ram + WORLD_DATA_GPA, "Hello", 5);
	w->regs.gpr[GPR_RSI] = WORLD_DATA;
	w->regs.gpr[GPR_RDX] = 0x5555000003f8;
	w->regs.gpr[GPR_RCX] = 5;
	assert_int_equal(RUN(w, "\xf3\x6e", 3), EMU_AGAIN); /* rep outsb */
	assert_int_equal(n_out, 3);
	assert_int_equal(w->regs.gpr[GPR_RCX], 2);
	assert_int_equal(w->regs.rip, WORLD_CODE);
	assert_int_equal(RUN(w, "\xf3\x6e", 3), EMU_OK);
	assert_int_equal(w->regs.rip, WORLD_CODE + 2);
	assert_int_equal(n_out, 5);
	assert_int_equal(out_log[4], 'o');
	assert_int_equal(last_port, 0x3f8);
	assert_int_equal(port_size, 1);
	assert_int_equal(w->regs.gpr[GPR_RSI], WORLD_DATA + 5);
	assert_int_equal(w->regs.gpr[GPR_RCX], 0);
	/* not repeated, with REX.W, backwards, from FS */
	w->regs.rip = WORLD_CODE;
	w->regs.rflags |= RFLAGS_DF;
	w->sys.seg[SEG_FS].base = WORLD_DATA;
	w->regs.gpr[GPR_RSI] = 1;
	assert_int_equal(RUN(w, "\x64\x48\x6f", 9), EMU_OK);
	assert_int_equal(port_size, 4);
	assert_memory_equal(&out_log[5], "ello", 4);
	assert_true(w->regs.gpr[GPR_RSI] == (uint64_t)-3);
}

static void test_ins(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_DATA;
	w->regs.gpr[GPR_RDX] = 0x1f0;
	w->regs.gpr[GPR_RCX] = 4;
	w->sys.seg[SEG_FS].base = 0x1000; /* ES takes no override */
	assert_int_equal(RUN(w, "\x64\xf2\x66\x6d", 100), EMU_OK); /* repne insw */
	assert_memory_equal(w->ram + WORLD_DATA_GPA, "A\0B\0C\0D\0", 9);
	assert_int_equal(w->regs.gpr[GPR_RDI], WORLD_DATA + 8);
	assert_int_equal(port_size, 2);
	/* a budget of 0 still goes on */
	w->regs.rip = WORLD_CODE;
	w->regs.gpr[GPR_RCX] = 2;
	assert_int_equal(RUN(w, "\xf3\x6c", 0), EMU_AGAIN);
	assert_int_equal(w->regs.gpr[GPR_RCX], 1);
	/* a count of 0 reads nothing */
	n_in = 0;
	w->regs.gpr[GPR_RCX] = 0;
	assert_int_equal(RUN(w, "\xf3\x6c", 0), EMU_OK);
	assert_int_equal(n_in, 0);
}

/* The element that faults has not touched its port. */
static void test_faults(void **state)
{
	struct world *w = *state;

	w->regs.gpr[GPR_RDI] = WORLD_HOLE - 6;
	w->regs.gpr[GPR_RCX] = 5;
	assert_int_equal(RUN(w, "\xf3\x6d", 100), EMU_FAULT); /* rep insd */
	assert_int_equal(n_in, 1);
	assert_int_equal(w->regs.gpr[GPR_RCX], 4);
	assert_int_equal(w->regs.gpr[GPR_RDI], WORLD_HOLE - 2);
	assert_int_equal(w->fault.vector, VEC_PF);
	assert_true(w->fault.cr2 == WORLD_HOLE);
	assert_int_equal(w->fault.error, 2);
	assert_int_equal(w->regs.rip, WORLD_CODE);
	w->regs.gpr[GPR_RSI] = WORLD_HOLE;
	assert_int_equal(RUN(w, "\xf3\x6e", 100), EMU_FAULT);
	assert_int_equal(n_out, 0);
	assert_int_equal(w->fault.error, 0);
}

static void test_real_mode(void **state)
{
	struct world *w = *state;

	world_flat(w, 16);
	w->sys.cr0 = 0;
	world_segment(w, SEG_ES, 0x50000, 0xffff, ATTR_DATA);
	w->regs.gpr[GPR_RDI] = 0xfffe;
	w->regs.gpr[GPR_RCX] = 2;
	assert_int_equal(RUN(w, "\xf3\x6d", 100), EMU_OK); /* rep insw */
	assert_int_equal(w->ram[0x5fffe], 0x41);
	assert_int_equal(w->ram[0x50000], 0x42);
	assert_int_equal(w->regs.gpr[GPR_RDI], 2);
	w->regs.rip = WORLD_CODE_GPA;
	w->regs.gpr[GPR_RDI] = 0xffff; /* the limit */
	w->regs.gpr[GPR_RCX] = 1;
	n_in = 0;
	assert_int_equal(RUN(w, "\xf3\x6d", 100), EMU_FAULT);
	assert_int_equal(w->fault.vector, VEC_GP);
	assert_false(w->fault.has_error);
	assert_int_equal(n_in, 0);
}

static void test_others(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN(w, "\xf3\xa4", 1), EMU_UNSUPPORTED); /* rep movsb */
	assert_int_equal(RUN(w, "\xee", 1), EMU_UNSUPPORTED);	  /* out dx, al */
	assert_int_equal(RUN(w, "\xf0\x6e", 1), EMU_FAULT);	  /* lock outsb */
	assert_int_equal(w->fault.vector, VEC_UD);
	/* and INS, OUTS are not emu_step's: it has no ports */
	world_code(w, "\x6e", 1);
	assert_int_equal(emu_step(&w->cpu, &w->fault), EMU_UNSUPPORTED);
	/* single steps */
	w->regs.rflags |= RFLAGS_TF;
	w->regs.gpr[GPR_RDI] = WORLD_DATA;
	w->regs.gpr[GPR_RCX] = 3;
	assert_int_equal(RUN(w, "\xf3\x6c", 100), EMU_AGAIN);
	assert_int_equal(w->regs.gpr[GPR_RCX], 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_outs), TEST(test_ins), TEST(test_faults), TEST(test_real_mode),
		TEST(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
