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
	EMU_FAULT,       /* inject *fault; regs hold what the instruction left */
	EMU_UNSUPPORTED, /* not an instruction this emulator knows: nothing was changed */
};

struct emu_cpu {
	struct vcpu_regs *regs;
	const struct vcpu_sysregs *sys;
	const struct emu_ops *ops;
	void *ctx;
};

/* Kinds of access for translation and its permission checks. */
enum emu_access { EMU_READ = 0, EMU_WRITE = 1, EMU_FETCH = 2 };

/*
 * Walks the guest's page tables (no paging, 32-bit, PAE, 4-level, 5-level;
 * 4 KiB, 2/4 MiB, 1 GiB pages; WP, NX, SMEP, SMAP, user bit; reserved bits).
 * True with *gpa set; false with *fault filled as the CPU would (#PF, or #GP
 * for a non-canonical address in long mode).  Sets accessed and dirty bits as
 * the CPU does.  An access must not cross a page: callers split it.
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
 * cannot be fetched (*fault is set) or decoded (fault->vector is VEC_UD).
 */
unsigned emu_insn_length(const struct emu_cpu *cpu, struct guest_fault *fault);

/*
 * Emulates the one instruction at CS:RIP, with every memory operand going
 * through the guest's page tables to RAM or to ops->mmio_*.
 */
enum emu_result emu_step(const struct emu_cpu *cpu, struct guest_fault *fault);

/*
 * Segment-relative address to linear, with limit, type and canonical checks
 * for an access of `size` bytes (Intel SDM vol. 3, 5.3).  False: *fault.
 */
bool emu_linear(const struct emu_cpu *cpu, enum segment seg, uint64_t offset, unsigned size,
		enum emu_access access, uint64_t *linear, struct guest_fault *fault);

/*
 * One INS or OUTS (with or without REP) at CS:RIP, whose port accesses go to
 * `port_in`/`port_out` (size 1, 2, 4).  At most `budget` elements a call;
 * EMU_AGAIN when more are left.
 */
struct emu_port_ops {
	uint32_t (*in)(void *ctx, uint16_t port, unsigned size);
	void (*out)(void *ctx, uint16_t port, unsigned size, uint32_t value);
};
enum emu_result emu_string_io(const struct emu_cpu *cpu, const struct emu_port_ops *port,
			      unsigned budget, struct guest_fault *fault);

#endif
