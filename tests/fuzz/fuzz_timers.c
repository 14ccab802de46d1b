/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest can do to its timers (8254, port 0x61, MC146818, PM timer), in
 * any order, while time goes on.  Checked after each step: nothing is due in
 * the past, the line is as the device's registers say, and a device asks for
 * the hypervisor's timer no more often than its bound allows.
 */
#include <stdlib.h>
#include <string.h>

#include "vdev_pit.h"
#include "vdev_pm.h"
#include "vdev_rtc.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

#define STEP 8 /* bytes of input an action takes */
#define START_NS 1234567890123ULL
#define WALL_NS 1700000000000000000ULL
#define END_OF_TIME (200ULL * 366 * 86400 * 1000000000) /* years enough */

/* Timer events in a while: 8192 Hz of the RTC is the fastest rate there is. */
#define FASTEST_NS 100000ULL
#define SPAN_MASK 0x3FFFFFFULL /* 67 ms */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct vdev_bus bus;
	struct vpit pit;
	struct vrtc rtc;
	struct vpm pm;
	uint64_t ns;
	bool level[16];
	uint64_t armed[3]; /* what the hypervisor's timer knows: only rearm() says it */
	bool advancing;
} g;

static uint64_t now(void)
{
	return g.ns;
}

static uint64_t wall(void)
{
	return WALL_NS + g.ns;
}

static void arm(void)
{
	g.armed[0] = vpit_next(&g.pit);
	g.armed[1] = vrtc_next(&g.rtc);
	g.armed[2] = vpm_next(&g.pm);
}

static void rearm(void *ctx)
{
	(void)ctx;
	CHECK(!g.advancing);
	arm();
}

static void irq_set(void *ctx, unsigned irq, bool level)
{
	(void)ctx;
	CHECK((irq == 0 || irq == 8 || irq == 9) && level != g.level[irq]);
	g.level[irq] = level;
}

static void end(void *ctx, enum guest_end how, uint32_t value)
{
	(void)ctx;
	(void)value;
	CHECK(how < GUEST_EXIT_PORT);
}

static const struct vclock vclock = { now, wall, rearm, NULL };

static void power_on(void)
{
	memset(&g, 0, sizeof(g));
	g.ns = START_NS;
	vpit_init(&g.pit, &vclock, (struct irq_line){ irq_set, NULL, 0 });
	vrtc_init(&g.rtc, &vclock, (struct irq_line){ irq_set, NULL, 8 });
	vpm_init(&g.pm, now, end, NULL);
	vpm_connect_sci(&g.pm, &vclock, (struct irq_line){ irq_set, NULL, 9 });
	CHECK(vpit_add_to_bus(&g.pit, &g.bus) && vrtc_add_to_bus(&g.rtc, &g.bus) &&
	      vpm_add_to_bus(&g.pm, &g.bus, 0));
	arm();
}

/* ---- what must always be true ------------------------------------------------------ */

static void check_all(void)
{
	CHECK(g.armed[0] == vpit_next(&g.pit) && g.armed[1] == vrtc_next(&g.rtc) &&
	      g.armed[2] == vpm_next(&g.pm));
	CHECK(g.level[0] == g.pit.line && g.level[8] == g.rtc.line);
	CHECK(g.level[9] == !!(g.pm.status & g.pm.enable));
	CHECK(g.rtc.line == !!(g.rtc.flags & g.rtc.b & 0x70));
	for (unsigned i = 0; i < PIT_CHANNELS; i++) {
		const struct vpit_channel *c = &g.pit.channel[i];

		CHECK(c->mode <= 5 && c->reload <= 65536 && c->count <= 65536);
		CHECK(!c->loaded || c->count);
	}
}

/* ---- time -------------------------------------------------------------------------- */

static void advance(void)
{
	g.advancing = true;
	vpit_advance(&g.pit, g.ns);
	CHECK(vpit_next(&g.pit) > g.ns);
	vrtc_advance(&g.rtc, g.ns);
	CHECK(vrtc_next(&g.rtc) > g.ns);
	vpm_advance(&g.pm, g.ns);
	CHECK(vpm_next(&g.pm) > g.ns);
	g.advancing = false;
	arm();
}

/* As the hypervisor does: each event in time, and the guest serves the RTC's. */
static void run(uint64_t span)
{
	const uint64_t end = g.ns + span;
	uint64_t events = 0, next;

	while ((next = min_u64(min_u64(g.armed[0], g.armed[1]), g.armed[2])) <= end) {
		g.ns = max_u64(g.ns, next);
		advance();
		bus_port_write(&g.bus, 0x70, 1, 0xC);
		CHECK(!(bus_port_read(&g.bus, 0x71, 1) & 0x0F) && !g.level[8]);
		events++;
	}
	g.ns = end;
	CHECK(events <= 2 * (span / FASTEST_NS + 2));
}

/* The timer is late, or nobody asked for it. */
static void sleep_for(uint64_t span)
{
	g.ns = min_u64(g.ns + span, END_OF_TIME);
	advance();
}

/* ---- what a guest can do -------------------------------------------------------------- */

static const uint16_t ports[] = { 0x40, 0x41, 0x42, 0x43, 0x61, 0x600, 0x602, 0x608 };

static void access_port(const uint8_t *p, uint32_t value, bool write)
{
	const unsigned width = 1u << (p[1] & 3) % 3;
	const uint16_t port = ports[p[1] >> 2 & 7];

	if (write)
		bus_port_write(&g.bus, port, width, value);
	else
		CHECK(!((uint64_t)bus_port_read(&g.bus, port, width) >> 8 * width));
}

static void rtc_register(const uint8_t *p, bool write)
{
	bus_port_write(&g.bus, 0x70, 1, p[1] & 0x40 ? RTC_CENTURY : p[1] & 15u);
	if (write)
		bus_port_write(&g.bus, 0x71, 1, p[2]);
	else
		(void)bus_port_read(&g.bus, 0x71, 1);
}

static void program_pit(const uint8_t *p)
{
	const unsigned channel = p[1] % 3;

	bus_port_write(&g.bus, 0x43, 1, channel << 6 | (p[2] & 0x3Fu));
	bus_port_write(&g.bus, (uint16_t)(0x40 + channel), 1, p[3]);
	if (p[1] & 0x80)
		bus_port_write(&g.bus, (uint16_t)(0x40 + channel), 1, p[4]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t value;

	power_on();
	for (size_t i = 0; i + STEP <= size && g.ns < END_OF_TIME; i += STEP) {
		const uint8_t *p = data + i;

		memcpy(&value, p + 4, sizeof(value));
		switch (p[0] & 7) {
		case 0: access_port(p, value, false); break;
		case 1: access_port(p, value, true); break;
		case 2: rtc_register(p, p[0] & 8); break;
		case 3: rtc_register(p, true); break;
		case 4: program_pit(p); break;
		case 5: run(value & SPAN_MASK); break;
		case 6: sleep_for((uint64_t)value << (p[1] & 31)); break;
		default:
			g.ns += value & 0xFFFFF; /* no one is told until the next access */
			(void)bus_port_read(&g.bus, p[1] & 1 ? 0x40 : p[1] & 2 ? 0x71 : 0x600, 1);
			break;
		}
		if (p[0] == 0xFF && p[1] == 0xFF) {
			vpit_reset(&g.pit);
			vrtc_reset(&g.rtc);
			vpm_reset(&g.pm);
			arm();
		}
		check_all();
	}
	return 0;
}
