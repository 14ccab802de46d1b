/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest_acpi.h"

#include "acpi_tables.h"
#include "dsdt.h"
#include "guest_madt.h"
#include "kstring.h"

#define COM1_BASE 0x3F8
#define COM1_IRQ 4
#define HPET_MIN_TICK 100 /* ticks below which a periodic timer may lose interrupts */
#define TABLE_ALIGN 64    /* what the FACS wants */
#define OEM_ID "BLKHD "
#define OEM_TABLE_ID "BULKHEAD"

_Static_assert(GUEST_ACPI_BASE + TABLE_ALIGN * 9 + sizeof(struct acpi_rsdp) +
	       sizeof(struct acpi_rsdt) + sizeof(struct acpi_xsdt) + sizeof(struct acpi_facs) + sizeof(struct acpi_fadt) +
	       sizeof(struct guest_madt) + sizeof(struct acpi_spcr) + sizeof(struct acpi_hpet) +
	       sizeof(dsdt_aml) <= GUEST_ACPI_END, "the tables fit into their area");

/* Tables are placed one behind the other. */
struct builder {
	const struct guest_memory *mem;
	uint64_t next; /* guest-physical */
	struct acpi_xsdt xsdt;
	struct acpi_rsdt rsdt;
	unsigned n_entries;
};

static uint8_t checksum(const void *table, size_t len)
{
	const uint8_t *bytes = table;
	unsigned sum = 0;

	while (len--)
		sum += *bytes++;
	return (uint8_t)(0 - sum);
}

/* Copies a finished table; returns its guest-physical address, which is below 4 GiB. */
static uint32_t place(struct builder *b, const void *table, size_t len)
{
	const uint64_t gpa = b->next;

	memcpy(b->mem->host + gpa, table, len);
	b->next = align_up(gpa + len, TABLE_ALIGN);
	return (uint32_t)gpa;
}

/* Completes the header of a table with a checksum and copies it. */
static uint32_t place_table(struct builder *b, struct acpi_header *header, const char *signature,
			    uint8_t revision, uint32_t len)
{
	memcpy(header->signature, signature, sizeof(header->signature));
	header->length = len;
	header->revision = revision;
	header->checksum = 0;
	memcpy(header->oem_id, OEM_ID, sizeof(header->oem_id));
	memcpy(header->oem_table_id, OEM_TABLE_ID, sizeof(header->oem_table_id));
	header->oem_revision = 1;
	memcpy(header->creator_id, OEM_ID, sizeof(header->creator_id));
	header->creator_revision = 1;
	header->checksum = checksum(header, len);
	return place(b, header, len);
}

static void add_entry(struct builder *b, uint32_t gpa)
{
	b->rsdt.entry[b->n_entries] = gpa;
	b->xsdt.entry[b->n_entries++] = gpa;
}

static struct acpi_address io_register(uint16_t port, uint8_t bits, enum acpi_access access)
{
	return (struct acpi_address){
		.space = ACPI_SPACE_IO, .bit_width = bits, .access = (uint8_t)access,
		.address = port,
	};
}

/* The fixed registers, in the old fields and in the new: readers compare them. */
static void fill_registers(struct acpi_fadt *fadt)
{
	fadt->pm1a_event = GUEST_PM1A_EVENT;
	fadt->pm1_event_len = 4;
	fadt->x_pm1a_event = io_register(GUEST_PM1A_EVENT, 32, ACPI_ACCESS_WORD);
	fadt->pm1a_control = GUEST_PM1A_CONTROL;
	fadt->pm1_control_len = 2;
	fadt->x_pm1a_control = io_register(GUEST_PM1A_CONTROL, 16, ACPI_ACCESS_WORD);
	fadt->pm_timer = GUEST_PM_TIMER;
	fadt->pm_timer_len = 4;
	fadt->x_pm_timer = io_register(GUEST_PM_TIMER, 32, ACPI_ACCESS_DWORD);
	fadt->reset = io_register(GUEST_RESET_PORT, 8, ACPI_ACCESS_BYTE);
	fadt->reset_value = GUEST_RESET_VALUE;
}

