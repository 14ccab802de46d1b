/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's commands.  A mistake is answered with what would be right. */
#include "fmt.h"
#include "kstring.h"
#include "mux.h"
#include "parse.h"
#include "version.h"

#define DEFAULT_RECORDS 20
#define NO_SOURCE (N_SOURCES + 1)

struct command {
	const char *name;
	const char *usage; /* the arguments */
	const char *help;
	bool needs_arg;
	void (*run)(struct mux *m, struct span arg, struct span rest);
};

/* Length for %.*s: lines are short, so this never cuts. */
static int width(struct span s)
{
	return (int)min_u64(s.len, MON_LINE);
}

static void list_guests(const struct mux *m)
{
	unsigned i;

	console_print("guests:");
	for (i = 0; i < m->n_guests; i++)
		console_print(" %u=%s", i + 1, m->src[i]->name);
	console_print("%s\n", m->n_guests ? "" : " none");
}

static bool starts_with(const char *name, struct span s)
{
	return strlen(name) >= s.len && !memcmp(name, s.at, s.len);
}

/* A guest by name or unambiguous beginning of it, or NO_SOURCE; says how many fit. */
static unsigned find_by_name(const struct mux *m, struct span s, unsigned *n_found)
{
	unsigned i, found = NO_SOURCE;

	*n_found = 0;
	for (i = 0; i < m->n_guests; i++) {
		if (span_is(s, m->src[i]->name)) {
			*n_found = 1;
			return i;
		}
		if (starts_with(m->src[i]->name, s)) {
			found = i;
			(*n_found)++;
		}
	}
	return found;
}

/* The guest that `s` means; a mistake is answered and gives NO_SOURCE. */
static unsigned find_guest(const struct mux *m, struct span s)
{
	uint64_t number;
	unsigned found, n;

	found = find_by_name(m, s, &n);
	if (n == 1)
		return found;
	if (n > 1) {
		console_print("'%.*s' fits %u guests; give more of the name\n", width(s), s.at, n);
	} else if (m->n_guests && parse_number(s, 1, m->n_guests, &number) == PARSE_OK) {
		return (unsigned)number - 1;
	} else {
		console_print("there is no guest '%.*s'; give a name, its beginning or a number\n",
			      width(s), s.at);
	}
	list_guests(m);
	return NO_SOURCE;
}

static void cmd_list(struct mux *m, struct span arg, struct span rest)
{
	(void)arg;
	(void)rest;
	if (m->ops->list)
		m->ops->list();
	else
		list_guests(m);
}

static void cmd_focus(struct mux *m, struct span arg, struct span rest)
{
	unsigned guest;

	(void)rest;
	if (span_is(arg, "monitor")) {
		console_print("the monitor has the focus\n");
		return;
	}
	guest = find_guest(m, arg);
	if (guest != NO_SOURCE)
		mux_focus(m, guest);
}

static void cmd_spy(struct mux *m, struct span arg, struct span rest)
{
	unsigned guest = find_guest(m, arg);

	(void)rest;
	if (guest != NO_SOURCE)
		mux_spy(m, guest);
}

static void cmd_stats(struct mux *m, struct span arg, struct span rest)
{
	unsigned guest = NO_SOURCE;

	(void)rest;
	if (arg.len) {
		guest = find_guest(m, arg);
		if (guest == NO_SOURCE)
			return;
	}
	if (m->ops->stats)
		m->ops->stats(guest == NO_SOURCE ? -1 : (int)guest);
}

static void on_guest(struct mux *m, struct span arg, void (*op)(unsigned vm))
{
	unsigned guest = find_guest(m, arg);

	if (guest != NO_SOURCE && op)
		op(guest);
}

static void cmd_stop(struct mux *m, struct span arg, struct span rest)
{
	(void)rest;
	on_guest(m, arg, m->ops->stop);
}

static void cmd_restart(struct mux *m, struct span arg, struct span rest)
{
	(void)rest;
	on_guest(m, arg, m->ops->restart);
}

static void cmd_regs(struct mux *m, struct span arg, struct span rest)
{
	(void)rest;
	on_guest(m, arg, m->ops->regs);
}

