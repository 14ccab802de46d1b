/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of guests: which are refused, and why. */
#include "config_parser.h"
#include "kstring.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static bool is_name(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (!is_name_char(name.at[i]))
			return false;
	}
	return name.len > 0 && name.len < CFG_NAME;
}

static const struct cfg_vm *find_vm(const struct config *cfg, struct span name)
{
	for (unsigned i = 0; i < cfg->n_vms; i++) {
		if (span_is(name, cfg->vms[i].name))
			return &cfg->vms[i];
	}
	return NULL;
}

/* What stands for something else where the console and the monitor take a guest's name. */
static const char *other_meaning(struct span name)
{
	uint64_t number;

	if (span_is(name, "monitor"))
		return "'monitor' is the hypervisor's own place on the console";
	if (span_is(name, "log"))
		return "'log' is the hypervisor's log, as in the monitor's 'cat log'";
	if (span_is(name, "all"))
		return "'all' is the view of all guests, as in the line [bulkhead: all]";
	if (name.at[0] == '-')
		return "'-' begins the options of the monitor's commands, as in 'stats -m'";
	if (parse_number(name, 0, UINT64_MAX, &number) != PARSE_MALFORMED)
		return "a number stands for the guest at that place, as in the monitor's 'stop 2'";
	return NULL;
}

/* The name by itself. */
static bool is_usable(struct cfg_parser *p, struct span name)
{
	struct cfg_quote q;
	const char *other;

	if (name.len == 0) {
		cfg_mistake_at(&p->report, p->line, "every guest has a name",
			       "write it behind 'vm', as in [vm alpha]", "a guest without a name");
		return false;
	}
	if (!is_name(name)) {
		cfg_mistake_at(&p->report, p->line,
			       "a name has 1 to 31 letters, digits and the characters - _ .",
			       "choose such a name", "%s is not a guest's name",
			       cfg_quoted(&q, name));
		return false;
	}
	other = other_meaning(name);
	if (other)
		cfg_mistake_at(&p->report, p->line, other, "choose another name",
			       "a guest may not be named %s", cfg_quoted(&q, name));
	return !other;
}

bool cfg_check_name(struct cfg_parser *p, struct span name)
{
	const struct cfg_vm *same;
	struct cfg_quote q;

	if (!is_usable(p, name))
		return false;
	same = find_vm(p->out, name);
	if (same)
		cfg_mistake_at(&p->report, p->line, "every guest has a name of its own",
			       "rename one of them", "guest %s is already defined in line %u",
			       cfg_quoted(&q, name), same->line);
	return !same;
}