static void add_fadt(struct builder *b, const struct guest_acpi_config *cfg)
{
	static const struct acpi_facs facs = {
		.signature = { 'F', 'A', 'C', 'S' }, .length = sizeof(facs), .version = 2,
	};
	struct acpi_fadt fadt = { 0 };

	/* x_firmware_ctrl stays 0: only one of the two may be set (5.2.9). */
	fadt.firmware_ctrl = place(b, &facs, sizeof(facs));
	fadt.dsdt = place(b, dsdt_aml, sizeof(dsdt_aml));
	fadt.x_dsdt = fadt.dsdt;
	fadt.sci_int = GUEST_SCI_IRQ; /* smi_cmd is 0: ACPI mode is always on */
	fadt.c2_latency = FADT_NO_C2;
	fadt.c3_latency = FADT_NO_C3;
	fadt.boot_arch = FADT_LEGACY_DEVICES | FADT_NO_VGA | FADT_NO_MSI;
	if (cfg->rtc)
		fadt.century = GUEST_RTC_CENTURY;
	else
		fadt.boot_arch |= FADT_NO_CMOS_RTC;
	fadt.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON |
		     FADT_NO_FIX_RTC | FADT_TMR_VAL_EXT | FADT_RESET_REG;
	fill_registers(&fadt);
	fadt.minor_version = 3;
	memcpy(fadt.hypervisor, "Bulkhead", sizeof(fadt.hypervisor));
	add_entry(b, place_table(b, &fadt.header, "FACP", 6, sizeof(fadt)));
}

static void add_madt(struct builder *b, const struct guest_acpi_config *cfg)
{
	struct guest_madt madt = { 0 };
	const uint32_t len = guest_madt_fill(&madt, cfg->n_cpus);

	add_entry(b, place_table(b, &madt.table.header, "APIC", 5, len));
}

static void add_spcr(struct builder *b)
{
	struct acpi_spcr spcr = {
		.interface = SPCR_16550,
		.base = io_register(COM1_BASE, 8, ACPI_ACCESS_BYTE),
		.interrupt_type = SPCR_IRQ_8259 | SPCR_IRQ_IOAPIC,
		.irq = COM1_IRQ, .gsi = COM1_IRQ,
		.baud = SPCR_115200, .stop_bits = SPCR_ONE_STOP_BIT, .terminal = SPCR_ANSI,
		.pci_device = SPCR_NO_PCI, .pci_vendor = SPCR_NO_PCI,
	};

	add_entry(b, place_table(b, &spcr.header, "SPCR", 2, sizeof(spcr)));
}

static void add_hpet(struct builder *b, uint32_t id)
{
	struct acpi_hpet hpet = {
		.id = id,
		.base = { .space = ACPI_SPACE_MEMORY, .bit_width = 64,
			  .access = ACPI_ACCESS_QWORD, .address = GUEST_HPET_BASE },
		.min_tick = HPET_MIN_TICK,
	};

	add_entry(b, place_table(b, &hpet.header, "HPET", 1, sizeof(hpet)));
}

/* The root pointer comes last in time but first in memory. */
static void write_rsdp(const struct guest_memory *mem, uint32_t rsdt, uint32_t xsdt)
{
	struct acpi_rsdp rsdp = {
		.revision = 2, .rsdt = rsdt, .length = sizeof(rsdp), .xsdt = xsdt,
	};

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
	rsdp.checksum = checksum(&rsdp, ACPI_RSDP_V1_SIZE);
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	memcpy(mem->host + GUEST_ACPI_BASE, &rsdp, sizeof(rsdp));
}

bool guest_acpi_build(const struct guest_memory *mem, const struct guest_acpi_config *cfg,
		      uint64_t *rsdp)
{
	struct builder b = { .mem = mem, .next = GUEST_ACPI_BASE + TABLE_ALIGN };
	uint32_t rsdt, xsdt;

	_Static_assert(sizeof(struct acpi_rsdp) <= TABLE_ALIGN, "room for the root pointer");
	if (cfg->n_cpus == 0 || cfg->n_cpus > GUEST_ACPI_MAX_CPUS ||
	    !guest_ram(mem, GUEST_ACPI_BASE, GUEST_ACPI_END - GUEST_ACPI_BASE))
		return false;
	add_fadt(&b, cfg);
	add_madt(&b, cfg);
	add_spcr(&b);
	if (cfg->hpet_id)
		add_hpet(&b, cfg->hpet_id);
	rsdt = place_table(&b, &b.rsdt.header, "RSDT", 1,
			   (uint32_t)(sizeof(b.rsdt.header) + b.n_entries * sizeof(uint32_t)));
	xsdt = place_table(&b, &b.xsdt.header, "XSDT", 1,
			   (uint32_t)(sizeof(b.xsdt.header) + b.n_entries * sizeof(uint64_t)));
	write_rsdp(mem, rsdt, xsdt);
	*rsdp = GUEST_ACPI_BASE;
	return true;
}
