/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator against the CPU that runs this test: the same instruction, on
 * the same registers, flags and bytes of memory, once natively and once
 * emulated.  The data pages have the same linear address in both worlds.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "emu_world.h"

#define DATA_SIZE 0x2000u
#define ROUNDS 60u

#define LOGIC_UNDEFINED RFLAGS_AF
#define BIT_UNDEFINED (RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF)
#define IMUL_UNDEFINED (RFLAGS_SF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF)
#define FLAGS_ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* ---- running an instruction natively ---- */

struct native {
	uint64_t gpr[16]; /* RSP is not loaded */
	uint64_t flags;
	uint64_t rax_after;
};

static uint8_t *native_code, *native_data, *at;

static void emit(const void *bytes, size_t n)
{
	memcpy(at, bytes, n);
	at += n;
}

/* One opcode with [rax + offset] and a register, REX.W. */
static void emit_rax_field(uint8_t opcode, unsigned reg, size_t offset)
{
	uint8_t code[7] = { (uint8_t)(0x48 | (reg & 8) >> 1), opcode,
			    (uint8_t)(0x80 | (reg & 7) << 3) };
	uint32_t disp = (uint32_t)offset;

	memcpy(code + 3, &disp, 4);
	emit(code, sizeof(code));
}

static void emit_imm64(const void *opcode, const void *pointer)
{
	uint64_t v = (uintptr_t)pointer;

	emit(opcode, 2);
	emit(&v, 8);
}

static void native_run(struct native *n, const uint8_t *insn, size_t len)
{
	void (*run)(void);

	at = native_code;
	emit("\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57", 10); /* push rbx, rbp, r12-r15 */
	emit_imm64("\x48\xb8", n);			      /* mov rax, n */
	emit_rax_field(0xff, 6, offsetof(struct native, flags)); /* push [rax+flags] */
	emit("\x9d", 1);					 /* popfq */
	for (unsigned i = 1; i < 16; i++)
		if (i != GPR_RSP)
			emit_rax_field(0x8b, i, i * 8);
	emit_rax_field(0x8b, 0, 0);
	emit(insn, len);
	emit_imm64("\x48\xa3", &n->rax_after); /* mov [...], rax */
	emit_imm64("\x48\xb8", n);
	for (unsigned i = 1; i < 16; i++)
		if (i != GPR_RSP)
			emit_rax_field(0x89, i, i * 8);
	emit("\x9c", 1);					 /* pushfq */
	emit_rax_field(0x8f, 0, offsetof(struct native, flags)); /* pop [rax+flags] */
	emit("\xfc\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3", 12); /* cld, pops, ret */
	memcpy(&run, &native_code, sizeof(run));
	run();
	n->gpr[0] = n->rax_after;
}

/* ---- the instructions ---- */

enum { NO66 = 1, NOW = 2, LOCK = 4, IMMZ = 8, REPS = 16, MOVBE = 32 };

struct sample {
	const char *name;
	const uint8_t *bytes; /* behind the prefixes; memory is [rdi+8] or [rdi+rcx*2-16] */
	size_t len;
	unsigned what;	    /* no 66 form, no REX.W form, LOCK too, immediate by size, REP too */
	uint64_t undefined; /* flags that the manual leaves undefined */
};

#define S(name, code, what, undefined) \
	{ name, (const uint8_t *)(code), sizeof(code) - 1, what, undefined }
#define BYTE_OP (NO66 | NOW)

