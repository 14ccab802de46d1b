/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's ACPI tables, built by hand in low memory (ACPI 5.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "low_memory.h"
#include "smp.h"
#include "x86.h"

#define HEADER 36
#define FOREIGN 0x40000000u /* APIC IDs from here on are not the boot CPU's */

static struct {
	uint8_t bytes[4096];
	size_t len;
} blob;

static uint32_t tables[4];
static unsigned n_tables;

/* acpi_power_off, which is not for host tests, waits. */
void delay_us(uint64_t us)
{
	(void)us;
}

static void put(uint64_t value, unsigned size)
{
	memcpy(blob.bytes + blob.len, &value, size);
	blob.len += size;
}

static void poke(size_t offset, uint64_t value, unsigned size)
{
	memcpy(blob.bytes + offset, &value, size);
}

static void begin(const char *signature)
{
	memset(&blob, 0, sizeof(blob));
	memcpy(blob.bytes, signature, 4);
	blob.len = HEADER;
}

static uint8_t checksum(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len > 0)
		sum = (uint8_t)(sum + p[--len]);
	return (uint8_t)-sum;
}

/* With `spoil` 0 the table is right. */
static uint32_t finish_as(uint32_t length, uint8_t spoil)
{
	poke(4, length, 4);
	blob.bytes[9] = 0;
	blob.bytes[9] = (uint8_t)(checksum(blob.bytes, length) + spoil);
	return low_memory_copy(blob.bytes, blob.len, 1);
}

static void finish(void)
{
	tables[n_tables++] = finish_as((uint32_t)blob.len, 0);
}

static void begin_madt(void)
{
	begin("APIC");
	put(APIC_BASE_ADDRESS, 4);
	put(1, 4);
}

static void cpu(uint8_t id, uint32_t flags)
{
	put(0, 1);
	put(8, 1);
	put(0, 1);
	put(id, 1);
	put(flags, 4);
}

static void x2_cpu(uint32_t id, uint32_t flags)
{
	put(9, 1);
	put(16, 1);
	put(0, 2);
	put(id, 4);
	put(flags, 4);
	put(0, 4);
}

static void io_apic(uint8_t id, uint32_t address, uint32_t gsi_base)
{
	put(1, 1);
	put(12, 1);
	put(id, 2);
	put(address, 4);
	put(gsi_base, 4);
}

static void override(uint8_t irq, uint32_t gsi, uint16_t flags)
{
	put(2, 1);
	put(10, 1);
	put(0, 1);
	put(irq, 1);
	put(gsi, 4);
	put(flags, 2);
}

/* By way of the XSDT; test_acpi_fadt takes the older RSDT. */
static const char *run(void)
{
	uint32_t root, at;

	begin("XSDT");
	for (unsigned i = 0; i < n_tables; i++)
		put(tables[i], 8);
	root = finish_as((uint32_t)blob.len, 0);
	memset(&blob, 0, sizeof(blob));
	memcpy(blob.bytes, "RSD PTR ", 8);
	blob.bytes[15] = 2;
	poke(20, 36, 4);
	poke(24, root, 8);
	blob.bytes[8] = checksum(blob.bytes, 20);
	at = low_memory_copy(blob.bytes, 36, 4);
	return acpi_init(at);
}

static int setup(void **state)
{
	(void)state;
	memset(&acpi, 0, sizeof(acpi));
	n_tables = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	low_memory_free();
	return 0;
}

static uint32_t own_id(void)
{
	if (cpuid(0, 0).eax >= 0xB && (cpuid(0xB, 0).ebx & 0xFFFF))
		return cpuid(0xB, 0).edx;
	return cpuid(1, 0).ebx >> 24;
}

static void test_madt(void **state)
{
	(void)state;
	begin_madt();
	x2_cpu(FOREIGN, 1);
	x2_cpu(FOREIGN + 1, 0); /* not enabled */
	x2_cpu(FOREIGN + 2, 2); /* may be plugged in, is not */
	x2_cpu(own_id(), 1);
	x2_cpu(FOREIGN + 3, 1);
	io_apic(9, 0xFEC10000, 24);
	io_apic(8, 0xFEC00000, 0);
	override(0, 2, 0);
	override(9, 20, 0xD);
	put(4, 1); /* LINT NMI: of no interest */
	put(6, 1);
	put(0, 4);
	finish();
	assert_null(run());
	/* The boot CPU may be another one at every look: the kernel moves the test. */
	assert_in_range(acpi.n_cpus, 3, 4);
	assert_int_equal(acpi.apic_ids[1], FOREIGN);
	assert_int_equal(acpi.apic_ids[acpi.n_cpus - 1], FOREIGN + 3);
	assert_true(acpi.ioapic_base == 0xFEC00000);
	assert_int_equal(acpi.ioapic_id, 8);
}

