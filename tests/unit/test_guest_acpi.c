/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's ACPI tables, read back as a guest would: from the root pointer,
 * checking every length and checksum.  Where iasl is installed it reads them
 * as well and must not find fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest_acpi.h"
#include "vdev/acpi_tables.h"

#define HPET_ID 0x8086A201U

struct fixture {
	struct guest_memory mem;
	struct guest_acpi_config cfg;
	uint64_t rsdp;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->mem.size = MIB(1);
	f->mem.host = calloc(1, f->mem.size);
	f->cfg = (struct guest_acpi_config){ .n_cpus = 2, .rtc = true, .hpet_id = HPET_ID };
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

static uint8_t sum(const void *table, size_t len)
{
	const uint8_t *bytes = table;
	unsigned total = 0;

	for (size_t i = 0; i < len; i++)
		total += bytes[i];
	return (uint8_t)total;
}

/* `len` bytes at `gpa`, which must lie in the tables' area. */
static const void *table_bytes(const struct fixture *f, uint64_t gpa, uint64_t len)
{
	assert_true(gpa >= GUEST_ACPI_BASE && gpa + len <= GUEST_ACPI_END);
	return f->mem.host + gpa;
}

static const struct acpi_header *checked(const struct fixture *f, uint64_t gpa)
{
	const struct acpi_header *h = table_bytes(f, gpa, sizeof(*h));

	assert_int_equal(sum(table_bytes(f, gpa, h->length), h->length), 0);
	return h;
}

static const struct acpi_xsdt *build(struct fixture *f)
{
	const struct acpi_rsdp *rsdp;
	const struct acpi_header *xsdt;

	assert_true(guest_acpi_build(&f->mem, &f->cfg, &f->rsdp));
	assert_int_equal(f->rsdp % 16, 0);
	rsdp = table_bytes(f, f->rsdp, sizeof(*rsdp));
	assert_memory_equal(rsdp->signature, "RSD PTR ", 8);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, rsdp->length), 0);
	assert_int_equal(rsdp->revision, 2);
	xsdt = checked(f, rsdp->xsdt);
	assert_memory_equal(xsdt->signature, "XSDT", 4);
	return (const struct acpi_xsdt *)xsdt;
}

/* The table of that name, or NULL. */
static const void *find(struct fixture *f, const char *signature)
{
	const struct acpi_xsdt *xsdt = build(f);
	const size_t n = (xsdt->header.length - sizeof(xsdt->header)) / 8;

	for (size_t i = 0; i < n; i++) {
		const struct acpi_header *h = checked(f, xsdt->entry[i]);

		if (!memcmp(h->signature, signature, 4))
			return h;
	}
	return NULL;
}

/* For readers of ACPI 1.0: the same tables in the same order. */
static void test_rsdt(void **state)
{
	struct fixture *f = *state;
	const struct acpi_xsdt *xsdt = build(f);
	const struct acpi_rsdp *rsdp = table_bytes(f, f->rsdp, sizeof(*rsdp));
	const struct acpi_rsdt *rsdt = (const void *)checked(f, rsdp->rsdt);
	const size_t n = (xsdt->header.length - sizeof(xsdt->header)) / 8;

	assert_memory_equal(rsdt->header.signature, "RSDT", 4);
	assert_int_equal((rsdt->header.length - sizeof(rsdt->header)) / 4, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rsdt->entry[i], xsdt->entry[i]);
}

static void expect_io(const struct acpi_address *a, unsigned port, unsigned bits)
{
	assert_int_equal(a->space, ACPI_SPACE_IO);
	assert_int_equal(a->bit_width, bits);
	assert_int_equal(a->bit_offset, 0);
	assert_int_equal(a->address, port);
}

static void test_fadt_registers(void **state)
{
	const struct acpi_fadt *fadt = find(*state, "FACP");

	assert_int_equal(fadt->header.length, 276);
	assert_int_equal(fadt->header.revision, 6);
	assert_int_equal(fadt->pm1a_event, 0x600);
	assert_int_equal(fadt->pm1_event_len, 4);
	assert_int_equal(fadt->pm1a_control, 0x604);
	assert_int_equal(fadt->pm1_control_len, 2);
	assert_int_equal(fadt->pm_timer, 0x608);
	assert_int_equal(fadt->pm_timer_len, 4);
	expect_io(&fadt->x_pm1a_event, 0x600, 32);
	expect_io(&fadt->x_pm1a_control, 0x604, 16);
	expect_io(&fadt->x_pm_timer, 0x608, 32);
	expect_io(&fadt->reset, 0xCF9, 8);
	assert_int_equal(fadt->reset_value, 6);
	assert_int_equal(fadt->smi_cmd, 0);
	assert_int_equal(fadt->sci_int, 9);
	assert_int_equal(fadt->pm1b_event | fadt->pm2_control | fadt->gpe0 | fadt->gpe1, 0);
}

