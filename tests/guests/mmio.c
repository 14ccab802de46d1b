/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every form of instruction that compilers and kernels use on device memory,
 * in 32-bit code here and in 64-bit code as mmio64: on the local APIC's
 * initial count, on the HPET's halted counter and where nothing is.  A form is right when
 * the register, the operand and the flags come out as with plain memory.
 */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"

#define HPET_CONFIG 0x10
#define HPET_COUNTER 0xF0
#define NEAR_PAGE (0x7FE00000u >> 21)
#define HOLE 0xFE800000u
#define FLAG_CF BIT(0)
#define FLAG_ZF BIT(6)
#define FLAG_SF BIT(7)
#define FLAG_OF BIT(11)
#define ARITHMETIC (FLAG_CF | FLAG_ZF | FLAG_SF | FLAG_OF)

static volatile uint32_t *reg;   /* the timer's initial count: 32 bits of storage, masked */
static uintptr_t flags;

/* `text` works on %[m]; `v` goes in and comes out in %[v]. */
#define FORM(text, v)                                                                       \
	__asm__ volatile(text "\n\tpushf\n\tpop %[f]"                                       \
			 : [m] "+m"(*reg), [v] "+r"(v), [f] "=r"(flags) : : "memory", "cc")

static uint32_t storage(uint32_t before)
{
	*reg = before;
	return *reg;
}

static void check_form(const char *name, uint32_t memory, uint32_t wanted_flags)
{
	const uint32_t got = *reg, got_flags = (uint32_t)flags & ARITHMETIC;

	check(name, (uint64_t)got_flags << 32 | got, (uint64_t)wanted_flags << 32 | memory);
}

static void check_moves(void)
{
	uint32_t v = 0x01020304;

	check("storage", storage(0x11223344), 0x11223344);
	FORM("movl %[v], %[m]", v);
	check("mov-store", *reg, 0x01020304);
	v = 0;
	FORM("movl %[m], %[v]", v);
	check("mov-load", v, 0x01020304);
	__asm__ volatile("movl $0x55667788, %0" : "=m"(*reg));
	check("mov-immediate", *reg, 0x55667788);
	__asm__ volatile("movl %1, %%eax\n\tmovl %%eax, %0" : "=r"(v) : "m"(*reg) : "eax");
	check("mov-accumulator", v, 0x55667788);
	v = 0xAABBCCDD;
	FORM("xchgl %[v], %[m]", v);
	check("xchg-operand", v, 0x55667788);
	check("xchg-memory", *reg, 0xAABBCCDD);
}

static void check_logic(void)
{
	uint32_t v = 0x0FF00000;

	storage(0x00FFFF00);
	FORM("andl %[v], %[m]", v);
	check_form("and", 0x00F00000, 0);
	FORM("orl %[v], %[m]", v);
	check_form("or", 0x0FF00000, 0);
	FORM("xorl %[v], %[m]", v);
	check_form("xor-to-zero", 0, FLAG_ZF);
	storage(0xF0);
	FORM("orl $0x0F, %[m]", v);
	check_form("or-immediate-8", 0xFF, 0);
	FORM("andl $0xFFFFFF0F, %[m]", v);
	check_form("and-immediate", 0x0F, 0);
	FORM("notl %[m]", v);
	check("not", *reg, 0xFFFFFFF0);
	FORM("testl $0x80000000, %[m]", v);
	check_form("test-immediate", 0xFFFFFFF0, FLAG_SF);
	v = 0x0F;
	FORM("testl %[v], %[m]", v);
	check_form("test", 0xFFFFFFF0, FLAG_ZF);
	v = 0xFF;
	FORM("andl %[m], %[v]", v);
	check("and-load", v, 0xF0);
}

