/* SPDX-License-Identifier: BSD-2-Clause */
/* The Intel backend: CPU set-up, guest CPU set-up, entry. */
#include "vmx_internal.h"

#include "insn.h"
#include "kstring.h"
#include "log.h"
#include "pool.h"
#include "smp.h"
#include "x86.h"

#define CPUID_1_ECX_VMX BIT(5)
#define MSR_FEATURE_CONTROL 0x3Au
#define FEATURE_LOCKED BIT(0)
#define FEATURE_VMXON BIT(2)

static void *vmxon_region[SMP_MAX_CPUS];

/* Locked without VMXON, only a reset and the firmware's setup help; open, we set it (23.7). */
static bool feature_control_allows(void)
{
	const uint64_t v = insn_rdmsr(MSR_FEATURE_CONTROL);

	return !(v & FEATURE_LOCKED) || (v & FEATURE_VMXON);
}

static const char *probe(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_VMX))
		return BACKEND_ABSENT;
	if (!feature_control_allows())
		return "VMX is disabled by the firmware (IA32_FEATURE_CONTROL is locked without it); "
		       "switch on \"VT-x\" or \"virtualization\" in the firmware's setup";
	return vmx_caps_init();
}

static const struct s2_format *s2(void)
{
	return vmx_caps.ept & EPT_CAP_1G ? &s2_ept_1g : &s2_ept_2m;
}

static bool init(void)
{
	uint8_t *bitmaps = pool_alloc(2 * PAGE_SIZE, PAGE_SIZE);

	if (!bitmaps)
		return false;
	/* Every port of every guest exits. */
	memset(bitmaps, 0xFF, 2 * PAGE_SIZE);
	vmx_set_io_bitmaps(bitmaps, bitmaps + PAGE_SIZE);
	for (unsigned i = 0; i < n_cpus; i++) {
		vmxon_region[i] = pool_alloc(PAGE_SIZE, PAGE_SIZE);
		if (!vmxon_region[i])
			return false;
	}
	smp_set_nmi_window(vmx_window, vmx_window_end, vmx_cancelled);
	return true;
}

/* The revision is there when the register was 0 and CPUID came after that (SDM vol. 3, 9.11.7.1). */
static uint64_t microcode(void)
{
	uint64_t left_over;

	/* Emulated CPUs may lack it. */
	if (!rdmsr_safe(MSR_MICROCODE, &left_over))
		return 0;
	insn_wrmsr(MSR_MICROCODE, 0);
	cpuid(1, 0);
	return insn_rdmsr(MSR_MICROCODE);
}

static bool cpu_enable(void)
{
	uint32_t *region = vmxon_region[this_cpu()->index];
	const uint64_t pa = (uintptr_t)region, control = insn_rdmsr(MSR_FEATURE_CONTROL);

	if (!feature_control_allows())
		return false;
	if (!(control & FEATURE_LOCKED)) {
		insn_wrmsr(MSR_FEATURE_CONTROL, control | FEATURE_LOCKED | FEATURE_VMXON);
		log_info("CPU %u: the firmware left IA32_FEATURE_CONTROL open; VMX is enabled now",
			 this_cpu()->index);
	}
	/* VMXON and every entry demand these bits of the host (23.8). */
	insn_write_cr0(insn_read_cr0() | vmx_caps.cr0_fixed0);
	insn_write_cr4(insn_read_cr4() | vmx_caps.cr4_fixed0);
	region[0] = vmx_caps.revision;
	if (!insn_vmxon(pa))
		return false;
	vmx_flush_cpu();
	return true;
}

static bool vcpu_create(struct vcpu_hw *v, unsigned vm_index)
{
	struct vmx_vcpu *x = pool_alloc(sizeof(*x), 64);
	uint32_t *vmcs = pool_alloc(PAGE_SIZE, PAGE_SIZE);

	v->msr_bitmap = pool_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!x || !vmcs || !v->msr_bitmap)
		return false;
	vmcs[0] = vmx_caps.revision;
	memset(v->msr_bitmap, 0xFF, PAGE_SIZE);
	x->vmcs = vmcs;
	v->control = x;
	v->control_pa = (uintptr_t)vmcs;
	/* VPID 0 is the host's. */
	v->asid = (uint16_t)(1 + vm_index);
	return true;
}

static void make_current(struct vcpu_hw *v)
{
	if (!insn_vmclear(v->control_pa) || !insn_vmptrld(v->control_pa))
		log_error("hypervisor bug: the VMCS at %llx cannot be made current",
			  (unsigned long long)v->control_pa);
	vmx_vcpu(v)->launched = false;
}

