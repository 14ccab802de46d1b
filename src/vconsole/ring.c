/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The byte ring (see ring.h).
 *
 * Overwriting without waiting works as in a sequence lock with a position for
 * a sequence number: the producer first publishes in `claim` how far it is
 * about to write, then writes the byte, then publishes it in `head`.  The
 * consumer copies, then looks at `claim` again and drops from its copy what
 * may have been overwritten meanwhile.
 *
 * Orderings, each with its pair:
 *  (1) the byte's store is a release and its load an acquire: a consumer that
 *      read a new byte in place of an old one also sees the claim for it;
 *  (2) head: release store, acquire load: whoever sees the head sees the bytes;
 *  (3) tail: release store, acquire load: a producer that sees room knows that
 *      the consumer has finished reading the bytes there;
 *  (4) claim: release store, acquire load: whoever sees a claim sees the head
 *      before it, so that what the claim makes lost never reaches past the head.
 * All are plain moves on x86.  tests/model/ring.pml checks the algorithm, and
 * that each of the four is needed.
 */
#include "ring.h"

void ring_init(struct ring *r, void *data, uint64_t size)
{
	r->data = data;
	r->size = size;
	r->claim = 0;
	r->head = 0;
	r->tail = 0;
	r->lost = 0;
}

static uint8_t *slot(const struct ring *r, uint64_t pos)
{
	return &r->data[pos & (r->size - 1)];
}

static void append(struct ring *r, uint64_t head, uint8_t byte)
{
	/* Ordered before the byte by (1). */
	__atomic_store_n(&r->claim, head + 1, __ATOMIC_RELEASE); /* (4) */
	__atomic_store_n(slot(r, head), byte, __ATOMIC_RELEASE); /* (1) */
	__atomic_store_n(&r->head, head + 1, __ATOMIC_RELEASE);	 /* (2) */
}

uint64_t ring_head(const struct ring *r)
{
	return __atomic_load_n(&r->head, __ATOMIC_ACQUIRE); /* (2) */
}

uint64_t ring_tail(const struct ring *r)
{
	return __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE); /* (3) */
}

uint64_t ring_used(const struct ring *r)
{
	uint64_t tail = ring_tail(r); /* before head, so that it is never beyond it */

	return min_u64(ring_head(r) - tail, r->size);
}

uint64_t ring_free(const struct ring *r)
{
	return r->size - ring_used(r);
}

bool ring_put(struct ring *r, uint8_t byte)
{
	uint64_t head = __atomic_load_n(&r->head, __ATOMIC_RELAXED); /* our own */

	if (head - ring_tail(r) >= r->size)
		return false;
	append(r, head, byte);
	return true;
}

void ring_put_over(struct ring *r, uint8_t byte)
{
	append(r, __atomic_load_n(&r->head, __ATOMIC_RELAXED), byte); /* our own */
}

/* The oldest position that the producer has not begun to overwrite. */
uint64_t ring_oldest(const struct ring *r)
{
	/* Ordered after the bytes' loads by (1). */
	uint64_t claim = __atomic_load_n(&r->claim, __ATOMIC_ACQUIRE); /* (4) */

	return claim > r->size ? claim - r->size : 0;
}

static void copy_out(const struct ring *r, uint64_t pos, uint8_t *buf, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf[i] = __atomic_load_n(slot(r, pos + i), __ATOMIC_ACQUIRE); /* (1) */
}

static void lose(struct ring *r, uint64_t n)
{
	/* Relaxed: only a figure. */
	__atomic_store_n(&r->lost, r->lost + n, __ATOMIC_RELAXED);
	__atomic_store_n(&r->tail, r->tail + n, __ATOMIC_RELEASE); /* (3) */
}

/* Counts what was overwritten at the tail as lost. */
static uint64_t lose_overwritten(struct ring *r)
{
	uint64_t first = ring_oldest(r), n;

	if (first <= r->tail)
		return 0;
	n = first - r->tail;
	lose(r, n);
	return n;
}

size_t ring_peek(struct ring *r, uint8_t *buf, size_t max, uint64_t *missed)
{
	uint64_t head, gone;
	size_t n, i;

	*missed += lose_overwritten(r);
	head = ring_head(r);
	/* A byte that is claimed but not yet there may have moved the tail up to the head. */
	n = (size_t)min_u64(head - r->tail, max);
	copy_out(r, r->tail, buf, n);

	gone = lose_overwritten(r);
	if (!gone)
		return n;
	*missed += gone;
	if (gone >= n)
		return 0;
	n -= (size_t)gone;
	for (i = 0; i < n; i++)
		buf[i] = buf[i + gone];
	return n;
}

void ring_consume(struct ring *r, size_t n)
{
	__atomic_store_n(&r->tail, r->tail + n, __ATOMIC_RELEASE); /* (3) */
}

uint64_t ring_skip(struct ring *r, uint64_t n)
{
	n = min_u64(n, ring_head(r) - r->tail);
	lose(r, n);
	return n;
}

static uint64_t pass_overwritten(const struct ring *r, uint64_t *pos, uint64_t end)
{
	const uint64_t first = min_u64(ring_oldest(r), end), from = *pos;

	if (first <= from)
		return 0;
	*pos = first;
	return first - from;
}

size_t ring_read_at(const struct ring *r, uint64_t *pos, uint64_t end, uint8_t *buf, size_t max,
		    uint64_t *missed)
{
	uint64_t gone;
	size_t n, i;

	*missed += pass_overwritten(r, pos, end);
	n = (size_t)min_u64(end - *pos, max);
	copy_out(r, *pos, buf, n);

	gone = pass_overwritten(r, pos, end);
	*missed += gone;
	if (gone >= n)
		return 0;
	n -= (size_t)gone;
	for (i = 0; gone && i < n; i++)
		buf[i] = buf[i + gone];
	*pos += n;
	return n;
}

uint64_t ring_lost(const struct ring *r)
{
	uint64_t tail = ring_tail(r);
	uint64_t lost = __atomic_load_n(&r->lost, __ATOMIC_RELAXED);
	uint64_t behind = ring_head(r) - tail;

	return lost + (behind > r->size ? behind - r->size : 0);
}
