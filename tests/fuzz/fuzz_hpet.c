/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest at the virtual HPET: any accesses at any times, with a
 * hypervisor that calls when it was asked to, or late.  Lines are told by
 * changes only; a call is never asked for that has nothing to do again; the
 * guest cannot make the calls more frequent than the bound; whoever has to
 * know of a change is told.
 */
#include <stdlib.h>
#include <string.h>

#include "vdev_hpet.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

#define STEP 12 /* bytes of input an action takes */
#define BOUND_NS 100000
#define FAR (1ULL << 60)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct vdev_bus bus;
	struct vhpet h;
	uint64_t ns;
	bool told, pin[24], isa[16];
} g;

static uint64_t now_ns(void)
{
	return g.ns;
}

static void rearm(void *ctx)
{
	(void)ctx;
	g.told = true;
}

static const struct vclock vclock = { now_ns, now_ns, rearm, NULL };

static void set_pin(void *ctx, unsigned pin, bool level)
{
	(void)ctx;
	CHECK(pin < 24 && (0x00FF0104 >> pin & 1) && g.pin[pin] != level);
	g.pin[pin] = level;
}

static void set_isa(void *ctx, unsigned irq, bool level)
{
	(void)ctx;
	CHECK((irq == 0 || irq == 8) && g.isa[irq] != level);
	g.isa[irq] = level;
}

static void advance(void)
{
	vhpet_advance(&g.h, g.ns);
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		CHECK(g.h.timer[i].due > g.ns);
}

/* The calls that are asked for, for some time. */
static void run(unsigned calls)
{
	const uint64_t start = g.ns;

	for (unsigned i = 0; i < calls; i++) {
		const uint64_t next = vhpet_next(&g.h);

		if (next > g.ns + FAR)
			return;
		if (next > g.ns)
			g.ns = next;
		advance();
	}
	/* Each timer has been called for in vain once at most, by what was due at the start. */
	if (calls > 2 * HPET_TIMERS)
		CHECK(g.ns - start >= (calls / HPET_TIMERS - 1) * (uint64_t)BOUND_NS);
}

static void check_state(void)
{
	for (unsigned pin = 0; pin < 24; pin++) {
		bool held = false;

		for (unsigned i = 0; i < HPET_TIMERS; i++)
			held |= g.h.timer[i].held.kind == HPET_PIN &&
				g.h.timer[i].held.number == pin;
		CHECK(held == g.pin[pin]);
	}
	CHECK(vhpet_is_legacy(&g.h) || (!g.isa[0] && !g.isa[8]));
	CHECK((g.h.status & ~7U) == 0);
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		if (g.h.timer[i].config & 0x100)
			CHECK(((g.h.timer[i].comparator | g.h.timer[i].period) >> 32) == 0);
}

static void access_guest(const uint8_t *in, uint64_t value)
{
	static const uint16_t common[] = { 0x10, 0x20, 0xF0, 0x100, 0x108, 0x120, 0x128, 0x140,
					   0x148, 0x104, 0x10C, 0x2C };
	const unsigned width = 1U << (in[0] >> 2 & 3);
	const uint64_t next = vhpet_next(&g.h);
	const bool legacy = vhpet_is_legacy(&g.h);
	uint64_t reg = in[1] % 16 < 12 ? common[in[1] % 16] : (uint64_t)in[1] << 2 | in[2] >> 6;

	if (reg + width > HPET_WINDOW_SIZE)
		reg = HPET_WINDOW_SIZE - width;
	g.told = false;
	if (in[0] & 0x10)
		(void)bus_mmio_read(&g.bus, HPET_BASE + reg, width);
	else
		bus_mmio_write(&g.bus, HPET_BASE + reg, width, value);
	CHECK(g.told || (vhpet_next(&g.h) == next && vhpet_is_legacy(&g.h) == legacy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&g, 0, sizeof(g));
	g.ns = 1;
	vhpet_init(&g.h, &vclock, set_pin, set_isa, NULL);
	CHECK(vhpet_add_to_bus(&g.h, &g.bus));
	for (; size >= STEP && g.ns < FAR; data += STEP, size -= STEP) {
		uint64_t value;

		memcpy(&value, data + 4, sizeof(value));
		switch (data[0] & 3) {
		case 0:
			g.ns += value >> (data[1] % 64) & 0xFFFFFFFFFFFFF;
			if (data[2] & 1)
				advance();
			break;
		case 1:
			run(data[1]);
			break;
		default:
			access_guest(data, value);
			break;
		}
		check_state();
	}
	vhpet_reset(&g.h);
	for (unsigned pin = 0; pin < 24; pin++)
		CHECK(!g.pin[pin]);
	CHECK(!g.isa[0] && !g.isa[8] && vhpet_next(&g.h) == VTIME_NEVER);
	return 0;
}
