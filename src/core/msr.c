/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers as policy: one table, a reason a row.  What has no
 * row raises #GP in the guest.
 */
#include "mtrr.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define MSR_KVM_WALL_CLOCK 0x4B564D00u
#define MSR_KVM_SYSTEM_TIME 0x4B564D01u
#define MSR_PLATFORM_ID 0x17u
#define MSR_UCODE_UPDATE 0x79u
#define MSR_PLATFORM_INFO 0xCEu
#define MSR_MTRRCAP 0xFEu
#define MSR_DEBUGCTL 0x1D9u
#define MSR_MTRR_VARIABLE_FIRST 0x200u
#define MSR_MTRR_VARIABLE_LAST 0x20Fu
#define MSR_MTRR_FIXED_64K 0x250u
#define MSR_MTRR_FIXED_16K_FIRST 0x258u
#define MSR_MTRR_FIXED_16K_LAST 0x259u
#define MSR_MTRR_FIXED_4K_FIRST 0x268u
#define MSR_MTRR_FIXED_4K_LAST 0x26Fu
#define MSR_MTRR_DEF_TYPE 0x2FFu
#define MSR_SYSCFG 0xC0010010u
#define MSR_HWCR 0xC0010015u
#define HWCR_TSC_FREQ_SEL BIT(24) /* the TSC counts at the rate of P0 */
#define MSR_PATCH_LOADER 0xC0010020u
#define MSR_INT_PENDING 0xC0010055u
#define MSR_DE_CFG 0xC0011029u
#define MSR_BU_CFG2 0xC001102Au
#define MSR_MISC_ENABLE 0x1A0u
#define MISC_FAST_STRINGS BIT(0)
#define MISC_NO_BTS BIT(11)
#define MISC_NO_PEBS BIT(12)
#define DE_CFG_LFENCE_SERIALISES BIT(1)
#define DEBUGCTL_LBR_BTF 3ULL

#define CPUID_81_EDX_NX BIT(20)
#define CPUID_81_EDX_RDTSCP BIT(27)
#define CPUID_81_EDX_FFXSR BIT(25)
#define EFER_FFXSR BIT(14)
#define EFER_WRITABLE (EFER_SCE | EFER_LME | EFER_LMA)

/* MAXPHYADDR where CPUID does not tell (SDM vol. 3, 4.1.4), and what no CPU exceeds. */
#define PHYS_BITS_DEFAULT 36u
#define PHYS_BITS_MAX 52u

#define MSR_X2APIC_EOI (MSR_X2APIC_FIRST + APIC_EOI / 16)
#define MSR_X2APIC_ICR (MSR_X2APIC_FIRST + APIC_ICR / 16)

/* Of the boot CPU: firmware gives all CPUs the same. */
static uint64_t host_microcode;

struct msr_row {
	uint32_t first, last;
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

static bool read_microcode(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)v;
	(void)msr;
	*value = host_microcode;
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
	const uint32_t features = cpuid(0x80000001, 0).edx;
	uint64_t writable = EFER_WRITABLE;
	struct vcpu_sysregs sys;

	(void)msr;
	if (features & CPUID_81_EDX_NX)
		writable |= EFER_NXE;
	if (features & CPUID_81_EDX_FFXSR)
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

static bool read_hwcr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)v;
	(void)msr;
	*value = HWCR_TSC_FREQ_SEL;
	return true;
}

/* Branch records and steps by branches: switched on they do nothing. */
static bool write_debugctl(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)v;
	(void)msr;
	return !(value & ~DEBUGCTL_LBR_BTF);
}

static unsigned guest_phys_bits(void)
{
	const unsigned bits = cpuid(0x80000008, 0).eax & 0xFF;

	return bits < PHYS_BITS_DEFAULT ? PHYS_BITS_DEFAULT
	       : bits > PHYS_BITS_MAX	? PHYS_BITS_MAX
					: bits;
}

static bool read_mtrr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return mtrr_read(&v->mtrr, msr, value);
}

static bool write_mtrr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	return mtrr_write(&v->mtrr, msr, value, guest_phys_bits());
}

static bool has_kvm_leaf(const struct vcpu *v)
{
	return v->vm->cfg->hypervisor_leaf == LEAF_KVM;
}

static bool write_kvm_clock(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)msr;
	return has_kvm_leaf(v) && kvmclock_set(v, value);
}

static bool read_kvm_clock(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = v->kvm_clock;
	return has_kvm_leaf(v);
}

static bool read_kvm_wall(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = 0;
	return has_kvm_leaf(v);
}

static bool write_kvm_wall(struct vcpu *v, uint32_t msr, uint64_t value)
{
	(void)msr;
	return has_kvm_leaf(v) && kvmclock_wall_set(v, value);
}

/* One register: whether reads and writes pass without an exit, and who serves those that exit. */
#define ONE(msr, pass_read, pass_write, read, write) \
	{ msr, msr, pass_read, pass_write, read, write }
#define RANGE(first, last, read, write) { first, last, false, false, read, write }

