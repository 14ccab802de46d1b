/* SPDX-License-Identifier: BSD-2-Clause */
/* From an opcode to the function that does it. */
#include "emulate_impl.h"

static enum emu_result one_byte(struct emulation *e)
{
	unsigned op = e->insn.opcode;

	if (op < 0x40)
		return (op & 7) < 6 ? emulate_arith(e) : EMU_UNSUPPORTED;
	switch (op) {
	case 0x63: return emulate_movsxd(e);
	case 0x69: case 0x6b: return emulate_imul(e);
	case 0x80: case 0x81: case 0x82: case 0x83: return emulate_group1(e);
	case 0x84: case 0x85: return emulate_test(e);
	case 0x86: case 0x87: return emulate_xchg(e);
	case 0x88: case 0x89: case 0x8a: case 0x8b: return emulate_mov(e);
	case 0x8c: return emulate_mov_sreg(e);
	case 0x8f: return emulate_pop(e);
	case 0xa0: case 0xa1: case 0xa2: case 0xa3: return emulate_mov_moffs(e);
	case 0xa4: case 0xa5: case 0xa6: case 0xa7: return emulate_string(e);
	case 0xa8: case 0xa9: return emulate_test(e);
	case 0xaa: case 0xab: case 0xac: case 0xad: case 0xae: case 0xaf: return emulate_string(e);
	case 0xc0: case 0xc1: return emulate_shift(e);
	case 0xc6: case 0xc7: return emulate_mov_imm(e);
	case 0xd0: case 0xd1: case 0xd2: case 0xd3: return emulate_shift(e);
	case 0xf6: case 0xf7: return emulate_group3(e);
	case 0xfe: case 0xff: return emulate_group45(e);
	default: return EMU_UNSUPPORTED;
	}
}

static enum emu_result two_byte(struct emulation *e)
{
	const unsigned op = e->insn.opcode;

	if (op >= 0x40 && op < 0x50)
		return emulate_cmovcc(e);
	if (op >= 0x90 && op < 0xa0)
		return emulate_setcc(e);
	switch (op) {
	case 0xa3: case 0xab: case 0xb3: case 0xbb: return emulate_bit_reg(e);
	case 0xaf: return emulate_imul(e);
	case 0xb0: case 0xb1: return emulate_cmpxchg(e);
	case 0xb6: case 0xb7: case 0xbe: case 0xbf: return emulate_movx(e);
	case 0xba: return emulate_bit_imm(e);
	case 0xc0: case 0xc1: return emulate_xadd(e);
	case 0xc3: return emulate_movnti(e);
	case 0xc7: return emulate_cmpxchg8b(e);
	default: return EMU_UNSUPPORTED;
	}
}

static enum emu_result dispatch(struct emulation *e)
{
	switch (e->insn.map) {
	case INSN_MAP_ONE: return one_byte(e);
	case INSN_MAP_0F: return two_byte(e);
	case INSN_MAP_0F38:
		return (e->insn.opcode & 0xfe) == 0xf0 ? emulate_movbe(e) : EMU_UNSUPPORTED;
	default: return EMU_UNSUPPORTED;
	}
}

enum emu_result emu_step(const struct emu_cpu *cpu, struct guest_fault *fault)
{
	struct emulation e;
	enum emu_result result = emu_begin(&e, cpu, fault);

	if (result != EMU_OK)
		return result;
	result = dispatch(&e);
	if (result == EMU_OK)
		emu_finish(&e);
	return result;
}
