/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: the values of a [vm NAME] section. */
#include "config_parser.h"
#include "kstring.h"

/* ---- cpus ------------------------------------------------------------- */

static const char cpu_list_form[] = "'cpus' is a list of numbers and ranges";

/* One item of the list, "N" or "N-M", into *first and *last. */
static bool parse_cpu_range(struct cfg_parser *p, struct span item, uint64_t *first,
			    uint64_t *last)
{
	struct span tail = item, head;
	enum parse_result a, b = PARSE_OK;
	struct cfg_quote q;

	span_split(&tail, '-', &head);
	a = parse_number(span_trim(head), 0, CFG_MAX_CPUS - 1, first);
	if (tail.at)
		b = parse_number(span_trim(tail), 0, CFG_MAX_CPUS - 1, last);
	else if (a == PARSE_OK)
		*last = *first;

	if (a == PARSE_MALFORMED || b == PARSE_MALFORMED) {
		cfg_mistake_at(&p->report, p->line, cpu_list_form, "write it as in '0,2-3'",
			       "%s is not a CPU number or a range", cfg_quoted(&q, item));
		return false;
	}
	if (a == PARSE_RANGE || b == PARSE_RANGE) {
		_Static_assert(CFG_MAX_CPUS == 64, "the text below says the number");
		cfg_mistake_at(&p->report, p->line, "CPUs are numbered from 0 to 63",
			       "use the numbers of CPUs that the machine has",
			       "CPU number %s is out of range", cfg_quoted(&q, item));
		return false;
	}
	if (*first > *last) {
		cfg_mistake_at(&p->report, p->line, "a range goes from the lower CPU to the higher",
			       "exchange the two numbers", "the range %s runs backwards",
			       cfg_quoted(&q, item));
		return false;
	}
	return true;
}

/* The CPUs from `first` to `last`, one bit each. */
static uint64_t cpu_mask(uint64_t first, uint64_t last)
{
	return (UINT64_MAX >> (63 - (last - first))) << first;
}

void cfg_set_cpus(struct cfg_parser *p, struct span value)
{
	struct cfg_vm *vm = p->vm;
	struct span rest = value, item;
	uint64_t all = 0, twice = 0, first, last;
	bool good = true;

	vm->line_cpus = p->line;
	while (span_split(&rest, ',', &item)) {
		if (!parse_cpu_range(p, span_trim(item), &first, &last)) {
			good = false;
			continue;
		}
		twice |= all & cpu_mask(first, last);
		all |= cpu_mask(first, last);
	}

	for (unsigned cpu = 0; cpu < CFG_MAX_CPUS; cpu++) {
		if (twice & BIT(cpu))
			cfg_mistake_at(&p->report, p->line, "a list names each CPU once",
				       "take it out of the list", "CPU %u is given twice", cpu);
		if (good && (all & BIT(cpu)))
			vm->cpus[vm->n_cpus++] = (uint8_t)cpu;
	}
}

/* ---- sizes ------------------------------------------------------------ */

/* Reports a size that is malformed or outside min..max. */
static bool parse_size_in(struct cfg_parser *p, struct span value, uint64_t min, uint64_t max,
			  const char *rule, const char *remedy, uint64_t *out)
{
	struct cfg_quote q;

	switch (parse_size(value, min, max, out)) {
	case PARSE_OK:
		return true;
	case PARSE_RANGE:
		cfg_mistake_at(&p->report, p->line, rule, remedy, "size %s is out of range",
			       cfg_quoted(&q, value));
		return false;
	case PARSE_MALFORMED:
	default:
		cfg_mistake_at(&p->report, p->line,
			       "a size is a whole number with K, M or G behind it", remedy,
			       "%s is not a size", cfg_quoted(&q, value));
		return false;
	}
}

void cfg_set_memory(struct cfg_parser *p, struct span value)
{
	static const char remedy[] = "write a size such as 256M";
	uint64_t size = 0;
	struct cfg_quote q;

	_Static_assert(CFG_MIN_MEMORY == MIB(16) && CFG_MAX_MEMORY == GIB(512),
		       "the text below says the numbers");
	p->vm->line_memory = p->line;
	if (!parse_size_in(p, value, CFG_MIN_MEMORY, CFG_MAX_MEMORY,
			   "a guest has from 16M to 512G of memory", remedy, &size))
		return;
	if (size % PAGE_2M != 0) {
		cfg_mistake_at(&p->report, p->line, "memory is given in steps of 2M", remedy,
			       "memory of %s is not a multiple of 2M", cfg_quoted(&q, value));
		return;
	}
	p->vm->memory = size;
}

