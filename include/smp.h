/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's CPUs: discovery, per-CPU areas, start-up, kicks, idling, and
 * the time base.
 */
#ifndef BULKHEAD_SMP_H
#define BULKHEAD_SMP_H

#include "types.h"

#define SMP_MAX_CPUS 64
#define CPU_STACK KIB(16)
#define NMI_STACK KIB(4)

struct tss64 {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} PACKED;

#define GDT_CODE 0x08
#define GDT_DATA 0x10
#define GDT_TSS 0x18
#define GDT_ENTRIES 5

/* Can this CPU run guests? */
enum cpu_ready { CPU_NOT_YET, CPU_READY, CPU_UNFIT };

/* Where the map of all memory ends; RAM behind it is not used. */
#define MAP_LIMIT GIB(4096)

/*
 * One per physical CPU.  GS points to it whenever hypervisor code can be
 * interrupted.  Only its own CPU writes it, but for the fields that say else.
 */
struct cpu {
	struct cpu *self;   /* GS:0 */
	uint64_t nmi_count; /* written by the NMI handler alone */
	uint32_t index;     /* Bulkhead's number: the order in the MADT, boot CPU first */
	uint32_t apic_id;
	uint64_t stack_top;
	void *backend;      /* the backend's own per-CPU data */
	uint32_t online;    /* release by the CPU itself, acquire by the boot CPU */
	uint32_t ready;     /* enum cpu_ready; likewise */
	uint64_t gdt[GDT_ENTRIES];
	struct tss64 tss ALIGNED(16);
	uint8_t nmi_stack[NMI_STACK] ALIGNED(16);
	uint8_t fault_stack[NMI_STACK] ALIGNED(16);
};

extern struct cpu *cpus[SMP_MAX_CPUS];
extern unsigned n_cpus; /* CPUs that the MADT lists as enabled, at most SMP_MAX_CPUS */

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__("movq %%gs:0, %0" : "=r"(c));
	return c;
}

/* The boot CPU's area, GDT, TSS and IDT; before anything that may fault.  Boot CPU. */
void smp_init_boot_cpu(void);

/* Per-CPU areas for all CPUs that ACPI found, from the pool.  False: the pool is too small. */
bool smp_create_cpus(void);

/*
 * Starts every other CPU with INIT-SIPI-SIPI (Intel SDM vol. 3, 9.4.4); each
 * runs `entry`, which does not return, on its own stack.  Returns how many
 * CPUs run, the boot CPU included; one that does not answer is logged.
 */
unsigned smp_start_others(void (*entry)(void));

/* Kicks a CPU out of its guest, or out of idle_wait, by NMI.  Any CPU. */
void smp_kick(unsigned cpu);

/*
 * Waits for an NMI, unless `*work` is not 0 or this CPU's nmi_count is not
 * `seen_nmis` already.  There is no window in which an NMI is missed: the NMI
 * handler moves a CPU that was about to halt past the halt.  Own CPU, outside
 * a guest.
 */
void idle_wait(const uint32_t *work, uint64_t seen_nmis);

/*
 * Replaces the boot code's identity map of the first 4 GiB by one of all RAM.
 * False: the pool is too small.  Boot CPU, once.
 */
bool map_all_memory(void);
uint64_t map_root(void);

/*
 * An NMI that interrupts code from `start` up to `end` makes it go on at
 * `target`: for a backend that cannot hold NMIs back while it enters a guest.
 * Boot CPU, once, before the others run.
 */
void smp_set_nmi_window(const void *start, const void *end, const void *target);

/* Lets this CPU execute vector instructions, for fpu_reset_cpu.  Each CPU, once. */
void fpu_enable_cpu(void);
/* x87 and vector registers and XCR0 as after reset.  Own CPU, outside a guest. */
void fpu_reset_cpu(void);
/* `value` was checked; only where CPUID has XSAVE.  Own CPU, outside a guest. */
void fpu_set_xcr0(uint64_t value);

/* Reads an MSR that may not exist; false: it does not. */
bool rdmsr_safe(uint32_t msr, uint64_t *value);

/* ---- ACPI ------------------------------------------------------------- */

#define ACPI_MAX_OVERRIDES 16

/* The console's serial port, as the firmware has it. */
struct acpi_console {
	uint16_t port; /* I/O base, 0: none is named */
	unsigned baud; /* 0: not said */
	bool has_gsi, has_irq, rtscts, xonxoff;
	uint32_t gsi;
	uint8_t irq;
};

struct acpi_info {
	uint32_t apic_ids[SMP_MAX_CPUS]; /* the boot CPU's first */
	unsigned n_cpus;
	unsigned n_cpus_ignored; /* above SMP_MAX_CPUS */
	uint64_t ioapic_base;    /* the one with GSI 0 */
	uint8_t ioapic_id;
	struct {
		uint8_t irq;
		uint16_t flags;
		uint32_t gsi;
	} overrides[ACPI_MAX_OVERRIDES];
	unsigned n_overrides;
	uint16_t pm_timer;       /* I/O port, 0: none */
	bool pm_timer_32bit;
	uint16_t pm1a_control, pm1b_control;
	uint8_t s5_type_a, s5_type_b;
	bool has_s5;
	uint64_t hpet_base;      /* 0: none */
	struct acpi_console console;
};

