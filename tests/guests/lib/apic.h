/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC in its two forms, and the I/O APIC (SDM vol. 3, 11; 82093AA). */
#ifndef GUEST_APIC_H
#define GUEST_APIC_H

#include "x86.h"

/* Registers by their offset in the xAPIC page. */
enum apic_register {
	APIC_ID = 0x20, APIC_VERSION = 0x30, APIC_TPR = 0x80, APIC_PPR = 0xA0, APIC_EOI = 0xB0,
	APIC_LDR = 0xD0, APIC_DFR = 0xE0, APIC_SVR = 0xF0, APIC_ISR = 0x100, APIC_TMR = 0x180,
	APIC_IRR = 0x200, APIC_ESR = 0x280, APIC_ICR_LOW = 0x300, APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320, APIC_LVT_PERF = 0x340, APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360, APIC_LVT_ERROR = 0x370, APIC_INITIAL = 0x380,
	APIC_CURRENT = 0x390, APIC_DIVIDE = 0x3E0, APIC_SELF_IPI = 0x3F0
};

#define APIC_BASE_BSP BIT(8)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define SVR_ENABLE BIT(8)
#define SPURIOUS_VECTOR 0xFFu
#define LVT_MASKED BIT(16)
#define LVT_PERIODIC BIT(17)
#define LVT_TSC_DEADLINE BIT(18)
#define LVT_EXTINT 0x700u
#define DIVIDE_BY_1 0xBu
#define DIVIDE_BY_16 0x3u
#define DFR_FLAT 0xFFFFFFFFu
#define DFR_CLUSTER 0x0FFFFFFFu

#define ICR_FIXED 0x000u
#define ICR_LOWEST 0x100u
#define ICR_NMI 0x400u
#define ICR_INIT 0x500u
#define ICR_STARTUP 0x600u
#define ICR_LOGICAL BIT(11)
#define ICR_PENDING BIT(12)
#define ICR_ASSERT BIT(14)
#define ICR_LEVEL BIT(15)
#define ICR_SELF (1u << 18)
#define ICR_ALL (2u << 18)
#define ICR_OTHERS (3u << 18)

bool apic_has_x2apic(void);
bool apic_in_x2apic(void);
/* Every CPU's APIC is then used in that form; own CPU. */
void apic_enter_x2apic(void);
/* Back through the disabled state, the only way that there is; false: that has no way out. */
bool apic_enter_xapic(void);
/* Enabled by software, all of TPR 0, spurious vector 0xFF. */
void apic_enable(void);
/* What firmware does: the 8259s' output comes in at LINT0. */
void apic_virtual_wire(void);
void apic_mask_lint0(void);

uint32_t apic_read(unsigned reg);
void apic_write(unsigned reg, uint32_t value);
uint32_t apic_id(void);
void apic_eoi(void);
/* The bit of a vector in ISR, TMR or IRR. */
bool apic_vector_bit(unsigned reg, unsigned vector);
/* Waits until the one before is on its way, then sends. */
void apic_ipi(uint32_t destination, uint32_t command);

#define RTE_EXTINT 0x700u
#define RTE_LOWEST 0x100u
#define RTE_NMI 0x400u
#define RTE_LOGICAL BIT(11)
#define RTE_ACTIVE_LOW BIT(13)
#define RTE_REMOTE_IRR BIT(14)
#define RTE_LEVEL BIT(15)
#define RTE_MASKED BIT(16)

#define IOAPIC_ID 0u
#define IOAPIC_VERSION 1u
#define IOAPIC_ARBITRATION 2u
#define IOAPIC_RTE 0x10u

uint32_t ioapic_read(unsigned reg);
void ioapic_write(unsigned reg, uint32_t value);
unsigned ioapic_pins(void);
/* Both halves; the destination is an 8-bit one. */
void ioapic_route(unsigned pin, uint32_t low, uint8_t destination);
uint32_t ioapic_rte(unsigned pin);
void ioapic_mask_all(void);

#endif
