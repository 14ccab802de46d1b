/* SPDX-License-Identifier: BSD-2-Clause */
/* From boot information to running guests, one step after the other. */
#include "boot_info.h"
#include "console_port.h"
#include "core.h"
#include "fmt.h"
#include "io.h"
#include "kstring.h"
#include "log.h"
#include "own_port.h"
#include "parse.h"
#include "partition.h"
#include "pool.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define EXIT_FAILED 0x11
#define READY_TIMEOUT_US 1000000
#define POOL_BASE_SIZE MIB(1)
#define POOL_PER_CPU KIB(64)
#define POOL_PER_VM KIB(64)
#define POOL_PER_VCPU KIB(32)
/* Page tables: one page a GiB of guest memory or of the machine's, and a few above. */
#define POOL_PER_GIB PAGE_SIZE

const struct backend *backend;

static void debug_exit(uint8_t status)
{
	char value[16];
	uint64_t port;

	if (cmdline_option(boot_info.cmdline, "debug-exit", value, sizeof(value)) &&
	    parse_number(span_of(value), 1, 0xFFFF, &port) == PARSE_OK)
		io_out8((uint16_t)port, status);
}

void core_give_up(const char *why)
{
	log_error("%s", why);
	log_error("Bulkhead stops here; no guest was started");
	debug_exit(EXIT_FAILED);
	cpu_halt_forever();
}

static void choose_backend(void)
{
	static const struct backend *const all[] = { &svm_backend, &vmx_backend };
	const char *missing = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		const char *answer = all[i]->probe();

		if (!answer) {
			backend = all[i];
			log_info("backend: %s, %s", backend->name, backend->s2()->name);
			return;
		}
		if (strcmp(answer, BACKEND_ABSENT) != 0)
			missing = answer;
	}
	core_give_up(missing ? missing
			     : "this CPU offers neither SVM nor VMX; Bulkhead needs a CPU with "
			       "hardware virtualization (in QEMU: -cpu max, or -cpu host with KVM)");
}

/* ---- the console's port --------------------------------------------------------------- */

struct console_port console_port;

void core_early_console(void)
{
	console_port_choose(&console_port, boot_info.cmdline, NULL, NULL);
	if (console_port.base)
		console_early(console_port.base, console_port.baud);
}

/* `cfg` NULL: there is no configuration that could be relied on. */
static void open_console(const struct config *cfg)
{
	if (!console_port_choose(&console_port, boot_info.cmdline, cfg, &acpi.console))
		log_warn("command line: console= is none or a port and its rate, as in "
			 "console=com1 or console=0x2f8,9600; it is passed over");
	console_init(&monitor_ops, console_port.base, console_port.baud,
		     cfg ? cfg->escape : CFG_DEFAULT_ESCAPE);
	console_set_flow(console_port.flow);
	log_info("console: port 0x%x at %u baud (%s)", console_port.base, console_port.baud,
		 console_port.said_by);
}

/* ---- configuration ------------------------------------------------------------------ */

#define MAX_MISTAKES_SHOWN 50

struct mistakes {
	const char *file;
	unsigned n;
};

static void report(void *ctx, const struct cfg_mistake *m)
{
	static char text[CFG_MISTAKE_TEXT];
	struct mistakes *seen = ctx;
	size_t len;

	if (seen->n++ >= MAX_MISTAKES_SHOWN)
		return;
	len = config_format_mistake(text, sizeof(text), seen->file, m);
	/* A log record holds less than the longest mistake. */
	for (size_t at = 0; at < len; at += LOG_TEXT - 1)
		log_error("%.*s", LOG_TEXT - 1, text + at);
}

