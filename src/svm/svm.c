/* SPDX-License-Identifier: BSD-2-Clause */
/* The AMD backend: CPU set-up, guest CPU set-up, policy, entry. */
#include "svm_internal.h"

#include "kstring.h"
#include "log.h"
#include "pool.h"
#include "smp.h"
#include "x86.h"

#define MSR_VM_CR 0xC0010114u
#define VM_CR_SVMDIS BIT(4)
#define MSR_VM_HSAVE_PA 0xC0010117u

#define CPUID_81_ECX_SVM BIT(2)
#define CPUID_81_EDX_1G BIT(26)
#define CPUID_SVM_LEAF 0x8000000Au
#define CPUID_SVM_NPT BIT(0)
#define MIN_ASIDS 2 /* ASID 0 is the host's */

#define IOPM_SIZE (3 * PAGE_SIZE)
#define MSRPM_SIZE (2 * PAGE_SIZE)

/* One VMCB page for the host's FS, GS, TR... and one that the CPU saves into (15.30.4). */
struct svm_cpu {
	void *host_vmcb, *save_area;
};

static uint8_t *iopm; /* all ones: every port of every guest exits */
static struct svm_cpu cpu_data[SMP_MAX_CPUS];

struct vmcb *svm_vmcb(const struct vcpu_hw *v)
{
	return v->control;
}

static const char *probe(void)
{
	const struct cpuid_regs max = cpuid(0x80000000, 0);
	uint64_t vm_cr;

	if (max.eax < CPUID_SVM_LEAF || !(cpuid(0x80000001, 0).ecx & CPUID_81_ECX_SVM))
		return BACKEND_ABSENT;
	/* Emulated CPUs may lack the MSR: then nothing is disabled by it. */
	if (rdmsr_safe(MSR_VM_CR, &vm_cr) && (vm_cr & VM_CR_SVMDIS))
		return "SVM is disabled by the firmware (VM_CR.SVMDIS is set); "
		       "switch on \"SVM\" or \"virtualization\" in the firmware's setup";
	if (!(cpuid(CPUID_SVM_LEAF, 0).edx & CPUID_SVM_NPT))
		return "this CPU has SVM without nested paging; Bulkhead needs nested paging";
	if (cpuid(CPUID_SVM_LEAF, 0).ebx < MIN_ASIDS)
		return "this CPU has no address space identifier for guests (CPUID 8000000Ah)";
	return NULL;
}

static const struct s2_format *s2(void)
{
	return cpuid(0x80000001, 0).edx & CPUID_81_EDX_1G ? &s2_npt_1g : &s2_npt_2m;
}

static bool init(void)
{
	iopm = pool_alloc(IOPM_SIZE, PAGE_SIZE);
	if (!iopm)
		return false;
	memset(iopm, 0xFF, IOPM_SIZE);
	for (unsigned i = 0; i < n_cpus; i++) {
		cpu_data[i].host_vmcb = pool_alloc(PAGE_SIZE, PAGE_SIZE);
		cpu_data[i].save_area = pool_alloc(PAGE_SIZE, PAGE_SIZE);
		if (!cpu_data[i].host_vmcb || !cpu_data[i].save_area)
			return false;
	}
	return true;
}

static uint64_t microcode(void)
{
	uint64_t revision;

	return rdmsr_safe(MSR_MICROCODE, &revision) ? revision : 0;
}

static bool cpu_enable(void)
{
	struct svm_cpu *d = &cpu_data[this_cpu()->index];
	uint64_t vm_cr;

	if (rdmsr_safe(MSR_VM_CR, &vm_cr) && (vm_cr & VM_CR_SVMDIS))
		return false;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, (uintptr_t)d->save_area);
	__asm__ volatile("vmsave" : : "a"(d->host_vmcb) : "memory");
	return true;
}

/*
 * A guest never sees SVM; what could reach other CPUs or the hypervisor is
 * intercepted.  External interrupts and HLT are not: the guest's own
 * interrupts come to it without an exit.
 */
#define POLICY_MISC1                                                                          \
	(INTERCEPT_NMI | INTERCEPT_INIT | INTERCEPT_RDPMC | INTERCEPT_CPUID | INTERCEPT_RSM | \
	 INTERCEPT_INVD | INTERCEPT_INVLPGA | INTERCEPT_IO | INTERCEPT_MSR | INTERCEPT_SHUTDOWN)
#define POLICY_MISC2                                                                          \
	(INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE |          \
	 INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT | INTERCEPT_WBINVD |              \
	 INTERCEPT_MONITOR | INTERCEPT_MWAIT | INTERCEPT_MWAIT_ARMED | INTERCEPT_XSETBV |     \
	 INTERCEPT_RDPRU)
/*
 * Without the first two a guest could keep its CPU in microcode for ever, out
 * of an NMI's reach.  A machine check is the machine's, not the guest's.
 */
#define POLICY_EXCEPTIONS ((uint32_t)(BIT(VEC_DB) | BIT(VEC_AC) | BIT(VEC_MC)))

