/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259s, and the lines that software can raise and lower. */
#ifndef GUEST_PIC_H
#define GUEST_PIC_H

#include "x86.h"

#define PIC_MASTER 0x20
#define PIC_SLAVE 0xA0
#define PIC_BASE_MASTER 0x20u /* vectors */
#define PIC_BASE_SLAVE 0x28u
#define ICW4_8086 BIT(0)
#define ICW4_AUTO_EOI BIT(1)
#define ICW4_SPECIAL_NESTED BIT(4)
#define PIC_EOI 0x20
#define ELCR 0x4D0

/* ICW1 to ICW4 to both, vectors as above; then nothing is masked. */
void pic_setup(uint8_t icw4);
/* `mask` has bit n for IRQ n. */
void pic_mask(uint16_t mask);
uint8_t pic_irr(uint16_t chip);
uint8_t pic_isr(uint16_t chip);
void pic_eoi(unsigned irq);
/* An EOI to all chips that have something in service. */
void pic_settle(void);

/* IRQ 0 by channel 0 of the 8254: the level at once. */
void irq0_set(bool level);
/* IRQ 4 by the transmitter-empty interrupt of COM1.  Nothing may be printed while it is up. */
void irq4_set(bool level);

#endif
