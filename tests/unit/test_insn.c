/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder: known instructions, edges, and a disassembler's opinion of a real program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/insn.h"
#include "vcpu_state.h"

#define CODE(s) (const uint8_t *)(s), sizeof(s) - 1

struct length_case {
	const char *assembly;
	unsigned bits;
	const uint8_t *bytes;
	size_t len;
};

static const struct length_case lengths[] = {
	{ "nop", 64, CODE("\x90") },
	{ "cpuid", 64, CODE("\x0f\xa2") },
	{ "rdmsr", 16, CODE("\x0f\x32") },
	{ "ds data16 rex.W cpuid", 64, CODE("\x3e\x66\x48\x0f\xa2") },
	{ "14 prefixes, hlt", 64,
	  CODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xf4") },
	{ "mov [rdi+0xb0], eax", 64, CODE("\x89\x87\xb0\x00\x00\x00") },
	{ "mov eax, [rip+0]", 64, CODE("\x8b\x05\x00\x00\x00\x00") },
	{ "mov [rsp+8], r9", 64, CODE("\x4c\x89\x4c\x24\x08") },
	{ "mov eax, [0x1234]", 32, CODE("\xa1\x34\x12\x00\x00") },
	{ "mov ax, [0x1234]", 16, CODE("\xa1\x34\x12") },
	{ "movabs eax, moffs64", 64, CODE("\xa1\1\2\3\4\5\6\7\x08") },
	{ "a32 mov eax, moffs32", 64, CODE("\x67\xa1\1\2\3\4") },
	{ "movabs rax, imm64", 64, CODE("\x48\xb8\1\2\3\4\5\6\7\x08") },
	{ "mov eax, imm32", 64, CODE("\xb8\1\2\3\4") },
	{ "mov ax, imm16", 16, CODE("\xb8\1\2") },
	{ "o32 mov eax, imm32", 16, CODE("\x66\xb8\1\2\3\4") },
	{ "mov [bp+di+4], ax", 16, CODE("\x89\x43\x04") },
	{ "mov [0x500], ax", 16, CODE("\x89\x06\x00\x05") },
	{ "a32 mov [eax*4+0x500], ax", 16, CODE("\x67\x89\x04\x85\x00\x05\x00\x00") },
	{ "jmp far 16:16", 16, CODE("\xea\x00\x00\x00\xf0") },
	{ "jmp far 16:32", 32, CODE("\xea\x00\x00\x00\x00\x08\x00") },
	{ "o32 jmp far", 16, CODE("\x66\xea\x00\x00\x00\x00\x08\x00") },
	{ "enter 16, 1", 64, CODE("\xc8\x10\x00\x01") },
	{ "ret 8", 64, CODE("\xc2\x08\x00") },
	{ "call rel32", 64, CODE("\xe8\0\0\0\0") },
	{ "data16 rex.W call", 64, CODE("\x66\x48\xe8\0\0\0\0") },
	{ "call rel16", 16, CODE("\xe8\0\0") },
	{ "jz near", 32, CODE("\x0f\x84\0\0\0\0") },
	{ "test dword [rdi], imm32", 64, CODE("\xf7\x07\1\2\3\4") },
	{ "neg dword [rdi]", 64, CODE("\xf7\x1f") },
	{ "test byte [rdi], 1", 64, CODE("\xf6\x07\x01") },
	{ "add dword [rdi], 1", 64, CODE("\x83\x07\x01") },
	{ "o16 add word [rdi], 0x201", 64, CODE("\x66\x81\x07\1\2") },
	{ "mov cr3, rax with mod 0", 64, CODE("\x0f\x22\x18") },
	{ "mov rax, cr4 with mod 1", 64, CODE("\x0f\x20\x60") },
	{ "inc eax", 32, CODE("\x40") },
	{ "les eax, [ecx]", 32, CODE("\xc4\x01") },
	{ "bound eax, [ecx]", 32, CODE("\x62\x01") },
	{ "pop dword [ecx]", 32, CODE("\x8f\x01") },
	{ "lock cmpxchg16b [rdi]", 64, CODE("\xf0\x48\x0f\xc7\x0f") },
	{ "movbe eax, [rdi]", 64, CODE("\x0f\x38\xf0\x07") },
	{ "pshufb xmm0, [rdi]", 64, CODE("\x66\x0f\x38\x00\x07") },
	{ "palignr xmm0, [rdi], 4", 64, CODE("\x66\x0f\x3a\x0f\x07\x04") },
	{ "vzeroupper", 64, CODE("\xc5\xf8\x77") },
	{ "vmovdqu ymm0, [rdi+8]", 64, CODE("\xc5\xfe\x6f\x47\x08") },
	{ "vmovdqu ymm0, [ecx] in 32-bit code", 32, CODE("\xc5\xfe\x6f\x01") },
	{ "vpalignr ymm0, ymm0, [rdi], 4", 64, CODE("\xc4\xe3\x7d\x0f\x07\x04") },
	{ "vpshufd xmm0, xmm1, 4", 64, CODE("\xc5\xf9\x70\xc1\x04") },
	{ "vmovdqu64 zmm0, [rdi+64]", 64, CODE("\x62\xf1\xfe\x48\x6f\x47\x01") },
	{ "vpternlogd zmm0, zmm1, zmm2, 1", 64, CODE("\x62\xf3\x75\x48\x25\xc2\x01") },
	{ "vfrczps xmm0, xmm0 (XOP)", 64, CODE("\x8f\xe9\x78\x80\xc0") },
	{ "extrq xmm0, 1, 2", 64, CODE("\x66\x0f\x78\xc0\x01\x02") },
	{ "vmread [rdi], rax", 64, CODE("\x0f\x78\x07") },
	{ "pfadd mm0, [rdi]", 64, CODE("\x0f\x0f\x07\x9e") },
	{ "fld qword [rdi+8]", 64, CODE("\xdd\x47\x08") },
	{ "xbegin", 64, CODE("\xc7\xf8\0\0\0\0") },
	{ "fs mov rax, [0x28]", 64, CODE("\x64\x48\x8b\x04\x25\x28\0\0\0") },
};

/* Each is as long as it is, and short when a byte of it is missing. */
static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const struct length_case *c = &lengths[i];
		uint8_t padded[32] = { 0 };
		struct insn insn;

		memcpy(padded, c->bytes, c->len);
		if (insn_decode(&insn, padded, sizeof(padded), c->bits) != INSN_OK ||
		    insn.len != c->len)
			fail_msg("%s: length %u", c->assembly, insn.len);
		for (size_t n = 0; n < c->len; n++)
			if (insn_decode(&insn, padded, n, c->bits) != INSN_SHORT)
				fail_msg("%s: not short with %zu bytes", c->assembly, n);
	}
}