static void check_arithmetic(void)
{
	uint32_t v = 1;

	storage(0x7FFFFFFF);
	FORM("addl %[v], %[m]", v);
	check_form("add-overflows", 0x80000000, FLAG_SF | FLAG_OF);
	FORM("subl %[v], %[m]", v);
	check_form("sub-overflows", 0x7FFFFFFF, FLAG_OF);
	FORM("cmpl $0x7FFFFFFF, %[m]", v);
	check_form("cmp-equal", 0x7FFFFFFF, FLAG_ZF);
	v = 0x80000000;
	FORM("cmpl %[v], %[m]", v);
	check_form("cmp-below", 0x7FFFFFFF, FLAG_CF | FLAG_SF | FLAG_OF);
	storage(0xFFFFFFFF);
	FORM("stc\n\tincl %[m]", v);
	check_form("inc-keeps-carry", 0, FLAG_ZF | FLAG_CF);
	FORM("clc\n\tdecl %[m]", v);
	check_form("dec", 0xFFFFFFFF, FLAG_SF);
	FORM("negl %[m]", v);
	check_form("neg", 1, FLAG_CF);
	v = 1;
	FORM("stc\n\tadcl %[v], %[m]", v);
	check_form("adc", 3, 0);
	FORM("stc\n\tsbbl %[v], %[m]", v);
	check_form("sbb", 1, 0);
	v = 5;
	FORM("lock xaddl %[v], %[m]", v);
	check("xadd-memory", *reg, 6);
	check("xadd-operand", v, 1);
	v = 10;
	FORM("addl %[m], %[v]", v);
	check("add-load", v, 16);
}

static void check_bits(void)
{
	uint32_t v = 4, old;

	storage(0x10);
	FORM("btl %[v], %[m]", v);
	check("bt-finds-it", flags & FLAG_CF, FLAG_CF);
	FORM("btsl $8, %[m]", v);
	check("bts-finds-none", flags & FLAG_CF, 0);
	check("bts", *reg, 0x110);
	FORM("btrl $4, %[m]", v);
	check("btr", *reg, 0x100);
	FORM("lock btcl $0, %[m]", v);
	check("btc", *reg, 0x101);
	__asm__ volatile("lock cmpxchgl %[n], %[m]" : [m] "+m"(*reg), "=a"(old)
			 : "1"(0x101), [n] "r"(0x7777) : "memory", "cc");
	check("cmpxchg-takes", *reg, 0x7777);
	__asm__ volatile("lock cmpxchgl %[n], %[m]" : [m] "+m"(*reg), "=a"(old)
			 : "1"(0x101), [n] "r"(0x8888) : "memory", "cc");
	check("cmpxchg-leaves", *reg, 0x7777);
	check("cmpxchg-loads", old, 0x7777);
}

/* No device here takes narrow accesses; where there is none, memory reads as ones. */
static void check_narrow(void)
{
	volatile uint8_t *hole = (volatile uint8_t *)(uintptr_t)HOLE;
	uint32_t v;

	__asm__ volatile("movzbl %1, %0" : "=r"(v) : "m"(hole[0]));
	check("movzx-byte", v, 0xFF);
	__asm__ volatile("movsbl %1, %0" : "=r"(v) : "m"(hole[0]));
	check("movsx-byte", v, 0xFFFFFFFF);
	__asm__ volatile("movzwl %1, %0" : "=r"(v) : "m"(hole[2]));
	check("movzx-word", v, 0xFFFF);
	__asm__ volatile("movswl %1, %0" : "=r"(v) : "m"(hole[2]));
	check("movsx-word", v, 0xFFFFFFFF);
	v = 0x12340000;
	__asm__ volatile("movb %1, %b0" : "+q"(v) : "m"(hole[1]));
	check("mov-byte-keeps-the-rest", v, 0x123400FF);
	v = 0x12340000;
	__asm__ volatile("movw %1, %w0" : "+r"(v) : "m"(hole[0]));
	check("mov-word-keeps-the-rest", v, 0x1234FFFF);
	__asm__ volatile("movl %1, %0" : "=r"(v) : "m"(hole[0xFFE]));
	check("mov-across-a-page", v, 0xFFFFFFFF);
	__asm__ volatile("movb $1, %0\n\tmovw $1, %1" : "=m"(hole[0]), "=m"(hole[2]));
	check("writes-are-lost", *(volatile uint32_t *)(uintptr_t)HOLE, 0xFFFFFFFF);
}

