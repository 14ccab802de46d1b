/* SPDX-License-Identifier: BSD-2-Clause */
/* One counter of the 8254.  All times are ticks of its input clock since the clock began. */
#ifndef BULKHEAD_PIT_CHANNEL_H
#define BULKHEAD_PIT_CHANNEL_H

#include "vdev_pit.h"

#define PIT_NO_EDGE UINT64_MAX

/* Control word and status byte (Intel 8254 data sheet, figures 7 and 12). */
#define PIT_ACCESS_SHIFT 4
#define PIT_ACCESS_MASK 3u
#define PIT_ACCESS_LOW 1u
#define PIT_ACCESS_HIGH 2u
#define PIT_ACCESS_BOTH 3u
#define PIT_MODE_SHIFT 1
#define PIT_MODE_MASK 7u
#define PIT_BCD BIT(0)
#define PIT_CONTROL_KEPT 0x3Fu

void pit_channel_control(struct vpit_channel *c, uint8_t control, uint64_t now);
void pit_channel_write(struct vpit_channel *c, uint8_t byte, uint64_t now);
uint8_t pit_channel_read(struct vpit_channel *c, uint64_t now);
void pit_channel_latch_count(struct vpit_channel *c, uint64_t now);
void pit_channel_latch_status(struct vpit_channel *c, uint64_t now);
void pit_channel_gate(struct vpit_channel *c, bool level, uint64_t now);
bool pit_channel_out(struct vpit_channel *c, uint64_t now);
/* The first rising edge of OUT after `after` that is timed, or PIT_NO_EDGE. */
uint64_t pit_channel_next_edge(const struct vpit_channel *c, uint64_t after);

#endif
