/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random code, registers, segments, modes and page tables in a small RAM.
 * Nothing may touch memory outside that RAM (the sanitizers watch its block),
 * and no call may look up more memory than a bounded number of times.  At the
 * end a task switch, to a TSS and with descriptors that are partly sane.
 */
#include <stdlib.h>
#include <string.h>

#include "core/insn.h"
#include "core/task_switch.h"
#include "emulate.h"

#define RAM_SIZE 0x10000u
#define LOOKUPS 20000u /* one call: 64 elements, each of two operands on two pages */
#define STEPS 8u

static uint8_t *ram;
static unsigned lookups;

/* The input, read in order; zeros behind its end. */
struct input {
	const uint8_t *data;
	size_t left;
};

static void take(struct input *in, void *to, size_t n)
{
	size_t m = n < in->left ? n : in->left;

	memset(to, 0, n);
	if (m)
		memcpy(to, in->data, m);
	in->data += m;
	in->left -= m;
}

static uint64_t take64(struct input *in)
{
	uint64_t v;

	take(in, &v, sizeof(v));
	return v;
}

static void check(bool good)
{
	if (!good)
		abort();
}

static void *ram_at(void *ctx, uint64_t gpa, size_t len)
{
	(void)ctx;
	check(++lookups < LOOKUPS);
	return gpa < RAM_SIZE && len <= RAM_SIZE - gpa ? ram + gpa : NULL;
}

static uint64_t mmio_read(void *ctx, uint64_t gpa, unsigned size)
{
	(void)ctx;
	check(size == 1 || size == 2 || size == 4 || size == 8);
	check((gpa & (PAGE_SIZE - 1)) + size <= PAGE_SIZE);
	return gpa * 0x9e3779b97f4a7c15 ^ size;
}

static void mmio_write(void *ctx, uint64_t gpa, unsigned size, uint64_t value)
{
	(void)mmio_read(ctx, gpa, size);
	check(size == 8 || value >> (8 * size) == 0);
}

static uint32_t port_in(void *ctx, uint16_t port, unsigned size)
{
	(void)ctx;
	check(size == 1 || size == 2 || size == 4);
	return port;
}

static void port_out(void *ctx, uint16_t port, unsigned size, uint32_t value)
{
	(void)port_in(ctx, port, size);
	check(size == 4 || value >> (8 * size) == 0);
}

static uint32_t pkru(void *ctx)
{
	(void)ctx;
	return 0x9c3; /* each pair of bits somewhere */
}

/* Addresses are mostly near the RAM, so that the code behind the checks is reached. */
static uint64_t address(struct input *in)
{
	uint64_t v = take64(in);

	return v & 1 ? v : v & (2 * RAM_SIZE - 1);
}

/* Page tables: each page of the lower half holds entries that point into the RAM. */
static void fill_ram(struct input *in)
{
	for (unsigned i = 0; i < RAM_SIZE; i += 8) {
		uint64_t entry = ((i * 0x2545f491u >> 7) & (RAM_SIZE - 1) & ~0xfffu) | 0x67;

		memcpy(ram + i, &entry, 8);
	}
	for (unsigned i = 0; i < 16; i++) { /* some of them by the input */
		uint64_t at = take64(in), entry = take64(in);

		memcpy(ram + (at & (RAM_SIZE - 1) & ~7ULL), &entry, 8);
	}
}

static void fill_cpu(struct input *in, struct vcpu_regs *regs, struct vcpu_sysregs *sys)
{
	static const uint64_t cr0[] = { 0, CR0_PE, CR0_PE | CR0_PG,
					CR0_PE | CR0_PG | CR0_WP | CR0_AM };
	uint8_t mode;

	take(in, &mode, 1);
	memset(sys, 0, sizeof(*sys));
	sys->cr0 = cr0[mode & 3];
	sys->efer = mode & 4 && mode & 2 ? EFER_LME | EFER_LMA : 0;
	sys->efer |= mode & 8 ? EFER_NXE : 0;
	sys->cr4 = take64(in) & (CR4_PSE | CR4_PAE | CR4_LA57 | CR4_SMEP | CR4_SMAP |
				CR4_PKE);
	if (sys->efer & EFER_LMA)
		sys->cr4 |= CR4_PAE;
	sys->cr3 = address(in);
	sys->cpl = mode & 16 ? 3 : 0;
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		uint64_t v = take64(in);

		sys->seg[i].base = v & 1 ? 0 : address(in);
		sys->seg[i].limit = v & 2 ? 0xffffffff : (uint32_t)(v >> 32);
		sys->seg[i].attr = (uint16_t)(v >> 8 | (v & 4 ? 0x93 : 0));
	}
	for (unsigned i = 0; i < GPR_COUNT; i++)
		regs->gpr[i] = address(in);
	regs->rip = address(in);
	regs->rflags = take64(in);
}