static const struct length_case bad[] = {
	{ "push es in 64-bit code", 64, CODE("\x06") },
	{ "pusha in 64-bit code", 64, CODE("\x60") },
	{ "82 in 64-bit code", 64, CODE("\x82\xc0\x00") },
	{ "far call in 64-bit code", 64, CODE("\x9a\0\0\0\0\0\0") },
	{ "0f 04", 32, CODE("\x0f\x04") },
	{ "66 before VEX", 64, CODE("\x66\xc5\xf8\x77") },
	{ "REX before VEX", 64, CODE("\x48\xc5\xf8\x77") },
	{ "LOCK before EVEX", 64, CODE("\xf0\x62\xf1\xfe\x48\x6f\x47\x01") },
	{ "VEX map 0", 64, CODE("\xc4\xe0\x7d\x0f\x07") },
};

static void test_undefined(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct insn insn;

		if (insn_decode(&insn, bad[i].bytes, bad[i].len, bad[i].bits) != INSN_BAD)
			fail_msg("%s: accepted", bad[i].assembly);
	}
}

static void test_too_long(void **state)
{
	uint8_t code[32];
	struct insn insn;

	(void)state;
	memset(code, 0x66, sizeof(code));
	assert_int_equal(insn_decode(&insn, code, sizeof(code), 64), INSN_TOOLONG);
	assert_int_equal(insn_decode(&insn, code, 14, 64), INSN_SHORT);
	code[15] = 0x90; /* 15 prefixes */
	assert_int_equal(insn_decode(&insn, code, sizeof(code), 64), INSN_TOOLONG);
	code[14] = 0x90;
	assert_int_equal(insn_decode(&insn, code, sizeof(code), 64), INSN_OK);
	assert_int_equal(insn.len, 15);
}