#ifdef __x86_64__
/* The HPET takes 64 bits at once. */
static void check_wide(void)
{
	volatile uint64_t *counter = (volatile uint64_t *)(uintptr_t)(acpi.hpet + HPET_COUNTER);
	volatile uint32_t *low = (volatile uint32_t *)counter;
	uint64_t wide = 0x0102030405060708ULL;

	if (!acpi.hpet) {
		skip("wide", "there is no HPET");
		return;
	}
	mmio_write(acpi.hpet + HPET_CONFIG, 0);
	__asm__ volatile("movq %1, %0" : "=m"(*counter) : "r"(wide));
	__asm__ volatile("movq %1, %0" : "=r"(wide) : "m"(*counter));
	check("mov-64", wide, 0x0102030405060708ULL);
	mmio_write(acpi.hpet + HPET_COUNTER, 0x80000000);
	__asm__ volatile("movslq %1, %0" : "=r"(wide) : "m"(*low));
	check("movsxd", wide, 0xFFFFFFFF80000000ULL);
	wide = ~0ULL;
	__asm__ volatile("movl %1, %k0" : "=r"(wide) : "m"(*low));
	check("mov-32-clears-the-high-half", wide, 0x80000000ULL);
	__asm__ volatile("movl %1, %%r13d\n\tmovq %%r13, %0" : "=r"(wide) : "m"(*low) : "r13");
	check("rex-register", wide, 0x80000000ULL);
}
#endif

static void check_strings(void)
{
	uint32_t buffer[2] = { 0x31313131, 0 };
	uintptr_t from = (uintptr_t)buffer, to = (uintptr_t)reg, n = 1;

	__asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
	check("movs-to-device", *reg, 0x31313131);
	check("movs-moves-its-pointers", (from - (uintptr_t)buffer) << 8 | (to - (uintptr_t)reg),
	      0x404);
	from = (uintptr_t)reg;
	to = (uintptr_t)&buffer[1];
	__asm__ volatile("movsl" : "+S"(from), "+D"(to) : : "memory");
	check("movs-from-device", buffer[1], 0x31313131);
	to = (uintptr_t)reg;
	__asm__ volatile("stosl" : "+D"(to) : "a"(0x42424242) : "memory");
	check("stos", *reg, 0x42424242);
	from = (uintptr_t)reg;
	__asm__ volatile("std\n\tlodsl\n\tcld" : "+S"(from), "=a"(n) : : "memory");
	check("lods", n, 0x42424242);
	check("direction-flag", (uintptr_t)reg - from, 4);
}

#ifdef __x86_64__
extern uint64_t page_directories[];

/* The page of 2 MiB below 2 GiB becomes that of the local APIC (guest.ld). */
static void map_near(void)
{
	page_directories[NEAR_PAGE] = page_directories[acpi.lapic >> 21];
	__asm__ volatile("mov %%cr3, %%rax\n\tmov %%rax, %%cr3" : : : "rax", "memory");
}
#endif

static void check_addressing(void)
{
	const uintptr_t base = (uintptr_t)reg;
	uint32_t v;

	storage(0x77);
	__asm__ volatile("movl -0x20(%1,%2,4), %0" : "=r"(v) : "r"(base), "r"((uintptr_t)8));
	check("base-index-scale", v, 0x77);
	__asm__ volatile("movl %%es:(%1), %0" : "=r"(v) : "r"(base));
	check("es-override", v, 0x77);
	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(v) : "r"(base));
	check("fs-override", v, 0x77);
#ifdef __x86_64__
	map_near();
	__asm__ volatile("movl near_initial(%%rip), %0" : "=r"(v));
	check("rip-relative", v, 0x77);
	__asm__ volatile("addr32 movl (%k1), %0" : "=r"(v) : "r"(base));
	check("address-32", v, 0x77);
#else
	__asm__ volatile("movl 0xFEE00380, %0" : "=r"(v));
	check("absolute", v, 0x77);
#endif
}

void guest_main(void)
{
	pic_setup(ICW4_8086);
	pic_mask(0xFFFF);
	ioapic_mask_all();
	if (apic_in_x2apic())
		apic_enter_xapic();
	apic_enable();
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	reg = (volatile uint32_t *)(uintptr_t)(acpi.lapic + APIC_INITIAL);
	check_moves();
	check_logic();
	check_arithmetic();
	check_bits();
	check_narrow();
#ifdef __x86_64__
	check_wide();
#endif
	check_strings();
	check_addressing();
	apic_write(APIC_INITIAL, 0);
}
