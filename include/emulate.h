/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction decoder and the emulator of instructions that touch
 * memory-mapped registers.  Pure code: it sees the guest CPU only as
 * registers and the guest's memory only through `struct emu_ops`, so it runs
 * in host tests and fuzzers.
 */
#ifndef BULKHEAD_EMULATE_H
#define BULKHEAD_EMULATE_H

#include "vcpu_state.h"

#define INSN_MAX 15 /* bytes, Intel SDM vol. 2, 2.3.11 */

/* What the emulator needs from the machine around it. */
struct emu_ops {
	/*
	 * The host address of `len` bytes of guest RAM at `gpa`, or NULL when
	 * not all of them are RAM.  The bytes stay mapped while the vCPU is.
	 */
	void *(*ram)(void *ctx, uint64_t gpa, size_t len);
	/*
	 * An access of 1, 2, 4 or 8 bytes to what is not RAM.  Never fails: a
	 * hole reads as ones and swallows writes.
	 */
	uint64_t (*mmio_read)(void *ctx, uint64_t gpa, unsigned size);
	void (*mmio_write)(void *ctx, uint64_t gpa, unsigned size, uint64_t value);
	/* The guest's PKRU; asked only when its CR4.PKE is set. */
	uint32_t (*pkru)(void *ctx);
};

/* An exception that the guest has to get. */
struct guest_fault {
	uint8_t vector; /* enum vector */
	bool has_error;
	uint32_t error;
	uint64_t cr2; /* only for VEC_PF */
};

enum emu_result {
	EMU_OK,          /* done: regs hold the state behind the instruction */
	EMU_AGAIN,       /* a REP that did part of its work: enter the guest, it exits again */
	EMU_RETRY,       /* nothing was changed: a locked update lost against another CPU of the
			    guest; enter the guest, it tries again */
	EMU_FAULT,       /* inject *fault; regs hold what the instruction left */
	EMU_UNSUPPORTED, /* not an instruction this emulator knows: nothing was changed */
};

struct emu_cpu {
	struct vcpu_regs *regs;
	const struct vcpu_sysregs *sys;
	const struct emu_ops *ops;
	void *ctx;
	unsigned phys_bits; /* the guest's MAXPHYADDR, for reserved bits; 0: 52 */
};

/*
 * After EMU_OK and EMU_AGAIN: is a single-step trap due?  The caller then sets
 * DR6.BS and injects #DB; no emulated instruction changes TF, and with TF set
 * a REP does one element a call, as the CPU traps after each.  EMU_OK also
 * ends the shadow of STI or MOV SS, which the caller keeps, and RFLAGS.RF,
 * which is cleared here.
 */
static inline bool emu_trap_due(const struct vcpu_regs *regs)
{
	return (regs->rflags & RFLAGS_TF) != 0;
}

/* Kinds of access for translation and its permission checks. */
enum emu_access { EMU_READ = 0, EMU_WRITE = 1, EMU_FETCH = 2 };

/*
 * Walks the guest's page tables (no paging, 32-bit, PAE, 4-level, 5-level;
 * 4 KiB, 2/4 MiB, 1 GiB pages; WP, NX, SMEP, SMAP, user bit, protection keys of
 * user pages; reserved bits).
 * True with *gpa set; false with *fault filled as the CPU would (#PF, or #GP
 * for a non-canonical address in long mode).  Sets accessed and dirty bits as
 * the CPU does, once the access is permitted.  An access must not cross a
 * page: callers split it.  PAE's four root entries are read from memory.
 */
bool emu_translate(const struct emu_cpu *cpu, uint64_t linear, enum emu_access access,
		   uint64_t *gpa, struct guest_fault *fault);

/*
 * Copies between a buffer and guest linear memory, split at page borders,
 * RAM or not.  On a fault nothing or only the pages before it were copied.
 */
bool emu_read_linear(const struct emu_cpu *cpu, uint64_t linear, void *buf, size_t len,
		     enum emu_access access, struct guest_fault *fault);
bool emu_write_linear(const struct emu_cpu *cpu, uint64_t linear, const void *buf, size_t len,
		      struct guest_fault *fault);

/*
 * The length in bytes of the instruction at CS:RIP, prefixes and all.  Used
 * where the hardware does not say it (SVM without next-RIP).  0 when it
 * cannot be fetched (*fault is set: #PF, or #GP beyond the segment, the
 * canonical range or 15 bytes) or decoded (fault->vector is VEC_UD).
 */
unsigned emu_insn_length(const struct emu_cpu *cpu, struct guest_fault *fault);

/*
 * Emulates the one instruction at CS:RIP, with every memory operand going
 * through the guest's page tables to RAM or to ops->mmio_*.
 *
 * An operand is translated whole before its first byte is touched, so a fault
 * leaves memory, devices and registers as they were; of a REP, the elements
 * before the faulting one are done and RIP still points at it.  A naturally
 * aligned operand in RAM is read and written in one access, and updated
 * atomically under LOCK (XCHG: always); one that is not aligned is updated
 * without atomicity.  An operand in one page that is not RAM is one call of
 * ops->mmio_*.  At most EMU_REP_BUDGET elements of a REP are done in a call.
 *
 * Known: MOV (also from segment registers), MOVZX, MOVSX, MOVSXD, MOVBE, MOVNTI, XCHG,
 * the arithmetic of opcodes 00-3F and 80-83, shifts and rotates by one, CL or an
 * immediate, TEST, NOT, NEG, INC, DEC, BT and its kin, IMUL of two operands,
 * CMOVcc, SETcc, CMPXCHG, CMPXCHG8B, XADD, PUSH and POP of memory, and the
 * string instructions.
 * Not: loads of segment registers, MUL, DIV, CMPXCHG16B, branches through
 * memory; x87, MMX, SSE and AVX, whose registers the hypervisor does not have.
 */
#define EMU_REP_BUDGET 64
enum emu_result emu_step(const struct emu_cpu *cpu, struct guest_fault *fault);

/*
 * Segment-relative address to linear, with limit, type and canonical checks
 * for an access of `size` bytes (Intel SDM vol. 3, 5.3).  False: *fault.
 */
bool emu_linear(const struct emu_cpu *cpu, enum segment seg, uint64_t offset, unsigned size,
		enum emu_access access, uint64_t *linear, struct guest_fault *fault);

/*
 * One INS or OUTS (with or without REP) at CS:RIP, whose port accesses go to
 * port->in and port->out (size 1, 2, 4).  At most `budget` elements a call (but
 * at least one); EMU_AGAIN when more are left.
 *
 * The order in an element: the memory operand is checked and translated (INS:
 * for writing), then INS reads the port and stores, OUTS loads and writes the
 * port, then the registers move on.  A faulting element has made no port
 * access.  Permission to use the port is not checked here: the CPU did that
 * before the exit.
 */
struct emu_port_ops {
	uint32_t (*in)(void *ctx, uint16_t port, unsigned size);
	void (*out)(void *ctx, uint16_t port, unsigned size, uint32_t value);
};
enum emu_result emu_string_io(const struct emu_cpu *cpu, const struct emu_port_ops *port,
			      unsigned budget, struct guest_fault *fault);

#endif