void cfg_set_console_buffer(struct cfg_parser *p, struct span value)
{
	static const char rule[] = "the buffer has a power of two from 4K to 16M";
	static const char remedy[] = "write a size such as 256K";
	uint64_t size = 0;
	struct cfg_quote q;

	_Static_assert(CFG_MIN_BUFFER == KIB(4) && CFG_MAX_BUFFER == MIB(16),
		       "the text above says the numbers");
	p->vm->line_buffer = p->line;
	if (!parse_size_in(p, value, CFG_MIN_BUFFER, CFG_MAX_BUFFER, rule, remedy, &size))
		return;
	if ((size & (size - 1)) != 0) {
		cfg_mistake_at(&p->report, p->line, rule, remedy, "%s is not a power of two",
			       cfg_quoted(&q, value));
		return;
	}
	p->vm->console_buffer = (uint32_t)size;
}

/* ---- words ------------------------------------------------------------ */

static void set_overflow(struct cfg_parser *p, struct span value, enum overflow_policy *out)
{
	static const struct cfg_choice choices[] = {
		{ "auto", OVERFLOW_AUTO },
		{ "block", OVERFLOW_BLOCK },
		{ "drop-oldest", OVERFLOW_DROP_OLDEST },
		{ "pace", OVERFLOW_PACE },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	if (v >= 0)
		*out = (enum overflow_policy)v;
}

void cfg_set_overflow(struct cfg_parser *p, struct span value)
{
	set_overflow(p, value, &p->vm->overflow);
}

void cfg_set_overflow_focus(struct cfg_parser *p, struct span value)
{
	set_overflow(p, value, &p->vm->overflow_focus);
}

void cfg_set_on_crash(struct cfg_parser *p, struct span value)
{
	static const struct cfg_choice choices[] = {
		{ "announce", CRASH_ANNOUNCE },
		{ "focus", CRASH_FOCUS },
		{ "restart", CRASH_RESTART },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	if (v >= 0)
		p->vm->on_crash = (enum crash_action)v;
}

static void set_end_action(struct cfg_parser *p, struct span value, enum end_action *out)
{
	static const struct cfg_choice choices[] = {
		{ "stop", ACTION_STOP },
		{ "restart", ACTION_RESTART },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	if (v >= 0)
		*out = (enum end_action)v;
}

void cfg_set_on_poweroff(struct cfg_parser *p, struct span value)
{
	set_end_action(p, value, &p->vm->on_poweroff);
}

void cfg_set_on_reset(struct cfg_parser *p, struct span value)
{
	set_end_action(p, value, &p->vm->on_reset);
}

void cfg_set_start(struct cfg_parser *p, struct span value)
{
	static const struct cfg_choice choices[] = {
		{ "auto", true },
		{ "manual", false },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	if (v >= 0)
		p->vm->start_auto = v != 0;
}

void cfg_set_hypervisor_leaf(struct cfg_parser *p, struct span value)
{
	static const struct cfg_choice choices[] = {
		{ "kvm", LEAF_KVM },
		{ "off", LEAF_OFF },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	if (v >= 0)
		p->vm->hypervisor_leaf = (enum hypervisor_leaf)v;
}

/* ---- exit-port -------------------------------------------------------- */

/* The ports of the virtual PC's devices. */
static bool is_device_port(uint64_t port)
{
	static const struct {
		uint16_t first, last;
	} taken[] = {
		{ 0x20, 0x21 },	  /* 8259 */
		{ 0x40, 0x43 },	  /* 8254 */
		{ 0x60, 0x64 },	  /* keyboard controller, port 0x61 */
		{ 0x70, 0x71 },	  /* MC146818 */
		{ 0xA0, 0xA1 },	  /* 8259 */
		{ 0x3F8, 0x3FF }, /* COM1 */
		{ 0x4D0, 0x4D1 }, /* 8259 edge/level */
		{ 0x600, 0x60F }, /* ACPI */
		{ 0xCF8, 0xCFF }, /* PCI configuration, reset */
	};

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (port >= taken[i].first && port <= taken[i].last)
			return true;
	}
	return false;
}

void cfg_set_exit_port(struct cfg_parser *p, struct span value)
{
	static const char remedy[] = "write a port such as 0xf4, or off";
	struct cfg_quote q;
	uint64_t port;

	if (span_is(value, "off"))
		return;
	if (parse_number(value, 1, UINT16_MAX, &port) != PARSE_OK) {
		cfg_mistake_at(&p->report, p->line, "a port is a number from 0x1 to 0xffff", remedy,
			       "%s is not a port", cfg_quoted(&q, value));
		return;
	}
	if (is_device_port(port)) {
		cfg_mistake_at(&p->report, p->line, "a port belongs to one device", remedy,
			       "port %s is taken by a device of the virtual PC",
			       cfg_quoted(&q, value));
		return;
	}
	p->vm->exit_port = (uint16_t)port;
}
