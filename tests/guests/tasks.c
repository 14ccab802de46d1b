/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches (SDM vol. 3, 8): by a far jump to a TSS and by an
 * interrupt through a task gate, there and back.
 */
#include "guest.h"
#include "irq.h"
#include "smp.h"

#define SEL_OTHER 0x80   /* two descriptors behind those of two CPUs */
#define SEL_CALLED 0x88
#define TASK_GATE 0x8500u
#define VECTOR 0x81
#define BUSY BIT(9)      /* of the descriptor's high half */
#define FLAGS_NT BIT(14)
#define CR0_TS BIT(3)
#define STACK 4096

struct tss {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt, trap_and_map;
};

_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3, figure 8-2");

static struct tss other, called;
static uint8_t stacks[2][STACK] __attribute__((aligned(16)));
static volatile uint32_t seen_tr, seen_flags, seen_ebx, seen_cr0, rounds, seen_link;

static uint32_t task_register(void)
{
	uint32_t tr;

	__asm__ volatile("str %0" : "=r"(tr));
	return tr;
}

static uint32_t eflags(void)
{
	uint32_t f;

	__asm__ volatile("pushf; pop %0" : "=r"(f));
	return f;
}

/* Was jumped to; jumps back to the task of cpu_init(). */
static void run_other(void)
{
	for (;;) {
		uint32_t ebx, cr0;

		__asm__ volatile("movl %%ebx, %0; movl %%cr0, %1; clts"
				 : "=r"(ebx), "=r"(cr0));
		seen_ebx = ebx;
		seen_cr0 = cr0;
		seen_tr = task_register();
		seen_flags = eflags();
		rounds++;
		__asm__ volatile("ljmp %0, $0" : : "i"(SEL_TSS) : "memory");
	}
}

/* Was entered through the gate; IRET goes back to who was interrupted. */
static void run_called(void)
{
	for (;;) {
		seen_tr = task_register();
		seen_flags = eflags();
		seen_link = called.link;
		rounds++;
		__asm__ volatile("clts; iret" : : : "memory");
	}
}

static void set_task(struct tss *t, void (*run)(void), unsigned stack, unsigned selector)
{
	uintptr_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	t->cr3 = cr3;
	t->eip = (uintptr_t)run;
	t->eflags = 2;
	t->esp = (uintptr_t)stacks[stack] + STACK - 16;
	t->ebx = 0xB0B;
	t->es = t->ss = t->ds = t->fs = t->gs = SEL_DATA;
	t->cs = SEL_CODE32;
	t->trap_and_map = (uint32_t)sizeof(*t) << 16;
	gdt_set(selector, tss_descriptor((uintptr_t)t));
}

static uint32_t busy(unsigned selector)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdtr;

	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	return *(volatile uint32_t *)(uintptr_t)(gdtr.base + selector + 4) & BUSY;
}

static void check_jump(void)
{
	uint32_t kept = 0x12345678;

	set_task(&other, run_other, 0, SEL_OTHER);
	__asm__ volatile("ljmp %1, $0" : "+S"(kept) : "i"(SEL_OTHER) : "memory", "cc");
	check("jump-runs-the-task", rounds, 1);
	check("jump-loads-registers", seen_ebx, 0xB0B);
	check("jump-loads-task-register", seen_tr, SEL_OTHER);
	check("jump-sets-task-switched", seen_cr0 & CR0_TS, CR0_TS);
	check("jump-does-not-nest", seen_flags & FLAGS_NT, 0);
	check("back-in-the-first-task", task_register(), SEL_TSS);
	check("registers-were-kept", kept, 0x12345678);
	check("left-task-is-not-busy", busy(SEL_OTHER), 0);
	check("this-task-is-busy", busy(SEL_TSS), BUSY);
	__asm__ volatile("clts; ljmp %0, $0" : : "i"(SEL_OTHER) : "memory", "cc");
	check("goes-on-where-it-left", rounds, 2);
}

static void check_gate(void)
{
	rounds = 0;
	set_task(&called, run_called, 1, SEL_CALLED);
	irq_set_gate(VECTOR, (uint64_t)TASK_GATE << 32 | (uint64_t)SEL_CALLED << 16);
	__asm__ volatile("clts; int %0" : : "i"(VECTOR) : "memory", "cc");
	check("gate-runs-the-task", rounds, 1);
	check("gate-loads-task-register", seen_tr, SEL_CALLED);
	check("gate-nests", seen_flags & FLAGS_NT, FLAGS_NT);
	check("gate-links-back", seen_link & 0xFFFF, SEL_TSS);
	check("iret-goes-back", task_register(), SEL_TSS);
	check("iret-clears-busy", busy(SEL_CALLED), 0);
	__asm__ volatile("clts; int %0" : : "i"(VECTOR) : "memory", "cc");
	check("gate-again", rounds, 2);
}

static void check_errors(void)
{
	uint32_t failed = 1;

	/* The task that runs is busy and cannot be jumped to. */
	__asm__ volatile("1: ljmp %1, $0\n\txorl %0, %0\n2:\n\t" FIXUP
			 : "+r"(failed) : "i"(SEL_TSS) : "memory", "cc");
	check("busy-task-faults", failed << 8 | fault_vector, 0x100 | EXC_GP);
	check("busy-task-error", fault_error, SEL_TSS);
	/* One that is not present. */
	gdt_set(SEL_OTHER, tss_descriptor((uintptr_t)&other) & ~(1ULL << 47));
	failed = 1;
	__asm__ volatile("1: ljmp %1, $0\n\txorl %0, %0\n2:\n\t" FIXUP
			 : "+r"(failed) : "i"(SEL_OTHER) : "memory", "cc");
	check("absent-task-faults", failed << 8 | fault_vector, 0x100 | EXC_NP);
	check("absent-task-error", fault_error, SEL_OTHER);
	check("still-in-the-first-task", task_register(), SEL_TSS);
}

void guest_main(void)
{
	check_jump();
	check_gate();
	check_errors();
	__asm__ volatile("clts");
}
