/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that one CPU at a time does for all, without anybody waiting.
 *
 *	election_ask(&e);
 *	while (election_wanted(&e) && election_win(&e)) {
 *		... all that was asked for ...
 *		election_leave(&e);
 *	}
 *
 * Whoever wants work done says so and tries to become the owner.  The owner
 * takes the wish down, works, gives the ownership back and looks for a wish
 * again.  These four accesses are sequentially consistent: if a CPU finds an
 * owner, its wish is before that owner's last look, so somebody sees it.
 * They also order what the work is about: stores before election_ask are seen
 * by the owner that takes the wish down, and all that an owner did by the next
 * one.  An owner that leaves with a wish still there, so that others cannot
 * keep it for ever, has to see to it that somebody comes back.
 *
 * tests/model/election.pml checks it.
 */
#ifndef BULKHEAD_ELECTION_H
#define BULKHEAD_ELECTION_H

#include "types.h"

struct election {
	bool wish; /* there is work that no owner may have seen */
	bool owned;
};

static inline void election_ask(struct election *e)
{
	__atomic_store_n(&e->wish, true, __ATOMIC_SEQ_CST);
}

/* Relaxed: for a wish that this CPU itself comes back to, or somebody else some time. */
static inline void election_note(struct election *e)
{
	__atomic_store_n(&e->wish, true, __ATOMIC_RELAXED);
}

/* Relaxed: a hint, certain only about what this CPU asked for, which it sees in order. */
static inline bool election_noted(const struct election *e)
{
	return __atomic_load_n(&e->wish, __ATOMIC_RELAXED);
}

static inline bool election_wanted(const struct election *e)
{
	return __atomic_load_n(&e->wish, __ATOMIC_SEQ_CST);
}

/* True: this CPU is the owner, and has taken the wish down.  False: another is. */
static inline bool election_win(struct election *e)
{
	if (__atomic_exchange_n(&e->owned, true, __ATOMIC_SEQ_CST))
		return false;
	__atomic_store_n(&e->wish, false, __ATOMIC_SEQ_CST);
	return true;
}

static inline void election_leave(struct election *e)
{
	__atomic_store_n(&e->owned, false, __ATOMIC_SEQ_CST);
}

#endif
