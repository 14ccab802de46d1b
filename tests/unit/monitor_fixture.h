/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor on the console of console_fixture.h, with three guests. */
#ifndef BULKHEAD_TESTS_MONITOR_FIXTURE_H
#define BULKHEAD_TESTS_MONITOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "console_fixture.h"
#include "version.h"

static inline int setup(void **state)
{
	(void)state;
	fx_setup();
	fx_add("web", 4096, OVERFLOW_DROP_OLDEST);
	fx_add("worker", 4096, OVERFLOW_DROP_OLDEST);
	fx_add("db", 4096, OVERFLOW_DROP_OLDEST);
	console_start(true);
	run();
	assert_string_equal(seen(), "[bulkhead: console monitor]\r\nbulkhead> ");
	forget();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	fx_free();
	fx_ops.poweroff = NULL;
	return 0;
}

/* Types a line; the terminal shows its echo, the answer and the next prompt. */
static inline void answers(const char *line, const char *answer)
{
	char expected[8192];

	forget();
	type(line);
	type("\r");
	snprintf(expected, sizeof(expected), "%s\r\n%sbulkhead> ", line, answer);
	assert_string_equal(seen(), expected);
}

#define VERSION_LINE "Bulkhead " BULKHEAD_VERSION "\r\n"
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
