/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every form that an assembler writes (insn_forms.asm) has the length that it
 * says, and is one that the emulator knows: on RAM and on a device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/insn.h"
#include "emu_world.h"

extern const uint8_t insn_forms64[], insn_forms32[], insn_forms16[];

#define FLAT_DATA 0x50000u
#define FLAT_MMIO 0xfee00000u

static int setup(void **state)
{
	*state = malloc(sizeof(struct world));
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void prepare(struct world *w, unsigned bits, uint64_t data)
{
	world_init(w);
	if (bits != 64)
		world_flat(w, bits);
	for (unsigned i = 0; i < 16; i++)
		w->regs.gpr[i] = 0;
	w->regs.gpr[GPR_RDI] = data;
	w->regs.gpr[GPR_RSI] = data;
	w->regs.gpr[GPR_RSP] = data + 0x800;
	/* The 16-bit registers hold the low half; the segments have the rest. */
	if (bits == 16) {
		for (unsigned i = 0; i <= SEG_GS; i++)
			if (i != SEG_CS)
				w->sys.seg[i].base = data;
		w->regs.gpr[GPR_RDI] = w->regs.gpr[GPR_RSI] = 0x40;
		w->regs.gpr[GPR_RSP] = 0x800;
	}
	w->regs.gpr[GPR_RCX] = 2;
}

static void check_form(struct world *w, const uint8_t *code, unsigned len, unsigned bits,
		       uint64_t data)
{
	enum emu_result result;
	struct insn insn;
	unsigned steps = 0;

	assert_int_equal(insn_decode(&insn, code, INSN_MAX, bits), INSN_OK);
	if (insn.len != len)
		fail_msg("%u bits, %02x %02x %02x: length %u, not %u", bits, code[0], code[1],
			 code[2], insn.len, len);
	prepare(w, bits, data);
	world_code(w, code, len);
	w->regs.rip = bits == 64 ? WORLD_CODE : WORLD_CODE_GPA;
	do {
		result = emu_step(&w->cpu, &w->fault);
	} while (result == EMU_AGAIN && ++steps < 4);
	if (result != EMU_OK)
		fail_msg("%u bits, %02x %02x %02x %02x: result %d, vector %u", bits, code[0],
			 code[1], code[2], code[3], (int)result, w->fault.vector);
	assert_int_equal((w->regs.rip & 0xfff), len);
	world_free(w);
}

static void check_all(struct world *w, const uint8_t *forms, unsigned bits, uint64_t data)
{
	unsigned n = 0;

	for (; *forms; forms += 1 + *forms, n++)
		check_form(w, forms + 1, *forms, bits, data);
	assert_true(n > 70);
}

static void test_64(void **state)
{
	check_all(*state, insn_forms64, 64, WORLD_DATA);
	/* The stack of PUSH and POP is a device too then. */
	check_all(*state, insn_forms64, 64, WORLD_MMIO);
}

static void test_32(void **state)
{
	check_all(*state, insn_forms32, 32, FLAT_DATA);
	check_all(*state, insn_forms32, 32, FLAT_MMIO);
}

static void test_16(void **state)
{
	check_all(*state, insn_forms16, 16, FLAT_DATA);
	check_all(*state, insn_forms16, 16, FLAT_MMIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_64, setup, teardown),
		cmocka_unit_test_setup_teardown(test_32, setup, teardown),
		cmocka_unit_test_setup_teardown(test_16, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
