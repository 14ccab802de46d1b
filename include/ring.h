/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock-free ring of bytes between one producer and one consumer, each on
 * any CPU.  Neither ever waits for the other.  The producer chooses for each
 * byte whether a full ring refuses it or overwrites the oldest one.
 *
 * Positions count bytes since the start and never wrap (64 bits); byte p
 * lives in data[p % size].  At every time, seen by the consumer:
 *
 *	written (head) = shown + lost (together: tail) + still in the ring
 *
 * "One producer" may be different CPUs at different times if something else
 * (a lock, the drain's ownership) orders them; the same for the consumer.
 */
#ifndef BULKHEAD_RING_H
#define BULKHEAD_RING_H

#include "types.h"

#define RING_LINE 64 /* the two sides do not share a cache line */

struct ring {
	uint8_t *data;
	uint64_t size; /* a power of two */
	uint8_t pad0[RING_LINE];
	/* The producer's.  Bytes below claim - size may be gone; those below head are there. */
	uint64_t claim, head;
	uint8_t pad1[RING_LINE];
	/* The consumer's. */
	uint64_t tail, lost;
	uint8_t pad2[RING_LINE];
};

/* `data` has `size` bytes and stays the ring's; `size` must be a power of two. */
void ring_init(struct ring *r, void *data, uint64_t size);

/* Producer: false when the ring is full; the byte was not taken. */
bool ring_put(struct ring *r, uint8_t byte);
/* Producer: always takes the byte; a full ring loses its oldest one. */
void ring_put_over(struct ring *r, uint8_t byte);
/* Producer: how many bytes ring_put would take.  Anyone else: a snapshot. */
uint64_t ring_free(const struct ring *r);

/*
 * Consumer: copies up to `max` of the next bytes into `buf` and leaves them in
 * the ring.  When bytes before them were overwritten, those are counted as
 * lost first and *missed grows by their number.  May return 0 with bytes left
 * in the ring, but only when *missed grew.
 */
size_t ring_peek(struct ring *r, uint8_t *buf, size_t max, uint64_t *missed);
/* Consumer: the first `n` bytes of the last ring_peek are shown. */
void ring_consume(struct ring *r, size_t n);
/* Consumer: gives up to `n` of the next bytes up as lost; returns how many. */
uint64_t ring_skip(struct ring *r, uint64_t n);

/*
 * Anyone: copies up to `max` bytes from *pos on, shown or not, but none from
 * `end` on (some former ring_head), and moves *pos past them.  Bytes that were
 * overwritten are passed over, and *missed grows by their number.  May return
 * 0 before the end, but only when *missed grew.
 */
size_t ring_read_at(const struct ring *r, uint64_t *pos, uint64_t end, uint8_t *buf, size_t max,
		    uint64_t *missed);
/* The oldest position that ring_read_at may still find. */
uint64_t ring_oldest(const struct ring *r);

/* Bytes in the ring now, at most its size.  Exact for the consumer if the producer rests. */
uint64_t ring_used(const struct ring *r);
/* The position behind the newest byte. */
uint64_t ring_head(const struct ring *r);
/* The position of the next byte to be shown. */
uint64_t ring_tail(const struct ring *r);
/*
 * Bytes lost, with those that are overwritten but not yet found missing.
 * Exact for the consumer; for others, of about the present moment.
 */
uint64_t ring_lost(const struct ring *r);

#endif
