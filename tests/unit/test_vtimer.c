/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests' deadlines on one alarm: who is woken, what the alarm is set to, and
 * when it is left alone.  The source is compiled here with a clock, an alarm
 * and devices of ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest_acpi.h"
#include "smp.h"

static struct cpu *fake_this_cpu(void);
#define this_cpu fake_this_cpu
#include "../../src/core/vtimer.c"

#define GUESTS 3
#define START 1000000000ULL
#define NS_LIMIT 1000000000ULL /* the longest that our alarm can do */

struct vm vms[CFG_MAX_VMS];
unsigned n_vms;

static struct vcpu vcpus[GUESTS];
static struct cpu here = { .index = 7 };
static uint64_t clock_ns;
static uint64_t next[GUESTS]; /* of each guest's RTC, which stands for all devices */
static uint64_t pit_at;       /* of everybody's 8254 */
static bool pic_masked, pin_masked, legacy;
static unsigned advanced, caught_up, alarms, alarms_off;
static unsigned alarm_cpu;
static uint64_t alarm_ns;
/* Called in the middle of the owner's work, as another CPU might. */
static void (*meanwhile)(void);

static struct cpu *fake_this_cpu(void)
{
	return &here;
}

uint64_t now_ns(void)
{
	return clock_ns;
}

static unsigned index_of(const struct vm *vm)
{
	return (unsigned)(vm - vms);
}

uint64_t vpit_next(const struct vpit *p)
{
	(void)p;
	return pit_at;
}

uint64_t vrtc_next(const struct vrtc *r)
{
	return next[index_of((const struct vm *)((const char *)r - offsetof(struct vm, rtc)))];
}

uint64_t vhpet_next(const struct vhpet *h)
{
	(void)h;
	return VTIME_NEVER;
}

uint64_t vpm_next(const struct vpm *pm)
{
	(void)pm;
	return VTIME_NEVER;
}

void vpit_advance(struct vpit *p, uint64_t now)
{
	(void)p;
	(void)now;
	caught_up++;
}

void vrtc_advance(struct vrtc *r, uint64_t now)
{
	assert_int_equal(now, clock_ns);
	next[index_of((const struct vm *)((const char *)r - offsetof(struct vm, rtc)))] = VTIME_NEVER;
	advanced++;
}

void vhpet_advance(struct vhpet *h, uint64_t now)
{
	(void)h;
	(void)now;
}

void vpm_advance(struct vpm *pm, uint64_t now)
{
	(void)pm;
	(void)now;
}

bool vhpet_is_legacy(const struct vhpet *h)
{
	(void)h;
	return legacy;
}

bool pic_is_masked(const struct pic *p, unsigned irq)
{
	(void)p;
	assert_int_equal(irq, 0);
	return pic_masked;
}

bool vioapic_is_masked(const struct vioapic *io, unsigned pin)
{
	(void)io;
	assert_int_equal(pin, 2);
	return pin_masked;
}

uint64_t uart16550_next(const struct uart16550 *u)
{
	(void)u;
	return VTIME_NEVER;
}

void uart16550_advance(struct uart16550 *u, uint64_t now)
{
	(void)u;
	(void)now;
}

void vcpu_post(struct vcpu *v, uint32_t work)
{
	v->work |= work;
}

uint64_t alarm_set(unsigned cpu, uint64_t ns)
{
	void (*other)(void) = meanwhile;

	alarms++;
	alarm_cpu = cpu;
	alarm_ns = ns > NS_LIMIT ? NS_LIMIT : ns;
	meanwhile = NULL;
	if (other)
		other();
	return alarm_ns;
}

void alarm_off(void)
{
	alarms_off++;
}

static unsigned asked;

void console_ask(void)
{
	asked++;
}

unsigned spare_cpu(void)
{
	return 5;
}

/* A TSC of 1 GHz. */
uint64_t tsc_to_us(uint64_t tsc)
{
	return tsc / 1000;
}

