/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmcs.h"

#include "insn.h"
#include "log.h"

const char *vmcs_field_name(enum vmcs_field field)
{
	static const struct {
		enum vmcs_field field;
		const char *name;
	} names[] = {
#define VMCS_NAME(name, encoding) { VMCS_##name, #name },
		VMCS_FIELDS(VMCS_NAME)
#undef VMCS_NAME
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].field == field)
			return names[i].name;
	return "?";
}

/* Of the last VMX instruction that failed; not itself by vmcs_read, which would call back. */
static unsigned long long instruction_error(void)
{
	uint64_t error;

	return insn_vmread(VMCS_INSTRUCTION_ERROR, &error) ? error : 0;
}

void vmcs_read_failed(enum vmcs_field field)
{
	log_error("hypervisor bug: VMREAD of %s (%x) fails, instruction error %llu",
		  vmcs_field_name(field), (unsigned)field, instruction_error());
}

void vmcs_write_failed(enum vmcs_field field, uint64_t value)
{
	log_error("hypervisor bug: VMWRITE of %s (%x) = %llx fails, instruction error %llu",
		  vmcs_field_name(field), (unsigned)field, (unsigned long long)value,
		  instruction_error());
}
