/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a configuration: the parser must report or accept, and what it
 * accepts must keep what config.h promises.
 */
#include <stdlib.h>

#include "config.h"
#include "kstring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void count(void *ctx, const struct cfg_mistake *m)
{
	char line[CFG_MISTAKE_TEXT];
	unsigned *n = ctx;

	require(config_format_mistake(line, sizeof(line), "file", m) < sizeof(line) - 1);
	require(strlen(m->what) > 0 && strlen(m->rule) > 0 && strlen(m->remedy) > 0);
	(*n)++;
}

static bool has_module(void *ctx, const char *path)
{
	(void)ctx;
	return config_basename(path)[0] != 'x';
}

static void check_image(const struct cfg_vm *vm)
{
	const bool flat = vm->format == FORMAT_FLAT;

	require((vm->load != CFG_NO_ADDRESS) == flat && (vm->entry != CFG_NO_ADDRESS) == flat);
	require(!flat || (vm->load <= vm->entry && vm->entry < GIB(3)));
	require(vm->n_modules <= GUEST_MAX_MODULES);
	require(vm->n_modules == 0 || vm->format == FORMAT_GUESS ||
		vm->format == FORMAT_MULTIBOOT);
	for (unsigned i = 0; i < vm->n_modules; i++) {
		const struct cfg_module *m = &vm->modules[i];

		require(memchr(m->path, '\0', sizeof(m->path)) && m->path[0] != '\0');
		require(memchr(m->text, '\0', sizeof(m->text)));
		require(strncmp(m->text, m->path, strlen(m->path)) == 0);
	}
}

static void check_vm(const struct cfg_vm *vm, uint64_t *cpus)
{
	require(memchr(vm->name, '\0', sizeof(vm->name)) != NULL && vm->name[0] != '\0');
	require(memchr(vm->kernel, '\0', sizeof(vm->kernel)) != NULL && vm->kernel[0] != '\0');
	require(memchr(vm->initrd, '\0', sizeof(vm->initrd)) != NULL);
	require(memchr(vm->cmdline, '\0', sizeof(vm->cmdline)) != NULL);
	require(vm->n_cpus >= 1 && vm->n_cpus <= CFG_MAX_CPUS);
	for (unsigned i = 0; i < vm->n_cpus; i++) {
		require(vm->cpus[i] < CFG_MAX_CPUS);
		require(i == 0 || vm->cpus[i] > vm->cpus[i - 1]);
		require((*cpus & BIT(vm->cpus[i])) == 0);
		*cpus |= BIT(vm->cpus[i]);
	}
	check_image(vm);
	require(vm->memory >= CFG_MIN_MEMORY && vm->memory <= CFG_MAX_MEMORY);
	require(vm->memory % PAGE_2M == 0);
	require(vm->console_buffer >= CFG_MIN_BUFFER && vm->console_buffer <= CFG_MAX_BUFFER);
	require((vm->console_buffer & (vm->console_buffer - 1)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config cfg;
	const struct cfg_machine machine = { 4, GIB(4), has_module, NULL };
	unsigned mistakes = 0;
	uint64_t cpus = 0;
	bool good = config_parse((const char *)data, size, &cfg, count, &mistakes);

	require(good == (mistakes == 0));
	if (!good)
		return 0;

	require(cfg.n_vms >= 1 && cfg.n_vms <= CFG_MAX_VMS);
	require(cfg.baud != 0 && 115200 % cfg.baud == 0);
	require(cfg.escape >= 1 && cfg.escape < ' ');
	for (unsigned i = 0; i < cfg.n_vms; i++)
		check_vm(&cfg.vms[i], &cpus);
	require(config_check_machine(&cfg, &machine, count, &mistakes) == (mistakes == 0));
	return 0;
}
