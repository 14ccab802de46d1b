/* SPDX-License-Identifier: BSD-2-Clause */
/* An entry that failed, in the log: what the CPU says, the guest's state, the rule it broke. */
#include "log.h"
#include "vmx_internal.h"

/* The instruction errors of VMLAUNCH and VMRESUME (30.4), and reasons of late failures (26.8). */
static const char *meaning(uint64_t code)
{
	switch (code) {
	case 0: return "no current VMCS";
	case 4: return "VMLAUNCH of a VMCS that is not clear";
	case 5: return "VMRESUME of a VMCS that was not launched";
	case 7: return "invalid control field";
	case 8: return "invalid host-state field";
	case 26: return "events blocked by MOV SS";
	case ENTRY_FAILED | 33: return "invalid guest state";
	case ENTRY_FAILED | 34: return "loading of an MSR failed";
	case ENTRY_FAILED | 41: return "machine check during the entry";
	default: return "see the manual";
	}
}

static unsigned long long field(enum vmcs_field f)
{
	return vmcs_read(f);
}

static void report_controls(void)
{
	log_error("  controls pin %llx cpu %llx cpu2 %llx exit %llx entry %llx, "
		  "event %llx error %llx",
		  field(VMCS_PIN_CONTROLS), field(VMCS_CPU_CONTROLS), field(VMCS_CPU_CONTROLS2),
		  field(VMCS_EXIT_CONTROLS), field(VMCS_ENTRY_CONTROLS),
		  field(VMCS_ENTRY_INTERRUPTION), field(VMCS_ENTRY_ERROR_CODE));
}

static void report_registers(void)
{
	log_error("  CR0 %llx CR3 %llx CR4 %llx EFER %llx PAT %llx DR7 %llx", field(VMCS_GUEST_CR0),
		  field(VMCS_GUEST_CR3), field(VMCS_GUEST_CR4), field(VMCS_GUEST_EFER),
		  field(VMCS_GUEST_PAT), field(VMCS_GUEST_DR7));
	log_error("  RIP %llx RSP %llx RFLAGS %llx activity %llx interruptibility %llx "
		  "pending debug %llx",
		  field(VMCS_GUEST_RIP), field(VMCS_GUEST_RSP), field(VMCS_GUEST_RFLAGS),
		  field(VMCS_GUEST_ACTIVITY), field(VMCS_GUEST_INTERRUPTIBILITY),
		  field(VMCS_GUEST_PENDING_DEBUG));
}

static void report_segment(const char *name, unsigned i)
{
	log_error("  %s selector %llx base %llx limit %llx rights %llx", name,
		  field(vmcs_segment(VMCS_GUEST_ES_SELECTOR, i)),
		  field(vmcs_segment(VMCS_GUEST_ES_BASE, i)),
		  field(vmcs_segment(VMCS_GUEST_ES_LIMIT, i)),
		  field(vmcs_segment(VMCS_GUEST_ES_RIGHTS, i)));
}

void vmx_report_failure(const char *kind, uint64_t code)
{
	static const char *const names[SEG_COUNT] = { "ES", "CS", "SS",   "DS",
						      "FS", "GS", "LDTR", "TR" };
	const char *rule = vmx_broken_rule();

	log_error("VM entry failed: %s %llx (%s), qualification %llx", kind,
		  (unsigned long long)code, meaning(code), field(VMCS_EXIT_QUALIFICATION));
	log_error("  broken rule: %s", rule ? rule : "none of those that Bulkhead knows");
	report_controls();
	report_registers();
	for (unsigned i = 0; i < SEG_COUNT; i++)
		report_segment(names[i], i);
}
