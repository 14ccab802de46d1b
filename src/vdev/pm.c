/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI fixed hardware (ACPI 4.8.3), the reset ports of a PC, and the empty PCI bus around one. */
#include "vdev_pm.h"

#define PM_TIMER_HZ 3579545ULL

#define CONTROL_SCI_EN BIT(0)
#define CONTROL_SLP_TYPE_SHIFT 10
#define CONTROL_SLP_TYPE_MASK 7u
#define CONTROL_SLP_EN BIT(13)
#define CONTROL_WRITABLE 0x1C03u /* GBL_RLS and SLP_EN are write-only: they read as 0 */
#define SLP_TYPE_S5 0 /* as our DSDT's \_S5 says */

/* PM1 status and enable have the timer's bit, and all that can raise the SCI, in the same place. */
#define EVENT_TIMER BIT(0)
/* TMR_STS is set whenever this bit changes; it is the highest, as TMR_VAL_EXT is set (4.8.3.1). */
#define PM_TIMER_CARRY 31

#define STATUS_WRITE_CLEARS 0x8721u
#define ENABLE_WRITABLE 0x0721u

#define PCI_CONFIG_PORT 0xCF8
#define PCI_CONFIG_PORTS 8
#define RESET_PORT 0xCF9
#define RESET_CPU BIT(2)
#define RESET_WRITABLE 0x0Eu
#define KEYBOARD_PORT 0x64
/* Commands F0h to FFh pulse the output lines whose bit is 0; line 0 resets the CPU. */
#define KEYBOARD_PULSE_MASK 0xF1u
#define KEYBOARD_PULSE_RESET 0xF0u
#define PORT_92 0x92
#define PORT_92_RESET BIT(0)
#define PORT_92_A20 BIT(1)

/* Both in two steps, so that nothing overflows; ns_of(tick) is the first moment of a tick. */
static uint64_t ticks_at(uint64_t ns)
{
	return ns / NS_PER_S * PM_TIMER_HZ + ns % NS_PER_S * PM_TIMER_HZ / NS_PER_S;
}

static uint64_t ns_of(uint64_t tick)
{
	return tick / PM_TIMER_HZ * NS_PER_S +
	       (tick % PM_TIMER_HZ * NS_PER_S + PM_TIMER_HZ - 1) / PM_TIMER_HZ;
}

/* ---- the timer's status and the SCI (ACPI 4.8.3.1, 4.8.3.3) ------------------------ */

static void catch_up(struct vpm *pm, uint64_t tick)
{
	if (tick >> PM_TIMER_CARRY > pm->seen >> PM_TIMER_CARRY)
		pm->status |= EVENT_TIMER;
	pm->seen = max_u64(pm->seen, tick);
}

static void update_sci(struct vpm *pm)
{
	const bool level = pm->status & pm->enable;

	if (!pm->clock || level == pm->sci_level)
		return;
	pm->sci_level = level;
	pm->sci.set(pm->sci.ctx, pm->sci.irq, level);
}

uint64_t vpm_next(const struct vpm *pm)
{
	/* While the line is high a second carry is not seen. */
	if (!pm->clock || pm->sci_level || !(pm->enable & EVENT_TIMER))
		return VTIME_NEVER;
	return ns_of(((pm->seen >> PM_TIMER_CARRY) + 1) << PM_TIMER_CARRY);
}

void vpm_advance(struct vpm *pm, uint64_t now)
{
	catch_up(pm, ticks_at(now));
	update_sci(pm);
}

/* After an access: `before` is what vpm_next() said then. */
static void finish(struct vpm *pm, uint64_t before)
{
	update_sci(pm);
	if (vpm_next(pm) != before)
		pm->clock->rearm(pm->clock->ctx);
}

/* ---- the block of registers -------------------------------------------------------- */

/* One byte of the block at 0x600; every register is little-endian. */
static uint8_t read_byte(const struct vpm *pm, unsigned offset, uint32_t timer_value)
{
	switch (offset) {
	case 0:
	case 1: return (uint8_t)(pm->status >> 8 * offset);
	case 2:
	case 3: return (uint8_t)(pm->enable >> 8 * (offset - 2));
	case 4:
	case 5: return (uint8_t)((pm->control | CONTROL_SCI_EN) >> 8 * (offset - 4));
	case 8:
	case 9:
	case 10:
	case 11: return (uint8_t)(timer_value >> 8 * (offset - 8));
	default: return 0xFF;
	}
}

static uint32_t block_read(void *dev, uint16_t port, unsigned size)
{
	struct vpm *pm = dev;
	const unsigned offset = port - PM1_EVENT_PORT;
	const uint64_t before = vpm_next(pm);
	/* One sample, so that the bytes of a wide read belong together. */
	const uint64_t tick = ticks_at(pm->now_ns());
	uint32_t v = 0;

	catch_up(pm, tick);
	for (unsigned i = 0; i < size; i++)
		v |= (uint32_t)read_byte(pm, offset + i, (uint32_t)tick) << 8 * i;
	finish(pm, before);
	return v;
}

