/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that only VMX's host can execute, and registers that only
 * the kernel of a machine can touch.  One file of its own, so that host tests
 * can put a model of the CPU in its place.
 */
#ifndef VMX_INSN_H
#define VMX_INSN_H

#include "types.h"

/* True: done.  False: VMfail (SDM vol. 3, 30.2). */
#ifdef BULKHEAD_HOST
bool insn_vmread(uint64_t field, uint64_t *value);
bool insn_vmwrite(uint64_t field, uint64_t value);
#else
/* In line: every exit has a dozen of these. */
static inline bool insn_vmread(uint64_t field, uint64_t *value)
{
	bool failed;

	__asm__ volatile("vmread %2, %0" : "=r"(*value), "=@ccbe"(failed) : "r"(field));
	return !failed;
}

static inline bool insn_vmwrite(uint64_t field, uint64_t value)
{
	bool failed;

	__asm__ volatile("vmwrite %1, %2"
			 : "=@ccbe"(failed)
			 : "r"(value), "r"(field)
			 : "memory");
	return !failed;
}
#endif
bool insn_vmxon(uint64_t region);
bool insn_vmclear(uint64_t vmcs);
bool insn_vmptrld(uint64_t vmcs);

enum invalidation_type { INVALIDATE_SINGLE = 1, INVALIDATE_ALL = 2 };
void insn_invept(enum invalidation_type type, uint64_t eptp);
void insn_invvpid(enum invalidation_type type, uint16_t vpid);

uint64_t insn_rdmsr(uint32_t msr);
void insn_wrmsr(uint32_t msr, uint64_t value);

uint64_t insn_read_cr0(void);
void insn_write_cr0(uint64_t value);
uint64_t insn_read_cr2(void);
void insn_write_cr2(uint64_t value);
uint64_t insn_read_cr3(void);
uint64_t insn_read_cr4(void);
void insn_write_cr4(uint64_t value);
uint64_t insn_read_dr6(void);
void insn_write_dr6(uint64_t value);
uint64_t insn_gdt_base(void);
uint64_t insn_idt_base(void);

#endif
