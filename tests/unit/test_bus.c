/* SPDX-License-Identifier: BSD-2-Clause */
/* The port and MMIO bus: who gets an access, and what nobody gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vdev.h"

/* A device that remembers its last access and answers with its tag in every byte. */
struct probe {
	uint8_t tag;
	unsigned reads, writes, size;
	uint64_t at, value;
};

static struct vdev_bus bus;
static struct probe a, b;

static uint64_t answer(const struct probe *p, unsigned size)
{
	return p->tag * 0x0101010101010101ULL >> (64 - 8 * size);
}

static uint32_t port_read(void *dev, uint16_t port, unsigned size)
{
	struct probe *p = dev;

	p->reads++;
	p->at = port;
	p->size = size;
	return (uint32_t)answer(p, size);
}

static void port_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct probe *p = dev;

	p->writes++;
	p->at = port;
	p->size = size;
	p->value = value;
}

static uint64_t mmio_read(void *dev, uint64_t offset, unsigned size)
{
	struct probe *p = dev;

	p->reads++;
	p->at = offset;
	p->size = size;
	return answer(p, size);
}

static void mmio_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct probe *p = dev;

	p->writes++;
	p->at = offset;
	p->size = size;
	p->value = value;
}

static bool add_ports(uint16_t first, uint16_t count, struct probe *p)
{
	return bus_add_ports(&bus, first, count, p, port_read, port_write);
}

static bool add_mmio(uint64_t base, uint64_t size, struct probe *p)
{
	return bus_add_mmio(&bus, base, size, p, mmio_read, mmio_write);
}

static int setup(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	a = (struct probe){ .tag = 0xA1 };
	b = (struct probe){ .tag = 0xB2 };
	return 0;
}

static void test_ports_reach_their_device(void **state)
{
	(void)state;
	assert_true(add_ports(0x100, 4, &a));
	assert_true(add_ports(0x104, 4, &b));
	assert_int_equal(bus_port_read(&bus, 0x103, 1), 0xA1);
	assert_int_equal(bus_port_read(&bus, 0x104, 4), 0xB2B2B2B2);
	assert_int_equal(b.at, 0x104);
	assert_int_equal(b.size, 4);
	bus_port_write(&bus, 0x102, 2, 0x1234);
	assert_int_equal(a.at, 0x102);
	assert_int_equal(a.value, 0x1234);
	assert_int_equal(bus.denied_ports, 0);
}

static void test_unclaimed_ports_read_as_ones(void **state)
{
	(void)state;
	assert_true(add_ports(0x100, 4, &a));
	assert_int_equal(bus_port_read(&bus, 0x99, 1), 0xFF);
	assert_int_equal(bus_port_read(&bus, 0x104, 2), 0xFFFF);
	assert_int_equal(bus_port_read(&bus, 0, 4), 0xFFFFFFFF);
	bus_port_write(&bus, 0x104, 4, 0);
	assert_int_equal(a.reads + a.writes, 0);
	assert_int_equal(bus.denied_ports, 4);
}

static void test_port_access_over_borders_is_split(void **state)
{
	(void)state;
	assert_true(add_ports(0x100, 2, &a));
	assert_true(add_ports(0x102, 1, &b));
	/* Two devices and one hole: counted once. */
	assert_int_equal(bus_port_read(&bus, 0x100, 4), 0xFFB2A1A1);
	assert_int_equal(a.reads, 2);
	assert_int_equal(a.size, 1);
	assert_int_equal(bus.denied_ports, 1);
	bus_port_write(&bus, 0x101, 2, 0x55CC);
	assert_int_equal(a.at, 0x101);
	assert_int_equal(a.value, 0xCC);
	assert_int_equal(b.value, 0x55);
	assert_int_equal(bus.denied_ports, 1);
}

static void test_last_port(void **state)
{
	(void)state;
	assert_true(add_ports(0xFFFF, 1, &a));
	assert_true(add_ports(0, 1, &b));
	/* What lies behind port FFFFh is not port 0. */
	assert_int_equal(bus_port_read(&bus, 0xFFFF, 4), 0xFFFFFFA1);
	bus_port_write(&bus, 0xFFFE, 4, 0x44332211);
	assert_int_equal(a.value, 0x22);
	assert_int_equal(b.reads + b.writes, 0);
}

