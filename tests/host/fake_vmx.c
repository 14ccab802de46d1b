/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_vmx.h"

#include <asm/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/vmx/insn.h"
#include "../../src/vmx/vmx_internal.h"
#include "smp.h"
#include "x86.h"

#define HOST_CR0 0x80010033ULL
#define HOST_CR4 0x40620ULL
#define HOST_CR3 0x7000ULL

/* Bits 10-11 of an encoding: 1 is a field that only the CPU writes (24.11.2). */
#define FIELD_TYPE_SHIFT 10
#define FIELD_READ_ONLY 1u
#define FIELD_WIDTH_SHIFT 13
enum { WIDTH_16, WIDTH_64, WIDTH_32, WIDTH_NATURAL };

struct fake_vmx fake_vmx;
static struct cpu fake_cpu;

const uint8_t vmx_exit_point[1], vmx_window[1], vmx_window_end[1], vmx_cancelled[1];

static uint64_t *slot(uint64_t field)
{
	/* A field that the list does not have: a bug of the code under test. */
	if (field >= ARRAY_SIZE(fake_vmx.field) ||
	    strcmp(vmcs_field_name((enum vmcs_field)field), "?") == 0)
		abort();
	return &fake_vmx.field[field];
}

uint64_t fake_vmcs_get(enum vmcs_field field)
{
	return *slot(field);
}

void fake_vmcs_set(enum vmcs_field field, uint64_t value)
{
	*slot(field) = value;
}

void fake_vmx_set_msr(uint32_t msr, uint64_t value)
{
	for (unsigned i = 0; i < fake_vmx.n_msrs; i++) {
		if (fake_vmx.msr[i].msr == msr) {
			fake_vmx.msr[i].value = value;
			return;
		}
	}
	if (fake_vmx.n_msrs == FAKE_MSRS)
		abort();
	fake_vmx.msr[fake_vmx.n_msrs].msr = msr;
	fake_vmx.msr[fake_vmx.n_msrs++].value = value;
}

void fake_vmx_reset(void)
{
	static const struct {
		uint32_t msr;
		uint64_t value;
	} haswell[] = {
		{ 0x3A, 5 },
		{ 0x480, 0x00DA040000000010 },
		{ 0x481, 0x0000007F00000016 },
		{ 0x482, 0xFFF9FFFE0401E172 },
		{ 0x483, 0x007FFFFF00036DFF },
		{ 0x484, 0x0000FFFF000011FF },
		{ 0x486, 0x80000021 },
		{ 0x487, 0xFFFFFFFF },
		{ 0x488, 0x2000 },
		{ 0x489, 0x1767FF },
		{ 0x48B, 0x00007CFF00000000 },
		{ 0x48C, 0x00000F0106334141 },
		{ 0x48D, 0x0000007F00000016 },
		{ 0x48E, 0xFFF9FFFE04006172 },
		{ 0x48F, 0x007FFFFF00036DFB },
		{ 0x490, 0x0000FFFF000011FB },
		{ 0x277, 0x0007040600070406 },
		{ 0xC0000080, 0xD01 },
	};

	memset(&fake_vmx, 0, sizeof(fake_vmx));
	for (unsigned i = 0; i < ARRAY_SIZE(haswell); i++)
		fake_vmx_set_msr(haswell[i].msr, haswell[i].value);
	fake_vmx.cr0 = HOST_CR0;
	fake_vmx.cr3 = HOST_CR3;
	fake_vmx.cr4 = HOST_CR4;
	fake_vmx.dr6 = 0xFFFF0FF0;
	fake_cpu.self = &fake_cpu;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, &fake_cpu) != 0)
		abort();
}

/* ---- the instructions ------------------------------------------------------------- */

bool insn_vmread(uint64_t field, uint64_t *value)
{
	if (!fake_vmx.current)
		return false;
	*value = *slot(field);
	return true;
}

bool insn_vmwrite(uint64_t field, uint64_t value)
{
	const unsigned width = field >> FIELD_WIDTH_SHIFT & 3;

	if (!fake_vmx.current || (field >> FIELD_TYPE_SHIFT & 3) == FIELD_READ_ONLY)
		return false;
	/* The CPU would cut it, silently: a bug of the code under test. */
	if ((width == WIDTH_16 && value >> 16) || (width == WIDTH_32 && value >> 32))
		abort();
	*slot(field) = value;
	return true;
}