static const struct boot_module *config_module(void)
{
	char name[CFG_PATH];
	static char text[CFG_PATH + 80];

	if (boot_info.n_modules == 0) {
		log_error("no boot module: pass a configuration as the first module, "
			  "and the images that it names");
		return NULL;
	}
	if (!cmdline_option(boot_info.cmdline, "config", name, sizeof(name)))
		return &boot_info.modules[0];
	if (boot_find_module(config_basename(name)))
		return boot_find_module(config_basename(name));
	fmt_buf(text, sizeof(text), "command line: config=%s: there is no such boot module; "
		"pass it as one, or leave config= out to take the first", name);
	log_error("%s", text);
	return NULL;
}

static bool has_module(void *ctx, const char *path)
{
	(void)ctx;
	return boot_find_module(config_basename(path)) != NULL;
}

static bool check_images(struct mistakes *seen)
{
	char error[LOG_TEXT];
	bool ok = true;

	for (unsigned i = 0; i < config.n_vms; i++) {
		const struct cfg_vm *vm = &config.vms[i];

		if (vm_check_images(vm, error, sizeof(error)))
			continue;
		/* The loader's text already has rule and remedy. */
		log_error("%s:%u: guest %s: %s", seen->file, config_line_of(vm, error),
			  vm->name, error);
		ok = false;
	}
	return ok;
}

/* Reads and checks the whole configuration; false: every mistake was reported. */
static bool read_configuration(void)
{
	const struct boot_module *m = config_module();
	struct cfg_machine machine = {
		.n_cpus = acpi.n_cpus,
		.memory = partition_free(),
		.has_module = has_module,
	};
	struct mistakes seen = { 0 };

	if (!m)
		return false;
	seen.file = m->name;
	log_info("configuration: %s", m->name);
	return config_parse((const char *)(uintptr_t)m->base, m->size, &config, report, &seen) &&
	       config_check_machine(&config, &machine, report, &seen) && check_images(&seen);
}

/* ---- memory --------------------------------------------------------------------------- */

static uint64_t pool_need(bool configured)
{
	uint64_t size = POOL_BASE_SIZE + acpi.n_cpus * POOL_PER_CPU +
			partition_top() / PAGE_1G * POOL_PER_GIB;

	for (unsigned i = 0; configured && i < config.n_vms; i++)
		size += POOL_PER_VM + config.vms[i].n_cpus * POOL_PER_VCPU +
			config.vms[i].memory / PAGE_1G * POOL_PER_GIB +
			align_up(vcon_memory(config.vms[i].console_buffer), PAGE_SIZE);
	return align_up(size, PAGE_2M);
}

static void take_pool(bool configured)
{
	const uint64_t size = pool_need(configured);
	/* The other CPUs start with a 32-bit CR3, so the tables lie below 4 GiB. */
	const uint64_t base = partition_take(size, PAGE_SIZE, GIB(4));

	if (!base)
		core_give_up("not enough memory below 4 GiB for the hypervisor itself; "
			     "give the machine more, or take a smaller console-buffer");
	pool_init(base, size);
	if (!map_all_memory())
		core_give_up("the hypervisor's memory is too small for its page tables");
	log_debug("hypervisor: image %llu KiB, pool %llu KiB at %llx",
		  (unsigned long long)(image_end - image_start) >> 10,
		  (unsigned long long)size >> 10, (unsigned long long)base);
}

/* 1 GiB aligned for a guest that can use 1 GiB pages, else 2 MiB. */
static uint64_t take_guest_memory(uint64_t size)
{
	uint64_t base = 0;

	if (size >= PAGE_1G && backend->s2()->has_1g)
		base = partition_take(size, PAGE_1G, MAP_LIMIT);
	return base ? base : partition_take(size, PAGE_2M, MAP_LIMIT);
}

