/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A local APIC for host tests: registers that hold what was written, a record
 * of the writes, and the hardware's rule that reserved bits fault in x2APIC
 * mode, which on the real machine would end the hypervisor.
 */
#ifndef FAKE_APIC_H
#define FAKE_APIC_H

#include "smp.h"

#define FAKE_APIC_WRITES 64

struct fake_apic {
	uint32_t regs[64]; /* one for every 16 bytes of the page */
	struct {
		uint32_t reg, value;
	} writes[FAKE_APIC_WRITES]; /* the last ones, in order, until the record is full */
	unsigned n_writes, n_reads;
	uint32_t error;  /* what the next write to the ESR latches */
	unsigned kicks;  /* calls of smp_kick */
	bool x2apic; /* what apic_is_x2apic says */
};

extern struct fake_apic fake_apic;

/* The state after reset, and an empty record. */
void fake_apic_reset(void);
void fake_apic_forget_writes(void);
/* Puts a vector in service, as accepting an interrupt does. */
void fake_apic_serve(uint8_t vector);
/* The value last written to a register since the record was emptied; false: none. */
bool fake_apic_wrote(enum apic_reg reg, uint32_t *value);

#endif
