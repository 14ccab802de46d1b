/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX's capability arithmetic (SDM vol. 3, appendix A) and what is done without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_vmx.h"
#include "vmx/vmx_internal.h"

unsigned n_cpus = 1;

static int setup(void **state)
{
	(void)state;
	fake_vmx_reset();
	memset(&vmx_caps, 0, sizeof(vmx_caps));
	return 0;
}

static void test_control_arithmetic(void **state)
{
	const uint64_t msr = 0x0000003F00000016; /* may be 1 above, must be 1 below */
	uint32_t out = 0;

	(void)state;
	assert_true(vmx_control(msr, 0, 0, 0, &out));
	assert_int_equal(out, 0x16);
	assert_true(vmx_control(msr, 0x28, 0, 0, &out));
	assert_int_equal(out, 0x3E);
	assert_true(vmx_control(msr, 0, 0xC1, 0, &out)); /* wanted, as far as it goes */
	assert_int_equal(out, 0x17);
	out = 99;
	assert_false(vmx_control(msr, 0x40, 0, 0, &out)); /* required, impossible */
	assert_false(vmx_control(msr, 0, 0, 0x2, &out));  /* forbidden, always on */
	assert_int_equal(out, 99);
	assert_true(vmx_control(msr, 0, 0, 0x1, &out)); /* forbidden, off by default */
	assert_int_equal(out, 0x16);
}

static void test_haswell(void **state)
{
	(void)state;
	assert_null(vmx_caps_init());
	assert_int_equal(vmx_caps.revision, 0x10);
	assert_int_equal(vmx_caps.pin, 0x16 | BIT(3) | BIT(5));
	assert_false(vmx_caps.pin & BIT(0)); /* interrupts go to the guest */
	/* The TRUE MSR: CR3 loads and stores need not exit. */
	assert_int_equal(vmx_caps.cpu, 0x04006172U | BIT(10) | BIT(11) | BIT(25) | BIT(28) |
					       BIT(29) | BIT(31));
	assert_false(vmx_caps.cpu & (BIT(7) | BIT(15) | BIT(16))); /* nor does HLT */
	assert_int_equal(vmx_caps.cpu2, BIT(1) | BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(12));
	assert_int_equal(vmx_caps.exit & 0x3C0204, 0x3C0204);
	assert_int_equal(vmx_caps.entry & 0xC204, 0xC004); /* IA-32e mode comes later */
	assert_int_equal(vmx_caps.cr4_fixed0, 0x2000);
}

static void test_without_true_msrs(void **state)
{
	(void)state;
	fake_vmx_set_msr(0x480, 0x005A040000000010);
	/* CR3 exits are then fixed on: refused and not guessed. */
	assert_non_null(strstr(vmx_caps_init(), "primary"));
	fake_vmx_set_msr(0x482, 0xFFF9FFFE04006172);
	assert_null(vmx_caps_init());
}

static void refuses(uint32_t msr, uint64_t value, const char *word)
{
	void *state = NULL;

	setup(&state);
	fake_vmx_set_msr(msr, value);
	assert_non_null(vmx_caps_init());
	assert_non_null(strstr(vmx_caps_init(), word));
}

static void test_what_is_missing_is_said(void **state)
{
	(void)state;
	refuses(0x482, 0x7FF9FFFE0401E172, "EPT");            /* no secondary controls */
	refuses(0x48B, 0x00007CFD00000000, "EPT");            /* secondary, no EPT */
	refuses(0x48B, 0x00007C7F00000000, "unrestricted");
	refuses(0x48C, 0x00000F0106330141, "2 MiB");          /* no write-back */
	refuses(0x48C, 0x00000F0106334101, "4-level");
	refuses(0x48C, 0x00000F0106324141, "2 MiB");
	refuses(0x48D, 0x0000005F00000016, "virtual NMIs");
	refuses(0x48F, 0x000FFFFF00036DFB, "EFER");           /* exit cannot save EFER */
	refuses(0x490, 0x00003FFF000011FB, "EFER");           /* entry cannot load PAT, EFER */
}

/* Translations that could not be dropped are not tagged. */
static void test_vpid_needs_invvpid(void **state)
{
	(void)state;
	fake_vmx_set_msr(0x48C, 0x0000000006334141);
	assert_null(vmx_caps_init());
	assert_false(vmx_caps.cpu2 & CPU2_VPID);
	fake_vmx_set_msr(0x48C, 0x0000000106334141); /* INVVPID, but no type that helps */
	assert_null(vmx_caps_init());
	assert_false(vmx_caps.cpu2 & CPU2_VPID);
	fake_vmx_set_msr(0x48C, 0x0000040106334141); /* all contexts */
	assert_null(vmx_caps_init());
	assert_true(vmx_caps.cpu2 & CPU2_VPID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_control_arithmetic, setup),
		cmocka_unit_test_setup(test_haswell, setup),
		cmocka_unit_test_setup(test_without_true_msrs, setup),
		cmocka_unit_test_setup(test_what_is_missing_is_said, setup),
		cmocka_unit_test_setup(test_vpid_needs_invvpid, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
