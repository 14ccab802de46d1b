/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder share with each other and with entry.asm. */
#ifndef SMP_INTERNAL_H
#define SMP_INTERNAL_H

#include "smp.h"

#define APIC_ICR_ASSERT BIT(14)

/* The machine's 8254: channel 2 measures the TSC, channel 0 may be the alarm. */
#define PIT_HZ 1193182ULL
#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43

struct trampoline_args {
	uint64_t cr3, cpu;
};

extern const uint8_t trampoline[], trampoline_end[], trampoline_args[];
extern const uint64_t fault_entries[32];

void nmi_entry(void);
void drain_entry(void);

/* Called from entry.asm. */
struct fault_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
void fault_report(const struct fault_frame *f);
void apic_drain_one(void);
void ap_main(struct cpu *c);

/* The page below 1 MiB that other CPUs start in, free and executable; 0: there is none. */
uint64_t map_startup_page(void);

/* Swaps between the IDT for exceptions and the one that swallows interrupts.  Own CPU. */
void cpu_use_drain_idt(bool on);

#endif
