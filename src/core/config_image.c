/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: the keys of a guest that say what it is started from, and how. */
#include "config_parser.h"
#include "guest_memory.h"
#include "kstring.h"

/* ---- files and text --------------------------------------------------- */

static void set_path(struct cfg_parser *p, struct span value, char path[CFG_PATH])
{
	static const char rule[] = "a path is one word of at most 127 characters that ends in "
				   "a file's name";
	struct cfg_quote q;

	_Static_assert(CFG_PATH == 128, "the text above says the number");
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == ' ' || value.at[i] == '\t') {
			cfg_mistake_at(&p->report, p->line, rule, "rename the file or its folder",
				       "path %s has a blank in it", cfg_quoted(&q, value));
			return;
		}
	}
	if (value.at[value.len - 1] == '/') {
		cfg_mistake_at(&p->report, p->line, rule, "add the file's name",
			       "path %s names a folder", cfg_quoted(&q, value));
		return;
	}
	if (!span_copy(path, CFG_PATH, value))
		cfg_mistake_at(&p->report, p->line, rule, "use a shorter path",
			       "the path has %u characters", (unsigned)value.len);
}

void cfg_set_kernel(struct cfg_parser *p, struct span value)
{
	p->vm->line_kernel = p->line;
	set_path(p, value, p->vm->kernel);
}

void cfg_set_initrd(struct cfg_parser *p, struct span value)
{
	p->vm->line_initrd = p->line;
	set_path(p, value, p->vm->initrd);
}

void cfg_set_cmdline(struct cfg_parser *p, struct span value)
{
	p->vm->line_cmdline = p->line;
	_Static_assert(CFG_CMDLINE == 1024, "the text below says the number");
	if (!span_copy(p->vm->cmdline, CFG_CMDLINE, value))
		cfg_mistake_at(&p->report, p->line, "a command line has at most 1023 characters",
			       "shorten it", "the command line has %u characters",
			       (unsigned)value.len);
}

void cfg_set_module(struct cfg_parser *p, struct span value)
{
	struct cfg_vm *vm = p->vm;
	struct span rest = value, name;
	struct cfg_module *m;

	if (vm->n_modules == GUEST_MAX_MODULES) {
		_Static_assert(GUEST_MAX_MODULES == 8, "the text below says the number");
		cfg_mistake_at(&p->report, p->line, "a guest has at most 8 modules",
			       "take one of them out", "a module too many");
		return;
	}
	m = &vm->modules[vm->n_modules++];
	m->line = p->line;
	_Static_assert(CFG_MODULE == 256, "the text below says the number");
	if (!span_copy(m->text, sizeof(m->text), value))
		cfg_mistake_at(&p->report, p->line,
			       "a module's name and command line have at most 255 characters",
			       "shorten them", "they have %u characters", (unsigned)value.len);
	span_word(&rest, &name);
	set_path(p, name, m->path);
}

/* ---- format ----------------------------------------------------------- */

