/* SPDX-License-Identifier: BSD-2-Clause */
/* A ticket lock: short, fair, and only ever contended by the CPUs of one guest. */
#ifndef BULKHEAD_LOCK_H
#define BULKHEAD_LOCK_H

#include "types.h"

struct ticket_lock {
	uint32_t next, owner;
};

static inline void lock_acquire(struct ticket_lock *l)
{
	const uint32_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	/* Pairs with the release in lock_release: all that the last owner wrote is seen. */
	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		__asm__ volatile("pause");
}

static inline void lock_release(struct ticket_lock *l)
{
	__atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_RELEASE);
}

#endif
