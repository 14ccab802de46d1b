/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual interrupt controllers: the two 8259s, the I/O APIC, and what
 * is virtual of the local APIC.  All under the guest's device lock.
 */
#ifndef BULKHEAD_VDEV_IRQ_H
#define BULKHEAD_VDEV_IRQ_H

#include "types.h"
#include "vdev.h"

/* ---- two 8259A ---------------------------------------------------------- */

struct pic_chip {
	uint8_t irr, isr, imr, elcr, level; /* level: the lines as they are */
	uint8_t vector_base, init_step;     /* init_step: the ICW that comes next, 0 none */
	uint8_t priority;                   /* the line with the highest priority */
	bool icw4, single, auto_eoi, rotate_auto_eoi, read_isr, poll, special_mask, special_nested;
	bool level_triggered;               /* ICW1.LTIM */
	uint8_t elcr_mask;
};

struct pic {
	struct pic_chip chip[2]; /* master, slave */
	void (*output)(void *ctx, bool level); /* the master's INT line */
	void (*masks_change)(void *ctx); /* NULL: nobody asks; called before and after */
	void *ctx;
	bool out_level;
};

void pic_init(struct pic *p, void (*output)(void *ctx, bool level), void *ctx);
void pic_reset(struct pic *p);
void pic_set_irq(struct pic *p, unsigned irq, bool level);
bool pic_is_masked(const struct pic *p, unsigned irq);
/* The CPU's acknowledge cycle: the vector to deliver (a spurious one when the request is gone). */
uint8_t pic_acknowledge(struct pic *p);
/* 0x20-0x21, 0xA0-0xA1 and the ELCR at 0x4D0-0x4D1. */
bool pic_add_to_bus(struct pic *p, struct vdev_bus *bus);

/* ---- I/O APIC ----------------------------------------------------------- */

#define IOAPIC_PINS 24
#define IOAPIC_BASE 0xFEC00000ULL
#define IOAPIC_WINDOW_SIZE 0x1000ULL

/* A message to local APICs (SDM vol. 3, 11.6.1 and the 82093AA, 3.2.4). */
struct apic_message {
	uint32_t dest;   /* 8 bits, or 32 from an x2APIC ICR */
	bool logical;
	bool x2apic;     /* `dest` is in the 32-bit form */
	uint8_t delivery; /* enum apic_delivery */
	uint8_t vector;
	bool level;
};

struct vioapic {
	uint32_t select;
	uint8_t id, reset_id; /* reset_id: what the guest's tables say */
	uint64_t rte[IOAPIC_PINS];
	uint32_t lines;   /* bit a pin: its level */
	void (*send)(void *ctx, const struct apic_message *m);
	void (*masks_change)(void *ctx); /* NULL: nobody asks; called before and after */
	void *ctx;
};

void vioapic_init(struct vioapic *io, uint8_t id,
		  void (*send)(void *ctx, const struct apic_message *m), void *ctx);
void vioapic_reset(struct vioapic *io);
void vioapic_set_pin(struct vioapic *io, unsigned pin, bool level);
bool vioapic_is_masked(const struct vioapic *io, unsigned pin);
/* A local APIC's EOI for a vector that was sent as level-triggered. */
void vioapic_eoi(struct vioapic *io, uint8_t vector);
/* True while pin 0 is unmasked and set to ExtINT: the 8259s' path to the CPU. */
bool vioapic_passes_extint(const struct vioapic *io);
uint64_t vioapic_read(void *dev, uint64_t offset, unsigned size);
void vioapic_write(void *dev, uint64_t offset, unsigned size, uint64_t value);

/* ---- local APIC ----------------------------------------------------------- */

#define LAPIC_LVTS 6
#define LAPIC_VECTOR_WORDS 8

/*
 * What the guest sees of its local APIC but must not reach in the physical
 * one: identity, destinations, the ICR, the LVT.  The rest is forwarded.
 */
struct vlapic {
	uint32_t id;       /* virtual APIC ID = the vCPU's number */
	uint64_t base_msr; /* IA32_APIC_BASE as the guest has it */
	uint32_t ldr, dfr, svr, icr_high, icr_low;
	uint32_t lvt[LAPIC_LVTS];
	uint32_t esr, esr_new; /* as read, and what came since the last write to it */
	uint32_t tmr[LAPIC_VECTOR_WORDS]; /* vectors that came as level */
	/* Asked for by a write; the core sends it. */
	void (*send)(void *ctx, const struct apic_message *m, unsigned shorthand);
	/* An EOI for a level-triggered vector. */
	void (*eoi)(void *ctx, uint8_t vector);
	void *ctx;
};

/* Bits of the error status register that virtual errors set (SDM vol. 3, 11.5.3). */
#define ESR_SEND_ILLEGAL_VECTOR 0x20u
#define ESR_RECEIVE_ILLEGAL_VECTOR 0x40u
#define ESR_ILLEGAL_REGISTER 0x80u
#define APIC_FIRST_VECTOR 16 /* lower ones are illegal in a message (11.5.2) */

/* ICR destination shorthands (SDM vol. 3, figure 11-12). */
enum apic_shorthand { SHORT_NONE, SHORT_SELF, SHORT_ALL, SHORT_OTHERS };

/* The state after reset or INIT; the physical local APIC was reset by apic_reset_cpu. */
void vlapic_reset(struct vlapic *l, bool keep_base);
bool vlapic_is_x2apic(const struct vlapic *l);
bool vlapic_is_enabled(const struct vlapic *l);
bool vlapic_software_enabled(const struct vlapic *l);
/* Would an ExtINT on LINT0 reach the CPU? */
bool vlapic_takes_extint(const struct vlapic *l);
/* The 8259s' output rises: does LINT0 make a message of its own of it?  Fixed and NMI do. */
bool vlapic_lint0_message(const struct vlapic *l, struct apic_message *m);
/* Virtual wire mode: the 8259s reach the boot CPU.  Own CPU, after a reset. */
void vlapic_set_virtual_wire(struct vlapic *l);
/* An error to be seen in the ESR; raises the error interrupt.  Under the lock, any CPU. */
void vlapic_error(struct vlapic *l, uint32_t bit);
/* Is this local APIC among the destinations of `m`? */
bool vlapic_matches(const struct vlapic *l, const struct apic_message *m);

/* The xAPIC page.  Own CPU. */
uint32_t vlapic_mmio_read(struct vlapic *l, uint32_t offset);
void vlapic_mmio_write(struct vlapic *l, uint32_t offset, uint32_t value);
/* x2APIC MSRs that are intercepted; false: #GP.  Own CPU. */
bool vlapic_msr_read(struct vlapic *l, uint32_t msr, uint64_t *value);
bool vlapic_msr_write(struct vlapic *l, uint32_t msr, uint64_t value);
/* A write to IA32_APIC_BASE; false: #GP. */
bool vlapic_write_base(struct vlapic *l, uint64_t value, bool host_x2apic);

#endif
