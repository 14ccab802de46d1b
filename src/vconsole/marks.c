/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The marks (see marks.h).  As in the byte ring, the producer publishes in
 * `claim` what it is about to overwrite, and the consumer looks at `claim`
 * again after it has read.
 *
 * Orderings, each with its pair:
 *  (1) a mark's two words: release stores, acquire loads: a consumer that read
 *      a word of a new mark in place of an old one also sees the claim for it;
 *  (2) head: release store, acquire load: whoever sees the head sees the marks.
 * A mark is there before the byte that it is for: the byte's position is
 * published later, with a release that the consumer has acquired (ring.c (2)).
 */
#include "marks.h"

void marks_init(struct marks *m, void *memory, uint64_t size)
{
	m->slot = memory;
	m->size = size;
	m->claim = 0;
	m->head = 0;
}

static struct mark *slot(const struct marks *m, uint64_t i)
{
	return &m->slot[i & (m->size - 1)];
}

void marks_put(struct marks *m, uint64_t pos, uint64_t tsc)
{
	uint64_t head = __atomic_load_n(&m->head, __ATOMIC_RELAXED); /* our own */
	struct mark *s;

	if (!m->size)
		return;
	s = slot(m, head);
	/* Relaxed: ordered before the words by (1). */
	__atomic_store_n(&m->claim, head + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&s->pos, pos, __ATOMIC_RELEASE);	/* (1) */
	__atomic_store_n(&s->tsc, tsc, __ATOMIC_RELEASE);	/* (1) */
	__atomic_store_n(&m->head, head + 1, __ATOMIC_RELEASE); /* (2) */
}

static uint64_t oldest(const struct marks *m)
{
	/* Relaxed: ordered after the words' loads by (1). */
	uint64_t claim = __atomic_load_n(&m->claim, __ATOMIC_RELAXED);

	return claim > m->size ? claim - m->size : 0;
}

static uint64_t pos_of(const struct marks *m, uint64_t i)
{
	return __atomic_load_n(&slot(m, i)->pos, __ATOMIC_ACQUIRE); /* (1) */
}

/* One search.  False: a mark that counts was overwritten meanwhile. */
static bool search(const struct marks *m, uint64_t pos, uint64_t *tsc)
{
	uint64_t low = oldest(m), high = __atomic_load_n(&m->head, __ATOMIC_ACQUIRE); /* (2) */

	*tsc = 0;
	if (low >= high)
		return true;
	/* The mark at `low` is at or before `pos`, or is the oldest; those from `high` are after. */
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (pos_of(m, middle) <= pos)
			low = middle;
		else
			high = middle;
	}
	*tsc = __atomic_load_n(&slot(m, low)->tsc, __ATOMIC_ACQUIRE); /* (1) */
	return low >= oldest(m);
}

uint64_t marks_find(const struct marks *m, uint64_t pos)
{
	uint64_t tsc = 0;

	/* A guest that overtakes the search twice is fast: any of its times is about now. */
	if (m->size && !search(m, pos, &tsc))
		search(m, pos, &tsc);
	return tsc;
}
