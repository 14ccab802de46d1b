/* SPDX-License-Identifier: BSD-2-Clause */
/* The first C code: a serial log, the boot information, then the core. */
#include "boot_info.h"
#include "core.h"
#include "log.h"
#include "multiboot.h"
#include "parse.h"
#include "smp.h"
#include "version.h"

void boot_main(uint32_t magic, uint32_t info, uint64_t entry_tsc);

static unsigned cpu_number(void)
{
	return this_cpu()->index;
}

static void set_log_level(void)
{
	char name[16];
	enum log_level level;

	if (!cmdline_option(boot_info.cmdline, "log", name, sizeof(name)))
		return;
	if (log_level_parse(name, span_of(name).len, &level))
		log_set_level(level);
	else
		log_warn("command line: log=%s; the levels are error, warn, info and debug; "
			 "taking info", name);
}

void boot_main(uint32_t magic, uint32_t info, uint64_t entry_tsc)
{
	const char *error;

	smp_init_boot_cpu();
	log_set_cpu_fn(cpu_number);
	boot_info.entry_tsc = entry_tsc;
	error = multiboot_parse(magic, info);
	set_log_level();
	core_early_console();
	log_info("Bulkhead " BULKHEAD_VERSION ", started by %s",
		 boot_info.loader ? boot_info.loader : "an unknown loader");
	if (error)
		core_give_up(error);
	core_main();
}
