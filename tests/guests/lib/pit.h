/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 (Intel 8254 data sheet) and port 0x61. */
#ifndef GUEST_PIT_H
#define GUEST_PIT_H

#include "x86.h"

#define PIT_DATA(channel) ((uint16_t)(0x40 + (channel)))
#define PIT_CONTROL 0x43
#define PIT_LOW 1u       /* bytes of the count that are written and read */
#define PIT_HIGH 2u
#define PIT_BOTH 3u
#define PIT_BCD 1u
#define PIT_HZ 1193182u
#define PM_TICKS_A_PIT_TICK 3u /* both come from one crystal */

#define PORT61 0x61
#define PORT61_GATE2 BIT(0)
#define PORT61_SPEAKER BIT(1)
#define PORT61_REFRESH BIT(4)
#define PORT61_OUT2 BIT(5)

void pit_mode(unsigned channel, unsigned bytes, unsigned mode, unsigned bcd);
/* Both bytes. */
void pit_count(unsigned channel, uint16_t count);
void pit_latch(unsigned channel);
uint16_t pit_read(unsigned channel);
uint16_t pit_latched(unsigned channel);
/* The status byte by the read-back command. */
uint8_t pit_status(unsigned channel);
/* Channel 2's gate and OUT. */
void pit_gate2(bool level);
bool pit_out2(void);
bool pit_wait_out2(bool level, unsigned ms);

#endif
