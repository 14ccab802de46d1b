/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The byte ring (src/vconsole/ring.c) between a producer and a consumer that
 * may be anywhere at any time.  For each byte the producer chooses between
 * ring_put, which refuses, and ring_put_over; the consumer peeks and consumes
 * any part of what it got, skips and looks back.
 *
 * Byte number p has the value p, so a torn or misplaced one shows.  Shown: what
 * is consumed is a subsequence of what was written, in order; each gap is
 * exactly what was counted as lost before it; ring_put never overwrites;
 * written = shown + lost + in the ring, at every moment for the consumer and
 * for all at the end; neither side waits.
 *
 * Memory.  The producer's stores become visible one by one, later than it made
 * them, in the order that the releases (1), (2) and (4) of ring.c give them;
 * x86 keeps all stores in order.  The consumer's loads keep their order by
 * their acquires, as x86 keeps it for all loads; its store to `tail` (3) may
 * become visible late.  The mutations that are said to be relaxed allow what C
 * then allows, though x86's hardware would not do it: a compiler may.
 *
 * Mutations, each of which must fail:
 *	RELAXED_BYTE	the byte is stored relaxed: it may be seen before its claim (1)
 *	RELAXED_HEAD	the head is stored relaxed: it may be seen before its byte (2)
 *	RELAXED_CLAIM	the claim is stored relaxed: it may be seen before the head before it (4)
 *	RELAXED_LOOK	`claim` is first loaded relaxed: the head may be read before (4)
 *	EAGER_TAIL	the tail is seen before the bytes are read (3)
 *	NO_SECOND_LOOK	`claim` is not looked at after copying
 *	LOOK_AT_HEAD	...but `head` is
 *	OFF_BY_ONE	ring_put takes a byte when the ring is full
 *	KEEP_COPY	what was overwritten while copying stays in the copy
 *	LOST_TWICE	such bytes are counted once more
 */
#define SIZE 2
#define WRITES 5	/* bytes that the producer offers */
#ifdef RELAXED_CLAIM
#define AHEAD SIZE
#else
#define AHEAD 0
#endif

/* The producer's own count of positions, and how many claims, bytes and heads are visible. */
byte issued, claims, bytes, heads;
byte data[SIZE];
byte tail;		/* the consumer's own */
byte tail_seen;		/* what the producer can see of it */
byte shown, lost;
bool done;
bool may_lose;		/* ring_put_over was used */

#define OLDEST(c) ((c) > SIZE -> (c) - SIZE : 0)

proctype producer()
{
	byte offered;

	do
	:: offered == WRITES -> break
	:: offered < WRITES ->
		offered++;
		if
#ifdef OFF_BY_ONE
		:: issued - tail_seen <= SIZE -> issued++	/* ring_put */
#else
		:: issued - tail_seen < SIZE -> issued++
#endif
		:: issued - tail_seen >= SIZE		/* ring_put refuses: nothing is written */
		:: true -> d_step { may_lose = true; issued++ }	/* ring_put_over */
		fi
	od;
	claims == issued && bytes == issued && heads == issued;
	done = true
}

/* The producer's stores on their way into memory. */
proctype stores()
{
end:	do
	:: claims < issued && claims <= heads + AHEAD -> claims++
#ifdef RELAXED_BYTE
	:: bytes < issued && bytes <= heads ->
#else
	:: bytes < claims && bytes <= heads ->
#endif
		d_step {
			data[bytes % SIZE] = bytes;
			bytes++
		}
#ifdef RELAXED_HEAD
	:: heads < claims -> heads++
#else
	:: heads < bytes -> heads++
#endif
	:: tail_seen != tail -> tail_seen = tail
	od
}

/* lose_overwritten(), by what was seen of `claim`. */
inline lose_overwritten(claim, gone)
{
	d_step {
		gone = (OLDEST(claim) > tail -> OLDEST(claim) - tail : 0);
		assert(!gone || may_lose);
		lost = lost + gone;
		tail = tail + gone
	}
}

inline copy_out()
{
	i = 0;
	do
	:: i < n ->
		d_step {
			copy[i] = data[(tail + i) % SIZE];
			i++
		}
	:: else -> break
	od
}

/* ring_peek(): `n` bytes from copy[first] on. */
inline peek()
{
	if
	:: claim = claims; head = heads
#ifdef RELAXED_LOOK
	:: head = heads; claim = claims
#endif
	fi;
	lose_overwritten(claim, gone);
	assert(head >= tail);
	n = head - tail;
	/* The caller's buffer may be smaller. */
	if
	:: n > 1 -> n = 1
	:: true
	fi;
	copy_out();
	first = 0;
#ifdef LOOK_AT_HEAD
	claim = heads;
#else
	claim = claims;
#endif
#ifndef NO_SECOND_LOOK
	lose_overwritten(claim, gone);
	d_step {
		if
		:: gone >= n -> n = 0
		:: else -> n = n - gone; first = gone
		fi;
#ifdef KEEP_COPY
		first = 0;
#endif
#ifdef LOST_TWICE
		lost = lost + gone;
#endif
		gone = 0
	}
#endif
}

inline check_copy()
{
	d_step {
		i = 0;
		do
		:: i < n ->
			assert(copy[first + i] == tail + i);
			i++
		:: else -> break
		od;
		i = 0
	}
}

proctype consumer()
{
	byte claim, head, n, i, gone, first;
	byte copy[WRITES];

	do
	:: true ->
#ifdef EAGER_TAIL
		tail_seen = heads;
#endif
		peek();
		check_copy();
		/* ring_consume(): any part of it. */
		if
		:: n > 1 -> n = 1
		:: true
		fi;
		d_step {
			tail = tail + n;
			shown = shown + n;
			n = 0; first = 0; claim = 0; head = 0;
			copy[0] = 0; copy[1] = 0; copy[2] = 0; copy[3] = 0; copy[4] = 0
		}
		assert(tail == shown + lost)
	:: tail < heads ->
		/* ring_skip() */
		d_step {
			tail++;
			lost++
		}
	:: tail > 0 && tail - 1 >= OLDEST(claims) ->
		/* ring_read_at() of one byte that was shown. */
		copy[0] = data[(tail - 1) % SIZE];
		if
		:: tail - 1 >= OLDEST(claims) -> assert(copy[0] == tail - 1)
		:: else
		fi;
		copy[0] = 0
	:: done && tail == issued -> break
	od;
	assert(heads == issued && issued == shown + lost)
}

init {
	atomic {
		run producer();
		run stores();
		run consumer()
	}
}
