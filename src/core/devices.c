/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's devices, and what connects them. */
#include "guest_acpi.h"
#include "log.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define COM1 0x3F8
#define COM1_PORTS 8

/* ISA interrupts. */
#define IRQ_PIT 0
#define IRQ_COM1 4
#define IRQ_RTC 8

/* A guest that nobody looks at comes to life. */
static void announce_first_output(struct vm *vm)
{
	vm->has_written = true;
	if (!vcon_has_focus(vm->console))
		log_info("guest %s: first output, %llu ms after its start", vm->cfg->name,
			 (unsigned long long)tsc_to_us(rdtsc() - vm->start_tsc) / 1000);
}

static bool console_put(void *ctx, uint8_t byte)
{
	struct vm *vm = ctx;

	if (!vm->has_written)
		announce_first_output(vm);
	return vcon_put(vm->console, byte);
}

static bool console_room(void *ctx)
{
	return vcon_room(((struct vm *)ctx)->console);
}

static int console_get(void *ctx)
{
	return vcon_get(((struct vm *)ctx)->console);
}

static size_t console_pending(void *ctx)
{
	return vcon_pending(((struct vm *)ctx)->console);
}

static void console_overrun(void *ctx)
{
	vcon_count_overrun(((struct vm *)ctx)->console);
}

static bool console_paced(void *ctx)
{
	return vcon_paced(((struct vm *)ctx)->console);
}

static const struct uart_ops uart_ops = {
	.put = console_put,
	.room = console_room,
	.get = console_get,
	.pending = console_pending,
	.overrun = console_overrun,
	.paced = console_paced,
};

static void pic_output(void *ctx, bool level)
{
	struct vm *vm = ctx;
	struct apic_message m;

	if (!vm->vcpus)
		return;
	/* The level is read from the PIC when the work is done. */
	vcpu_post(&vm->vcpus[0], WORK_EXTINT);
	if (level && vlapic_lint0_message(&vm->vcpus[0].lapic, &m))
		ipi_send(vm, &vm->vcpus[0], &m, SHORT_SELF);
}

static void ioapic_send(void *ctx, const struct apic_message *m)
{
	ipi_send(ctx, NULL, m, SHORT_NONE);
}

static void guest_ends(void *ctx, enum guest_end how, uint32_t value)
{
	struct vm *vm = ctx;

	switch (how) {
	case GUEST_POWER_OFF:
		vm_end_request(vm, END_POWER_OFF, "powered off (ACPI S5)");
		break;
	case GUEST_RESET_CF9:
		vm_end_request(vm, END_RESET, "reset (port 0xCF9)");
		break;
	case GUEST_RESET_8042:
		vm_end_request(vm, END_RESET, "reset (port 0x64)");
		break;
	case GUEST_RESET_92:
		vm_end_request(vm, END_RESET, "reset (port 0x92)");
		break;
	case GUEST_EXIT_PORT:
	default:
		vm_end_request(vm, value ? END_CRASH : END_POWER_OFF,
			       "ended with status %u (exit port)", value);
		break;
	}
}

static const unsigned timer_irqs[TIMER_LINES] = { IRQ_PIT, IRQ_RTC };

/*
 * The lines of 8254 and RTC are the HPET's in its legacy mode (IA-PC HPET
 * 2.3.5).  A switch of the mode shows what the other side holds.
 */
static void update_timer_lines(struct vm *vm)
{
	const bool legacy = vhpet_is_legacy(&vm->hpet);

	for (unsigned i = 0; i < TIMER_LINES; i++) {
		struct timer_line *l = &vm->timer_lines[i];
		const bool level = legacy ? l->hpet : l->old;

		if (level != l->level) {
			l->level = level;
			irq_set(vm, timer_irqs[i], level);
		}
	}
}

static void old_timer_irq(void *ctx, unsigned irq, bool level)
{
	struct vm *vm = ctx;

	vm->timer_lines[irq == IRQ_PIT ? 0 : 1].old = level;
	update_timer_lines(vm);
}

static void hpet_irq(void *ctx, unsigned irq, bool level)
{
	struct vm *vm = ctx;

	/* What the change to this mode does to the lines comes first. */
	update_timer_lines(vm);
	vm->timer_lines[irq == IRQ_PIT ? 0 : 1].hpet = level;
	update_timer_lines(vm);
}

static void timers_changed(void *ctx)
{
	update_timer_lines(ctx);
	vtimer_rearm(ctx);
}

static void hpet_pin(void *ctx, unsigned pin, bool level)
{
	vioapic_set_pin(&((struct vm *)ctx)->ioapic, pin, level);
}

/* What the timers did while a line was masked comes before, what is due now behind the change. */
static void masks_change(void *ctx)
{
	vtimer_catch_up(ctx);
}

static bool create_timers(struct vm *vm)
{
	const struct irq_line pit = { old_timer_irq, vm, IRQ_PIT };
	const struct irq_line rtc = { old_timer_irq, vm, IRQ_RTC };
	const struct irq_line sci = { irq_set, vm, GUEST_SCI_IRQ };

	vm->clock = (struct vclock){ now_ns, wall_ns, timers_changed, vm };
	vm->deadline = VTIME_NEVER;
	vpit_init(&vm->pit, &vm->clock, pit);
	vrtc_init(&vm->rtc, &vm->clock, rtc);
	vrtc_set_memory(&vm->rtc, vm->memory.size);
	vhpet_init(&vm->hpet, &vm->clock, hpet_pin, hpet_irq, vm);
	vpm_connect_sci(&vm->pm, &vm->clock, sci);
	uart16550_set_clock(&vm->uart, &vm->clock);
	return vpit_add_to_bus(&vm->pit, &vm->bus) && vrtc_add_to_bus(&vm->rtc, &vm->bus) &&
	       vhpet_add_to_bus(&vm->hpet, &vm->bus);
}

bool devices_create(struct vm *vm)
{
	const struct irq_line com1 = { irq_set, vm, IRQ_COM1 };

	pic_init(&vm->pic, pic_output, vm);
	vioapic_init(&vm->ioapic, guest_ioapic_id(vm->n_vcpus), ioapic_send, vm);
	vm->pic.masks_change = vm->ioapic.masks_change = masks_change;
	uart16550_init(&vm->uart, &uart_ops, vm, com1);
	vpm_init(&vm->pm, now_ns, guest_ends, vm);
	/* The port that is used most comes first: the bus searches in this order. */
	return bus_add_ports(&vm->bus, COM1, COM1_PORTS, &vm->uart, uart16550_read,
			     uart16550_write) &&
	       pic_add_to_bus(&vm->pic, &vm->bus) &&
	       vpm_add_to_bus(&vm->pm, &vm->bus, vm->cfg->exit_port) &&
	       bus_add_mmio(&vm->bus, IOAPIC_BASE, IOAPIC_WINDOW_SIZE, &vm->ioapic, vioapic_read,
			    vioapic_write) &&
	       create_timers(vm);
}

void vm_flush_console(struct vm *vm)
{
	lock_acquire(&vm->lock);
	uart16550_flush(&vm->uart);
	lock_release(&vm->lock);
}

void devices_reset(struct vm *vm)
{
	vm->ioapic.lines = 0;
	vioapic_reset(&vm->ioapic);
	pic_reset(&vm->pic);
	vpm_reset(&vm->pm);
	vpit_reset(&vm->pit);
	vrtc_reset(&vm->rtc);
	vhpet_reset(&vm->hpet);
	uart16550_reset(&vm->uart); /* before: its alarm is forgotten */
	timers_changed(vm);
	vcon_restart(vm->console);
	vm->has_written = false;
}