static bool create_guests(void)
{
	for (unsigned i = 0; i < config.n_vms; i++) {
		const struct cfg_vm *cfg = &config.vms[i];
		const uint64_t base = take_guest_memory(cfg->memory);
		const char *error;

		if (!base) {
			log_error("%s:%u: guest %s: there is no free piece of %llu MiB in one; "
				  "a guest's memory is contiguous; take less, or give the machine more",
				  "configuration", cfg->line_memory, cfg->name,
				  (unsigned long long)(cfg->memory >> 20));
			return false;
		}
		error = vm_create(&vms[i], cfg, i, base);
		if (error)
			core_give_up(error);
	}
	return true;
}

/* ---- the other CPUs --------------------------------------------------------------------- */

static uint32_t guests_ready; /* release by the boot CPU, acquire by the others */

static void NORETURN cpu_life(void)
{
	struct vcpu *v = vcpu_of_cpu(this_cpu()->index);

	if (v)
		vcpu_main(v);
	idle_main();
}

static void enable_virtualization(void)
{
	const bool ok = backend->cpu_enable();

	if (!ok)
		log_error("CPU %u: virtualization cannot be switched on", this_cpu()->index);
	/* Pairs with the acquire in is_ready. */
	__atomic_store_n(&this_cpu()->ready, ok ? CPU_READY : CPU_UNFIT, __ATOMIC_RELEASE);
}

static void NORETURN other_cpu(void)
{
	enable_virtualization();
	/* Pairs with the release in start_guests. */
	while (!__atomic_load_n(&guests_ready, __ATOMIC_ACQUIRE))
		cpu_pause();
	cpu_life();
}

static bool is_ready(const struct cpu *c)
{
	uint32_t ready = CPU_NOT_YET;

	for (unsigned us = 0; us < READY_TIMEOUT_US && ready == CPU_NOT_YET; us += 10) {
		/* Pairs with the release in enable_virtualization. */
		ready = __atomic_load_n(&c->ready, __ATOMIC_ACQUIRE);
		if (ready == CPU_NOT_YET)
			delay_us(10);
	}
	return ready == CPU_READY;
}

static bool all_cpus_run(void)
{
	bool ok = true;

	for (unsigned i = 0; i < n_cpus; i++) {
		if (!vcpu_of_cpu(i) || (cpus[i]->online && is_ready(cpus[i])))
			continue;
		log_error("CPU %u belongs to guest %s and does not run; take another", i,
			  vcpu_of_cpu(i)->vm->cfg->name);
		ok = false;
	}
	return ok;
}

static void NORETURN monitor_only(void)
{
	log_error("no guest was started: the configuration is not right; "
		  "correct it and start again");
	console_start(true);
	idle_main();
}

static void NORETURN start_guests(void)
{
	bool any = false;

	own_ports_open();
	console_start(false);
	/* Pairs with the acquire in other_cpu: everything is set up. */
	__atomic_store_n(&guests_ready, 1, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < n_vms; i++)
		if (vms[i].cfg->start_auto)
			any |= vm_start(&vms[i]);
	if (!any)
		console_request_focus(-1);
	cpu_life();
}

void core_main(void)
{
	const char *error = acpi_init(boot_info.rsdp);
	unsigned running;
	bool configured;

	if (error)
		core_give_up(error);
	time_init();
	choose_backend();
	partition_init();
	configured = read_configuration();
	if (configured && config.log >= 0)
		log_set_level((enum log_level)config.log);
	take_pool(configured);
	apic_init_cpu();
	ioapic_init();
	alarm_init();
	kvmclock_init();
	access_init();
	cpuid_init();
	msr_init();
	if (!configured) {
		open_console(NULL);
		monitor_only();
	}
	if (!smp_create_cpus() || !backend->init())
		core_give_up("the hypervisor's memory is too small for its CPUs");
	open_console(&config);
	if (!create_guests())
		monitor_only();
	error = partition_check();
	if (error)
		core_give_up(error);
	running = smp_start_others(other_cpu);
	log_info("CPUs: %u of %u run", running, n_cpus);
	enable_virtualization();
	if (!all_cpus_run())
		core_give_up("a CPU that a guest needs cannot run it");
	start_guests();
}
