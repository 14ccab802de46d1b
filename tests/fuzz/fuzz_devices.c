/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest at all of its devices: any port, register, MSR and line in
 * any order, with the wiring of a real guest.  The fake local APIC aborts on
 * a write that would fault on the real machine.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_apic.h"
#include "vdev_irq.h"
#include "vdev_pm.h"
#include "x86.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

#define STEP 8 /* bytes of input an action takes */
#define RTE_LEVEL BIT(15)
#define RTE_REMOTE_IRR BIT(14)
#define RTE_MASKED BIT(16)
#define RTE_RESERVED (~(0xFF00000000000000ULL | (BIT(17) - 1)) | BIT(12))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct vdev_bus bus;
	struct pic pic;
	struct vioapic io;
	struct vpm pm;
	struct uart16550 uart;
	struct vlapic lapic;
	uint64_t ns;
	bool pic_level, irq_level[16];
} g;

/* ---- the wiring -------------------------------------------------------------- */

static void irq_set(void *ctx, unsigned irq, bool level)
{
	(void)ctx;
	CHECK(irq < 16 && level != g.irq_level[irq]);
	g.irq_level[irq] = level;
	pic_set_irq(&g.pic, irq, level);
	vioapic_set_pin(&g.io, irq ? irq : 2, level);
}

static void deliver(const struct apic_message *m)
{
	const uint32_t bit = (uint32_t)BIT(m->vector % 32);

	CHECK(m->delivery < 8);
	if (m->delivery > APIC_LOWEST || !vlapic_software_enabled(&g.lapic))
		return;
	if (m->vector < APIC_FIRST_VECTOR) {
		vlapic_error(&g.lapic, ESR_RECEIVE_ILLEGAL_VECTOR);
		return;
	}
	if (m->level)
		g.lapic.tmr[m->vector / 32] |= bit;
	else
		g.lapic.tmr[m->vector / 32] &= ~bit;
	fake_apic_serve(m->vector);
}

static void pic_output(void *ctx, bool level)
{
	struct apic_message m;

	(void)ctx;
	CHECK(level != g.pic_level);
	g.pic_level = level;
	if (level && vlapic_lint0_message(&g.lapic, &m))
		deliver(&m);
}

static void io_send(void *ctx, const struct apic_message *m)
{
	(void)ctx;
	CHECK(m->delivery <= APIC_LOWEST || m->delivery == APIC_NMI || m->delivery == APIC_INIT);
	CHECK(m->dest <= 0xFF && !m->x2apic);
	CHECK(!m->level || m->delivery <= APIC_LOWEST);
	if (vlapic_matches(&g.lapic, m))
		deliver(m);
}

static void lapic_send(void *ctx, const struct apic_message *m, unsigned shorthand)
{
	(void)ctx;
	CHECK(shorthand <= SHORT_OTHERS && !m->level);
	CHECK(m->x2apic || m->dest <= 0xFF);
	if (shorthand == SHORT_SELF || (shorthand == SHORT_NONE && vlapic_matches(&g.lapic, m)))
		deliver(m);
}

static void lapic_eoi(void *ctx, uint8_t vector)
{
	(void)ctx;
	CHECK(!(g.lapic.tmr[vector / 32] & BIT(vector % 32)));
	vioapic_eoi(&g.io, vector);
}

static uint64_t now(void)
{
	return g.ns;
}

static void end(void *ctx, enum guest_end how, uint32_t value)
{
	(void)ctx;
	(void)value;
	CHECK(how <= GUEST_EXIT_PORT);
}

/* A console that swallows everything. */
static bool con_put(void *ctx, uint8_t byte)
{
	(void)byte;
	return !ctx;
}

static bool con_room(void *ctx)
{
	return !ctx;
}

static int con_get(void *ctx)
{
	return ctx ? 0 : -1;
}

static size_t con_pending(void *ctx)
{
	return ctx ? 1 : 0;
}

static void con_overrun(void *ctx)
{
	CHECK(!ctx);
}

static const struct uart_ops uart_ops = { con_put, con_room, con_get, con_pending, con_overrun };

static void power_on(void)
{
	memset(&g, 0, sizeof(g));
	fake_apic_reset();
	pic_init(&g.pic, pic_output, NULL);
	vioapic_init(&g.io, 1, io_send, NULL);
	uart16550_init(&g.uart, &uart_ops, NULL, (struct irq_line){ irq_set, NULL, 4 });
	vpm_init(&g.pm, now, end, NULL);
	g.lapic.send = lapic_send;
	g.lapic.eoi = lapic_eoi;
	vlapic_reset(&g.lapic, false);
	CHECK(pic_add_to_bus(&g.pic, &g.bus) && vpm_add_to_bus(&g.pm, &g.bus, 0xF4) &&
	      bus_add_ports(&g.bus, 0x3F8, 8, &g.uart, uart16550_read, uart16550_write) &&
	      bus_add_mmio(&g.bus, IOAPIC_BASE, IOAPIC_WINDOW_SIZE, &g.io, vioapic_read,
			   vioapic_write));
}

/* ---- what must always be true --------------------------------------------------- */

