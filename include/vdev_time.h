/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual timers: 8254, HPET, MC146818.  Each computes its state from the
 * clock when it is asked; none counts by itself.  A device says with
 * X_next() when it next has something to do by itself, and the hypervisor's
 * own timer then has X_advance() called.  All under the guest's device lock.
 */
#ifndef BULKHEAD_VDEV_TIME_H
#define BULKHEAD_VDEV_TIME_H

#include "types.h"
#include "vdev.h"

#define VTIME_NEVER UINT64_MAX

/* What a timer device knows of time. */
struct vclock {
	uint64_t (*now_ns)(void);   /* since some moment; never goes back, the same on all CPUs */
	uint64_t (*wall_ns)(void);  /* since 1970, UTC */
	/* What X_next() says may have changed by an access.  Never called from X_advance(). */
	void (*rearm)(void *ctx);
	void *ctx;
};

#endif
