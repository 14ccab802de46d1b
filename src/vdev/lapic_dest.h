/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VDEV_LAPIC_DEST_H
#define VDEV_LAPIC_DEST_H

#include "vdev_irq.h"

/* The logical destination register in x2APIC mode, which follows from the ID (11.12.10.2). */
uint32_t vlapic_x2apic_ldr(const struct vlapic *l);

#endif
