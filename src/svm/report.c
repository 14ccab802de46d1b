/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest state that VMRUN refused, in the log, with the rule it broke (APM
 * vol. 2, 15.5.1).
 */
#include "log.h"
#include "svm_internal.h"

#define UPPER_HALF 32
#define EFER_DEFINED \
	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME | EFER_LMSLE | EFER_FFXSR)
#define EFER_LMSLE BIT(13)
#define EFER_FFXSR BIT(14)

static bool long_mode_paging(const struct vmcb *c)
{
	return (c->efer & EFER_LME) && (c->cr0 & CR0_PG);
}

const char *svm_broken_rule(const struct vmcb *c)
{
	const uint16_t cs = c->seg[SEG_CS].attr;

	if (!(c->efer & EFER_SVME))
		return "EFER.SVME is set";
	if (c->efer & ~EFER_DEFINED)
		return "EFER has no reserved bit";
	if ((c->cr0 & CR0_NW) && !(c->cr0 & CR0_CD))
		return "CR0.NW needs CR0.CD";
	if (c->cr0 >> UPPER_HALF)
		return "CR0 bits 63:32 are 0";
	if (c->dr6 >> UPPER_HALF || c->dr7 >> UPPER_HALF)
		return "DR6 and DR7 have 32 bits";
	if (long_mode_paging(c) && !(c->cr4 & CR4_PAE))
		return "long mode needs CR4.PAE";
	if (long_mode_paging(c) && !(c->cr0 & CR0_PE))
		return "long mode needs CR0.PE";
	if (long_mode_paging(c) && (cs & SEG_ATTR_L) && (cs & SEG_ATTR_DB))
		return "CS.L and CS.D not both";
	if (!(c->intercept_misc2 & INTERCEPT_VMRUN))
		return "VMRUN is intercepted";
	if (c->asid == 0)
		return "the ASID is not 0";
	return NULL; /* reserved bits of CR3 or CR4, or the event */
}

static void report_segment(const char *name, const struct vmcb_segment *s)
{
	log_error("  %s selector %x base %llx limit %x attributes %x", name, s->selector,
		  (unsigned long long)s->base, s->limit, s->attr);
}

/* QEMU fills the VMCB with the host's state even then: a debug build looks before the entry. */
void svm_report_failure(const struct vmcb *c)
{
	const char *rule = svm_broken_rule(c);
	static const char *const names[] = { "ES", "CS", "SS", "DS", "FS", "GS" };

	log_error("VMRUN refused the guest's state");
	log_error("  broken rule: %s", rule ? rule : "none of those that Bulkhead knows");
	log_error("  CR0 %llx CR3 %llx CR4 %llx EFER %llx PAT %llx DR6 %llx DR7 %llx",
		  (unsigned long long)c->cr0, (unsigned long long)c->cr3,
		  (unsigned long long)c->cr4, (unsigned long long)c->efer,
		  (unsigned long long)c->g_pat, (unsigned long long)c->dr6,
		  (unsigned long long)c->dr7);
	log_error("  RIP %llx RSP %llx RFLAGS %llx CPL %x shadow %llx event %llx",
		  (unsigned long long)c->rip, (unsigned long long)c->rsp,
		  (unsigned long long)c->rflags, c->cpl, (unsigned long long)c->int_shadow,
		  (unsigned long long)c->event_inject);
	log_error("  intercepts %x %x %x ASID %x nested CR3 %llx", c->intercept_exceptions,
		  c->intercept_misc1, c->intercept_misc2, c->asid,
		  (unsigned long long)c->nested_cr3);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		report_segment(names[i], &c->seg[i]);
	report_segment("LDTR", &c->ldtr);
	report_segment("TR", &c->tr);
}