/* The state after reset or INIT (SDM vol. 3, table 9-1). */
static void vcpu_reset(struct vcpu_hw *v)
{
	struct vcpu_sysregs s;

	make_current(v);
	vmx_vcpu(v)->event = 0;
	vmx_vcpu(v)->extint_window = vmx_vcpu(v)->nmi_after_sti = false;
	vmx_setup_vmcs(v);
	vcpu_reset_state(&v->regs, &s);
	v->regs.gpr[GPR_RDX] = cpuid(1, 0).eax;
	vmx_set_sysregs(v, &s);
	v->flush = true;
}

static void entry_begin(void)
{
}

#ifdef BULKHEAD_HOST
#define enter vmx_enter
#else
/* The registers that C expects to be kept are saved here, where few of them are in use. */
static inline unsigned enter(struct vcpu_regs *regs, uint64_t launched, uint64_t entry_nmis)
{
	unsigned result;

	__asm__ volatile("call vmx_enter"
			 : "=a"(result), "+D"(regs), "+S"(launched), "+d"(entry_nmis)
			 :
			 : "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
			   "cc", "memory");
	return result;
}
#endif

static void run(struct vcpu_hw *v, struct vm_exit *exit)
{
	struct vmx_vcpu *x = vmx_vcpu(v);
	unsigned result;

	vmcs_write(VMCS_GUEST_RSP, v->regs.gpr[GPR_RSP]);
	vmcs_write(VMCS_GUEST_RIP, v->regs.rip);
	vmcs_write(VMCS_GUEST_RFLAGS, v->regs.rflags);
	if (v->flush)
		vmx_flush_guest(v);
	v->flush = false;
	result = enter(&v->regs, x->launched, v->entry_nmis);
	if (result == VMX_ENTRY_CANCELLED) {
		*exit = (struct vm_exit){ .kind = EXIT_NMI, .tsc = rdtsc() };
		return;
	}
	exit->tsc = rdtsc();
	if (result == VMX_ENTRY_FAILED) {
		vmx_decode_failure(exit);
		return;
	}
	v->regs.gpr[GPR_RSP] = vmcs_read(VMCS_GUEST_RSP);
	v->regs.rip = vmcs_read(VMCS_GUEST_RIP);
	v->regs.rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	vmx_decode_exit(v, exit);
	/* A late failure leaves the launch state as it was (26.8). */
	if (exit->kind != EXIT_INVALID_STATE)
		x->launched = true;
}

/* 24.6.9: read-low, read-high, write-low, write-high, 1 KiB each; low is 0 to 1FFFh. */
static void allow_msr(struct vcpu_hw *v, uint32_t msr, bool read, bool write)
{
	uint8_t *map = v->msr_bitmap;
	const uint32_t bit = msr & 0x1FFF;

	if (msr >= 0xC0000000u && msr <= 0xC0001FFFu)
		map += 1024;
	else if (msr > 0x1FFF)
		return;
	map[bit / 8] = (uint8_t)((map[bit / 8] & ~(1u << bit % 8)) | (read ? 0u : 1u) << bit % 8);
	map += 2048;
	map[bit / 8] = (uint8_t)((map[bit / 8] & ~(1u << bit % 8)) | (write ? 0u : 1u) << bit % 8);
}

static uint64_t get_cr4(const struct vcpu_hw *v)
{
	(void)v;
	return vmx_guest_cr4();
}

const struct backend vmx_backend = {
	.name = "Intel VMX",
	.probe = probe,
	.s2 = s2,
	.init = init,
	.microcode = microcode,
	.cpu_enable = cpu_enable,
	.vcpu_create = vcpu_create,
	.vcpu_reset = vcpu_reset,
	.run = run,
	.entry_begin = entry_begin,
	.entry_cancel = entry_begin,
	.get_sysregs = vmx_get_sysregs,
	.set_sysregs = vmx_set_sysregs,
	.get_cr4 = get_cr4,
	.event_pending = vmx_event_pending,
	.can_take_extint = vmx_can_take_extint,
	.can_take_nmi = vmx_can_take_nmi,
	.inject = vmx_inject,
	.want_window = vmx_want_window,
	.want_nmi_window = vmx_want_nmi_window,
	.clear_shadow = vmx_clear_shadow,
	.allow_msr = allow_msr,
	.read_msr = vmx_read_msr,
	.write_msr = vmx_write_msr,
};
