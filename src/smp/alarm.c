/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own timer: one shot, and its interrupt is an NMI.  The
 * local APIC's timers are the guests', so it is a comparator of the HPET, or
 * channel 0 of the 8254 where there is no HPET (IA-PC HPET 1.0a; Intel 8254).
 */
#include "io.h"
#include "log.h"
#include "smp_internal.h"

/* Registers of the HPET (2.3). */
#define HPET_CAPABILITIES 0x00
#define HPET_PERIOD 0x04 /* femtoseconds */
#define HPET_CONFIG 0x10
#define HPET_STATUS 0x20
#define HPET_COUNTER 0xF0
#define HPET_TIMER(n) (0x100 + 0x20 * (n))
#define HPET_TIMER_ROUTES 0x04
#define HPET_TIMER_COMPARATOR 0x08

#define CAPABILITIES_TIMERS_SHIFT 8
#define CAPABILITIES_TIMERS_MASK 0x1Fu
#define CONFIG_ENABLE BIT(0)
#define CONFIG_LEGACY BIT(1)
#define TIMER_LEVEL BIT(1)
#define TIMER_INTERRUPT BIT(2)
#define TIMER_PERIODIC BIT(3)
#define TIMER_32BIT BIT(8)
#define TIMER_ROUTE_SHIFT 9
#define TIMER_ROUTE_MASK (0x1FULL << TIMER_ROUTE_SHIFT)
#define TIMER_FSB BIT(14)
#define MAX_PERIOD_FS 100000000u
#define FS_PER_NS 1000000u

#define PIT_CH0_MODE0_LOHI 0x30 /* counts down once; without a count it is still */
#define PIT_IRQ 0
#define PIT_LONGEST_NS 50000000ULL /* 16 bits last for 54.9 ms */

#define LONGEST_NS (10 * NS_PER_S)
/*
 * What is far away is set a thousandth early and then set again, so that two
 * clocks that differ a little do not make it late.  What is nearer than this
 * is late by 10 us if they differ by 100 ppm.
 */
#define FAR_NS (NS_PER_S / 10)
#define EARLY_PART 1024
/* Time to write the comparator before the counter passes it. */
#define SHORTEST_NS 5000ULL

static enum { NOTHING, HPET, PIT } device;
static uint32_t period_fs;
static unsigned timer;
static uint32_t gsi;
static bool active_low;
static unsigned routed_to = SMP_MAX_CPUS;

static volatile uint32_t *hpet_reg(uint32_t offset)
{
	return (volatile uint32_t *)(uintptr_t)(acpi.hpet_base + offset);
}

static uint32_t hpet_read(uint32_t offset)
{
	return *hpet_reg(offset);
}

static void hpet_write(uint32_t offset, uint32_t value)
{
	*hpet_reg(offset) = value;
}

/* The highest pin that the comparator can drive: low ones are those of ISA devices. */
static bool find_route(unsigned n)
{
	const uint32_t pins = ioapic_pins() > 31 ? 32 : ioapic_pins();
	const uint32_t routes = hpet_read(HPET_TIMER(n) + HPET_TIMER_ROUTES);

	for (uint32_t pin = pins; pin-- > 0;) {
		if (routes & BIT(pin)) {
			gsi = pin;
			return true;
		}
	}
	return false;
}

static void hpet_configure(bool on)
{
	uint32_t config = hpet_read(HPET_TIMER(timer));

	config &= (uint32_t) ~(TIMER_LEVEL | TIMER_INTERRUPT | TIMER_PERIODIC | TIMER_FSB |
			       TIMER_ROUTE_MASK);
	config |= (uint32_t)TIMER_32BIT | gsi << TIMER_ROUTE_SHIFT;
	hpet_write(HPET_TIMER(timer), on ? config | (uint32_t)TIMER_INTERRUPT : config);
}

static bool hpet_init(void)
{
	unsigned timers;

	if (!acpi.hpet_base)
		return false;
	period_fs = hpet_read(HPET_PERIOD);
	if (period_fs == 0 || period_fs > MAX_PERIOD_FS)
		return false;
	timers = (hpet_read(HPET_CAPABILITIES) >> CAPABILITIES_TIMERS_SHIFT &
		  CAPABILITIES_TIMERS_MASK) + 1;
	for (timer = 0; timer < timers; timer++)
		if (find_route(timer))
			break;
	if (timer == timers)
		return false;
	hpet_configure(false);
	hpet_write(HPET_CONFIG, (hpet_read(HPET_CONFIG) & (uint32_t)~CONFIG_LEGACY) |
					(uint32_t)CONFIG_ENABLE);
	return true;
}

static void pit_stop(void)
{
	io_out8(PIT_COMMAND, PIT_CH0_MODE0_LOHI);
}

static bool pit_init(void)
{
	uint16_t flags;

	gsi = acpi_isa_gsi(PIT_IRQ, &flags);
	active_low = ACPI_ACTIVE_LOW(flags);
	return gsi < ioapic_pins();
}

void alarm_init(void)
{
	/* The firmware left it running; its interrupt may share the HPET's pin. */
	pit_stop();
	if (hpet_init())
		device = HPET;
	else if (pit_init())
		device = PIT;
	if (device == NOTHING)
		log_warn("neither an HPET nor an 8254 can interrupt: guests' 8254, HPET and RTC "
			 "interrupts come late");
	else
		log_debug("alarm: %s, GSI %u", device == HPET ? "HPET" : "8254", gsi);
}

static void route_to(unsigned cpu)
{
	if (cpu == routed_to)
		return;
	if (!ioapic_route_nmi(gsi, active_low, cpus[cpu]->apic_id))
		ioapic_route_nmi(gsi, active_low, cpus[0]->apic_id);
	routed_to = cpu;
}

static void hpet_arm(uint64_t ns)
{
	uint32_t ticks = (uint32_t)(ns * FS_PER_NS / period_fs);
	uint32_t at;

	/* A comparator that the counter has passed already is put further away. */
	do {
		at = hpet_read(HPET_COUNTER) + ticks;
		hpet_write(HPET_TIMER(timer) + HPET_TIMER_COMPARATOR, at);
		ticks *= 2;
	} while ((int32_t)(hpet_read(HPET_COUNTER) - at) >= 0);
	hpet_configure(true);
}

static void pit_arm(uint64_t ns)
{
	const uint16_t count = (uint16_t)(ns * PIT_HZ / NS_PER_S + 1);

	io_out8(PIT_COMMAND, PIT_CH0_MODE0_LOHI);
	io_out8(PIT_CHANNEL0, (uint8_t)count);
	io_out8(PIT_CHANNEL0, (uint8_t)(count >> 8));
}

uint64_t alarm_set(unsigned cpu, uint64_t ns)
{
	const uint64_t longest = device == PIT ? PIT_LONGEST_NS : LONGEST_NS;

	if (ns < SHORTEST_NS)
		ns = SHORTEST_NS;
	if (ns > FAR_NS)
		ns -= ns / EARLY_PART;
	if (ns > longest)
		ns = longest;
	if (device == NOTHING)
		return ns;
	route_to(cpu);
	if (device == HPET)
		hpet_arm(ns);
	else
		pit_arm(ns);
	return ns;
}

void alarm_off(void)
{
	if (device == HPET)
		hpet_configure(false);
	else if (device == PIT)
		pit_stop();
}
