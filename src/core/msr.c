/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers as policy: one table, a reason a row.  What has no
 * row raises #GP in the guest.
 */
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define MSR_KVM_WALL_CLOCK 0x4B564D00u
#define MSR_KVM_SYSTEM_TIME 0x4B564D01u
#define MSR_UCODE_REV 0x8Bu
#define MSR_SYSCFG 0xC0010010u
#define MSR_HWCR 0xC0010015u
#define MSR_INT_PENDING 0xC0010055u
#define MSR_DE_CFG 0xC0011029u
#define MSR_BU_CFG2 0xC001102Au
#define MSR_MISC_ENABLE 0x1A0u
#define MISC_FAST_STRINGS BIT(0)
#define MISC_NO_BTS BIT(11)
#define MISC_NO_PEBS BIT(12)
#define DE_CFG_LFENCE_SERIALISES BIT(1)

#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_81_EDX_RDTSCP BIT(27)
#define CPUID_81_EDX_FFXSR BIT(25)
#define EFER_FFXSR BIT(14)
#define EFER_WRITABLE (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

#define MSR_X2APIC_EOI (MSR_X2APIC_FIRST + APIC_EOI / 16)
#define MSR_X2APIC_ICR (MSR_X2APIC_FIRST + APIC_ICR / 16)

struct msr_row {
	uint32_t msr;
	bool pass_read, pass_write; /* without an exit */
	bool (*read)(struct vcpu *v, uint32_t msr, uint64_t *value);
	bool (*write)(struct vcpu *v, uint32_t msr, uint64_t value);
};

static bool read_zero(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)v;
	(void)msr;
	*value = 0;
	return true;
}

static bool write_nothing(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)v;
	(void)msr;
	(void)value;
	return true;
}

static bool read_backend(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return backend->read_msr(&v->hw, msr, value);
}

static bool write_backend(struct vcpu *v, uint32_t msr, uint64_t value)
{
	return backend->write_msr(&v->hw, msr, value);
}

static bool read_apic_base(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = v->lapic.base_msr;
	return true;
}

static bool write_apic_base(struct vcpu *v, uint32_t msr, uint64_t value)
{
	bool ok;

	(void)msr;
	lock_acquire(&v->vm->lock);
	ok = vlapic_write_base(&v->lapic, value, apic_is_x2apic());
	lock_release(&v->vm->lock);
	if (ok)
		vcpu_update_apic_access(v);
	return ok;
}

/* APM vol. 2, 3.1.7; SDM vol. 3, 2.2.1. */
static bool write_efer(struct vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t writable = EFER_WRITABLE;
	struct vcpu_sysregs sys;

	(void)msr;
	if (cpuid(0x80000001, 0).edx & CPUID_81_EDX_FFXSR)
		writable |= EFER_FFXSR;
	backend->get_sysregs(&v->hw, &sys);
	if (value & ~writable)
		return false;
	if ((sys.cr0 & CR0_PG) && ((value ^ sys.efer) & EFER_LME))
		return false;
	/* LMA is the CPU's. */
	value = (value & ~EFER_LMA) | (sys.efer & EFER_LMA);
	return backend->write_msr(&v->hw, MSR_EFER, value);
}

/* Memory types 0, 1, 4 to 7 exist (SDM vol. 3, 12.12.2). */
static bool write_pat(struct vcpu *v, uint32_t msr, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		const uint8_t type = (uint8_t)(value >> 8 * i);

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return backend->write_msr(&v->hw, msr, value);
}

static bool read_lfence_config(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)v;
	(void)msr;
	*value = DE_CFG_LFENCE_SERIALISES;
	return true;
}

static bool read_misc_enable(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)v;
	(void)msr;
	*value = MISC_FAST_STRINGS | MISC_NO_BTS | MISC_NO_PEBS;
	return true;
}

static bool write_kvm_clock(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)msr;
	return kvmclock_set(v, value);
}

static bool read_kvm_clock(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = v->kvm_clock;
	return true;
}

static bool write_kvm_wall(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)msr;
	return kvmclock_wall_set(v, value);
}

