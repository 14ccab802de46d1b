/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818 real-time clock with its CMOS memory. */
#ifndef BULKHEAD_VDEV_RTC_H
#define BULKHEAD_VDEV_RTC_H

#include "types.h"
#include "vdev.h"
#include "vdev_time.h"

#define RTC_CMOS_SIZE 128
/* What the FADT may name; in the format (BCD or binary) of the other registers. */
#define RTC_CENTURY 0x32

/* The registers that hold the time, in this order. */
enum rtc_field {
	RTC_SECONDS, RTC_MINUTES, RTC_HOURS, RTC_WEEKDAY, RTC_DAY, RTC_MONTH, RTC_YEAR,
	RTC_CENTURY_FIELD, RTC_FIELDS
};

struct vrtc {
	const struct vclock *clock;
	struct irq_line irq;
	uint8_t select;              /* port 0x70: the register, and the NMI mask */
	uint8_t a, b, flags;         /* flags: register C without IRQF */
	uint8_t cmos[RTC_CMOS_SIZE]; /* the alarm and the free bytes */
	bool line;
	/*
	 * While it runs its time is (now + phase) / 1 s + seconds, since the
	 * year 0; while it does not (SET, divider) it is what `stopped` holds.
	 */
	uint64_t phase, seconds;
	unsigned weekday_shift; /* what the guest's day of the week differs by */
	uint8_t stopped[RTC_FIELDS];
	uint64_t seen; /* the moment up to which the flags are right */
};

/* The clock runs already and knows the time of day. */
void vrtc_init(struct vrtc *r, const struct vclock *clock, struct irq_line irq);
/* Time, alarm and memory survive it; the line drops. */
void vrtc_reset(struct vrtc *r);
/* The bytes in which firmware leaves the size of memory, and their checksum. */
void vrtc_set_memory(struct vrtc *r, uint64_t ram_bytes);
/* 0x70 and 0x71. */
bool vrtc_add_to_bus(struct vrtc *r, struct vdev_bus *bus);
/* When vrtc_advance() has something to do, in ns of the clock, or VTIME_NEVER. */
uint64_t vrtc_next(const struct vrtc *r);
/* Raises the line if an interrupt that is enabled came due up to `now`. */
void vrtc_advance(struct vrtc *r, uint64_t now);

#endif