static const struct sample samples[] = {
	S("mov [rdi+8], dl", "\x88\x57\x08", BYTE_OP, 0),
	S("mov [rdi+8], ah", "\x88\x67\x08", BYTE_OP, 0),
	S("mov bh, [rdi+8]", "\x8a\x7f\x08", BYTE_OP, 0),
	S("mov [rdi+8], edx", "\x89\x57\x08", 0, 0),
	S("mov edx, [rdi+8]", "\x8b\x57\x08", 0, 0),
	S("mov edx, [rdi+rcx*2-16]", "\x8b\x54\x4f\xf0", 0, 0),
	S("mov edx, eax", "\x89\xc2", 0, 0),
	S("mov byte [rdi+8], imm", "\xc6\x47\x08\x9a", BYTE_OP, 0),
	S("mov [rdi+8], imm", "\xc7\x47\x08", IMMZ, 0),
	S("movzx edx, byte [rdi+8]", "\x0f\xb6\x57\x08", 0, 0),
	S("movzx edx, word [rdi+8]", "\x0f\xb7\x57\x08", 0, 0),
	S("movzx edx, ah", "\x0f\xb6\xd4", NOW, 0),
	S("movsx edx, byte [rdi+8]", "\x0f\xbe\x57\x08", 0, 0),
	S("movsx edx, word [rdi+8]", "\x0f\xbf\x57\x08", 0, 0),
	S("movsxd edx, [rdi+8]", "\x63\x57\x08", NO66, 0),
	S("movnti [rdi+8], edx", "\x0f\xc3\x57\x08", NO66, 0),
	S("movbe edx, [rdi+8]", "\x0f\x38\xf0\x57\x08", MOVBE, 0),
	S("movbe [rdi+8], edx", "\x0f\x38\xf1\x57\x08", MOVBE, 0),
	S("xchg [rdi+8], dl", "\x86\x57\x08", BYTE_OP | LOCK, 0),
	S("xchg [rdi+8], edx", "\x87\x57\x08", LOCK, 0),
	S("xchg eax, edx", "\x87\xd0", 0, 0),
	S("add [rdi+8], dl", "\x00\x57\x08", BYTE_OP | LOCK, 0),
	S("add [rdi+8], edx", "\x01\x57\x08", LOCK, 0),
	S("add dl, [rdi+8]", "\x02\x57\x08", BYTE_OP, 0),
	S("add edx, [rdi+8]", "\x03\x57\x08", 0, 0),
	S("add al, imm", "\x04\x7f", BYTE_OP, 0),
	S("add eax, imm", "\x05", IMMZ, 0),
	S("or [rdi+8], dl", "\x08\x57\x08", BYTE_OP | LOCK, LOGIC_UNDEFINED),
	S("or edx, [rdi+8]", "\x0b\x57\x08", 0, LOGIC_UNDEFINED),
	S("adc [rdi+8], dl", "\x10\x57\x08", BYTE_OP | LOCK, 0),
	S("adc [rdi+8], edx", "\x11\x57\x08", LOCK, 0),
	S("adc edx, [rdi+8]", "\x13\x57\x08", 0, 0),
	S("sbb [rdi+8], dl", "\x18\x57\x08", BYTE_OP | LOCK, 0),
	S("sbb [rdi+8], edx", "\x19\x57\x08", LOCK, 0),
	S("sbb edx, [rdi+8]", "\x1b\x57\x08", 0, 0),
	S("and [rdi+8], edx", "\x21\x57\x08", LOCK, LOGIC_UNDEFINED),
	S("and al, [rdi+8]", "\x22\x47\x08", BYTE_OP, LOGIC_UNDEFINED),
	S("sub [rdi+8], edx", "\x29\x57\x08", LOCK, 0),
	S("sub dh, [rdi+8]", "\x2a\x77\x08", BYTE_OP, 0),
	S("xor [rdi+8], edx", "\x31\x57\x08", LOCK, LOGIC_UNDEFINED),
	S("xor edx, edx", "\x33\xd2", 0, LOGIC_UNDEFINED),
	S("cmp [rdi+8], dl", "\x38\x57\x08", BYTE_OP, 0),
	S("cmp [rdi+8], edx", "\x39\x57\x08", 0, 0),
	S("cmp edx, [rdi+8]", "\x3b\x57\x08", 0, 0),
	S("cmp eax, imm", "\x3d", IMMZ, 0),
	S("add byte [rdi+8], imm", "\x80\x47\x08\x81", BYTE_OP | LOCK, 0),
	S("sbb [rdi+8], imm", "\x81\x5f\x08", IMMZ | LOCK, 0),
	S("adc [rdi+8], -2", "\x83\x57\x08\xfe", LOCK, 0),
	S("and [rdi+8], -16", "\x83\x67\x08\xf0", LOCK, LOGIC_UNDEFINED),
	S("cmp [rdi+8], 3", "\x83\x7f\x08\x03", 0, 0),
	S("cmp [rdi+8], imm", "\x81\x7f\x08", IMMZ, 0),
	S("test [rdi+8], dl", "\x84\x57\x08", BYTE_OP, LOGIC_UNDEFINED),
	S("test [rdi+8], edx", "\x85\x57\x08", 0, LOGIC_UNDEFINED),
	S("test al, imm", "\xa8\x55", BYTE_OP, LOGIC_UNDEFINED),
	S("test eax, imm", "\xa9", IMMZ, LOGIC_UNDEFINED),
	S("test byte [rdi+8], imm", "\xf6\x47\x08\x80", BYTE_OP, LOGIC_UNDEFINED),
	S("test [rdi+8], imm", "\xf7\x47\x08", IMMZ, LOGIC_UNDEFINED),
	S("not byte [rdi+8]", "\xf6\x57\x08", BYTE_OP | LOCK, 0),
	S("not [rdi+8]", "\xf7\x57\x08", LOCK, 0),
	S("neg byte [rdi+8]", "\xf6\x5f\x08", BYTE_OP | LOCK, 0),
	S("neg [rdi+8]", "\xf7\x5f\x08", LOCK, 0),
	S("neg eax", "\xf7\xd8", 0, 0),
	S("inc byte [rdi+8]", "\xfe\x47\x08", BYTE_OP | LOCK, 0),
	S("inc [rdi+8]", "\xff\x47\x08", LOCK, 0),
	S("dec byte [rdi+8]", "\xfe\x4f\x08", BYTE_OP | LOCK, 0),
	S("dec [rdi+8]", "\xff\x4f\x08", LOCK, 0),
	S("bt [rdi+8], ebx", "\x0f\xa3\x5f\x08", 0, BIT_UNDEFINED),
	S("bts [rdi+8], ebx", "\x0f\xab\x5f\x08", LOCK, BIT_UNDEFINED),
	S("btr [rdi+8], ebx", "\x0f\xb3\x5f\x08", LOCK, BIT_UNDEFINED),
	S("btc [rdi+8], ebx", "\x0f\xbb\x5f\x08", LOCK, BIT_UNDEFINED),
	S("bts edx, ebx", "\x0f\xab\xda", 0, BIT_UNDEFINED),
	S("bt [rdi+8], 77", "\x0f\xba\x67\x08\x4d", 0, BIT_UNDEFINED),
	S("bts [rdi+8], 77", "\x0f\xba\x6f\x08\x4d", LOCK, BIT_UNDEFINED),
	S("btr [rdi+8], 3", "\x0f\xba\x77\x08\x03", LOCK, BIT_UNDEFINED),
	S("btc [rdi+8], 31", "\x0f\xba\x7f\x08\x1f", LOCK, BIT_UNDEFINED),
	S("cmpxchg [rdi+8], dl", "\x0f\xb0\x57\x08", BYTE_OP | LOCK, 0),
	S("cmpxchg [rdi+8], edx", "\x0f\xb1\x57\x08", LOCK, 0),
	S("xadd [rdi+8], dl", "\x0f\xc0\x57\x08", BYTE_OP | LOCK, 0),
	S("xadd [rdi+8], edx", "\x0f\xc1\x57\x08", LOCK, 0),
	S("xadd eax, eax", "\x0f\xc1\xc0", 0, 0),
	S("xadd edx, eax", "\x0f\xc1\xc2", 0, 0),
	S("seto byte [rdi+8]", "\x0f\x90\x47\x08", BYTE_OP, 0),
	S("cmovo edx, [rdi+8]", "\x0f\x40\x57\x08", 0, 0),
	S("setno byte [rdi+8]", "\x0f\x91\x47\x08", BYTE_OP, 0),
	S("cmovno edx, [rdi+8]", "\x0f\x41\x57\x08", 0, 0),
	S("setb byte [rdi+8]", "\x0f\x92\x47\x08", BYTE_OP, 0),
	S("cmovb edx, [rdi+8]", "\x0f\x42\x57\x08", 0, 0),
	S("setnb byte [rdi+8]", "\x0f\x93\x47\x08", BYTE_OP, 0),
	S("cmovnb edx, [rdi+8]", "\x0f\x43\x57\x08", 0, 0),
	S("setz byte [rdi+8]", "\x0f\x94\x47\x08", BYTE_OP, 0),
	S("cmovz edx, [rdi+8]", "\x0f\x44\x57\x08", 0, 0),
	S("setnz byte [rdi+8]", "\x0f\x95\x47\x08", BYTE_OP, 0),
	S("cmovnz edx, [rdi+8]", "\x0f\x45\x57\x08", 0, 0),
	S("setbe byte [rdi+8]", "\x0f\x96\x47\x08", BYTE_OP, 0),
	S("cmovbe edx, [rdi+8]", "\x0f\x46\x57\x08", 0, 0),
	S("seta byte [rdi+8]", "\x0f\x97\x47\x08", BYTE_OP, 0),
	S("cmova edx, [rdi+8]", "\x0f\x47\x57\x08", 0, 0),
	S("sets byte [rdi+8]", "\x0f\x98\x47\x08", BYTE_OP, 0),
	S("cmovs edx, [rdi+8]", "\x0f\x48\x57\x08", 0, 0),
	S("setns byte [rdi+8]", "\x0f\x99\x47\x08", BYTE_OP, 0),
	S("cmovns edx, [rdi+8]", "\x0f\x49\x57\x08", 0, 0),
	S("setp byte [rdi+8]", "\x0f\x9a\x47\x08", BYTE_OP, 0),
	S("cmovp edx, [rdi+8]", "\x0f\x4a\x57\x08", 0, 0),
	S("setnp byte [rdi+8]", "\x0f\x9b\x47\x08", BYTE_OP, 0),
	S("cmovnp edx, [rdi+8]", "\x0f\x4b\x57\x08", 0, 0),
	S("setl byte [rdi+8]", "\x0f\x9c\x47\x08", BYTE_OP, 0),
	S("cmovl edx, [rdi+8]", "\x0f\x4c\x57\x08", 0, 0),
	S("setnl byte [rdi+8]", "\x0f\x9d\x47\x08", BYTE_OP, 0),
	S("cmovnl edx, [rdi+8]", "\x0f\x4d\x57\x08", 0, 0),
	S("setle byte [rdi+8]", "\x0f\x9e\x47\x08", BYTE_OP, 0),
	S("cmovle edx, [rdi+8]", "\x0f\x4e\x57\x08", 0, 0),
	S("setg byte [rdi+8]", "\x0f\x9f\x47\x08", BYTE_OP, 0),
	S("cmovg edx, [rdi+8]", "\x0f\x4f\x57\x08", 0, 0),
	S("rol byte [rdi+8], 1", "\xd0\x47\x08", BYTE_OP, 0),
	S("rol [rdi+8], 1", "\xd1\x47\x08", 0, 0),
	S("rol byte [rdi+8], 5", "\xc0\x47\x08\x05", BYTE_OP, RFLAGS_OF),
	S("rol [rdi+8], 13", "\xc1\x47\x08\x0d", 0, RFLAGS_OF),
	S("rol byte [rdi+8], cl", "\xd2\x47\x08", BYTE_OP, RFLAGS_OF),
	S("rol [rdi+8], cl", "\xd3\x47\x08", 0, RFLAGS_OF),
	S("ror byte [rdi+8], 1", "\xd0\x4f\x08", BYTE_OP, 0),
	S("ror [rdi+8], 1", "\xd1\x4f\x08", 0, 0),
	S("ror byte [rdi+8], 5", "\xc0\x4f\x08\x05", BYTE_OP, RFLAGS_OF),
	S("ror [rdi+8], 13", "\xc1\x4f\x08\x0d", 0, RFLAGS_OF),
	S("ror byte [rdi+8], cl", "\xd2\x4f\x08", BYTE_OP, RFLAGS_OF),
	S("ror [rdi+8], cl", "\xd3\x4f\x08", 0, RFLAGS_OF),
	S("rcl byte [rdi+8], 1", "\xd0\x57\x08", BYTE_OP, 0),
	S("rcl [rdi+8], 1", "\xd1\x57\x08", 0, 0),
	S("rcl byte [rdi+8], 5", "\xc0\x57\x08\x05", BYTE_OP, RFLAGS_OF),
	S("rcl [rdi+8], 13", "\xc1\x57\x08\x0d", 0, RFLAGS_OF),
	S("rcl byte [rdi+8], cl", "\xd2\x57\x08", BYTE_OP, RFLAGS_OF),
	S("rcl [rdi+8], cl", "\xd3\x57\x08", 0, RFLAGS_OF),
	S("rcr byte [rdi+8], 1", "\xd0\x5f\x08", BYTE_OP, 0),
	S("rcr [rdi+8], 1", "\xd1\x5f\x08", 0, 0),
	S("rcr byte [rdi+8], 5", "\xc0\x5f\x08\x05", BYTE_OP, RFLAGS_OF),
	S("rcr [rdi+8], 13", "\xc1\x5f\x08\x0d", 0, RFLAGS_OF),
	S("rcr byte [rdi+8], cl", "\xd2\x5f\x08", BYTE_OP, RFLAGS_OF),
	S("rcr [rdi+8], cl", "\xd3\x5f\x08", 0, RFLAGS_OF),
	S("shl byte [rdi+8], 1", "\xd0\x67\x08", BYTE_OP, RFLAGS_AF),
	S("shl [rdi+8], 1", "\xd1\x67\x08", 0, RFLAGS_AF),
	S("shl byte [rdi+8], 5", "\xc0\x67\x08\x05", BYTE_OP, RFLAGS_AF | RFLAGS_OF),
	S("shl [rdi+8], 13", "\xc1\x67\x08\x0d", 0, RFLAGS_AF | RFLAGS_OF),
	S("shl byte [rdi+8], cl", "\xd2\x67\x08", BYTE_OP, RFLAGS_AF | RFLAGS_OF | RFLAGS_CF),
	S("shl [rdi+8], cl", "\xd3\x67\x08", 0, RFLAGS_AF | RFLAGS_OF | RFLAGS_CF),
	S("shr byte [rdi+8], 1", "\xd0\x6f\x08", BYTE_OP, RFLAGS_AF),
	S("shr [rdi+8], 1", "\xd1\x6f\x08", 0, RFLAGS_AF),
	S("shr byte [rdi+8], 5", "\xc0\x6f\x08\x05", BYTE_OP, RFLAGS_AF | RFLAGS_OF),
	S("shr [rdi+8], 13", "\xc1\x6f\x08\x0d", 0, RFLAGS_AF | RFLAGS_OF),
	S("shr byte [rdi+8], cl", "\xd2\x6f\x08", BYTE_OP, RFLAGS_AF | RFLAGS_OF | RFLAGS_CF),
	S("shr [rdi+8], cl", "\xd3\x6f\x08", 0, RFLAGS_AF | RFLAGS_OF | RFLAGS_CF),
	S("sal byte [rdi+8], 1", "\xd0\x77\x08", BYTE_OP, RFLAGS_AF),
	S("sal [rdi+8], 1", "\xd1\x77\x08", 0, RFLAGS_AF),
	S("sal byte [rdi+8], 5", "\xc0\x77\x08\x05", BYTE_OP, RFLAGS_AF | RFLAGS_OF),
	S("sal [rdi+8], 13", "\xc1\x77\x08\x0d", 0, RFLAGS_AF | RFLAGS_OF),
	S("sal byte [rdi+8], cl", "\xd2\x77\x08", BYTE_OP, RFLAGS_AF | RFLAGS_OF | RFLAGS_CF),
	S("sal [rdi+8], cl", "\xd3\x77\x08", 0, RFLAGS_AF | RFLAGS_OF | RFLAGS_CF),
	S("sar byte [rdi+8], 1", "\xd0\x7f\x08", BYTE_OP, RFLAGS_AF),
	S("sar [rdi+8], 1", "\xd1\x7f\x08", 0, RFLAGS_AF),
	S("sar byte [rdi+8], 5", "\xc0\x7f\x08\x05", BYTE_OP, RFLAGS_AF | RFLAGS_OF),
	S("sar [rdi+8], 13", "\xc1\x7f\x08\x0d", 0, RFLAGS_AF | RFLAGS_OF),
	S("sar byte [rdi+8], cl", "\xd2\x7f\x08", BYTE_OP, RFLAGS_AF | RFLAGS_OF | RFLAGS_CF),
	S("sar [rdi+8], cl", "\xd3\x7f\x08", 0, RFLAGS_AF | RFLAGS_OF | RFLAGS_CF),
	S("imul edx, [rdi+8]", "\x0f\xaf\x57\x08", 0, IMUL_UNDEFINED),
	S("imul edx, [rdi+8], -7", "\x6b\x57\x08\xf9", 0, IMUL_UNDEFINED),
	S("imul edx, [rdi+8], imm", "\x69\x57\x08", IMMZ, IMUL_UNDEFINED),
	S("cmpxchg8b [rdi+8]", "\x0f\xc7\x4f\x08", NO66 | NOW | LOCK, 0),
	S("movsb", "\xa4", BYTE_OP | REPS, 0),
	S("movsd", "\xa5", REPS, 0),
	S("cmpsb", "\xa6", BYTE_OP | REPS, 0),
	S("cmpsd", "\xa7", REPS, 0),
	S("stosb", "\xaa", BYTE_OP | REPS, 0),
	S("stosd", "\xab", REPS, 0),
	S("lodsb", "\xac", BYTE_OP | REPS, 0),
	S("lodsd", "\xad", REPS, 0),
	S("scasb", "\xae", BYTE_OP | REPS, 0),
	S("scasd", "\xaf", REPS, 0),
};

