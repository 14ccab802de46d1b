/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MP table, found and read back as a guest would: a search on 16-byte
 * boundaries, checksums, then entry by entry with the lengths that the
 * MultiProcessor Specification 1.4 gives (tables 4-3 to 4-12).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest_acpi.h"
#include "guest_mp.h"

#define SIGNATURE 0x000306C3U
#define FEATURES 0xBFEBFBFFU /* a CPU with all of them */
#define FPU_MCE_CX8_APIC 0x381U /* what the table has bits for (table 4-6) */
#define NO_MACHINE_CHECKS 0xBFEBBB7FU
#define FPU_CX8_APIC 0x301U

struct fixture {
	struct guest_memory mem;
	struct guest_mp_config cfg;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->mem.size = MIB(1);
	f->mem.host = calloc(1, f->mem.size);
	f->cfg = (struct guest_mp_config){ 2, SIGNATURE, FEATURES };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->mem.host);
	free(f);
	return 0;
}

static unsigned sum(const uint8_t *bytes, size_t len)
{
	unsigned total = 0;

	while (len--)
		total += *bytes++;
	return total & 0xFF;
}

static uint32_t le(const uint8_t *at, unsigned size)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < size; i++)
		v |= (uint32_t)at[i] << 8 * i;
	return v;
}

/* The floating pointer structure between `from` and `to`, or NULL. */
static const uint8_t *search(const struct fixture *f, uint32_t from, uint32_t to)
{
	for (uint32_t at = from; at < to; at += 16)
		if (!memcmp(f->mem.host + at, "_MP_", 4) && sum(f->mem.host + at, 16) == 0)
			return f->mem.host + at;
	return NULL;
}

static const uint8_t *build(struct fixture *f)
{
	const uint8_t *floating, *table;

	assert_true(guest_mp_build(&f->mem, &f->cfg));
	floating = search(f, 0xF0000, 0x100000);
	assert_non_null(floating);
	assert_int_equal(floating[8], 1);      /* paragraphs */
	assert_int_equal(floating[9], 4);      /* 1.4 */
	assert_int_equal(le(floating + 11, 4), 0); /* a table, no IMCR */
	assert_in_range(le(floating + 4, 4), 0xF0010, 0xFFFFF);
	table = f->mem.host + le(floating + 4, 4);
	assert_memory_equal(table, "PCMP", 4);
	assert_int_equal(sum(table, le(table + 4, 2)), 0);
	assert_int_equal(table[6], 4);
	assert_memory_equal(table + 8, "BLKHD   BULKHEAD    ", 20);
	assert_int_equal(le(table + 28, 4), 0);
	assert_int_equal(le(table + 36, 4), 0xFEE00000);
	assert_int_equal(le(table + 40, 4), 0);
	return table;
}

struct seen {
	uint32_t features;
	unsigned cpus, buses, ioapics, entries, last_type, extints, local_extints, local_nmis;
	uint32_t irqs, pins; /* bit an ISA IRQ, bit a pin */
};

static void see_processor(const uint8_t *e, struct seen *seen)
{
	assert_int_equal(e[1], seen->cpus);
	assert_int_equal(e[2], 0x14);
	assert_int_equal(e[3], seen->cpus == 0 ? 3 : 1);
	assert_int_equal(le(e + 4, 4), SIGNATURE);
	assert_int_equal(le(e + 8, 4), seen->features);
	seen->cpus++;
}

static void see_interrupt(const struct fixture *f, const uint8_t *e, struct seen *seen)
{
	assert_int_equal(le(e + 2, 2), 0);
	assert_int_equal(e[4], 0);
	assert_int_equal(e[6], f->cfg.n_cpus);
	if (e[1] == 3) {
		assert_int_equal(e[7], 0);
		seen->extints++;
		return;
	}
	assert_int_equal(e[1], 0);
	assert_true(e[5] < 16 && e[7] < 24);
	assert_int_equal(e[7], e[5] == 0 ? 2 : e[5]);
	assert_int_equal(seen->irqs >> e[5] & 1, 0);
	assert_int_equal(seen->pins >> e[7] & 1, 0);
	seen->irqs |= 1U << e[5];
	seen->pins |= 1U << e[7];
}

