/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts: every vector has an entry that counts and then calls what was set. */
#ifndef GUEST_IRQ_H
#define GUEST_IRQ_H

#include "x86.h"

#define SEL_CODE64 0x08
#define SEL_DATA 0x10
#define SEL_CODE32 0x18
#define SEL_CODE16 0x20
#define SEL_DATA16 0x28
#define SEL_TSS 0x40 /* 16 bytes a CPU from here on */
#define TRACE_SIZE 64

/* What vectors.asm leaves on the stack. */
struct frame {
#ifdef __x86_64__
	uintptr_t r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
#else
	uintptr_t di, si, bp, sp, bx, dx, cx, ax;
#endif
	uintptr_t vector, error, ip, cs, flags;
};

typedef void (*irq_handler)(struct frame *f);

void irq_init(void);
/* Loads the IDT into this CPU. */
void irq_load(void);
/* For all CPUs; NULL: only counted. */
void irq_set(unsigned vector, irq_handler handler);
/* How often the vector came to the CPU since irq_forget(). */
unsigned irq_count(unsigned cpu, unsigned vector);
/* Vectors above 31 in the order in which they came to CPU 0; 0 behind the last. */
unsigned irq_trace(unsigned n);
unsigned irq_total(unsigned cpu);
void irq_forget(void);
/* Has a gate of its own, such as a task gate, in place of the entry. */
void irq_set_gate(unsigned vector, uint64_t gate);

/* Of the last exception with a fixup. */
extern volatile uint32_t fault_vector, fault_error;
extern volatile uintptr_t fault_address;

/* Waits with interrupts on until `vector` came `n` times to `cpu`; false: not within `ms`. */
bool irq_wait(unsigned cpu, unsigned vector, unsigned n, unsigned ms);
/* Interrupts on for a moment, in which all that is pending comes. */
void irq_window(void);

#endif
