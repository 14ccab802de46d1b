/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log, and how to empty it between two runs of a fuzzer: else each run
 * shows what all before it logged, which takes most of its time and depends on
 * more than its input.
 */
#ifndef BULKHEAD_TESTS_FRESH_LOG_H
#define BULKHEAD_TESTS_FRESH_LOG_H

#include "../../src/lib/log.c"

static void fresh_log(void)
{
	memset(ring, 0, sizeof(ring[0]) * min_u64(next, LOG_RECORDS));
	next = 0;
}

#endif
