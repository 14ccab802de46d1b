/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial port that the firmware uses as console: the SPCR table (Microsoft, revisions 1 and 2). */
#include "acpi_spcr.h"
#include "log.h"
#include "smp.h"

struct spcr {
	uint8_t header[36];
	uint8_t interface, reserved[3];
	/* Generic address structure (ACPI 5.2.3.2). */
	uint8_t space, width, offset, access;
	uint64_t address;
	uint8_t interrupts, irq;
	uint32_t gsi;
	uint8_t baud, parity, stop_bits, flow;
} PACKED;

_Static_assert(offsetof(struct spcr, address) == 44 && offsetof(struct spcr, flow) == 61,
	       "where the table has them");

/* Interface types, as in the DBG2 table. */
#define SPCR_16550 0
#define SPCR_16450 1 /* a 16550 that may be driven as its forerunner */
#define SPCR_16550_GAS 0x12
#define SPACE_IO 1

#define INTERRUPT_8259 BIT(0)
#define INTERRUPT_IOAPIC BIT(1)

#define FLOW_RTS_CTS BIT(1)
#define FLOW_XON_XOFF BIT(2)

#define MIN_PORT 0x100
#define MAX_PORT 0xFFF8
#define PORTS 8

static bool is_16550(const struct spcr *t)
{
	return t->interface == SPCR_16550 || t->interface == SPCR_16450 ||
	       t->interface == SPCR_16550_GAS;
}

/* 0: as the firmware has left it, which is not known here. */
static unsigned baud_of(uint8_t code)
{
	switch (code) {
	case 3: return 9600;
	case 4: return 19200;
	case 6: return 57600;
	case 7: return 115200;
	default: return 0;
	}
}

void acpi_parse_spcr(const void *table, uint32_t length)
{
	const struct spcr *t = table;
	struct acpi_console *c = &acpi.console;

	if (length < sizeof(*t) || !t->address)
		return; /* no address: the firmware's console redirection is off */
	if (!is_16550(t) || t->space != SPACE_IO || t->address < MIN_PORT ||
	    t->address > MAX_PORT || t->address % PORTS) {
		log_info("ACPI SPCR names a console of type %u at %llx, which is no 16550 among the "
			 "I/O ports and is not used",
			 t->interface, (unsigned long long)t->address);
		return;
	}
	c->port = (uint16_t)t->address;
	c->baud = baud_of(t->baud);
	c->has_gsi = t->interrupts & INTERRUPT_IOAPIC;
	c->gsi = t->gsi;
	c->has_irq = t->interrupts & INTERRUPT_8259;
	c->irq = t->irq;
	c->rtscts = t->flow & FLOW_RTS_CTS;
	c->xonxoff = t->flow & FLOW_XON_XOFF;
}