static void see_local(const uint8_t *e, struct seen *seen)
{
	assert_int_equal(le(e + 2, 2), 0);
	if (e[1] == 3) {
		assert_int_equal(e[6], 0);
		assert_int_equal(e[7], 0);
		seen->local_extints++;
	} else {
		assert_int_equal(e[1], 1);
		assert_int_equal(e[6], 0xFF);
		assert_int_equal(e[7], 1);
		seen->local_nmis++;
	}
}

/* Returns the entry's length. */
static unsigned see(const struct fixture *f, const uint8_t *e, struct seen *seen)
{
	assert_true(e[0] >= seen->last_type); /* sorted by type (4.3) */
	seen->last_type = e[0];
	seen->entries++;
	switch (e[0]) {
	case 0:
		see_processor(e, seen);
		return 20;
	case 1:
		assert_int_equal(e[1], 0);
		assert_memory_equal(e + 2, "ISA   ", 6);
		seen->buses++;
		break;
	case 2:
		assert_int_equal(e[1], f->cfg.n_cpus);
		assert_int_equal(e[2], 0x20);
		assert_int_equal(e[3], 1);
		assert_int_equal(le(e + 4, 4), 0xFEC00000);
		seen->ioapics++;
		break;
	case 3:
		see_interrupt(f, e, seen);
		break;
	case 4:
		see_local(e, seen);
		break;
	default:
		fail_msg("unexpected entry %u", e[0]);
	}
	return 8;
}

static void check_table(struct fixture *f, uint32_t features)
{
	struct seen seen = { .features = features };
	const uint8_t *table = build(f);
	unsigned at;

	for (at = 44; at < le(table + 4, 2);)
		at += see(f, table + at, &seen);
	assert_int_equal(at, le(table + 4, 2));
	assert_int_equal(seen.entries, le(table + 34, 2));
	assert_int_equal(seen.cpus, f->cfg.n_cpus);
	assert_int_equal(seen.buses, 1);
	assert_int_equal(seen.ioapics, 1);
	assert_int_equal(seen.irqs, 0xFFFB); /* not the cascade */
	assert_int_equal(seen.extints, 1);
	assert_int_equal(seen.local_extints, 1);
	assert_int_equal(seen.local_nmis, 1);
}

static void test_table(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 1; n <= GUEST_ACPI_MAX_CPUS; n++) {
		f->cfg.n_cpus = n;
		check_table(f, FPU_MCE_CX8_APIC);
	}
}

/* What is hidden from the guest the table does not have either. */
static void test_hidden_features(void **state)
{
	struct fixture *f = *state;

	f->cfg.features = NO_MACHINE_CHECKS;
	check_table(f, FPU_CX8_APIC);
	f->cfg.features = 0;
	check_table(f, 0);
}

/* The other tables stay whole, in either order. */
static void test_beside_acpi(void **state)
{
	struct fixture *f = *state;
	const struct guest_acpi_config acpi = { GUEST_ACPI_MAX_CPUS, true, 0x8086A201 };
	uint8_t *before = malloc(0x10000);
	uint64_t rsdp;

	f->cfg.n_cpus = GUEST_ACPI_MAX_CPUS;
	assert_true(guest_acpi_build(&f->mem, &acpi, &rsdp));
	memcpy(before, f->mem.host + 0xE0000, 0x10000);
	build(f);
	assert_memory_equal(before, f->mem.host + 0xE0000, 0x10000);
	memcpy(before, f->mem.host + 0xF0000, 0x10000);
	assert_true(guest_acpi_build(&f->mem, &acpi, &rsdp));
	assert_memory_equal(before, f->mem.host + 0xF0000, 0x10000);
	free(before);
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;

	f->cfg.n_cpus = 0;
	assert_false(guest_mp_build(&f->mem, &f->cfg));
	f->cfg.n_cpus = GUEST_ACPI_MAX_CPUS + 1;
	assert_false(guest_mp_build(&f->mem, &f->cfg));
	f->cfg.n_cpus = 1;
	f->mem.size -= PAGE_SIZE;
	assert_false(guest_mp_build(&f->mem, &f->cfg));
	assert_null(search(f, 0, 0xFF000));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_table), TEST(test_hidden_features), TEST(test_beside_acpi), TEST(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
