/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a guest began which line: a small ring of (position, time) beside the
 * ring of its bytes.  One producer, which never waits and overwrites the
 * oldest mark; one consumer.
 */
#ifndef BULKHEAD_VCONSOLE_MARKS_H
#define BULKHEAD_VCONSOLE_MARKS_H

#include "types.h"

struct mark {
	uint64_t pos, tsc;
};

struct marks {
	struct mark *slot;
	uint64_t size; /* a power of two, or 0: no marks are kept */
	/* The producer's.  Marks below claim - size may be gone; those below head are there. */
	uint64_t claim, head;
};

void marks_init(struct marks *m, void *memory, uint64_t size);
/* Producer: positions never fall. */
void marks_put(struct marks *m, uint64_t pos, uint64_t tsc);
/*
 * Consumer: the time of the last mark at or before `pos`.  When that is gone,
 * the oldest time there is; 0 when there is none.
 */
uint64_t marks_find(const struct marks *m, uint64_t pos);

#endif