static void test_bad_port_ranges_are_refused(void **state)
{
	(void)state;
	assert_false(add_ports(0x100, 0, &a));
	assert_false(add_ports(0xFFFF, 2, &a));
	assert_true(add_ports(0x100, 8, &a));
	assert_false(add_ports(0x107, 1, &b));
	assert_false(add_ports(0xFF, 2, &b));
	assert_false(add_ports(0x102, 1, &b));
	assert_false(add_ports(0x80, 0x200, &b));
	assert_true(add_ports(0xFF, 1, &b));
	for (unsigned i = bus.n_ports; i < BUS_MAX_PORTS; i++)
		assert_true(add_ports((uint16_t)(0x200 + i), 1, &b));
	assert_false(add_ports(0x400, 1, &b));
}

static void test_mmio(void **state)
{
	(void)state;
	assert_true(add_mmio(0xFEC00000, 0x1000, &a));
	assert_true(add_mmio(0xFEC01000, 0x10, &b));
	assert_true(bus_mmio_read(&bus, 0xFEC00FF8, 8) == 0xA1A1A1A1A1A1A1A1);
	assert_int_equal(a.at, 0xFF8);
	/* Over the border between two devices, and over the end. */
	assert_true(bus_mmio_read(&bus, 0xFEC00FFC, 8) == 0xB2B2B2B2A1A1A1A1);
	assert_int_equal(bus.denied_mmio, 0);
	assert_true(bus_mmio_read(&bus, 0xFEC0100E, 4) == 0xFFFFB2B2);
	assert_int_equal(bus.denied_mmio, 1);
	bus_mmio_write(&bus, 0xFEC0100F, 8, 0x1122334455667788);
	assert_int_equal(b.value, 0x88);
	assert_int_equal(b.at, 0xF);
	bus_mmio_write(&bus, 0xFEC00010, 4, 0xDEADBEEF);
	assert_int_equal(a.value, 0xDEADBEEF);
	assert_int_equal(bus.denied_mmio, 2);
	assert_true(bus_mmio_read(&bus, 0xFEBFFFFF, 1) == 0xFF);
}

/* Addresses that wrap around must neither match a range nor be added as one. */
static void test_mmio_wrap(void **state)
{
	(void)state;
	assert_false(add_mmio(~0ULL - 10, 12, &a));
	assert_false(add_mmio(0x1000, 0, &a));
	assert_true(add_mmio(0x100, 8, &a));
	assert_true(bus_mmio_read(&bus, ~0ULL - 1, 4) == 0xFFFFFFFF);
	bus_mmio_write(&bus, ~0ULL - 1, 4, 0);
	assert_int_equal(a.reads + a.writes, 0);
	assert_int_equal(bus.denied_mmio, 2);
}

/* A range just above 0 and an access just below 2^64: their distance overflows. */
static void test_mmio_distance_overflow(void **state)
{
	(void)state;
	assert_true(add_mmio(2, 8, &a));
	assert_true(bus_mmio_read(&bus, ~0ULL - 2, 8) == 0xA1A1A1FFFFFFFFFF);
	assert_int_equal(a.size, 1);
	assert_true(bus_mmio_read(&bus, 1, 2) == 0xA1FF);
	assert_int_equal(a.at, 0);
}

static void test_bad_mmio_ranges_are_refused(void **state)
{
	(void)state;
	assert_true(add_mmio(0x10000, 0x1000, &a));
	assert_false(add_mmio(0x10FFF, 1, &b));
	assert_false(add_mmio(0xF000, 0x1001, &b));
	assert_false(add_mmio(0, 0x100000, &b));
	for (unsigned i = bus.n_mmio; i < BUS_MAX_MMIO; i++)
		assert_true(add_mmio(0x100000 + i * 0x1000, 0x1000, &b));
	assert_false(add_mmio(0x200000, 0x1000, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports_reach_their_device, setup),
		cmocka_unit_test_setup(test_unclaimed_ports_read_as_ones, setup),
		cmocka_unit_test_setup(test_port_access_over_borders_is_split, setup),
		cmocka_unit_test_setup(test_last_port, setup),
		cmocka_unit_test_setup(test_bad_port_ranges_are_refused, setup),
		cmocka_unit_test_setup(test_mmio, setup),
		cmocka_unit_test_setup(test_mmio_wrap, setup),
		cmocka_unit_test_setup(test_mmio_distance_overflow, setup),
		cmocka_unit_test_setup(test_bad_mmio_ranges_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
