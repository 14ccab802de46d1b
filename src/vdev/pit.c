/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's 8254: channel 0 is IRQ 0, channel 1 was the memory's refresh,
 * channel 2 the speaker with its gate and output in port 0x61.
 */
#include "vdev_pit.h"

#include "kstring.h"
#include "pit_channel.h"

#define PIT_PORT 0x40
#define PIT_PORTS 4
#define CONTROL_OFFSET 3
#define PORT_61 0x61

#define SELECT_SHIFT 6
#define READ_BACK 3u
/* The read-back command; the first two bits are active when 0. */
#define READ_BACK_NO_COUNT BIT(5)
#define READ_BACK_NO_STATUS BIT(4)
#define READ_BACK_CHANNEL(n) BIT((n) + 1)

#define SPEAKER 2
#define P61_GATE_2 BIT(0)
#define P61_REFRESH BIT(4)
#define P61_OUT_2 BIT(5)
/* Gate, speaker, and the enables of two checks that always pass. */
#define P61_WRITABLE 0x0Fu
/* The refresh request toggles as channel 1 of a PC does: every 15.1 us. */
#define REFRESH_CLOCKS 18

#define FIRMWARE_CONTROL 0x36 /* both bytes, mode 3, binary */

/* Both in two steps, so that nothing overflows; ns_of(tick) is the first moment of a tick. */
static uint64_t ticks_at(uint64_t ns)
{
	return ns / NS_PER_S * PIT_HZ + ns % NS_PER_S * PIT_HZ / NS_PER_S;
}

static uint64_t ns_of(uint64_t tick)
{
	return tick / PIT_HZ * NS_PER_S + (tick % PIT_HZ * NS_PER_S + PIT_HZ - 1) / PIT_HZ;
}

static void set_line(struct vpit *p, bool level)
{
	if (level == p->line)
		return;
	p->line = level;
	p->irq.set(p->irq.ctx, p->irq.irq, level);
}

uint64_t vpit_next(const struct vpit *p)
{
	const uint64_t edge = pit_channel_next_edge(&p->channel[0], p->seen);

	return edge == PIT_NO_EDGE ? VTIME_NEVER : ns_of(edge);
}

static void advance_to(struct vpit *p, uint64_t tick)
{
	if (tick <= p->seen)
		return;
	if (pit_channel_next_edge(&p->channel[0], p->seen) <= tick) {
		/* OUT's low part is over: of a divider or a strobe only the edge is shown. */
		set_line(p, false);
		set_line(p, true);
	}
	p->seen = tick;
	/* Takes a new count whose time has come. */
	(void)pit_channel_out(&p->channel[0], tick);
}

void vpit_advance(struct vpit *p, uint64_t now)
{
	advance_to(p, ticks_at(now));
}

/* ---- the registers --------------------------------------------------------------- */

static void read_back(struct vpit *p, uint8_t command, uint64_t now)
{
	for (unsigned i = 0; i < PIT_CHANNELS; i++) {
		if (!(command & READ_BACK_CHANNEL(i)))
			continue;
		if (!(command & READ_BACK_NO_COUNT))
			pit_channel_latch_count(&p->channel[i], now);
		if (!(command & READ_BACK_NO_STATUS))
			pit_channel_latch_status(&p->channel[i], now);
	}
}

static void write_control(struct vpit *p, uint8_t v, uint64_t now)
{
	const unsigned select = v >> SELECT_SHIFT;

	if (select == READ_BACK)
		read_back(p, v, now);
	else if (!(v >> PIT_ACCESS_SHIFT & PIT_ACCESS_MASK))
		pit_channel_latch_count(&p->channel[select], now);
	else
		pit_channel_control(&p->channel[select], v, now);
}

/*
 * The line follows OUT where a write moves it: a control word, a first byte, a
 * new count.  Else it stays: OUT is high after a reset, the line is not yet.
 */
static void follow_output(struct vpit *p, bool before, uint64_t now)
{
	const bool out = pit_channel_out(&p->channel[0], now);

	if (out != before) {
		set_line(p, false);
		set_line(p, out);
	}
}

static void write_port(struct vpit *p, unsigned offset, uint8_t v, uint64_t now)
{
	const bool before = pit_channel_out(&p->channel[0], now);

	if (offset == CONTROL_OFFSET)
		write_control(p, v, now);
	else
		pit_channel_write(&p->channel[offset], v, now);
	follow_output(p, before, now);
}

static void rearm_if_changed(struct vpit *p, uint64_t before)
{
	if (vpit_next(p) != before)
		p->clock->rearm(p->clock->ctx);
}

static void pit_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct vpit *p = dev;
	const uint64_t before = vpit_next(p), now = ticks_at(p->clock->now_ns());

	advance_to(p, now);
	for (unsigned i = 0; i < size; i++)
		write_port(p, port - PIT_PORT + i, (uint8_t)(value >> 8 * i), now);
	rearm_if_changed(p, before);
}

static uint32_t pit_read(void *dev, uint16_t port, unsigned size)
{
	struct vpit *p = dev;
	const uint64_t before = vpit_next(p), now = ticks_at(p->clock->now_ns());
	uint32_t v = 0;

	advance_to(p, now);
	for (unsigned i = 0; i < size; i++) {
		const unsigned offset = port - PIT_PORT + i;
		/* The control word cannot be read. */
		const uint8_t byte = offset == CONTROL_OFFSET ?
			0xFF : pit_channel_read(&p->channel[offset], now);

		v |= (uint32_t)byte << 8 * i;
	}
	rearm_if_changed(p, before);
	return v;
}

static void port_61_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct vpit *p = dev;

	(void)port;
	(void)size;
	p->port_61 = value & P61_WRITABLE;
	/* Only channel 0 is ever timed, so there is nothing to arm anew. */
	pit_channel_gate(&p->channel[SPEAKER], value & P61_GATE_2, ticks_at(p->clock->now_ns()));
}

static uint32_t port_61_read(void *dev, uint16_t port, unsigned size)
{
	struct vpit *p = dev;
	const uint64_t now = ticks_at(p->clock->now_ns());
	uint32_t v = p->port_61;

	(void)port;
	(void)size;
	if (now / REFRESH_CLOCKS & 1)
		v |= P61_REFRESH;
	if (pit_channel_out(&p->channel[SPEAKER], now))
		v |= P61_OUT_2;
	return v;
}

/* ---- set-up ------------------------------------------------------------------------ */

void vpit_reset(struct vpit *p)
{
	const uint64_t now = ticks_at(p->clock->now_ns());

	set_line(p, false);
	memset(p->channel, 0, sizeof(p->channel));
	for (unsigned i = 0; i < PIT_CHANNELS; i++) {
		p->channel[i].gate = i != SPEAKER;
		pit_channel_control(&p->channel[i], FIRMWARE_CONTROL, now);
	}
	for (unsigned i = 0; i < 2; i++)
		pit_channel_write(&p->channel[0], 0, now);
	p->port_61 = 0;
	p->seen = now;
}

void vpit_init(struct vpit *p, const struct vclock *clock, struct irq_line irq)
{
	memset(p, 0, sizeof(*p));
	p->clock = clock;
	p->irq = irq;
	vpit_reset(p);
}

bool vpit_add_to_bus(struct vpit *p, struct vdev_bus *bus)
{
	return bus_add_ports(bus, PIT_PORT, PIT_PORTS, p, pit_read, pit_write) &&
	       bus_add_ports(bus, PORT_61, 1, p, port_61_read, port_61_write);
}
