/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254's modes on channel 2 with port 0x61, and channel 0 as a timer interrupt. */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "pit.h"
#include "time.h"

#define CH 2
#define SHORT 1000u           /* 838 us */
#define LONG 60000u           /* 50.3 ms: nothing that is seen early is over by then */
#define VECTOR 0x40
#define TICKS 10
#define MILLISECOND 1193u
/* An emulator's clock of the PIT may be a few ticks off that of the PM timer. */
#define SLACK 30u
/* "In time" on a machine that others use too. */
#define LATE(ticks) ((ticks) * PM_TICKS_A_PIT_TICK + PM_TIMER_HZ / 2)

static void check_port61(void)
{
	bool low = false, high = false;

	out8(PORT61, PORT61_GATE2 | PORT61_SPEAKER);
	check("port61-reads-back", in8(PORT61) & 3, 3);
	out8(PORT61, 0);
	check("port61-clears", in8(PORT61) & 3, 0);
	for (unsigned i = 0; i < 200; i++) {
		*(in8(PORT61) & PORT61_REFRESH ? &high : &low) = true;
		wait_us(3);
	}
	check_true("port61-refresh-toggles", low && high);
}

static void check_mode0(void)
{
	uint32_t start, took;
	uint16_t count;

	pit_gate2(true);
	pit_mode(CH, PIT_BOTH, 2, 0);
	pit_count(CH, LONG);
	pit_mode(CH, PIT_BOTH, 0, 0);
	check("mode0-low-with-control-word", pit_out2(), false);
	pit_count(CH, LONG);
	check("mode0-low-while-counting", pit_out2(), false);
	start = pm_ticks();
	pit_count(CH, SHORT);
	check("mode0-high-at-end", pit_wait_out2(true, 500), true);
	took = pm_since(start);
	check_range("mode0-length", took, SHORT * PM_TICKS_A_PIT_TICK - SLACK, LATE(SHORT));
	wait_us(2000);
	check("mode0-stays-high", pit_out2(), true);

	pit_count(CH, LONG);
	pit_gate2(false);
	wait_us(10);
	count = pit_latched(CH);
	wait_us(500);
	check("mode0-gate-stops-count", pit_latched(CH), count);
	pit_gate2(true);
}

static void check_mode1(void)
{
	uint32_t start;

	pit_gate2(false);
	pit_mode(CH, PIT_BOTH, 1, 0);
	pit_count(CH, SHORT);
	check("mode1-high-before-trigger", pit_out2(), true);
	wait_us(2000);
	check("mode1-waits-for-trigger", pit_out2(), true);
	pit_count(CH, LONG);
	start = pm_ticks();
	pit_gate2(true);
	wait_us(10);
	check("mode1-low-after-trigger", pit_out2(), false);
	check("mode1-high-at-end", pit_wait_out2(true, 500), true);
	check_range("mode1-length", pm_since(start), LONG * PM_TICKS_A_PIT_TICK - SLACK,
		    LATE(LONG));
}

static void check_mode2(void)
{
	unsigned wrong = 0, wraps = 0;
	uint16_t last = 0;

	pit_gate2(true);
	pit_mode(CH, PIT_BOTH, 2, 0);
	pit_count(CH, SHORT);
	wait_us(20);
	for (unsigned i = 0; i < 300; i++) {
		const uint16_t count = pit_latched(CH);

		wrong += count < 1 || count > SHORT;
		wraps += count > last;
		last = count;
		wait_us(10);
	}
	check("mode2-count-in-range", wrong, 0);
	check_range("mode2-reloads", wraps, 2, 300);
	pit_gate2(false);
	check("mode2-gate-forces-high", pit_out2(), true);
	wait_us(10);
	last = pit_latched(CH);
	wait_us(300);
	check("mode2-gate-stops-count", pit_latched(CH), last);
	pit_count(CH, LONG);
	wait_us(2000);
	pit_gate2(true);
	wait_us(10);
	check_range("mode2-gate-reloads", pit_latched(CH), LONG / 2, LONG);
}

static void check_mode3(void)
{
	unsigned odd = 0;
	uint32_t start;

	pit_gate2(true);
	pit_mode(CH, PIT_BOTH, 3, 0);
	pit_count(CH, LONG);
	start = pm_ticks();
	check("mode3-high-first", pit_out2(), true);
	check("mode3-low-second", pit_wait_out2(false, 500), true);
	check_range("mode3-half", pm_since(start), LONG / 2 * PM_TICKS_A_PIT_TICK - SLACK,
		    LATE(LONG / 2));
	check("mode3-high-again", pit_wait_out2(true, 500), true);
	for (unsigned i = 0; i < 50; i++) {
		odd += pit_latched(CH) & 1;
		wait_us(5);
	}
	check("mode3-counts-by-two", odd, 0);
	pit_wait_out2(false, 500);
	pit_gate2(false);
	check("mode3-gate-forces-high", pit_out2(), true);
}

/* The strobe is a single clock long, so only what is around it can be seen. */
static void check_strobes(void)
{
	uint16_t count;

	pit_gate2(true);
	pit_mode(CH, PIT_BOTH, 4, 0);
	pit_count(CH, LONG);
	check("mode4-high-while-counting", pit_out2(), true);
	wait_us(100);
	check_range("mode4-counts", pit_latched(CH), 1, LONG - 50);
	pit_gate2(false);
	wait_us(10);
	count = pit_latched(CH);
	wait_us(300);
	check("mode4-gate-stops-count", pit_latched(CH), count);

	pit_mode(CH, PIT_BOTH, 5, 0);
	pit_count(CH, LONG);
	check("mode5-high-before-trigger", pit_out2(), true);
	pit_gate2(true);
	wait_us(100);
	check_range("mode5-counts-from-trigger", pit_latched(CH), 1, LONG - 50);
	pit_gate2(false);
	wait_us(100);
	count = pit_latched(CH);
	wait_us(300);
	check_true("mode5-gate-level-does-not-stop", pit_latched(CH) < count);
}

