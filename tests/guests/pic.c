/* SPDX-License-Identifier: BSD-2-Clause */
/* The two 8259As (Intel 8259A data sheet), with IRQ 0, 4 and 8 as their sources. */
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "time.h"

#define VECTOR(irq) (PIC_BASE_MASTER + (irq))
#define SPURIOUS VECTOR(7)
#define OCW2_ROTATE_EOI 0xA0
#define OCW2_SPECIFIC_EOI 0x60
#define OCW2_SET_PRIORITY 0xC0
#define OCW3_POLL 0x0C
#define OCW3_SET_SPECIAL_MASK 0x68
#define OCW3_CLEAR_SPECIAL_MASK 0x48
#define POLL_INTERRUPT 0x80
#define ONLY(irqs) ((uint16_t)~(irqs))
#define NOTHING 0xFFFF

#define RTC_INDEX 0x70
#define RTC_DATA 0x71
#define RTC_B 0x0B
#define RTC_C 0x0C
#define RTC_B_PERIODIC 0x42 /* and 24 hours */

static void handler_eoi(struct frame *f)
{
	pic_eoi((unsigned)f->vector - PIC_BASE_MASTER);
}

static void use_handler(irq_handler handler)
{
	for (unsigned irq = 0; irq < 16; irq++)
		irq_set(VECTOR(irq), handler);
}

/* Both lines down, nothing requested or in service. */
static void quiet(uint8_t icw4)
{
	irq0_set(false);
	irq4_set(false);
	pic_setup(icw4);
	pic_mask(NOTHING);
	irq_forget();
}

static void check_virtual_wire(void)
{
	quiet(ICW4_8086);
	use_handler(handler_eoi);
	pic_mask(ONLY(BIT(0)));
	irq0_set(true);
	irq_wait(0, VECTOR(0), 1, 50);
	check_true("firmware-set-up-virtual-wire", irq_count(0, VECTOR(0)) >= 1);
	apic_virtual_wire();
}

static void check_masks(void)
{
	uint16_t seen;

	pic_setup(ICW4_8086);
	pic_mask(0xA55A);
	seen = (uint16_t)(in8(PIC_MASTER + 1) | in8(PIC_SLAVE + 1) << 8);
	check("masks-read-back", seen, 0xA55A);
	out8(PIC_MASTER, 0x11);
	out8(PIC_MASTER + 1, PIC_BASE_MASTER);
	out8(PIC_MASTER + 1, 4);
	out8(PIC_MASTER + 1, ICW4_8086);
	check("icw1-clears-mask", in8(PIC_MASTER + 1), 0);
	check("other-chip-keeps-mask", in8(PIC_SLAVE + 1), 0xA5);
}

static void check_requests(void)
{
	quiet(ICW4_8086);
	irq0_set(true);
	check("irr-shows-masked-request", pic_irr(PIC_MASTER) & 0x11, 0x01);
	irq4_set(true);
	check("irr-shows-two", pic_irr(PIC_MASTER) & 0x11, 0x11);
	irq_window();
	check("masked-does-not-come", irq_total(0), 0);
	quiet(ICW4_8086);
	check("irr-is-cleared-by-icw1", pic_irr(PIC_MASTER) & 0x11, 0);
}

static void check_service(void)
{
	unsigned isr, again;

	quiet(ICW4_8086);
	use_handler(NULL);
	pic_mask(ONLY(BIT(0)));
	irq0_set(true);
	irq_window();
	check("comes-once", irq_count(0, VECTOR(0)), 1);
	check("irr-is-cleared-by-acknowledge", pic_irr(PIC_MASTER) & 1, 0);
	isr = pic_isr(PIC_MASTER);
	check("isr-shows-it", isr, 1);
	irq0_set(false);
	irq0_set(true);
	irq_window();
	again = irq_count(0, VECTOR(0));
	check("in-service-holds-the-next-back", again, 1);
	out8(PIC_MASTER, PIC_EOI);
	check("eoi-clears-isr", pic_isr(PIC_MASTER), 0);
	irq_window();
	check("comes-after-eoi", irq_count(0, VECTOR(0)), 2);
	pic_settle();
}

