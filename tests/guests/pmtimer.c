/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI power management timer (ACPI 6.5, 4.8.3.3), with the 8254 as the other clock. */
#include "acpi.h"
#include "guest.h"
#include "pit.h"
#include "time.h"

#define MANY 100000
#define COUNT 11932u /* 10 ms */
#define TICKS (COUNT * PM_TICKS_A_PIT_TICK)

void guest_main(void)
{
	unsigned back = 0, high = 0;
	uint32_t last = pm_ticks(), start;

	for (unsigned i = 0; i < 2000; i++) {
		const uint32_t now = pm_ticks();

		back += ((now - last) & 0xFFFFFF) > 0x800000;
		high += !acpi.pm_timer_32 && in32(acpi.pm_timer) >> 24;
		last = now;
	}
	check("never-goes-back", back, 0);
	check("high-byte-of-24-bits-is-0", high, 0);
	start = pm_ticks();
	for (unsigned i = 0; i < MANY && pm_ticks() == start; i++)
		pause();
	check_true("counts", pm_ticks() != start);

	pit_gate2(true);
	pit_mode(2, PIT_BOTH, 0, 0);
	start = pm_ticks();
	pit_count(2, COUNT);
	check("pit-ends", pit_wait_out2(true, 1000), true);
	check_range("rate-against-8254", pm_since(start), TICKS - 60, TICKS * 20);

	/* Writes change nothing. */
	start = pm_ticks();
	out32(acpi.pm_timer, 0);
	check_range("cannot-be-written", pm_since(start), 0, PM_TIMER_HZ);
}