static void log_threshold(struct span name)
{
	enum log_level level;

	if (!name.len)
		console_print("the log's level is %s\n", log_level_name(log_get_level()));
	else if (log_level_parse(name.at, name.len, &level))
		log_set_level(level);
	else
		console_print("'%.*s' is no level; levels are error, warn, info and debug\n",
			      width(name), name.at);
}

static void log_tail(struct mux *m, uint64_t n)
{
	struct log_record *record = &m->mon_record;
	uint64_t end = log_newest(), lost = 0, pos;

	pos = max_u64(log_oldest(), end > n ? end - n : 0);
	while (pos < end && log_read(&pos, record, &lost)) {
		record->text[LOG_TEXT - 1] = '\0';
		console_print("%llu cpu%u %s: %s\n", (unsigned long long)record->tsc, record->cpu,
			      log_level_name((enum log_level)record->level), record->text);
	}
}

static void cmd_log(struct mux *m, struct span arg, struct span rest)
{
	uint64_t n = DEFAULT_RECORDS;

	if (span_is(arg, "level"))
		log_threshold(rest);
	else if (arg.len && parse_number(arg, 1, LOG_RECORDS, &n) != PARSE_OK)
		console_print("'%.*s' is no number of records; 1 to %u are kept\n", width(arg),
			      arg.at, LOG_RECORDS);
	else
		log_tail(m, n);
}

static void cmd_version(struct mux *m, struct span arg, struct span rest)
{
	(void)m;
	(void)arg;
	(void)rest;
	console_print("Bulkhead " BULKHEAD_VERSION "\n");
}

static void cmd_poweroff(struct mux *m, struct span arg, struct span rest)
{
	(void)arg;
	(void)rest;
	if (m->ops->poweroff)
		m->ops->poweroff();
	else
		console_print("this machine cannot be switched off from here\n");
}

static void cmd_help(struct mux *m, struct span arg, struct span rest);

static const struct command commands[] = {
	{ "help", "", "this list", false, cmd_help },
	{ "list", "", "the guests and their states", false, cmd_list },
	{ "focus", "GUEST", "show a guest and type to it", true, cmd_focus },
	{ "spy", "GUEST", "show a guest, type nothing to it", true, cmd_spy },
	{ "stats", "[GUEST]", "counters", false, cmd_stats },
	{ "stop", "GUEST", "stop a guest", true, cmd_stop },
	{ "restart", "GUEST", "start a guest anew from clean memory", true, cmd_restart },
	{ "regs", "GUEST", "a guest's registers", true, cmd_regs },
	{ "log", "[N]", "the last N records of the log", false, cmd_log },
	{ "log level", "[LEVEL]", "show or set what is logged: error, warn, info, debug", false,
	  cmd_log },
	{ "version", "", "the version", false, cmd_version },
	{ "poweroff", "", "end everything and switch the machine off", false, cmd_poweroff },
};

static void cmd_help(struct mux *m, struct span arg, struct span rest)
{
	size_t i;

	(void)m;
	(void)arg;
	(void)rest;
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		console_print("  %-9s %-8s %s\n", commands[i].name, commands[i].usage,
			      commands[i].help);
	console_print("GUEST is a name, its beginning, or a number.\n");
}

static const struct command *find_command(struct span name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (span_is(name, commands[i].name))
			return &commands[i];
	return NULL;
}

void monitor_execute(struct mux *m, const char *line)
{
	struct span text = span_of(line), name, arg = { "", 0 }, rest = { "", 0 }, more;
	const struct command *c;

	if (!span_word(&text, &name))
		return;
	if (span_word(&text, &arg))
		span_word(&text, &rest);
	c = find_command(name);
	if (!c)
		console_print("there is no command '%.*s'; 'help' lists them\n", width(name),
			      name.at);
	else if (c->needs_arg && !arg.len)
		console_print("'%s' needs a guest: %s %s\n", c->name, c->name, c->usage);
	else if (span_word(&text, &more))
		console_print("'%.*s' is too much; 'help' shows what each command takes\n",
			      width(more), more.at);
	else
		c->run(m, arg, rest);
}
