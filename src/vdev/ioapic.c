/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O APIC with 24 pins, version 20h with the EOI register (82093AA; ICH9, 13.5.8). */
#include "vdev_irq.h"

#include "smp.h"

#define REG_SELECT 0x00
#define REG_WINDOW 0x10
#define REG_EOI 0x40

#define INDEX_ID 0x00
#define INDEX_VERSION 0x01
#define INDEX_ARBITRATION 0x02
#define INDEX_TABLE 0x10

#define VERSION (0x20u | (IOAPIC_PINS - 1) << 16)
#define ID_SHIFT 24
#define ID_MASK 0x0F

#define RTE_VECTOR 0xFFULL
#define RTE_DELIVERY_SHIFT 8
#define RTE_DELIVERY_MASK 7ULL
#define RTE_LOGICAL BIT(11)
#define RTE_DELIVERY_STATUS BIT(12)
#define RTE_ACTIVE_LOW BIT(13)
#define RTE_REMOTE_IRR BIT(14)
#define RTE_LEVEL BIT(15)
#define RTE_MASKED BIT(16)
#define RTE_DEST_SHIFT 56
/* Reserved bits and the two that only hardware changes are not written. */
#define RTE_WRITABLE \
	((0xFF00000000000000ULL | (BIT(17) - 1)) & ~(RTE_DELIVERY_STATUS | RTE_REMOTE_IRR))

static uint8_t delivery(uint64_t rte)
{
	return (uint8_t)(rte >> RTE_DELIVERY_SHIFT & RTE_DELIVERY_MASK);
}

/* NMI, SMI, INIT and ExtINT are edge-triggered whatever the bit says (82093AA, 3.2.4). */
static bool is_level(uint64_t rte)
{
	return (rte & RTE_LEVEL) && delivery(rte) <= APIC_LOWEST;
}

/*
 * ExtINT is the 8259s' own path (vioapic_passes_extint), there is no SMM, and
 * the others are reserved: 110b would be a SIPI, which no I/O APIC sends.
 */
static bool is_sent(uint8_t mode)
{
	return mode == APIC_FIXED || mode == APIC_LOWEST || mode == APIC_NMI || mode == APIC_INIT;
}

static void send(struct vioapic *io, unsigned pin)
{
	const uint64_t rte = io->rte[pin];
	const struct apic_message m = {
		.dest = (uint32_t)(rte >> RTE_DEST_SHIFT),
		.logical = rte & RTE_LOGICAL,
		.delivery = delivery(rte),
		.vector = (uint8_t)(rte & RTE_VECTOR),
		.level = is_level(rte),
	};

	if (!is_sent(m.delivery))
		return;
	if (m.level)
		io->rte[pin] |= RTE_REMOTE_IRR;
	io->send(io->ctx, &m);
}

/* A level pin sends while its line is active and no EOI is due. */
static void check_level(struct vioapic *io, unsigned pin)
{
	const uint64_t rte = io->rte[pin];

	if (is_level(rte) && !(rte & (RTE_MASKED | RTE_REMOTE_IRR)) && (io->lines & BIT(pin)))
		send(io, pin);
}

/*
 * `level` is "asserted": the devices on the bus know no polarity, and guests
 * program both as the tables tell them.
 */
void vioapic_set_pin(struct vioapic *io, unsigned pin, bool level)
{
	bool rising;

	if (pin >= IOAPIC_PINS)
		return;
	rising = level && !(io->lines & BIT(pin));
	io->lines = (uint32_t)(level ? io->lines | BIT(pin) : io->lines & ~BIT(pin));
	if (is_level(io->rte[pin]))
		check_level(io, pin);
	else if (rising && !(io->rte[pin] & RTE_MASKED))
		send(io, pin);
}

void vioapic_eoi(struct vioapic *io, uint8_t vector)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		if ((io->rte[pin] & RTE_VECTOR) != vector || !(io->rte[pin] & RTE_REMOTE_IRR))
			continue;
		io->rte[pin] &= ~RTE_REMOTE_IRR;
		check_level(io, pin);
	}
}

bool vioapic_passes_extint(const struct vioapic *io)
{
	return !(io->rte[0] & RTE_MASKED) && delivery(io->rte[0]) == APIC_EXTINT;
}

bool vioapic_is_masked(const struct vioapic *io, unsigned pin)
{
	return pin >= IOAPIC_PINS || (io->rte[pin] & RTE_MASKED);
}

static void masks_change(struct vioapic *io)
{
	if (io->masks_change)
		io->masks_change(io->ctx);
}

static void write_rte(struct vioapic *io, unsigned index, uint32_t value)
{
	const unsigned pin = index / 2;
	const unsigned shift = index % 2 * 32;
	const uint64_t part = 0xFFFFFFFFULL << shift;
	const uint64_t mask = part & RTE_WRITABLE;
	uint64_t *rte = &io->rte[pin];

	masks_change(io);
	*rte = (*rte & ~mask) | ((uint64_t)value << shift & mask);
	/* Switching to edge clears Remote IRR: Linux relies on it for lost EOIs. */
	if (!(*rte & RTE_LEVEL))
		*rte &= ~RTE_REMOTE_IRR;
	check_level(io, pin);
	masks_change(io);
}

static uint32_t read_register(const struct vioapic *io)
{
	const uint32_t index = io->select;

	if (index == INDEX_ID || index == INDEX_ARBITRATION)
		return (uint32_t)io->id << ID_SHIFT;
	if (index == INDEX_VERSION)
		return VERSION;
	if (index >= INDEX_TABLE && index < INDEX_TABLE + 2 * IOAPIC_PINS)
		return (uint32_t)(io->rte[(index - INDEX_TABLE) / 2] >> index % 2 * 32);
	return 0xFFFFFFFF;
}

static void write_register(struct vioapic *io, uint32_t value)
{
	const uint32_t index = io->select;

	if (index == INDEX_ID)
		io->id = value >> ID_SHIFT & ID_MASK;
	else if (index >= INDEX_TABLE && index < INDEX_TABLE + 2 * IOAPIC_PINS)
		write_rte(io, index - INDEX_TABLE, value);
}

uint64_t vioapic_read(void *dev, uint64_t offset, unsigned size)
{
	const struct vioapic *io = dev;

	(void)size;
	if (offset == REG_SELECT)
		return io->select;
	if (offset == REG_WINDOW)
		return read_register(io);
	return 0;
}

void vioapic_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct vioapic *io = dev;

	(void)size;
	if (offset == REG_SELECT)
		io->select = value & 0xFF;
	else if (offset == REG_WINDOW)
		write_register(io, (uint32_t)value);
	else if (offset == REG_EOI)
		vioapic_eoi(io, (uint8_t)value);
}

void vioapic_reset(struct vioapic *io)
{
	io->select = 0;
	io->id = io->reset_id;
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		io->rte[i] = RTE_MASKED;
}

void vioapic_init(struct vioapic *io, uint8_t id,
		  void (*send_fn)(void *ctx, const struct apic_message *m), void *ctx)
{
	io->reset_id = id;
	io->send = send_fn;
	io->ctx = ctx;
	io->lines = 0;
	vioapic_reset(io);
}
