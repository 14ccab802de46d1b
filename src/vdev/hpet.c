/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HPET's registers.  The specification asks for aligned accesses of 32 or
 * 64 bits (2.3.1); any other is served as well, each byte where it belongs.
 */
#include "hpet_internal.h"

#define PERIOD_FS 10000000ULL /* 10 ns in femtoseconds */

/* Capabilities, 2.3.4. */
#define CAP_REVISION 1U
#define CAP_LAST_TIMER_SHIFT 8
#define CAP_64BIT BIT(13)
#define CAP_LEGACY BIT(15)
#define CAP_VENDOR (0x8086U << 16)
#define CAP_PERIOD_SHIFT 32

/* Registers, each 8 bytes (2.3.3). */
#define REG_CAPABILITIES 0x000
#define REG_CONFIG 0x010
#define REG_STATUS 0x020
#define REG_COUNTER 0x0F0
#define REG_TIMERS 0x100
#define TIMER_STRIDE 0x20
#define TIMER_CONFIG 0x00
#define TIMER_COMPARATOR 0x08 /* TIMER_ROUTE, 0x10, belongs to FSB delivery: reads as 0 */
#define REG_SIZE 8

#define CONFIG_WRITABLE (HPET_ENABLE | HPET_LEGACY)
#define STATUS_BITS (BIT(HPET_TIMERS) - 1)
#define TIMER_CONFIG_WRITABLE                                                                      \
	(HPET_TN_LEVEL | HPET_TN_INT_ENABLE | HPET_TN_PERIODIC | HPET_TN_SET_ACCUMULATOR |         \
	 HPET_TN_32BIT | HPET_TN_ROUTE_MASK)
#define TIMER_CAPABILITIES                                                                         \
	((uint64_t)HPET_ROUTES << 32 | HPET_TN_PERIODIC_CAP | HPET_TN_64BIT_CAP)

uint32_t vhpet_id(void)
{
	return (uint32_t)(CAP_VENDOR | CAP_LEGACY | CAP_64BIT |
			  (HPET_TIMERS - 1) << CAP_LAST_TIMER_SHIFT | CAP_REVISION);
}

/* The timer that a register belongs to, or NULL. */
static struct vhpet_timer *timer_at(struct vhpet *h, uint64_t reg)
{
	const uint64_t i = reg < REG_TIMERS ? HPET_TIMERS : (reg - REG_TIMERS) / TIMER_STRIDE;

	return i < HPET_TIMERS ? &h->timer[i] : NULL;
}

/* ---- reading ------------------------------------------------------------------ */

static uint64_t read_timer(const struct vhpet_timer *t, uint64_t reg)
{
	switch (reg % TIMER_STRIDE) {
	case TIMER_CONFIG: return TIMER_CAPABILITIES | (t->config & ~HPET_TN_SET_ACCUMULATOR);
	case TIMER_COMPARATOR: return t->comparator;
	default: return 0;
	}
}

/* `reg` is a multiple of REG_SIZE. */
static uint64_t read_register(struct vhpet *h, uint64_t reg, uint64_t now)
{
	const struct vhpet_timer *t = timer_at(h, reg);

	if (t)
		return read_timer(t, reg);
	switch (reg) {
	case REG_CAPABILITIES: return PERIOD_FS << CAP_PERIOD_SHIFT | vhpet_id();
	case REG_CONFIG: return h->config;
	case REG_STATUS: return h->status;
	case REG_COUNTER: return hpet_counter(h, now);
	default: return 0;
	}
}

/* ---- writing ------------------------------------------------------------------ */

static void write_config(struct vhpet *h, uint64_t value, uint64_t now)
{
	const bool runs = h->config & HPET_ENABLE;

	value &= CONFIG_WRITABLE;
	if (runs && !(value & HPET_ENABLE))
		hpet_halt(h, now);
	else if (!runs && (value & HPET_ENABLE))
		hpet_start(h, now);
	h->config = (uint32_t)value;
}

static void write_counter(struct vhpet *h, uint64_t value)
{
	/* 2.3.7: only while halted.  What else happens is not said; here, nothing. */
	if (!(h->config & HPET_ENABLE))
		h->counter = value;
}

static void write_timer_config(struct vhpet *h, struct vhpet_timer *t, uint64_t value,
			       uint64_t mask, uint64_t now)
{
	const uint32_t old = t->config;
	uint64_t route;

	value = (old & ~mask) | (value & mask);
	route = (value & HPET_TN_ROUTE_MASK) >> HPET_TN_ROUTE_SHIFT;
	/* 2.3.8: a route that does not exist does not read back. */
	if (!(HPET_ROUTES >> route & 1))
		value = (value & ~(uint64_t)HPET_TN_ROUTE_MASK) | (old & HPET_TN_ROUTE_MASK);
	t->config = (uint32_t)(value & TIMER_CONFIG_WRITABLE);
	/* An edge-triggered timer has no status. */
	if (!(t->config & HPET_TN_LEVEL))
		h->status &= (uint32_t)~BIT(t - h->timer);
	t->comparator &= hpet_width(t);
	t->period &= hpet_width(t);
	if ((t->config ^ old) & HPET_TN_32BIT)
		hpet_arm(h, t, now);
}

