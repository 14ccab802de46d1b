/* SPDX-License-Identifier: BSD-2-Clause */
/* An entry that fails is explained: the rule of SDM vol. 3, 26.3.1, and the state, in the log. */
#include "log.h"
#include "vmx_fixture.h"

static void ready(void)
{
	fake_vmcs_set(VMCS_GUEST_RIP, 0x1000);
	fake_vmcs_set(VMCS_GUEST_RFLAGS, RFLAGS_RESERVED1);
}

enum mode { REAL, PROTECTED, LONG };

static void prepare(enum mode mode)
{
	void *state = NULL;

	vmx_setup(&state);
	if (mode == PROTECTED)
		to_protected_mode(true);
	if (mode == LONG)
		to_long_mode();
	ready();
	vmx_caps.phys_bits = 39;
	assert_null(vmx_broken_rule());
}

static void test_each_rule(void **state)
{
	static const struct {
		enum mode mode;
		enum vmcs_field field;
		uint64_t value;
		const char *rule;
	} rows[] = {
		{ REAL, VMCS_ENTRY_INTERRUPTION, 0x80000B0D, "no error code" },
		{ REAL, VMCS_GUEST_CR0, BIT(32) | 0x30, "CR0 bits" },
		{ REAL, VMCS_GUEST_CR0, 0x10, "CR0_FIXED" },
		{ REAL, VMCS_GUEST_CR0, CR0_PG | 0x30, "CR0.PE" },
		{ REAL, VMCS_GUEST_CR4, 0, "CR4_FIXED" },
		{ REAL, VMCS_GUEST_CR4, BIT(13) | BIT(15), "CR4_FIXED" },
		{ REAL, VMCS_GUEST_CR4, BIT(13) | BIT(17), "PCIDE" },
		{ LONG, VMCS_GUEST_CR4, BIT(13), "CR4.PAE" },
		{ REAL, VMCS_GUEST_CR3, BIT(39), "CR3" },
		{ REAL, VMCS_GUEST_DR7, BIT(32), "DR7" },
		{ REAL, VMCS_GUEST_EFER, BIT(1), "EFER has no" },
		{ REAL, VMCS_GUEST_EFER, EFER_LMA, "EFER.LMA" },
		{ PROTECTED, VMCS_GUEST_EFER, EFER_LME, "EFER.LMA" },
		{ LONG, VMCS_ENTRY_CONTROLS, 0xC004, "EFER.LMA" },
		{ REAL, VMCS_GUEST_PAT, 2, "PAT" },
		{ REAL, VMCS_GUEST_CS_RIGHTS, 0x1B, "CS is" },
		{ PROTECTED, VMCS_GUEST_CS_RIGHTS, 0xC0FB, "CS is" }, /* DPL 3, SS 0 */
		{ LONG, VMCS_GUEST_CS_RIGHTS, 0xE09B, "CS.L" },
		{ REAL, VMCS_GUEST_SS_RIGHTS, 0x91, "SS is" },
		{ REAL, VMCS_GUEST_DS_RIGHTS, 0x13, "DS, ES" },
		{ REAL, VMCS_GUEST_GS_RIGHTS, 0x92, "DS, ES" },
		{ REAL, VMCS_GUEST_LDTR_RIGHTS, 0x83, "LDTR" },
		{ REAL, VMCS_GUEST_TR_RIGHTS, 0x10000, "TR" },
		{ REAL, VMCS_GUEST_TR_RIGHTS, 0x89, "TR" },
		{ LONG, VMCS_GUEST_TR_RIGHTS, 0x83, "TR" },
		{ REAL, VMCS_GUEST_DS_RIGHTS, 0x8093 + 0x100, "granularity" },
		{ REAL, VMCS_GUEST_DS_LIMIT, 0x100000, "granularity" },
		{ PROTECTED, VMCS_GUEST_CS_LIMIT, 0xFFFFF0FF, "granularity" },
		{ REAL, VMCS_GUEST_SS_BASE, BIT(32), "bases" },
		{ REAL, VMCS_GUEST_GDTR_LIMIT, 0x10000, "GDTR" },
		{ PROTECTED, VMCS_GUEST_RIP, BIT(32), "RIP" },
		{ REAL, VMCS_GUEST_RFLAGS, 0, "RFLAGS bit 1" },
		{ REAL, VMCS_GUEST_RFLAGS, BIT(15) | 2, "RFLAGS bit 1" },
		{ LONG, VMCS_ENTRY_INTERRUPTION, 0x80000031, "IF" },
		{ REAL, VMCS_GUEST_ACTIVITY, 4, "activity" },
		{ REAL, VMCS_GUEST_INTERRUPTIBILITY, 3, "interruptibility" },
		{ REAL, VMCS_GUEST_INTERRUPTIBILITY, 1, "interruptibility" }, /* STI with IF clear */
		{ REAL, VMCS_GUEST_INTERRUPTIBILITY, 0x20, "interruptibility" },
		{ REAL, VMCS_VMCS_LINK_POINTER, 0, "link" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *rule;

		prepare(rows[i].mode);
		fake_vmcs_set(rows[i].field, rows[i].value);
		rule = vmx_broken_rule();
		if (!rule || !strstr(rule, rows[i].rule))
			fail_msg("row %u: %s", i, rule ? rule : "nothing");
	}
}

static void test_rules_of_two_fields(void **state)
{
	(void)state;
	prepare(PROTECTED);
	fake_vmcs_set(VMCS_GUEST_CR4, CR4_VMXE | BIT(23));
	vmx_caps.cr4_fixed1 |= BIT(23);
	assert_non_null(strstr(vmx_broken_rule(), "CET"));
	prepare(REAL);
	fake_vmcs_set(VMCS_GUEST_RFLAGS, RFLAGS_RESERVED1 | RFLAGS_TF);
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_MOV_SS);
	assert_non_null(strstr(vmx_broken_rule(), "single step"));
	fake_vmcs_set(VMCS_GUEST_PENDING_DEBUG, BIT(14));
	assert_null(vmx_broken_rule());
	prepare(REAL);
	fake_vmcs_set(VMCS_ENTRY_INTERRUPTION, 0x80000202);
	assert_null(vmx_broken_rule());
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_NMI);
	assert_non_null(strstr(vmx_broken_rule(), "an NMI"));
	prepare(LONG);
	fake_vmcs_set(VMCS_GUEST_RFLAGS, RFLAGS_RESERVED1 | RFLAGS_VM);
	assert_non_null(vmx_broken_rule());
}

