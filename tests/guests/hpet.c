/* SPDX-License-Identifier: BSD-2-Clause */
/* The HPET (IA-PC HPET specification 1.0a). */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "time.h"

#define CAPS 0x000
#define CONFIG 0x010
#define STATUS 0x020
#define COUNTER 0x0F0
#define TIMER_CONFIG(n) (0x100u + 0x20 * (n))
#define COMPARATOR(n) (0x108u + 0x20 * (n))

#define CAPS_64BIT BIT(13)
#define CAPS_LEGACY BIT(15)
#define CONFIG_ENABLE BIT(0)
#define CONFIG_LEGACY BIT(1)
#define T_LEVEL BIT(1)
#define T_ENABLE BIT(2)
#define T_PERIODIC BIT(3)
#define T_CAN_PERIODIC BIT(4)
#define T_CAN_64 BIT(5)
#define T_SET BIT(6)
#define T_32 BIT(8)
#define T_ROUTE_SHIFT 9
#define T_ROUTE (31u << T_ROUTE_SHIFT)

#define MAX_PERIOD 100000000u  /* fs: 100 ns */
#define FS_A_PM_TICK 279365u   /* thousands of fs */
#define VECTOR 0x50
#define PERIODS 5

static uint32_t ticks_a_ms;
static uint32_t lines;          /* of timer 0 */
static volatile bool lower;     /* the handler clears the level's cause */

static uint32_t get(unsigned reg)
{
	return mmio_read(acpi.hpet + reg);
}

static void set(unsigned reg, uint32_t value)
{
	mmio_write(acpi.hpet + reg, value);
}

static void set64(unsigned reg, uint32_t low, uint32_t high)
{
	set(reg, low);
	set(reg + 4, high);
}

static void handler(struct frame *f)
{
	(void)f;
	if (lower)
		set(STATUS, 1);
	apic_eoi();
}

static void stop(void)
{
	set(CONFIG, 0);
	for (unsigned n = 0; n < 3; n++)
		set(TIMER_CONFIG(n), 0);
	set(STATUS, 7);
	set64(COUNTER, 0, 0);
}

static void check_capabilities(void)
{
	const uint32_t caps = get(CAPS), period = get(CAPS + 4);

	check_range("period", period, 1, MAX_PERIOD);
	check_range("revision", caps & 0xFF, 1, 0xFF);
	check_range("timers", (caps >> 8 & 31) + 1, 3, 32);
	check("64-bit-counter", caps & CAPS_64BIT, CAPS_64BIT);
	check("legacy-replacement", caps & CAPS_LEGACY, CAPS_LEGACY);
	check("timer0-periodic", get(TIMER_CONFIG(0)) & T_CAN_PERIODIC, T_CAN_PERIODIC);
	lines = get(TIMER_CONFIG(0) + 4);
	check_range("timer0-has-lines", lines, 1, 0xFFFFFFFF);
	set(CAPS, 0);
	check("capabilities-cannot-be-written", get(CAPS), caps);
	ticks_a_ms = 1000000000u / (period / 1000);
}

static void check_counter(void)
{
	uint32_t before, start, ran;

	stop();
	set64(COUNTER, 0x12345678, 0x9ABC);
	check("halted-counter-low", get(COUNTER), 0x12345678);
	check("halted-counter-high", get(COUNTER + 4), 0x9ABC);
	wait_us(100);
	check("halted-counter-stays", get(COUNTER), 0x12345678);
	set64(COUNTER, 0, 0);
	set(CONFIG, CONFIG_ENABLE);
	before = get(COUNTER);
	start = pm_ticks();
	wait_us(10000);
	ran = get(COUNTER) - before;
	check_range("rate-against-pm-timer", ran, ticks_a_ms * 10 - ticks_a_ms / 50,
		    ticks_a_ms * 10 + (pm_since(start) / 3579 + 1) * ticks_a_ms);
	stop();
	set64(COUNTER, 0xFFFFFF00, 0);
	set(CONFIG, CONFIG_ENABLE);
	wait_us(1000);
	check("carries-into-the-high-half", get(COUNTER + 4), 1);
	stop();
}

static unsigned route_line(void)
{
	/* Above the ISA lines when it can: nobody else is there. */
	for (unsigned pin = 23; pin; pin--)
		if (lines & BIT(pin))
			return pin;
	return 0;
}

