/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests whose console has a physical port of its own. */
#ifndef BULKHEAD_CORE_OWN_PORT_H
#define BULKHEAD_CORE_OWN_PORT_H

#include "types.h"

/* Opens the ports that the configuration gives to guests.  Boot CPU, before console_start. */
void own_ports_open(void);
/* Is the calling CPU the one that serves this guest's console? */
bool own_port_is_here(unsigned index);

#endif
