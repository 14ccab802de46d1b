/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * include/election.h, as who works at the drain is elected (console_poll in
 * src/vconsole/console.c), on x86's store buffers.  src/core/vtimer.c has, in
 * place of the call after the last round, an alarm for its own CPU;
 * src/smp/ioapic.c has no last round.
 *
 * A CPU asks for something (a plain store: a log record, a focus request, a
 * byte in the focused ring), sets `wish` (here PENDING) and polls.  CPU 2 asks for nothing:
 * it takes the serial port's interrupt.  The owner
 * looks at all of it and shows what is new.  After MAX_ROUNDS it goes, and
 * calls a CPU that asked meanwhile, if there is one, to poll again.
 *
 * Shown: there are never two owners, also not two whose stores mix; when all
 * rests, nothing asked for is left undone; nobody waits: no statement of a CPU
 * can block but the hardware's own (a full store buffer, a locked instruction),
 * and every poll ends.
 *
 * Mutations, each of which must fail:
 *	LOOK_FIRST	the owner looks for a wish before it gives the ownership back
 *	PLAIN_RELEASE	...gives it back with a plain move, which its look overtakes
 *	NO_PENDING	who finds an owner has left no word
 *	CLEAR_LATE	the wish is taken down behind the work
 *	TEST_AND_SET	the ownership is read and then written, not exchanged
 *	NO_CALL		after the last round nobody is called
 *	CALL_EARLY	...the call is made while the ownership is still held
 */
#define CPUS 3
#define TIMES(i) ((i) == 0 -> 2 : 1)	/* how often CPU i asks */
#define MAX_ROUNDS 2

#define PENDING 0
#define OWNED 1
#define ASKER 2
#define ASKED(i) (3 + (i))		/* how often CPU i asked; its own to write */
#define SHOWN(i) (5 + (i))	/* how much of that was shown; the owner's */
#define VARS 7
#include "tso.h"

byte owners;		/* who is between taking the ownership and giving it back */
bool called[CPUS];	/* an NMI: not in memory */
byte ended;		/* CPUs that ask no more */

inline bring(i)
{
	seen = LOAD(ASKED(i));
	assert(LOAD(SHOWN(i)) <= seen);
	if
	:: LOAD(SHOWN(i)) != seen -> store(SHOWN(i), seen)
	:: else
	fi
}

inline work()
{
	owners++;
	assert(owners == 1);
#ifndef CLEAR_LATE
	xchg(PENDING, 0, old);
#endif
	bring(0);
	bring(1);
#ifdef CLEAR_LATE
	xchg(PENDING, 0, old);
#endif
	owners--
}

inline give_back()
{
#ifdef LOOK_FIRST
	again = LOAD(PENDING);
#endif
#ifdef PLAIN_RELEASE
	store(OWNED, 0);
#else
	xchg(OWNED, 0, old);
#endif
#ifndef LOOK_FIRST
	again = LOAD(PENDING);
#endif
}

inline take_ownership()
{
#ifdef TEST_AND_SET
	busy = LOAD(OWNED);
	if
	:: !busy -> xchg(OWNED, 1, old)
	:: else
	fi;
#else
	xchg(OWNED, 1, busy);
#endif
	if
	:: busy -> store(ASKER, me)
	:: else
	fi
}

inline call()
{
#ifdef NO_CALL
	skip
#else
	seen = LOAD(ASKER);
	called[seen] = true
#endif
}

inline poll()
{
#ifndef NO_PENDING
	xchg(PENDING, 1, old);
#endif
	round = 0;
	again = true;
	do
	:: round == MAX_ROUNDS && again ->
#ifndef CALL_EARLY
		call();
#endif
		break
	:: round < MAX_ROUNDS && again ->
		take_ownership();
		if
		:: busy -> break
		:: else
		fi;
		work();
		round++;
#ifdef CALL_EARLY
		if
		:: round == MAX_ROUNDS && LOAD(PENDING) -> call()
		:: else
		fi;
#endif
		give_back()
	:: !again -> break
	od
}

active [CPUS] proctype cpu()
{
	byte me = _pid, times, round, old, busy, seen;
	bool again;

end:	do
	:: times < TIMES(me) ->
		times++;
		if
		:: me < 2 -> store(ASKED(me), times)
		:: else
		fi;
		poll();
		if
		:: times == TIMES(me) -> ended++
		:: else
		fi
	:: called[me] ->
		called[me] = false;
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
	assert(ended == CPUS && owners == 0 && !mem[OWNED]);
	assert(mem[SHOWN(0)] == TIMES(0) && mem[SHOWN(1)] == TIMES(1))
}