extern struct acpi_info acpi;

/* Reads RSDP, RSDT or XSDT, MADT, FADT, SPCR, \_S5.  NULL, or what is missing. */
const char *acpi_init(uint64_t rsdp);

/* In the MADT's interrupt flags (ACPI 5.2.12.5). */
#define ACPI_ACTIVE_LOW(flags) (((flags) & 3) == 3)

/* The GSI and MADT flags (polarity, trigger) of an ISA interrupt. */
uint32_t acpi_isa_gsi(uint8_t irq, uint16_t *flags);

/* Turns the machine off by ACPI S5.  Returns when that is not offered or did nothing. */
void acpi_power_off(void);

/* ---- local APIC and I/O APIC ------------------------------------------- */

/* Offsets in the xAPIC page; the x2APIC MSR is 0x800 + offset / 16 (SDM vol. 3, 11.12.1.2). */
enum apic_reg {
	APIC_ID = 0x20, APIC_VERSION = 0x30, APIC_TPR = 0x80, APIC_APR = 0x90, APIC_PPR = 0xA0,
	APIC_EOI = 0xB0, APIC_RRD = 0xC0, APIC_LDR = 0xD0, APIC_DFR = 0xE0, APIC_SVR = 0xF0,
	APIC_ISR = 0x100, APIC_TMR = 0x180, APIC_IRR = 0x200, APIC_ESR = 0x280,
	APIC_LVT_CMCI = 0x2F0, APIC_ICR = 0x300, APIC_ICR_HIGH = 0x310, APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330, APIC_LVT_PERF = 0x340, APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360, APIC_LVT_ERROR = 0x370, APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390, APIC_TIMER_DIVIDE = 0x3E0, APIC_SELF_IPI = 0x3F0
};

#define APIC_LVT_MASKED BIT(16)
#define APIC_SVR_ENABLE BIT(8)
#define APIC_DELIVERY_SHIFT 8
enum apic_delivery {
	APIC_FIXED = 0, APIC_LOWEST = 1, APIC_SMI = 2, APIC_NMI = 4, APIC_INIT = 5,
	APIC_STARTUP = 6, APIC_EXTINT = 7
};

/* This CPU's local APIC: x2APIC where the CPU has it.  Each CPU, once. */
void apic_init_cpu(void);
bool apic_is_x2apic(void);
uint32_t apic_read(enum apic_reg reg);
void apic_write(enum apic_reg reg, uint32_t value);
/* Sends an IPI to one CPU; `low` is the lower half of the ICR. */
void apic_send_ipi(uint32_t apic_id, uint32_t low);
/*
 * Back to the state after reset: all LVT entries masked, timer stopped, TPR
 * 0, nothing requested or in service.  Takes and drops what is pending, in a
 * short window with interrupts on: the one place where the hypervisor takes
 * external interrupts.  Own CPU, outside a guest.
 */
void apic_reset_cpu(void);

/* Masks every pin of the I/O APIC and both 8259s.  Boot CPU. */
void ioapic_init(void);
/*
 * Routes a pin as edge-triggered NMI to a CPU.  False: there is no such pin, or
 * the CPU's APIC ID does not fit in its 8 bits.  Any CPU; never waits: where
 * another CPU is at the I/O APIC, that one does it, a moment later.
 */
bool ioapic_route_nmi(uint32_t gsi, bool active_low, uint32_t apic_id);
/* Pins that it has; 0: no I/O APIC. */
uint32_t ioapic_pins(void);

/* ---- time -------------------------------------------------------------- */

extern uint64_t tsc_khz;

/* Measures the TSC against the ACPI PM timer or the 8254.  Boot CPU, once. */
void time_init(void);
void delay_us(uint64_t us);
uint64_t tsc_to_us(uint64_t tsc);
/* Seconds since 1970 at TSC 0, from the CMOS clock (UTC), in nanoseconds. */
uint64_t wall_clock_ns_at_tsc0(void);

/* ---- the alarm: the hypervisor's own timer -------------------------------- */

/* Takes a comparator of the HPET into service, or the 8254; logs it when neither is there.  Boot CPU. */
void alarm_init(void);
/*
 * Has an NMI sent to `cpu` in `ns` nanoseconds, instead of what was set before.
 * What is too far away or too close for the hardware is brought nearer or put
 * off a little; returns the nanoseconds that it was really set to.  Where the
 * CPU's APIC ID is too large for the I/O APIC, the boot CPU gets the NMI.
 * Any CPU; the caller serialises.
 */
uint64_t alarm_set(unsigned cpu, uint64_t ns);
void alarm_off(void);

#endif