/* ---- random states: a xorshift generator, so that every run is the same ---- */

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Values at which carries, signs and overflows turn. */
static uint64_t value(void)
{
	static const uint64_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
					  0x7fffffff, 0x80000000, 0xffffffff,
					  0x7fffffffffffffff, 0x8000000000000000, ~0ULL };

	return rnd() & 1 ? rnd() : edges[rnd() % ARRAY_SIZE(edges)];
}

static void random_state(struct native *n, struct world *w)
{
	for (unsigned i = 0; i < 16; i++)
		n->gpr[i] = value();
	n->gpr[GPR_RBX] = (rnd() & 0x1fff) - 0x1000; /* a bit offset of up to 512 bytes */
	n->gpr[GPR_RCX] = rnd() % 100;
	n->gpr[GPR_RDI] = WORLD_DATA + 0x400 + rnd() % 0x1800;
	n->gpr[GPR_RSI] = WORLD_DATA + 0x400 + rnd() % 0x1800;
	if (rnd() & 1) /* across the border of the pages */
		n->gpr[GPR_RDI] = WORLD_DATA + 0xff0 + rnd() % 16;
	n->flags = RFLAGS_RESERVED1 | (rnd() & (FLAGS_ARITH | RFLAGS_DF)) | RFLAGS_IF;
	if (rnd() & 1) /* a run of equal bytes, for CMPS and SCAS to go through */
		memset(native_data, (int)(n->gpr[0] & 0xff), DATA_SIZE);
	else
		for (unsigned i = 0; i < DATA_SIZE; i++)
			native_data[i] = (uint8_t)rnd();
	for (unsigned i = 0; i < 64; i += 8) { /* CMPXCHG that finds what it expects */
		uint64_t v = rnd() & 1 ? n->gpr[0] : value();

		memcpy(native_data + (n->gpr[GPR_RDI] - WORLD_DATA) % 0x1f00 + i, &v, 8);
	}
	memcpy(w->ram + WORLD_DATA_GPA, native_data, 0x1000);
	memcpy(w->ram + WORLD_DATA2_GPA, native_data + 0x1000, 0x1000);
	memcpy(w->regs.gpr, n->gpr, sizeof(n->gpr));
	w->regs.rip = WORLD_CODE;
	w->regs.rflags = n->flags;
}

