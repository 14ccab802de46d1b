/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports and memory-mapped registers: from an exit to the guest's bus. */
#include "log.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define STRING_BUDGET 64
#define DR6_BS BIT(14)

static void *view_ram(void *ctx, uint64_t gpa, size_t len)
{
	const struct vcpu *v = ctx;

	return guest_ram(&v->vm->memory, gpa, len);
}

static bool is_apic_page(const struct vcpu *v, uint64_t gpa)
{
	return align_down(gpa, PAGE_SIZE) == APIC_BASE_ADDRESS && vlapic_is_enabled(&v->lapic) &&
	       !vlapic_is_x2apic(&v->lapic);
}

/* 32-bit registers; other sizes take part of one, as most hardware does. */
static uint64_t read_apic(struct vcpu *v, uint64_t gpa, unsigned size)
{
	const uint32_t offset = (uint32_t)gpa & (uint32_t)(PAGE_SIZE - 1);
	const uint32_t value = vlapic_mmio_read(&v->lapic, offset & ~3u);

	return size >= 4 ? value : value >> 8 * (offset & 3);
}

static uint64_t view_mmio_read(void *ctx, uint64_t gpa, unsigned size)
{
	struct vcpu *v = ctx;
	uint64_t value;

	lock_acquire(&v->vm->lock);
	value = is_apic_page(v, gpa) ? read_apic(v, gpa, size)
				     : bus_mmio_read(&v->vm->bus, gpa, size);
	lock_release(&v->vm->lock);
	return value;
}

static void view_mmio_write(void *ctx, uint64_t gpa, unsigned size, uint64_t value)
{
	struct vcpu *v = ctx;

	lock_acquire(&v->vm->lock);
	if (is_apic_page(v, gpa))
		vlapic_mmio_write(&v->lapic, (uint32_t)gpa & (uint32_t)(PAGE_SIZE - 1),
				  (uint32_t)value);
	else
		bus_mmio_write(&v->vm->bus, gpa, size, value);
	/* The write may have opened the 8259s' way through the I/O APIC. */
	if (v->vm->pic.out_level && vioapic_passes_extint(&v->vm->ioapic))
		vcpu_post(&v->vm->vcpus[0], WORK_EXTINT);
	lock_release(&v->vm->lock);
}

/* It stays in the CPU over exits; reading it takes CR4.PKE, which binds no hypervisor page. */
static uint32_t view_pkru(void *ctx)
{
	const uint64_t cr4 = read_cr4();
	uint32_t value;

	(void)ctx;
	write_cr4(cr4 | CR4_PKE);
	value = read_pkru();
	write_cr4(cr4);
	return value;
}

static const struct emu_ops emu_ops = {
	.ram = view_ram,
	.mmio_read = view_mmio_read,
	.mmio_write = view_mmio_write,
	.pkru = view_pkru,
};

/* The guest sees the host's width (CPUID 80000008h, which it gets unchanged). */
static unsigned phys_bits;

void access_init(void)
{
	phys_bits = cpuid(0x80000008, 0).eax & 0xFF;
}

void vcpu_view(struct vcpu *v, struct vcpu_view *view)
{
	backend->get_sysregs(&v->hw, &view->sys);
	view->cpu.regs = &v->hw.regs;
	view->cpu.sys = &view->sys;
	view->cpu.ops = &emu_ops;
	view->cpu.ctx = v;
	view->cpu.phys_bits = phys_bits;
}

static void NOINLINE single_step(struct vcpu *v)
{
	struct vcpu_sysregs sys;

	backend->get_sysregs(&v->hw, &sys);
	sys.dr6 |= DR6_BS;
	backend->set_sysregs(&v->hw, &sys);
	vcpu_inject_exception(v, VEC_DB, false, 0);
}

/* An instruction was completed for the guest: its shadow is over, a single step may be due. */
static void completed(struct vcpu *v)
{
	backend->clear_shadow(&v->hw);
	if (emu_trap_due(&v->hw.regs))
		single_step(v);
}

/* Outside 64-bit code RIP has 32 bits. */
static void NOINLINE wrap_rip(struct vcpu *v)
{
	struct vcpu_sysregs sys;

	backend->get_sysregs(&v->hw, &sys);
	if (!(sys.efer & EFER_LMA) || !(sys.seg[SEG_CS].attr & SEG_ATTR_L))
		v->hw.regs.rip = (uint32_t)v->hw.regs.rip;
}

static void advance_rip(struct vcpu *v, unsigned len)
{
	const uint64_t from = v->hw.regs.rip, to = from + len;

	v->hw.regs.rip = to;
	/* Only a carry out of the lower half makes it matter what code this is. */
	if (!(from >> 32) && to >> 32)
		wrap_rip(v);
}

