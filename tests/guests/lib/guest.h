/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a guest: it runs checks, each of which prints one line on COM1
 *     ok NAME      or      FAIL NAME: got X, expected Y
 * and ends with "done: N ok, M failed" and the machine switched off.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "x86.h"

/* What each guest is.  Called once, interrupts off; returns when it is through. */
void guest_main(void);

/* The value of NAME=VALUE on the command line, copied; false: there is none. */
bool option(const char *name, char *value, size_t size);

/* In front of the names of the checks from here on; "" for none. */
void check_prefix(const char *prefix);
void check(const char *name, uint64_t got, uint64_t expected);
void check_true(const char *name, bool is);
/* first <= got <= last */
void check_range(const char *name, uint64_t got, uint64_t first, uint64_t last);
/* What the machine does not have is not checked. */
void skip(const char *name, const char *why);

void print(const char *text);
void print_hex(uint64_t value);
void print_number(unsigned n);

/* Ends the run here: prints the summary, switches the machine off. */
_Noreturn void end_run(void);
/* The same for what leaves no way to go on. */
_Noreturn void give_up(const char *why, uint64_t value);

#define COM1 0x3F8
#define COM1_IRQ 4

#endif
