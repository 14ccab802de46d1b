/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

#include "x86.h"

bool insn_vmxon(uint64_t region)
{
	bool failed;

	__asm__ volatile("vmxon %1" : "=@ccbe"(failed) : "m"(region) : "memory");
	return !failed;
}

bool insn_vmclear(uint64_t vmcs)
{
	bool failed;

	__asm__ volatile("vmclear %1" : "=@ccbe"(failed) : "m"(vmcs) : "memory");
	return !failed;
}

bool insn_vmptrld(uint64_t vmcs)
{
	bool failed;

	__asm__ volatile("vmptrld %1" : "=@ccbe"(failed) : "m"(vmcs) : "memory");
	return !failed;
}

/* The operand of INVEPT and INVVPID (SDM vol. 3, 30.3). */
struct invalidation {
	uint64_t what, address;
};

void insn_invept(enum invalidation_type type, uint64_t eptp)
{
	const struct invalidation d = { eptp, 0 };

	__asm__ volatile("invept %0, %1" : : "m"(d), "r"((uint64_t)type) : "cc", "memory");
}

void insn_invvpid(enum invalidation_type type, uint16_t vpid)
{
	const struct invalidation d = { vpid, 0 };

	__asm__ volatile("invvpid %0, %1" : : "m"(d), "r"((uint64_t)type) : "cc", "memory");
}

uint64_t insn_rdmsr(uint32_t msr)
{
	return rdmsr(msr);
}

void insn_wrmsr(uint32_t msr, uint64_t value)
{
	wrmsr(msr, value);
}

uint64_t insn_read_cr0(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

void insn_write_cr0(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

uint64_t insn_read_cr2(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

void insn_write_cr2(uint64_t value)
{
	write_cr2(value);
}

uint64_t insn_read_cr3(void)
{
	return read_cr3();
}

uint64_t insn_read_cr4(void)
{
	return read_cr4();
}

void insn_write_cr4(uint64_t value)
{
	write_cr4(value);
}

uint64_t insn_read_dr6(void)
{
	uint64_t v;

	__asm__ volatile("mov %%dr6, %0" : "=r"(v));
	return v;
}

void insn_write_dr6(uint64_t value)
{
	__asm__ volatile("mov %0, %%dr6" : : "r"(value));
}

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} PACKED;

uint64_t insn_gdt_base(void)
{
	struct table_pointer p;

	__asm__ volatile("sgdt %0" : "=m"(p));
	return p.base;
}

uint64_t insn_idt_base(void)
{
	struct table_pointer p;

	__asm__ volatile("sidt %0" : "=m"(p));
	return p.base;
}