static void compare(const struct sample *s, const char *how, const struct native *n,
		    struct world *w, size_t len)
{
	uint64_t mask = FLAGS_ARITH & ~s->undefined;

	if ((n->flags ^ w->regs.rflags) & mask)
		fail_msg("%s %s: flags %#lx, the CPU has %#lx", how, s->name,
			 w->regs.rflags & mask, n->flags & mask);
	for (unsigned i = 0; i < 16; i++)
		if (i != GPR_RSP && w->regs.gpr[i] != n->gpr[i])
			fail_msg("%s %s: register %u is %#lx, the CPU has %#lx", how, s->name, i,
				 w->regs.gpr[i], n->gpr[i]);
	if (memcmp(w->ram + WORLD_DATA_GPA, native_data, 0x1000) ||
	    memcmp(w->ram + WORLD_DATA2_GPA, native_data + 0x1000, 0x1000))
		fail_msg("%s %s: memory differs", how, s->name);
	if (w->regs.rip != WORLD_CODE + len)
		fail_msg("%s %s: rip", how, s->name);
}

static void run_sample(struct world *w, const struct sample *s, const char *prefix, size_t n)
{
	uint8_t code[INSN_MAX + 1] = { 0 };
	size_t len = n + s->len;
	struct native native;

	memcpy(code, prefix, n);
	memcpy(code + n, s->bytes, s->len);
	if (s->what & IMMZ) {
		bool data16 = memchr(prefix, 0x66, n);

		memcpy(code + len, data16 ? "\xfe\x81" : "\xfd\x7f\x01\x80", data16 ? 2 : 4);
		len += data16 ? 2 : 4;
	}
	world_code(w, code, sizeof(code));
	for (unsigned i = 0; i < ROUNDS; i++) {
		enum emu_result result;
		char how[32];

		random_state(&native, w);
		native_run(&native, code, len);
		while ((result = emu_step(&w->cpu, &w->fault)) == EMU_AGAIN)
			;
		snprintf(how, sizeof(how), "%02x %02x", code[0], code[1]);
		if (result != EMU_OK)
			fail_msg("%s %s: result %d", how, s->name, (int)result);
		compare(s, how, &native, w, len);
	}
}

