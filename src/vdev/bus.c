/* SPDX-License-Identifier: BSD-2-Clause */
#include "vdev.h"

bool bus_add_ports(struct vdev_bus *bus, uint16_t first, uint16_t count, void *dev,
		   port_read_fn read, port_write_fn write)
{
	const uint32_t last = (uint32_t)first + count - 1;

	if (bus->n_ports == BUS_MAX_PORTS || count == 0 || last > 0xFFFF)
		return false;
	for (unsigned i = 0; i < bus->n_ports; i++)
		if (first <= bus->ports[i].last && last >= bus->ports[i].first)
			return false;
	bus->ports[bus->n_ports++] =
		(struct port_range){ first, (uint16_t)last, dev, read, write };
	return true;
}

bool bus_add_mmio(struct vdev_bus *bus, uint64_t base, uint64_t size, void *dev,
		  mmio_read_fn read, mmio_write_fn write)
{
	if (bus->n_mmio == BUS_MAX_MMIO || size == 0 || base + size < base)
		return false;
	for (unsigned i = 0; i < bus->n_mmio; i++)
		if (base < bus->mmio[i].base + bus->mmio[i].size &&
		    bus->mmio[i].base < base + size)
			return false;
	bus->mmio[bus->n_mmio++] = (struct mmio_range){ base, size, dev, read, write };
	return true;
}

/* The range that holds all `size` ports from `port` on, or NULL. */
static const struct port_range *find_port(const struct vdev_bus *bus, uint32_t port, unsigned size)
{
	for (unsigned i = 0; i < bus->n_ports; i++)
		if (port >= bus->ports[i].first && port + size - 1 <= bus->ports[i].last)
			return &bus->ports[i];
	return NULL;
}

uint32_t bus_port_read(struct vdev_bus *bus, uint16_t port, unsigned size)
{
	const struct port_range *r = find_port(bus, port, size);
	uint32_t value = 0;
	bool denied = false;

	if (r)
		return r->read(r->dev, port, size);
	for (unsigned i = 0; i < size; i++) {
		r = find_port(bus, port + i, 1);
		denied |= !r;
		value |= (r ? r->read(r->dev, (uint16_t)(port + i), 1) & 0xFF : 0xFF) << 8 * i;
	}
	bus->denied_ports += denied;
	return value;
}

void bus_port_write(struct vdev_bus *bus, uint16_t port, unsigned size, uint32_t value)
{
	const struct port_range *r = find_port(bus, port, size);
	bool denied = false;

	if (r) {
		r->write(r->dev, port, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		r = find_port(bus, port + i, 1);
		denied |= !r;
		if (r)
			r->write(r->dev, (uint16_t)(port + i), 1, value >> 8 * i & 0xFF);
	}
	bus->denied_ports += denied;
}

static const struct mmio_range *find_mmio(const struct vdev_bus *bus, uint64_t gpa, unsigned size)
{
	for (unsigned i = 0; i < bus->n_mmio; i++)
		if (gpa >= bus->mmio[i].base && gpa - bus->mmio[i].base < bus->mmio[i].size &&
		    size <= bus->mmio[i].size - (gpa - bus->mmio[i].base))
			return &bus->mmio[i];
	return NULL;
}

uint64_t bus_mmio_read(struct vdev_bus *bus, uint64_t gpa, unsigned size)
{
	const struct mmio_range *r = find_mmio(bus, gpa, size);
	uint64_t value = 0;
	bool denied = false;

	if (r)
		return r->read(r->dev, gpa - r->base, size);
	for (unsigned i = 0; i < size; i++) {
		r = find_mmio(bus, gpa + i, 1);
		denied |= !r;
		value |= (r ? r->read(r->dev, gpa + i - r->base, 1) & 0xFF : 0xFF) << 8 * i;
	}
	bus->denied_mmio += denied;
	return value;
}

void bus_mmio_write(struct vdev_bus *bus, uint64_t gpa, unsigned size, uint64_t value)
{
	const struct mmio_range *r = find_mmio(bus, gpa, size);
	bool denied = false;

	if (r) {
		r->write(r->dev, gpa - r->base, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		r = find_mmio(bus, gpa + i, 1);
		denied |= !r;
		if (r)
			r->write(r->dev, gpa + i - r->base, 1, value >> 8 * i & 0xFF);
	}
	bus->denied_mmio += denied;
}
