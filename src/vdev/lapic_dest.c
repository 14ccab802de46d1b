/* SPDX-License-Identifier: BSD-2-Clause */
/* Which local APICs a message is for (SDM vol. 3, 11.6.2 and 11.12.10). */
#include "lapic_internal.h"

#define DFR_FLAT 0xFu
#define DFR_SHIFT 28
#define BROADCAST8 0xFFu
#define BROADCAST32 0xFFFFFFFFu
#define BROADCAST_CLUSTER 0xFu

uint32_t vlapic_x2apic_ldr(const struct vlapic *l)
{
	return l->id >> 4 << 16 | (uint32_t)BIT(l->id & 15);
}

static bool matches_x2apic(const struct vlapic *l, uint32_t dest, bool logical)
{
	const uint32_t ldr = vlapic_x2apic_ldr(l);

	if (!logical)
		return dest == l->id;
	return dest >> 16 == ldr >> 16 && (dest & ldr & 0xFFFF);
}

static bool matches_xapic(const struct vlapic *l, uint32_t dest, bool logical)
{
	const uint32_t ldr = l->ldr >> 24;

	if (!logical)
		return dest == l->id;
	if (l->dfr >> DFR_SHIFT == DFR_FLAT)
		return dest & ldr;
	return (dest >> 4 == BROADCAST_CLUSTER || dest >> 4 == ldr >> 4) && (dest & ldr & 15);
}

bool vlapic_matches(const struct vlapic *l, const struct apic_message *m)
{
	if (!vlapic_is_enabled(l))
		return false;
	if (m->dest == (m->x2apic ? BROADCAST32 : BROADCAST8))
		return true;
	if (vlapic_is_x2apic(l))
		return matches_x2apic(l, m->dest, m->logical);
	return matches_xapic(l, m->dest, m->logical);
}