static bool has_movbe(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_MOVBE);
}

/* Every sample with every combination of the prefixes that it takes. */
static void test_samples(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];

		if ((s->what & MOVBE) && !has_movbe())
			continue;
		for (unsigned m = 0; m < 24; m++) {
			unsigned size = m & 3, outer = m >> 2; /* 0-5 */
			char prefix[4];
			size_t n = 0;

			if (outer >= 1 && outer <= 2 && !(s->what & REPS))
				continue;
			if (outer == 3 && !(s->what & LOCK))
				continue;
			if (size == 3 && s->what & IMMZ) /* REX.W wins: four bytes */
				continue;
			if ((size & 1 && s->what & NO66) || (size & 2 && s->what & NOW))
				continue;
			if (outer)
				prefix[n++] = "\xf3\xf2\xf0\x3e\x67"[outer - 1];
			if (size & 1)
				prefix[n++] = 0x66;
			if (size & 2)
				prefix[n++] = 0x48;
			run_sample(w, s, prefix, n);
		}
	}
}

static int setup(void **state)
{
	struct world *w = malloc(sizeof(*w));

	native_code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	native_data = mmap((void *)(uintptr_t)WORLD_DATA, DATA_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	world_init(w);
	*state = w;
	return native_code == MAP_FAILED || native_data != (void *)(uintptr_t)WORLD_DATA;
}

static int teardown(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_samples, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
