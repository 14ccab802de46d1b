/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual HPET (IA-PC HPET specification 1.0a): three comparators, each
 * 64 bits wide and able to be periodic, on a counter of 100 MHz.  All calls
 * are made under the guest's device lock.
 */
#ifndef BULKHEAD_VDEV_HPET_H
#define BULKHEAD_VDEV_HPET_H

#include "types.h"
#include "vdev.h"
#include "vdev_time.h"

#define HPET_BASE 0xFED00000ULL
#define HPET_WINDOW_SIZE 0x400ULL
#define HPET_TIMERS 3

/* Where a timer's interrupt goes: an I/O APIC pin, an ISA IRQ, or nowhere. */
enum vhpet_sink_kind { HPET_NOWHERE, HPET_PIN, HPET_ISA };
struct vhpet_sink {
	enum vhpet_sink_kind kind;
	unsigned number;
};

struct vhpet_timer {
	uint32_t config;        /* the writable bits of the low half */
	uint64_t comparator;
	uint64_t period;        /* ticks, periodic mode */
	uint64_t due;           /* when the counter reaches the comparator, ns; or VTIME_NEVER */
	uint64_t not_before;    /* ns: vhpet_next() asks for no earlier call */
	struct vhpet_sink held; /* the line that this timer holds high */
};

struct vhpet {
	uint32_t config, status;
	uint64_t counter;  /* what it was at `start`; while halted, what it is */
	uint64_t start;    /* ns: when it was started */
	struct vhpet_timer timer[HPET_TIMERS];
	const struct vclock *clock;
	void (*set_pin)(void *ctx, unsigned ioapic_pin, bool level);
	void (*set_isa)(void *ctx, unsigned irq, bool level);
	void *ctx;
};

/*
 * The callbacks are told changes only.  A pin may have other sources (IRQ 8's
 * is the RTC's as well): putting them together is the caller's business.
 */
void vhpet_init(struct vhpet *h, const struct vclock *clock,
		void (*set_pin)(void *ctx, unsigned ioapic_pin, bool level),
		void (*set_isa)(void *ctx, unsigned irq, bool level), void *ctx);
/* Lines drop, the counter is 0 and halted.  The caller looks at vhpet_next() anew. */
void vhpet_reset(struct vhpet *h);
bool vhpet_add_to_bus(struct vhpet *h, struct vdev_bus *bus);
/* When vhpet_advance() has to be called, or VTIME_NEVER.  May lie in the past. */
uint64_t vhpet_next(const struct vhpet *h);
/* Does all that is due by `now`.  However late: what was missed is one interrupt. */
void vhpet_advance(struct vhpet *h, uint64_t now);
/*
 * Legacy replacement is on: timer 0 drives ISA IRQ 0 and timer 1 IRQ 8, and
 * the 8254 and the RTC must be kept off them.  It changes by a guest's access
 * only, after which clock->rearm is called.
 */
bool vhpet_is_legacy(const struct vhpet *h);
/* Bits 0 to 31 of the capability register, as the ACPI HPET table repeats them. */
uint32_t vhpet_id(void);

#endif
