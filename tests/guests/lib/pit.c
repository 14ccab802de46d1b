/* SPDX-License-Identifier: BSD-2-Clause */
#include "pit.h"
#include "time.h"

#define READ_BACK_STATUS 0xE0

void pit_mode(unsigned channel, unsigned bytes, unsigned mode, unsigned bcd)
{
	out8(PIT_CONTROL, (uint8_t)(channel << 6 | bytes << 4 | mode << 1 | bcd));
}

void pit_count(unsigned channel, uint16_t count)
{
	out8(PIT_DATA(channel), (uint8_t)count);
	out8(PIT_DATA(channel), (uint8_t)(count >> 8));
}

void pit_latch(unsigned channel)
{
	out8(PIT_CONTROL, (uint8_t)(channel << 6));
}

uint16_t pit_read(unsigned channel)
{
	const uint8_t low = in8(PIT_DATA(channel));

	return (uint16_t)(low | in8(PIT_DATA(channel)) << 8);
}

uint16_t pit_latched(unsigned channel)
{
	pit_latch(channel);
	return pit_read(channel);
}

uint8_t pit_status(unsigned channel)
{
	out8(PIT_CONTROL, (uint8_t)(READ_BACK_STATUS | 2u << channel));
	return in8(PIT_DATA(channel));
}

void pit_gate2(bool level)
{
	const uint8_t others = in8(PORT61) & (uint8_t)~(PORT61_GATE2 | PORT61_SPEAKER) & 0x0F;

	out8(PORT61, (uint8_t)(others | (level ? PORT61_GATE2 : 0)));
}

bool pit_out2(void)
{
	return in8(PORT61) & PORT61_OUT2;
}

bool pit_wait_out2(bool level, unsigned ms)
{
	const struct deadline d = deadline_in(ms);

	while (pit_out2() != level && !deadline_passed(&d))
		pause();
	return pit_out2() == level;
}
