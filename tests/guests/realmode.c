/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real mode and back (SDM vol. 3, 10.9 and 21.1): segments, the interrupt
 * vector table, hardware interrupts and HLT, and segments that keep a limit of
 * 4 GiB.  realmode.asm does it and leaves its results in low memory.
 */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "pit.h"

#define REAL_PAGE 0x6000u
#define BIG 0x00200000u
#define MILLISECOND 1193u

struct results {
	uint16_t reached, alias, int_seen, sp, divide, timer, halt, far_call;
	uint32_t moved, big, apic_version;
};

extern const uint8_t real_start[], real_end[], c_gdt_pointer[], gdt_pointer[];
void real_run(void);

static void prepare(void)
{
	volatile uint8_t *page = (volatile uint8_t *)(uintptr_t)REAL_PAGE;

	for (size_t i = 0; i < (size_t)(real_end - real_start); i++)
		page[i] = real_start[i];
	for (size_t i = 0; i < 6; i++)
		page[(size_t)(c_gdt_pointer - real_start) + i] = gdt_pointer[i];
}

void guest_main(void)
{
	const volatile struct results *r =
		(const volatile struct results *)(uintptr_t)(REAL_PAGE + 0x800);

	ioapic_mask_all();
	apic_virtual_wire();
	pic_setup(ICW4_8086);
	irq0_set(false);
	pic_mask(0xFFFE);
	pic_settle();
	prepare();
	pit_mode(0, PIT_BOTH, 2, 0);
	pit_count(0, 5 * MILLISECOND);
	real_run();
	irq0_set(false);
	pic_mask(0xFFFF);
	check("real-mode", r->reached, 1);
	check("segments-are-paragraphs", r->alias, 0x5A);
	check("software-interrupt", r->int_seen, 0x1234);
	check("iret-takes-the-frame", r->sp, REAL_PAGE + 0x800);
	check("divide-error", r->divide, 0xD1);
	check_range("hardware-interrupt", r->timer, 1, 0xFFFF);
	check_range("interrupt-ends-halt", r->halt, 1, 0xFFFF);
	check("far-call", r->far_call, 0xFA7);
	check("movs-with-segments", r->moved, 0x44332211);
	check("big-real-mode", r->big, 0xB16B00B5);
	check("big-real-mode-in-c", mmio_read(BIG), 0xB16B00B5);
	check("big-real-mode-on-a-device", r->apic_version, mmio_read(acpi.lapic + APIC_VERSION));
	irq_forget();
	irq_set(0x77, NULL);
	__asm__ volatile("int $0x77");
	check("protected-mode-again", irq_count(0, 0x77), 1);
}
