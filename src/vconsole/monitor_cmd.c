/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands.  A mistake is answered with what would be right. */
#include "kstring.h"
#include "mux.h"
#include "version.h"

#define DEFAULT_RECORDS 20
#define DEFAULT_PAGE 24
#define MIN_PAGE 2
#define MAX_PAGE 1000

static void cmd_focus(struct mux *m, struct args *a)
{
	unsigned guest;

	if (span_is(a->word[0], "monitor")) {
		console_print("the monitor has the focus\n");
		return;
	}
	guest = find_guest(m, a->word[0]);
	if (guest != NO_SOURCE)
		mux_focus(m, guest);
}

static void cmd_spy(struct mux *m, struct args *a)
{
	unsigned guest = find_guest(m, a->word[0]);

	if (guest != NO_SOURCE)
		mux_spy(m, guest);
}

static void log_threshold(const struct args *a)
{
	const struct span name = a->word[1];
	enum log_level level;

	if (a->n < 2)
		console_print("the log's level is %s\n", log_level_name(log_get_level()));
	else if (log_level_parse(name.at, name.len, &level))
		log_set_level(level);
	else
		console_print("'%.*s' is no level; levels are error, warn, info and debug\n",
			      width(name), name.at);
}

static void cmd_log(struct mux *m, struct args *a)
{
	uint64_t n = DEFAULT_RECORDS;

	if (a->n && span_is(a->word[0], "level"))
		log_threshold(a);
	else if (a->n && parse_number(a->word[0], 1, LOG_RECORDS, &n) != PARSE_OK)
		console_print("'%.*s' is no number of records; 1 to %u are kept\n",
			      width(a->word[0]), a->word[0].at, LOG_RECORDS);
	else if (a->n > 1)
		console_print("'%.*s' is too much: log [N], or log level [LEVEL]\n",
			      width(a->word[1]), a->word[1].at);
	else
		log_tail(m, n);
}

static void cmd_quiet(struct mux *m, struct args *a)
{
	if (!a->n)
		console_print("quiet is %s\n", m->msg.quiet ? "on" : "off");
	else if (span_is(a->word[0], "on") || span_is(a->word[0], "off"))
		m->msg.quiet = span_is(a->word[0], "on");
	else
		console_print("'%.*s' is neither on nor off\n", width(a->word[0]), a->word[0].at);
}

static void cmd_page(struct mux *m, struct args *a)
{
	const struct span word = a->word[0];
	uint64_t lines = DEFAULT_PAGE;

	if (!a->n && m->mon.page)
		console_print("a page has %u lines\n", m->mon.page + 1);
	else if (!a->n)
		console_print("paging is off\n");
	else if (span_is(word, "off"))
		m->mon.page = 0;
	else if (span_is(word, "on") || parse_number(word, MIN_PAGE, MAX_PAGE, &lines) == PARSE_OK)
		m->mon.page = (unsigned)lines - 1; /* one line is the pager's own */
	else
		console_print("'%.*s' is neither on, off nor a number of lines from %u to %u\n",
			      width(word), word.at, MIN_PAGE, MAX_PAGE);
}

static void cmd_version(struct mux *m, struct args *a)
{
	(void)m;
	(void)a;
	console_print("Bulkhead " BULKHEAD_VERSION "\n");
}

static void cmd_poweroff(struct mux *m, struct args *a)
{
	(void)a;
	if (m->ops->poweroff)
		m->ops->poweroff();
	else
		console_print("this machine cannot be switched off from here\n");
}

static void cmd_help(struct mux *m, struct args *a);

