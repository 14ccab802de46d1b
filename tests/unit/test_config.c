/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration parser.  What is wrong is tested over the files of
 * tests/config/bad, which say in their first lines what is to be reported;
 * what is right over tests/config/good and texts in here.  Runs from the top
 * of the source tree.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "fmt.h"
#include "log.h"
#include "parse.h"

#define BAD "tests/config/bad"
#define GOOD "tests/config/good"

#define MAX_TEXT (CFG_MAX_FILE + 64)

static char text[MAX_TEXT];
static size_t text_len;
static struct config cfg;

/* ---- collecting mistakes ---------------------------------------------- */

struct mistakes {
	unsigned n;
	unsigned expected_line;
	const char *expected; /* a part of the message, or NULL */
	bool seen;
	char all[8192];
	size_t all_len;
};

static void collect(void *ctx, const struct cfg_mistake *m)
{
	struct mistakes *list = ctx;
	char line[CFG_MISTAKE_TEXT];
	size_t len = config_format_mistake(line, sizeof(line), "f", m);

	/* All three parts are there and nothing was cut. */
	assert_true(len < sizeof(line) - 1);
	assert_true(strlen(m->what) > 0 && strlen(m->rule) > 0 && strlen(m->remedy) > 0);

	list->n++;
	if (list->expected && m->line == list->expected_line && strstr(line, list->expected))
		list->seen = true;
	list->all_len += fmt_buf(list->all + list->all_len, sizeof(list->all) - list->all_len,
				 "%s\n", line);
}

static bool parse(const char *s, struct mistakes *list)
{
	memset(list, 0, sizeof(*list));
	return config_parse(s, strlen(s), &cfg, collect, list);
}

static void expect_good(const char *s)
{
	struct mistakes list;

	if (!parse(s, &list))
		fail_msg("%s", list.all);
	assert_int_equal(list.n, 0);
}

/* ---- files ------------------------------------------------------------ */

static void read_text(const char *folder, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be read", path);
	text_len = fread(text, 1, sizeof(text) - 1, f);
	text[text_len] = '\0';
	fclose(f);
}

/* The text behind "# KEY: " in one of the first lines. */
static bool directive(const char *key, char *out, size_t size)
{
	struct span rest = { text, text_len }, line;
	char start[32];

	snprintf(start, sizeof(start), "# %s: ", key);
	for (unsigned i = 0; i < 4 && span_split(&rest, '\n', &line); i++) {
		size_t n = strlen(start);

		if (line.len > n && memcmp(line.at, start, n) == 0)
			return span_copy(out, size, (struct span){ line.at + n, line.len - n });
	}
	return false;
}

static bool in_list(void *ctx, const char *path)
{
	const char *list = ctx;
	struct span rest = span_of(list), item;

	while (span_split(&rest, ',', &item)) {
		if (span_is(item, config_basename(path)))
			return true;
	}
	return false;
}

static bool check_machine(const char *line, struct mistakes *list)
{
	char cpus[16], memory[16], modules[64];
	struct cfg_machine machine = { .n_cpus = 0 };
	uint64_t n = 0;

	assert_true(cmdline_option(line, "cpus", cpus, sizeof(cpus)));
	assert_true(cmdline_option(line, "memory", memory, sizeof(memory)));
	assert_int_equal(parse_number(span_of(cpus), 1, CFG_MAX_CPUS, &n), PARSE_OK);
	assert_int_equal(parse_size(span_of(memory), 1, UINT64_MAX, &machine.memory), PARSE_OK);
	machine.n_cpus = (unsigned)n;
	if (cmdline_option(line, "modules", modules, sizeof(modules))) {
		machine.has_module = in_list;
		machine.ctx = modules;
	}
	return config_check_machine(&cfg, &machine, collect, list);
}

static void check_bad_file(const char *name)
{
	static struct mistakes list;
	char expect[256], line[16], machine[128], count[16];
	unsigned long n_expected = 1;
	bool good;

	read_text(BAD, name);
	memset(&list, 0, sizeof(list));
	if (!directive("expect", expect, sizeof(expect)) ||
	    !directive("line", line, sizeof(line)))
		fail_msg("%s does not say what to expect", name);
	if (directive("mistakes", count, sizeof(count)))
		n_expected = strtoul(count, NULL, 10);
	list.expected = expect;
	list.expected_line = (unsigned)strtoul(line, NULL, 10);

	good = config_parse(text, text_len, &cfg, collect, &list);
	if (directive("machine", machine, sizeof(machine))) {
		if (!good)
			fail_msg("%s is wrong on every machine:\n%s", name, list.all);
		good = check_machine(machine, &list);
	}
	if (good || !list.seen || list.n != n_expected)
		fail_msg("%s: expected '%s' in line %s and %lu in all, got:\n%s", name, expect, line,
			 n_expected, list.all);
}

