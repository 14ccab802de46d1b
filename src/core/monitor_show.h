/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's output about guests; see struct console_ops. */
#ifndef CORE_MONITOR_SHOW_H
#define CORE_MONITOR_SHOW_H

#include "vconsole.h"

void monitor_list(bool machine);
bool monitor_stats(unsigned index, unsigned part, bool machine);
enum console_answer monitor_regs(unsigned index, unsigned vcpu, bool first);

#endif
