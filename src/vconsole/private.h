/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's console on a physical port of its own: no multiplexing, no
 * hotkeys, every byte as it is.  Served by that guest's own CPU.
 */
#ifndef BULKHEAD_VCONSOLE_PRIVATE_H
#define BULKHEAD_VCONSOLE_PRIVATE_H

#include "election.h"
#include "types.h"
#include "uart.h"

struct mux;
struct vcon;

#define PRIVATE_MARK 48

struct private_line {
	struct uart uart;
	uint16_t base;
	/* Shared, as their namesakes in struct mux. */
	struct election election;
	unsigned asker;
	bool draining;
	/* The owner's: a mark of lost bytes that is not sent yet. */
	char mark[PRIVATE_MARK];
	unsigned mark_pos, mark_len;
	uint32_t wake; /* the guest is to be woken */
};

/* Serves the lines whose guest runs on this CPU, or all of them.  Never waits. */
void private_poll(struct mux *m, bool all);
/* True when a line of a guest of this CPU has work. */
bool private_has_work(const struct mux *m);
/* All of them are shown. */
bool private_drained(const struct mux *m);

#endif
