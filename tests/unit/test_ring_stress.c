/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The byte ring between two threads.  Every byte's value follows from its
 * position, so a torn or misplaced byte shows; the counts must come out exact.
 * Also built under ThreadSanitizer: see mk/host.mk.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ring.h"

#define SIZE 256
#ifndef TOTAL
#define TOTAL 3000000ULL
#endif
#define CHUNK 96

enum mode { REFUSE, OVERWRITE, MIXED };

struct shared {
	struct ring ring;
	uint8_t data[SIZE];
	enum mode mode;
	bool done;
};

/* Neighbouring turns of the ring must differ at every slot. */
static uint8_t value_at(uint64_t pos)
{
	return (uint8_t)((pos * 0x9E3779B97F4A7C15ULL) >> 56);
}

static bool overwrites(enum mode mode, uint64_t pos)
{
	return mode == OVERWRITE || (mode == MIXED && (pos >> 12) % 2 == 0);
}

static void *produce(void *arg)
{
	struct shared *s = arg;
	uint64_t pos;

	for (pos = 0; pos < TOTAL; pos++) {
		if (overwrites(s->mode, pos))
			ring_put_over(&s->ring, value_at(pos));
		else
			while (!ring_put(&s->ring, value_at(pos)))
				sched_yield();
	}
	/* Release pairs with the acquire in consume(): the ring is complete. */
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static uint64_t check(const uint8_t *buf, uint64_t pos, size_t n)
{
	uint64_t bad = 0;
	size_t i;

	for (i = 0; i < n; i++)
		bad += buf[i] != value_at(pos + i);
	return bad;
}

/* Consumes everything; returns the number of bytes that were wrong. */
static uint64_t consume(struct shared *s, uint64_t *shown, uint64_t *missed)
{
	uint8_t buf[CHUNK];
	uint64_t bad = 0, again = 0, pos, tail;
	bool last;
	size_t n;

	/* However the threads are scheduled, the first bytes must be overwritten unseen. */
	while (overwrites(s->mode, 0) && ring_head(&s->ring) <= SIZE)
		sched_yield();
	do {
		last = __atomic_load_n(&s->done, __ATOMIC_ACQUIRE);
		n = ring_peek(&s->ring, buf, sizeof(buf), missed);
		bad += check(buf, ring_tail(&s->ring), n);
		ring_consume(&s->ring, n);
		*shown += n;
		if (!n)
			sched_yield(); /* or one CPU for both takes ages */
		tail = ring_tail(&s->ring);
		pos = tail > 40 ? tail - 40 : 0;
		n = ring_read_at(&s->ring, &pos, tail, buf, sizeof(buf), &again);
		bad += check(buf, pos - n, n);
	} while (!last || ring_used(&s->ring));
	return bad;
}

static void stress(enum mode mode)
{
	struct shared s;
	uint64_t shown = 0, missed = 0;
	pthread_t thread;

	memset(&s, 0, sizeof(s));
	s.mode = mode;
	ring_init(&s.ring, s.data, SIZE);
	assert_int_equal(pthread_create(&thread, NULL, produce, &s), 0);
	assert_int_equal(consume(&s, &shown, &missed), 0);
	pthread_join(thread, NULL);

	assert_int_equal(ring_head(&s.ring), TOTAL);
	assert_int_equal(shown + missed, TOTAL);
	assert_int_equal(ring_lost(&s.ring), missed);
	if (mode == REFUSE)
		assert_int_equal(missed, 0);
	else
		assert_true(missed > 0);
}

static void refusing(void **state)
{
	(void)state;
	stress(REFUSE);
}

static void overwriting(void **state)
{
	(void)state;
	stress(OVERWRITE);
}

static void changing(void **state)
{
	(void)state;
	stress(MIXED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusing),
		cmocka_unit_test(overwriting),
		cmocka_unit_test(changing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
