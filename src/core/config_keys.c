/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: which keys there are, and what is said about others. */
#include "config_parser.h"
#include "fmt.h"
#include "kstring.h"

enum key_flags {
	KEY_REQUIRED = 1,
	KEY_MAY_BE_EMPTY = 2,
	KEY_REPEATS = 4,
};

struct key {
	const char *name;
	cfg_setter set;
	unsigned flags; /* enum key_flags */
};

static const struct key hypervisor_keys[] = {
	{ "on_all_stopped", cfg_set_all_stopped, 0 },
	{ "log", cfg_set_log, 0 },
};

static const struct key console_keys[] = {
	{ "port", cfg_set_port, 0 },
	{ "baud", cfg_set_baud, 0 },
	{ "escape", cfg_set_escape, 0 },
	{ "flow", cfg_set_flow, 0 },
};

static const struct key vm_keys[] = {
	{ "cpus", cfg_set_cpus, KEY_REQUIRED },
	{ "memory", cfg_set_memory, KEY_REQUIRED },
	{ "kernel", cfg_set_kernel, KEY_REQUIRED },
	{ "initrd", cfg_set_initrd, 0 },
	{ "cmdline", cfg_set_cmdline, KEY_MAY_BE_EMPTY },
	{ "module", cfg_set_module, KEY_REPEATS },
	{ "format", cfg_set_format, 0 },
	{ "load", cfg_set_load, 0 },
	{ "entry", cfg_set_entry, 0 },
	{ "mode", cfg_set_mode, 0 },
	{ "console", cfg_set_console, 0 },
	{ "console-buffer", cfg_set_console_buffer, 0 },
	{ "overflow", cfg_set_overflow, 0 },
	{ "overflow-focus", cfg_set_overflow_focus, 0 },
	{ "on_crash", cfg_set_on_crash, 0 },
	{ "on_poweroff", cfg_set_on_poweroff, 0 },
	{ "on_reset", cfg_set_on_reset, 0 },
	{ "start", cfg_set_start, 0 },
	{ "exit-port", cfg_set_exit_port, 0 },
	{ "hypervisor-leaf", cfg_set_hypervisor_leaf, 0 },
};

_Static_assert(ARRAY_SIZE(vm_keys) <= CFG_MAX_KEYS, "key_line[] must hold them all");

struct key_table {
	const struct key *keys;
	size_t n;
	const char *section;
};

static const struct key_table tables[SECTION_COUNT] = {
	[SECTION_HYPERVISOR] = { hypervisor_keys, ARRAY_SIZE(hypervisor_keys), "[hypervisor]" },
	[SECTION_CONSOLE] = { console_keys, ARRAY_SIZE(console_keys), "[console]" },
	[SECTION_VM] = { vm_keys, ARRAY_SIZE(vm_keys), "[vm NAME]" },
};

/* The longest key that is compared to the known ones, letter by letter. */
#define MAX_GUESS 24

/* The least number of letters to change, add or take out to get from one word to the other. */
static size_t edit_distance(struct span a, struct span b)
{
	size_t row[MAX_GUESS + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t change = diagonal + (a.at[i - 1] != b.at[j - 1]);
			size_t step = min_u64(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = min_u64(change, step);
		}
	}
	return row[b.len];
}

/* The key of this section that was probably meant, or NULL. */
static const struct key *nearest_key(const struct key_table *table, struct span name)
{
	const struct key *best = NULL;
	size_t limit = max_u64(1, name.len / 3);

	if (name.len > MAX_GUESS)
		return NULL;
	for (size_t i = 0; i < table->n; i++) {
		struct span known = span_of(table->keys[i].name);
		size_t distance = known.len <= MAX_GUESS ? edit_distance(name, known) : limit + 1;

		if (distance <= limit) {
			best = &table->keys[i];
			limit = distance - 1; /* not 0: an equal key would have been found */
		}
	}
	return best;
}

