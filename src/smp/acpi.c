/* SPDX-License-Identifier: BSD-2-Clause */
/* Just enough ACPI: which CPUs and I/O APIC there are, the PM timer, \_S5. */
#include "smp.h"

#include "acpi_spcr.h"
#include "io.h"
#include "kstring.h"
#include "log.h"
#include "x86.h"

#define BIOS_AREA 0xE0000ULL
#define BIOS_AREA_END 0x100000ULL
#define EBDA_POINTER 0x40EULL
#define EBDA_SEARCH 1024ULL
#define RSDP_V1_SIZE 20

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum2, reserved[3];
} PACKED;

struct sdt {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} PACKED;

struct madt {
	struct sdt header;
	uint32_t local_apic, flags;
} PACKED;

/* ACPI 5.2.12: types of MADT entries. */
enum madt_type {
	MADT_LOCAL_APIC = 0, MADT_IO_APIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9
};

#define MADT_ENABLED BIT(0)

struct madt_entry {
	uint8_t type, length;
} PACKED;

struct madt_local_apic {
	struct madt_entry e;
	uint8_t processor, apic_id;
	uint32_t flags;
} PACKED;

struct madt_io_apic {
	struct madt_entry e;
	uint8_t id, reserved;
	uint32_t address, gsi_base;
} PACKED;

struct madt_override {
	struct madt_entry e;
	uint8_t bus, irq;
	uint32_t gsi;
	uint16_t flags;
} PACKED;

struct madt_x2apic {
	struct madt_entry e;
	uint16_t reserved;
	uint32_t apic_id, flags, processor;
} PACKED;

/* ACPI 5.2.9, up to what is used here. */
struct fadt {
	struct sdt header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	uint32_t gpe0, gpe1;
	uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len;
	uint8_t skip[16];
	uint8_t century;
	uint16_t boot_arch;
	uint8_t reserved1;
	uint32_t flags;
} PACKED;

_Static_assert(offsetof(struct fadt, flags) == 112, "FADT flags lie at byte 112");

/* IA-PC HPET 3.2.4, up to what is used here. */
struct hpet_table {
	struct sdt header;
	uint32_t id;
	uint8_t space, width, offset, reserved;
	uint64_t address;
} PACKED;

#define HPET_IN_MEMORY 0

#define FADT_TMR_32BIT BIT(8)
#define PM1_SLP_TYPE_SHIFT 10
#define PM1_SLP_TYPE_MASK 7
#define PM1_SLP_EN BIT(13)
#define PM1_SCI_EN BIT(0)

struct acpi_info acpi;

static const void *at(uint64_t address)
{
	return (const void *)(uintptr_t)address;
}

static bool sums_to_zero(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + b[i]);
	return sum == 0;
}

static bool is_rsdp(const void *p)
{
	return memcmp(p, "RSD PTR ", 8) == 0 && sums_to_zero(p, RSDP_V1_SIZE);
}

static const struct rsdp *search(uint64_t from, uint64_t to)
{
	for (uint64_t p = align_up(from, 16); p + RSDP_V1_SIZE <= to; p += 16)
		if (is_rsdp(at(p)))
			return at(p);
	return NULL;
}

static const struct rsdp *find_rsdp(uint64_t given)
{
	const uint16_t *ebda_pointer = at(EBDA_POINTER);
	uint64_t ebda;
	const struct rsdp *r;

	if (given && is_rsdp(at(given)))
		return at(given);
	/* Hides the constant: gcc takes small addresses for NULL with an offset. */
	__asm__("" : "+r"(ebda_pointer));
	ebda = (uint64_t)*ebda_pointer << 4;
	r = ebda ? search(ebda, ebda + EBDA_SEARCH) : NULL;
	return r ? r : search(BIOS_AREA, BIOS_AREA_END);
}

