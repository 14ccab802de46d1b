/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU areas, descriptor tables, start-up of the other CPUs, kicks. */
#include "smp.h"

#include "kstring.h"
#include "log.h"
#include "pool.h"
#include "smp_internal.h"
#include "x86.h"

#define INIT_DELAY_US 10000
#define SIPI_DELAY_US 200
#define ANSWER_TIMEOUT_US 200000
#define ANSWER_STEP_US 50

/* A 64-bit interrupt gate (SDM vol. 3, 6.14.1). */
struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
} PACKED;

_Static_assert(sizeof(struct gate) == 16, "64-bit gates have 16 bytes");

#define GATE_INTERRUPT 0x8E
#define IST_NMI 1
#define IST_FAULT 2
#define VECTOR_DF 8
#define VECTOR_MC 18
#define CR4_MCE_HOST BIT(6)

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} PACKED;

struct cpu *cpus[SMP_MAX_CPUS];
unsigned n_cpus;

static struct cpu boot_cpu ALIGNED(64);
static struct gate idt[256] ALIGNED(16);
static struct gate drain_idt[256] ALIGNED(16);
static void (*others_entry)(void);

extern uint8_t boot_stack_top[];

static void set_gate(struct gate *g, uint64_t entry, uint8_t ist)
{
	*g = (struct gate){
		.offset_low = (uint16_t)entry,
		.selector = GDT_CODE,
		.ist = ist,
		.type = GATE_INTERRUPT,
		.offset_mid = (uint16_t)(entry >> 16),
		.offset_high = (uint32_t)(entry >> 32),
	};
}

static void fill_idts(void)
{
	/* Fixed vectors that nobody uses get the first exception's entry: it reports and stops. */
	for (unsigned v = 0; v < 256; v++) {
		set_gate(&idt[v], fault_entries[v < 32 ? v : 0],
			 v == VECTOR_DF || v == VECTOR_MC ? IST_FAULT : 0);
		set_gate(&drain_idt[v], (uintptr_t)drain_entry, 0);
	}
	set_gate(&idt[2], (uintptr_t)nmi_entry, IST_NMI);
	drain_idt[2] = idt[2];
}

static void load_idt(const struct gate *table)
{
	const struct table_pointer p = { sizeof(idt) - 1, (uintptr_t)table };

	__asm__ volatile("lidt %0" : : "m"(p));
}

void cpu_use_drain_idt(bool on)
{
	load_idt(on ? drain_idt : idt);
}

/* GDT, TSS, IDT and GS of the CPU that runs this. */
static void load_tables(struct cpu *c)
{
	const uint64_t tss = (uintptr_t)&c->tss;
	const uint64_t limit = sizeof(c->tss) - 1;
	const struct table_pointer p = { sizeof(c->gdt) - 1, (uintptr_t)c->gdt };

	c->self = c;
	c->gdt[GDT_CODE / 8] = 0x00AF9B000000FFFF;
	c->gdt[GDT_DATA / 8] = 0x00CF93000000FFFF;
	/* An available 64-bit TSS takes two entries (SDM vol. 3, 7.2.3). */
	c->gdt[GDT_TSS / 8] = limit | (tss & 0xFFFFFF) << 16 | 0x89ULL << 40 |
			      (tss >> 24 & 0xFF) << 56;
	c->gdt[GDT_TSS / 8 + 1] = tss >> 32;
	c->tss.ist[IST_NMI - 1] = (uintptr_t)(c->nmi_stack + NMI_STACK);
	c->tss.ist[IST_FAULT - 1] = (uintptr_t)(c->fault_stack + NMI_STACK);
	c->tss.iomap = sizeof(c->tss);

	__asm__ volatile("lgdt %0\n\t"
			 "mov %w1, %%ss\n\t"
			 "mov %w1, %%ds\n\t"
			 "mov %w1, %%es\n\t"
			 "mov %w2, %%fs\n\t"
			 "mov %w2, %%gs\n\t"
			 "ltr %w3"
			 :
			 : "m"(p), "r"(GDT_DATA), "r"(0), "r"(GDT_TSS)
			 : "memory");
	wrmsr(MSR_GS_BASE, (uintptr_t)c);
	load_idt(idt);
	fpu_enable_cpu();
	/* Without MCE a machine check would switch the whole machine off. */
	write_cr4(read_cr4() | CR4_MCE_HOST);
}

