/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HPET's time: the counter, the comparators, the interrupts.  Nothing
 * counts here: each timer has the moment at which the counter will be equal
 * to its comparator, computed when the guest programs it.
 */
#include "hpet_internal.h"

#define NS_PER_TICK 10
#define LEGACY_TIMERS 2
#define LEGACY_IRQ_0 0
#define LEGACY_IRQ_1 8

/*
 * A periodic timer asks for a call no more often than this.  A guest may set
 * a period of one tick; without a bound, its CPU would be in the hypervisor
 * for good.  No operating system has a tick of more than a few kHz.  Edges in
 * between become one, and the phase is kept.
 */
#define MIN_INTERVAL_NS 100000

#define WRAP_32BIT BIT(32)

/* ---- time ------------------------------------------------------------------ */

uint64_t hpet_counter(const struct vhpet *h, uint64_t now)
{
	if (!(h->config & HPET_ENABLE) || now < h->start)
		return h->counter;
	return h->counter + (now - h->start) / NS_PER_TICK;
}

uint64_t hpet_width(const struct vhpet_timer *t)
{
	return t->config & HPET_TN_32BIT ? UINT32_MAX : UINT64_MAX;
}

/* `ticks` after the moment `from`, or VTIME_NEVER: centuries away. */
static uint64_t later(uint64_t from, uint64_t ticks)
{
	if (from == VTIME_NEVER || ticks >= (VTIME_NEVER - from) / NS_PER_TICK)
		return VTIME_NEVER;
	return from + ticks * NS_PER_TICK;
}

/*
 * A match is equality (2.3.9.2): a comparator that is behind the counter waits
 * until the counter has wrapped.  Linux knows: it reads the counter again after
 * it has programmed an event.
 */
void hpet_arm(struct vhpet *h, struct vhpet_timer *t, uint64_t now)
{
	const uint64_t counter = hpet_counter(h, now);

	t->not_before = 0;
	t->due = VTIME_NEVER;
	if (h->config & HPET_ENABLE) {
		/* Rounded down to the moment the counter got its present value. */
		const uint64_t tick = later(h->start, counter - h->counter);

		t->due = later(tick, (t->comparator - counter) & hpet_width(t));
	}
}

void hpet_start(struct vhpet *h, uint64_t now)
{
	h->start = now;
	h->config |= (uint32_t)HPET_ENABLE;
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		hpet_arm(h, &h->timer[i], now);
}

void hpet_halt(struct vhpet *h, uint64_t now)
{
	h->counter = hpet_counter(h, now);
	h->config &= (uint32_t)~HPET_ENABLE;
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		hpet_arm(h, &h->timer[i], now);
}

/* Ticks from one match to the next; 0: longer than anything lives. */
static uint64_t step(const struct vhpet_timer *t)
{
	if ((t->config & HPET_TN_PERIODIC) && t->period)
		return t->period;
	return t->config & HPET_TN_32BIT ? WRAP_32BIT : 0;
}

/* After a match: on to the first one that is later than `now`, in phase. */
static void move_on(struct vhpet_timer *t, uint64_t now)
{
	const uint64_t ticks = step(t), late = (now - t->due) / NS_PER_TICK;
	uint64_t ahead;

	if (ticks == 0) {
		t->due = VTIME_NEVER;
		return;
	}
	/* No overflow: `ticks` itself, or no more than twice `late`. */
	ahead = (late / ticks + 1) * ticks;
	t->comparator = (t->comparator + ahead) & hpet_width(t);
	t->due = later(t->due, ahead);
	t->not_before = now + MIN_INTERVAL_NS;
}

/* ---- interrupts ------------------------------------------------------------- */

bool vhpet_is_legacy(const struct vhpet *h)
{
	return (h->config & HPET_ENABLE) && (h->config & HPET_LEGACY);
}

static unsigned index_of(const struct vhpet *h, const struct vhpet_timer *t)
{
	return (unsigned)(t - h->timer);
}

/* Where the timer's interrupt would go now. */
static struct vhpet_sink sink_of(const struct vhpet *h, const struct vhpet_timer *t)
{
	const unsigned route = (t->config & HPET_TN_ROUTE_MASK) >> HPET_TN_ROUTE_SHIFT;
	const unsigned i = index_of(h, t);

