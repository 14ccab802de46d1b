/* SPDX-License-Identifier: BSD-2-Clause */
/* A state that VMRUN refuses is explained (APM vol. 2, 15.5.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "log.h"
#include "smp.h"
#include "svm/svm_internal.h"

unsigned n_cpus = 1;

void svm_enter(struct vcpu_regs *regs, uint64_t vmcb_pa, uint64_t host_vmcb_pa)
{
	(void)regs;
	(void)vmcb_pa;
	(void)host_vmcb_pa;
	fail();
}

static struct vmcb c;

static void valid(void)
{
	memset(&c, 0, sizeof(c));
	c.efer = EFER_SVME | EFER_LME | EFER_LMA;
	c.cr0 = CR0_PG | CR0_PE | CR0_ET;
	c.cr4 = CR4_PAE;
	c.seg[SEG_CS].attr = 0xA9B;
	c.intercept_misc2 = INTERCEPT_VMRUN;
	c.asid = 1;
}

static void expect(const char *rule)
{
	assert_non_null(svm_broken_rule(&c));
	assert_non_null(strstr(svm_broken_rule(&c), rule));
	valid();
}

static void test_each_rule(void **state)
{
	(void)state;
	valid();
	assert_null(svm_broken_rule(&c));
	c.efer &= ~EFER_SVME;
	expect("SVME");
	c.efer |= BIT(63);
	expect("reserved");
	c.cr0 |= CR0_NW;
	expect("CR0.CD");
	c.cr0 |= BIT(32);
	expect("63:32");
	c.dr7 = BIT(32);
	expect("DR7");
	c.dr6 = BIT(32);
	expect("DR6");
	c.cr4 = 0;
	expect("PAE");
	c.cr0 &= ~CR0_PE;
	expect("CR0.PE");
	c.seg[SEG_CS].attr |= (uint16_t)SEG_ATTR_DB;
	expect("CS.D");
	c.intercept_misc2 = 0;
	expect("VMRUN");
	c.asid = 0;
	expect("ASID");
}

static void test_report(void **state)
{
	struct vcpu_hw v = { .control = &c };
	struct vm_exit e;
	struct log_record r;
	uint64_t at = log_newest(), lost = 0;
	bool rule = false, registers = false;

	(void)state;
	valid();
	c.exit_code = ~0ULL;
	c.cr0 |= BIT(32);
	svm_decode_exit(&v, &e);
	assert_int_equal(e.kind, EXIT_INVALID_STATE);
	while (log_read(&at, &r, &lost)) {
		rule |= strstr(r.text, "CR0 bits 63:32") != NULL;
		registers |= strstr(r.text, "CR0 180000011 ") != NULL;
	}
	assert_true(rule && registers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_rule),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
