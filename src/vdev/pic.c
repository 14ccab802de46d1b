/* SPDX-License-Identifier: BSD-2-Clause */
/* Two cascaded 8259A interrupt controllers as in a PC (Intel 8259A data sheet). */
#include "vdev_irq.h"

#define MASTER 0
#define SLAVE 1
#define CASCADE 2 /* the slave hangs on the master's line 2 */
#define SPURIOUS 7
#define NONE 8

#define MASTER_COMMAND 0x20
#define SLAVE_COMMAND 0xA0
#define ELCR 0x4D0
/* Lines 0, 1, 2 and 8, 13 are always edge-triggered on a PC. */
#define ELCR_MASK_MASTER 0xF8
#define ELCR_MASK_SLAVE 0xDE

#define ICW1 BIT(4)
#define ICW1_NEEDS_ICW4 BIT(0)
#define ICW1_SINGLE BIT(1)
#define ICW1_LEVEL BIT(3)
#define ICW2_BASE_MASK 0xF8
#define ICW4_AUTO_EOI BIT(1)
#define ICW4_SPECIAL_NESTED BIT(4)

#define OCW3 BIT(3)
#define OCW3_READ_ISR BIT(0)
#define OCW3_READ BIT(1)
#define OCW3_POLL BIT(2)
#define OCW3_SPECIAL_MASK BIT(5)
#define OCW3_SET_SPECIAL_MASK BIT(6)

#define OCW2_COMMAND_SHIFT 5
enum ocw2 {
	OCW2_CLEAR_ROTATE_AUTO = 0, OCW2_EOI = 1, OCW2_NOP = 2, OCW2_SPECIFIC_EOI = 3,
	OCW2_SET_ROTATE_AUTO = 4, OCW2_ROTATE_EOI = 5, OCW2_SET_PRIORITY = 6,
	OCW2_ROTATE_SPECIFIC_EOI = 7
};

#define POLL_INTERRUPT 0x80

/* How many steps line `irq` is behind the one with the highest priority. */
static unsigned rank(const struct pic_chip *c, unsigned irq)
{
	return (irq - c->priority) & 7;
}

/* The line of the highest priority in `mask`, or NONE. */
static unsigned highest(const struct pic_chip *c, uint8_t mask)
{
	for (unsigned i = 0; i < 8; i++) {
		const unsigned irq = (c->priority + i) & 7;

		if (mask & BIT(irq))
			return irq;
	}
	return NONE;
}

/* The line that the chip would now signal, or NONE. */
static unsigned pending(const struct pic_chip *c, bool master)
{
	const unsigned irq = highest(c, c->irr & (uint8_t)~c->imr);
	uint8_t in_service = c->isr;
	unsigned served;

	if (irq == NONE)
		return NONE;
	if (c->special_mask)
		in_service &= (uint8_t)~c->imr;
	/* Fully nested mode with a cascade: the slave may signal again (special). */
	if (master && c->special_nested && irq == CASCADE)
		in_service &= (uint8_t)~BIT(CASCADE);
	served = highest(c, in_service);
	return served == NONE || rank(c, irq) < rank(c, served) ? irq : NONE;
}

static bool is_level(const struct pic_chip *c, unsigned irq)
{
	return c->level_triggered || (c->elcr & BIT(irq));
}

static void set_line(struct pic_chip *c, unsigned irq, bool level)
{
	const uint8_t bit = (uint8_t)BIT(irq);

	if (is_level(c, irq)) {
		if (level)
			c->irr |= bit;
		else
			c->irr &= (uint8_t)~bit;
	} else if (level && !(c->level & bit)) {
		c->irr |= bit;
	} else if (!level) {
		/* The request has to stay high until it is acknowledged. */
		c->irr &= (uint8_t)~bit;
	}
	c->level = (uint8_t)(level ? c->level | bit : c->level & ~bit);
}

static void update(struct pic *p)
{
	bool out;

	set_line(&p->chip[MASTER], CASCADE, pending(&p->chip[SLAVE], false) != NONE);
	out = pending(&p->chip[MASTER], true) != NONE;
	if (out != p->out_level) {
		p->out_level = out;
		p->output(p->ctx, out);
	}
}

