/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's CPUs: numbers from 0 in the order in which they were started. */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include "x86.h"

#define MAX_CPUS 8
#define CPU_STACK 8192 /* start.asm knows it too */
#define TRAMPOLINE 0x8000u

extern volatile uint32_t ap_next; /* the number that the next CPU to start takes */

/* Task register, IDT.  Own CPU. */
void cpu_init(unsigned number);
unsigned this_cpu(void);
void gdt_set(unsigned selector, uint64_t descriptor);
uint64_t tss_descriptor(uintptr_t base);

/* Puts the start-up code at TRAMPOLINE. */
void smp_prepare(void);
/* INIT, SIPI, SIPI to all CPUs of the MADT, one by one; how many run, with this one. */
unsigned smp_start_all(void);
/* Starts CPU `number`, whose APIC ID is known; false: it did not come. */
bool smp_start(unsigned number);
/* How many times the CPU has started. */
unsigned smp_starts(unsigned number);
uint32_t smp_apic_id(unsigned number);
/* A CPU in start-up came alive within `ms`. */
bool smp_wait_started(unsigned number, unsigned starts, unsigned ms);

/*
 * Has the CPU call fn(arg), with interrupts on; it halts
 * when idle, with interrupts on too.  smp_done() waits for the end; false: it did not come.
 */
void smp_run(unsigned number, void (*fn)(void *arg), void *arg);
bool smp_done(unsigned number);
bool smp_call(unsigned number, void (*fn)(void *arg), void *arg);

#endif
