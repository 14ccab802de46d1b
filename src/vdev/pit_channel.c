/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One counter of the Intel 8254 ("mode definitions" of its data sheet).
 * Nothing counts: what the counting element (CE) holds follows from the tick
 * at which it was loaded.
 */
#include "pit_channel.h"

#define BINARY_RANGE 65536u
#define BCD_RANGE 10000u
/* A count of 1 is illegal in the two modes that divide. */
#define DIVIDER_MIN_COUNT 2u

#define STATUS_OUT BIT(7)
#define STATUS_NULL_COUNT BIT(6)

enum {
	MODE_TERMINAL_COUNT, /* interrupt on terminal count */
	MODE_ONE_SHOT,       /* retriggerable by the gate */
	MODE_RATE,
	MODE_SQUARE_WAVE,
	MODE_SOFT_STROBE,
	MODE_HARD_STROBE, /* triggered by the gate */
};

/* ---- counts ------------------------------------------------------------------- */

static bool divides(const struct vpit_channel *c)
{
	return c->mode == MODE_RATE || c->mode == MODE_SQUARE_WAVE;
}

static bool waits_for_trigger(const struct vpit_channel *c)
{
	return c->mode == MODE_ONE_SHOT || c->mode == MODE_HARD_STROBE;
}

static unsigned access_of(const struct vpit_channel *c)
{
	return c->control >> PIT_ACCESS_SHIFT & PIT_ACCESS_MASK;
}

static uint32_t range(const struct vpit_channel *c)
{
	return c->control & PIT_BCD ? BCD_RANGE : BINARY_RANGE;
}

static uint16_t to_bcd(uint32_t v)
{
	return (uint16_t)(v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10);
}

/* Clocks that a written value stands for; 0 is the whole range. */
static uint32_t clocks_of(const struct vpit_channel *c, uint16_t raw)
{
	uint32_t v = raw;

	/* Digits above 9 have their weight; the sum wraps as the counter does. */
	if (c->control & PIT_BCD)
		v = ((v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15)) %
		    BCD_RANGE;
	return v ? v : range(c);
}

/* The clocks OUT is high in a period of a square wave; odd counts have one more. */
static uint32_t high_half(uint32_t count)
{
	return (count + 1) / 2;
}

static uint64_t elapsed(const struct vpit_channel *c, uint64_t now)
{
	return c->phase + (c->counting && now > c->base ? now - c->base : 0);
}

/* In a square wave CE goes down by two, and through an even count twice a period. */
static uint32_t square_wave_value(const struct vpit_channel *c, uint64_t e)
{
	const uint32_t high = high_half(c->count);
	uint32_t p = (uint32_t)(e % c->count);

	if (p >= high)
		p -= high;
	return (c->count & ~1u) - 2 * p;
}

static uint16_t value(const struct vpit_channel *c, uint64_t now)
{
	const uint64_t e = elapsed(c, now);
	uint32_t v;

	if (!c->loaded)
		return c->idle;
	if (c->mode == MODE_SQUARE_WAVE)
		v = square_wave_value(c, e);
	else if (c->mode == MODE_RATE)
		v = c->count - (uint32_t)(e % c->count);
	else /* counts on through zero */
		v = c->count + range(c) - (uint32_t)(e % range(c));
	v %= range(c);
	return c->control & PIT_BCD ? to_bcd(v) : (uint16_t)v;
}

/* ---- loading the counting element --------------------------------------------- */

/* On the clock that follows `now`. */
static void load(struct vpit_channel *c, uint64_t now)
{
	c->count = c->reload;
	if (divides(c) && c->count < DIVIDER_MIN_COUNT)
		c->count = DIVIDER_MIN_COUNT;
	c->load_at = c->base = now + 1;
	c->phase = 0;
	c->loaded = true;
	c->counting = c->gate || waits_for_trigger(c);
	c->pending = false;
}

static void stop(struct vpit_channel *c, uint64_t now)
{
	c->idle = value(c, now);
	c->loaded = c->counting = c->pending = false;
}

/* The end of the period, or of the half of a square wave, that runs at `now`. */
static uint64_t end_of_part(const struct vpit_channel *c, uint64_t now)
{
	const uint64_t p = elapsed(c, now) % c->count;
	const uint32_t high = high_half(c->count);
	const uint64_t end = c->mode == MODE_SQUARE_WAVE && p < high ? high : c->count;

	return max_u64(now, c->base) + end - p;
}

/* A divider takes a new count at the end of a period; a square wave of half of one. */
static void take_new_count(struct vpit_channel *c)
{
	const bool high_next = elapsed(c, c->switch_at) % c->count == 0;

	load(c, c->switch_at - 1);
	if (!high_next)
		c->phase = high_half(c->count);
}

static void bring_up_to_date(struct vpit_channel *c, uint64_t now)
{
	if (c->pending && divides(c) && c->counting && now >= c->switch_at)
		take_new_count(c);
}

static void set_count(struct vpit_channel *c, uint16_t raw, uint64_t now)
{
	c->reload = clocks_of(c, raw);
	c->written = true;
	if (waits_for_trigger(c)) {
		c->pending = true;
	} else if (!divides(c) || !c->counting) {
		load(c, now);
	} else if (!c->pending) {
		c->switch_at = end_of_part(c, now);
		c->pending = true;
	}
}

/* ---- what the guest does -------------------------------------------------------- */