/*
 * What the emulator knows, as opcodes: random bytes alone would seldom find
 * the longer ones.  Behind them comes random ModRM and the rest.
 */
static const char *const opcodes[] = {
	"\x01", "\x13", "\x38", "\x63", "\x83", "\x85", "\x87", "\x89", "\x8a", "\x8c", "\x8f",
	"\xa1", "\xa3", "\xa5", "\xa6", "\xab", "\xac", "\xaf", "\xc7", "\xf6", "\xf7", "\xff",
	"\x6c", "\x6d", "\x6f", "\x0f\xa3", "\x0f\xab", "\x0f\xb3", "\x0f\xbb", "\x0f\xba",
	"\x0f\xb0", "\x0f\xb1", "\x0f\xb6", "\x0f\xbf", "\x0f\xc0", "\x0f\xc1", "\x0f\xc3",
	"\x0f\x38\xf0", "\x0f\x38\xf1", "\x69", "\x6b", "\xc1", "\xd0", "\xd3", "\x0f\x9c",
	"\x0f\x44", "\x0f\xaf", "\x0f\xc7",
};
static const char prefix_bytes[] = "\x66\x67\xf0\xf2\xf3\x26\x2e\x36\x64\x65\x48\x41\x4f";

static void take_code(struct input *in, uint8_t *code, size_t n)
{
	uint8_t prefixes, opcode;
	size_t at = 0;

	take(in, &prefixes, 1);
	take(in, &opcode, 1);
	take(in, code, n);
	if (opcode >= 4 * ARRAY_SIZE(opcodes))
		return; /* all random */
	for (; prefixes; prefixes >>= 4)
		if ((prefixes & 15u) < sizeof(prefix_bytes) - 1)
			code[at++] = (uint8_t)prefix_bytes[prefixes & 15];
	opcode %= ARRAY_SIZE(opcodes);
	memcpy(code + at, opcodes[opcode], strlen(opcodes[opcode]));
}

/* The code goes where CS:RIP points, if that is RAM. */
static void place_code(struct input *in, const struct emu_cpu *cpu)
{
	struct guest_fault fault;
	uint8_t code[16];
	uint64_t gpa;

	take_code(in, code, sizeof(code));
	if (emu_translate(cpu, cpu->sys->seg[SEG_CS].base + cpu->regs->rip, EMU_FETCH, &gpa,
			  &fault) &&
	    gpa < RAM_SIZE - sizeof(code))
		memcpy(ram + gpa, code, sizeof(code));
}

static void decode_all(const uint8_t *data, size_t size)
{
	/* Its own block, so that a read behind the end is seen. */
	uint8_t *copy = malloc(size ? size : 1);

	if (size)
		memcpy(copy, data, size);
	for (unsigned bits = 16; bits <= 64; bits *= 2) {
		struct insn insn;
		enum insn_status status = insn_decode(&insn, copy, size, bits);

		if (status == INSN_OK)
			check(insn.len >= 1 && insn.len <= INSN_MAX && insn.len <= size &&
			      insn.reg < GPR_COUNT && insn.rm < GPR_COUNT && insn.seg <= SEG_GS);
		check(status != INSN_SHORT || size < INSN_MAX);
	}
	free(copy);
}

/* The GDT's entries: each type of segment there is, all over the RAM. */
static void fill_gdt(struct input *in, const struct vcpu_sysregs *sys)
{
	static const uint8_t types[] = { 0x89, 0x8b, 0x81, 0x83, 0x82, 0x9a, 0x92, 0xfa,
					 0xf2, 0x9e, 0x96, 0x12 };

	for (unsigned i = 0; i < 64; i++) {
		uint64_t raw = take64(in), at = sys->gdtr.base + 8 * i;

		raw = (raw & 0x00c000000000ffff) | (raw & 0xff00) << 16 |
		      (uint64_t)types[(raw >> 32) % sizeof(types)] << 40 | 0x000000000000ff00;
		if (at < RAM_SIZE - 8)
			memcpy(ram + at, &raw, 8);
	}
}

