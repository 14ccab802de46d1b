/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot_info.h"

#include "kstring.h"

struct boot_info boot_info;

const struct boot_module *boot_find_module(const char *name)
{
	for (unsigned i = 0; i < boot_info.n_modules; i++)
		if (strcmp(boot_info.modules[i].name, name) == 0)
			return &boot_info.modules[i];
	return NULL;
}
