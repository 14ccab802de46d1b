/* SPDX-License-Identifier: BSD-2-Clause */
/* Which port is the console: command line, then configuration, then SPCR, then COM1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/console_port.h"
#include "smp/acpi_spcr.h"

#define SPCR_SIZE 80

struct acpi_info acpi;
static struct config cfg;
static struct console_port p;

static int setup(void **state)
{
	(void)state;
	memset(&acpi, 0, sizeof(acpi));
	memset(&cfg, 0, sizeof(cfg));
	cfg.console_port = 0x3F8;
	cfg.baud = 115200;
	return 0;
}

static bool choose(const char *cmdline)
{
	return console_port_choose(&p, cmdline, &cfg, &acpi.console);
}

static void firmware(uint16_t port, unsigned baud)
{
	acpi.console = (struct acpi_console){
		.port = port, .baud = baud, .rtscts = true, .has_gsi = true, .gsi = 19,
	};
}

static void com1_when_nobody_says_anything(void **state)
{
	(void)state;
	assert_true(console_port_choose(&p, "", NULL, NULL));
	assert_int_equal(p.base, 0x3F8);
	assert_int_equal(p.baud, 115200);
	assert_int_equal(p.irq, 4);
	assert_false(p.has_gsi);
	assert_string_equal(p.said_by, "default");
}

static void the_firmware_is_asked_last(void **state)
{
	(void)state;
	firmware(0x2F8, 57600);
	assert_true(choose("quiet"));
	assert_int_equal(p.base, 0x2F8);
	assert_int_equal(p.baud, 57600);
	assert_int_equal(p.flow, FLOW_RTSCTS);
	assert_true(p.has_gsi && p.gsi == 19);
	cfg.baud_given = true;
	cfg.flow_given = true;
	choose("");
	assert_int_equal(p.base, 0x2F8);
	assert_int_equal(p.baud, 115200);
	assert_int_equal(p.flow, FLOW_NONE);
	cfg.port_given = true; /* another port: what the firmware says is not about it */
	cfg.baud_given = cfg.flow_given = false;
	choose("");
	assert_int_equal(p.base, 0x3F8);
	assert_int_equal(p.baud, 115200);
	assert_int_equal(p.flow, FLOW_NONE);
	assert_false(p.has_gsi);
	assert_string_equal(p.said_by, "the configuration");
}

static void the_command_line_is_asked_first(void **state)
{
	(void)state;
	firmware(0x2F8, 57600);
	cfg.port_given = cfg.baud_given = true;
	cfg.baud = 9600;
	assert_true(choose("log=debug console=com4"));
	assert_int_equal(p.base, 0x2E8);
	assert_int_equal(p.baud, 9600);
	assert_int_equal(p.irq, 3);
	assert_true(choose("console=0x2f8,19200"));
	assert_int_equal(p.base, 0x2F8);
	assert_int_equal(p.baud, 19200);
	assert_true(p.has_gsi);
	assert_true(choose("console=none"));
	assert_int_equal(p.base, 0);
}

static void nonsense_is_passed_over(void **state)
{
	static const char *const wrong[] = {
		"console=ttyS0", "console=", "console", "console=com1,", "console=com1,7",
		"console=0x3f9", "console=com1,115201", "console=com1,100000", "console=,9600",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_false(choose(wrong[i]));
		assert_int_equal(p.base, 0x3F8);
		assert_int_equal(p.baud, 115200);
	}
}

static void no_port_in_the_configuration(void **state)
{
	(void)state;
	firmware(0x2F8, 57600);
	cfg.port_given = true;
	cfg.console_port = 0;
	choose("");
	assert_int_equal(p.base, 0);
}

/* ---- the table itself ---- */

static void parse(uint8_t type, uint8_t space, uint64_t address, uint32_t length)
{
	uint8_t t[SPCR_SIZE] = { 'S', 'P', 'C', 'R' };
	uint32_t gsi = 4;

	memset(&acpi, 0, sizeof(acpi));
	t[36] = type;
	t[40] = space;
	memcpy(t + 44, &address, 8);
	t[52] = 3; /* 8259 and I/O APIC */
	t[53] = 4;
	memcpy(t + 54, &gsi, 4);
	t[58] = 7;
	t[61] = 2;
	acpi_parse_spcr(t, length);
}

static void the_table_is_read(void **state)
{
	(void)state;
	parse(0, 1, 0x3F8, SPCR_SIZE);
	assert_int_equal(acpi.console.port, 0x3F8);
	assert_int_equal(acpi.console.baud, 115200);
	assert_true(acpi.console.has_gsi && acpi.console.gsi == 4);
	assert_true(acpi.console.has_irq && acpi.console.irq == 4);
	assert_true(acpi.console.rtscts && !acpi.console.xonxoff);
	parse(0x12, 1, 0xFFF8, 62);
	assert_int_equal(acpi.console.port, 0xFFF8);
}

static void other_consoles_are_refused(void **state)
{
	(void)state;
	parse(0, 1, 0, SPCR_SIZE); /* redirection is off */
	assert_int_equal(acpi.console.port, 0);
	parse(3, 1, 0x3F8, SPCR_SIZE); /* a PL011 */
	assert_int_equal(acpi.console.port, 0);
	parse(0, 0, 0xFE000000, SPCR_SIZE); /* in memory */
	assert_int_equal(acpi.console.port, 0);
	parse(0, 1, 0x20, SPCR_SIZE); /* where the 8259 is */
	assert_int_equal(acpi.console.port, 0);
	parse(0, 1, 0x3F9, SPCR_SIZE);
	assert_int_equal(acpi.console.port, 0);
	parse(0, 1, 0x1000003F8, SPCR_SIZE);
	assert_int_equal(acpi.console.port, 0);
	parse(0, 1, 0x3F8, 61); /* cut off */
	assert_int_equal(acpi.console.port, 0);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(com1_when_nobody_says_anything),
		T(the_firmware_is_asked_last),
		T(the_command_line_is_asked_first),
		T(nonsense_is_passed_over),
		T(no_port_in_the_configuration),
		T(the_table_is_read),
		T(other_consoles_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