	if (!(h->config & HPET_ENABLE) || !(t->config & HPET_TN_INT_ENABLE))
		return (struct vhpet_sink){ HPET_NOWHERE, 0 };
	if (vhpet_is_legacy(h) && i < LEGACY_TIMERS)
		return (struct vhpet_sink){ HPET_ISA, i ? LEGACY_IRQ_1 : LEGACY_IRQ_0 };
	/* After reset it is 0, which is no route. */
	if (!(HPET_ROUTES >> route & 1))
		return (struct vhpet_sink){ HPET_NOWHERE, 0 };
	return (struct vhpet_sink){ HPET_PIN, route };
}

static bool same(struct vhpet_sink a, struct vhpet_sink b)
{
	return a.kind == b.kind && a.number == b.number;
}

/* Does another timer hold the line high?  Timers may share a pin. */
static bool held_by_other(const struct vhpet *h, const struct vhpet_timer *t,
			  struct vhpet_sink line)
{
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		if (&h->timer[i] != t && same(h->timer[i].held, line))
			return true;
	return false;
}

static void set_line(struct vhpet *h, const struct vhpet_timer *t, struct vhpet_sink line,
		     bool level)
{
	if (line.kind == HPET_NOWHERE || held_by_other(h, t, line))
		return;
	if (line.kind == HPET_ISA)
		h->set_isa(h->ctx, line.number, level);
	else
		h->set_pin(h->ctx, line.number, level);
}

static void hold(struct vhpet *h, struct vhpet_timer *t, struct vhpet_sink line)
{
	if (same(t->held, line))
		return;
	set_line(h, t, t->held, false);
	set_line(h, t, line, true);
	t->held = line;
}

/* The line that the timer has to hold high. */
static struct vhpet_sink line_of(const struct vhpet *h, const struct vhpet_timer *t)
{
	const struct vhpet_sink sink = sink_of(h, t);
	const bool high = t->config & HPET_TN_LEVEL ?
		(h->status & BIT(index_of(h, t))) != 0 :
		sink.kind == HPET_ISA && same(t->held, sink);

	return high ? sink : (struct vhpet_sink){ HPET_NOWHERE, 0 };
}

void hpet_update_lines(struct vhpet *h)
{
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		hold(h, &h->timer[i], line_of(h, &h->timer[i]));
}

/*
 * An edge.  An 8259 forgets a request whose line drops before it is
 * acknowledged, so an ISA line stays high from one edge to just before the
 * next, as the 8254's output does.  The I/O APIC remembers an edge: its pin
 * is pulsed, so that it does no harm if the guest takes it for a level.
 */
static void pulse(struct vhpet *h, struct vhpet_timer *t)
{
	const struct vhpet_sink sink = sink_of(h, t);

	hold(h, t, (struct vhpet_sink){ HPET_NOWHERE, 0 });
	hold(h, t, sink);
	if (sink.kind != HPET_ISA)
		hold(h, t, (struct vhpet_sink){ HPET_NOWHERE, 0 });
}

static void match(struct vhpet *h, struct vhpet_timer *t)
{
	if (t->config & HPET_TN_LEVEL) {
		h->status |= (uint32_t)BIT(index_of(h, t));
		hold(h, t, line_of(h, t));
	} else {
		pulse(h, t);
	}
}

/* ---- what the caller does ------------------------------------------------------ */

void vhpet_advance(struct vhpet *h, uint64_t now)
{
	for (unsigned i = 0; i < HPET_TIMERS; i++) {
		struct vhpet_timer *t = &h->timer[i];

		/* Such a moment is never reached, also not by a wild `now`. */
		if (t->due == VTIME_NEVER || t->due > now)
			continue;
		match(h, t);
		move_on(t, now);
	}
}

/* Would a match be seen by anyone but a guest that looks? */
static bool speaks(const struct vhpet *h, const struct vhpet_timer *t)
{
	const bool waiting = (t->config & HPET_TN_LEVEL) && (h->status & BIT(index_of(h, t)));

	return sink_of(h, t).kind != HPET_NOWHERE && !waiting;
}

uint64_t vhpet_next(const struct vhpet *h)
{
	uint64_t next = VTIME_NEVER;

	for (unsigned i = 0; i < HPET_TIMERS; i++) {
		const struct vhpet_timer *t = &h->timer[i];

		if (speaks(h, t))
			next = min_u64(next, max_u64(t->due, t->not_before));
	}
	return next;
}
