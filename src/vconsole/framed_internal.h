/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of the framed mode share. */
#ifndef BULKHEAD_VCONSOLE_FRAMED_INTERNAL_H
#define BULKHEAD_VCONSOLE_FRAMED_INTERNAL_H

struct mux;
struct vcon;

/* The console of a channel; NULL: there is none. */
struct vcon *framed_source(struct mux *m, unsigned channel);

#endif
