/* SPDX-License-Identifier: BSD-2-Clause */
#include "pic.h"
#include "guest.h"
#include "time.h"

#define ICW1 0x11 /* edges, cascade, ICW4 follows */
#define OCW3_IRR 0x0A
#define OCW3_ISR 0x0B
#define CASCADE 2

#define PIT_CHANNEL0 0x40
#define PIT_CONTROL 0x43
#define MODE0 0x30         /* OUT is low until the count is through */
#define SHORT_COUNT 2

#define UART_IER (COM1 + 1)
#define UART_LSR (COM1 + 5)
#define IER_THRE BIT(1)
#define LSR_TEMT BIT(6)

void pic_setup(uint8_t icw4)
{
	out8(PIC_MASTER, ICW1);
	out8(PIC_SLAVE, ICW1);
	out8(PIC_MASTER + 1, PIC_BASE_MASTER);
	out8(PIC_SLAVE + 1, PIC_BASE_SLAVE);
	out8(PIC_MASTER + 1, BIT(CASCADE));
	out8(PIC_SLAVE + 1, CASCADE);
	out8(PIC_MASTER + 1, icw4);
	out8(PIC_SLAVE + 1, icw4);
	pic_mask(0);
}

void pic_mask(uint16_t mask)
{
	out8(PIC_MASTER + 1, (uint8_t)mask);
	out8(PIC_SLAVE + 1, (uint8_t)(mask >> 8));
}

uint8_t pic_irr(uint16_t chip)
{
	out8(chip, OCW3_IRR);
	return in8(chip);
}

uint8_t pic_isr(uint16_t chip)
{
	out8(chip, OCW3_ISR);
	return in8(chip);
}

void pic_eoi(unsigned irq)
{
	if (irq >= 8)
		out8(PIC_SLAVE, PIC_EOI);
	out8(PIC_MASTER, PIC_EOI);
}

void pic_settle(void)
{
	for (unsigned i = 0; i < 8 && pic_isr(PIC_SLAVE); i++)
		out8(PIC_SLAVE, PIC_EOI);
	for (unsigned i = 0; i < 8 && pic_isr(PIC_MASTER); i++)
		out8(PIC_MASTER, PIC_EOI);
}

/*
 * In mode 0 OUT goes low with the control word and high at the end of the
 * count, to stay there.  Some models lower it only with the count, so a long
 * one is written; the control word behind it then stops the counting.
 */
void irq0_set(bool level)
{
	const uint8_t count = level ? SHORT_COUNT : 0;
	const struct deadline d = deadline_in(100);

	out8(PIT_CONTROL, MODE0);
	out8(PIT_CHANNEL0, count);
	out8(PIT_CHANNEL0, 0);
	if (!level)
		out8(PIT_CONTROL, MODE0);
	while (level && !(pic_irr(PIC_MASTER) & 1) && !deadline_passed(&d))
		pause();
}

void irq4_set(bool level)
{
	const struct deadline d = deadline_in(100);

	while (!(in8(UART_LSR) & LSR_TEMT) && !deadline_passed(&d))
		pause();
	out8(UART_IER, 0);
	if (level)
		out8(UART_IER, IER_THRE);
}
