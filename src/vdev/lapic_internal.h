/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the virtual local APIC share. */
#ifndef VDEV_LAPIC_INTERNAL_H
#define VDEV_LAPIC_INTERNAL_H

#include "vdev_irq.h"

#define DELIVERY_MASK 7u
#define LVT_VECTOR 0xFFu

/* Index in lvt[], in the order of the registers from LVT_TIMER on; CMCI is not offered. */
enum lvt_index { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR };

/* The logical destination register in x2APIC mode, which follows from the ID (11.12.10.2). */
uint32_t vlapic_x2apic_ldr(const struct vlapic *l);

/* What the next write to the ESR latches: the hardware's errors and the virtual ones. */
void vlapic_update_esr(struct vlapic *l);
/* Is there no register at this offset of the page (table 11-1)? */
bool vlapic_is_reserved(uint32_t offset);

#endif
