/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests' timer devices on the hypervisor's one alarm.  A guest's CPU 0
 * does what is due for its guest.  Nothing here costs a guest whose devices
 * have nothing armed.
 *
 * `deadline` of a guest is written under that guest's lock, and taken down to
 * VTIME_NEVER by the owner of the alarm, who is elected, when it hands the work
 * to the guest.
 */
#include "election.h"
#include "guest_acpi.h"
#include "smp.h"
#include "vm.h"

/* Guests that keep changing their deadlines must not keep the owner. */
#define MAX_ROUNDS 4
#define SOON_NS 100000ULL
/* The TSC's rate is a measurement: the alarm may be early by one part in so many, and a little. */
#define EARLY_PART 32
#define EARLY_NS 20000ULL

#define PIT_IRQ 0
#define PIT_PIN GUEST_PIT_GSI

/* Who changes a deadline asks for the alarm to be set anew. */
static struct election election;
/* When the console wants to be polled, ns.  Sequentially consistent, like the deadlines. */
static uint64_t console_at = VTIME_NEVER;
/* What the alarm is set to: the owner's. */
static uint64_t alarm_at = VTIME_NEVER;
/* No NMI before this moment is the alarm's: written by the owner, read by all. */
static uint64_t not_before = VTIME_NEVER;
/* There was an NMI that may have been the alarm's. */
static bool gone_off;

static void set_alarm(uint64_t at, unsigned cpu, uint64_t now)
{
	uint64_t early = VTIME_NEVER, in;

	if (at == VTIME_NEVER) {
		alarm_off();
	} else {
		/* It may go off, and elsewhere, before the next lines are done. */
		__atomic_store_n(&not_before, now, __ATOMIC_RELEASE);
		in = alarm_set(cpu, at - now);
		at = now + in;
		early = in < EARLY_NS ? now : at - EARLY_NS - in / EARLY_PART;
	}
	alarm_at = at;
	/* Relaxed: a CPU that sees the old value looks again at its next NMI. */
	__atomic_store_n(&not_before, early, __ATOMIC_RELAXED);
}

/* When the console is due.  When it is, this CPU polls before it goes back to its guest. */
static uint64_t console_deadline(uint64_t now)
{
	uint64_t at = __atomic_load_n(&console_at, __ATOMIC_SEQ_CST);

	if (at > now)
		return at;
	/* A new time that the console set meanwhile stays. */
	__atomic_compare_exchange_n(&console_at, &at, VTIME_NEVER, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	console_ask();
	return VTIME_NEVER;
}

/* Hands what is due to its guests and sets the alarm to what comes next. */
static void owner_work(void)
{
	const uint64_t now = now_ns();
	uint64_t first = console_deadline(now);
	unsigned cpu = first != VTIME_NEVER ? spare_cpu() : 0;

	for (unsigned i = 0; i < n_vms; i++) {
		struct vm *vm = &vms[i];
		/* Acquire and release pair with vtimer_rearm: the guest's CPU sees what was armed. */
		uint64_t d = __atomic_load_n(&vm->deadline, __ATOMIC_SEQ_CST);

		if (d <= now) {
			if (__atomic_compare_exchange_n(&vm->deadline, &d, VTIME_NEVER, false,
							__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
				vcpu_post(&vm->vcpus[0], WORK_TIMER);
		} else if (d < first) {
			first = d;
			cpu = vm->vcpus[0].cpu;
		}
	}
	/* One that may have gone off early has to be set again.  Relaxed: the election orders it. */
	if (__atomic_exchange_n(&gone_off, false, __ATOMIC_RELAXED) || first != alarm_at)
		set_alarm(first, cpu, now);
}

static void update(void)
{
	unsigned round = 0;

	election_ask(&election);
	while (round < MAX_ROUNDS && election_wanted(&election) && election_win(&election)) {
		owner_work();
		if (++round == MAX_ROUNDS)
			set_alarm(now_ns() + SOON_NS, this_cpu()->index, now_ns());
		election_leave(&election);
	}
}

void vtimer_console(uint64_t tsc)
{
	/* Rounded up: a poll before its time would only ask for another. */
	const uint64_t at = (tsc_to_us(tsc) + 1) * 1000;

	/* Only the drain's owner sets it. */
	if (at == __atomic_load_n(&console_at, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&console_at, at, __ATOMIC_SEQ_CST);
	update();
}

void vtimer_poll(void)
{
	const uint64_t early = __atomic_load_n(&not_before, __ATOMIC_RELAXED);

	if (early == VTIME_NEVER || now_ns() < early)
		return;
	__atomic_store_n(&gone_off, true, __ATOMIC_RELAXED);
	update();
}

/*
 * The 8254 ticks from power-on, and most guests mask its interrupt for good.
 * Then nobody is woken for it: vtimer_catch_up() has it tick when somebody looks.
 */
static bool pit_is_heard(const struct vm *vm)
{
	return !vhpet_is_legacy(&vm->hpet) &&
	       (!pic_is_masked(&vm->pic, PIT_IRQ) || !vioapic_is_masked(&vm->ioapic, PIT_PIN));
}

static uint64_t earliest(const struct vm *vm)
{
	const uint64_t all[] = {
		pit_is_heard(vm) ? vpit_next(&vm->pit) : VTIME_NEVER,
		vrtc_next(&vm->rtc),
		vhpet_next(&vm->hpet),
		vpm_next(&vm->pm),
		uart16550_next(&vm->uart),
	};
	uint64_t first = VTIME_NEVER;

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] < first)
			first = all[i];
	return first;
}

void vtimer_rearm(void *ctx)
{
	struct vm *vm = ctx;
	const uint64_t next = earliest(vm);

	if (next == __atomic_load_n(&vm->deadline, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&vm->deadline, next, __ATOMIC_SEQ_CST);
	update();
}

void vtimer_catch_up(struct vm *vm)
{
	vpit_advance(&vm->pit, now_ns());
	vtimer_rearm(vm);
}

void vtimer_run(struct vm *vm)
{
	uint64_t now;

	lock_acquire(&vm->lock);
	now = now_ns();
	vpit_advance(&vm->pit, now);
	vrtc_advance(&vm->rtc, now);
	vhpet_advance(&vm->hpet, now);
	vpm_advance(&vm->pm, now);
	uart16550_advance(&vm->uart, now);
	vtimer_rearm(vm);
	lock_release(&vm->lock);
}

void vtimer_stop(struct vm *vm)
{
	__atomic_store_n(&vm->deadline, VTIME_NEVER, __ATOMIC_SEQ_CST);
}