static void add_cpu(uint32_t apic_id, uint32_t flags)
{
	if (!(flags & MADT_ENABLED))
		return;
	/* Slot 0 is the boot CPU's.  Some firmware lists a CPU by both kinds of entry. */
	for (unsigned i = 0; i < acpi.n_cpus; i++)
		if (acpi.apic_ids[i] == apic_id)
			return;
	if (acpi.n_cpus == SMP_MAX_CPUS) {
		acpi.n_cpus_ignored++;
		return;
	}
	acpi.apic_ids[acpi.n_cpus++] = apic_id;
}

static void madt_entry(const struct madt_entry *e)
{
	const struct madt_local_apic *lapic = at((uintptr_t)e);
	const struct madt_x2apic *x2 = at((uintptr_t)e);
	const struct madt_io_apic *io = at((uintptr_t)e);
	const struct madt_override *o = at((uintptr_t)e);

	switch (e->type) {
	case MADT_LOCAL_APIC:
		if (e->length >= sizeof(*lapic))
			add_cpu(lapic->apic_id, lapic->flags);
		break;
	case MADT_X2APIC:
		if (e->length >= sizeof(*x2))
			add_cpu(x2->apic_id, x2->flags);
		break;
	case MADT_IO_APIC:
		if (e->length >= sizeof(*io) && io->gsi_base == 0) {
			acpi.ioapic_base = io->address;
			acpi.ioapic_id = io->id;
		}
		break;
	case MADT_OVERRIDE:
		if (e->length >= sizeof(*o) && acpi.n_overrides < ACPI_MAX_OVERRIDES) {
			acpi.overrides[acpi.n_overrides].irq = o->irq;
			acpi.overrides[acpi.n_overrides].flags = o->flags;
			acpi.overrides[acpi.n_overrides++].gsi = o->gsi;
		}
		break;
	default:
		break;
	}
}

/* Our own APIC ID before the local APIC is set up (SDM vol. 2, CPUID leaves 1 and 0Bh). */
static uint32_t boot_apic_id(void)
{
	if (cpuid(0, 0).eax >= 0xB && (cpuid(0xB, 0).ebx & 0xFFFF))
		return cpuid(0xB, 0).edx;
	return cpuid(1, 0).ebx >> 24;
}

static void parse_madt(const struct madt *madt)
{
	acpi.n_cpus = 1;
	acpi.apic_ids[0] = boot_apic_id();
	for (uint32_t off = sizeof(*madt);
	     off + sizeof(struct madt_entry) <= madt->header.length;) {
		const struct madt_entry *e = at((uintptr_t)madt + off);

		if (e->length < sizeof(*e) || off + e->length > madt->header.length)
			break;
		madt_entry(e);
		off += e->length;
	}
}

#define AML_BYTE_PREFIX 0x0A
#define AML_PACKAGE 0x12

struct aml {
	const uint8_t *p, *end;
};

/* The next byte; 0 behind the end. */
static uint8_t aml_next(struct aml *a)
{
	return a->p < a->end ? *a->p++ : 0;
}

/* One byte-sized integer: ZeroOp, OneOp or BytePrefix (ACPI 20.2.3). */
static uint8_t aml_byte(struct aml *a)
{
	const uint8_t v = aml_next(a);

	return v == AML_BYTE_PREFIX ? aml_next(a) : v;
}

/* \_S5 is a package of sleep types: Name(_S5_, Package(n) { a, b, ... }). */
static void parse_s5(const struct sdt *dsdt)
{
	const uint8_t *const end = (const uint8_t *)dsdt + dsdt->length;
	struct aml a = { .end = end };

	for (const uint8_t *p = (const uint8_t *)(dsdt + 1); p + 5 < end; p++) {
		if (memcmp(p, "_S5_", 4) != 0 || p[4] != AML_PACKAGE)
			continue;
		a.p = p + 5;
		/* PkgLength says in its first byte how many follow (20.2.4). */
		for (unsigned more = aml_next(&a) >> 6; more > 0; more--)
			aml_next(&a);
		aml_next(&a); /* the number of elements */
		acpi.s5_type_a = aml_byte(&a) & PM1_SLP_TYPE_MASK;
		acpi.s5_type_b = aml_byte(&a) & PM1_SLP_TYPE_MASK;
		acpi.has_s5 = true;
		return;
	}
}

