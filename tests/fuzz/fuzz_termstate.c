/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal tracker on any bytes.  What it says to undo must leave a
 * terminal (another tracker) as it was switched on, and what it says to bring
 * back must bring back the same, however the stream is cut.
 */
#include <stdlib.h>
#include <string.h>

#include "vconsole/termstate.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct termstate *t, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	while (n--)
		(void)term_byte(t, *at++);
}

static void check_switch(const struct termstate *t)
{
	struct termstate terminal = *t;
	char leave[TERM_TEXT_MAX], enter[TERM_TEXT_MAX], again[TERM_TEXT_MAX];
	size_t n = term_leave(t, leave, sizeof(leave)), n_enter, n_again;

	CHECK(n < sizeof(leave));
	/* Whatever follows ends a character that is not finished. */
	feed(&terminal, "\r", terminal.utf8_left ? 1 : 0);
	feed(&terminal, leave, n);
	CHECK(term_is_between(&terminal));
	CHECK(!term_leave(&terminal, again, sizeof(again)));
	CHECK(!term_enter(&terminal, again, sizeof(again)));

	n_enter = term_enter(t, enter, sizeof(enter));
	CHECK(n_enter < sizeof(enter));
	feed(&terminal, enter, n_enter);
	n_again = term_enter(&terminal, again, sizeof(again));
	CHECK(n_again == n_enter && !memcmp(again, enter, n_enter));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct termstate t = { 0 };
	size_t i;

	for (i = 0; i < size; i++) {
		enum term_event event = term_byte(&t, data[i]);

		CHECK(t.n_params <= TERM_PARAMS);
		CHECK(event == TERM_PART || event == TERM_CONTROL || term_is_between(&t));
		CHECK(event != TERM_PART || !term_is_between(&t));
		if (i % 16 == 15 || i + 1 == size)
			check_switch(&t);
	}
	return 0;
}
