/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 interval timer and port 0x61. */
#ifndef BULKHEAD_VDEV_PIT_H
#define BULKHEAD_VDEV_PIT_H

#include "types.h"
#include "vdev.h"
#include "vdev_time.h"

#define PIT_HZ 1193182ULL
#define PIT_CHANNELS 3

/*
 * No two edges of a periodic IRQ 0 that are timed are closer than this many
 * input clocks (100.6 us): each costs the guest's CPU a VM exit, and a guest
 * that asks for one every two microseconds would never run between them.  A
 * faster rate gives one edge for every so many of its periods.
 */
#define PIT_MIN_EDGE_CLOCKS 120ULL

struct vpit_channel {
	uint8_t control; /* as the guest wrote it, without the channel number */
	uint8_t mode;    /* 0 to 5 */
	bool gate;

	/* The count register (CR), and how far the guest is with writing and reading. */
	uint32_t reload; /* 1 to 65536 input clocks */
	bool written;    /* since the last control word */
	bool write_high, read_high; /* the next access is to the high byte */
	uint8_t write_low;
	bool count_latched, status_latched;
	uint16_t count_latch;
	uint8_t status_latch;

	/*
	 * The counting element (CE), computed from time: `phase` clocks had
	 * been counted at tick `base`, and more have since if it is counting.
	 */
	bool loaded; /* else it stands at `idle` */
	bool counting;
	bool pending; /* `reload` waits for a trigger or for tick `switch_at` */
	uint16_t idle;
	uint32_t count; /* what it was loaded with */
	uint64_t load_at, base, phase, switch_at;
};

struct vpit {
	const struct vclock *clock;
	struct irq_line irq;
	struct vpit_channel channel[PIT_CHANNELS];
	uint8_t port_61; /* the bits that can be written */
	bool line;
	uint64_t seen; /* the tick up to which edges of channel 0 were delivered */
};

/* The clock runs already. */
void vpit_init(struct vpit *p, const struct vclock *clock, struct irq_line irq);
/* As a PC's firmware leaves it: channel 0 divides by 65536; the line is low. */
void vpit_reset(struct vpit *p);
/* 0x40-0x43 and 0x61. */
bool vpit_add_to_bus(struct vpit *p, struct vdev_bus *bus);
/* When vpit_advance() has something to do, in ns of the clock, or VTIME_NEVER. */
uint64_t vpit_next(const struct vpit *p);
/* Raises the line for what came due up to `now`; several edges become one. */
void vpit_advance(struct vpit *p, uint64_t now);

#endif