static void check_priorities(void)
{
	quiet(ICW4_8086);
	use_handler(handler_eoi);
	irq4_set(true);
	irq0_set(true);
	pic_mask(ONLY(BIT(0) | BIT(4)));
	irq_window();
	irq4_set(false);
	check("first-by-priority", irq_trace(0), VECTOR(0));
	check("second-by-priority", irq_trace(1), VECTOR(4));

	quiet(ICW4_8086);
	use_handler(NULL);
	pic_mask(ONLY(BIT(0) | BIT(4)));
	irq4_set(true);
	irq_window();
	irq0_set(true);
	irq_window();
	irq4_set(false);
	check("higher-interrupts-lower", irq_count(0, VECTOR(0)), 1);
	check("both-in-service", pic_isr(PIC_MASTER), 0x11);
	out8(PIC_MASTER, PIC_EOI);
	check("eoi-takes-the-highest", pic_isr(PIC_MASTER), 0x10);
	out8(PIC_MASTER, OCW2_SPECIFIC_EOI | 4);
	check("specific-eoi", pic_isr(PIC_MASTER), 0);

	quiet(ICW4_8086);
	pic_mask(ONLY(BIT(0) | BIT(4)));
	irq0_set(true);
	irq_window();
	irq4_set(true);
	irq_window();
	irq4_set(false);
	check("lower-waits", irq_count(0, VECTOR(4)), 0);
	pic_settle();
}

static void check_rotation(void)
{
	quiet(ICW4_8086);
	use_handler(handler_eoi);
	out8(PIC_MASTER, OCW2_SET_PRIORITY | 0);
	irq4_set(true);
	irq0_set(true);
	pic_mask(ONLY(BIT(0) | BIT(4)));
	irq_window();
	irq4_set(false);
	check("set-priority-first", irq_trace(0), VECTOR(4));
	check("set-priority-second", irq_trace(1), VECTOR(0));

	quiet(ICW4_8086);
	use_handler(NULL);
	pic_mask(ONLY(BIT(0) | BIT(4)));
	irq0_set(true);
	irq_window();
	out8(PIC_MASTER, OCW2_ROTATE_EOI); /* IRQ 0 is now the lowest */
	use_handler(handler_eoi);
	irq_forget();
	irq0_set(false);
	irq4_set(true);
	irq0_set(true);
	irq_window();
	irq4_set(false);
	check("rotate-on-eoi", irq_trace(0), VECTOR(4));
}

static void check_special_mask(void)
{
	quiet(ICW4_8086);
	use_handler(NULL);
	pic_mask(ONLY(BIT(0) | BIT(4)));
	irq0_set(true);
	irq_window();
	out8(PIC_MASTER, OCW3_SET_SPECIAL_MASK);
	pic_mask(ONLY(BIT(4)));
	irq4_set(true);
	irq_window();
	irq4_set(false);
	check("special-mask-lets-lower-in", irq_count(0, VECTOR(4)), 1);
	out8(PIC_MASTER, OCW2_SPECIFIC_EOI | 4);
	check("special-mask-keeps-isr", pic_isr(PIC_MASTER), 1);
	out8(PIC_MASTER, OCW3_CLEAR_SPECIAL_MASK);
	irq4_set(true);
	irq_window();
	irq4_set(false);
	check("without-special-mask-it-waits", irq_count(0, VECTOR(4)), 1);
	pic_settle();
}

static void check_poll(void)
{
	uint8_t polled;

	quiet(ICW4_8086);
	out8(PIC_MASTER, OCW3_POLL);
	check("poll-of-nothing", in8(PIC_MASTER) & POLL_INTERRUPT, 0);
	irq4_set(true);
	pic_mask(ONLY(BIT(4)));
	out8(PIC_MASTER, OCW3_POLL);
	polled = in8(PIC_MASTER);
	irq4_set(false);
	check("poll-answers-the-line", polled & (POLL_INTERRUPT | 7), POLL_INTERRUPT | 4);
	check("poll-acknowledges", pic_isr(PIC_MASTER), 0x10);
	pic_settle();
}

