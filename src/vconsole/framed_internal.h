/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of the framed mode share. */
#ifndef BULKHEAD_VCONSOLE_FRAMED_INTERNAL_H
#define BULKHEAD_VCONSOLE_FRAMED_INTERNAL_H

#include "types.h"

struct mux;
struct vcon;

/* The console of a channel; NULL: there is none. */
struct vcon *framed_source(struct mux *m, unsigned channel);

/* Shall what is in this console's ring go now?  If not, when it shall counts for the deadline. */
bool framed_due(struct mux *m, struct vcon *c);

#endif
