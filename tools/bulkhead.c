/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's configuration checker: the hypervisor's own parser behind a
 * command line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "config.h"
#include "kstring.h"
#include "parse.h"

#ifndef BULKHEAD_VERSION
#define BULKHEAD_VERSION "0.1.0"
#endif

enum exit_code { EXIT_GOOD = 0, EXIT_MISTAKES = 1, EXIT_USAGE = 2 };

/* The longest name of a file that this program opens. */
#define MAX_NAME 4096

struct options {
	const char *command;
	const char *file;
	struct cfg_machine machine;
	bool no_files;
};

static const char usage[] =
	"usage: bulkhead check [--cpus N] [--memory SIZE] [--no-files] FILE\n"
	"       bulkhead files FILE\n"
	"       bulkhead attach [OPTIONS] DEVICE|SOCKET   (see bulkhead attach --help)\n"
	"       bulkhead --help | --version\n"
	"\n"
	"check  reads the configuration FILE as the hypervisor would and reports every\n"
	"       mistake as FILE:LINE: WHAT; RULE; REMEDY\n"
	"         --cpus N       the machine has N CPUs\n"
	"         --memory SIZE  guests can have SIZE bytes (K, M, G) in all\n"
	"         --no-files     do not look whether the files that it names exist\n"
	"files  prints the kernels, initrds and modules that FILE names, each once, one a\n"
	"       line\n"
	"attach offers every console of a running Bulkhead at the same time\n"
	"\n"
	"Exit status: 0 good, 1 mistakes in FILE, 2 wrong usage or FILE cannot be read.\n";

static void print_mistake(void *ctx, const struct cfg_mistake *m)
{
	const struct options *opt = ctx;
	char line[MAX_NAME + CFG_MISTAKE_TEXT];

	config_format_mistake(line, sizeof(line), opt->file, m);
	fprintf(stderr, "%s\n", line);
}

/* The path of an image as seen from here: configurations name files relative to themselves. */
static bool resolve(char *out, size_t size, const char *config, const char *path)
{
	size_t folder = path[0] == '/' ? 0 : (size_t)(config_basename(config) - config);

	if (folder + strlen(path) >= size)
		return false;
	memcpy(out, config, folder);
	memcpy(out + folder, path, strlen(path) + 1);
	return true;
}

static bool file_exists(void *ctx, const char *path)
{
	const struct options *opt = ctx;
	char name[MAX_NAME];
	struct stat st;

	return resolve(name, sizeof(name), opt->file, path) && stat(name, &st) == 0 &&
	       S_ISREG(st.st_mode) && access(name, R_OK) == 0;
}

/* At most one byte more than a configuration may have, so that the parser can refuse it. */
static bool read_file(const char *name, char *buf, size_t size, size_t *len)
{
	FILE *f = fopen(name, "rb");
	bool good;

	if (!f) {
		perror(name);
		return false;
	}
	*len = fread(buf, 1, size, f);
	good = !ferror(f);
	if (!good)
		perror(name);
	fclose(f);
	return good;
}

static enum exit_code load(struct options *opt, struct config *cfg)
{
	static char text[CFG_MAX_FILE + 1];
	size_t len;

	if (!read_file(opt->file, text, sizeof(text), &len))
		return EXIT_USAGE;
	return config_parse(text, len, cfg, print_mistake, opt) ? EXIT_GOOD : EXIT_MISTAKES;
}

static void print_vm(const struct cfg_vm *vm)
{
	printf("%s: CPU%s ", vm->name, vm->n_cpus > 1 ? "s" : "");
	for (unsigned i = 0; i < vm->n_cpus; i++)
		printf("%s%u", i > 0 ? "," : "", vm->cpus[i]);
	printf(", %luM, kernel %s", (unsigned long)(vm->memory / MIB(1)), vm->kernel);
	if (vm->initrd[0] != '\0')
		printf(", initrd %s", vm->initrd);
	for (unsigned i = 0; i < vm->n_modules; i++)
		printf(", module %s", vm->modules[i].path);
	printf("\n");
}

static enum exit_code run_check(struct options *opt)
{
	static struct config cfg;
	enum exit_code code = load(opt, &cfg);

