/* SPDX-License-Identifier: BSD-2-Clause */
/* Every field of a fresh VMCS (SDM vol. 3, 24.4 to 24.8). */
#include "insn.h"
#include "vmx_internal.h"

#include "smp.h"
#include "x86.h"

#define LINK_NONE (~0ULL)

static uint64_t io_bitmap_a, io_bitmap_b;

void vmx_set_io_bitmaps(void *a, void *b)
{
	io_bitmap_a = (uintptr_t)a;
	io_bitmap_b = (uintptr_t)b;
}

/*
 * A guest never sees VMX.  #DB and #AC: without an exit a guest could keep its
 * CPU in microcode for ever, out of an NMI's reach.  A machine check is the
 * machine's, not the guest's.
 */
static void setup_controls(struct vcpu_hw *v)
{
	vmcs_write(VMCS_PIN_CONTROLS, vmx_caps.pin);
	vmcs_write(VMCS_CPU_CONTROLS, vmx_caps.cpu);
	vmcs_write(VMCS_CPU_CONTROLS2, vmx_caps.cpu2);
	vmcs_write(VMCS_EXIT_CONTROLS, vmx_caps.exit);
	vmcs_write(VMCS_ENTRY_CONTROLS, vmx_caps.entry);
	vmcs_write(VMCS_EXCEPTION_BITMAP, BIT(VEC_DB) | BIT(VEC_AC) | BIT(VEC_MC));
	vmcs_write(VMCS_PF_ERROR_MASK, 0);
	vmcs_write(VMCS_PF_ERROR_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGET_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_ENTRY_INTERRUPTION, 0);
	vmcs_write(VMCS_IO_BITMAP_A, io_bitmap_a);
	vmcs_write(VMCS_IO_BITMAP_B, io_bitmap_b);
	vmcs_write(VMCS_MSR_BITMAP, (uintptr_t)v->msr_bitmap);
	vmcs_write(VMCS_EPT_POINTER, vmx_ept_pointer(v->second_stage));
	if (vmx_caps.cpu2 & CPU2_VPID)
		vmcs_write(VMCS_VPID, v->asid);
	vmcs_write(VMCS_CR0_MASK, CR0_OWNED);
	vmcs_write(VMCS_CR4_MASK, CR4_VMXE);
}

static void setup_host(void)
{
	vmcs_write(VMCS_HOST_CR0, insn_read_cr0());
	vmcs_write(VMCS_HOST_CR3, insn_read_cr3());
	vmcs_write(VMCS_HOST_CR4, insn_read_cr4());
	vmcs_write(VMCS_HOST_CS_SELECTOR, GDT_CODE);
	vmcs_write(VMCS_HOST_SS_SELECTOR, GDT_DATA);
	vmcs_write(VMCS_HOST_DS_SELECTOR, GDT_DATA);
	vmcs_write(VMCS_HOST_ES_SELECTOR, GDT_DATA);
	vmcs_write(VMCS_HOST_FS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_GS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_TR_SELECTOR, GDT_TSS);
	vmcs_write(VMCS_HOST_FS_BASE, 0);
	vmcs_write(VMCS_HOST_GS_BASE, (uintptr_t)this_cpu());
	vmcs_write(VMCS_HOST_TR_BASE, (uintptr_t)&this_cpu()->tss);
	vmcs_write(VMCS_HOST_GDTR_BASE, insn_gdt_base());
	vmcs_write(VMCS_HOST_IDTR_BASE, insn_idt_base());
	vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_HOST_EFER, insn_rdmsr(MSR_EFER));
	vmcs_write(VMCS_HOST_PAT, insn_rdmsr(MSR_PAT));
	vmcs_write(VMCS_HOST_RIP, (uintptr_t)vmx_exit_point);
}

/* What vmx_set_sysregs does not set. */
static void setup_guest_rest(void)
{
	vmcs_write(VMCS_VMCS_LINK_POINTER, LINK_NONE);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_PAT, PAT_RESET);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_GUEST_PDPTE0, 0);
	vmcs_write(VMCS_GUEST_PDPTE1, 0);
	vmcs_write(VMCS_GUEST_PDPTE2, 0);
	vmcs_write(VMCS_GUEST_PDPTE3, 0);
	insn_wrmsr(MSR_STAR, 0);
	insn_wrmsr(MSR_LSTAR, 0);
	insn_wrmsr(MSR_CSTAR, 0);
	insn_wrmsr(MSR_SFMASK, 0);
	insn_wrmsr(MSR_KERNEL_GS_BASE, 0);
}

void vmx_setup_vmcs(struct vcpu_hw *v)
{
	setup_controls(v);
	setup_host();
	setup_guest_rest();
}
