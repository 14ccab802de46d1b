/* SPDX-License-Identifier: BSD-2-Clause */
/* The HPET's parts: hpet.c has the registers, hpet_timer.c the time and the interrupts. */
#ifndef VDEV_HPET_INTERNAL_H
#define VDEV_HPET_INTERNAL_H

#include "vdev_hpet.h"

/* General configuration, 2.3.5. */
#define HPET_ENABLE BIT(0)
#define HPET_LEGACY BIT(1)

/* Timer configuration, 2.3.8: the low half. */
#define HPET_TN_LEVEL BIT(1)
#define HPET_TN_INT_ENABLE BIT(2)
#define HPET_TN_PERIODIC BIT(3)
#define HPET_TN_PERIODIC_CAP BIT(4)
#define HPET_TN_64BIT_CAP BIT(5)
#define HPET_TN_SET_ACCUMULATOR BIT(6) /* write-only; holds until the comparator is written */
#define HPET_TN_32BIT BIT(8)
#define HPET_TN_ROUTE_SHIFT 9
#define HPET_TN_ROUTE_MASK (0x1FU << HPET_TN_ROUTE_SHIFT)

/*
 * The I/O APIC pins that a timer may be routed to: 2 and 8, where legacy
 * replacement would put timers 0 and 1, and 16 to 23, which no ISA device has.
 */
#define HPET_ROUTES 0x00FF0104U

/* The counter at `now`. */
uint64_t hpet_counter(const struct vhpet *h, uint64_t now);
/* Which of its bits a timer compares. */
uint64_t hpet_width(const struct vhpet_timer *t);
/* The counter runs from `now` on, or stops with the value that it has. */
void hpet_start(struct vhpet *h, uint64_t now);
void hpet_halt(struct vhpet *h, uint64_t now);
/* Counter, comparator or width have changed: computes when the timer is due. */
void hpet_arm(struct vhpet *h, struct vhpet_timer *t, uint64_t now);
/* Configuration or status have changed: raises and drops lines. */
void hpet_update_lines(struct vhpet *h);

#endif