	if (code != EXIT_GOOD)
		return code;
	if (!opt->no_files) {
		opt->machine.has_module = file_exists;
		opt->machine.ctx = opt;
	}
	if (!config_check_machine(&cfg, &opt->machine, print_mistake, opt))
		return EXIT_MISTAKES;
	for (unsigned i = 0; i < cfg.n_vms; i++)
		print_vm(&cfg.vms[i]);
	return EXIT_GOOD;
}

/* Is this path among the files that were printed? */
static bool is_known(const char *const *seen, unsigned n, const char *path)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(seen[i], path) == 0)
			return true;
	}
	return false;
}

static enum exit_code run_files(struct options *opt)
{
	static struct config cfg;
	static const char *seen[CFG_MAX_VMS * CFG_MAX_FILES];
	enum exit_code code = load(opt, &cfg);
	unsigned n_seen = 0;
	char name[MAX_NAME];

	if (code != EXIT_GOOD)
		return code;
	for (unsigned i = 0; i < cfg.n_vms; i++) {
		struct cfg_file files[CFG_MAX_FILES];
		const unsigned n = config_files(&cfg.vms[i], files);

		for (unsigned j = 0; j < n; j++) {
			if (is_known(seen, n_seen, files[j].path))
				continue;
			if (!resolve(name, sizeof(name), opt->file, files[j].path)) {
				fprintf(stderr, "bulkhead: a path is too long\n");
				return EXIT_USAGE;
			}
			seen[n_seen++] = files[j].path;
			printf("%s\n", name);
		}
	}
	return EXIT_GOOD;
}

static bool wrong_usage(const char *what, const char *arg)
{
	fprintf(stderr, "bulkhead: %s '%s'\n\n%s", what, arg, usage);
	return false;
}

/* An option of `check` and, when it has one, its value.  Moves *i past the value. */
static bool parse_option(struct options *opt, int argc, char **argv, int *i)
{
	const char *name = argv[*i];
	const char *value;
	uint64_t n;

	if (strcmp(name, "--no-files") == 0) {
		opt->no_files = true;
		return true;
	}
	if (strcmp(name, "--cpus") != 0 && strcmp(name, "--memory") != 0)
		return wrong_usage("unknown option", name);
	if (*i + 1 >= argc)
		return wrong_usage("no value behind", name);

	value = argv[++*i];
	if (strcmp(name, "--cpus") == 0) {
		if (parse_number(span_of(value), 1, 4096, &n) != PARSE_OK)
			return wrong_usage("not a number of CPUs:", value);
		opt->machine.n_cpus = (unsigned)n;
		return true;
	}
	return parse_size(span_of(value), 1, UINT64_MAX, &opt->machine.memory) == PARSE_OK ||
	       wrong_usage("not a size:", value);
}

static bool parse_arguments(struct options *opt, int argc, char **argv)
{
	if (argc < 2)
		return wrong_usage("no command behind", argv[0]);
	opt->command = argv[1];
	for (int i = 2; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (strcmp(opt->command, "check") != 0)
				return wrong_usage("unknown option", argv[i]);
			if (!parse_option(opt, argc, argv, &i))
				return false;
		} else if (opt->file) {
			return wrong_usage("one file at a time, not also", argv[i]);
		} else {
			opt->file = argv[i];
		}
	}
	if (!opt->file)
		return wrong_usage("no file behind", opt->command);
	return true;
}

/* Output that could not be written (a full disk) must not look like success. */
static int finish(enum exit_code code)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("bulkhead: standard output");
		return EXIT_USAGE;
	}
	return (int)code;
}

int main(int argc, char **argv)
{
	struct options opt = { .command = NULL };

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return finish(EXIT_GOOD);
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("bulkhead " BULKHEAD_VERSION);
		return finish(EXIT_GOOD);
	}
	if (argc >= 2 && strcmp(argv[1], "attach") == 0)
		return attach_main(argc - 2, argv + 2);
	if (!parse_arguments(&opt, argc, argv))
		return EXIT_USAGE;
	if (strcmp(opt.command, "check") == 0)
		return finish(run_check(&opt));
	if (strcmp(opt.command, "files") == 0)
		return finish(run_files(&opt));
	wrong_usage("unknown command", opt.command);
	return EXIT_USAGE;
}
