/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Motorola MC146818 (section names are from its data sheet).  The time,
 * UIP and the flags are computed when somebody asks; only interrupts that are
 * enabled, and not yet shown, make the clock's timer necessary.
 */
#include "vdev_rtc.h"

#include "guest_memory.h"
#include "kstring.h"
#include "rtc_time.h"

#define CRYSTAL_HZ 32768ULL

#define RTC_PORT 0x70
#define SELECT_MASK 0x7Fu /* bit 7 masks the NMI, and there is none to mask */

#define REG_ALARM_SECONDS 0x01
#define REG_ALARM_MINUTES 0x03
#define REG_ALARM_HOURS 0x05
#define REG_A 0x0A
#define REG_B 0x0B
#define REG_C 0x0C
#define REG_D 0x0D

#define A_UIP BIT(7)
#define A_DIVIDER 0x70u
#define A_DIVIDER_RUNS 0x20u /* for a crystal of 32768 Hz */
#define A_RATE 0x0Fu
#define A_FIRMWARE 0x26 /* runs; 1024 Hz */

#define B_SET BIT(7)
#define B_PIE BIT(6)
#define B_AIE BIT(5)
#define B_UIE BIT(4)
#define B_FIRMWARE RTC_B_24_HOURS

/* The flags of register C are where B has their enables. */
#define C_IRQF BIT(7)
#define C_PF BIT(6)
#define C_AF BIT(5)
#define C_UF BIT(4)

#define D_VALID 0x80u /* VRT: the battery was never empty */

/* UIP comes 244 us before the update cycle, which takes 1984 us ("update cycle"). */
#define UIP_NS (244000ULL + 1984000ULL)
/* When the divider is released the first update follows half a second later. */
#define RELEASED_NS (NS_PER_S / 2)

/* The fastest periodic interrupt, 8192 Hz, needs no bound of our own: a VM exit every 122 us. */
#define SLOWEST_RATE 15

/* Bytes of firmware; low byte first. */
#define CMOS_BASE_KIB 0x15
#define CMOS_EXTENDED_KIB 0x17
#define CMOS_CHECKSUM_FIRST 0x10
#define CMOS_CHECKSUM 0x2E /* of the bytes before it; high byte first */
#define CMOS_EXTENDED_KIB_FOUND 0x30
#define CMOS_ABOVE_16M 0x34 /* in units of 64 KiB */
#define CMOS_ABOVE_4G 0x5B  /* the same, in three bytes */

static bool divider_runs(const struct vrtc *r)
{
	return (r->a & A_DIVIDER) == A_DIVIDER_RUNS;
}

static bool updates(const struct vrtc *r)
{
	return divider_runs(r) && !(r->b & B_SET);
}

/* ---- the divider's time ------------------------------------------------------------ */

static uint64_t second_at(const struct vrtc *r, uint64_t now)
{
	return (now + r->phase) / NS_PER_S + r->seconds;
}

static uint64_t crystal_at(const struct vrtc *r, uint64_t now)
{
	const uint64_t t = now + r->phase;

	return t / NS_PER_S * CRYSTAL_HZ + t % NS_PER_S * CRYSTAL_HZ / NS_PER_S;
}

/* The first moment at which that crystal clock has been counted. */
static uint64_t ns_of_crystal(const struct vrtc *r, uint64_t clocks)
{
	return clocks / CRYSTAL_HZ * NS_PER_S +
	       (clocks % CRYSTAL_HZ * NS_PER_S + CRYSTAL_HZ - 1) / CRYSTAL_HZ - r->phase;
}

/* Crystal clocks between periodic interrupts ("rate selection"); 0: none. */
static uint32_t periodic_clocks(const struct vrtc *r)
{
	const unsigned rate = r->a & A_RATE;

	_Static_assert((1u << (SLOWEST_RATE - 1)) < CRYSTAL_HZ, "a second has whole periods");
	if (rate == 0 || !divider_runs(r))
		return 0;
	return rate <= 2 ? 1u << (rate + 6) : 1u << (rate - 1);
}

static uint64_t next_alarm(const struct vrtc *r)
{
	const struct rtc_alarm alarm = {
		.seconds = r->cmos[REG_ALARM_SECONDS],
		.minutes = r->cmos[REG_ALARM_MINUTES],
		.hours = r->cmos[REG_ALARM_HOURS],
	};

	return rtc_next_alarm(alarm, second_at(r, r->seen), r->b);
}

/* ---- flags and the line --------------------------------------------------------------- */

static uint8_t enabled(const struct vrtc *r)
{
	return r->b & (B_PIE | B_AIE | B_UIE);
}