void pit_channel_control(struct vpit_channel *c, uint8_t control, uint64_t now)
{
	unsigned mode = control >> PIT_MODE_SHIFT & PIT_MODE_MASK;

	bring_up_to_date(c, now);
	stop(c, now);
	/* Bit 2 of the modes that divide is "don't care". */
	if (mode > MODE_HARD_STROBE)
		mode &= 3;
	c->control = control & PIT_CONTROL_KEPT;
	c->mode = (uint8_t)mode;
	c->pending = true; /* NULL COUNT is set by a control word, too */
	c->written = c->write_high = c->read_high = false;
	c->count_latched = c->status_latched = false;
}

void pit_channel_write(struct vpit_channel *c, uint8_t byte, uint64_t now)
{
	bring_up_to_date(c, now);
	switch (access_of(c)) {
	case PIT_ACCESS_LOW:
		set_count(c, byte, now);
		return;
	case PIT_ACCESS_HIGH:
		set_count(c, (uint16_t)(byte << 8), now);
		return;
	default:
		break;
	}
	c->write_high = !c->write_high;
	if (!c->write_high) {
		set_count(c, (uint16_t)(byte << 8 | c->write_low), now);
		return;
	}
	c->write_low = byte;
	if (c->mode == MODE_TERMINAL_COUNT) { /* the first byte stops it, OUT goes low */
		stop(c, now);
		c->pending = true;
	}
}

uint8_t pit_channel_read(struct vpit_channel *c, uint64_t now)
{
	const unsigned access = access_of(c);
	bool high = access == PIT_ACCESS_HIGH;
	uint16_t v;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status_latch;
	}
	bring_up_to_date(c, now);
	v = c->count_latched ? c->count_latch : value(c, now);
	if (access == PIT_ACCESS_BOTH) {
		high = c->read_high;
		c->read_high = !c->read_high;
	}
	if (access != PIT_ACCESS_BOTH || high)
		c->count_latched = false;
	return (uint8_t)(high ? v >> 8 : v);
}

void pit_channel_latch_count(struct vpit_channel *c, uint64_t now)
{
	if (c->count_latched)
		return; /* the first one stays until it is read */
	bring_up_to_date(c, now);
	c->count_latch = value(c, now);
	c->count_latched = true;
}

void pit_channel_latch_status(struct vpit_channel *c, uint64_t now)
{
	const bool out = pit_channel_out(c, now);
	const bool null_count = c->pending || (c->loaded && now < c->load_at);

	if (c->status_latched)
		return;
	c->status_latch = (uint8_t)((out ? STATUS_OUT : 0) |
				    (null_count ? STATUS_NULL_COUNT : 0) | c->control);
	c->status_latched = true;
}

static void gate_rises(struct vpit_channel *c, uint64_t now)
{
	if (waits_for_trigger(c) || divides(c)) {
		if (c->written)
			load(c, now);
	} else if (c->loaded) {
		c->base = max_u64(now, c->load_at);
		c->counting = true;
	}
}

void pit_channel_gate(struct vpit_channel *c, bool level, uint64_t now)
{
	if (level == c->gate)
		return;
	bring_up_to_date(c, now);
	c->gate = level;
	if (level) {
		gate_rises(c, now);
	} else if (!waits_for_trigger(c)) {
		c->phase = elapsed(c, now);
		c->counting = false;
	}
}

/* ---- the output ------------------------------------------------------------------- */

bool pit_channel_out(struct vpit_channel *c, uint64_t now)
{
	uint64_t e;

	bring_up_to_date(c, now);
	if (!c->loaded)
		return c->mode != MODE_TERMINAL_COUNT;
	e = elapsed(c, now);
	switch (c->mode) {
	case MODE_TERMINAL_COUNT:
	case MODE_ONE_SHOT:
		return e >= c->count;
	case MODE_RATE:
		return !c->gate || e % c->count != c->count - 1;
	case MODE_SQUARE_WAVE:
		return !c->gate || e % c->count < high_half(c->count);
	default: /* a strobe is low for one clock */
		return e != c->count;
	}
}

/*
 * A divider's edges come with the ends of its periods.  Of one that is too
 * fast only every so many are timed.
 */
static uint64_t divider_edge(const struct vpit_channel *c, uint64_t after)
{
	const uint64_t step =
		c->count * ((PIT_MIN_EDGE_CLOCKS + c->count - 1) / c->count);
	const uint64_t since = after + c->phase > c->base ? after + c->phase - c->base : 0;

	return c->base + (since / step + 1) * step - c->phase;
}

static uint64_t single_edge(const struct vpit_channel *c, uint64_t after)
{
	/* The strobe's end is its rising edge. */
	const bool strobe = c->mode == MODE_SOFT_STROBE || c->mode == MODE_HARD_STROBE;
	const uint64_t clocks = (uint64_t)c->count + strobe;
	uint64_t edge;

	if (c->phase >= clocks)
		return PIT_NO_EDGE;
	edge = c->base + clocks - c->phase;
	return edge > after ? edge : PIT_NO_EDGE;
}

uint64_t pit_channel_next_edge(const struct vpit_channel *c, uint64_t after)
{
	struct vpit_channel new_count;
	uint64_t edge;

	if (!c->loaded || !c->counting)
		return PIT_NO_EDGE;
	if (!divides(c))
		return single_edge(c, after);
	edge = divider_edge(c, after);
	if (!c->pending || edge <= c->switch_at)
		return edge;
	new_count = *c;
	take_new_count(&new_count);
	return divider_edge(&new_count, after);
}
