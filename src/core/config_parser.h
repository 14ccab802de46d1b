/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the configuration parser share. */
#ifndef BULKHEAD_CORE_CONFIG_PARSER_H
#define BULKHEAD_CORE_CONFIG_PARSER_H

#include "config.h"
#include "parse.h"

/* ---- config_report.c -------------------------------------------------- */

/* Where mistakes go. */
struct cfg_reporter {
	cfg_report_fn fn; /* may be NULL */
	void *ctx;
	bool any; /* there was a mistake */
};

/* `what` is a format with arguments; rule and remedy are plain text. */
void cfg_mistake_at(struct cfg_reporter *r, unsigned line, const char *rule, const char *remedy,
		    const char *what, ...) PRINTF_LIKE(5, 6);

/* A piece of the file between quotes, cut when it is long. */
struct cfg_quote {
	char text[56];
};
const char *cfg_quoted(struct cfg_quote *q, struct span s);

/* A number of bytes in the largest unit that is exact, or in whole MiB. */
struct cfg_size_text {
	char text[24];
};
const char *cfg_size(struct cfg_size_text *t, uint64_t bytes);

/* ---- config_keys.c ---------------------------------------------------- */

enum cfg_section {
	SECTION_NONE,    /* before the first header */
	SECTION_UNKNOWN, /* its header was wrong: its keys are skipped */
	SECTION_HYPERVISOR,
	SECTION_CONSOLE,
	SECTION_VM,
	SECTION_COUNT
};

#define CFG_MAX_KEYS 24 /* in one section */

struct cfg_parser {
	struct cfg_reporter report;
	struct config *out;
	unsigned line;
	enum cfg_section section;
	unsigned section_line;
	unsigned first_line[SECTION_COUNT]; /* of the section's header; 0: not seen */
	unsigned key_line[CFG_MAX_KEYS];    /* in this section; 0: not seen */
	/*
	 * The guest that SECTION_VM fills: one of out->vms, or `spare` when its
	 * header was wrong: its keys are checked, but it is compared to nothing.
	 */
	struct cfg_vm *vm;
	bool format_unknown; /* its format could not be read */
	struct cfg_vm spare;
};

/* `key = value` in the present section. */
void cfg_set_key(struct cfg_parser *p, struct span key, struct span value);
/* The section ends: reports the keys that it lacks. */
void cfg_end_section(struct cfg_parser *p);

/* ---- config_values.c, config_vm.c, config_image.c: one setter a key ------------------- */

/* Reports at p->line what it does not accept.  `value` has no blanks at its ends. */
typedef void (*cfg_setter)(struct cfg_parser *p, struct span value);

void cfg_set_all_stopped(struct cfg_parser *p, struct span value);
void cfg_set_log(struct cfg_parser *p, struct span value);
void cfg_set_console(struct cfg_parser *p, struct span value);
/* Guests with a port of their own, against each other and the shared line. */
void cfg_check_consoles(struct cfg_parser *p);
void cfg_set_port(struct cfg_parser *p, struct span value);
void cfg_set_baud(struct cfg_parser *p, struct span value);
void cfg_set_escape(struct cfg_parser *p, struct span value);
void cfg_set_flow(struct cfg_parser *p, struct span value);

void cfg_set_cpus(struct cfg_parser *p, struct span value);
void cfg_set_memory(struct cfg_parser *p, struct span value);
void cfg_set_kernel(struct cfg_parser *p, struct span value);
void cfg_set_initrd(struct cfg_parser *p, struct span value);
void cfg_set_cmdline(struct cfg_parser *p, struct span value);
void cfg_set_console_buffer(struct cfg_parser *p, struct span value);
void cfg_set_overflow(struct cfg_parser *p, struct span value);
void cfg_set_overflow_focus(struct cfg_parser *p, struct span value);
void cfg_set_on_crash(struct cfg_parser *p, struct span value);
void cfg_set_on_poweroff(struct cfg_parser *p, struct span value);
void cfg_set_on_reset(struct cfg_parser *p, struct span value);
void cfg_set_start(struct cfg_parser *p, struct span value);
void cfg_set_exit_port(struct cfg_parser *p, struct span value);
void cfg_set_hypervisor_leaf(struct cfg_parser *p, struct span value);

/* config_image.c */
void cfg_set_module(struct cfg_parser *p, struct span value);
void cfg_set_format(struct cfg_parser *p, struct span value);
void cfg_set_mode(struct cfg_parser *p, struct span value);
void cfg_set_load(struct cfg_parser *p, struct span value);
void cfg_set_entry(struct cfg_parser *p, struct span value);
/* At the end of a guest's section: keys that its format does not go with. */
void cfg_check_image_keys(struct cfg_parser *p);

/* A value out of a short list of words. */
struct cfg_choice {
	const char *word;
	int value;
};
/* The value of the word, or -1 after reporting that it is none of them. */
int cfg_choose(struct cfg_parser *p, struct span value, const struct cfg_choice *choices,
	       size_t n);

/* ---- config_name.c ---------------------------------------------------- */

/* Reports at p->line what is wrong with the name of a new guest. */
bool cfg_check_name(struct cfg_parser *p, struct span name);

/* ---- config_check.c --------------------------------------------------- */

/* What only shows when all guests are known. */
void cfg_check_guests(struct cfg_parser *p);

#endif