static void parse_fadt(const struct fadt *fadt)
{
	if (fadt->pm_timer_len == 4)
		acpi.pm_timer = (uint16_t)fadt->pm_timer;
	acpi.pm_timer_32bit = fadt->flags & FADT_TMR_32BIT;
	acpi.pm1a_control = (uint16_t)fadt->pm1a_control;
	acpi.pm1b_control = (uint16_t)fadt->pm1b_control;
	if (fadt->dsdt)
		parse_s5(at(fadt->dsdt));
}

static void parse_hpet(const struct hpet_table *hpet)
{
	if (hpet->space == HPET_IN_MEMORY && hpet->address < GIB(4))
		acpi.hpet_base = hpet->address;
}

static void parse_table(const struct sdt *t)
{
	if (t->length < sizeof(*t) || !sums_to_zero(t, t->length)) {
		log_warn("ACPI table %.4s has a wrong checksum and is ignored", t->signature);
		return;
	}
	if (memcmp(t->signature, "APIC", 4) == 0 && t->length >= sizeof(struct madt))
		parse_madt(at((uintptr_t)t));
	else if (memcmp(t->signature, "FACP", 4) == 0 && t->length >= sizeof(struct fadt))
		parse_fadt(at((uintptr_t)t));
	else if (memcmp(t->signature, "HPET", 4) == 0 && t->length >= sizeof(struct hpet_table))
		parse_hpet(at((uintptr_t)t));
	else if (memcmp(t->signature, "SPCR", 4) == 0)
		acpi_parse_spcr(t, t->length);
}

static void parse_root(const struct sdt *root, unsigned entry_size)
{
	const uint8_t *p = (const uint8_t *)(root + 1);
	const uint8_t *end = (const uint8_t *)root + root->length;

	for (; p + entry_size <= end; p += entry_size) {
		uint64_t address = 0;

		memcpy(&address, p, entry_size);
		/* Nothing above 4 GiB is mapped yet, and no firmware puts tables there. */
		if (address && address < GIB(4))
			parse_table(at(address));
	}
}

const char *acpi_init(uint64_t given)
{
	const struct rsdp *rsdp = find_rsdp(given);

	if (!rsdp)
		return "no ACPI tables (RSDP) found; Bulkhead needs the MADT to find CPUs";
	if (rsdp->revision >= 2 && rsdp->xsdt && rsdp->xsdt < GIB(4))
		parse_root(at(rsdp->xsdt), 8);
	else if (rsdp->rsdt)
		parse_root(at(rsdp->rsdt), 4);
	if (acpi.n_cpus == 0)
		return "ACPI has no MADT; Bulkhead needs it to find CPUs";
	if (acpi.n_cpus_ignored)
		log_warn("%u CPUs are more than Bulkhead manages (%u) and stay off",
			 acpi.n_cpus_ignored, SMP_MAX_CPUS);
	return NULL;
}

uint32_t acpi_isa_gsi(uint8_t irq, uint16_t *flags)
{
	for (unsigned i = 0; i < acpi.n_overrides; i++) {
		if (acpi.overrides[i].irq == irq) {
			*flags = acpi.overrides[i].flags;
			return acpi.overrides[i].gsi;
		}
	}
	*flags = 0;
	return irq;
}

void acpi_power_off(void)
{
	if (!acpi.has_s5 || !acpi.pm1a_control)
		return;
	io_out16(acpi.pm1a_control, (uint16_t)((uint64_t)acpi.s5_type_a << PM1_SLP_TYPE_SHIFT |
					       PM1_SLP_EN | PM1_SCI_EN));
	if (acpi.pm1b_control)
		io_out16(acpi.pm1b_control,
			 (uint16_t)((uint64_t)acpi.s5_type_b << PM1_SLP_TYPE_SHIFT | PM1_SLP_EN |
				    PM1_SCI_EN));
	delay_us(100000);
}
