/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is shown a second time must not ask the terminal anything a second
 * time: its answer would be typed to the guest.  This passes a stream on
 * without its questions.
 */
#ifndef BULKHEAD_VCONSOLE_REFILTER_H
#define BULKHEAD_VCONSOLE_REFILTER_H

#include "termstate.h"

#define REFILTER_HELD 64 /* a longer sequence is left out: titles, pictures */

struct refilter {
	struct termstate term; /* what the terminal has been told */
	uint8_t held[REFILTER_HELD];
	size_t n;
};

struct outgoing;

void refilter_byte(struct refilter *f, struct outgoing *o, uint8_t byte);
/* The beginning of a sequence that goes on in what follows. */
void refilter_rest(struct refilter *f, struct outgoing *o);

#endif