/* 23.8 and 30.3: what VMXON demands. */
bool insn_vmxon(uint64_t region)
{
	const uint32_t *r = (const uint32_t *)(uintptr_t)region;

	if (region % PAGE_SIZE || !(fake_vmx.cr4 & CR4_VMXE) || !(fake_vmx.cr0 & CR0_NE))
		abort(); /* #GP */
	if (*r != (uint32_t)insn_rdmsr(0x480))
		return false;
	fake_vmx.vmxon = true;
	return true;
}

bool insn_vmclear(uint64_t vmcs)
{
	fake_vmx.n_clears++;
	if (fake_vmx.current == vmcs)
		fake_vmx.current = 0;
	return true;
}

bool insn_vmptrld(uint64_t vmcs)
{
	if (*(const uint32_t *)(uintptr_t)vmcs != (uint32_t)insn_rdmsr(0x480))
		return false;
	fake_vmx.current = vmcs;
	return true;
}

static void record(bool vpid, unsigned type, uint64_t what)
{
	if (fake_vmx.n_invalidated == FAKE_RECORDS)
		abort();
	fake_vmx.invalidated[fake_vmx.n_invalidated].vpid = vpid;
	fake_vmx.invalidated[fake_vmx.n_invalidated].type = type;
	fake_vmx.invalidated[fake_vmx.n_invalidated++].what = what;
}

void insn_invept(enum invalidation_type type, uint64_t eptp)
{
	record(false, type, eptp);
}

void insn_invvpid(enum invalidation_type type, uint16_t vpid)
{
	record(true, type, vpid);
}

/* ---- MSRs and registers --------------------------------------------------------------- */

uint64_t insn_rdmsr(uint32_t msr)
{
	for (unsigned i = 0; i < fake_vmx.n_msrs; i++)
		if (fake_vmx.msr[i].msr == msr)
			return fake_vmx.msr[i].value;
	return 0;
}

void insn_wrmsr(uint32_t msr, uint64_t value)
{
	/* The CPUID that follows, which is not seen here, leaves the revision there. */
	if (msr == MSR_MICROCODE && value == 0)
		value = fake_vmx.microcode;
	fake_vmx_set_msr(msr, value);
}

uint64_t insn_read_cr0(void)
{
	return fake_vmx.cr0;
}

void insn_write_cr0(uint64_t value)
{
	fake_vmx.cr0 = value;
}

uint64_t insn_read_cr2(void)
{
	return fake_vmx.cr2;
}

void insn_write_cr2(uint64_t value)
{
	fake_vmx.cr2 = value;
}

uint64_t insn_read_cr3(void)
{
	return fake_vmx.cr3;
}

uint64_t insn_read_cr4(void)
{
	return fake_vmx.cr4;
}

void insn_write_cr4(uint64_t value)
{
	fake_vmx.cr4 = value;
}

uint64_t insn_read_dr6(void)
{
	return fake_vmx.dr6;
}

void insn_write_dr6(uint64_t value)
{
	/* The CPU answers with #GP, in the hypervisor. */
	if (value >> 32)
		abort();
	fake_vmx.dr6 = value;
}

uint64_t insn_gdt_base(void)
{
	return 0x1000;
}

uint64_t insn_idt_base(void)
{
	return 0x2000;
}

/* ---- entry.asm --------------------------------------------------------------------------- */

unsigned vmx_enter(struct vcpu_regs *regs, uint64_t launched, uint64_t entry_nmis)
{
	(void)entry_nmis;
	fake_vmx.n_entries++;
	fake_vmx.entered_launched = launched;
	return fake_vmx.enter ? fake_vmx.enter(regs) : VMX_ENTERED;
}

void vmx_take_nmi(void)
{
	fake_vmx.n_nmis_taken++;
}

void smp_set_nmi_window(const void *start, const void *end, const void *target)
{
	(void)start;
	(void)end;
	(void)target;
}