static void check_good_file(const char *name)
{
	struct mistakes list;

	memset(&list, 0, sizeof(list));
	read_text(GOOD, name);
	if (!config_parse(text, text_len, &cfg, collect, &list) || list.n != 0)
		fail_msg("%s: %s", name, list.all);
}

static unsigned for_each_file(const char *folder, void (*check)(const char *name))
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned n = 0;

	if (!dir) {
		fail_msg("%s cannot be read: run this from the top of the source tree", folder);
		return 0;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (!strstr(entry->d_name, ".conf"))
			continue;
		check(entry->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

static void test_bad_files(void **state)
{
	(void)state;
	assert_true(for_each_file(BAD, check_bad_file) >= 60);
}

static void test_good_files(void **state)
{
	(void)state;
	assert_true(for_each_file(GOOD, check_good_file) >= 5);
}

/* ---- values ----------------------------------------------------------- */

static void test_defaults(void **state)
{
	const struct cfg_vm *vm = &cfg.vms[0];

	(void)state;
	check_good_file("minimal.conf");
	assert_int_equal(cfg.console_port, 0x3F8);
	assert_int_equal(cfg.baud, 115200);
	assert_int_equal(cfg.escape, 5);
	assert_int_equal(cfg.flow, FLOW_NONE);
	assert_false(cfg.port_given || cfg.baud_given || cfg.flow_given);
	assert_int_equal(cfg.on_all_stopped, ALL_STOPPED_MONITOR);
	assert_int_equal(cfg.log, -1);
	assert_int_equal(cfg.n_vms, 1);
	assert_string_equal(vm->name, "alpha");
	assert_int_equal(vm->n_cpus, 1);
	assert_int_equal(vm->cpus[0], 0);
	assert_int_equal(vm->memory, MIB(16));
	assert_string_equal(vm->kernel, "vmlinuz");
	assert_string_equal(vm->initrd, "");
	assert_string_equal(vm->cmdline, "");
	assert_int_equal(vm->console_buffer, KIB(256));
	assert_int_equal(vm->overflow, OVERFLOW_AUTO);
	assert_int_equal(vm->overflow_focus, OVERFLOW_AUTO);
	assert_int_equal(vm->on_crash, CRASH_ANNOUNCE);
	assert_int_equal(vm->on_poweroff, ACTION_STOP);
	assert_int_equal(vm->on_reset, ACTION_RESTART);
	assert_true(vm->start_auto);
	assert_int_equal(vm->exit_port, 0);
	assert_int_equal(vm->hypervisor_leaf, LEAF_KVM);
	assert_int_equal(vm->line, 3);
	assert_int_equal(vm->line_cpus, 4);
	assert_int_equal(vm->line_memory, 5);
	assert_int_equal(vm->line_kernel, 6);
	assert_int_equal(vm->line_initrd, 0);
}

static void test_all_keys(void **state)
{
	const struct cfg_vm *a = &cfg.vms[0], *b = &cfg.vms[1];

	(void)state;
	check_good_file("full.conf");
	assert_int_equal(cfg.on_all_stopped, ALL_STOPPED_POWEROFF);
	assert_int_equal(cfg.log, LOG_DEBUG);
	assert_int_equal(cfg.console_port, 0x2F8);
	assert_int_equal(cfg.baud, 9600);
	assert_int_equal(cfg.escape, 0x1D);
	assert_int_equal(cfg.flow, FLOW_RTSCTS);
	assert_true(cfg.port_given && cfg.baud_given && cfg.flow_given);
	assert_int_equal(cfg.n_vms, 2);

	assert_string_equal(a->name, "alpha.1");
	assert_int_equal(a->n_cpus, 3);
	assert_memory_equal(a->cpus, ((uint8_t[]){ 2, 3, 5 }), 3);
	assert_int_equal(a->memory, GIB(1));
	assert_string_equal(a->kernel, "images/vmlinuz");
	assert_string_equal(a->initrd, "images/initrd.gz");
	assert_string_equal(a->cmdline, "console=ttyS0 root=/dev/ram0   quiet");
	assert_int_equal(a->console_buffer, MIB(16));
	assert_int_equal(a->overflow, OVERFLOW_BLOCK);
	assert_int_equal(a->overflow_focus, OVERFLOW_PACE);
	assert_int_equal(a->on_crash, CRASH_RESTART);
	assert_int_equal(a->on_poweroff, ACTION_RESTART);
	assert_int_equal(a->on_reset, ACTION_STOP);
	assert_false(a->start_auto);
	assert_int_equal(a->exit_port, 0xF4);
	assert_int_equal(a->hypervisor_leaf, LEAF_OFF);

	assert_int_equal(b->n_cpus, 2);
	assert_memory_equal(b->cpus, ((uint8_t[]){ 0, 1 }), 2);
	assert_int_equal(b->memory, MIB(96));
	assert_int_equal(b->overflow, OVERFLOW_DROP_OLDEST);
	assert_int_equal(b->on_crash, CRASH_FOCUS);
	assert_int_equal(b->exit_port, 0);
	assert_int_equal(b->hypervisor_leaf, LEAF_KVM);
	assert_true(b->start_auto);
}

static void test_formats(void **state)
{
	const struct cfg_vm *vm = cfg.vms;
	struct cfg_file files[CFG_MAX_FILES];

	(void)state;
	check_good_file("formats.conf");
	assert_int_equal(vm[0].format, FORMAT_GUESS);
	assert_int_equal(vm[0].n_modules, 2);
	assert_string_equal(vm[0].modules[0].path, "images/a.bin");
	assert_string_equal(vm[0].modules[0].text, "images/a.bin  with words");
	assert_string_equal(vm[0].modules[1].text, "images/b.bin");
	assert_int_equal(vm[1].format, FORMAT_MULTIBOOT);
	assert_int_equal(vm[2].format, FORMAT_LINUX);
	assert_true(vm[3].mode == MODE_REAL16 && vm[3].load == 0x7C00 && vm[3].entry == 0x7C00);
	assert_true(vm[4].mode == MODE_PROTECTED32 && vm[4].entry == 0x200010);
	assert_true(vm[5].mode == MODE_LONG64 && vm[5].load == 0x200000);

	assert_int_equal(config_files(&vm[0], files), 3);
	assert_string_equal(files[2].path, "images/b.bin");
	assert_string_equal(files[2].key, "module");
	assert_int_equal(files[2].line, 8);
	assert_int_equal(config_files(&vm[3], files), 1);
}

/* Names that only look like those that stand for something else. */
static void test_names_near_reserved_ones(void **state)
{
	static const char *const names[] = { "lo",  "logs", "Log", "al", "all-1", "monitors",
					     "2nd", "0x",   "m-",  ".",  "_" };
	char section[96];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(section, sizeof(section),
			 "[vm %s]\ncpus = 0\nmemory = 16M\nkernel = k\n", names[i]);
		expect_good(section);
		assert_string_equal(cfg.vms[0].name, names[i]);
	}
}

/* The loader's messages begin with a key. */
static void test_line_of(void **state)
{
	const struct cfg_vm *vm = cfg.vms;

	(void)state;
	check_good_file("formats.conf");
	assert_int_equal(config_line_of(&vm[0], "memory: too small; ..."), 5);
	assert_int_equal(config_line_of(&vm[0], "module: too large"), 7);
	assert_int_equal(config_line_of(&vm[0], "cmdline: too long"), 9);
	assert_int_equal(config_line_of(&vm[0], "initrd: there is none"), 6);
	assert_int_equal(config_line_of(&vm[0], "no key"), 6);
	assert_int_equal(config_line_of(&vm[5], "entry: outside"), 46);
	assert_int_equal(config_line_of(&vm[5], "load: outside"), 47);
	assert_int_equal(config_line_of(&vm[3], "entry: outside"), 30); /* load's fault */
}

static void test_comments_and_blanks(void **state)
{
	(void)state;
	check_good_file("comments.conf");
	assert_string_equal(cfg.vms[0].name, "alpha");
	assert_string_equal(cfg.vms[0].kernel, "vm#linuz");
	assert_string_equal(cfg.vms[0].cmdline, "a=b  c=\"d e\"");
	check_good_file("crlf.conf");
	assert_string_equal(cfg.vms[0].cmdline, "quiet");
}

#define VM(cpus) "[vm a]\ncpus=" cpus "\nmemory=16M\nkernel=k\n"

static void test_cpu_limits(void **state)
{
	(void)state;
	expect_good(VM("0-63"));
	assert_int_equal(cfg.vms[0].n_cpus, 64);
	assert_int_equal(cfg.vms[0].cpus[63], 63);
	expect_good(VM("63"));
	assert_int_equal(cfg.vms[0].n_cpus, 1);
	expect_good(VM("4 - 4 , 1"));
	assert_memory_equal(cfg.vms[0].cpus, ((uint8_t[]){ 1, 4 }), 2);
}

static void test_escape_forms(void **state)
{
	(void)state;
	expect_good("[console]\nescape=^a\n" VM("0"));
	assert_int_equal(cfg.escape, 1);
	expect_good("[console]\nescape=^_\n" VM("0"));
	assert_int_equal(cfg.escape, 0x1F);
}

static void test_longest_values(void **state)
{
	char line[CFG_CMDLINE], path[CFG_PATH];

	(void)state;
	memset(line, 'q', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	snprintf(text, sizeof(text),
		 "[vm abcdefghijklmnopqrstuvwxyz01234]\ncpus=0\nmemory=512G\nkernel=%s\ncmdline=%s",
		 path, line);
	expect_good(text);
	assert_string_equal(cfg.vms[0].cmdline, line);
	assert_string_equal(cfg.vms[0].kernel, path);
	assert_int_equal(strlen(cfg.vms[0].name), CFG_NAME - 1);
}

static void test_file_size(void **state)
{
	static const char start[] = "[vm a]\ncpus=0\nmemory=16M\nkernel=k\n";
	struct mistakes list = { .expected = "f: the file is longer than 64K", .seen = false };

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, start, sizeof(start) - 1);
	assert_true(config_parse(text, CFG_MAX_FILE, &cfg, collect, &list));
	assert_int_equal(list.n, 0);
	assert_false(config_parse(text, CFG_MAX_FILE + 1, &cfg, collect, &list));
	assert_int_equal(list.n, 1);
	assert_true(list.seen);
}

static void test_empty_and_silent(void **state)
{
	struct mistakes list;

	(void)state;
	assert_false(parse("", &list));
	assert_int_equal(list.n, 1);
	assert_false(config_parse(NULL, 0, &cfg, NULL, NULL));
	assert_false(config_parse("x", 1, &cfg, NULL, NULL));
}

/* A mistake in a section's header must not be followed by others that it causes. */
static void test_no_cascade(void **state)
{
	struct mistakes list;

	(void)state;
	assert_false(parse(VM("0") "[vm a]\ncpus=0\n", &list));
	assert_int_equal(list.n, 1);
	assert_false(parse(VM("0") "[vmm b]\ncpus=0\nnonsense=1\n", &list));
	assert_int_equal(list.n, 1);
	/* A malformed value is not also a missing one. */
	assert_false(parse("[vm a]\ncpus=x\nmemory=\nkernel=k\n", &list));
	assert_int_equal(list.n, 2);
}

static void test_machine(void **state)
{
	char modules[] = "vmlinuz,initrd.gz";
	struct cfg_machine machine = { 6, MIB(1024 + 96), in_list, modules };
	struct mistakes list = { .n = 0 };

	(void)state;
	check_good_file("full.conf");
	assert_true(config_check_machine(&cfg, &machine, collect, &list));
	machine.n_cpus = 5;
	machine.memory = MIB(1024 + 96) - 1;
	modules[0] = 'w';
	assert_false(config_check_machine(&cfg, &machine, collect, &list));
	/* One CPU, the kernel of both guests, memory. */
	assert_int_equal(list.n, 4);
	/* What is unknown is not checked. */
	machine = (struct cfg_machine){ .n_cpus = 0 };
	assert_true(config_check_machine(&cfg, &machine, NULL, NULL));
}

static void test_basename(void **state)
{
	(void)state;
	assert_string_equal(config_basename("a"), "a");
	assert_string_equal(config_basename("../x/a.b"), "a.b");
	assert_string_equal(config_basename("/a/"), "");
	assert_string_equal(config_basename(""), "");
}

static void test_format_mistake(void **state)
{
	const struct cfg_mistake m = { 7, "what", "rule", "remedy" };
	const struct cfg_mistake whole = { 0, "what", "rule", "remedy" };
	char buf[64], small[8];

	(void)state;
	assert_int_equal(config_format_mistake(buf, sizeof(buf), "f.conf", &m), 28);
	assert_string_equal(buf, "f.conf:7: what; rule; remedy");
	config_format_mistake(buf, sizeof(buf), "f.conf", &whole);
	assert_string_equal(buf, "f.conf: what; rule; remedy");
	assert_int_equal(config_format_mistake(small, sizeof(small), "f.conf", &m), 7);
	assert_string_equal(small, "f.conf:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_good_files),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_names_near_reserved_ones),
		cmocka_unit_test(test_line_of),
		cmocka_unit_test(test_comments_and_blanks),
		cmocka_unit_test(test_cpu_limits),
		cmocka_unit_test(test_escape_forms),
		cmocka_unit_test(test_longest_values),
		cmocka_unit_test(test_file_size),
		cmocka_unit_test(test_empty_and_silent),
		cmocka_unit_test(test_no_cascade),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_basename),
		cmocka_unit_test(test_format_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
