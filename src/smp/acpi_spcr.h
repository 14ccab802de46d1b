/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BULKHEAD_SMP_ACPI_SPCR_H
#define BULKHEAD_SMP_ACPI_SPCR_H

#include "types.h"

/* A table whose checksum is right, of `length` bytes, into acpi.console. */
void acpi_parse_spcr(const void *table, uint32_t length);

#endif