static const struct msr_row rows[] = {
	/* Switched with the guest, or harmless because the hypervisor uses none of them. */
	{ MSR_SYSENTER_CS, true, true, read_backend, write_backend },
	{ MSR_SYSENTER_ESP, true, true, read_backend, write_backend },
	{ MSR_SYSENTER_EIP, true, true, read_backend, write_backend },
	{ MSR_STAR, true, true, read_backend, write_backend },
	{ MSR_LSTAR, true, true, read_backend, write_backend },
	{ MSR_CSTAR, true, true, read_backend, write_backend },
	{ MSR_SFMASK, true, true, read_backend, write_backend },
	{ MSR_FS_BASE, true, true, read_backend, write_backend },
	{ MSR_GS_BASE, true, true, read_backend, write_backend },
	{ MSR_KERNEL_GS_BASE, true, true, read_backend, write_backend },
	/* The TSC can be read; it stays in step over all CPUs, so it cannot be written. */
	{ MSR_TSC, true, false, NULL, write_nothing },
	/* Long mode and NX, with SVM hidden. */
	{ MSR_EFER, false, false, read_backend, write_efer },
	{ MSR_PAT, false, false, read_backend, write_pat },
	{ MSR_APIC_BASE, false, false, read_apic_base, write_apic_base },
	/* Microcode is the machine's; guests read its revision and write 0 before. */
	{ MSR_UCODE_REV, false, false, read_zero, write_nothing },
	/* Linux reads it on Intel before it can take a #GP (verify_cpu). */
	{ MSR_MISC_ENABLE, false, false, read_misc_enable, write_nothing },
	/* AMD's configuration: guests look for errata and set harmless bits. */
	{ MSR_SYSCFG, false, false, read_zero, NULL },
	{ MSR_HWCR, false, false, read_zero, write_nothing },
	{ MSR_INT_PENDING, false, false, read_zero, write_nothing },
	{ MSR_DE_CFG, false, false, read_lfence_config, write_nothing },
	{ MSR_BU_CFG2, false, false, read_zero, write_nothing },
	/* The paravirtual clock of the KVM leaf. */
	{ MSR_KVM_SYSTEM_TIME, false, false, read_kvm_clock, write_kvm_clock },
	{ MSR_KVM_WALL_CLOCK, false, false, read_zero, write_kvm_wall },
};

static const struct msr_row *find_row(uint32_t msr)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].msr == msr)
			return &rows[i];
	return NULL;
}

static bool is_x2apic_msr(uint32_t msr)
{
	return msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST;
}

bool msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const struct msr_row *row;
	bool ok;

	if (is_x2apic_msr(msr)) {
		lock_acquire(&v->vm->lock);
		ok = vlapic_msr_read(&v->lapic, msr, value);
		lock_release(&v->vm->lock);
		return ok;
	}
	row = find_row(msr);
	return row && row->read && row->read(v, msr, value);
}

static bool write_x2apic(struct vcpu *v, uint32_t msr, uint64_t value)
{
	bool ok;

	if (msr == MSR_X2APIC_ICR && ipi_send_plain(v, value))
		return true;
	lock_acquire(&v->vm->lock);
	ok = vlapic_msr_write(&v->lapic, msr, value);
	lock_release(&v->vm->lock);
	/* An EOI is only seen while a level interrupt is in service; this may have been the last. */
	if (msr == MSR_X2APIC_EOI)
		vcpu_update_apic_access(v);
	return ok;
}

bool msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	const struct msr_row *row;

	if (is_x2apic_msr(msr))
		return write_x2apic(v, msr, value);
	row = find_row(msr);
	return row && row->write && row->write(v, msr, value);
}

void msr_apply_policy(struct vcpu *v)
{
	/* These two have their own bit in CPUID; the guest owns its CPU, so they are real. */
	const bool deadline = cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE;
	const bool rdtscp = cpuid(0x80000001, 0).edx & CPUID_81_EDX_RDTSCP;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		backend->allow_msr(&v->hw, rows[i].msr, rows[i].pass_read, rows[i].pass_write);
	backend->allow_msr(&v->hw, MSR_TSC_DEADLINE, deadline, deadline);
	backend->allow_msr(&v->hw, MSR_TSC_AUX, rdtscp, rdtscp);
}
