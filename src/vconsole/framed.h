/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framed mode, private to this folder: every console at once on the
 * shared line, for a host program (docs/framing.md).  All functions are the
 * drain owner's, except where noted.
 */
#ifndef BULKHEAD_VCONSOLE_FRAMED_H
#define BULKHEAD_VCONSOLE_FRAMED_H

#include "frame.h"
#include "types.h"

struct mux;
struct vcon;

struct framed {
	bool on; /* shared: guests look whether their output is shown */
	bool greeted;	   /* the host said HELLO */
	uint8_t nonce;	   /* what it had in that, 0 before */
	unsigned matched;  /* bytes of the escape and the magic, in plain mode */
	bool after_escape; /* outside of frames */
	/* What is due, in this order. */
	bool hello_due, help_due, status_due, bye_due;
	unsigned name_due; /* channels below it are told; beyond the last: all */
	unsigned turn;	   /* the source whose turn it is */
	/* TSC times: when the first frame that is held is due, 0: none is; the last alarm asked for. */
	uint64_t deadline, alarm;
	struct frame_decoder decoder;
};

/* Of one console. */
struct framed_channel {
	uint64_t limit; /* shared: the host takes output up to this ring position */
	uint32_t in_position, in_granted; /* of input: the next byte; what was granted */
	uint64_t held; /* 1 + the position of the byte that waits for more; 0: none did */
	uint64_t since; /* the TSC when that was first seen */
	uint64_t sent; /* the TSC when the last frame of data was made */
	bool in_flow; /* shared: that was a moment before, so the end of a line changes nothing */
};

/* A byte from the line.  False: it is for the plain mode. */
bool framed_input(struct mux *m, uint8_t byte);
/* Composes the next item into m->out in framed mode. */
void framed_compose(struct mux *m);
/* Anyone: is the mode on? */
bool framed_on(const struct mux *m);
/* Anyone: would a byte at the tail of this console's ring go out? */
bool framed_shows(const struct mux *m, const struct vcon *c);
/* The guest, which has put `byte`: can the drain do more now than a moment ago? */
bool framed_matters(const struct vcon *c, uint8_t byte);
/* True when bytes wait for more of their frame: they are not shown yet, and an alarm is set. */
bool framed_holds(struct mux *m);
/* The guest: it took input; true when the host should hear of it. */
bool framed_must_grant(const struct mux *m, const struct vcon *c);

#endif
