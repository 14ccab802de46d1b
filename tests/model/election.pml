/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who works at the drain (src/vconsole/console.c, and mux_work's two kinds of
 * work), with x86's store buffers.
 *
 * Each CPU asks for something some times (a plain store: a focus request, a
 * log record, a byte in the focused ring), sets `pending` and polls.  The
 * owner looks at all of it and shows what is new.  After MAX_ROUNDS it goes,
 * having armed the transmitter's interrupt, which makes a CPU poll again.
 *
 * Shown: there are never two owners, also not two whose stores mix; when
 * everything rests and no interrupt is armed, nothing asked for is left
 * undone; nobody waits: no statement of a CPU can block but the hardware's own
 * (a full store buffer, a fence), and every poll ends.
 *
 * Mutations, each of which must fail:
 *	LOOK_FIRST	the owner looks at `pending` before it gives the ownership back
 *	PLAIN_RELEASE	...gives it back with a plain move, which its look overtakes
 *	NO_PENDING	who finds an owner has left no word
 *	CLEAR_LATE	`pending` is taken down behind the work
 *	TEST_AND_SET	the ownership is read and then written, not exchanged
 *	NO_ALARM	the interrupt is not armed after the last round
 *	QUICK_LAST	the last round's work may be the quick one, which arms nothing
 */
#define ASKING 2	/* CPUs that ask */
#define TIMES 2		/* how often each */
#define MAX_ROUNDS 2

#define CPUS 3		/* and one that takes the interrupt */
#define PENDING 0
#define OWNED 1
#define ASKED(i) (2 + (i))		/* how often CPU i asked; its own to write */
#define SHOWN(i) (2 + ASKING + (i))	/* how much of that was shown; the owner's */
#define VARS (2 + 2 * ASKING)
#include "tso.h"

byte owners;	/* who is between taking the ownership and giving it back */
bool armed;	/* the transmitter's interrupt */
byte ended;	/* CPUs that ask no more */

/* Shows all of CPU i's that is new. */
inline bring(i)
{
	seen = LOAD(ASKED(i));
	assert(LOAD(SHOWN(i)) <= seen);
	if
	:: LOAD(SHOWN(i)) != seen -> store(SHOWN(i), seen)
	:: else
	fi
}

/* Only CPU 0's output is new as far as the owner sees: quick_work(), which arms nothing. */
inline work()
{
	if
#ifdef QUICK_LAST
	:: LOAD(ASKED(1)) == LOAD(SHOWN(1)) ->
#else
	:: round < MAX_ROUNDS && LOAD(ASKED(1)) == LOAD(SHOWN(1)) ->
#endif
		bring(0)
	:: true ->
		bring(0);
		bring(1);
#ifndef NO_ALARM
		if
		:: round == MAX_ROUNDS -> armed = true	/* a device's register: not in memory */
		:: else
		fi
#endif
	fi
}

inline give_back()
{
	owners--;
#ifdef PLAIN_RELEASE
	store(OWNED, 0)
#else
	xchg(OWNED, 0, old)
#endif
}

inline take(v)
{
#ifdef TEST_AND_SET
	v = LOAD(OWNED);
	if
	:: !v -> xchg(OWNED, 1, old)
	:: else
	fi
#else
	xchg(OWNED, 1, v)
#endif
}

inline poll()
{
#ifndef NO_PENDING
	xchg(PENDING, 1, old);
#endif
	round = 1;
	do
	:: round <= MAX_ROUNDS ->
#ifdef LOOK_FIRST
		if
		:: round > 1 && !again -> break
		:: else
		fi;
#else
#ifndef NO_PENDING
		if
		:: !LOAD(PENDING) -> break
		:: else
		fi;
#endif
#endif
		take(busy);
		if
		:: busy -> break
		:: else
		fi;
		owners++;
		assert(owners == 1);
#ifdef CLEAR_LATE
		work();
		xchg(PENDING, 0, old);
#else
		xchg(PENDING, 0, old);
		work();
#endif
#ifdef LOOK_FIRST
		again = LOAD(PENDING);
#endif
		give_back();
		round++
	:: else -> break
	od
}

#ifdef LOOK_FIRST
#define AGAIN bool again;
#else
#define AGAIN
#endif

active [ASKING] proctype cpu()
{
	byte me = _pid, times, round, old, busy, seen;
	AGAIN

	do
	:: times < TIMES ->
		times++;
		store(ASKED(me), times);
		poll()
	:: else -> break
	od;
	ended++
}

/* The CPU that the armed interrupt goes to. */
active proctype interrupted()
{
	byte me = CPUS - 1, round, old, busy, seen;
	AGAIN

end:	do
	:: armed ->
		armed = false;
		poll()
	od
}

active proctype store_buffers()
{
	byte place, value;

end:	do
	:: commit(0)
	:: commit(1)
	:: commit(2)
	od
}

/* When nothing can move any more (Spin's `timeout`). */
active proctype judge()
{
	timeout ->
	assert(ended == ASKING && !armed && owners == 0);
	assert(mem[SHOWN(0)] == TIMES && mem[SHOWN(1)] == TIMES)
}
