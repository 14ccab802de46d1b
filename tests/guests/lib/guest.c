/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame: start, output, results, the end. */
#include "guest.h"
#include "acpi.h"
#include "irq.h"
#include "smp.h"
#include "time.h"

#define MULTIBOOT_MAGIC 0x2BADB002u
#define MULTIBOOT_CMDLINE BIT(2)

#define UART_LSR (COM1 + 5)
#define LSR_THRE BIT(5)
#define LSR_TEMT BIT(6)

#define PM1_CONTROL 0x604      /* of QEMU's PC and of Bulkhead's guests */
#define SOFT_OFF 0x2000        /* SLP_EN with SLP_TYP 0 */
#define BOCHS_SHUTDOWN 0x8900

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
};

uint32_t boot_magic, boot_info;
static unsigned n_ok, n_failed;
static const char *name_prefix = "";

static void put(char c)
{
	while (!(in8(UART_LSR) & LSR_THRE))
		pause();
	out8(COM1, (uint8_t)c);
}

void print(const char *text)
{
	while (*text)
		put(*text++);
}

void print_hex(uint64_t value)
{
	bool leading = true;

	print("0x");
	for (int shift = 60; shift >= 0; shift -= 4) {
		const unsigned digit = (unsigned)(value >> shift) & 15;

		leading = leading && !digit && shift;
		if (!leading)
			put("0123456789abcdef"[digit]);
	}
}

void print_number(unsigned n)
{
	if (n >= 10)
		print_number(n / 10);
	put((char)('0' + n % 10));
}

static bool report(const char *name, bool ok)
{
	print(ok ? "ok " : "FAIL ");
	print(name_prefix);
	print(name);
	if (ok) {
		n_ok++;
		print("\r\n");
	} else {
		n_failed++;
		print(": got ");
	}
	return ok;
}

void check_prefix(const char *prefix)
{
	name_prefix = prefix;
}

void check(const char *name, uint64_t got, uint64_t expected)
{
	if (report(name, got == expected))
		return;
	print_hex(got);
	print(", expected ");
	print_hex(expected);
	print("\r\n");
}

void check_true(const char *name, bool is)
{
	if (!report(name, is))
		print("no, expected yes\r\n");
}

void check_range(const char *name, uint64_t got, uint64_t first, uint64_t last)
{
	if (report(name, got >= first && got <= last))
		return;
	print_hex(got);
	print(", expected ");
	print_hex(first);
	print(" to ");
	print_hex(last);
	print("\r\n");
}

void skip(const char *name, const char *why)
{
	print("skipped ");
	print(name_prefix);
	print(name);
	print(": ");
	print(why);
	print("\r\n");
}

static const char *command_line(void)
{
	const struct multiboot_info *info = (const struct multiboot_info *)(uintptr_t)boot_info;

	return info->flags & MULTIBOOT_CMDLINE ? (const char *)(uintptr_t)info->cmdline : "";
}

static const char *match(const char *text, const char *name)
{
	while (*name && *text == *name) {
		text++;
		name++;
	}
	return !*name && *text == '=' ? text + 1 : NULL;
}

bool option(const char *name, char *value, size_t size)
{
	const char *text = command_line();

	for (;; text++) {
		const char *found = match(text, name);

		if (found) {
			size_t n = 0;

			for (; found[n] && found[n] != ' ' && n + 1 < size; n++)
				value[n] = found[n];
			value[n] = 0;
			return true;
		}
		while (*text && *text != ' ')
			text++;
		if (!*text)
			return false;
	}
}

static _Noreturn void power_off(void)
{
	irq_off();
	/* The last byte has to be on its way. */
	while (!(in8(UART_LSR) & LSR_TEMT))
		pause();
	out16(PM1_CONTROL, SOFT_OFF);
	/* Bochs has its power management elsewhere, but takes this word. */
	for (const char *word = "Shutdown"; *word; word++)
		out8(BOCHS_SHUTDOWN, (uint8_t)*word);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void end_run(void)
{
	print("done: ");
	print_number(n_ok);
	print(" ok, ");
	print_number(n_failed);
	print(" failed\r\n");
	power_off();
}

void give_up(const char *why, uint64_t value)
{
	n_failed++;
	print("FAIL ");
	print(why);
	print(": got ");
	print_hex(value);
	print(", expected a way to go on\r\n");
	end_run();
}

void guest_start(void);
void guest_start(void)
{
	/* Polled output, whatever the firmware left: 115200 8N1, FIFO on, no interrupts. */
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x80);
	out8(COM1 + 0, 1);
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 3);
	out8(COM1 + 2, 7);
	out8(COM1 + 4, 0x0B);
	check("multiboot-magic", boot_magic, MULTIBOOT_MAGIC);
	irq_init();
	cpu_init(0);
	acpi_init();
	guest_main();
	end_run();
}
