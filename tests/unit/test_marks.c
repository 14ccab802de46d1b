/* SPDX-License-Identifier: BSD-2-Clause */
/* The time marks: lookup, overwriting, and both sides at once (also under ThreadSanitizer). */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "vconsole/marks.h"

#define SLOTS 16
#define MANY 300000U
#define STEP 5 /* bytes of a line */

static struct mark slots[SLOTS];
static struct marks m;

static int setup(void **state)
{
	(void)state;
	memset(slots, 0, sizeof(slots));
	marks_init(&m, slots, SLOTS);
	return 0;
}

static void the_last_mark_before_counts(void **state)
{
	(void)state;
	assert_int_equal(marks_find(&m, 0), 0);
	marks_put(&m, 0, 100);
	marks_put(&m, 7, 200);
	marks_put(&m, 9, 300);
	assert_int_equal(marks_find(&m, 0), 100);
	assert_int_equal(marks_find(&m, 6), 100);
	assert_int_equal(marks_find(&m, 7), 200);
	assert_int_equal(marks_find(&m, 8), 200);
	assert_int_equal(marks_find(&m, 9), 300);
	assert_int_equal(marks_find(&m, 1ULL << 60), 300);
}

static void what_is_gone_has_the_oldest_time(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 3 * SLOTS; i++)
		marks_put(&m, i * STEP, i + 1);
	assert_int_equal(marks_find(&m, 0), 2 * SLOTS + 1);
	for (i = 2 * SLOTS; i < 3 * SLOTS; i++)
		assert_int_equal(marks_find(&m, i * STEP + 1), i + 1);
}

static void no_marks_are_no_times(void **state)
{
	(void)state;
	marks_init(&m, NULL, 0);
	marks_put(&m, 0, 1);
	assert_int_equal(marks_find(&m, 0), 0);
}

static uint64_t written; /* how many marks there are: release, acquire */

static void *write_marks(void *arg)
{
	uint64_t i;

	(void)arg;
	for (i = 0; i < MANY; i++) {
		marks_put(&m, i * STEP, i + 1);
		__atomic_store_n(&written, i + 1, __ATOMIC_RELEASE);
		if (i % 64 == 0)
			sched_yield();
	}
	return NULL;
}

/* A time that was found is one that was put, and not of a line that began later than could be. */
static void times_are_whole_while_marks_come(void **state)
{
	uint64_t n = 0, found, wrong = 0;
	pthread_t thread;

	(void)state;
	written = 0;
	pthread_create(&thread, NULL, write_marks, NULL);
	while (n < MANY) {
		n = __atomic_load_n(&written, __ATOMIC_ACQUIRE);
		if (!n)
			continue;
		found = marks_find(&m, (n - 1) * STEP + 2);
		if (found < n) /* the mark for it, or when that is gone a newer one */
			wrong++;
		if (found == 0 || found > MANY)
			wrong++;
	}
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
	assert_int_equal(marks_find(&m, (uint64_t)MANY * STEP), MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_last_mark_before_counts, setup),
		cmocka_unit_test_setup(what_is_gone_has_the_oldest_time, setup),
		cmocka_unit_test_setup(no_marks_are_no_times, setup),
		cmocka_unit_test_setup(times_are_whole_while_marks_come, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
