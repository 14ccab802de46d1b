/* SPDX-License-Identifier: BSD-2-Clause */
/* The one alarm behind all guests' timer devices: when it is set, and what comes early or late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/vtimer.c"

#define MS 1000000ULL

struct vm vms[CFG_MAX_VMS];
unsigned n_vms;

static struct vcpu vcpu[2];
static struct cpu cpu;
static uint64_t now;
/* What the alarm was last set to, VTIME_NEVER: off; and how often it was. */
static uint64_t set_to;
static unsigned set_for, sets, posts[2];

uint64_t now_ns(void)
{
	return now;
}

uint64_t alarm_set(unsigned to, uint64_t ns)
{
	set_to = now + ns;
	set_for = to;
	sets++;
	return ns;
}

void alarm_off(void)
{
	set_to = VTIME_NEVER;
}

void vcpu_post(struct vcpu *v, uint32_t work)
{
	assert_int_equal(work, WORK_TIMER);
	posts[v->cpu]++;
}

/* Guest i wants to be called at a moment, as if one of its devices said so. */
static void want(unsigned i, uint64_t at)
{
	__atomic_store_n(&vms[i].deadline, at, __ATOMIC_SEQ_CST);
	update();
}

static int setup(void **state)
{
	(void)state;
	memset(vms, 0, sizeof(vms));
	memset(posts, 0, sizeof(posts));
	n_vms = 2;
	now = 1000 * MS;
	for (unsigned i = 0; i < n_vms; i++) {
		vms[i].vcpus = &vcpu[i];
		vcpu[i].cpu = i;
		vms[i].deadline = VTIME_NEVER;
	}
	update();
	sets = 0;
	return 0;
}

static void the_first_deadline_sets_it(void **state)
{
	(void)state;
	want(0, now + 10 * MS);
	want(1, now + 4 * MS);
	assert_true(set_to == now + 4 * MS);
	assert_int_equal(set_for, 1);
	want(1, VTIME_NEVER);
	assert_true(set_to == now + 10 * MS);
	want(0, VTIME_NEVER);
	assert_true(set_to == VTIME_NEVER);
}

static void what_is_due_is_handed_on_once(void **state)
{
	(void)state;
	want(0, now + 4 * MS);
	now += 4 * MS;
	vtimer_poll();
	vtimer_poll();
	assert_int_equal(posts[0], 1);
	assert_int_equal(posts[1], 0);
	assert_true(set_to == VTIME_NEVER);
}

/* Its clock is not the TSC: who took it for the deadline would wait for ever. */
static void one_that_comes_early_is_set_again(void **state)
{
	const uint64_t deadline = now + 40 * MS;

	(void)state;
	want(0, deadline);
	set_to = VTIME_NEVER; /* it has sounded */
	now = deadline - 3 * MS;
	vtimer_poll();
	assert_int_equal(posts[0], 0);
	assert_true(set_to == deadline);
	set_to = VTIME_NEVER;
	now = deadline - 1;
	vtimer_poll();
	assert_true(set_to == deadline);
	now = deadline;
	vtimer_poll();
	assert_int_equal(posts[0], 1);
}

static void other_nmis_do_not_set_it_again(void **state)
{
	(void)state;
	want(0, now + 40 * MS);
	assert_int_equal(sets, 1);
	for (unsigned i = 0; i < 10; i++) {
		now += MS;
		vtimer_poll();
	}
	assert_int_equal(sets, 1);
	assert_int_equal(posts[0], 0);
}

static void a_late_one_hands_on_all_that_is_due(void **state)
{
	(void)state;
	want(0, now + 4 * MS);
	want(1, now + 5 * MS);
	now += 100 * MS;
	vtimer_poll();
	assert_int_equal(posts[0], 1);
	assert_int_equal(posts[1], 1);
}

/* On x86_64 Linux nothing else uses GS. */
static int set_gs(void **state)
{
	(void)state;
	cpu.self = &cpu;
	return (int)syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_deadline_sets_it, setup),
		cmocka_unit_test_setup(what_is_due_is_handed_on_once, setup),
		cmocka_unit_test_setup(one_that_comes_early_is_set_again, setup),
		cmocka_unit_test_setup(other_nmis_do_not_set_it_again, setup),
		cmocka_unit_test_setup(a_late_one_hands_on_all_that_is_due, setup),
	};

	return cmocka_run_group_tests(tests, set_gs, NULL);
}
