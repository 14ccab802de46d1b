/* SPDX-License-Identifier: BSD-2-Clause */
#include "apic.h"
#include "acpi.h"

#define XAPIC_ID_SHIFT 24
#define ICR_DESTINATION_SHIFT 24
#define CPUID_1_ECX_X2APIC BIT(21)
#define MAX_POLLS 100000 /* of an ICR that stays busy */
#define IOAPIC_WINDOW 0x10u

bool apic_has_x2apic(void)
{
	return cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC;
}

bool apic_in_x2apic(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
}

uint32_t apic_read(unsigned reg)
{
	if (apic_in_x2apic())
		return (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
	return mmio_read(acpi.lapic + reg);
}

void apic_write(unsigned reg, uint32_t value)
{
	if (apic_in_x2apic())
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		mmio_write(acpi.lapic + reg, value);
}

uint32_t apic_id(void)
{
	const uint32_t id = apic_read(APIC_ID);

	return apic_in_x2apic() ? id : id >> XAPIC_ID_SHIFT;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

bool apic_vector_bit(unsigned reg, unsigned vector)
{
	return apic_read(reg + vector / 32 * 16) >> vector % 32 & 1;
}

void apic_enable(void)
{
	apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
	apic_write(APIC_TPR, 0);
}

void apic_enter_x2apic(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	apic_enable();
}

bool apic_enter_xapic(void)
{
	const uint64_t base = rdmsr(MSR_APIC_BASE);

	wrmsr(MSR_APIC_BASE, base & ~(uint64_t)(APIC_BASE_ENABLE | APIC_BASE_X2APIC));
	wrmsr(MSR_APIC_BASE, (base & ~(uint64_t)APIC_BASE_X2APIC) | APIC_BASE_ENABLE);
	if (!(rdmsr(MSR_APIC_BASE) & APIC_BASE_ENABLE))
		return false;
	apic_enable();
	return true;
}

void apic_virtual_wire(void)
{
	apic_enable();
	apic_write(APIC_LVT_LINT0, LVT_EXTINT);
}

void apic_mask_lint0(void)
{
	apic_write(APIC_LVT_LINT0, LVT_MASKED | LVT_EXTINT);
}

void apic_ipi(uint32_t destination, uint32_t command)
{
	if (apic_in_x2apic()) {
		wrmsr(MSR_X2APIC + APIC_ICR_LOW / 16, (uint64_t)destination << 32 | command);
		return;
	}
	for (unsigned i = 0; i < MAX_POLLS && (apic_read(APIC_ICR_LOW) & ICR_PENDING); i++)
		pause();
	apic_write(APIC_ICR_HIGH, destination << ICR_DESTINATION_SHIFT);
	apic_write(APIC_ICR_LOW, command);
}

uint32_t ioapic_read(unsigned reg)
{
	mmio_write(acpi.ioapic, reg);
	return mmio_read(acpi.ioapic + IOAPIC_WINDOW);
}

void ioapic_write(unsigned reg, uint32_t value)
{
	mmio_write(acpi.ioapic, reg);
	mmio_write(acpi.ioapic + IOAPIC_WINDOW, value);
}

unsigned ioapic_pins(void)
{
	return (ioapic_read(IOAPIC_VERSION) >> 16 & 0xFF) + 1;
}

void ioapic_route(unsigned pin, uint32_t low, uint8_t destination)
{
	/* Masked while it is half written. */
	ioapic_write(IOAPIC_RTE + 2 * pin, RTE_MASKED);
	ioapic_write(IOAPIC_RTE + 2 * pin + 1, (uint32_t)destination << 24);
	ioapic_write(IOAPIC_RTE + 2 * pin, low);
}

uint32_t ioapic_rte(unsigned pin)
{
	return ioapic_read(IOAPIC_RTE + 2 * pin);
}

void ioapic_mask_all(void)
{
	for (unsigned pin = 0; pin < ioapic_pins(); pin++)
		ioapic_route(pin, RTE_MASKED, 0);
}