/*
 * In periodic mode a write changes the period alone, unless the accumulator
 * was asked for just before (2.3.8, Tn_VAL_SET_CNF): then it changes both.
 */
static void write_comparator(struct vhpet *h, struct vhpet_timer *t, uint64_t value, uint64_t mask,
			     uint64_t now)
{
	const bool periodic = t->config & HPET_TN_PERIODIC;

	value &= hpet_width(t);
	mask &= hpet_width(t);
	if (periodic)
		t->period = (t->period & ~mask) | (value & mask);
	if (!periodic || (t->config & HPET_TN_SET_ACCUMULATOR)) {
		t->comparator = (t->comparator & ~mask) | (value & mask);
		hpet_arm(h, t, now);
	}
	t->config &= (uint32_t)~HPET_TN_SET_ACCUMULATOR;
}

/* Writes the bits of `mask` of a register. */
static void write_register(struct vhpet *h, uint64_t reg, uint64_t value, uint64_t mask,
			   uint64_t now)
{
	const uint64_t whole = (read_register(h, reg, now) & ~mask) | (value & mask);
	struct vhpet_timer *t = timer_at(h, reg);

	if (t && reg % TIMER_STRIDE == TIMER_CONFIG)
		write_timer_config(h, t, value, mask, now);
	else if (t && reg % TIMER_STRIDE == TIMER_COMPARATOR)
		write_comparator(h, t, value, mask, now);
	else if (reg == REG_CONFIG)
		write_config(h, whole, now);
	else if (reg == REG_STATUS)
		h->status &= (uint32_t)~(value & mask & STATUS_BITS);
	else if (reg == REG_COUNTER)
		write_counter(h, whole);
	hpet_update_lines(h);
}

/* ---- the bus ------------------------------------------------------------------ */

/* Has an access changed what the caller has to know?  Then it is told. */
static void tell(struct vhpet *h, uint64_t next, bool legacy)
{
	if (vhpet_next(h) != next || vhpet_is_legacy(h) != legacy)
		h->clock->rearm(h->clock->ctx);
}

static uint64_t mask_of(unsigned size)
{
	return size >= REG_SIZE ? UINT64_MAX : BIT(8 * size) - 1;
}

static uint64_t hpet_read(void *dev, uint64_t offset, unsigned size)
{
	struct vhpet *h = dev;
	const uint64_t now = h->clock->now_ns(), next = vhpet_next(h);
	const uint64_t reg = align_down(offset, REG_SIZE);
	const unsigned shift = 8 * (unsigned)(offset - reg);
	uint64_t value;

	/* Comparators and status as they are now, not as the last call left them. */
	vhpet_advance(h, now);
	value = read_register(h, reg, now) >> shift;
	if (shift)
		value |= read_register(h, reg + REG_SIZE, now) << (64 - shift);
	tell(h, next, vhpet_is_legacy(h));
	return value & mask_of(size);
}

static void hpet_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct vhpet *h = dev;
	const uint64_t now = h->clock->now_ns(), next = vhpet_next(h), mask = mask_of(size);
	const uint64_t reg = align_down(offset, REG_SIZE);
	const unsigned shift = 8 * (unsigned)(offset - reg);
	const bool legacy = vhpet_is_legacy(h);

	vhpet_advance(h, now);
	write_register(h, reg, value << shift, mask << shift, now);
	if (shift && mask >> (64 - shift))
		write_register(h, reg + REG_SIZE, value >> (64 - shift), mask >> (64 - shift), now);
	tell(h, next, legacy);
}

bool vhpet_add_to_bus(struct vhpet *h, struct vdev_bus *bus)
{
	return bus_add_mmio(bus, HPET_BASE, HPET_WINDOW_SIZE, h, hpet_read, hpet_write);
}

/* ---- set-up --------------------------------------------------------------------- */

void vhpet_reset(struct vhpet *h)
{
	h->config = 0;
	h->status = 0;
	hpet_update_lines(h);
	h->counter = 0;
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		h->timer[i] = (struct vhpet_timer){ .comparator = UINT64_MAX, .due = VTIME_NEVER };
}

void vhpet_init(struct vhpet *h, const struct vclock *clock,
		void (*set_pin)(void *ctx, unsigned ioapic_pin, bool level),
		void (*set_isa)(void *ctx, unsigned irq, bool level), void *ctx)
{
	*h = (struct vhpet){ .clock = clock, .set_pin = set_pin, .set_isa = set_isa, .ctx = ctx };
	vhpet_reset(h);
}
