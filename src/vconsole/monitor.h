/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's state and parts, private to this folder.  All of it belongs
 * to the drain's owner.
 *
 * A command runs at once when its line is entered.  What it prints goes into
 * `text` and moves on to the terminal as room appears, a page at a time if
 * the pager is on.  A command with much to print or to search leaves a job:
 * one bounded step of it is done each time the drain works.  Until a command
 * has ended and its text is out, what is typed is kept for afterwards.
 */
#ifndef BULKHEAD_VCONSOLE_MONITOR_H
#define BULKHEAD_VCONSOLE_MONITOR_H

#include "config.h"
#include "log.h"
#include "parse.h"
#include "ring.h"

struct mux;

#define MON_LINE 256
#define MON_HISTORY 16
#define MON_WORDS 16
#define MON_AHEAD 1024	       /* typed while a command runs */
#define MON_TEXT KIB(16)       /* printed and not yet shown; a power of two */
#define MON_STEP_TEXT KIB(4)   /* one step prints no more than this */
#define MON_STEP_INPUT KIB(4)  /* and looks at no more bytes of history than this */
#define MON_TEXT_LINE 1000     /* a longer line of history is taken as several */
#define MON_CONTEXT 50	       /* lines that grep shows around a match */

/* ---- monitor_keys.c: bytes to keys ---- */

enum { KEY_CTRL_A = 0x01, KEY_CTRL_B = 0x02, KEY_CTRL_C = 0x03, KEY_CTRL_D = 0x04,
       KEY_CTRL_E = 0x05, KEY_CTRL_F = 0x06, KEY_BELL = 0x07, KEY_BACKSPACE = 0x08,
       KEY_TAB = 0x09, KEY_CTRL_K = 0x0B, KEY_CTRL_L = 0x0C, KEY_CTRL_N = 0x0E,
       KEY_CTRL_P = 0x10, KEY_CTRL_U = 0x15, KEY_CTRL_W = 0x17, KEY_ESC = 0x1B, KEY_DEL = 0x7F,
       KEY_UP = 0x100, KEY_DOWN, KEY_RIGHT, KEY_LEFT, KEY_HOME, KEY_END, KEY_DELETE,
       KEY_UNKNOWN, /* a sequence that means nothing here */
       KEY_NONE	    /* in the middle of a sequence */
};

struct key_decoder {
	unsigned state, number;
	bool after_cr;
};
int key_decode(struct key_decoder *d, uint8_t byte);

/* ---- monitor_line.c: the line that is being typed ---- */

struct line_editor {
	char line[MON_LINE];
	size_t len, cursor;
	char history[MON_HISTORY][MON_LINE];
	unsigned n_history;   /* lines ever entered; the newest is at (n - 1) % MON_HISTORY */
	unsigned recall;      /* how many lines back the arrows went */
	char draft[MON_LINE]; /* what was being typed before they did */
};
/* Any key but Enter. */
void line_key(struct mux *m, int key);
void line_insert(struct mux *m, const char *text, size_t len);
/* Shows prompt and line, with the cursor where it belongs. */
void line_show(struct mux *m);
void line_remember(struct line_editor *e);
void line_clear(struct line_editor *e);

/* monitor_complete.c */
void line_complete(struct mux *m);

/* ---- monitor_words.c: words of a command line ---- */

struct words {
	struct span word[MON_WORDS];
	unsigned n;
};
/* NULL, or what is wrong. */
const char *words_split(struct span line, struct words *w);
/* Takes the quotes off; \" in them is a quote, and every other backslash stays. */
size_t word_plain(struct span word, char *buf, size_t size);
/* Takes the quotes off and does C's escapes.  NULL, or what is wrong. */
const char *word_escapes(struct span word, uint8_t *buf, size_t size, size_t *len);

/* ---- monitor_pattern.c: what grep looks for ---- */

#define PATTERN_MAX 63

struct pattern {
	uint64_t match[256]; /* a bit for each item that the byte fits */
	uint64_t star;	     /* items that may be there any number of times */
	unsigned n;
	bool at_start, at_end;
};
/* NULL, or what is wrong. */
const char *pattern_compile(struct pattern *p, const char *text, bool ignore_case);
bool pattern_match(const struct pattern *p, const char *line, size_t len);

/* ---- monitor_text.c: a history, line by line ---- */

enum text_result {
	TEXT_LINE, /* in `line`, without its newline */
	TEXT_LOST, /* `lost` bytes or records were overwritten before they were read */
	TEXT_MORE, /* the budget is used up */
	TEXT_END
};

/* A reader of what one ring, or (with no ring) the log, held when it was set up. */
struct text_reader {
	const struct ring *ring;
	uint64_t pos, end;
	uint64_t lost;	 /* to be set to 0 by who was told TEXT_LOST */
	unsigned escape; /* the state inside an escape sequence, which is left out */
	char line[MON_TEXT_LINE + 8];
	size_t len;
	uint64_t number; /* of the line in `line` or before it, from 1 */
	uint64_t start;	 /* where that line begins */
	bool open;	 /* `start` is set for the line under way */
};
/* `ring` is NULL for the log. */
void text_open(struct text_reader *r, const struct ring *ring);
/* Works for no more than *budget bytes, and takes off it what it used. */
enum text_result text_next(const struct mux *m, struct text_reader *r, size_t *budget);
/* The next line will be number `number`, which begins at `start`. */
void text_seek(struct text_reader *r, uint64_t number, uint64_t start);