static int setup(void **state)
{
	(void)state;
	memset(vms, 0, sizeof(vms));
	memset(vcpus, 0, sizeof(vcpus));
	n_vms = GUESTS;
	for (unsigned i = 0; i < GUESTS; i++) {
		vms[i].vcpus = &vcpus[i];
		vms[i].deadline = VTIME_NEVER;
		vcpus[i].cpu = 10 + i;
		next[i] = VTIME_NEVER;
	}
	clock_ns = START;
	pit_at = VTIME_NEVER;
	pic_masked = pin_masked = true;
	legacy = gone_off = false;
	election = (struct election){ 0 };
	alarm_at = not_before = console_at = VTIME_NEVER;
	asked = 0;
	advanced = caught_up = alarms = alarms_off = 0;
	meanwhile = NULL;
	return 0;
}

static void arm(unsigned guest, uint64_t in)
{
	next[guest] = clock_ns + in;
	vtimer_rearm(&vms[guest]);
}

/* The alarm is the earliest deadline's, and its NMI goes to that guest's CPU. */
static void test_the_first_deadline_counts(void **state)
{
	(void)state;
	arm(1, 500000);
	assert_int_equal(alarm_ns, 500000);
	assert_int_equal(alarm_cpu, 11);
	arm(2, 200000);
	assert_int_equal(alarm_ns, 200000);
	assert_int_equal(alarm_cpu, 12);
	arm(0, 900000);
	assert_int_equal(alarms, 2); /* a later one changes nothing */
	assert_int_equal(vcpus[0].work | vcpus[1].work | vcpus[2].work, 0);
}

/* A guest without timers costs nothing: neither the alarm nor its own CPU. */
static void test_nothing_armed_nothing_done(void **state)
{
	(void)state;
	vtimer_rearm(&vms[0]);
	vtimer_poll();
	assert_int_equal(alarms + alarms_off, 0);
}

static void test_what_is_due_goes_to_its_guest(void **state)
{
	(void)state;
	arm(1, 500000);
	arm(2, 800000);
	clock_ns += 500000;
	vtimer_poll();
	assert_int_equal(vcpus[1].work, WORK_TIMER);
	assert_int_equal(vcpus[2].work, 0);
	assert_int_equal(alarm_ns, 300000);
	assert_int_equal(alarm_cpu, 12);
	/* The guest does it and has nothing more. */
	vtimer_run(&vms[1]);
	assert_int_equal(advanced, 1);
	assert_true(vms[1].deadline == VTIME_NEVER);
}

/* The alarm's clock runs a little faster than the TSC: it is set once more. */
static void test_an_early_alarm_is_set_again(void **state)
{
	(void)state;
	arm(0, 5000000);
	clock_ns += 4900000;
	vtimer_poll();
	assert_int_equal(alarms, 2);
	assert_int_equal(alarm_ns, 100000);
	assert_int_equal(vcpus[0].work, 0);
}

/* Further away than the hardware can: in steps. */
static void test_a_far_deadline_takes_several_alarms(void **state)
{
	(void)state;
	arm(0, 3 * NS_LIMIT);
	clock_ns += NS_LIMIT;
	vtimer_poll();
	assert_int_equal(alarms, 2);
	assert_int_equal(vcpus[0].work, 0);
	clock_ns += 2 * NS_LIMIT;
	vtimer_poll();
	assert_int_equal(vcpus[0].work, WORK_TIMER);
}

/* An NMI long before the alarm is somebody else's. */
static void test_other_nmis_leave_the_alarm_alone(void **state)
{
	(void)state;
	arm(0, NS_LIMIT);
	clock_ns += NS_LIMIT / 2;
	vtimer_poll();
	assert_int_equal(alarms, 1);
}

static void test_a_stopped_guest_has_no_deadline(void **state)
{
	(void)state;
	arm(0, 500000);
	vtimer_stop(&vms[0]);
	clock_ns += 500000;
	vtimer_poll();
	assert_int_equal(vcpus[0].work, 0);
	assert_int_equal(alarms_off, 1);
}