static const struct msr_row rows[] = {
	/* Switched with the guest, or harmless because the hypervisor uses none of them. */
	ONE(MSR_SYSENTER_CS, true, true, read_backend, write_backend),
	ONE(MSR_SYSENTER_ESP, true, true, read_backend, write_backend),
	ONE(MSR_SYSENTER_EIP, true, true, read_backend, write_backend),
	ONE(MSR_STAR, true, true, read_backend, write_backend),
	ONE(MSR_LSTAR, true, true, read_backend, write_backend),
	ONE(MSR_CSTAR, true, true, read_backend, write_backend),
	ONE(MSR_SFMASK, true, true, read_backend, write_backend),
	ONE(MSR_FS_BASE, true, true, read_backend, write_backend),
	ONE(MSR_GS_BASE, true, true, read_backend, write_backend),
	ONE(MSR_KERNEL_GS_BASE, true, true, read_backend, write_backend),
	/* The TSC can be read; it stays in step over all CPUs, so it cannot be written. */
	ONE(MSR_TSC, true, false, NULL, write_nothing),
	/* Long mode and NX, with SVM hidden. */
	ONE(MSR_EFER, false, false, read_backend, write_efer),
	ONE(MSR_PAT, false, false, read_backend, write_pat),
	ONE(MSR_APIC_BASE, false, false, read_apic_base, write_apic_base),
	/* Linux programs PAT only where there are MTRRs; their effect is none (mtrr.h). */
	ONE(MSR_MTRRCAP, false, false, read_mtrr, NULL),
	RANGE(MSR_MTRR_VARIABLE_FIRST, MSR_MTRR_VARIABLE_LAST, read_mtrr, write_mtrr),
	ONE(MSR_MTRR_FIXED_64K, false, false, read_mtrr, write_mtrr),
	RANGE(MSR_MTRR_FIXED_16K_FIRST, MSR_MTRR_FIXED_16K_LAST, read_mtrr, write_mtrr),
	RANGE(MSR_MTRR_FIXED_4K_FIRST, MSR_MTRR_FIXED_4K_LAST, read_mtrr, write_mtrr),
	ONE(MSR_MTRR_DEF_TYPE, false, false, read_mtrr, write_mtrr),
	/*
	 * Microcode is the machine's.  Guests read its revision, by which they tell
	 * whether an erratum is mended; they write 0 before, and an update that they
	 * try is one that the CPU does not take.
	 */
	ONE(MSR_PLATFORM_ID, false, false, read_zero, NULL),
	ONE(MSR_MICROCODE, false, false, read_microcode, write_nothing),
	ONE(MSR_UCODE_UPDATE, false, false, NULL, write_nothing),
	ONE(MSR_PATCH_LOADER, false, false, NULL, write_nothing),
	/* Tools read the bus ratio without asking whether there is one: none is told. */
	ONE(MSR_PLATFORM_INFO, false, false, read_zero, NULL),
	/* Linux reads it on Intel before it can take a #GP (verify_cpu). */
	ONE(MSR_MISC_ENABLE, false, false, read_misc_enable, write_nothing),
	/* Every CPU since the P6 has it: debuggers use it without asking. */
	ONE(MSR_DEBUGCTL, false, false, read_zero, write_debugctl),
	/* AMD's configuration: guests look for errata and set harmless bits. */
	ONE(MSR_SYSCFG, false, false, read_zero, NULL),
	ONE(MSR_HWCR, false, false, read_hwcr, write_nothing),
	ONE(MSR_INT_PENDING, false, false, read_zero, write_nothing),
	ONE(MSR_DE_CFG, false, false, read_lfence_config, write_nothing),
	ONE(MSR_BU_CFG2, false, false, read_zero, write_nothing),
	/* The paravirtual clock of the KVM leaf. */
	ONE(MSR_KVM_SYSTEM_TIME, false, false, read_kvm_clock, write_kvm_clock),
	ONE(MSR_KVM_WALL_CLOCK, false, false, read_kvm_wall, write_kvm_wall),
	/*
	 * No row, and so #GP: FEATURE_CONTROL, VM_CR, HSAVE_PA (no VMX, no SVM);
	 * machine checks, performance counters, energy and thermal registers (the
	 * machine's); TSC_ADJUST (the TSC is all CPUs'); SPEC_CTRL, PRED_CMD and
	 * ARCH_CAPABILITIES (CPUID offers none of their features, so guests choose
	 * the mitigations that need none); XSS, SMM, IBS, OSVW; and all others.
	 */
};

static const struct msr_row *find_row(uint32_t msr)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (msr >= rows[i].first && msr <= rows[i].last)
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

void msr_init(void)
{
	host_microcode = backend->microcode();
}

void msr_apply_policy(struct vcpu *v)
{
	/* These two have their own bit in CPUID; the guest owns its CPU, so they are real. */
	const bool deadline = cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE;
	const bool rdtscp = cpuid(0x80000001, 0).edx & CPUID_81_EDX_RDTSCP;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		for (uint32_t msr = rows[i].first; msr <= rows[i].last; msr++)
			backend->allow_msr(&v->hw, msr, rows[i].pass_read, rows[i].pass_write);
	backend->allow_msr(&v->hw, MSR_TSC_DEADLINE, deadline, deadline);
	backend->allow_msr(&v->hw, MSR_TSC_AUX, rdtscp, rdtscp);
}

void msr_power_on(struct vcpu *v)
{
	v->kvm_clock = 0;
	mtrr_reset(&v->mtrr, guest_phys_bits());
}

static const uint32_t kept_by_init[] = {
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_STAR, MSR_LSTAR, MSR_CSTAR,
	MSR_SFMASK, MSR_KERNEL_GS_BASE, MSR_PAT
};

_Static_assert(ARRAY_SIZE(kept_by_init) == MSR_KEPT, "one value each");

void msr_save(struct vcpu *v, struct msr_kept *kept)
{
	for (unsigned i = 0; i < MSR_KEPT; i++)
		if (!backend->read_msr(&v->hw, kept_by_init[i], &kept->value[i]))
			kept->value[i] = 0;
}

void msr_restore(struct vcpu *v, const struct msr_kept *kept)
{
	for (unsigned i = 0; i < MSR_KEPT; i++)
		backend->write_msr(&v->hw, kept_by_init[i], kept->value[i]);
}
