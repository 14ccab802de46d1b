/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmcs.h"

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

static uint64_t instruction_error(void)
{
	uint64_t error = 0;

	__asm__ volatile("vmread %1, %0"
			 : "=r"(error)
			 : "r"((uint64_t)VMCS_INSTRUCTION_ERROR)
			 : "cc");
	return error;
}

uint64_t vmcs_read(enum vmcs_field field)
{
	uint64_t value = 0;
	bool failed;

	__asm__ volatile("vmread %2, %0" : "=r"(value), "=@ccbe"(failed) : "r"((uint64_t)field));
	if (failed) {
		log_error("hypervisor bug: VMREAD of %s (%x) fails, instruction error %llu",
			  vmcs_field_name(field), (unsigned)field,
			  (unsigned long long)instruction_error());
		return 0;
	}
	return value;
}

void vmcs_write(enum vmcs_field field, uint64_t value)
{
	bool failed;

	__asm__ volatile("vmwrite %1, %2"
			 : "=@ccbe"(failed)
			 : "r"(value), "r"((uint64_t)field)
			 : "memory");
	if (failed)
		log_error("hypervisor bug: VMWRITE of %s (%x) = %llx fails, instruction error %llu",
			  vmcs_field_name(field), (unsigned)field, (unsigned long long)value,
			  (unsigned long long)instruction_error());
}