const struct command monitor_commands[] = {
	{ "help", "[COMMAND]", "this list, or more about one command", NULL, 0, 1, NULL,
	  { COMPLETE_COMMAND }, cmd_help },
	{ "list", "[-m]", "the guests and their states",
	  "  -m  for programs: one line a guest, of key=value\n", 0, 0, "m",
	  { COMPLETE_NOTHING }, cmd_list },
	{ "focus", "GUEST", "show a guest and type to it", NULL, 1, 1, NULL,
	  { COMPLETE_FOCUS }, cmd_focus },
	{ "spy", "GUEST", "show a guest, type nothing to it", NULL, 1, 1, NULL,
	  { COMPLETE_GUEST }, cmd_spy },
	{ "hide", "[GUEST]", "leave a guest out of the view of all guests",
	  "Its output waits until it is shown there again, or in its own view.  Without GUEST,\n"
	  "says who is hidden.\n",
	  0, 1, NULL, { COMPLETE_GUEST }, cmd_hide },
	{ "show", "[GUEST]", "take a guest, or all, into that view again", NULL, 0, 1, NULL,
	  { COMPLETE_GUEST }, cmd_show },
	{ "cat", "NAME", "what a guest wrote, as far as its ring still holds it",
	  "NAME is a guest, or 'log'.  What was shown before is there too.  Escape sequences\n"
	  "are left out, other control characters appear as ^X.\n",
	  1, 1, NULL, { COMPLETE_SOURCE }, cmd_cat },
	{ "tail", "[-N] NAME", "the last N lines of it (10)", "NAME is a guest, or 'log'.\n", 1, 1,
	  "#n:", { COMPLETE_SOURCE }, cmd_tail },
	{ "grep", "[-ivn] [-A N] [-B N] [-C N] PATTERN [NAME]", "lines that match, of one or all",
	  "Without NAME, all guests and the log are searched, and a name is before each line.\n"
	  "  -i    upper and lower case are the same\n"
	  "  -v    lines that do not match\n"
	  "  -n    with line numbers, from the oldest line that is still there\n"
	  "  -A N  with N lines after, -B N before, -C N around each (at most 50)\n"
	  "PATTERN: c . [set] [^set] and an item with * behind it; ^ and $ are the line's\n"
	  "ends; \\c is c itself.  Put one with blanks into quotes.\n",
	  1, 2, "ivnA:B:C:", { COMPLETE_NOTHING, COMPLETE_SOURCE }, cmd_grep },
	{ "stats", "[-m] [GUEST]", "counters", "  -m  for programs: records of key=value\n", 0, 1,
	  "m", { COMPLETE_GUEST }, cmd_stats },
	{ "regs", "GUEST", "a guest's registers",
	  "A guest that runs is interrupted for them; a stopped one shows how it ended.\n", 1, 1,
	  NULL, { COMPLETE_GUEST }, cmd_regs },
	{ "start", "GUEST", "start a guest that is stopped", NULL, 1, 1, NULL,
	  { COMPLETE_GUEST }, cmd_start },
	{ "stop", "GUEST", "stop a guest", NULL, 1, 1, NULL, { COMPLETE_GUEST }, cmd_stop },
	{ "restart", "GUEST", "start a guest anew from clean memory", NULL, 1, 1, NULL,
	  { COMPLETE_GUEST }, cmd_restart },
	{ "pause", "GUEST", "all CPUs of a guest wait", "Its clocks go on meanwhile.\n", 1, 1,
	  NULL, { COMPLETE_GUEST }, cmd_pause },
	{ "resume", "GUEST", "a paused guest goes on", NULL, 1, 1, NULL, { COMPLETE_GUEST },
	  cmd_resume },
	{ "nmi", "GUEST [CPU]", "a non-maskable interrupt for one CPU of a guest (0)", NULL, 1, 2,
	  NULL, { COMPLETE_GUEST }, cmd_nmi },
	{ "send", "GUEST TEXT", "type to a guest, wherever the focus is",
	  "TEXT has C's escapes: send alpha \"ls -l\\r\".  Enter is \\r.\n", 2, 2, NULL,
	  { COMPLETE_GUEST }, cmd_send },
	{ "broadcast", "TEXT", "type to all guests", "TEXT has C's escapes, as with send.\n", 1, 1,
	  NULL, { COMPLETE_NOTHING }, cmd_broadcast },
	{ "log", "[N] | level [LEVEL]", "the last N records of the log (20); what is logged",
	  "LEVEL is error, warn, info or debug; 'log level' alone shows it.\n", 0, 2, NULL,
	  { COMPLETE_LOG, COMPLETE_LEVEL }, cmd_log },
	{ "quiet", "[on | off]", "messages stay in the log and do not appear", NULL, 0, 1, NULL,
	  { COMPLETE_SWITCH }, cmd_quiet },
	{ "page", "[N | on | off]", "stop long output after each N lines (on: 24)",
	  "At a stop, Space goes on by a page, Enter by a line, q ends the output.\n", 0, 1, NULL,
	  { COMPLETE_SWITCH }, cmd_page },
	{ "version", "", "the version", NULL, 0, 0, NULL, { COMPLETE_NOTHING }, cmd_version },
	{ "poweroff", "", "end everything and switch the machine off", NULL, 0, 0, NULL,
	  { COMPLETE_NOTHING }, cmd_poweroff },
};

const unsigned monitor_n_commands = ARRAY_SIZE(monitor_commands);

static const struct command *find_command(struct span name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(monitor_commands); i++)
		if (span_is(name, monitor_commands[i].name))
			return &monitor_commands[i];
	console_print("there is no command '%.*s'; 'help' lists them\n", width(name), name.at);
	return NULL;
}

static void help_command(struct span name)
{
	const struct command *c = find_command(name);

	if (!c)
		return;
	console_print("%s %s\n%s\n", c->name, c->usage, c->summary);
	if (c->detail)
		console_print("%s", c->detail);
}

static void cmd_help(struct mux *m, struct args *a)
{
	size_t i;

	(void)m;
	if (a->n) {
		help_command(a->word[0]);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(monitor_commands); i++)
		console_print("  %-9s %-20s %s\n", monitor_commands[i].name,
			      strlen(monitor_commands[i].usage) > 20 ? "..."
								     : monitor_commands[i].usage,
			      monitor_commands[i].summary);
	console_print("GUEST is a name, its beginning, or a number.  'help COMMAND' says more;\n"
		      "TAB completes; Ctrl-C ends what runs.\n");
}

static bool fits(const struct command *c, const struct args *a)
{
	if (a->n < c->min)
		console_print("'%s' lacks an argument: %s %s\n", c->name, c->name, c->usage);
	else if (a->n > c->max)
		console_print("'%.*s' is too much: %s %s\n", width(a->word[c->max]),
			      a->word[c->max].at, c->name, c->usage);
	return a->n >= c->min && a->n <= c->max;
}

void monitor_execute(struct mux *m, const char *line)
{
	const struct command *c;
	struct words words;
	struct args args;
	const char *error = words_split(span_of(line), &words);

	if (error) {
		console_print("%s\n", error);
		return;
	}
	if (!words.n)
		return;
	c = find_command(words.word[0]);
	if (!c)
		return;
	args.n = words.n - 1;
	memcpy(args.word, words.word + 1, sizeof(args.word) - sizeof(args.word[0]));
	args.word[MON_WORDS - 1] = (struct span){ "", 0 };
	if (options_take(c, &args, &m->mon.options) && fits(c, &args))
		c->run(m, &args);
}