static void check_one_shot(unsigned pin)
{
	uint32_t start;

	stop();
	ioapic_route(pin, VECTOR, (uint8_t)apic_id());
	irq_forget();
	set(TIMER_CONFIG(0), pin << T_ROUTE_SHIFT | T_ENABLE);
	check("route-reads-back", (get(TIMER_CONFIG(0)) & T_ROUTE) >> T_ROUTE_SHIFT, pin);
	set64(COMPARATOR(0), ticks_a_ms, 0);
	start = pm_ticks();
	set(CONFIG, CONFIG_ENABLE);
	check("one-shot-edge", irq_wait(0, VECTOR, 1, 500), true);
	check_range("one-shot-not-early", pm_since(start), 3570, PM_TIMER_HZ / 2);
	irq_wait(0, VECTOR, 2, 5);
	check("one-shot-is-one", irq_count(0, VECTOR), 1);
	check("edge-leaves-status", get(STATUS) & 1, 0);
	stop();
}

static void check_disabled(unsigned pin)
{
	stop();
	irq_forget();
	set(TIMER_CONFIG(0), pin << T_ROUTE_SHIFT | T_LEVEL);
	set64(COMPARATOR(0), ticks_a_ms / 4, 0);
	set(CONFIG, CONFIG_ENABLE);
	irq_wait(0, VECTOR, 1, 3);
	check("disabled-does-not-come", irq_count(0, VECTOR), 0);
	check("disabled-sets-level-status", get(STATUS) & 1, 1);
	set(STATUS, 1);
	check("status-clears-by-one", get(STATUS) & 1, 0);
	stop();
}

static void check_level(unsigned pin)
{
	stop();
	irq_forget();
	lower = true;
	ioapic_route(pin, VECTOR | RTE_LEVEL, (uint8_t)apic_id());
	set(TIMER_CONFIG(0), pin << T_ROUTE_SHIFT | T_ENABLE | T_LEVEL);
	set64(COMPARATOR(0), ticks_a_ms, 0);
	set(CONFIG, CONFIG_ENABLE);
	check("one-shot-level", irq_wait(0, VECTOR, 1, 500), true);
	irq_wait(0, VECTOR, 2, 3);
	check("level-ends-with-status", irq_count(0, VECTOR), 1);
	stop();
	ioapic_route(pin, RTE_MASKED, 0);
	lower = false;
}

static void check_periodic(unsigned pin)
{
	uint32_t start;

	stop();
	ioapic_route(pin, VECTOR, (uint8_t)apic_id());
	irq_forget();
	set(TIMER_CONFIG(0), pin << T_ROUTE_SHIFT | T_ENABLE | T_PERIODIC | T_SET | T_32);
	set(COMPARATOR(0), ticks_a_ms); /* first T_SET gives the moment, then the period */
	set(COMPARATOR(0), ticks_a_ms);
	start = pm_ticks();
	set(CONFIG, CONFIG_ENABLE);
	check("periodic", irq_wait(0, VECTOR, PERIODS, 1000), true);
	check_range("periodic-not-early", pm_since(start), PERIODS * 3570, PM_TIMER_HZ);
	check_true("comparator-moves-on", get(COMPARATOR(0)) > ticks_a_ms * PERIODS);
	stop();
	ioapic_route(pin, RTE_MASKED, 0);
}

static void check_legacy(void)
{
	stop();
	irq_set(VECTOR + 1, handler);
	irq_set(VECTOR + 2, handler);
	ioapic_route(acpi.gsi[0], VECTOR + 1, (uint8_t)apic_id());
	ioapic_route(8, VECTOR + 2, (uint8_t)apic_id());
	set(CONFIG, CONFIG_LEGACY);
	irq_window();
	irq_forget();
	for (unsigned n = 0; n < 2; n++) {
		set(TIMER_CONFIG(n), T_ENABLE);
		set64(COMPARATOR(n), ticks_a_ms, 0);
	}
	set(CONFIG, CONFIG_LEGACY | CONFIG_ENABLE);
	check("legacy-timer0-is-irq0", irq_wait(0, VECTOR + 1, 1, 500), true);
	check("legacy-timer1-is-irq8", irq_wait(0, VECTOR + 2, 1, 500), true);
	stop();
	ioapic_mask_all();
}

void guest_main(void)
{
	unsigned pin;

	if (!acpi.hpet) {
		check_true("acpi-table", false);
		return;
	}
	pic_setup(ICW4_8086);
	pic_mask(0xFFFF);
	apic_enable();
	apic_mask_lint0();
	ioapic_mask_all();
	irq0_set(false);
	irq_set(VECTOR, handler);
	check_capabilities();
	check_counter();
	pin = route_line();
	check_one_shot(pin);
	check_disabled(pin);
	check_level(pin);
	check_periodic(pin);
	check_legacy();
}