static void test_overrides(void **state)
{
	uint16_t flags = 99;

	(void)state;
	begin_madt();
	override(0, 2, 0);
	override(9, 20, 0xD);
	finish();
	assert_null(run());
	assert_int_equal(acpi_isa_gsi(0, &flags), 2);
	assert_int_equal(flags, 0);
	assert_int_equal(acpi_isa_gsi(9, &flags), 20);
	assert_int_equal(flags, 0xD);
	assert_int_equal(acpi_isa_gsi(4, &flags), 4);
	assert_int_equal(flags, 0);
	setup(state);
	begin_madt();
	for (unsigned i = 0; i < 40; i++)
		override((uint8_t)i, i + 100, 0);
	finish();
	assert_null(run());
	assert_int_equal(acpi.n_overrides, ACPI_MAX_OVERRIDES);
}

/* A CPU that both kinds of entry name is started once. */
static void test_cpus_named_twice(void **state)
{
	unsigned others = 0;

	(void)state;
	begin_madt();
	for (uint8_t id = 100; id < 103; id++)
		cpu(id, 1);
	for (uint8_t id = 100; id < 103; id++)
		x2_cpu(id, 1);
	finish();
	assert_null(run());
	for (unsigned i = 0; i < acpi.n_cpus; i++)
		others += acpi.apic_ids[i] >= 100 && acpi.apic_ids[i] < 103;
	assert_int_equal(others, 3);
}

static void test_too_many_cpus(void **state)
{
	(void)state;
	begin_madt();
	for (uint32_t i = 0; i < SMP_MAX_CPUS + 10; i++)
		x2_cpu(FOREIGN + i, 1);
	finish();
	assert_null(run());
	assert_int_equal(acpi.n_cpus, SMP_MAX_CPUS);
	assert_int_equal(acpi.n_cpus_ignored, 11);
}

static void test_broken_entries(void **state)
{
	(void)state;
	begin_madt();
	x2_cpu(FOREIGN, 1);
	put(0, 1); /* a length of 0 would go round for ever */
	put(0, 1);
	x2_cpu(FOREIGN + 1, 1);
	finish();
	assert_null(run());
	assert_int_equal(acpi.n_cpus, 2);
	setup(state);
	begin_madt();
	put(9, 1); /* too short for what it is */
	put(3, 1);
	put(1, 1);
	put(9, 1); /* cut off */
	put(16, 1);
	put(FOREIGN, 4);
	finish();
	assert_null(run());
	assert_int_equal(acpi.n_cpus, 1);
}

static void test_broken_tables(void **state)
{
	(void)state;
	begin_madt();
	tables[n_tables++] = finish_as((uint32_t)blob.len, 1);
	assert_non_null(run()); /* a wrong checksum is no MADT */
	setup(state);
	begin_madt();
	tables[n_tables++] = finish_as(0, 0);
	assert_non_null(run());
	setup(state);
	begin("APIC"); /* a header alone */
	finish();
	assert_non_null(run());
	setup(state);
	assert_non_null(run()); /* no table at all */
}

/* The rest of SPCR's rules are in test_console_port.c. */
static void test_spcr(void **state)
{
	(void)state;
	begin_madt();
	finish();
	begin("SPCR");
	put(0, 4); /* a 16550 */
	put(1, 4); /* among the I/O ports */
	put(0x2F8, 8);
	put(0, 6);
	put(7, 4); /* 115200 baud */
	finish();
	assert_null(run());
	assert_int_equal(acpi.console.port, 0x2F8);
	assert_int_equal(acpi.console.baud, 115200);
	setup(state);
	begin_madt();
	finish();
	begin("SPCR");
	put(0, 4);
	put(1, 4);
	put(0x2F8, 8);
	put(0, 8);
	put(0, 2);
	tables[n_tables++] = finish_as((uint32_t)blob.len, 1); /* a wrong checksum */
	assert_null(run());
	assert_int_equal(acpi.console.port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_madt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overrides, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cpus_named_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_cpus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spcr, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