static void test_fadt_flags(void **state)
{
	struct fixture *f = *state;
	const struct acpi_fadt *fadt = find(f, "FACP");

	/* WBINVD, PROC_C1, no buttons, no fixed RTC wake, 32-bit timer, reset register */
	assert_int_equal(fadt->flags, 1 | 4 | 0x10 | 0x20 | 0x40 | 0x100 | 0x400);
	assert_int_equal(fadt->boot_arch, 1 | 4 | 8);
	assert_int_equal(fadt->century, 0x32);
	assert_true(fadt->c2_latency > 100 && fadt->c3_latency > 1000);
	f->cfg.rtc = false;
	fadt = find(f, "FACP");
	assert_int_equal(fadt->boot_arch, 1 | 4 | 8 | 0x20);
	assert_int_equal(fadt->century, 0);
}

static void test_facs_and_dsdt(void **state)
{
	struct fixture *f = *state;
	const struct acpi_fadt *fadt = find(f, "FACP");
	const struct acpi_facs *facs = table_bytes(f, fadt->firmware_ctrl, sizeof(*facs));

	assert_int_equal(fadt->firmware_ctrl % 64, 0);
	assert_memory_equal(facs->signature, "FACS", 4);
	assert_int_equal(facs->length, 64);
	assert_int_equal(fadt->x_firmware_ctrl, 0);
	assert_int_equal(fadt->dsdt, fadt->x_dsdt);
	assert_memory_equal(checked(f, fadt->dsdt)->signature, "DSDT", 4);
}

/* ---- what the DSDT's devices claim ------------------------------------------- */

struct claims {
	struct {
		unsigned first, last;
	} io[16];
	unsigned n_io, irqs, n_memory, templates;
};

static void claim_io(struct claims *c, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < c->n_io; i++)
		assert_true(first > c->io[i].last || first + count - 1 < c->io[i].first);
	assert_true(c->n_io < 16 && count);
	c->io[c->n_io].first = first;
	c->io[c->n_io++].last = first + count - 1;
}

/* A resource template (ACPI 6.4) up to its end tag. */
static void read_template(const uint8_t *at, struct claims *c)
{
	for (c->templates++; at[0] != 0x79;) {
		switch (at[0]) {
		case 0x22: /* IRQ, two bytes of mask */
			assert_int_equal(c->irqs & (at[1] | (unsigned)at[2] << 8), 0);
			c->irqs |= at[1] | (unsigned)at[2] << 8;
			at += 3;
			break;
		case 0x47: /* I/O port range, 16-bit decode, fixed */
			assert_int_equal(at[1], 1);
			assert_memory_equal(at + 2, at + 4, 2);
			claim_io(c, at[2] | (unsigned)at[3] << 8, at[7]);
			at += 8;
			break;
		case 0x86: /* 32-bit fixed memory range, writable */
			assert_memory_equal(at, "\x86\x09\x00\x01\x00\x00\xD0\xFE\x00\x04\x00\x00", 12);
			c->n_memory++;
			at += 12;
			break;
		default:
			fail_msg("unexpected resource 0x%02x", at[0]);
		}
	}
}

/*
 * Finds each _CRS by its name: a Name of a Buffer, whose length fits into one
 * byte and whose size is a byte constant (AML 20.2).
 */
static void test_dsdt_resources(void **state)
{
	struct fixture *f = *state;
	const struct acpi_fadt *fadt = find(f, "FACP");
	const struct acpi_header *dsdt = checked(f, fadt->dsdt);
	const uint8_t *aml = (const uint8_t *)dsdt;
	struct claims c = { 0 };

	for (uint32_t i = sizeof(*dsdt); i + 8 < dsdt->length; i++)
		if (!memcmp(aml + i, "_CRS\x11", 5)) {
			assert_true(aml[i + 5] < 0x40);
			assert_int_equal(aml[i + 6], 0x0A);
			read_template(aml + i + 8, &c);
		}
	assert_int_equal(c.templates, 6);
	assert_int_equal(c.irqs, 1 << 0 | 1 << 2 | 1 << 4 | 1 << 8);
	assert_int_equal(c.n_memory, 1);
	assert_int_equal(c.n_io, 7);
	claim_io(&c, GUEST_PM1A_EVENT, 12); /* the fixed registers are nobody else's */
	claim_io(&c, GUEST_RESET_PORT, 1);
}

struct madt_seen {
	unsigned cpus, ioapics, overrides, nmis;
};

static void see_override(const struct madt_override *o)
{
	assert_int_equal(o->bus, 0);
	if (o->irq == 0) {
		assert_int_equal(o->gsi, 2);
		assert_int_equal(o->flags, 0);
	} else {
		assert_int_equal(o->irq, 9);
		assert_int_equal(o->gsi, 9);
		assert_int_equal(o->flags, 5); /* active high, edge */
	}
}

