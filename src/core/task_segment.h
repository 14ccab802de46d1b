/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors and the segment registers of a task that begins; for task_switch.c alone. */
#ifndef CORE_TASK_SEGMENT_H
#define CORE_TASK_SEGMENT_H

#include "emulate.h"

#define SELECTOR_RPL 3u
#define SELECTOR_LOCAL 4u
#define SELECTOR_INDEX 0xFFF8u
#define DESCRIPTOR_ACCESS 5u /* the byte with type, S, DPL and P */

/* Segment types (Intel SDM vol. 3, tables 3-1 and 3-2). */
#define ATTR_TYPE 0xFu
#define ATTR_DPL 3u
#define TYPE_LDT 2u
#define TYPE_TSS16 1u
#define TYPE_TSS32 9u
#define TYPE_TSS_BUSY 2u /* a bit */
#define TYPE_ACCESSED 1u
#define TYPE_CODE 8u
#define TYPE_CONFORMING 4u /* of code */
#define TYPE_EXPAND_DOWN 4u /* of data */
#define TYPE_RW 2u	   /* code: readable, data: writable */

struct descriptor {
	uint64_t linear; /* where it is */
	struct segment_reg reg;
};

enum descriptor_found { DESCRIPTOR_OK, DESCRIPTOR_OUTSIDE, DESCRIPTOR_FAULT };

/*
 * Reads the descriptor of a selector that is not null, from the GDT or the
 * LDT of *sys, as the CPU itself reads it.  DESCRIPTOR_FAULT: *fault is set.
 */
enum descriptor_found descriptor_read(const struct emu_cpu *super,
				      const struct vcpu_sysregs *sys, uint16_t selector,
				      struct descriptor *d, struct guest_fault *fault);
/* Writes the access byte with its type changed. */
bool descriptor_set_type(const struct emu_cpu *super, const struct descriptor *d, unsigned type,
			 struct guest_fault *fault);

/*
 * Loads LDTR and then the six segment registers, whose selectors are in *sys
 * already, checked as in a new task (7.3 and table 7-1).  `ext` is the EXT bit
 * of error codes.  False: *fault; what was not loaded is unusable.
 */
bool task_load_segments(const struct emu_cpu *super, struct vcpu_sysregs *sys, uint64_t rflags,
			uint32_t ext, struct guest_fault *fault);

#endif