/* An acknowledge cycle (or a poll, which is one) of one chip: the line, or NONE. */
static unsigned take(struct pic_chip *c, bool master)
{
	const unsigned irq = pending(c, master);

	if (irq == NONE)
		return NONE;
	if (!is_level(c, irq))
		c->irr &= (uint8_t)~BIT(irq);
	if (c->auto_eoi) {
		if (c->rotate_auto_eoi)
			c->priority = (irq + 1) & 7;
	} else {
		c->isr |= (uint8_t)BIT(irq);
	}
	return irq;
}

/* The slave's INT drops with its acknowledge; another request raises it anew. */
static void drop_slave_output(struct pic *p)
{
	set_line(&p->chip[MASTER], CASCADE, false);
}

uint8_t pic_acknowledge(struct pic *p)
{
	struct pic_chip *master = &p->chip[MASTER], *slave = &p->chip[SLAVE];
	unsigned irq = take(master, true);
	uint8_t vector;

	/* A single chip has no slaves to ask: its line 2 is one like the others. */
	if (irq == CASCADE && !master->single) {
		irq = take(slave, false);
		drop_slave_output(p);
		vector = (uint8_t)(slave->vector_base + (irq == NONE ? SPURIOUS : irq));
	} else {
		vector = (uint8_t)(master->vector_base + (irq == NONE ? SPURIOUS : irq));
	}
	update(p);
	return vector;
}

void pic_set_irq(struct pic *p, unsigned irq, bool level)
{
	if (irq >= 16 || irq == CASCADE)
		return;
	set_line(&p->chip[irq / 8], irq % 8, level);
	update(p);
}

bool pic_is_masked(const struct pic *p, unsigned irq)
{
	return irq >= 16 || (p->chip[irq / 8].imr & BIT(irq % 8));
}

static void write_icw1(struct pic_chip *c, uint8_t v)
{
	c->init_step = 2;
	c->icw4 = v & ICW1_NEEDS_ICW4;
	c->level_triggered = v & ICW1_LEVEL;
	c->single = v & ICW1_SINGLE;
	c->imr = c->isr = 0;
	/* The edge sense is reset; a level that is there requests again. */
	c->irr = c->level_triggered ? c->level : c->level & c->elcr;
	c->priority = 0;
	c->special_mask = c->poll = c->read_isr = false;
	c->auto_eoi = c->rotate_auto_eoi = c->special_nested = false;
}

static void end_of_interrupt(struct pic_chip *c, unsigned irq, bool rotate)
{
	if (irq == NONE)
		return;
	c->isr &= (uint8_t)~BIT(irq);
	if (rotate)
		c->priority = (irq + 1) & 7;
}

static void write_ocw2(struct pic_chip *c, uint8_t v)
{
	const unsigned irq = v & 7;
	/* In special mask mode a non-specific EOI does not end a masked line. */
	const uint8_t served = c->special_mask ? c->isr & (uint8_t)~c->imr : c->isr;

	switch ((enum ocw2)(v >> OCW2_COMMAND_SHIFT)) {
	case OCW2_EOI:
	case OCW2_ROTATE_EOI:
		end_of_interrupt(c, highest(c, served), v >> OCW2_COMMAND_SHIFT == OCW2_ROTATE_EOI);
		break;
	case OCW2_SPECIFIC_EOI:
		end_of_interrupt(c, irq, false);
		break;
	case OCW2_ROTATE_SPECIFIC_EOI:
		end_of_interrupt(c, irq, true);
		break;
	case OCW2_SET_PRIORITY:
		c->priority = (irq + 1) & 7;
		break;
	case OCW2_SET_ROTATE_AUTO:
		c->rotate_auto_eoi = true;
		break;
	case OCW2_CLEAR_ROTATE_AUTO:
		c->rotate_auto_eoi = false;
		break;
	case OCW2_NOP:
	default:
		break;
	}
}

static void write_ocw3(struct pic_chip *c, uint8_t v)
{
	if (v & OCW3_POLL)
		c->poll = true;
	else if (v & OCW3_READ)
		c->read_isr = v & OCW3_READ_ISR;
	if (v & OCW3_SET_SPECIAL_MASK)
		c->special_mask = v & OCW3_SPECIAL_MASK;
}

static uint8_t after_icw3(const struct pic_chip *c)
{
	return c->icw4 ? 4 : 0;
}