void smp_init_boot_cpu(void)
{
	fill_idts();
	boot_cpu.stack_top = (uintptr_t)boot_stack_top;
	cpus[0] = &boot_cpu;
	n_cpus = 1;
	load_tables(&boot_cpu);
	boot_cpu.online = 1;
}

bool smp_create_cpus(void)
{
	boot_cpu.apic_id = acpi.apic_ids[0];
	for (unsigned i = 1; i < acpi.n_cpus; i++) {
		struct cpu *c = pool_alloc(sizeof(*c), 64);
		uint8_t *stack = pool_alloc(CPU_STACK, 16);

		if (!c || !stack)
			return false;
		c->index = i;
		c->apic_id = acpi.apic_ids[i];
		c->stack_top = (uintptr_t)(stack + CPU_STACK);
		cpus[i] = c;
	}
	n_cpus = acpi.n_cpus;
	return true;
}

/* The first C code of another CPU, on its own stack. */
void ap_main(struct cpu *c)
{
	load_tables(c);
	apic_init_cpu();
	/* Pairs with the acquire in start_one: this CPU's area is set up. */
	__atomic_store_n(&c->online, 1, __ATOMIC_RELEASE);
	others_entry();
	cpu_halt_forever();
}

static bool answered(const struct cpu *c, uint64_t timeout_us)
{
	for (uint64_t t = 0; t < timeout_us; t += ANSWER_STEP_US) {
		/* Pairs with the release in ap_main. */
		if (__atomic_load_n(&c->online, __ATOMIC_ACQUIRE))
			return true;
		delay_us(ANSWER_STEP_US);
	}
	return false;
}

static bool start_one(struct cpu *c, uint64_t page, struct trampoline_args *args)
{
	const uint32_t sipi = APIC_STARTUP << APIC_DELIVERY_SHIFT | APIC_ICR_ASSERT |
			      (uint32_t)(page >> PAGE_SHIFT);

	/* Read by the new CPU only after the SIPI below, which orders it. */
	args->cpu = (uintptr_t)c;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	apic_send_ipi(c->apic_id, sipi);
	if (answered(c, SIPI_DELAY_US))
		return true;
	/* The second SIPI of the protocol, for CPUs that missed the first. */
	apic_send_ipi(c->apic_id, sipi);
	return answered(c, ANSWER_TIMEOUT_US);
}

/* Copies the start-up code to its page; its arguments lie behind it. */
static struct trampoline_args *place_trampoline(uint64_t page)
{
	uint8_t *code = (uint8_t *)(uintptr_t)page;
	struct trampoline_args *args =
		(struct trampoline_args *)(code + (trampoline_args - trampoline));

	memcpy(code, trampoline, (size_t)(trampoline_end - trampoline));
	args->cr3 = map_root();
	return args;
}

unsigned smp_start_others(void (*entry)(void))
{
	const uint64_t page = map_startup_page();
	struct trampoline_args *args;
	unsigned running = 1;

	if (n_cpus == 1)
		return 1;
	if (!page) {
		log_error("no free page below 640 KiB: the other CPUs cannot be started");
		return 1;
	}
	others_entry = entry;
	args = place_trampoline(page);
	for (unsigned i = 1; i < n_cpus; i++)
		apic_send_ipi(cpus[i]->apic_id,
			      APIC_INIT << APIC_DELIVERY_SHIFT | APIC_ICR_ASSERT);
	delay_us(INIT_DELAY_US);
	for (unsigned i = 1; i < n_cpus; i++) {
		if (start_one(cpus[i], page, args)) {
			running++;
			continue;
		}
		/* If it comes late, it must not take the next one's area: back to waiting. */
		apic_send_ipi(cpus[i]->apic_id,
			      APIC_INIT << APIC_DELIVERY_SHIFT | APIC_ICR_ASSERT);
		log_error("CPU %u (APIC ID %u) does not answer INIT-SIPI-SIPI", i,
			  cpus[i]->apic_id);
	}
	return running;
}

void smp_kick(unsigned cpu)
{
	apic_send_ipi(cpus[cpu]->apic_id, APIC_NMI << APIC_DELIVERY_SHIFT | APIC_ICR_ASSERT);
}
