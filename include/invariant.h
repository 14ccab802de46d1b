/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions on the hypervisor's own invariants, in debug builds.  Never on
 * anything that a guest, a configuration or an image can influence.
 */
#ifndef BULKHEAD_INVARIANT_H
#define BULKHEAD_INVARIANT_H

#include "types.h"

#ifdef BULKHEAD_HOST
#include <stdlib.h>
#define invariant_failed(what, file, line) abort()
#else
/* Logs it and stops this CPU; the others go on. */
void NORETURN invariant_failed(const char *what, const char *file, unsigned line);
#endif

#define INVARIANT(condition) \
	((BULKHEAD_DEBUG && !(condition)) ? invariant_failed(#condition, __FILE__, __LINE__) : (void)0)

#endif
