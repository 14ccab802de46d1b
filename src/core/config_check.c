/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: guests against each other and against the machine. */
#include "config_parser.h"
#include "fmt.h"
#include "kstring.h"

const char *config_basename(const char *path)
{
	const char *name = path;

	for (const char *c = path; *c != '\0'; c++) {
		if (*c == '/')
			name = c + 1;
	}
	return name;
}

/* ---- guests against each other ---------------------------------------- */

static bool has_cpu(const struct cfg_vm *vm, unsigned cpu)
{
	for (unsigned i = 0; i < vm->n_cpus; i++) {
		if (vm->cpus[i] == cpu)
			return true;
	}
	return false;
}

static void check_shared_cpus(struct cfg_parser *p, const struct cfg_vm *a, const struct cfg_vm *b)
{
	char remedy[80];

	fmt_buf(remedy, sizeof(remedy), "take it out of one 'cpus' list (lines %u and %u)",
		a->line_cpus, b->line_cpus);
	for (unsigned i = 0; i < b->n_cpus; i++) {
		if (has_cpu(a, b->cpus[i]))
			cfg_mistake_at(&p->report, b->line_cpus, "a CPU belongs to one guest",
				       remedy, "CPU %u is given to '%s' and '%s'", b->cpus[i],
				       a->name, b->name);
	}
}

/* Two files that one module name stands for. */
static void check_image_pair(struct cfg_parser *p, const struct cfg_file *a, const struct cfg_file *b)
{
	const char *name = config_basename(a->path);
	struct cfg_quote qa, qb;
	char remedy[128];

	if (strcmp(name, config_basename(b->path)) != 0 || strcmp(a->path, b->path) == 0)
		return;
	fmt_buf(remedy, sizeof(remedy),
		"rename one of the files, or write the same path in lines %u and %u", a->line,
		b->line);
	cfg_mistake_at(&p->report, b->line,
		       "a boot module is found by the last part of its path alone", remedy,
		       "%s and %s cannot be told apart", cfg_quoted(&qa, span_of(a->path)),
		       cfg_quoted(&qb, span_of(b->path)));
}

static void check_images(struct cfg_parser *p, const struct cfg_vm *a, const struct cfg_vm *b)
{
	struct cfg_file of_a[CFG_MAX_FILES], of_b[CFG_MAX_FILES];
	unsigned na = config_files(a, of_a), nb = config_files(b, of_b);

	for (unsigned i = 0; i < na; i++) {
		for (unsigned j = 0; j < nb; j++) {
			/* Within one guest each pair is looked at once. */
			if (a != b || i < j)
				check_image_pair(p, &of_a[i], &of_b[j]);
		}
	}
}

/* The first guest with which all together ask for more than `limit`, or NULL.  *sum: what all ask for. */
static const struct cfg_vm *first_over(const struct config *cfg,
				       uint64_t (*asks_for)(const struct cfg_vm *vm),
				       uint64_t limit, uint64_t *sum)
{
	const struct cfg_vm *over = NULL;

	*sum = 0;
	for (unsigned i = 0; i < cfg->n_vms; i++) {
		*sum += asks_for(&cfg->vms[i]);
		if (*sum > limit && !over)
			over = &cfg->vms[i];
	}
	return over;
}

/* 15 times 16M at most. */
static uint64_t buffer_of(const struct cfg_vm *vm)
{
	return vm->console_buffer;
}

/* Reported once, for the first guest whose buffer is too much. */
static void check_buffers(struct cfg_parser *p)
{
	struct cfg_size_text asked, most;
	uint64_t sum;
	const struct cfg_vm *over = first_over(p->out, buffer_of, CFG_ALL_BUFFERS, &sum);
	char rule[80];

	if (!over)
		return;
	fmt_buf(rule, sizeof(rule), "the buffers of all guests have %s together",
		cfg_size(&most, CFG_ALL_BUFFERS));
	cfg_mistake_at(&p->report, over->line_buffer ? over->line_buffer : over->line, rule,
		       "give one or more guests a smaller 'console-buffer'",
		       "the console buffers are too large: %s in all", cfg_size(&asked, sum));
}

void cfg_check_guests(struct cfg_parser *p)
{
	const struct config *cfg = p->out;

	/* A header that could not be read may have been meant for one. */
	if (p->first_line[SECTION_VM] == 0 && p->first_line[SECTION_UNKNOWN] == 0)
		cfg_mistake_at(&p->report, 0, "there is at least one guest",
			       "add a section [vm NAME] with 'cpus', 'memory' and 'kernel'",
			       "no guest is defined");
	cfg_check_consoles(p);
	check_buffers(p);
	for (unsigned i = 0; i < cfg->n_vms; i++) {
		check_images(p, &cfg->vms[i], &cfg->vms[i]);
		for (unsigned j = i + 1; j < cfg->n_vms; j++) {
			check_shared_cpus(p, &cfg->vms[i], &cfg->vms[j]);
			check_images(p, &cfg->vms[i], &cfg->vms[j]);
		}
	}
}

/* ---- guests against the machine --------------------------------------- */

static void check_cpus_exist(struct cfg_reporter *r, const struct cfg_vm *vm, unsigned n_cpus)
{
	char rule[64];

	fmt_buf(rule, sizeof(rule), "the last CPU of this machine is number %u", n_cpus - 1);
	for (unsigned i = 0; i < vm->n_cpus; i++) {
		if (vm->cpus[i] >= n_cpus)
			cfg_mistake_at(r, vm->line_cpus, rule, "use the CPUs that are there",
				       "CPU %u of '%s' does not exist", vm->cpus[i], vm->name);
	}
}

/* 15 times 512G at most. */
static uint64_t memory_of(const struct cfg_vm *vm)
{
	return vm->memory;
}

/* Reported once, for the guest whose memory no longer fits. */
static void check_memory_fits(struct cfg_reporter *r, const struct config *cfg, uint64_t available)
{
	struct cfg_size_text asked, have;
	uint64_t sum;
	const struct cfg_vm *over = first_over(cfg, memory_of, available, &sum);
	char rule[80];

	if (!over)
		return;
	fmt_buf(rule, sizeof(rule), "this machine has %s for guests", cfg_size(&have, available));
	cfg_mistake_at(r, over->line_memory, rule, "give one or more guests less",
		       "memory does not fit: the guests ask for %s in all", cfg_size(&asked, sum));
}

static void check_module(struct cfg_reporter *r, const struct cfg_machine *machine,
			 const struct cfg_vm *vm, const struct cfg_file *file)
{
	struct cfg_quote q;

	if (machine->has_module(machine->ctx, file->path))
		return;
	cfg_mistake_at(r, file->line, "every file that is named is also loaded as a boot module",
		       "correct the path, or add the file", "the %s %s of '%s' is missing", file->key,
		       cfg_quoted(&q, span_of(file->path)), vm->name);
}

bool config_check_machine(const struct config *cfg, const struct cfg_machine *machine,
			  cfg_report_fn report, void *ctx)
{
	struct cfg_reporter r = { .fn = report, .ctx = ctx };

	for (unsigned i = 0; i < cfg->n_vms; i++) {
		const struct cfg_vm *vm = &cfg->vms[i];
		struct cfg_file files[CFG_MAX_FILES];
		const unsigned n = machine->has_module ? config_files(vm, files) : 0;

		if (machine->n_cpus != 0)
			check_cpus_exist(&r, vm, machine->n_cpus);
		for (unsigned j = 0; j < n; j++)
			check_module(&r, machine, vm, &files[j]);
	}
	if (machine->memory != 0)
		check_memory_fits(&r, cfg, machine->memory);
	return !r.any;
}
