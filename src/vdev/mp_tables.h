/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of the MP table (Intel MultiProcessor Specification 1.4, chapter 4). */
#ifndef VDEV_MP_TABLES_H
#define VDEV_MP_TABLES_H

#include "types.h"

#define MP_SPEC_1_4 4
#define MP_PARAGRAPH 16 /* lengths of the floating pointer, and its alignment */
#define MP_IMCR_PRESENT BIT(7)

struct PACKED mp_floating { /* 4.1 */
	char signature[4];
	uint32_t table;
	uint8_t length; /* in paragraphs */
	uint8_t revision, checksum;
	uint8_t default_config; /* 0: there is a table */
	uint8_t features;       /* MP_IMCR_PRESENT */
	uint8_t reserved[3];
};
_Static_assert(sizeof(struct mp_floating) == MP_PARAGRAPH, "MP 4.1");

struct PACKED mp_header { /* 4.2 */
	char signature[4];
	uint16_t length; /* of header and entries */
	uint8_t revision, checksum;
	char oem_id[8], product_id[12];
	uint32_t oem_table;
	uint16_t oem_table_size, n_entries;
	uint32_t lapic_base;
	uint16_t extended_length;
	uint8_t extended_checksum, reserved;
};
_Static_assert(sizeof(struct mp_header) == 44, "MP 4.2");

enum mp_type {
	MP_PROCESSOR = 0, MP_BUS = 1, MP_IOAPIC = 2, MP_IO_INTERRUPT = 3, MP_LOCAL_INTERRUPT = 4
};

#define MP_CPU_ENABLED BIT(0)
#define MP_CPU_BOOT BIT(1)
/* Feature flags, table 4-6. */
#define MP_FEATURE_FPU BIT(0)
#define MP_FEATURE_MCE BIT(7)
#define MP_FEATURE_CX8 BIT(8)
#define MP_FEATURE_APIC BIT(9)

struct PACKED mp_processor { /* 4.3.1 */
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
};
_Static_assert(sizeof(struct mp_processor) == 20, "MP 4.3.1");

struct PACKED mp_bus { /* 4.3.2 */
	uint8_t type, id;
	char name[6];
};
_Static_assert(sizeof(struct mp_bus) == 8, "MP 4.3.2");

#define MP_IOAPIC_ENABLED BIT(0)
struct PACKED mp_ioapic { /* 4.3.3 */
	uint8_t type, id, version, flags;
	uint32_t address;
};
_Static_assert(sizeof(struct mp_ioapic) == 8, "MP 4.3.3");

enum mp_interrupt_type { MP_INT = 0, MP_NMI = 1, MP_EXTINT = 3 };
#define MP_CONFORMS 0 /* polarity and trigger as the bus has them; ISA: edge, active high */
#define MP_ALL_APICS 0xFF

/* 4.3.4 and 4.3.5: `apic` is an I/O APIC and `input` its pin, or a local APIC and its LINT. */
struct PACKED mp_interrupt {
	uint8_t type, interrupt;
	uint16_t flags;
	uint8_t bus, irq, apic, input;
};
_Static_assert(sizeof(struct mp_interrupt) == 8, "MP 4.3.4");

#endif