static void check_latches(void)
{
	uint16_t first, second;
	uint8_t status;

	pit_gate2(true);
	pit_mode(CH, PIT_BOTH, 2, 0);
	pit_count(CH, 0);
	pit_latch(CH);
	wait_us(5000);
	first = pit_read(CH);
	second = pit_latched(CH);
	check_range("latch-holds", (uint16_t)(first - second), 5900, 65535);
	pit_latch(CH);
	wait_us(5000);
	pit_latch(CH);
	first = pit_read(CH);
	second = pit_latched(CH);
	check_range("second-latch-is-ignored", (uint16_t)(first - second), 5900, 65535);

	out8(PIT_CONTROL, 0xC8); /* read-back: status and count of channel 2 */
	status = in8(PIT_DATA(CH));
	check("read-back-status-first", status & 0x3F, PIT_BOTH << 4 | 2 << 1);
	first = pit_read(CH);
	second = pit_latched(CH);
	check_range("read-back-count-second", (uint16_t)(first - second), 0, 30000);
	out8(PIT_CONTROL, 0xD8); /* count only */
	wait_us(3000);
	first = pit_read(CH);
	second = pit_latched(CH);
	check_range("read-back-holds-count", (uint16_t)(first - second), 3500, 65535);
	pit_mode(CH, PIT_BOTH, 3, 0);
	check("null-count-before-load", pit_status(CH) & 0x40, 0x40);
	pit_count(CH, LONG);
	wait_us(20);
	check("null-count-after-load", pit_status(CH) & 0x40, 0);
	pit_mode(CH, PIT_BOTH, 0, 0);
	pit_count(CH, SHORT);
	pit_wait_out2(true, 500);
	check("status-shows-out", pit_status(CH) & 0x80, 0x80);
}

static void check_widths(void)
{
	unsigned wrong = 0;

	pit_gate2(true);
	pit_mode(CH, PIT_LOW, 2, 0);
	out8(PIT_DATA(CH), 0x50);
	wait_us(20);
	check("low-only-status", pit_status(CH) & 0x3F, PIT_LOW << 4 | 2 << 1);
	check_range("low-only-count", in8(PIT_DATA(CH)), 1, 0x50);
	pit_mode(CH, PIT_HIGH, 2, 0);
	out8(PIT_DATA(CH), 0x10);
	wait_us(20);
	pit_latch(CH);
	check_range("high-only-count", in8(PIT_DATA(CH)), 0, 0x10);

	pit_mode(CH, PIT_BOTH, 2, PIT_BCD);
	pit_count(CH, 0x1000);
	wait_us(20);
	for (unsigned i = 0; i < 50; i++) {
		const uint16_t count = pit_latched(CH);

		for (unsigned digit = 0; digit < 4; digit++)
			wrong += (count >> 4 * digit & 15) > 9;
		wait_us(7);
	}
	check("bcd-digits", wrong, 0);
}

static void pic_handler(struct frame *f)
{
	(void)f;
	pic_eoi(0);
}

static void apic_handler(struct frame *f)
{
	(void)f;
	apic_eoi();
}

static void check_interrupts(void)
{
	uint32_t start;

	pic_setup(ICW4_8086);
	apic_virtual_wire();
	irq_set(PIC_BASE_MASTER, pic_handler);
	irq0_set(false);
	pic_mask(0xFFFE);
	pic_settle();
	irq_window();
	irq_forget();
	pit_mode(0, PIT_BOTH, 2, 0);
	start = pm_ticks();
	pit_count(0, MILLISECOND);
	check("irq0-periodic-by-pic", irq_wait(0, PIC_BASE_MASTER, TICKS, 1000), true);
	check_range("irq0-not-early", pm_since(start),
		    (TICKS - 1) * MILLISECOND * PM_TICKS_A_PIT_TICK, PM_TIMER_HZ);
	irq0_set(false);
	irq_window();
	irq_forget();
	pit_mode(0, PIT_BOTH, 0, 0);
	pit_count(0, MILLISECOND);
	check("irq0-one-shot", irq_wait(0, PIC_BASE_MASTER, 1, 1000), true);
	irq_wait(0, PIC_BASE_MASTER, 2, 10);
	check("irq0-one-shot-is-one", irq_count(0, PIC_BASE_MASTER), 1);
	pic_mask(0xFFFF);

	irq_set(VECTOR, apic_handler);
	pit_mode(0, PIT_BOTH, 2, 0);
	ioapic_route(acpi.gsi[0], VECTOR, (uint8_t)apic_id());
	pit_count(0, MILLISECOND);
	check("irq0-by-ioapic", irq_wait(0, VECTOR, TICKS, 1000), true);
	ioapic_mask_all();
}

void guest_main(void)
{
	ioapic_mask_all();
	check_port61();
	check_mode0();
	check_mode1();
	check_mode2();
	check_mode3();
	check_strobes();
	check_latches();
	check_widths();
	check_interrupts();
}
