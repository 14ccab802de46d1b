/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What our byte ring costs beside Concurrency Kit's ck_ring, a ring of
 * pointers, in the same run: on one thread, so that it is the code that is
 * measured, and between two.  Nanoseconds a byte, the best of some runs.
 */
#include <ck_ring.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ring.h"

#define SIZE 65536U
#define BURST 64U
#define BYTES (1U << 22)
#define RUNS 7

static struct ring ours;
static uint8_t data[SIZE];
static ck_ring_t theirs;
static ck_ring_buffer_t slots[SIZE];
static volatile uint64_t sum; /* keeps the work from being optimised away */

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t ours_take(uint8_t *buf)
{
	uint64_t missed = 0;
	size_t n = ring_peek(&ours, buf, BURST, &missed);

	ring_consume(&ours, n);
	return n;
}

/* A burst in, a burst out. */
static void ours_alone(void)
{
	uint8_t buf[BURST];
	unsigned i, j;

	for (i = 0; i < BYTES; i += BURST) {
		for (j = 0; j < BURST; j++)
			ring_put(&ours, (uint8_t)j);
		sum += ours_take(buf);
	}
}

static void ours_over(void)
{
	unsigned i;

	for (i = 0; i < BYTES; i++)
		ring_put_over(&ours, (uint8_t)i);
	ring_skip(&ours, SIZE);
}

static void *as_pointer(unsigned value)
{
	return (void *)(uintptr_t)(value + 1);
}

static void theirs_alone(void)
{
	unsigned i, j;
	void *p;

	for (i = 0; i < BYTES; i += BURST) {
		for (j = 0; j < BURST; j++)
			ck_ring_enqueue_spsc(&theirs, slots, as_pointer(j));
		for (j = 0; j < BURST; j++)
			if (ck_ring_dequeue_spsc(&theirs, slots, (void *)&p))
				sum += (uintptr_t)p;
	}
}

static void *ours_produce(void *arg)
{
	unsigned i;

	for (i = 0; i < BYTES; i++)
		while (!ring_put(&ours, (uint8_t)i))
			sched_yield();
	return arg;
}

static void *theirs_produce(void *arg)
{
	unsigned i;

	for (i = 0; i < BYTES; i++)
		while (!ck_ring_enqueue_spsc(&theirs, slots, as_pointer(i)))
			sched_yield();
	return arg;
}

static void ours_between(void)
{
	uint8_t buf[BURST];
	pthread_t t;
	size_t got = 0, n;

	pthread_create(&t, NULL, ours_produce, NULL);
	while (got < BYTES) {
		n = ours_take(buf);
		if (!n)
			sched_yield();
		got += n;
	}
	pthread_join(t, NULL);
}

static void theirs_between(void)
{
	pthread_t t;
	size_t got = 0;
	void *p;

	pthread_create(&t, NULL, theirs_produce, NULL);
	while (got < BYTES) {
		if (ck_ring_dequeue_spsc(&theirs, slots, (void *)&p))
			got++;
		else
			sched_yield();
	}
	pthread_join(t, NULL);
}

static double once(void (*work)(void))
{
	double from = now_ns();

	work();
	return (now_ns() - from) / BYTES;
}

/* Taken in turn, so that whatever else the machine does meets both. */
static void compare(const char *what, void (*a)(void), void (*b)(void))
{
	double best_a = 1e9, best_b = 1e9, t;
	unsigned i;

	for (i = 0; i < RUNS; i++) {
		t = once(a);
		best_a = t < best_a ? t : best_a;
		t = once(b);
		best_b = t < best_b ? t : best_b;
	}
	printf("ring: %-44s  %.2f / %.2f / %.2f\n", what, best_a, best_b, best_a / best_b);
	printf("ring: %-44s  %.0f / %.0f\n", "...the same, ns a 64-byte write", best_a * BURST,
	       best_b * BURST);
}

int main(void)
{
	ring_init(&ours, data, SIZE);
	ck_ring_init(&theirs, SIZE);
	compare("one thread, ns a byte: ours / ck / ratio", ours_alone, theirs_alone);
	compare("overwriting, ns a byte: ours / ck (in, out)", ours_over, theirs_alone);
	compare("two threads, ns a byte: ours / ck / ratio", ours_between, theirs_between);
	return EXIT_SUCCESS;
}