static bool vcpu_create(struct vcpu_hw *v, unsigned vm_index)
{
	v->control = pool_alloc(PAGE_SIZE, PAGE_SIZE);
	v->msr_bitmap = pool_alloc(MSRPM_SIZE, PAGE_SIZE);
	if (!v->control || !v->msr_bitmap)
		return false;
	v->control_pa = (uintptr_t)v->control;
	memset(v->msr_bitmap, 0xFF, MSRPM_SIZE);
	/* ASID 0 is the host's.  A CPU only ever runs one guest, so few suffice (15.16). */
	v->asid = (uint16_t)(1 + vm_index % (cpuid(CPUID_SVM_LEAF, 0).ebx - 1));
	return true;
}

static void vcpu_reset(struct vcpu_hw *v)
{
	struct vmcb *vmcb = svm_vmcb(v);
	struct vcpu_sysregs s;

	memset(vmcb, 0, sizeof(*vmcb));
	vmcb->intercept_exceptions = POLICY_EXCEPTIONS;
	vmcb->intercept_misc1 = (uint32_t)POLICY_MISC1;
	vmcb->intercept_misc2 = (uint32_t)POLICY_MISC2;
	vmcb->iopm = (uintptr_t)iopm;
	vmcb->msrpm = (uintptr_t)v->msr_bitmap;
	vmcb->asid = v->asid;
	vmcb->nested_control = NESTED_ENABLE;
	vmcb->nested_cr3 = v->second_stage;
	vmcb->g_pat = PAT_RESET;
	v->flush = true;
	v->nmi_blocked = v->nmi_stepping = v->kick_self = false;
	vcpu_reset_state(&v->regs, &s);
	v->regs.gpr[GPR_RDX] = cpuid(1, 0).eax;
	svm_set_sysregs(v, &s);
}

static void run(struct vcpu_hw *v, struct vm_exit *exit)
{
	struct vmcb *vmcb = svm_vmcb(v);

	vmcb->rax = v->regs.gpr[GPR_RAX];
	vmcb->rsp = v->regs.gpr[GPR_RSP];
	vmcb->rip = v->regs.rip;
	vmcb->rflags = v->regs.rflags;
	/*
	 * Clearing all is right on every model; no field is cached across
	 * entries that we change behind the CPU's back (15.15).
	 */
	vmcb->clean = 0;
	vmcb->tlb_control = v->flush ? TLB_FLUSH_ALL : 0;
	v->flush = false;
	/* GIF is clear: it is held until the guest runs. */
	if (v->kick_self)
		smp_kick(this_cpu()->index);
	v->kick_self = false;
	if (BULKHEAD_DEBUG && svm_broken_rule(vmcb))
		log_error("VMRUN will refuse the guest's state: %s", svm_broken_rule(vmcb));
	svm_enter(&v->regs, v->control_pa, (uintptr_t)cpu_data[this_cpu()->index].host_vmcb);
	exit->tsc = rdtsc();
	v->regs.gpr[GPR_RAX] = vmcb->rax;
	v->regs.gpr[GPR_RSP] = vmcb->rsp;
	v->regs.rip = vmcb->rip;
	v->regs.rflags = vmcb->rflags;
	svm_decode_exit(v, exit);
}

static void entry_begin(void)
{
	__asm__ volatile("clgi" : : : "memory");
}

static void entry_cancel(void)
{
	__asm__ volatile("stgi" : : : "memory");
}

/* 15.11: two bits an MSR, read then write, in three ranges of 2 KiB. */
static void allow_msr(struct vcpu_hw *v, uint32_t msr, bool read, bool write)
{
	uint8_t *map = v->msr_bitmap;
	uint32_t index = msr & 0x1FFF;
	uint8_t deny;

	if (msr >= 0xC0010000u && msr <= 0xC0011FFFu)
		index += 0x4000;
	else if (msr >= 0xC0000000u && msr <= 0xC0001FFFu)
		index += 0x2000;
	else if (msr > 0x1FFF)
		return;
	deny = (uint8_t)((read ? 0 : 1) | (write ? 0 : 2));
	map[index / 4] = (uint8_t)((map[index / 4] & ~(3u << index % 4 * 2)) |
				   (unsigned)deny << index % 4 * 2);
}

static uint64_t get_cr4(const struct vcpu_hw *v)
{
	return svm_vmcb(v)->cr4;
}

const struct backend svm_backend = {
	.name = "AMD SVM",
	.probe = probe,
	.s2 = s2,
	.init = init,
	.microcode = microcode,
	.cpu_enable = cpu_enable,
	.vcpu_create = vcpu_create,
	.vcpu_reset = vcpu_reset,
	.run = run,
	.entry_begin = entry_begin,
	.entry_cancel = entry_cancel,
	.get_sysregs = svm_get_sysregs,
	.set_sysregs = svm_set_sysregs,
	.get_cr4 = get_cr4,
	.event_pending = svm_event_pending,
	.can_take_extint = svm_can_take_extint,
	.can_take_nmi = svm_can_take_nmi,
	.inject = svm_inject,
	.want_window = svm_want_window,
	.want_nmi_window = svm_want_nmi_window,
	.clear_shadow = svm_clear_shadow,
	.allow_msr = allow_msr,
	.read_msr = svm_read_msr,
	.write_msr = svm_write_msr,
};
