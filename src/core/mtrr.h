/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory type range registers of a guest CPU (Intel SDM vol. 3, 11.11).
 * They hold what is written and have no effect: the memory types of a guest's
 * RAM are those of the second-stage tables.
 */
#ifndef CORE_MTRR_H
#define CORE_MTRR_H

#include "types.h"

#define MTRR_VARIABLE 8
#define MTRR_FIXED 11

struct mtrr {
	uint64_t def_type;
	uint64_t fixed[MTRR_FIXED];
	uint64_t variable[2 * MTRR_VARIABLE]; /* base and mask in turn */
};

/* As firmware leaves them to an operating system, the same on every CPU of a guest. */
void mtrr_reset(struct mtrr *m, unsigned phys_bits);
/* False: not one of these registers, or a value that raises #GP. */
bool mtrr_read(const struct mtrr *m, uint32_t msr, uint64_t *value);
bool mtrr_write(struct mtrr *m, uint32_t msr, uint64_t value, unsigned phys_bits);

#endif
