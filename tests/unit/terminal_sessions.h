/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs wrote to a terminal of eight lines (TERM=xterm-256color): until
 * they were busy, and from there to their end; what they had set in between,
 * and what was left to undo after them (a scroll region of all eight lines).
 */
#ifndef BULKHEAD_TESTS_TERMINAL_SESSIONS_H
#define BULKHEAD_TESTS_TERMINAL_SESSIONS_H

#include <stddef.h>

struct session {
	const char *begin;
	size_t n_begin;
	const char *end;
	size_t n_end;
	const char *enter, *left;
};

/* vim 9.0: a file of three lines, a word typed; then :q!. */
static const char vim_begin[] =
	"\033[?1049h\033[22;0;0t\033[>4;2m\033[?1h\033=\033[?2004h\033[1;8r\033[?12h\033["
	"?12l\033[22;2t\033[22;1t\033[27m\033[23m\033[29m\033[m\033[H\033[2J\033[?25l\033"
	"[8;1H\"notes.txt\" 3 lines, 52 bytes\033[?1006;1000h\033[?1002h\033[1;1HStatic."
	"\r\nOne CPU, one vCPU.\r\nThe guest owns its APIC.\r\n\033[94m~                 "
	"                      \033[5;1H~                                       \033[6;1H"
	"~                                       \033[7;1H~                              "
	"         \033[1;1H\033[?25h\033[?4m\033[?2004l\033[>4;m\033[?2004h\033[>4;2m\033"
	"[?25l\033[mhiStatic.\rh\033[?25h\033[?4m";
static const char vim_end[] =
	"\033[?25l\033[8;1H\033[K\033[8;1H:q!\r\033[?1006;1000l\033[?1002l\033[?2004l\033"
	"[>4;m\033[23;2t\033[23;1t\033[8;1H\033[K\033[8;1H\033[?2004l\033[?1l\033>\033[?1"
	"049l\033[23;0;0t\033[?25h\033[>4;m";

/* less 590: two pages of a file; then q. */
static const char less_begin[] =
	"\033[?1049h\033[22;0;0t\033[?1h\033=\rline 1\r\nline 2\r\nline 3\r\nline 4\r\nli"
	"ne 5\r\nline 6\r\nline 7\r\n\033[7mlong.txt\033[27m\033[K\r\033[Kline 8\r\nline "
	"9\r\nline 10\r\nline 11\r\nline 12\r\nline 13\r\nline 14\r\n:\033[K";
static const char less_end[] =
	"\r\033[K\033[?1l\033>\033[?1049l\033[23;0;0t";

/* htop 3.2: one screen; then q. */
static const char htop_begin[] =
	"\033[?1049h\033[22;0;0t\033[1;8r\033(B\033[m\033[4l\033[?7h\033[?1h\033=\033[?25"
	"l\033[39;49m\033[?1006;1000h\033[39;49m\033(B\033[m\033[H\033[2J\033[2d  \033[36"
	"m  0\033[39m\033(B\033[0;1m[\033(B\033[0m\033[32m|||||||||||100.0%\033[39m\033(B"
	"\033[0;1m]\033(B\033[m \033[36mTasks: \033(B\033[0;1m\033[36m70\033(B\033[0m\033"
	"[36m, \033(B\033[0;1m\033[32m41\033(B\033[0m\033[36m thr\033(B\033[0;1m\033[90m,"
	" 59 k\033[3;3H\033(B\033[0m\033[36m  1\033[39m\033(B\033[0;1m[\033(B\033[0m\033["
	"31m|||||||||||100.0%\033[39m\033(B\033[0;1m]\033(B\033[m \033[36mLoad average: "
	"\033[39m\033(B\033[0;1m4.23 \033[36m4.20\033[4;3H\033(B\033[0m\033[36mMem\033[39"
	"m\033(B\033[0;1m[\033(B\033[0m\033[32m||\033(B\033[0;1m\033[34m|\033(B\033[0m"
	"\033[35m|\033[33m|\033(B\033[0;1m\033[90m 1.40G/23.5G\033[39m]\033(B\033[m \033["
	"36mUptime: \033(B\033[0;1m\033[36m04:32:35\033[5;3H\033(B\033[0m\033[36mSwp\033["
	"39m\033(B\033[0;1m[\033[90m            0K/0K\033[39m]\033[7;3H\033(B\033[0m\033["
	"32m\033[42m[\033[30m\033[42mMain\033[32m\033[42m]\033[39;49m\033(B\033[m \033[34"
	"m\033[44m[\033[30m\033[44mI/O\033[34m\033[44m]\r\033[8d\033[39;49m\033(B\033[mF1"
	"\033[30m\033[46mHelp  \033[39;49m\033(B\033[mF2\033[30m\033[46mSetup \033[39;49m"
	"\033(B\033[mF3\033[30m\033[46mSearch\033[39;49m\033(B\033[mF4\033[30m\033[46mFil"
	"ter\033[39;49m\033(B\033[mF5\033[30m\033[46mTree  \033[39;49m\033(B\033[mF6\033["
	"30m\033[46mSortBy\033[39;49m\033(B\033[mF\033[?7l7\033[?7h";
static const char htop_end[] =
	"\r\033[J\033[?12l\033[?25h\033[?1006;1000l\033[8;1H\033[?1049l\033[23;0;0t\r\033"
	"[?1l\033>";

#define SESSION(name, enter, left)                                                                 \
	{ name##_begin, sizeof(name##_begin) - 1, name##_end, sizeof(name##_end) - 1, enter, left }

static const struct session sessions[] = {
	SESSION(vim, "\033[?1049h\033[1;8r\033[?1h\033[?1000h\033[?1002h\033[?1006h\033[?2004h\033="
		"\033[>4;2m",
		"\0337\033[r\0338"),
	SESSION(less, "\033[?1049h\033[?1h\033=",
		""),
	SESSION(htop, "\033[?1049h\033[1;8r\033[?1h\033[?25l\033[?1000h\033[?1006h\033=",
		"\0337\033[r\0338"),
};

#endif
