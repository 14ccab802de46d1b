/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMX for host tests: one current VMCS, an array by field, with the manual's
 * rules of access; MSRs and registers that hold what was written; a record of
 * what was invalidated.  It takes the place of src/vmx/insn.c and entry.asm.
 */
#ifndef FAKE_VMX_H
#define FAKE_VMX_H

#include "vcpu_state.h"
#include "../../src/vmx/vmcs.h"

#define FAKE_MSRS 64
#define FAKE_RECORDS 16

struct fake_vmx {
	uint64_t field[0x8000];
	uint64_t current; /* the VMCS loaded; 0: none */
	bool vmxon;
	unsigned n_clears;
	struct {
		uint32_t msr;
		uint64_t value;
	} msr[FAKE_MSRS];
	unsigned n_msrs;
	uint64_t microcode; /* in MSR 8Bh once 0 was written to it */
	uint64_t cr0, cr2, cr3, cr4, dr6;
	struct {
		bool vpid; /* INVVPID, else INVEPT */
		unsigned type;
		uint64_t what;
	} invalidated[FAKE_RECORDS];
	unsigned n_invalidated;
	unsigned n_nmis_taken;
	unsigned n_entries;
	uint64_t entered_launched; /* what the last entry was given */
	/* What an entry does; returns what vmx_enter returns. */
	unsigned (*enter)(struct vcpu_regs *regs);
};

extern struct fake_vmx fake_vmx;

/* A Haswell's capabilities, no VMCS, GS at a per-CPU area of CPU 0. */
void fake_vmx_reset(void);
void fake_vmx_set_msr(uint32_t msr, uint64_t value);
/* For the tests: any field, also those that software cannot write. */
uint64_t fake_vmcs_get(enum vmcs_field field);
void fake_vmcs_set(enum vmcs_field field, uint64_t value);

#endif
