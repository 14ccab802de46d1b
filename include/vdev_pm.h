/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI power management registers, the PM timer, and the ways to reset. */
#ifndef BULKHEAD_VDEV_PM_H
#define BULKHEAD_VDEV_PM_H

#include "types.h"
#include "vdev.h"
#include "vdev_time.h"

#define PM1_EVENT_PORT 0x600
#define PM1_CONTROL_PORT 0x604
#define PM_TIMER_PORT 0x608

/* How a guest ends by itself. */
enum guest_end {
	GUEST_POWER_OFF, GUEST_RESET_CF9, GUEST_RESET_8042, GUEST_RESET_92, GUEST_EXIT_PORT
};

struct vpm {
	uint16_t status, enable, control;
	uint8_t reset_control, port_92;
	uint64_t (*now_ns)(void);
	void (*end)(void *ctx, enum guest_end how, uint32_t value);
	void *ctx;
	const struct vclock *clock; /* NULL: there is no SCI */
	struct irq_line sci;
	bool sci_level;
	uint64_t seen; /* the tick of the PM timer up to which its status bit is right */
};

void vpm_init(struct vpm *pm, uint64_t (*now_ns)(void),
	      void (*end)(void *ctx, enum guest_end how, uint32_t value), void *ctx);
void vpm_reset(struct vpm *pm);
/* The interrupt when bit 31 of the PM timer changes.  `clock` has the same now_ns(). */
void vpm_connect_sci(struct vpm *pm, const struct vclock *clock, struct irq_line sci);
/* When vpm_advance() has something to do, in ns of the clock, or VTIME_NEVER. */
uint64_t vpm_next(const struct vpm *pm);
/* Raises the SCI if it came due up to `now`. */
void vpm_advance(struct vpm *pm, uint64_t now);
/* `exit_port` 0: none. */
bool vpm_add_to_bus(struct vpm *pm, struct vdev_bus *bus, uint16_t exit_port);

#endif