#define TASK_TSS 0x9000u /* where half of the switches lead */
#define TASK_CODE 0x08u
#define TASK_DATA 0x10u

/* A task that could run, but for what the input makes of it. */
static void make_task(struct input *in, struct vcpu_sysregs *sys, unsigned selector)
{
	const uint64_t tss = 0x0000890000000067 | (uint64_t)TASK_TSS << 16;
	const uint64_t code = 0x00cf9a000000ffff, data = 0x00cf92000000ffff;
	const uint64_t wrong = take64(in);

	sys->cr0 = CR0_PE;
	sys->gdtr.base = 0x8000;
	memcpy(ram + 0x8000 + selector, &tss, 8);
	memcpy(ram + 0x8000 + TASK_CODE, &code, 8);
	memcpy(ram + 0x8000 + TASK_DATA, &data, 8);
	take(in, ram + TASK_TSS, 104);
	ram[TASK_TSS + 38] &= 0xfd; /* not in virtual-8086 mode */
	for (unsigned i = 0; i < 7; i++) {
		uint32_t s = i == SEG_CS ? TASK_CODE : i < 6 ? TASK_DATA : 0;

		if (wrong >> 9 * i & 0x100)
			s ^= wrong >> 9 * i & 0xff;
		memcpy(ram + TASK_TSS + 72 + 4 * i, &s, 4);
	}
}

static void run_task(struct input *in, const struct emu_cpu *cpu, struct vcpu_sysregs *sys)
{
	const uint64_t bits = take64(in);
	const struct task_exit how = {
		.selector = (uint16_t)(bits & 0x1ff), .source = (enum task_source)(bits >> 16 & 3),
		.event = bits >> 18 & 1, .is_exception = bits >> 19 & 1,
		.vector = bits >> 20 & 31, .has_error = bits >> 25 & 1,
	};
	struct guest_fault fault = { 0 };

	sys->gdtr = (struct table_reg){ address(in), 0x1ff };
	fill_gdt(in, sys);
	sys->seg[SEG_TR].limit |= 0x67;
	if (!(bits >> 26 & 1)) {
		sys->efer &= ~(EFER_LMA | EFER_LME);
		make_task(in, sys, how.selector & 0x1f8);
	}
	lookups = 0;
	if (task_switch(cpu, sys, &how, take64(in), &fault) == TASK_FAULT) {
		check(fault.vector < 32);
		task_fault_combine(&how, &fault);
	}
	check((cpu->regs->rflags & RFLAGS_RESERVED1) || fault.vector);
	check(sys->cpl <= 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct emu_ops ops = { ram_at, mmio_read, mmio_write, pkru };
	static const struct emu_port_ops ports = { port_in, port_out };
	struct input in = { data, size };
	struct vcpu_sysregs sys;
	struct vcpu_regs regs;
	struct emu_cpu cpu = { &regs, &sys, &ops, NULL, 40 };

	decode_all(data, size < 20 ? size : 20);
	ram = aligned_alloc(PAGE_SIZE, RAM_SIZE);
	fill_ram(&in);
	fill_cpu(&in, &regs, &sys);
	for (unsigned i = 0; i < STEPS; i++) {
		struct guest_fault fault = { 0 };
		struct vcpu_regs before;
		enum emu_result result;

		lookups = 0;
		place_code(&in, &cpu);
		before = regs;
		check(emu_insn_length(&cpu, &fault) <= INSN_MAX);
		result = emu_step(&cpu, &fault);
		if (result == EMU_UNSUPPORTED)
			result = emu_string_io(&cpu, &ports, 64, &fault);
		if (result == EMU_FAULT || result == EMU_AGAIN)
			check(regs.rip == before.rip);
		if (result == EMU_UNSUPPORTED)
			check(!memcmp(&before, &regs, sizeof(regs)));
		if (result == EMU_FAULT)
			check(fault.vector < 32);
	}
	run_task(&in, &cpu, &sys);
	free(ram);
	return 0;
}
