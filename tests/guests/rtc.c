/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818 real-time clock (Motorola's data sheet) and its interrupts on IRQ 8. */
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "time.h"

#define INDEX 0x70
#define DATA 0x71

enum rtc_register {
	SECONDS = 0, SECONDS_ALARM = 1, MINUTES = 2, MINUTES_ALARM = 3, HOURS = 4, HOURS_ALARM = 5,
	WEEKDAY = 6, DAY = 7, MONTH = 8, YEAR = 9, REG_A = 10, REG_B = 11, REG_C = 12, REG_D = 13,
	CENTURY = 0x32, /* as the FADT of a PC says */
	FREE = 0x60
};

#define A_UIP 0x80
#define A_RUN 0x20         /* the 32 kHz crystal */
#define A_DIVIDER_RESET 0x70
#define A_RATE_1024 6
#define B_SET 0x80
#define B_PERIODIC 0x40
#define B_ALARM 0x20
#define B_UPDATE 0x10
#define B_BINARY 0x04
#define B_24 0x02
#define C_IRQ 0x80
#define C_PERIODIC 0x40
#define C_ALARM 0x20
#define C_UPDATE 0x10
#define D_VALID 0x80
#define PM 0x80            /* of the hours */

#define VECTOR (PIC_BASE_SLAVE)
#define PERIODS 8
#define PM_TICKS_A_PERIOD (PM_TIMER_HZ / 1024)

static uint8_t get(uint8_t reg)
{
	out8(INDEX, reg);
	return in8(DATA);
}

/* Three registers as one number, `first` on top. */
static uint32_t get3(uint8_t first, uint8_t second, uint8_t third)
{
	const uint32_t high = get(first), middle = get(second);

	return high << 16 | middle << 8 | get(third);
}

static void set(uint8_t reg, uint8_t value)
{
	out8(INDEX, reg);
	out8(DATA, value);
}

static volatile uint8_t last_c;

static void handler(struct frame *f)
{
	(void)f;
	last_c = get(REG_C);
	pic_eoi(8);
}

/* Nothing is requested any more, neither here nor at the 8259s. */
static void quiet(void)
{
	get(REG_C);
	irq_set(VECTOR, handler);
	irq_window();
	pic_settle();
	irq_forget();
}

/* The next update is half a second after the divider is let go, or at most a second. */
static void set_time(uint8_t b, const uint8_t time[YEAR + 1], uint8_t century)
{
	set(REG_B, (uint8_t)(b | B_SET));
	set(REG_A, A_DIVIDER_RESET | A_RATE_1024);
	for (uint8_t reg = 0; reg <= YEAR; reg++)
		set(reg, time[reg]);
	set(CENTURY, century);
	quiet();
	set(REG_A, A_RUN | A_RATE_1024);
	last_c = 0;
	set(REG_B, b);
}

static void check_static(void)
{
	uint8_t saved[3];

	check("battery-is-good", get(REG_D), D_VALID);
	for (uint8_t i = 0; i < 3; i++) {
		saved[i] = get(FREE + i);
		set(FREE + i, (uint8_t)(0x5A + i));
	}
	check("memory-keeps", get3(FREE, FREE + 1, FREE + 2), 0x5A5B5C);
	for (uint8_t i = 0; i < 3; i++)
		set(FREE + i, saved[i]);
	check("index-bit-7-is-not-its", get(0x80 | REG_D), D_VALID);
	set(REG_D, 0);
	check("reg-d-cannot-be-written", get(REG_D), D_VALID);
	set(REG_A, A_UIP | A_RUN | A_RATE_1024);
	check("reg-a-reads-back", get(REG_A) & (A_UIP - 1), A_RUN | A_RATE_1024);
}

static bool bcd(uint8_t value, uint8_t first, uint8_t last)
{
	return (value & 15) <= 9 && value >= first && value <= last;
}

static void check_firmware_time(void)
{
	const struct deadline d = deadline_in(100);

	set(REG_B, B_24);
	while ((get(REG_A) & A_UIP) && !deadline_passed(&d))
		pause();
	check_true("time-is-one", bcd(get(SECONDS), 0, 0x59) && bcd(get(MINUTES), 0, 0x59) &&
					  bcd(get(HOURS), 0, 0x23));
	check_true("date-is-one", bcd(get(DAY), 1, 0x31) && bcd(get(MONTH), 1, 0x12) &&
					  bcd(get(YEAR), 0, 0x99) && bcd(get(CENTURY), 0x19, 0x21));
}

static void check_rollover(void)
{
	static const uint8_t eve[] = { 59, 0, 59, 0, 23, 0, 6, 31, 12, 99 };

	set_time(B_BINARY | B_24 | B_UPDATE | B_ALARM, eve, 19);
	check("update-interrupt", irq_wait(0, VECTOR, 1, 1500), true);
	check("reg-c-says-update-and-alarm", last_c & (C_IRQ | C_UPDATE | C_ALARM),
	      C_IRQ | C_UPDATE | C_ALARM);
	check("reg-c-clears-by-reading", get(REG_C) & (C_IRQ | C_UPDATE), 0);
	check("binary-time-rolls", get3(HOURS, MINUTES, SECONDS), 0);
	check("binary-date-rolls", get3(YEAR, MONTH, DAY), 0x000101);
	check("weekday-rolls", get(WEEKDAY), 7);
}

static void check_12_hours(void)
{
	static const uint8_t eve[] = { 0x59, 0x00, 0x59, 0x00, PM | 0x11, 0x12, 2,
				       0x28, 0x02, 0x24 };

	set_time(B_ALARM | B_UPDATE, eve, 0x20);
	check("next-update-interrupt", irq_wait(0, VECTOR, 1, 1500), true);
	check("alarm-at-12-am", last_c & (C_IRQ | C_ALARM), C_IRQ | C_ALARM);
	check("midnight-is-12-am", get3(HOURS, MINUTES, SECONDS), 0x120000);
	check("leap-day", get3(YEAR, MONTH, DAY), 0x240229);
	set(REG_B, B_SET);
	check("set-can-be-read", get(REG_B) & B_SET, B_SET);
}

static void check_periodic(void)
{
	uint32_t start;

	set(REG_B, B_24);
	set(REG_A, A_RUN | A_RATE_1024);
	quiet();
	start = pm_ticks();
	set(REG_B, B_24 | B_PERIODIC);
	check("periodic-interrupts", irq_wait(0, VECTOR, PERIODS, 1000), true);
	check_range("periodic-not-early", pm_since(start), (PERIODS - 1) * PM_TICKS_A_PERIOD - 60,
		    PM_TIMER_HZ);
	set(REG_B, B_24);
	get(REG_C);
	wait_us(3000);
	check("flag-without-enable", get(REG_C) & (C_IRQ | C_PERIODIC), C_PERIODIC);

	/* Without reading C the line stays up, so there is no second edge. */
	quiet();
	irq_set(VECTOR, NULL);
	set(REG_B, B_24 | B_PERIODIC);
	irq_wait(0, VECTOR, 1, 1000);
	pic_eoi(8);
	irq_wait(0, VECTOR, 2, 10);
	check("no-more-before-c-is-read", irq_count(0, VECTOR), 1);
	set(REG_B, B_24);
}

void guest_main(void)
{
	ioapic_mask_all();
	irq0_set(false);
	apic_virtual_wire();
	pic_setup(ICW4_8086);
	pic_mask(0xFEFB);
	check_firmware_time();
	check_static();
	check_periodic();
	check_rollover();
	check_12_hours();
}