static void write_data(struct pic_chip *c, uint8_t v)
{
	switch (c->init_step) {
	case 2:
		c->vector_base = v & ICW2_BASE_MASK;
		c->init_step = c->single ? after_icw3(c) : 3;
		break;
	case 3: /* the wiring is fixed */
		c->init_step = after_icw3(c);
		break;
	case 4:
		c->auto_eoi = v & ICW4_AUTO_EOI;
		c->special_nested = v & ICW4_SPECIAL_NESTED;
		c->init_step = 0;
		break;
	default:
		c->imr = v;
		break;
	}
}

static void chip_write(struct pic_chip *c, bool data, uint8_t v)
{
	if (data)
		write_data(c, v);
	else if (v & ICW1)
		write_icw1(c, v);
	else if (v & OCW3)
		write_ocw3(c, v);
	else
		write_ocw2(c, v);
}

/* The read behind a poll command is an acknowledge cycle without a vector. */
static uint8_t read_poll(struct pic *p, unsigned n)
{
	const unsigned irq = take(&p->chip[n], n == MASTER);

	p->chip[n].poll = false;
	if (irq == NONE)
		return 0;
	if (n == SLAVE)
		drop_slave_output(p);
	return (uint8_t)(POLL_INTERRUPT | irq);
}

static uint8_t chip_read(struct pic *p, unsigned n, bool data)
{
	const struct pic_chip *c = &p->chip[n];

	if (c->poll)
		return read_poll(p, n);
	if (data)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static unsigned chip_of(uint16_t port)
{
	return port >= SLAVE_COMMAND ? SLAVE : MASTER;
}

static void masks_change(struct pic *p)
{
	if (p->masks_change)
		p->masks_change(p->ctx);
}

/* A wider access is one of each port, in order. */
static uint32_t port_read(void *dev, uint16_t port, unsigned size)
{
	struct pic *p = dev;
	const unsigned n = chip_of(port);
	uint32_t v;

	/* A request of a line that is masked is not looked for until somebody asks. */
	masks_change(p);
	v = chip_read(p, n, port & 1);
	if (size > 1)
		v |= (uint32_t)chip_read(p, n, true) << 8;
	update(p);
	return v;
}

static void port_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct pic *p = dev;
	/* Not for each EOI. */
	const bool masks = port & 1 || size > 1 || value & ICW1;

	if (masks)
		masks_change(p);
	chip_write(&p->chip[chip_of(port)], port & 1, (uint8_t)value);
	if (size > 1)
		chip_write(&p->chip[chip_of(port)], true, (uint8_t)(value >> 8));
	update(p);
	if (masks)
		masks_change(p);
}

static uint32_t elcr_read(void *dev, uint16_t port, unsigned size)
{
	const struct pic *p = dev;

	if (size > 1)
		return p->chip[0].elcr | (uint32_t)p->chip[1].elcr << 8;
	return p->chip[port & 1].elcr;
}

static void elcr_write(void *dev, uint16_t port, unsigned size, uint32_t value)
{
	struct pic *p = dev;

	for (unsigned i = 0; i < size; i++) {
		struct pic_chip *c = &p->chip[(port + i) & 1];

		c->elcr = (uint8_t)(value >> 8 * i) & c->elcr_mask;
		/* A line that has become level-triggered requests what it shows. */
		c->irr = (uint8_t)((c->irr & ~c->elcr) | (c->level & c->elcr));
	}
	update(p);
}

void pic_reset(struct pic *p)
{
	for (unsigned i = 0; i < 2; i++)
		p->chip[i] = (struct pic_chip){
			.imr = 0xFF,
			.elcr_mask = i == MASTER ? ELCR_MASK_MASTER : ELCR_MASK_SLAVE,
		};
	update(p);
}

void pic_init(struct pic *p, void (*output)(void *ctx, bool level), void *ctx)
{
	p->output = output;
	p->ctx = ctx;
	p->out_level = false;
	pic_reset(p);
}

bool pic_add_to_bus(struct pic *p, struct vdev_bus *bus)
{
	return bus_add_ports(bus, MASTER_COMMAND, 2, p, port_read, port_write) &&
	       bus_add_ports(bus, SLAVE_COMMAND, 2, p, port_read, port_write) &&
	       bus_add_ports(bus, ELCR, 2, p, elcr_read, elcr_write);
}