static void arm_other(void)
{
	arm(1, 100000);
	assert_true(election.owned); /* it could not do it itself, and did not wait */
}

/* A deadline that is set while another CPU owns the alarm is seen by that one. */
static void test_the_owner_looks_again(void **state)
{
	(void)state;
	meanwhile = arm_other;
	arm(0, 500000);
	assert_int_equal(alarm_cpu, 11);
	assert_int_equal(alarm_ns, 100000);
	assert_false(election.owned || election.wish);
}

static void arm_ever_more(void)
{
	static uint64_t in = 400000;

	meanwhile = arm_ever_more;
	arm(1, in--);
}

/* Who is kept busy by others goes after some rounds, and has itself called again. */
static void test_the_owner_is_not_kept_for_ever(void **state)
{
	(void)state;
	meanwhile = arm_ever_more;
	arm(0, 500000);
	meanwhile = NULL;
	assert_false(election.owned);
	assert_int_equal(alarm_cpu, here.index);
	assert_int_equal(alarm_ns, SOON_NS);
	clock_ns += SOON_NS;
	vtimer_poll();
	assert_int_equal(alarm_cpu, 11);
	assert_false(election.wish);
}

/* The 8254 ticks for ever; only where its interrupt can be heard is somebody woken for it. */
static void test_an_unheard_8254_wakes_nobody(void **state)
{
	(void)state;
	pit_at = START + 500000;
	vtimer_catch_up(&vms[0]);
	assert_int_equal(alarms, 0);
	assert_int_equal(caught_up, 1);
	pin_masked = false;
	vtimer_catch_up(&vms[0]);
	assert_int_equal(alarms, 1);
	legacy = true; /* the HPET has its line */
	vtimer_catch_up(&vms[0]);
	assert_int_equal(alarms_off, 1);
	legacy = false;
	pin_masked = true;
	pic_masked = false;
	vtimer_catch_up(&vms[0]);
	assert_int_equal(alarms, 2);
}

/* The console's time wakes a CPU that runs no guest, which then polls; asked twice is set once. */
static void test_the_console_has_a_deadline(void **state)
{
	(void)state;
	vtimer_console(clock_ns + 400000);
	assert_int_equal(alarm_cpu, 5);
	assert_int_equal(alarm_ns, 401000);
	vtimer_console(clock_ns + 400000);
	assert_int_equal(alarms, 1);
	arm(1, 500000);
	assert_int_equal(alarms, 1);
	assert_int_equal(asked, 0);
	clock_ns += 401000;
	vtimer_poll();
	assert_int_equal(asked, 1);
	assert_int_equal(alarm_cpu, 11);
	assert_int_equal(alarm_ns, 99000);
	/* A guest's CPU that comes by when it is due polls in the alarm's place. */
	vtimer_console(clock_ns + 50000);
	clock_ns += 60000;
	arm(2, 700000);
	assert_int_equal(asked, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_first_deadline_counts, setup),
		cmocka_unit_test_setup(test_nothing_armed_nothing_done, setup),
		cmocka_unit_test_setup(test_what_is_due_goes_to_its_guest, setup),
		cmocka_unit_test_setup(test_an_early_alarm_is_set_again, setup),
		cmocka_unit_test_setup(test_a_far_deadline_takes_several_alarms, setup),
		cmocka_unit_test_setup(test_other_nmis_leave_the_alarm_alone, setup),
		cmocka_unit_test_setup(test_a_stopped_guest_has_no_deadline, setup),
		cmocka_unit_test_setup(test_the_owner_looks_again, setup),
		cmocka_unit_test_setup(test_the_owner_is_not_kept_for_ever, setup),
		cmocka_unit_test_setup(test_an_unheard_8254_wakes_nobody, setup),
		cmocka_unit_test_setup(test_the_console_has_a_deadline, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