static void see_entry(const struct fixture *f, const uint8_t *entry, struct madt_seen *seen)
{
	const struct madt_lapic *lapic = (const void *)entry;
	const struct madt_ioapic *ioapic = (const void *)entry;
	const struct madt_lapic_nmi *nmi = (const void *)entry;

	switch (entry[0]) {
	case MADT_LAPIC:
		assert_int_equal(entry[1], 8);
		assert_int_equal(lapic->apic_id, seen->cpus);
		assert_int_equal(lapic->uid, seen->cpus++);
		assert_int_equal(lapic->flags, 1);
		break;
	case MADT_IOAPIC:
		assert_int_equal(entry[1], 12);
		assert_int_equal(ioapic->id, f->cfg.n_cpus);
		assert_int_equal(ioapic->address, 0xFEC00000);
		assert_int_equal(ioapic->gsi_base, 0);
		seen->ioapics++;
		break;
	case MADT_OVERRIDE:
		assert_int_equal(entry[1], 10);
		see_override((const void *)entry);
		seen->overrides++;
		break;
	case MADT_LAPIC_NMI:
		assert_int_equal(entry[1], 6);
		assert_int_equal(nmi->uid, 0xFF);
		assert_int_equal(nmi->lint, 1);
		seen->nmis++;
		break;
	default:
		fail_msg("unexpected MADT entry %u", entry[0]);
	}
}

static void test_madt(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 1; n <= GUEST_ACPI_MAX_CPUS; n++) {
		const struct acpi_madt *madt;
		struct madt_seen seen = { 0 };
		uint32_t at;

		f->cfg.n_cpus = n;
		madt = find(f, "APIC");
		assert_int_equal(madt->lapic_base, 0xFEE00000);
		assert_int_equal(madt->flags, 1);
		for (at = sizeof(*madt); at < madt->header.length;) {
			const uint8_t *entry = (const uint8_t *)madt + at;

			see_entry(f, entry, &seen);
			at += entry[1];
		}
		assert_int_equal(at, madt->header.length);
		assert_int_equal(seen.cpus, n);
		assert_int_equal(seen.ioapics, 1);
		assert_int_equal(seen.overrides, 2);
		assert_int_equal(seen.nmis, 1);
	}
}

static void test_spcr(void **state)
{
	const struct acpi_spcr *spcr = find(*state, "SPCR");

	assert_int_equal(spcr->header.revision, 2);
	assert_int_equal(spcr->interface, 0);
	expect_io(&spcr->base, 0x3F8, 8);
	assert_int_equal(spcr->irq, 4);
	assert_int_equal(spcr->gsi, 4);
	assert_int_equal(spcr->pci_vendor, 0xFFFF);
}

static void test_hpet(void **state)
{
	struct fixture *f = *state;
	const struct acpi_hpet *hpet = find(f, "HPET");

	assert_int_equal(hpet->id, HPET_ID);
	assert_int_equal(hpet->base.space, ACPI_SPACE_MEMORY);
	assert_int_equal(hpet->base.address, 0xFED00000);
	f->cfg.hpet_id = 0;
	assert_null(find(f, "HPET"));
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;

	f->cfg.n_cpus = 0;
	assert_false(guest_acpi_build(&f->mem, &f->cfg, &f->rsdp));
	f->cfg.n_cpus = GUEST_ACPI_MAX_CPUS + 1;
	assert_false(guest_acpi_build(&f->mem, &f->cfg, &f->rsdp));
	f->cfg.n_cpus = 1;
	f->mem.size = 0xF0000 - PAGE_SIZE;
	assert_false(guest_acpi_build(&f->mem, &f->cfg, &f->rsdp));
	assert_int_equal(f->mem.host[GUEST_ACPI_BASE], 0);
}

static void dump(const char *dir, const char *name, const void *table, size_t len)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%.4s.dat", dir, name);
	out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(table, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static void dump_all(struct fixture *f, const char *dir)
{
	const struct acpi_xsdt *xsdt = build(f);
	const struct acpi_fadt *fadt = find(f, "FACP");
	const size_t n = (xsdt->header.length - sizeof(xsdt->header)) / 8;

	dump(dir, "XSDT", xsdt, xsdt->header.length);
	dump(dir, "FACS", table_bytes(f, fadt->firmware_ctrl, 64), 64);
	dump(dir, "DSDT", checked(f, fadt->dsdt), checked(f, fadt->dsdt)->length);
	for (size_t i = 0; i < n; i++) {
		const struct acpi_header *h = checked(f, xsdt->entry[i]);

		dump(dir, h->signature, h, h->length);
	}
}

/* The second reader.  KEEP_ACPI_TABLES=1 leaves what it wrote for a look. */
static void test_iasl(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/guest_acpi.XXXXXX", cmd[512];

	if (system("command -v iasl >/dev/null") != 0) {
		print_message("iasl is not installed: skipped\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	dump_all(f, dir);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && for t in *.dat; do iasl -d $t || exit 1; done > log 2>&1 && "
		 "test $(ls *.dsl | wc -l) = 7 && "
		 "! grep -iE 'warning|error|invalid|unknown|truncat|incorrect' log *.dsl", dir);
	if (system(cmd) != 0)
		fail_msg("iasl complains: see %s", dir);
	if (getenv("KEEP_ACPI_TABLES"))
		return;
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rsdt),
		TEST(test_fadt_registers), TEST(test_fadt_flags), TEST(test_facs_and_dsdt),
		TEST(test_dsdt_resources),
		TEST(test_madt), TEST(test_spcr), TEST(test_hpet), TEST(test_refusals),
		TEST(test_iasl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