/* ---- monitor_history.c and monitor_grep.c: cat, tail, grep, log ---- */

#define SOURCE_LOG (CFG_MAX_VMS + 1) /* behind the guests and the monitor's own index */

struct history_job {
	struct text_reader in;
	unsigned source; /* the one being read: a guest, or SOURCE_LOG */
	bool all;	 /* the others follow */
	/* tail: lines still to be passed on the way back. */
	bool seeking;
	uint64_t back_lines, back_pos, back_end;
	/* grep */
	bool grep, invert, number;
	struct pattern pattern;
	unsigned before, after;
	uint64_t shown, show_to; /* lines: the last one shown, the last one to be shown */
	uint64_t starts[MON_CONTEXT + 1];
	bool any;
};

/* One line of the source being read, for grep. */
void grep_line(struct mux *m, struct history_job *h);
/* Starts to read a source, and with `all` those behind it. */
void history_start(struct mux *m, unsigned source, bool all);

/* Jobs that go over guests and, in each, over parts. */
struct each_job {
	unsigned vm, end, part;
	bool machine, waiting;
};

struct monitor_job {
	bool (*step)(struct mux *m); /* false: done.  NULL: no job. */
	struct history_job history;
	struct each_job each;
};

/* ---- monitor_cmd.c and monitor_guest.c: commands ---- */

/* What TAB offers for an argument. */
enum complete_what { COMPLETE_NOTHING, COMPLETE_COMMAND, COMPLETE_FOCUS, COMPLETE_GUEST,
		     COMPLETE_SOURCE, COMPLETE_LOG, COMPLETE_LEVEL, COMPLETE_SWITCH };

struct args {
	struct span word[MON_WORDS];
	unsigned n;
};

struct command {
	const char *name;
	const char *usage; /* the arguments */
	const char *summary;
	const char *detail; /* more lines for `help NAME`, or NULL */
	unsigned min, max;  /* arguments, options apart */
	/* Letters; one that takes a number has ':' behind it; '#' is -NUMBER.  NULL: none. */
	const char *options;
	enum complete_what complete[2];
	void (*run)(struct mux *m, struct args *a);
};
extern const struct command monitor_commands[];
extern const unsigned monitor_n_commands;

/* Length for %.*s: lines are short, so this never cuts. */
static inline int width(struct span s)
{
	return (int)min_u64(s.len, MON_LINE);
}

struct options {
	bool set[128]; /* by letter */
	uint64_t number[128];
};

static inline bool option(const struct options *o, char letter)
{
	return o->set[letter & 0x7F];
}

/* Takes the options off the arguments.  False: a wrong one was answered. */
bool options_take(const struct command *c, struct args *a, struct options *o);

#define NO_SOURCE (CFG_MAX_VMS + 2)
/* A guest by name, beginning or number; a mistake is answered and gives NO_SOURCE. */
unsigned find_guest(const struct mux *m, struct span s);
/* The same, or the log. */
unsigned find_source(const struct mux *m, struct span s);
void list_guests(const struct mux *m);

void cmd_list(struct mux *m, struct args *a);
void cmd_hide(struct mux *m, struct args *a);
void cmd_show(struct mux *m, struct args *a);
void cmd_stats(struct mux *m, struct args *a);
void cmd_regs(struct mux *m, struct args *a);
void cmd_start(struct mux *m, struct args *a);
void cmd_stop(struct mux *m, struct args *a);
void cmd_restart(struct mux *m, struct args *a);
void cmd_pause(struct mux *m, struct args *a);
void cmd_resume(struct mux *m, struct args *a);
void cmd_nmi(struct mux *m, struct args *a);
void cmd_send(struct mux *m, struct args *a);
void cmd_broadcast(struct mux *m, struct args *a);
void cmd_cat(struct mux *m, struct args *a);
void cmd_tail(struct mux *m, struct args *a);
void cmd_grep(struct mux *m, struct args *a);
/* The newest `n` records of the log. */
void log_tail(struct mux *m, uint64_t n);

/* ---- monitor.c ---- */

struct monitor {
	struct key_decoder keys;
	struct line_editor edit;
	uint8_t ahead[MON_AHEAD];
	size_t n_ahead;
	/* A command runs, or its text is not all out yet. */
	bool busy;
	struct options options;
	struct monitor_job job;
	struct ring text;
	uint8_t text_data[MON_TEXT];
	/* The pager. */
	unsigned page;	/* lines; 0: off */
	unsigned shown; /* lines since its last stop */
	bool paused;
};

void monitor_init(struct mux *m);
/* A byte that was typed. */
void monitor_input(struct mux *m, uint8_t byte);
/* One step of the job, and what was typed ahead; once in each work of the drain. */
void monitor_work(struct mux *m);
/* Moves some text on to the terminal; to be called when that has nothing to show. */
void monitor_pump(struct mux *m);
/* True when another work of the drain would go on with a command. */
bool monitor_wants(const struct mux *m);
/* What the terminal's last line should show. */
void monitor_prompt(struct mux *m);
/* Runs a line that was entered. */
void monitor_execute(struct mux *m, const char *line);
/* What a command prints, after what it printed before; see also console_print. */
void monitor_print(struct mux *m, const char *text, size_t len);
/* At once, past what commands print: echo and prompt. */
void monitor_put(struct mux *m, char c);
void monitor_echo(struct mux *m, const char *text);

#endif
