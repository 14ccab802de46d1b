/* SPDX-License-Identifier: BSD-2-Clause */
#include "invariant.h"

#include "log.h"
#include "x86.h"

void invariant_failed(const char *what, const char *file, unsigned line)
{
	log_error("hypervisor bug: %s does not hold at %s:%u; this CPU stops", what, file, line);
	cpu_halt_forever();
}
