/* SPDX-License-Identifier: BSD-2-Clause */
/* Time by the ACPI PM timer, which runs in every machine that has ACPI tables. */
#ifndef GUEST_TIME_H
#define GUEST_TIME_H

#include "x86.h"

#define PM_TIMER_HZ 3579545u

/* A PM timer value; wraps with 24 bits, after 4.6 s. */
uint32_t pm_ticks(void);
/* Ticks since then. */
uint32_t pm_since(uint32_t then);

struct deadline {
	uint32_t start, ticks;
};

/* At most 4000 ms. */
struct deadline deadline_in(unsigned ms);
bool deadline_passed(const struct deadline *d);
/* At least that long; at most a second. */
void wait_us(unsigned us);

#endif