static void check_ioapic(void)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		const uint64_t rte = g.io.rte[pin];
		const bool level = (rte & RTE_LEVEL) && (rte >> 8 & 7) <= APIC_LOWEST;

		CHECK(!(rte & RTE_RESERVED));
		CHECK(!(rte & RTE_REMOTE_IRR) || (rte & RTE_LEVEL));
		/* An active level was sent, or is masked. */
		if (level && !(rte & RTE_MASKED) && (g.io.lines & BIT(pin)))
			CHECK(rte & RTE_REMOTE_IRR);
	}
	CHECK(!(g.io.lines >> IOAPIC_PINS));
}

static void check_lapic(void)
{
	const uint64_t mode = g.lapic.base_msr & (APIC_BASE_ENABLE | APIC_BASE_X2APIC);

	CHECK(mode != APIC_BASE_X2APIC);
	CHECK((g.lapic.base_msr & ~(mode | APIC_BASE_BSP)) == APIC_BASE_ADDRESS);
	CHECK(!(g.lapic.icr_low & BIT(12)));
	CHECK(!((g.lapic.esr | g.lapic.esr_new) & ~0xE0u));
	for (unsigned i = 0; i < 6; i++)
		CHECK((g.lapic.svr & APIC_SVR_ENABLE) || (g.lapic.lvt[i] & APIC_LVT_MASKED));
	/* The physical timer fires only as the guest's own LVT says. */
	CHECK(g.lapic.lvt[0] == fake_apic.regs[APIC_LVT_TIMER / 16]);
}

static void check_all(void)
{
	CHECK(g.pic.out_level == g.pic_level);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(g.pic.chip[i].priority < 8 && g.pic.chip[i].init_step <= 4);
		CHECK(!(g.pic.chip[i].vector_base & 7));
		CHECK(!(g.pic.chip[i].elcr & ~g.pic.chip[i].elcr_mask));
	}
	CHECK(!(g.pm.control & ~0x1C03u) && !(g.pm.enable & ~0x0721u));
	check_ioapic();
	check_lapic();
}

/* ---- what a guest can do ---------------------------------------------------------- */

static const uint16_t ports[] = { 0x20, 0x21, 0x64, 0x92, 0xA0, 0xA1, 0xF4, 0x3F8, 0x3FD,
				  0x4D0, 0x4D1, 0x600, 0x602, 0x604, 0x608, 0xCF8 };

static void port_access(const uint8_t *p, uint32_t value, bool write)
{
	const unsigned width = 1u << (p[1] & 3) % 3;
	uint16_t port = (uint16_t)(ports[p[1] >> 4] + (p[2] & 3));

	if (p[2] & 0x80)
		port = (uint16_t)(p[2] << 8 | p[3]);
	if (write)
		bus_port_write(&g.bus, port, width, value);
	else
		CHECK(!((uint64_t)bus_port_read(&g.bus, port, width) >> 8 * width));
}

static void mmio_access(const uint8_t *p, uint32_t value, bool write)
{
	const unsigned width = 1u << (p[1] & 3);
	uint64_t gpa = IOAPIC_BASE + (p[2] & 0x70u) + (p[1] >> 6);

	if (p[2] & 0x80)
		gpa += (uint64_t)(int64_t)(int8_t)p[3] * 16;
	if (write)
		bus_mmio_write(&g.bus, gpa, width, value);
	else
		(void)bus_mmio_read(&g.bus, gpa, width);
}

static void lapic_access(const uint8_t *p, uint32_t value, bool write)
{
	const uint32_t msr = MSR_X2APIC_FIRST + p[2];
	uint64_t v = p[1] & 2 ? value : (uint64_t)p[3] << 32 | value;
	const uint32_t offset = p[2] * 16u + (p[1] >> 4);

	if (p[1] & 1)
		(void)(write ? vlapic_msr_write(&g.lapic, msr, v)
			     : vlapic_msr_read(&g.lapic, msr, &v));
	else if (!vlapic_is_enabled(&g.lapic) || vlapic_is_x2apic(&g.lapic))
		return; /* no page to reach */
	else if (write)
		vlapic_mmio_write(&g.lapic, offset, value);
	else
		(void)vlapic_mmio_read(&g.lapic, offset);
}

static void other_action(const uint8_t *p, uint32_t value)
{
	const unsigned irq = p[2] % 16;

	switch (p[1] & 7) {
	case 0:
		(void)pic_acknowledge(&g.pic); /* a spurious one, too */
		break;
	case 1:
	case 2:
		if (irq != 4)
			irq_set(NULL, irq, !g.irq_level[irq]);
		break;
	case 3:
		(void)vlapic_write_base(&g.lapic, APIC_BASE_ADDRESS | (p[2] & 0xFu) << 8 | p[3],
					p[1] & 8);
		break;
	case 4:
		vlapic_reset(&g.lapic, true);
		apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED); /* as apic_reset_cpu does */
		apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED);
		break;
	case 5:
		g.ns += value;
		break;
	default:
		uart16550_update(&g.uart);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t value;

	power_on();
	for (size_t i = 0; i + STEP <= size; i += STEP) {
		const uint8_t *p = data + i;

		memcpy(&value, p + 4, sizeof(value));
		switch (p[0] & 7) {
		case 0: port_access(p, value, false); break;
		case 1:
		case 2: port_access(p, value, true); break;
		case 3: mmio_access(p, value, p[0] & 8); break;
		case 4: mmio_access(p, value, true); break;
		case 5: lapic_access(p, value, p[0] & 8); break;
		case 6: lapic_access(p, value, true); break;
		default: other_action(p, value); break;
		}
		check_all();
	}
	return 0;
}