/* By decoding; 0: that failed, and the guest got the fault. */
static unsigned NOINLINE measure_instruction(struct vcpu *v)
{
	struct vcpu_view view;
	struct guest_fault fault;
	unsigned len;

	vcpu_view(v, &view);
	len = emu_insn_length(&view.cpu, &fault);
	if (len == 0)
		vcpu_inject_fault(v, &fault);
	return len;
}

bool skip_instruction(struct vcpu *v, const struct vm_exit *exit)
{
	const unsigned len = exit->insn_len ? exit->insn_len : measure_instruction(v);

	if (len == 0)
		return false;
	advance_rip(v, len);
	v->hw.regs.rflags &= ~RFLAGS_RF;
	completed(v);
	return true;
}

#define SHOWN_BYTES 8u

/* The first bytes at CS:RIP, the first one highest; 0 when they cannot be read. */
static uint64_t code_bytes(struct vcpu *v)
{
	struct vcpu_view view;
	struct guest_fault fault;
	uint64_t linear, raw;

	vcpu_view(v, &view);
	if (!emu_linear(&view.cpu, SEG_CS, v->hw.regs.rip, SHOWN_BYTES, EMU_FETCH, &linear,
			&fault) ||
	    !emu_read_linear(&view.cpu, linear, &raw, SHOWN_BYTES, EMU_FETCH, &fault))
		return 0;
	return __builtin_bswap64(raw);
}

static void finish(struct vcpu *v, const struct vm_exit *exit, enum emu_result result,
		   const struct guest_fault *fault)
{
	switch (result) {
	case EMU_OK:
	case EMU_AGAIN:
		completed(v);
		return;
	case EMU_RETRY:
		return;
	case EMU_FAULT:
		vcpu_inject_fault(v, fault);
		return;
	case EMU_UNSUPPORTED:
	default:
		vm_end_request(v->vm, END_CRASH,
			       "crashed (the instruction %016llx... at rip %llx touches %llx, where "
			       "no memory is, and cannot be emulated)",
			       (unsigned long long)code_bytes(v),
			       (unsigned long long)v->hw.regs.rip,
			       (unsigned long long)exit->memory.gpa);
		return;
	}
}

void access_memory(struct vcpu *v, const struct vm_exit *exit)
{
	struct vcpu_view view;
	struct guest_fault fault;
	enum emu_result result;

	if (exit->memory.fetch || exit->memory.walk || backend->event_pending(&v->hw)) {
		/* Code, page tables, stacks of event frames: only RAM can be that. */
		vm_end_request(v->vm, END_CRASH, "crashed (%s at guest-physical %llx, where there "
			       "is no memory; rip %llx)",
			       exit->memory.fetch  ? "code"
			       : exit->memory.walk ? "page tables"
						   : "an event's stack or table",
			       (unsigned long long)exit->memory.gpa,
			       (unsigned long long)v->hw.regs.rip);
		return;
	}
	vcpu_view(v, &view);
	result = emu_step(&view.cpu, &fault);
	finish(v, exit, result, &fault);
}

static uint32_t port_in(void *ctx, uint16_t port, unsigned size)
{
	struct vcpu *v = ctx;
	uint32_t value;

	lock_acquire(&v->vm->lock);
	value = bus_port_read(&v->vm->bus, port, size);
	lock_release(&v->vm->lock);
	return value;
}

static void port_out(void *ctx, uint16_t port, unsigned size, uint32_t value)
{
	struct vcpu *v = ctx;

	lock_acquire(&v->vm->lock);
	bus_port_write(&v->vm->bus, port, size, value);
	lock_release(&v->vm->lock);
}

void access_port(struct vcpu *v, const struct vm_exit *exit)
{
	uint64_t *rax = &v->hw.regs.gpr[GPR_RAX];
	const unsigned size = exit->port.size;
	const uint64_t mask = size == 4 ? 0xFFFFFFFF : BIT(8 * size) - 1;
	uint32_t value;

	if (exit->port.in) {
		value = port_in(v, exit->port.port, size);
		/* A 32-bit result clears the upper half; smaller ones leave the rest. */
		*rax = (size == 4 ? 0 : *rax & ~mask) | (value & mask);
	} else {
		port_out(v, exit->port.port, size, (uint32_t)(*rax & mask));
	}
	skip_instruction(v, exit);
}

void access_port_string(struct vcpu *v, const struct vm_exit *exit)
{
	static const struct emu_port_ops ports = { port_in, port_out };
	struct vcpu_view view;
	struct guest_fault fault;
	enum emu_result result;

	vcpu_view(v, &view);
	result = emu_string_io(&view.cpu, &ports, STRING_BUDGET, &fault);
	finish(v, exit, result, &fault);
}
