/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: lines, comments and section headers. */
#include "config_parser.h"
#include "kstring.h"

#define DEFAULT_CONSOLE_PORT 0x3F8 /* COM1 */
#define DEFAULT_BAUD 115200

static const char header_forms[] = "a section is [hypervisor], [console] or [vm NAME]";

static void set_defaults(struct config *out)
{
	memset(out, 0, sizeof(*out));
	out->console_port = DEFAULT_CONSOLE_PORT;
	out->baud = DEFAULT_BAUD;
	out->escape = CFG_DEFAULT_ESCAPE;
	out->on_all_stopped = ALL_STOPPED_MONITOR;
	out->log = -1;
}

static void set_vm_defaults(struct cfg_vm *vm, unsigned line)
{
	memset(vm, 0, sizeof(*vm));
	vm->line = line;
	vm->console_buffer = CFG_DEFAULT_BUFFER;
	vm->overflow = vm->overflow_focus = OVERFLOW_AUTO;
	vm->on_crash = CRASH_ANNOUNCE;
	vm->on_poweroff = ACTION_STOP;
	vm->on_reset = ACTION_RESTART;
	vm->start_auto = true;
	vm->load = vm->entry = CFG_NO_ADDRESS;
}

/* Without the comment: from a # at the start or after a blank to the end of the line. */
static struct span without_comment(struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		bool after_blank = i == 0 || line.at[i - 1] == ' ' || line.at[i - 1] == '\t';

		if (line.at[i] == '#' && after_blank)
			return (struct span){ line.at, i };
	}
	return line;
}

static void begin_vm(struct cfg_parser *p, struct span name)
{
	struct config *out = p->out;
	bool good = cfg_check_name(p, name);

	p->section = SECTION_VM;
	if (good && out->n_vms == CFG_MAX_VMS) {
		_Static_assert(CFG_MAX_VMS == 15, "the text below says the number");
		cfg_mistake_at(&p->report, p->line, "there can be at most 15 guests",
			       "take one of them out", "guest '%.*s' is one too many",
			       (int)name.len, name.at);
		good = false;
	}

	p->vm = good ? &out->vms[out->n_vms++] : &p->spare;
	set_vm_defaults(p->vm, p->line);
	p->format_unknown = false;
	if (good)
		span_copy(p->vm->name, sizeof(p->vm->name), name);
}

/* One of the sections that exist once. */
static void begin_single(struct cfg_parser *p, enum cfg_section section, const char *name)
{
	p->section = section;
	if (p->first_line[section] != 0)
		cfg_mistake_at(&p->report, p->line, "this section may be there only once",
			       "join the two", "section [%s] is already in line %u", name,
			       p->first_line[section]);
}

/* `inside` is the text between the brackets.  p->section stays as it is when that is wrong. */
static void begin_section(struct cfg_parser *p, struct span inside)
{
	struct span rest = inside, kind = { "", 0 }, name = { "", 0 }, more;
	struct cfg_quote q;

	span_word(&rest, &kind);
	span_word(&rest, &name);
	if (span_word(&rest, &more)) {
		cfg_mistake_at(&p->report, p->line, header_forms, "a guest's name is one word",
			       "%s is too much in a section header", cfg_quoted(&q, more));
		return;
	}

	if (span_is(kind, "vm"))
		begin_vm(p, name);
	else if (span_is(kind, "hypervisor") && name.len == 0)
		begin_single(p, SECTION_HYPERVISOR, "hypervisor");
	else if (span_is(kind, "console") && name.len == 0)
		begin_single(p, SECTION_CONSOLE, "console");
	else
		cfg_mistake_at(&p->report, p->line, header_forms,
			       "correct the name or take the section out", "unknown section %s",
			       cfg_quoted(&q, span_trim(inside)));
}

static void read_header(struct cfg_parser *p, struct span line)
{
	struct cfg_quote q;

	cfg_end_section(p);
	memset(p->key_line, 0, sizeof(p->key_line));
	p->section_line = p->line;
	p->section = SECTION_UNKNOWN;

	if (line.at[line.len - 1] == ']')
		begin_section(p, (struct span){ line.at + 1, line.len - 2 });
	else
		cfg_mistake_at(&p->report, p->line, header_forms, "end the line with ']'",
			       "section header %s does not end in ']'", cfg_quoted(&q, line));

	if (p->first_line[p->section] == 0)
		p->first_line[p->section] = p->line;
}

static void read_assignment(struct cfg_parser *p, struct span line)
{
	struct span value = line, key;
	struct cfg_quote q;

	span_split(&value, '=', &key);
	if (!value.at) {
		cfg_mistake_at(&p->report, p->line, "a line is 'key = value' or a [section]",
			       "add the '=' and a value, or a '#' in front for a comment",
			       "%s has no '='", cfg_quoted(&q, line));
		return;
	}
	cfg_set_key(p, span_trim(key), span_trim(value));
}

/* Control characters are wrong everywhere, other alphabets only outside comments. */
static bool check_bytes(struct cfg_parser *p, struct span line, size_t comment)
{
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = (uint8_t)line.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7F || (c > 0x7F && i < comment)) {
			cfg_mistake_at(&p->report, p->line,
				       "a configuration is printable ASCII text (comments: UTF-8)",
				       "take the character out",
				       "unprintable byte 0x%02x in column %u", c, (unsigned)i + 1);
			return false;
		}
	}
	return true;
}

static void read_line(struct cfg_parser *p, struct span line)
{
	struct span text;

	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (line.len > CFG_MAX_LINE) {
		_Static_assert(CFG_MAX_LINE == 1536, "the text below says the number");
		cfg_mistake_at(&p->report, p->line, "a line has at most 1536 characters",
			       "shorten it", "the line has %u characters", (unsigned)line.len);
		return;
	}
	text = without_comment(line);
	if (!check_bytes(p, line, text.len))
		return;
	text = span_trim(text);
	if (text.len == 0)
		return;
	if (text.at[0] == '[')
		read_header(p, text);
	else
		read_assignment(p, text);
}

/* Editors on some systems put a byte order mark in front of UTF-8 text. */
static struct span without_bom(struct span text)
{
	static const char bom[] = "\xEF\xBB\xBF";

	if (text.len >= 3 && memcmp(text.at, bom, 3) == 0)
		return (struct span){ text.at + 3, text.len - 3 };
	return text;
}

bool config_parse(const char *text, size_t len, struct config *out, cfg_report_fn report,
		  void *ctx)
{
	struct cfg_parser p = { .report = { .fn = report, .ctx = ctx }, .out = out };
	struct span rest = without_bom((struct span){ len > 0 ? text : "", len }), line;

	set_defaults(out);
	if (len > CFG_MAX_FILE) {
		_Static_assert(CFG_MAX_FILE == KIB(64), "the text below says the number");
		cfg_mistake_at(&p.report, 0, "a configuration has at most 64K",
			       "check that this is the right file", "the file is longer than 64K");
		return false;
	}

	while (span_split(&rest, '\n', &line)) {
		p.line++;
		read_line(&p, line);
	}
	cfg_end_section(&p);
	cfg_check_guests(&p);
	return !p.report.any;
}
