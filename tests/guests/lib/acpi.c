/* SPDX-License-Identifier: BSD-2-Clause */
#include "acpi.h"
#include "guest.h"

#define RSDP_FIRST 0xE0000u
#define RSDP_END 0x100000u
#define EBDA_SIZE 1024u

#define RSDP_RSDT 16
#define RSDP_XSDT 24
#define FADT_PM_TIMER 76
#define FADT_FLAGS 112
#define FADT_TIMER_32 BIT(8)
#define HPET_ADDRESS 44
#define TABLE_HEADER 36
#define MADT_LAPIC_ADDRESS 36
#define MADT_ENTRIES 44

enum madt_entry { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };

struct acpi acpi;

/* A word of the BIOS' data; volatile, as compilers take constants this small for null pointers. */
static const volatile uint32_t ebda_segment = 0x40E;

static uint8_t byte_at(uint32_t address)
{
	return *(const volatile uint8_t *)(uintptr_t)address;
}

/* Tables are not always aligned. */
static uint32_t word_at(uint32_t address)
{
	return byte_at(address) | (uint32_t)byte_at(address + 1) << 8;
}

static uint32_t dword_at(uint32_t address)
{
	return word_at(address) | word_at(address + 2) << 16;
}

static bool is(uint32_t address, const char *signature)
{
	for (; *signature; signature++, address++)
		if (byte_at(address) != (uint8_t)*signature)
			return false;
	return true;
}

static uint32_t find_rsdp(uint32_t from, uint32_t end)
{
	for (; from < end; from += 16)
		if (is(from, "RSD PTR "))
			return from;
	return 0;
}

/* Of the XSDT's 64-bit entries the low half: all tables are below 4 GiB. */
static uint32_t find_table(uint32_t sdt, const char *signature)
{
	const uint32_t end = sdt + dword_at(sdt + 4), size = is(sdt, "XSDT") ? 8 : 4;

	for (uint32_t entry = sdt + TABLE_HEADER; entry < end; entry += size)
		if (is(dword_at(entry), signature))
			return dword_at(entry);
	return 0;
}

static void add_cpu(uint32_t id, uint32_t flags)
{
	if ((flags & 1) && acpi.n_cpus < ACPI_MAX_CPUS)
		acpi.apic_id[acpi.n_cpus++] = id;
}

static void read_entry(uint32_t e)
{
	switch (byte_at(e)) {
	case MADT_LAPIC:
		add_cpu(byte_at(e + 3), dword_at(e + 4));
		break;
	case MADT_X2APIC:
		add_cpu(dword_at(e + 4), dword_at(e + 8));
		break;
	case MADT_IOAPIC:
		acpi.ioapic = dword_at(e + 4);
		break;
	case MADT_OVERRIDE:
		if (byte_at(e + 3) < ISA_IRQS)
			acpi.gsi[byte_at(e + 3)] = dword_at(e + 4);
		break;
	default:
		break;
	}
}

static void read_madt(uint32_t madt)
{
	const uint32_t end = madt + dword_at(madt + 4);

	acpi.lapic = dword_at(madt + MADT_LAPIC_ADDRESS);
	for (unsigned i = 0; i < ISA_IRQS; i++)
		acpi.gsi[i] = i;
	for (uint32_t e = madt + MADT_ENTRIES; e < end && byte_at(e + 1); e += byte_at(e + 1))
		read_entry(e);
}

void acpi_init(void)
{
	const uint32_t ebda = word_at(ebda_segment) << 4;
	uint32_t rsdp = find_rsdp(RSDP_FIRST, RSDP_END), sdt, fadt, madt, hpet;

	if (!rsdp)
		rsdp = find_rsdp(ebda, ebda + EBDA_SIZE);
	if (!rsdp)
		give_up("acpi-rsdp", 0);
	sdt = dword_at(rsdp + RSDP_RSDT);
	if (!sdt)
		sdt = dword_at(rsdp + RSDP_XSDT);
	if (!sdt)
		give_up("acpi-root-table", 0);
	fadt = find_table(sdt, "FACP");
	madt = find_table(sdt, "APIC");
	hpet = find_table(sdt, "HPET");
	if (!fadt || !madt)
		give_up("acpi-tables", fadt);
	acpi.pm_timer = (uint16_t)dword_at(fadt + FADT_PM_TIMER);
	acpi.pm_timer_32 = dword_at(fadt + FADT_FLAGS) & FADT_TIMER_32;
	if (hpet)
		acpi.hpet = dword_at(hpet + HPET_ADDRESS);
	read_madt(madt);
}