/* Virtual-8086 segments are of one shape only. */
static void test_v86(void **state)
{
	(void)state;
	prepare(PROTECTED);
	fake_vmcs_set(VMCS_GUEST_RFLAGS, RFLAGS_RESERVED1 | RFLAGS_VM);
	assert_non_null(strstr(vmx_broken_rule(), "8086"));
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		fake_vmcs_set(vmcs_segment(VMCS_GUEST_ES_SELECTOR, i), 0x1234);
		fake_vmcs_set(vmcs_segment(VMCS_GUEST_ES_BASE, i), 0x12340);
		fake_vmcs_set(vmcs_segment(VMCS_GUEST_ES_LIMIT, i), 0xFFFF);
		fake_vmcs_set(vmcs_segment(VMCS_GUEST_ES_RIGHTS, i), 0xF3);
	}
	assert_null(vmx_broken_rule());
	fake_vmcs_set(VMCS_GUEST_FS_BASE, 0x12350);
	assert_non_null(strstr(vmx_broken_rule(), "8086"));
}

static bool logged(uint64_t from, const char *text)
{
	struct log_record r;
	uint64_t lost = 0;

	while (log_read(&from, &r, &lost))
		if (strstr(r.text, text))
			return r.level == LOG_ERROR;
	return false;
}

static void test_report(void **state)
{
	const uint64_t from = log_newest();

	(void)state;
	prepare(REAL);
	fake_vmcs_set(VMCS_GUEST_CR0, BIT(32) | 0x30);
	fake_vmcs_set(VMCS_GUEST_RSP, 0xABCDE);
	assert_int_equal(decode(BIT(31) | 33, 4), EXIT_INVALID_STATE);
	assert_true(logged(from, "exit reason 80000021 (invalid guest state), qualification 4"));
	assert_true(logged(from, "CR0 bits 63:32 are 0 (26.3.1.1)"));
	assert_true(logged(from, "CR0 100000030"));
	assert_true(logged(from, "RSP abcde"));
	assert_true(logged(from, "CS selector f000 base ffff0000 limit ffff rights 9b"));
	assert_true(logged(from, "TR selector 0 base 0 limit ffff rights 8b"));
}

static void test_report_of_an_early_failure(void **state)
{
	const uint64_t from = log_newest();

	(void)state;
	prepare(REAL);
	fake_vmcs_set(VMCS_INSTRUCTION_ERROR, 8);
	vmx_decode_failure(&e);
	assert_true(logged(from, "VM-instruction error 8 (invalid host-state field)"));
	assert_true(logged(from, "none of those"));
}

/* No VMCS at all: still an answer, and no end of the machine. */
static void test_no_vmcs(void **state)
{
	const uint64_t from = log_newest();

	(void)state;
	fake_vmx.current = 0;
	vmx_decode_failure(&e);
	assert_int_equal(e.kind, EXIT_INVALID_STATE);
	assert_true(logged(from, "no current VMCS"));
	assert_true(logged(from, "VMREAD of GUEST_CR0 (6800) fails"));
	vmcs_write(VMCS_GUEST_CR3, 0x77);
	assert_true(logged(from, "VMWRITE of GUEST_CR3 (6802) = 77 fails"));
}

#define TEST(f) cmocka_unit_test_setup(f, vmx_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_rule), TEST(test_rules_of_two_fields), TEST(test_v86),
		TEST(test_report), TEST(test_report_of_an_early_failure), TEST(test_no_vmcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
