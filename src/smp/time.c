/* SPDX-License-Identifier: BSD-2-Clause */
/* The time base: TSC frequency, delays, the CMOS clock. */
#include "io.h"
#include "log.h"
#include "smp_internal.h"
#include "x86.h"

#define PM_TIMER_HZ 3579545ULL /* ACPI 4.8.3.3 */
#define MEASURE_US 20000ULL
#define PM_READS 8

#define PIT_CH2_MODE0_LOHI 0xB0
#define PORT_B 0x61
#define PORT_B_GATE2 0x01
#define PORT_B_SPEAKER 0x02
#define PORT_B_OUT2 0x20

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CMOS_SECONDS 0x00
#define CMOS_MINUTES 0x02
#define CMOS_HOURS 0x04
#define CMOS_DAY 0x07
#define CMOS_MONTH 0x08
#define CMOS_YEAR 0x09
#define CMOS_STATUS_A 0x0A
#define CMOS_UPDATE 0x80
#define CMOS_STATUS_B 0x0B
#define CMOS_24H 0x02
#define CMOS_BINARY 0x04
#define CMOS_PM 0x80

/* Polls until a clock is taken for dead. */
#define POLL_LIMIT 1000000u

#define CPUID_87_EDX_INVARIANT BIT(8)

uint64_t tsc_khz;

/* What the PM timer showed, and when: a read between two of the TSC. */
struct sample {
	uint32_t pm;
	uint64_t tsc, width;
};

/*
 * The closest of several reads.  Where an emulator or another hypervisor has
 * something else to do in the middle of one, that one is wide, and not taken.
 */
static struct sample sample_pm_timer(void)
{
	struct sample best = { .width = UINT64_MAX };

	for (unsigned i = 0; i < PM_READS; i++) {
		const uint64_t before = rdtsc();
		const uint32_t pm = io_in32(acpi.pm_timer);
		const uint64_t width = rdtsc() - before;

		if (width < best.width)
			best = (struct sample){ pm, before + width / 2, width };
	}
	return best;
}

/* TSC ticks while the PM timer advances by `ticks`; 0 when it stands still. */
static uint64_t measure_pm_timer(uint64_t ticks)
{
	const uint32_t mask = acpi.pm_timer_32bit ? 0xFFFFFFFF : 0xFFFFFF;
	const struct sample first = sample_pm_timer();
	struct sample last;

	for (unsigned i = 0; ((io_in32(acpi.pm_timer) - first.pm) & mask) < ticks; i++)
		if (i == POLL_LIMIT)
			return 0;
	/* Later than asked for: scale by what really passed. */
	last = sample_pm_timer();
	return (last.tsc - first.tsc) * ticks / ((last.pm - first.pm) & mask);
}

/* TSC ticks while channel 2 of the 8254 counts `count` down. */
static uint64_t measure_pit(uint16_t count)
{
	const uint8_t port_b = io_in8(PORT_B);
	uint64_t start, ticks = 0;

	io_out8(PORT_B, (uint8_t)((port_b & ~PORT_B_SPEAKER) | PORT_B_GATE2));
	io_out8(PIT_COMMAND, PIT_CH2_MODE0_LOHI);
	io_out8(PIT_CHANNEL2, (uint8_t)count);
	io_out8(PIT_CHANNEL2, (uint8_t)(count >> 8));
	start = rdtsc();
	for (unsigned i = 0; i < POLL_LIMIT; i++) {
		if (io_in8(PORT_B) & PORT_B_OUT2) {
			ticks = rdtsc() - start;
			break;
		}
	}
	io_out8(PORT_B, port_b);
	return ticks;
}

void time_init(void)
{
	uint64_t ticks = 0;
	const char *source = "ACPI PM timer";

	if (acpi.pm_timer)
		ticks = measure_pm_timer(PM_TIMER_HZ * MEASURE_US / 1000000);
	if (ticks == 0) {
		source = "8254";
		ticks = measure_pit((uint16_t)(PIT_HZ * MEASURE_US / 1000000));
	}
	tsc_khz = ticks * 1000 / MEASURE_US;
	if (tsc_khz == 0) {
		log_warn("neither the ACPI PM timer nor the 8254 runs: taking the TSC for 1 GHz");
		tsc_khz = 1000000;
		return;
	}
	log_info("TSC: %llu.%03llu MHz, measured against the %s%s",
		 (unsigned long long)tsc_khz / 1000, (unsigned long long)tsc_khz % 1000, source,
		 cpuid(0x80000007, 0).edx & CPUID_87_EDX_INVARIANT ? "" : ", not marked invariant");
}

void delay_us(uint64_t us)
{
	const uint64_t end = rdtsc() + us * tsc_khz / 1000;

	while ((int64_t)(rdtsc() - end) < 0)
		cpu_pause();
}

uint64_t tsc_to_us(uint64_t tsc)
{
	/* In two steps, so that a year of uptime does not overflow. */
	return tsc / tsc_khz * 1000 + tsc % tsc_khz * 1000 / tsc_khz;
}

static uint8_t cmos(uint8_t index)
{
	io_out8(CMOS_INDEX, index);
	return io_in8(CMOS_DATA);
}

static unsigned from_bcd(uint8_t v, bool binary)
{
	return binary ? v : (v >> 4) * 10u + (v & 15u);
}

/* Days from 1970-01-01 to a Gregorian date, counting years from March. */
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
	const unsigned y = month > 2 ? year : year - 1;
	const unsigned m = month > 2 ? month - 3 : month + 9;

	return 365ULL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static uint64_t cmos_seconds(void)
{
	const uint8_t status = cmos(CMOS_STATUS_B);
	const bool binary = status & CMOS_BINARY;
	const uint8_t raw_hour = cmos(CMOS_HOURS);
	unsigned hour = from_bcd(raw_hour & (status & CMOS_24H ? 0xFF : 0x7F), binary);
	const unsigned month = from_bcd(cmos(CMOS_MONTH), binary);

	if (!(status & CMOS_24H))
		hour = hour % 12 + (raw_hour & CMOS_PM ? 12 : 0);
	return ((days_since_1970(2000 + from_bcd(cmos(CMOS_YEAR), binary),
				 month ? month : 1, from_bcd(cmos(CMOS_DAY), binary)) * 24 +
		 hour) * 60 + from_bcd(cmos(CMOS_MINUTES), binary)) * 60 +
	       from_bcd(cmos(CMOS_SECONDS), binary);
}

uint64_t wall_clock_ns_at_tsc0(void)
{
	uint64_t before, after = 0;
	unsigned tries = 0;

	/* Two equal readings with no update between them (MC146818 data sheet). */
	do {
		for (unsigned i = 0; i < 100000 && (cmos(CMOS_STATUS_A) & CMOS_UPDATE); i++)
			cpu_pause();
		before = cmos_seconds();
		after = cmos_seconds();
	} while (before != after && ++tries < 10);
	return after * 1000000000ULL - tsc_to_us(rdtsc()) * 1000;
}
