/* SPDX-License-Identifier: BSD-2-Clause */
/* The IDT, counts of interrupts, and exceptions that a guest provokes. */
#include "irq.h"
#include "guest.h"
#include "smp.h"
#include "time.h"

#define VECTORS 256
#define INTERRUPT_GATE 0x8E00u

#ifdef __x86_64__
#define GATE_WORDS 4
#define CODE_SELECTOR SEL_CODE64
#else
#define GATE_WORDS 2
#define CODE_SELECTOR SEL_CODE32
#endif

extern const uintptr_t vectors[VECTORS];
extern const uint32_t fixups[][2], fixups_end[][2];

static uint32_t idt[VECTORS][GATE_WORDS];
static irq_handler handlers[VECTORS];
static volatile unsigned counts[MAX_CPUS][VECTORS], totals[MAX_CPUS];
static volatile uint8_t trace[TRACE_SIZE];
static volatile unsigned trace_length;

volatile uint32_t fault_vector, fault_error;
volatile uintptr_t fault_address;

void irq_init(void)
{
	for (unsigned v = 0; v < VECTORS; v++) {
		const uintptr_t entry = vectors[v];

		idt[v][0] = (uint32_t)CODE_SELECTOR << 16 | (entry & 0xFFFF);
		idt[v][1] = (entry & 0xFFFF0000u) | INTERRUPT_GATE;
	}
}

void irq_load(void)
{
	struct {
		uint16_t limit;
		uintptr_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uintptr_t)idt };

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void irq_set_gate(unsigned vector, uint64_t gate)
{
	idt[vector][0] = (uint32_t)gate;
	idt[vector][1] = (uint32_t)(gate >> 32);
}

void irq_set(unsigned vector, irq_handler handler)
{
	handlers[vector] = handler;
}

unsigned irq_count(unsigned cpu, unsigned vector)
{
	return counts[cpu][vector];
}

unsigned irq_total(unsigned cpu)
{
	return totals[cpu];
}

unsigned irq_trace(unsigned n)
{
	return n < trace_length ? trace[n] : 0;
}

void irq_forget(void)
{
	for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
		totals[cpu] = 0;
		for (unsigned v = 0; v < VECTORS; v++)
			counts[cpu][v] = 0;
	}
	trace_length = 0;
}

/* Goes on behind an instruction that may fault; false: this one may not. */
static bool fix_up(struct frame *f)
{
	for (const uint32_t (*entry)[2] = fixups; entry < fixups_end; entry++) {
		if ((*entry)[0] != f->ip)
			continue;
		fault_vector = (uint32_t)f->vector;
		fault_error = (uint32_t)f->error;
		__asm__ volatile("mov %%cr2, %0" : "=r"(fault_address));
		f->ip = (*entry)[1];
		return true;
	}
	return false;
}

void interrupt(struct frame *f);
void interrupt(struct frame *f)
{
	const unsigned cpu = this_cpu(), vector = (unsigned)f->vector;

	counts[cpu][vector]++;
	totals[cpu]++;
	if (vector > 31 && cpu == 0 && trace_length < TRACE_SIZE)
		trace[trace_length++] = (uint8_t)vector;
	if (handlers[vector]) {
		handlers[vector](f);
	} else if (vector < 32 && vector != EXC_NMI && !fix_up(f)) {
		print("exception ");
		print_hex(vector);
		print(" error ");
		print_hex(f->error);
		give_up(" at", f->ip);
	}
}

bool irq_wait(unsigned cpu, unsigned vector, unsigned n, unsigned ms)
{
	const struct deadline d = deadline_in(ms);

	irq_on();
	while (counts[cpu][vector] < n && !deadline_passed(&d))
		pause();
	irq_off();
	return counts[cpu][vector] >= n;
}

void irq_window(void)
{
	irq_on();
	/* An emulator may look for interrupts only between blocks of code. */
	for (volatile unsigned i = 0; i < 200; i++)
		pause();
	irq_off();
}