static void test_operands(void **state)
{
	struct insn in;

	(void)state;
	/* mov [r12+r13*8-16], r9w */
	assert_int_equal(insn_decode(&in, CODE("\x66\x47\x89\x4c\xec\xf0"), 64), INSN_OK);
	assert_true(in.mem && !in.rip_relative);
	assert_int_equal(in.base, GPR_R12);
	assert_int_equal(in.index, GPR_R13);
	assert_int_equal(in.scale, 3);
	assert_int_equal(in.disp, -16);
	assert_int_equal(in.reg, GPR_R9);
	assert_int_equal(in.opsize, 2);
	assert_int_equal(in.seg, SEG_DS);
	/* REX is void when a legacy prefix follows it */
	assert_int_equal(insn_decode(&in, CODE("\x48\x66\x89\x07"), 64), INSN_OK);
	assert_int_equal(in.opsize, 2);
	assert_int_equal(in.rex, 0);
	/* REX.W wins over 66 */
	assert_int_equal(insn_decode(&in, CODE("\x66\x48\x89\x07"), 64), INSN_OK);
	assert_int_equal(in.opsize, 8);
	/* [rbp+0] is the stack's, with an FS prefix it is FS's, a DS prefix is void */
	assert_int_equal(insn_decode(&in, CODE("\x89\x45\x00"), 64), INSN_OK);
	assert_int_equal(in.seg, SEG_SS);
	assert_int_equal(insn_decode(&in, CODE("\x64\x89\x45\x00"), 64), INSN_OK);
	assert_int_equal(in.seg, SEG_FS);
	assert_int_equal(insn_decode(&in, CODE("\x3e\x89\x45\x00"), 64), INSN_OK);
	assert_int_equal(in.seg, SEG_SS);
	assert_int_equal(insn_decode(&in, CODE("\x3e\x89\x45\x00"), 32), INSN_OK);
	assert_int_equal(in.seg, SEG_DS);
	/* r13 is no RBP, r12 as an index is one */
	assert_int_equal(insn_decode(&in, CODE("\x41\x89\x45\x00"), 64), INSN_OK);
	assert_int_equal(in.seg, SEG_DS);
	/* mov [disp32], eax: without SIB relative to RIP in 64-bit code only */
	assert_int_equal(insn_decode(&in, CODE("\x89\x05\xfc\xff\xff\xff"), 64), INSN_OK);
	assert_true(in.rip_relative);
	assert_int_equal(in.disp, -4);
	assert_int_equal(insn_decode(&in, CODE("\x89\x05\xfc\xff\xff\xff"), 32), INSN_OK);
	assert_false(in.rip_relative);
	/* a 16-bit address: [bp+si+0x7f] */
	assert_int_equal(insn_decode(&in, CODE("\x89\x42\x7f"), 16), INSN_OK);
	assert_int_equal(in.base, GPR_RBP);
	assert_int_equal(in.index, GPR_RSI);
	assert_int_equal(in.disp, 0x7f);
	assert_int_equal(in.seg, SEG_SS);
	/* immediates are sign-extended */
	assert_int_equal(insn_decode(&in, CODE("\x83\x07\xff"), 64), INSN_OK);
	assert_true(in.imm == ~0ULL);
	/* the last of F2 and F3 counts */
	assert_int_equal(insn_decode(&in, CODE("\xf2\xf3\xa4"), 64), INSN_OK);
	assert_int_equal(in.rep, INSN_REP);
}

/* ---- against objdump ---- */

#define SLICE 20000

/* Reads "  address:\tb1 b2 ...\tmnemonic"; returns the number of bytes, 0 for other lines. */
static unsigned parse_line(const char *line, uint8_t *bytes)
{
	const char *p = strchr(line, '\t'), *text;
	unsigned n = 0;

	if (!p || !(text = strchr(++p, '\t')) || strstr(text, "(bad)") || strstr(text, ".byte"))
		return 0;
	while (p < text && n < INSN_MAX) {
		char *end;
		unsigned long v = strtoul(p, &end, 16);

		if (end == p || end > text)
			break;
		bytes[n++] = (uint8_t)v;
		p = end;
	}
	return n;
}

static void test_against_objdump(void **state)
{
	const char *program = getenv("INSN_PROGRAM");
	char command[512], line[512];
	unsigned seen = 0, limit = program ? ~0u : SLICE;
	FILE *out;

	(void)state;
	snprintf(command, sizeof(command), "objdump -d -w -M intel64 -j .text %s 2>/dev/null",
		 program ? program : "/bin/bash");
	out = popen(command, "r");
	if (!out)
		skip();
	while (seen < limit && fgets(line, sizeof(line), out)) {
		uint8_t bytes[INSN_MAX + 17] = { 0 };
		unsigned n = parse_line(line, bytes), len;
		struct insn insn;

		if (!n)
			continue;
		seen++;
		/* objdump takes FWAIT and the x87 instruction behind it for one. */
		len = bytes[0] == 0x9b && n > 1 ? 1 : 0;
		if (insn_decode(&insn, bytes + len, n - len, 64) != INSN_OK ||
		    insn.len != n - len)
			fail_msg("length %u for:%s", insn.len, line);
	}
	pclose(out);
	if (!seen)
		skip();
	print_message("%u instructions compared\n", seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),	     cmocka_unit_test(test_undefined),
		cmocka_unit_test(test_too_long),     cmocka_unit_test(test_operands),
		cmocka_unit_test(test_against_objdump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
