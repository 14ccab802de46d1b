/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of the tables that guests get (ACPI 6.3; SPCR and HPET have their own papers). */
#ifndef VDEV_ACPI_TABLES_H
#define VDEV_ACPI_TABLES_H

#include "types.h"

struct PACKED acpi_header { /* 5.2.6 */
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
};
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");

enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1 };
enum acpi_access { ACPI_ACCESS_BYTE = 1, ACPI_ACCESS_WORD, ACPI_ACCESS_DWORD, ACPI_ACCESS_QWORD };

struct PACKED acpi_address { /* 5.2.3.2, generic address structure */
	uint8_t space, bit_width, bit_offset, access;
	uint64_t address;
};

#define ACPI_RSDP_V1_SIZE 20
struct PACKED acpi_rsdp { /* 5.2.5.3 */
	char signature[8];
	uint8_t checksum; /* over the first ACPI_RSDP_V1_SIZE bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
};
_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 5.2.5.3");

#define ACPI_XSDT_MAX 4
struct PACKED acpi_rsdt { /* 5.2.7: what ACPI 1.0 had, and small kernels still read */
	struct acpi_header header;
	uint32_t entry[ACPI_XSDT_MAX];
};

struct PACKED acpi_xsdt { /* 5.2.8 */
	struct acpi_header header;
	uint64_t entry[ACPI_XSDT_MAX];
};

struct PACKED acpi_facs { /* 5.2.10; has no checksum */
	char signature[4];
	uint32_t length, hardware_signature, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version, reserved[3];
	uint32_t ospm_flags;
	uint8_t reserved2[24];
};
_Static_assert(sizeof(struct acpi_facs) == 64, "ACPI 5.2.10");

/* IAPC_BOOT_ARCH, 5.2.9.3. */
#define FADT_LEGACY_DEVICES BIT(0)
#define FADT_NO_VGA BIT(2)
#define FADT_NO_MSI BIT(3)
#define FADT_NO_CMOS_RTC BIT(5)

/* Flags, table 5-35. */
#define FADT_WBINVD BIT(0)
#define FADT_PROC_C1 BIT(2)
#define FADT_NO_POWER_BUTTON BIT(4) /* none in the fixed registers */
#define FADT_NO_SLEEP_BUTTON BIT(5)
#define FADT_NO_FIX_RTC BIT(6)
#define FADT_TMR_VAL_EXT BIT(8)
#define FADT_RESET_REG BIT(10)

/* Latencies in microseconds above these say that there is no C2 or C3. */
#define FADT_NO_C2 101
#define FADT_NO_C3 1001

struct PACKED acpi_fadt { /* 5.2.9 */
	struct acpi_header header;
	uint32_t firmware_ctrl, dsdt;
	uint8_t reserved, pm_profile;
	uint16_t sci_int;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	uint32_t gpe0, gpe1;
	uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len;
	uint8_t gpe0_len, gpe1_len, gpe1_base, cst_cnt;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
	uint8_t reserved2;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_firmware_ctrl, x_dsdt;
	struct acpi_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
	struct acpi_address x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
	struct acpi_address sleep_control, sleep_status;
	char hypervisor[8];
};
_Static_assert(offsetof(struct acpi_fadt, sci_int) == 46, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, pm_timer) == 76, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, boot_arch) == 109, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, flags) == 112, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, x_pm1a_event) == 148, "ACPI 5.2.9");
_Static_assert(sizeof(struct acpi_fadt) == 276, "ACPI 5.2.9");

#define MADT_PCAT_COMPAT BIT(0) /* 5.2.12, flags: there are two 8259s as well */
#define MADT_CPU_ENABLED BIT(0)
#define MADT_ALL_CPUS 0xFF
/* MPS INTI flags, table 5-46. */
#define MADT_CONFORMS 0
#define MADT_ACTIVE_HIGH 1
#define MADT_EDGE (1 << 2)

enum madt_type { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_NMI = 4 };

struct PACKED acpi_madt { /* 5.2.12 */
	struct acpi_header header;
	uint32_t lapic_base, flags;
};

struct PACKED madt_lapic { /* 5.2.12.2 */
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
};

struct PACKED madt_ioapic { /* 5.2.12.3 */
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
};

struct PACKED madt_override { /* 5.2.12.5 */
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;
};

struct PACKED madt_lapic_nmi { /* 5.2.12.7 */
	uint8_t type, length, uid;
	uint16_t flags;
	uint8_t lint;
};

/* Serial Port Console Redirection table, revision 2. */
#define SPCR_16550 0
#define SPCR_IRQ_8259 BIT(0)
#define SPCR_IRQ_IOAPIC BIT(1)
#define SPCR_115200 7
#define SPCR_ONE_STOP_BIT 1
#define SPCR_ANSI 3
#define SPCR_NO_PCI 0xFFFF

struct PACKED acpi_spcr {
	struct acpi_header header;
	uint8_t interface, reserved[3];
	struct acpi_address base;
	uint8_t interrupt_type, irq;
	uint32_t gsi;
	uint8_t baud, parity, stop_bits, flow_control, terminal, language;
	uint16_t pci_device, pci_vendor;
	uint8_t pci_bus, pci_slot, pci_function;
	uint32_t pci_flags;
	uint8_t pci_segment;
	uint32_t reserved2;
};
_Static_assert(sizeof(struct acpi_spcr) == 80, "SPCR");

/* IA-PC HPET specification 1.0a, 3.2.4. */
struct PACKED acpi_hpet {
	struct acpi_header header;
	uint32_t id;
	struct acpi_address base;
	uint8_t number;
	uint16_t min_tick;
	uint8_t page_protection;
};
_Static_assert(sizeof(struct acpi_hpet) == 56, "HPET 3.2.4");

#endif
