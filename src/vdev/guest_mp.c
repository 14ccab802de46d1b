/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest_mp.h"

#include "guest_acpi.h"
#include "kstring.h"
#include "mp_tables.h"

#define ISA_BUS 0
#define ISA_IRQS 16
#define ISA_CASCADE 2 /* the slave 8259's; no device's */
#define LAPIC_VERSION 0x14  /* integrated, as its version register says */
#define IOAPIC_VERSION 0x20 /* as its version register says */
#define FEATURES (MP_FEATURE_FPU | MP_FEATURE_MCE | MP_FEATURE_CX8 | MP_FEATURE_APIC)

/* One entry for each ISA IRQ that a device may have, and the ExtINT. */
#define IO_INTERRUPTS ISA_IRQS
#define LOCAL_INTERRUPTS 2

/* At its largest; there are as many processors as there are, and the rest follows at once. */
struct PACKED mp_area {
	struct mp_floating floating;
	struct mp_header header;
	struct mp_processor cpu[GUEST_ACPI_MAX_CPUS];
	struct mp_bus bus;
	struct mp_ioapic ioapic;
	struct mp_interrupt interrupt[IO_INTERRUPTS + LOCAL_INTERRUPTS];
};
_Static_assert(GUEST_MP_BASE + sizeof(struct mp_area) <= GUEST_MP_END, "the table fits");
_Static_assert(GUEST_ACPI_END <= GUEST_MP_BASE, "the ACPI tables end before it");

struct builder {
	uint8_t *at; /* where the next entry goes */
	uint16_t n_entries;
};

/* 4.1, 4.2: all bytes, the checksum among them, add up to 0. */
static uint8_t checksum(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	unsigned sum = 0;

	while (len--)
		sum += *b++;
	return (uint8_t)(0 - sum);
}

static void add(struct builder *b, const void *entry, size_t size)
{
	memcpy(b->at, entry, size);
	b->at += size;
	b->n_entries++;
}

static void add_processors(struct builder *b, const struct guest_mp_config *cfg)
{
	for (unsigned i = 0; i < cfg->n_cpus; i++) {
		const struct mp_processor cpu = {
			.type = MP_PROCESSOR, .apic_id = (uint8_t)i, .apic_version = LAPIC_VERSION,
			.flags = (uint8_t)(MP_CPU_ENABLED | (i == 0 ? MP_CPU_BOOT : 0)),
			.signature = cfg->signature,
			.features = cfg->features & (uint32_t)FEATURES,
		};

		add(b, &cpu, sizeof(cpu));
	}
}

static void add_interrupt(struct builder *b, enum mp_type type, enum mp_interrupt_type interrupt,
			  unsigned irq, unsigned apic, unsigned input)
{
	const struct mp_interrupt entry = {
		.type = (uint8_t)type, .interrupt = (uint8_t)interrupt, .flags = MP_CONFORMS,
		.bus = ISA_BUS, .irq = (uint8_t)irq, .apic = (uint8_t)apic, .input = (uint8_t)input,
	};

	add(b, &entry, sizeof(entry));
}

static void add_interrupts(struct builder *b, unsigned ioapic)
{
	/* The 8259s' output; the PIT is not on this pin but on 2. */
	add_interrupt(b, MP_IO_INTERRUPT, MP_EXTINT, 0, ioapic, 0);
	for (unsigned irq = 0; irq < ISA_IRQS; irq++)
		if (irq != ISA_CASCADE)
			add_interrupt(b, MP_IO_INTERRUPT, MP_INT, irq, ioapic,
				      irq == 0 ? GUEST_PIT_GSI : irq);
	/* The 8259s are wired to the boot CPU alone. */
	add_interrupt(b, MP_LOCAL_INTERRUPT, MP_EXTINT, 0, 0, 0);
	add_interrupt(b, MP_LOCAL_INTERRUPT, MP_NMI, 0, MP_ALL_APICS, 1);
}

static void write_header(struct mp_header *header, const struct builder *b)
{
	const uint8_t *start = (const uint8_t *)header;

	*header = (struct mp_header){
		.signature = { 'P', 'C', 'M', 'P' }, .length = (uint16_t)(b->at - start),
		.revision = MP_SPEC_1_4, .n_entries = b->n_entries,
		.lapic_base = (uint32_t)GUEST_LAPIC_BASE,
	};
	/* Padded with blanks, without a final NUL. */
	memcpy(header->oem_id, "BLKHD   ", sizeof(header->oem_id));
	memcpy(header->product_id, "BULKHEAD    ", sizeof(header->product_id));
	header->checksum = checksum(header, header->length);
}

/*
 * No IMCR: the 8259s reach the boot CPU through its LINT0 from the start
 * (virtual wire mode, 3.6.2.2), and nothing has to be switched over.
 */
static void write_floating(struct mp_floating *floating)
{
	*floating = (struct mp_floating){
		.signature = { '_', 'M', 'P', '_' },
		.table = (uint32_t)(GUEST_MP_BASE + sizeof(*floating)),
		.length = sizeof(*floating) / MP_PARAGRAPH, .revision = MP_SPEC_1_4,
	};
	floating->checksum = checksum(floating, sizeof(*floating));
}

bool guest_mp_build(const struct guest_memory *mem, const struct guest_mp_config *cfg)
{
	static const struct mp_bus isa = { MP_BUS, ISA_BUS, { 'I', 'S', 'A', ' ', ' ', ' ' } };
	const struct mp_ioapic ioapic = {
		.type = MP_IOAPIC, .id = guest_ioapic_id(cfg->n_cpus), .version = IOAPIC_VERSION,
		.flags = MP_IOAPIC_ENABLED, .address = (uint32_t)GUEST_IOAPIC_BASE,
	};
	uint8_t *area = guest_ram(mem, GUEST_MP_BASE, GUEST_MP_END - GUEST_MP_BASE);
	struct builder b = { 0 };

	if (!area || cfg->n_cpus == 0 || cfg->n_cpus > GUEST_ACPI_MAX_CPUS)
		return false;
	b.at = area + offsetof(struct mp_area, cpu);
	add_processors(&b, cfg);
	add(&b, &isa, sizeof(isa));
	add(&b, &ioapic, sizeof(ioapic));
	add_interrupts(&b, ioapic.id);
	write_header((struct mp_header *)(area + offsetof(struct mp_area, header)), &b);
	write_floating((struct mp_floating *)area);
	return true;
}