static const struct key *find_key(const struct key_table *table, struct span name)
{
	for (size_t i = 0; i < table->n; i++) {
		if (span_is(name, table->keys[i].name))
			return &table->keys[i];
	}
	return NULL;
}

/* The section that has such a key, or NULL. */
static const char *home_section(struct span name)
{
	for (size_t i = 0; i < SECTION_COUNT; i++) {
		if (find_key(&tables[i], name))
			return tables[i].section;
	}
	return NULL;
}

static void list_keys(char *buf, size_t size, const struct key_table *table)
{
	size_t len = 0;

	for (size_t i = 0; i < table->n; i++)
		len += fmt_buf(buf + len, size - len, "%s%s", i > 0 ? ", " : "",
			       table->keys[i].name);
}

static void report_unknown_key(struct cfg_parser *p, const struct key_table *table,
			       struct span name)
{
	const struct key *near = nearest_key(table, name);
	const char *home = home_section(name);
	char rule[256], remedy[64];
	struct cfg_quote q;
	size_t len;

	len = fmt_buf(rule, sizeof(rule), "the keys of %s are ", table->section);
	list_keys(rule + len, sizeof(rule) - len, table);
	if (home)
		fmt_buf(remedy, sizeof(remedy), "move it to %s", home);
	else if (near)
		fmt_buf(remedy, sizeof(remedy), "did you mean '%s'?", near->name);
	else
		fmt_buf(remedy, sizeof(remedy), "take the line out");
	cfg_mistake_at(&p->report, p->line, rule, remedy, "unknown key %s", cfg_quoted(&q, name));
}

static void set_known_key(struct cfg_parser *p, const struct key *key, size_t index,
			  struct span value)
{
	if (p->key_line[index] != 0 && !(key->flags & KEY_REPEATS)) {
		cfg_mistake_at(&p->report, p->line, "a key may be there only once in a section",
			       "take one of the lines out", "'%s' is already set in line %u",
			       key->name, p->key_line[index]);
		return;
	}
	p->key_line[index] = p->line;
	if (value.len == 0 && !(key->flags & KEY_MAY_BE_EMPTY)) {
		cfg_mistake_at(&p->report, p->line, "this key needs a value",
			       key->flags & KEY_REQUIRED ? "write it behind the '='"
							 : "write it, or take the line out",
			       "'%s' has no value", key->name);
		return;
	}
	key->set(p, value);
}

void cfg_set_key(struct cfg_parser *p, struct span name, struct span value)
{
	const struct key_table *table = &tables[p->section];
	const struct key *key;
	struct cfg_quote q;

	if (p->section == SECTION_UNKNOWN)
		return;
	if (name.len == 0) {
		cfg_mistake_at(&p->report, p->line, "a line is 'key = value'",
			       "write the key in front of the '='", "a value without a key");
		return;
	}
	if (p->section == SECTION_NONE) {
		cfg_mistake_at(&p->report, p->line, "every key belongs to a section",
			       "put a line such as [vm alpha] above it",
			       "key %s before any section", cfg_quoted(&q, name));
		return;
	}

	key = find_key(table, name);
	if (key)
		set_known_key(p, key, (size_t)(key - table->keys), value);
	else
		report_unknown_key(p, table, name);
}

void cfg_end_section(struct cfg_parser *p)
{
	const struct key_table *table = &tables[p->section];

	if (p->section == SECTION_VM && p->vm == &p->spare)
		return;
	for (size_t i = 0; i < table->n; i++) {
		char remedy[64];

		if (!(table->keys[i].flags & KEY_REQUIRED) || p->key_line[i] != 0)
			continue;
		fmt_buf(remedy, sizeof(remedy), "add a line '%s = ...'", table->keys[i].name);
		cfg_mistake_at(&p->report, p->section_line,
			       "every guest has 'cpus', 'memory' and 'kernel'", remedy,
			       "guest '%s' has no '%s'", p->vm->name, table->keys[i].name);
	}	if (p->section == SECTION_VM)
		cfg_check_image_keys(p);
}