static void write_byte(struct vpm *pm, unsigned offset, uint8_t v)
{
	const unsigned shift = 8 * (offset & 1);
	const uint16_t part = (uint16_t)(0xFF << shift), value = (uint16_t)(v << shift);

	switch (offset) {
	case 0:
	case 1:
		pm->status &= (uint16_t)~(value & STATUS_WRITE_CLEARS);
		break;
	case 2:
	case 3:
		pm->enable = (uint16_t)((pm->enable & ~part) | (value & ENABLE_WRITABLE));
		break;
	case 4:
	case 5:
		pm->control = (uint16_t)((pm->control & ~part) | (value & CONTROL_WRITABLE));
		break;
	default: /* the timer is read-only */
		break;
	}
}

static void block_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct vpm *pm = dev;
	const unsigned offset = port - PM1_EVENT_PORT;
	const unsigned control = PM1_CONTROL_PORT - PM1_EVENT_PORT;
	const uint64_t before = vpm_next(pm);
	bool sleep = false;

	/* What came up to now can be cleared. */
	catch_up(pm, ticks_at(pm->now_ns()));
	for (unsigned i = 0; i < size; i++) {
		write_byte(pm, offset + i, (uint8_t)(value >> 8 * i));
		if (offset + i == control + 1)
			sleep = value >> 8 * i & CONTROL_SLP_EN >> 8;
	}
	finish(pm, before);
	if (sleep && (pm->control >> CONTROL_SLP_TYPE_SHIFT & CONTROL_SLP_TYPE_MASK) == SLP_TYPE_S5)
		pm->end(pm->ctx, GUEST_POWER_OFF, 0);
}

/*
 * Does an access reach the reset control register?  A 32-bit access at 0xCF8
 * is to the PCI configuration address, whose second byte is no reset (PCI
 * 2.2, 3.2.2.3.2).  There is no PCI bus: all but the one register reads as ones.
 */
static bool reaches_reset(uint16_t port, unsigned size)
{
	return size < 4 && port <= RESET_PORT && port + size > RESET_PORT;
}

static uint32_t pci_read(void *dev, uint16_t port, unsigned size)
{
	const struct vpm *pm = dev;
	const unsigned shift = 8u * (unsigned)(RESET_PORT - port);

	if (!reaches_reset(port, size))
		return 0xFFFFFFFF >> (32 - 8 * size);
	return (0xFFFFFFFF >> (32 - 8 * size) & ~(0xFFu << shift)) |
	       (uint32_t)pm->reset_control << shift;
}

static void pci_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct vpm *pm = dev;

	if (!reaches_reset(port, size))
		return;
	value >>= 8 * (RESET_PORT - port);
	pm->reset_control = (uint8_t)(value & RESET_WRITABLE);
	if (value & RESET_CPU)
		pm->end(pm->ctx, GUEST_RESET_CF9, 0);
}

/* There is no keyboard controller but for its reset line. */
static uint32_t keyboard_read(void *dev, uint16_t port, unsigned size)
{
	(void)dev;
	(void)port;
	(void)size;
	return 0xFF;
}

static void keyboard_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct vpm *pm = dev;

	(void)port;
	(void)size;
	if ((value & KEYBOARD_PULSE_MASK) == KEYBOARD_PULSE_RESET)
		pm->end(pm->ctx, GUEST_RESET_8042, 0);
}

static uint32_t port_92_read(void *dev, uint16_t port, unsigned size)
{
	const struct vpm *pm = dev;

	(void)port;
	(void)size;
	return pm->port_92;
}

static void port_92_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct vpm *pm = dev;

	(void)port;
	(void)size;
	/* A20 is always on. */
	pm->port_92 = (uint8_t)((value & 0xFE) | PORT_92_A20);
	if (value & PORT_92_RESET)
		pm->end(pm->ctx, GUEST_RESET_92, 0);
}

static void exit_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct vpm *pm = dev;

	(void)port;
	(void)size;
	pm->end(pm->ctx, GUEST_EXIT_PORT, value);
}

void vpm_reset(struct vpm *pm)
{
	pm->status = pm->enable = 0;
	pm->control = CONTROL_SCI_EN;
	pm->reset_control = 0;
	pm->port_92 = PORT_92_A20;
	pm->seen = ticks_at(pm->now_ns());
	update_sci(pm);
}

void vpm_init(struct vpm *pm, uint64_t (*now_ns)(void),
	      void (*end)(void *ctx, enum guest_end how, uint32_t value), void *ctx)
{
	pm->now_ns = now_ns;
	pm->end = end;
	pm->ctx = ctx;
	pm->clock = NULL;
	pm->sci_level = false;
	vpm_reset(pm);
}

void vpm_connect_sci(struct vpm *pm, const struct vclock *clock, struct irq_line sci)
{
	pm->clock = clock;
	pm->sci = sci;
	update_sci(pm);
}

bool vpm_add_to_bus(struct vpm *pm, struct vdev_bus *bus, uint16_t exit_port)
{
	if (exit_port && !bus_add_ports(bus, exit_port, 1, pm, keyboard_read, exit_write))
		return false;
	return bus_add_ports(bus, PM1_EVENT_PORT, 12, pm, block_read, block_write) &&
	       bus_add_ports(bus, PCI_CONFIG_PORT, PCI_CONFIG_PORTS, pm, pci_read, pci_write) &&
	       bus_add_ports(bus, KEYBOARD_PORT, 1, pm, keyboard_read, keyboard_write) &&
	       bus_add_ports(bus, PORT_92, 1, pm, port_92_read, port_92_write);
}
