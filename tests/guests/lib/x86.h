/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that C has no words for. */
#ifndef GUEST_X86_H
#define GUEST_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n) (1u << (n))

#define EFLAGS_IF BIT(9)
#define EFLAGS_DF BIT(10)
#define CR0_PG BIT(31)
#define CR4_PSE BIT(4)
#define CR4_OSXSAVE BIT(18)

/* Exceptions (SDM vol. 3, table 6-1). */
enum exception {
	EXC_DE = 0, EXC_DB = 1, EXC_NMI = 2, EXC_BP = 3, EXC_UD = 6, EXC_DF = 8, EXC_TS = 10,
	EXC_NP = 11, EXC_SS = 12, EXC_GP = 13, EXC_PF = 14
};

#define MSR_APIC_BASE 0x1B
#define MSR_TSC_DEADLINE 0x6E0
#define MSR_X2APIC 0x800
#define MSR_EFER 0xC0000080u

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %w1, %b0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %w1, %w0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %b0, %w1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %w0, %w1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %w1" : : "a"(v), "Nd"(port) : "memory");
}

static inline uint32_t mmio_read(uintptr_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void mmio_write(uintptr_t address, uint32_t v)
{
	*(volatile uint32_t *)address = v;
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

/* A fault at `1:` goes on at `2:`; irq.c looks the pair up. */
#define FIXUP ".pushsection .fixups, \"a\"\n\t.long 1b, 2b\n\t.popsection\n\t"

/* False when the instruction raised an exception. */
static inline bool try_rdmsr(uint32_t msr, uint64_t *value)
{
	uint32_t lo = 0, hi = 0, failed = 1;

	__asm__ volatile("1: rdmsr\n\txorl %2, %2\n2:\n\t" FIXUP
			 : "+a"(lo), "+d"(hi), "+r"(failed) : "c"(msr) : "memory");
	*value = (uint64_t)hi << 32 | lo;
	return !failed;
}

static inline bool try_wrmsr(uint32_t msr, uint64_t value)
{
	uint32_t failed = 1;

	__asm__ volatile("1: wrmsr\n\txorl %0, %0\n2:\n\t" FIXUP
			 : "+r"(failed) : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
	return !failed;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline void irq_on(void)
{
	__asm__ volatile("sti; nop" : : : "memory");
}

static inline void irq_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

#endif