static void check_auto_eoi(void)
{
	quiet(ICW4_8086 | ICW4_AUTO_EOI);
	use_handler(NULL);
	pic_mask(ONLY(BIT(0)));
	irq0_set(true);
	irq_window();
	check("auto-eoi-comes", irq_count(0, VECTOR(0)), 1);
	check("auto-eoi-leaves-isr", pic_isr(PIC_MASTER), 0);
	irq0_set(false);
	irq0_set(true);
	irq_window();
	check("auto-eoi-comes-again", irq_count(0, VECTOR(0)), 2);
}

static void check_withdrawn(void)
{
	quiet(ICW4_8086);
	use_handler(NULL);
	pic_mask(ONLY(BIT(0) | BIT(7)));
	irq0_set(true);
	irq0_set(false);
	check("withdrawn-edge-leaves-irr", pic_irr(PIC_MASTER) & 1, 0);
	irq_window();
	check("withdrawn-edge-does-not-come", irq_count(0, VECTOR(0)), 0);
	/* The CPU may have seen INT: then IRQ 7's vector comes, with no bit of ISR. */
	check("spurious-leaves-isr", pic_isr(PIC_MASTER), 0);
}

static void check_elcr(void)
{
	const uint8_t before = in8(ELCR);
	unsigned first, second;

	quiet(ICW4_8086);
	out8(ELCR, 0xFF);
	out8(ELCR + 1, 0xFF);
	check("elcr-fixed-edges", (unsigned)(in8(ELCR) | in8(ELCR + 1) << 8), 0xDEF8);
	out8(ELCR + 1, 0);
	out8(ELCR, BIT(COM1_IRQ));
	check("elcr-reads-back", in8(ELCR), BIT(COM1_IRQ));
	use_handler(NULL);
	pic_mask(ONLY(BIT(4)));
	irq4_set(true);
	irq_window();
	first = irq_count(0, VECTOR(4));
	out8(PIC_MASTER, PIC_EOI);
	irq_window();
	second = irq_count(0, VECTOR(4));
	irq4_set(false);
	check("level-comes-once", first, 1);
	check("level-comes-again-while-high", second, 2);
	check("level-irr-follows-the-line", pic_irr(PIC_MASTER) & 0x10, 0);
	out8(PIC_MASTER, PIC_EOI);
	irq_window();
	check("level-stops-with-the-line", irq_count(0, VECTOR(4)), 2);
	out8(ELCR, before);

	quiet(ICW4_8086);
	pic_mask(ONLY(BIT(4)));
	irq4_set(true);
	irq_window();
	out8(PIC_MASTER, PIC_EOI);
	irq_window();
	irq4_set(false);
	check("edge-comes-once-while-high", irq_count(0, VECTOR(4)), 1);
	pic_settle();
}

static uint8_t rtc_read(uint8_t reg)
{
	out8(RTC_INDEX, reg);
	return in8(RTC_DATA);
}

static void rtc_write(uint8_t reg, uint8_t value)
{
	out8(RTC_INDEX, reg);
	out8(RTC_DATA, value);
}

static void check_cascade(void)
{
	const uint8_t before = rtc_read(RTC_B);

	quiet(ICW4_8086);
	use_handler(NULL);
	rtc_read(RTC_C);
	rtc_write(RTC_B, RTC_B_PERIODIC);
	pic_mask(ONLY(BIT(2) | BIT(8)));
	check_true("slave-line-comes", irq_wait(0, VECTOR(8), 1, 500));
	rtc_write(RTC_B, before);
	rtc_read(RTC_C);
	check("slave-isr", pic_isr(PIC_SLAVE), 0x01);
	check("master-isr-shows-cascade", pic_isr(PIC_MASTER), 0x04);
	out8(PIC_SLAVE, PIC_EOI);
	check("slave-eoi", pic_isr(PIC_SLAVE), 0);
	check("cascade-needs-its-own-eoi", pic_isr(PIC_MASTER), 0x04);
	pic_settle();
	check("cascade-eoi", pic_isr(PIC_MASTER), 0);
}

void guest_main(void)
{
	ioapic_mask_all();
	check_virtual_wire();
	check_masks();
	check_requests();
	check_service();
	check_priorities();
	check_rotation();
	check_special_mask();
	check_poll();
	check_auto_eoi();
	check_withdrawn();
	check_elcr();
	check_cascade();
}