static void update_line(struct vrtc *r)
{
	const bool level = r->flags & enabled(r);

	if (level == r->line)
		return;
	r->line = level;
	r->irq.set(r->irq.ctx, r->irq.irq, level);
}

/* Sets the flags of all that happened up to `now`. */
static void catch_up(struct vrtc *r, uint64_t now)
{
	const uint32_t period = periodic_clocks(r);

	if (now <= r->seen)
		return;
	if (period && crystal_at(r, now) / period != crystal_at(r, r->seen) / period)
		r->flags |= C_PF;
	if (updates(r) && second_at(r, now) != second_at(r, r->seen)) {
		r->flags |= C_UF;
		if (!(r->flags & C_AF) && next_alarm(r) <= second_at(r, now))
			r->flags |= C_AF;
	}
	r->seen = now;
}

uint64_t vrtc_next(const struct vrtc *r)
{
	const uint32_t period = periodic_clocks(r);
	uint64_t next = VTIME_NEVER;

	/* While the line is high nothing that happens is seen. */
	if (r->line)
		return VTIME_NEVER;
	if ((r->b & B_PIE) && period)
		next = ns_of_crystal(r, (crystal_at(r, r->seen) / period + 1) * period);
	if (!updates(r))
		return next;
	if (r->b & B_UIE)
		next = min_u64(next, ((r->seen + r->phase) / NS_PER_S + 1) * NS_PER_S - r->phase);
	if (r->b & B_AIE) {
		const uint64_t alarm = next_alarm(r);

		if (alarm != RTC_NO_ALARM)
			next = min_u64(next, (alarm - r->seconds) * NS_PER_S - r->phase);
	}
	return next;
}

void vrtc_advance(struct vrtc *r, uint64_t now)
{
	catch_up(r, now);
	update_line(r);
}

/* ---- setting and stopping the clock ------------------------------------------------------ */

static void set_time(struct vrtc *r, const uint8_t field[RTC_FIELDS], uint64_t now)
{
	/* The time of day may be less than the clock's: the difference wraps, and so does the sum. */
	r->seconds = rtc_decode(field, &r->weekday_shift, r->b) - (now + r->phase) / NS_PER_S;
}

static void set_control(struct vrtc *r, uint8_t a, uint8_t b, uint64_t now)
{
	const bool ran = updates(r), divided = divider_runs(r);

	if (ran)
		rtc_encode(r->stopped, second_at(r, now), r->weekday_shift, r->b);
	r->a = a & (uint8_t)~A_UIP;
	r->b = b;
	if (b & B_SET)
		r->b &= (uint8_t)~B_UIE; /* "the SET bit going high clears UIE" */
	if (!divided && divider_runs(r))
		r->phase = (RELEASED_NS + NS_PER_S - now % NS_PER_S) % NS_PER_S;
	/* A clock that runs on is the same whatever format shows it. */
	if (!ran && updates(r))
		set_time(r, r->stopped, now);
}

static bool update_in_progress(const struct vrtc *r, uint64_t now)
{
	return updates(r) && (now + r->phase) % NS_PER_S >= NS_PER_S - UIP_NS;
}

/* ---- registers ---------------------------------------------------------------------------- */

/* RTC_FIELDS: not a register that holds the time. */
static unsigned field_of(unsigned reg)
{
	static const uint8_t reg_of[RTC_FIELDS] = { 0, 2, 4, 6, 7, 8, 9, RTC_CENTURY };
	unsigned f = 0;

	while (f < RTC_FIELDS && reg_of[f] != reg)
		f++;
	return f;
}

static uint8_t read_field(const struct vrtc *r, unsigned f, uint64_t now)
{
	uint8_t field[RTC_FIELDS];

	if (!updates(r))
		return r->stopped[f];
	rtc_encode(field, second_at(r, now), r->weekday_shift, r->b);
	return field[f];
}

static void write_field(struct vrtc *r, unsigned f, uint8_t v, uint64_t now)
{
	uint8_t field[RTC_FIELDS];

	if (!updates(r)) {
		r->stopped[f] = v;
		return;
	}
	rtc_encode(field, second_at(r, now), r->weekday_shift, r->b);
	field[f] = v;
	set_time(r, field, now);
}

static uint8_t read_flags(struct vrtc *r)
{
	const uint8_t v = r->flags;

	r->flags = 0;
	return (uint8_t)(v | (v & enabled(r) ? C_IRQF : 0));
}

