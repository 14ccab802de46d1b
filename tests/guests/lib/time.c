/* SPDX-License-Identifier: BSD-2-Clause */
#include "time.h"
#include "acpi.h"

#define PM_TIMER_MASK 0xFFFFFFu
#define TICKS_A_MS (PM_TIMER_HZ / 1000)

uint32_t pm_ticks(void)
{
	return in32(acpi.pm_timer) & PM_TIMER_MASK;
}

uint32_t pm_since(uint32_t then)
{
	return (pm_ticks() - then) & PM_TIMER_MASK;
}

struct deadline deadline_in(unsigned ms)
{
	return (struct deadline){ pm_ticks(), ms * TICKS_A_MS };
}

bool deadline_passed(const struct deadline *d)
{
	return pm_since(d->start) >= d->ticks;
}

void wait_us(unsigned us)
{
	const uint32_t start = pm_ticks(), ticks = us * (TICKS_A_MS + 1) / 1000 + 2;

	while (pm_since(start) < ticks)
		pause();
}