void cfg_set_format(struct cfg_parser *p, struct span value)
{
	static const struct cfg_choice choices[] = {
		{ "linux", FORMAT_LINUX },
		{ "multiboot", FORMAT_MULTIBOOT },
		{ "flat", FORMAT_FLAT },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	/* Nothing is said about the keys of a format that could not be read. */
	p->format_unknown = v < 0;
	p->vm->line_format = p->line;
	if (v >= 0)
		p->vm->format = (enum guest_format)v;
}

void cfg_set_mode(struct cfg_parser *p, struct span value)
{
	static const struct cfg_choice choices[] = {
		{ "real16", MODE_REAL16 },
		{ "protected32", MODE_PROTECTED32 },
		{ "long64", MODE_LONG64 },
	};
	int v = cfg_choose(p, value, choices, ARRAY_SIZE(choices));

	p->vm->line_mode = p->line;
	if (v >= 0)
		p->vm->mode = (enum guest_mode)v;
}

static void set_address(struct cfg_parser *p, struct span value, uint64_t *out)
{
	struct cfg_quote q;

	_Static_assert(GUEST_LOW_RAM_MAX == GIB(3), "the text below says the number");
	if (parse_number(value, 0, GUEST_LOW_RAM_MAX - 1, out) != PARSE_OK)
		cfg_mistake_at(&p->report, p->line,
			       "an address is a number of less than 3 GiB, 0xc0000000",
			       "write it as in 0x200000", "%s is not an address",
			       cfg_quoted(&q, value));
}

void cfg_set_load(struct cfg_parser *p, struct span value)
{
	p->vm->line_load = p->line;
	set_address(p, value, &p->vm->load);
}

void cfg_set_entry(struct cfg_parser *p, struct span value)
{
	p->vm->line_entry = p->line;
	set_address(p, value, &p->vm->entry);
}

/* ---- the keys against each other --------------------------------------- */

static const char *format_name(enum guest_format format)
{
	static const char *const names[] = {
		[FORMAT_GUESS] = "",
		[FORMAT_LINUX] = "linux",
		[FORMAT_MULTIBOOT] = "multiboot",
		[FORMAT_FLAT] = "flat",
	};

	return names[format];
}

/* A key that the guest's format has no use for; `line` is 0 when it is not there. */
static void check_useless(struct cfg_parser *p, unsigned line, const char *key, const char *rule)
{
	if (line)
		cfg_mistake_at(&p->report, line, rule, "take the line out, or change the format",
			       "'%s' in a guest with format = %s", key,
			       format_name(p->vm->format));
}

static void check_needs_flat(struct cfg_parser *p, unsigned line, const char *key)
{
	if (line)
		cfg_mistake_at(&p->report, line, "'load', 'entry' and 'mode' are for flat images",
			       "add 'format = flat', or take the line out",
			       "'%s' in a guest that is not flat", key);
}

static void check_flat_has(struct cfg_parser *p, unsigned line, const char *remedy)
{
	if (!line)
		cfg_mistake_at(&p->report, p->vm->line_format,
			       "a flat image has 'load' and 'mode'", remedy,
			       "guest '%s' does not say how it is started", p->vm->name);
}

/* Without `entry` it is the first byte. */
static void check_flat_addresses(struct cfg_parser *p)
{
	struct cfg_vm *vm = p->vm;
	const unsigned line = vm->line_entry ? vm->line_entry : vm->line_load;

	if (!vm->line_entry)
		vm->entry = vm->load;
	if (vm->load == CFG_NO_ADDRESS || vm->entry == CFG_NO_ADDRESS)
		return;
	if (vm->entry < vm->load)
		cfg_mistake_at(&p->report, line, "the entry is an address inside the image",
			       "correct one of the two", "entry 0x%lx is below load 0x%lx",
			       (unsigned long)vm->entry, (unsigned long)vm->load);
	else if (vm->line_mode && vm->mode == MODE_REAL16 && vm->entry >= MIB(1))
		cfg_mistake_at(&p->report, line, "real mode reaches addresses below 0x100000",
			       "load the image below 0xa0000, or take another mode",
			       "entry 0x%lx is out of reach", (unsigned long)vm->entry);
}

static void check_flat(struct cfg_parser *p)
{
	check_flat_has(p, p->vm->line_load, "add a line 'load = ...'");
	check_flat_has(p, p->vm->line_mode,
		       "add a line 'mode = ...' with real16, protected32 or long64");
	check_useless(p, p->vm->line_cmdline, "cmdline", "a flat image is told nothing");
	check_flat_addresses(p);
}

void cfg_check_image_keys(struct cfg_parser *p)
{
	const struct cfg_vm *vm = p->vm;

	if (p->format_unknown)
		return;
	if (vm->format == FORMAT_FLAT) {
		check_flat(p);
	} else {
		check_needs_flat(p, vm->line_load, "load");
		check_needs_flat(p, vm->line_entry, "entry");
		check_needs_flat(p, vm->line_mode, "mode");
	}
	if (vm->format == FORMAT_FLAT || vm->format == FORMAT_MULTIBOOT)
		check_useless(p, vm->line_initrd, "initrd", "only Linux takes an initrd");
	if (vm->format == FORMAT_FLAT || vm->format == FORMAT_LINUX)
		for (unsigned i = 0; i < vm->n_modules; i++)
			check_useless(p, vm->modules[i].line, "module",
				      "only Multiboot kernels take modules");
}

/* ---- what the others need of them --------------------------------------- */

unsigned config_files(const struct cfg_vm *vm, struct cfg_file out[CFG_MAX_FILES])
{
	unsigned n = 0;

	if (vm->kernel[0] != '\0')
		out[n++] = (struct cfg_file){ vm->kernel, "kernel", vm->line_kernel };
	if (vm->initrd[0] != '\0')
		out[n++] = (struct cfg_file){ vm->initrd, "initrd", vm->line_initrd };
	for (unsigned i = 0; i < vm->n_modules; i++)
		if (vm->modules[i].path[0] != '\0')
			out[n++] = (struct cfg_file){ vm->modules[i].path, "module",
						      vm->modules[i].line };
	return n;
}

unsigned config_line_of(const struct cfg_vm *vm, const char *message)
{
	const struct {
		const char *key;
		unsigned line;
	} lines[] = {
		{ "memory", vm->line_memory }, { "initrd", vm->line_initrd },
		{ "cmdline", vm->line_cmdline }, { "module", vm->modules[0].line },
		{ "load", vm->line_load }, { "entry", vm->line_entry },
	};
	struct span rest = span_of(message), key;

	span_split(&rest, ':', &key);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (span_is(key, lines[i].key) && lines[i].line)
			return lines[i].line;
	return vm->line_kernel;
}