static uint8_t read_register(struct vrtc *r, uint64_t now)
{
	const unsigned reg = r->select & SELECT_MASK;
	const unsigned f = field_of(reg);

	if (f < RTC_FIELDS)
		return read_field(r, f, now);
	switch (reg) {
	case REG_A: return (uint8_t)(r->a | (update_in_progress(r, now) ? A_UIP : 0));
	case REG_B: return r->b;
	case REG_C: return read_flags(r);
	case REG_D: return D_VALID;
	default: return r->cmos[reg];
	}
}

static void write_register(struct vrtc *r, uint8_t v, uint64_t now)
{
	const unsigned reg = r->select & SELECT_MASK;
	const unsigned f = field_of(reg);

	if (f < RTC_FIELDS) {
		write_field(r, f, v, now);
		return;
	}
	switch (reg) {
	case REG_A:
		set_control(r, v, r->b, now);
		break;
	case REG_B:
		set_control(r, r->a, v, now);
		break;
	case REG_C: /* read-only */
	case REG_D:
		break;
	default:
		r->cmos[reg] = v;
		break;
	}
}

static void finish(struct vrtc *r, uint64_t before)
{
	update_line(r);
	if (vrtc_next(r) != before)
		r->clock->rearm(r->clock->ctx);
}

static uint32_t rtc_read(void *dev, uint16_t port, unsigned size)
{
	struct vrtc *r = dev;
	const uint64_t before = vrtc_next(r), now = r->clock->now_ns();
	uint32_t v = 0;

	vrtc_advance(r, now);
	for (unsigned i = 0; i < size; i++) {
		const uint8_t byte = port + i == RTC_PORT ? r->select : read_register(r, now);

		v |= (uint32_t)byte << 8 * i;
	}
	finish(r, before);
	return v;
}

static void rtc_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct vrtc *r = dev;
	const uint64_t before = vrtc_next(r), now = r->clock->now_ns();

	vrtc_advance(r, now);
	for (unsigned i = 0; i < size; i++) {
		const uint8_t byte = (uint8_t)(value >> 8 * i);

		if (port + i == RTC_PORT)
			r->select = byte;
		else
			write_register(r, byte, now);
	}
	finish(r, before);
}

/* ---- set-up --------------------------------------------------------------------------------- */

static void store(struct vrtc *r, unsigned at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		r->cmos[at + i] = (uint8_t)(v >> 8 * i);
}

void vrtc_set_memory(struct vrtc *r, uint64_t ram_bytes)
{
	const uint64_t low = guest_low_ram_end(ram_bytes), high = ram_bytes - low;
	const uint64_t extended = low > MIB(1) ? min_u64((low - MIB(1)) / KIB(1), UINT16_MAX) : 0;
	const uint64_t above_16m =
		low > MIB(16) ? min_u64((low - MIB(16)) / KIB(64), UINT16_MAX) : 0;
	unsigned sum = 0;

	store(r, CMOS_BASE_KIB, min_u64(low / KIB(1), 640), 2);
	store(r, CMOS_EXTENDED_KIB, extended, 2);
	store(r, CMOS_EXTENDED_KIB_FOUND, extended, 2);
	store(r, CMOS_ABOVE_16M, above_16m, 2);
	store(r, CMOS_ABOVE_4G, min_u64(high / KIB(64), 0xFFFFFF), 3);
	for (unsigned i = CMOS_CHECKSUM_FIRST; i < CMOS_CHECKSUM; i++)
		sum += r->cmos[i];
	r->cmos[CMOS_CHECKSUM] = (uint8_t)(sum >> 8);
	r->cmos[CMOS_CHECKSUM + 1] = (uint8_t)sum;
}

void vrtc_reset(struct vrtc *r)
{
	const uint64_t now = r->clock->now_ns();

	catch_up(r, now);
	set_control(r, A_FIRMWARE, B_FIRMWARE, now);
	r->flags = 0;
	r->select = 0;
	update_line(r);
}

void vrtc_init(struct vrtc *r, const struct vclock *clock, struct irq_line irq)
{
	const uint64_t now = clock->now_ns(), wall = clock->wall_ns();

	memset(r, 0, sizeof(*r));
	r->clock = clock;
	r->irq = irq;
	r->a = A_FIRMWARE;
	r->b = B_FIRMWARE;
	r->phase = (wall % NS_PER_S + NS_PER_S - now % NS_PER_S) % NS_PER_S;
	r->seconds = RTC_UNIX_EPOCH + wall / NS_PER_S - (now + r->phase) / NS_PER_S;
	r->seen = now;
}

bool vrtc_add_to_bus(struct vrtc *r, struct vdev_bus *bus)
{
	return bus_add_ports(bus, RTC_PORT, 2, r, rtc_read, rtc_write);
}
