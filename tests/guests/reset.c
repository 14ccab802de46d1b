/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways in which a guest ends or resets itself: how=WAY on the command
 * line.  It says "ends by WAY" and is gone; whoever runs it looks for what comes.
 */
#include "guest.h"
#include "irq.h"
#include "time.h"

#define EXIT_PORT 0xF4
#define EXIT_VALUE 0x2A
#define PM1_CONTROL 0x604
#define PM1_SLEEP_ENABLE 0x2000
#define RESET_CONTROL 0xCF9
#define KEYBOARD_STATUS 0x64
#define KEYBOARD_RESET 0xFE
#define PORT_92 0x92

static void by_cf9(void)
{
	/* A hard reset is asked for first; the 0 to 1 of bit 2 then starts it. */
	out8(RESET_CONTROL, 0x02);
	out8(RESET_CONTROL, 0x06);
}

static void by_keyboard(void)
{
	out8(KEYBOARD_STATUS, KEYBOARD_RESET);
}

static void by_port92(void)
{
	const uint8_t now = in8(PORT_92) & 0xFE;

	out8(PORT_92, now);
	out8(PORT_92, now | 1);
}

static void by_triple_fault(void)
{
	const struct {
		uint16_t limit;
		uintptr_t base;
	} __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static void by_power_off(void)
{
	out16(PM1_CONTROL, PM1_SLEEP_ENABLE);
}

static void by_exit_port(void)
{
	out8(EXIT_PORT, EXIT_VALUE);
}

static const struct {
	const char *name;
	void (*end)(void);
} ways[] = {
	{ "cf9", by_cf9 }, { "8042", by_keyboard }, { "port92", by_port92 },
	{ "triple", by_triple_fault }, { "poweroff", by_power_off }, { "exit", by_exit_port },
};

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

void guest_main(void)
{
	char how[16];

	if (!option("how", how, sizeof(how))) {
		skip("ways", "how= was not given");
		return;
	}
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!same(ways[i].name, how))
			continue;
		print("ends by ");
		print(how);
		print("\r\n");
		wait_us(2000); /* the line is out */
		ways[i].end();
		wait_us(200000);
		check_true(how, false);
		return;
	}
	give_up("way-is-known", 0);
}
