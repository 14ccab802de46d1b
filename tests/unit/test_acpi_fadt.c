/* SPDX-License-Identifier: BSD-2-Clause */
/* The FADT's ports and the \_S5 package of the DSDT (ACPI 5.2.9, 7.4.2.6, 20.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "low_memory.h"
#include "smp.h"

#define HEADER 36
#define FADT_SIZE 116

static uint8_t madt[44], fadt[FADT_SIZE + 128];
static size_t fadt_len;

void delay_us(uint64_t us)
{
	(void)us;
}

static void seal(uint8_t *table, const char *signature, size_t len)
{
	const uint32_t length = (uint32_t)len;
	uint8_t sum = 0;

	memcpy(table, signature, 4);
	memcpy(table + 4, &length, 4);
	table[9] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
}

static void poke(size_t offset, uint32_t value, unsigned size)
{
	memcpy(fadt + offset, &value, size);
}

/* The DSDT is one header and these bytes, with nothing readable behind. */
static void dsdt(const uint8_t *aml, size_t len)
{
	uint8_t table[HEADER + 256] = { 0 };

	memcpy(table + HEADER, aml, len);
	seal(table, "DSDT", HEADER + len);
	poke(40, low_memory_copy(table, HEADER + len, 1), 4);
}

static void run(void)
{
	uint8_t rsdt[HEADER + 8] = { 0 }, rsdp[36] = "RSD PTR ";
	uint32_t at;
	uint8_t sum = 0;

	seal(madt, "APIC", sizeof(madt));
	seal(fadt, "FACP", fadt_len);
	at = low_memory_copy(madt, sizeof(madt), 1);
	memcpy(rsdt + HEADER, &at, 4);
	at = low_memory_copy(fadt, fadt_len, 1);
	memcpy(rsdt + HEADER + 4, &at, 4);
	seal(rsdt, "RSDT", sizeof(rsdt));
	at = low_memory_copy(rsdt, sizeof(rsdt), 1);
	memcpy(rsdp + 16, &at, 4);
	for (unsigned i = 0; i < 20; i++)
		sum = (uint8_t)(sum + rsdp[i]);
	rsdp[8] = (uint8_t)-sum;
	assert_null(acpi_init(low_memory_copy(rsdp, sizeof(rsdp), 4)));
}

static int setup(void **state)
{
	(void)state;
	memset(&acpi, 0, sizeof(acpi));
	memset(madt, 0, sizeof(madt));
	memset(fadt, 0, sizeof(fadt));
	fadt_len = FADT_SIZE;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	low_memory_free();
	return 0;
}

static void test_ports(void **state)
{
	(void)state;
	poke(64, 0x604, 4);
	poke(68, 0x614, 4);
	poke(76, 0x608, 4);
	poke(91, 4, 1);
	poke(112, 1u << 8, 4);
	run();
	assert_int_equal(acpi.pm1a_control, 0x604);
	assert_int_equal(acpi.pm1b_control, 0x614);
	assert_int_equal(acpi.pm_timer, 0x608);
	assert_true(acpi.pm_timer_32bit);
	assert_false(acpi.has_s5);
}

static void test_no_pm_timer(void **state)
{
	(void)state;
	poke(76, 0x608, 4);
	run();
	assert_int_equal(acpi.pm_timer, 0);
	assert_false(acpi.pm_timer_32bit);
}

static void test_short_fadt(void **state)
{
	(void)state;
	poke(64, 0x604, 4);
	fadt_len = 80;
	run();
	assert_int_equal(acpi.pm1a_control, 0);
}

struct s5_row {
	uint8_t aml[24];
	size_t len;
	bool found;
	uint8_t a, b;
};

/* Name(_S5_, Package(n) { a, b, ... }) as compilers write it. */
static const struct s5_row s5_rows[] = {
	/* QEMU: 08 "_S5_" 12 06 04 00 00 00 00 */
	{ { 8, '_', 'S', '5', '_', 0x12, 6, 4, 0, 0, 0, 0 }, 12, true, 0, 0 },
	{ { 8, '_', 'S', '5', '_', 0x12, 8, 4, 0x0A, 5, 0x0A, 7, 0, 0 }, 14, true, 5, 7 },
	/* The shortest, the last thing in the table. */
	{ { 8, '_', 'S', '5', '_', 0x12, 4, 2, 1, 0 }, 10, true, 1, 0 },
	/* A length of two bytes. */
	{ { 8, '_', 'S', '5', '_', 0x12, 0x46, 0, 2, 0x0A, 6, 1 }, 12, true, 6, 1 },
	/* Not a package, and not the name. */
	{ { 8, '_', 'S', '5', '_', 0x11, 4, 2, 1, 0 }, 10, false, 0, 0 },
	{ { 8, '_', 'S', '4', '_', 0x12, 4, 2, 1, 0 }, 10, false, 0, 0 },
	/* Cut off anywhere: no byte behind the end is read. */
	{ { 8, '_', 'S', '5', '_' }, 5, false, 0, 0 },
	{ { 8, '_', 'S', '5', '_', 0x12, 0xC0 }, 7, true, 0, 0 },
	{ { 8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0A }, 9, true, 0, 0 },
	/* A sleep type has three bits: more would set SLP_EN or worse. */
	{ { 8, '_', 'S', '5', '_', 0x12, 6, 2, 0x0A, 0xFF, 0x0A, 9 }, 12, true, 7, 1 },
};

static void test_s5(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(s5_rows); i++) {
		const struct s5_row *r = &s5_rows[i];

		setup(state);
		dsdt(r->aml, r->len);
		run();
		assert_int_equal(acpi.has_s5, r->found);
		assert_int_equal(acpi.s5_type_a, r->a);
		assert_int_equal(acpi.s5_type_b, r->b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_pm_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_fadt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_s5, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
