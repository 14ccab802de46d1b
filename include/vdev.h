/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual devices and the bus they hang on.  Device models are pure state
 * machines: they know neither the hypervisor nor the hardware, only the
 * callbacks they are given.  All calls for one guest are made under that
 * guest's device lock.
 */
#ifndef BULKHEAD_VDEV_H
#define BULKHEAD_VDEV_H

#include "types.h"

struct vclock;

/* ---- the bus ---------------------------------------------------------- */

/* `size` is 1, 2 or 4; `port` is inside the range that was registered. */
typedef uint32_t (*port_read_fn)(void *dev, uint16_t port, unsigned size);
typedef void (*port_write_fn)(void *dev, uint16_t port, unsigned size, uint32_t value);
/* `size` is 1, 2, 4 or 8; `offset` counts from the start of the range. */
typedef uint64_t (*mmio_read_fn)(void *dev, uint64_t offset, unsigned size);
typedef void (*mmio_write_fn)(void *dev, uint64_t offset, unsigned size, uint64_t value);

#define BUS_MAX_PORTS 24
#define BUS_MAX_MMIO 8

struct port_range {
	uint16_t first, last;
	void *dev;
	port_read_fn read;
	port_write_fn write;
};

struct mmio_range {
	uint64_t base, size;
	void *dev;
	mmio_read_fn read;
	mmio_write_fn write;
};

struct vdev_bus {
	struct port_range ports[BUS_MAX_PORTS];
	unsigned n_ports;
	struct mmio_range mmio[BUS_MAX_MMIO];
	unsigned n_mmio;
	uint64_t denied_ports; /* accesses that no device claimed */
	uint64_t denied_mmio;
};

/* At set-up only; false when the table is full or the range overlaps another. */
bool bus_add_ports(struct vdev_bus *bus, uint16_t first, uint16_t count, void *dev,
		   port_read_fn read, port_write_fn write);
bool bus_add_mmio(struct vdev_bus *bus, uint64_t base, uint64_t size, void *dev,
		  mmio_read_fn read, mmio_write_fn write);

/*
 * An access that starts inside a range but runs past its end, or that no
 * range claims, is split into bytes; unclaimed bytes read as 0xFF, are
 * swallowed on writes and counted once per access.
 */
uint32_t bus_port_read(struct vdev_bus *bus, uint16_t port, unsigned size);
void bus_port_write(struct vdev_bus *bus, uint16_t port, unsigned size, uint32_t value);
uint64_t bus_mmio_read(struct vdev_bus *bus, uint64_t gpa, unsigned size);
void bus_mmio_write(struct vdev_bus *bus, uint64_t gpa, unsigned size, uint64_t value);

/* An interrupt line from a device: `set` gets the level on every change. */
struct irq_line {
	void (*set)(void *ctx, unsigned irq, bool level);
	void *ctx;
	unsigned irq; /* ISA IRQ number */
};

/* ---- 16550A ----------------------------------------------------------- */

struct uart_ops {
	bool (*put)(void *ctx, uint8_t byte); /* false: no room */
	bool (*room)(void *ctx);
	int (*get)(void *ctx); /* -1: nothing */
	size_t (*pending)(void *ctx);
	void (*overrun)(void *ctx); /* the guest wrote to a full transmitter */
	/* Shall bytes leave at the rate that the divisor says?  NULL: no.  Needs a clock. */
	bool (*paced)(void *ctx);
};

#define UART_FIFO 16

struct uart16550 {
	const struct uart_ops *ops;
	void *ctx;
	struct irq_line irq;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t lsr_errors, msr_delta;
	bool thr_empty;    /* nothing waits for the console and the console has room */
	bool thre_pending; /* the THR-empty interrupt is due */
	bool irq_level;
	uint8_t rx[UART_FIFO], rx_head, rx_count;
	uint8_t tx[UART_FIFO], tx_head, tx_count;
	/* Pacing, in nanoseconds of the clock. */
	const struct vclock *clock; /* NULL: time does not matter */
	bool paced;		    /* the bytes in `tx` leave by time */
	uint64_t tx_ready;	    /* when the shift register takes the next byte */
	uint64_t wake_at;	    /* when uart16550_update is due: VTIME_NEVER or earlier */
};

void uart16550_init(struct uart16550 *u, const struct uart_ops *ops, void *ctx,
		    struct irq_line irq);
/* The state after a hardware reset; the line drops. */
void uart16550_reset(struct uart16550 *u);
uint32_t uart16550_read(void *dev, uint16_t port, unsigned size);
void uart16550_write(void *dev, uint16_t port, unsigned size, uint32_t value);
/* For uart_ops.paced.  At set-up only. */
void uart16550_set_clock(struct uart16550 *u, const struct vclock *clock);
/* When uart16550_advance is due; VTIME_NEVER: not at all. */
uint64_t uart16550_next(const struct uart16550 *u);
void uart16550_advance(struct uart16550 *u, uint64_t now);
/*
 * The guest has ended: what it wrote goes to the console as far as there is
 * room, whatever the rate; no interrupt comes of it.  May be called again.
 */
void uart16550_flush(struct uart16550 *u);
/* Input arrived or the transmitter has room again: moves bytes, updates the line. */
void uart16550_update(struct uart16550 *u);

#endif
