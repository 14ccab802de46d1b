/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits for CR0 and CR4 on Intel (SDM vol. 2, MOV to control registers; vol. 3, 2.5). */
#include <stdlib.h>

#include "vmx_fixture.h"

#define CR_EXIT 28
#define LENGTH 3
#define RIP 0x1000
#define LMSW (BIT(5) | BIT(4))
#define CLTS BIT(5)

/* One MOV from RBX; true when it was done, false when it was #GP. */
static bool move_to(unsigned cr, uint64_t value)
{
	v.regs.rip = RIP;
	v.regs.gpr[GPR_RBX] = value;
	fake_vmcs_set(VMCS_EXIT_INSTRUCTION_LENGTH, LENGTH);
	fake_vmcs_set(VMCS_ENTRY_INTERRUPTION, 0);
	assert_int_equal(decode(CR_EXIT, cr | (unsigned)GPR_RBX << 8), EXIT_CONTROL);
	if (v.regs.rip == RIP) {
		assert_int_equal(fake_vmcs_get(VMCS_ENTRY_INTERRUPTION) & 0x800007FF,
				 BIT(31) | 3 << 8 | VEC_GP);
		return false;
	}
	assert_int_equal(v.regs.rip, RIP + LENGTH);
	assert_int_equal(fake_vmcs_get(VMCS_ENTRY_INTERRUPTION), 0);
	return true;
}

static uint64_t guest_cr0(void)
{
	struct vcpu_sysregs s;

	vmx_backend.get_sysregs(&v, &s);
	return s.cr0;
}

static void test_owned_bits(void **state)
{
	(void)state;
	assert_true(move_to(0, CR0_PE | CR0_CD));
	assert_int_equal(guest_cr0(), CR0_PE | CR0_CD | CR0_ET);
	/* Neither caches off nor NE clear for real. */
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_CR0), CR0_PE | CR0_ET | CR0_NE);
	assert_int_equal(fake_vmcs_get(VMCS_CR0_SHADOW), CR0_PE | CR0_CD | CR0_ET);
	assert_true(move_to(0, CR0_PE | CR0_NE));
	assert_int_equal(guest_cr0(), CR0_PE | CR0_NE | CR0_ET);
}

/* Reserved bits below 32 are dropped, as the CPU does. */
static void test_reserved_bits(void **state)
{
	(void)state;
	assert_true(move_to(0, CR0_PE | 0x1FFAFFC0));
	assert_int_equal(guest_cr0(), CR0_PE | CR0_ET | (0x1FFAFFC0 & CR0_AM));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_CR0) & ~0xE005003FULL, 0);
}

/* Outside 64-bit code the upper half of the register does not count. */
static void test_operand_size(void **state)
{
	(void)state;
	assert_true(move_to(0, BIT(40) | CR0_PE));
	to_long_mode();
	assert_false(move_to(0, BIT(40) | CR0_PE | CR0_PG));
	assert_true(move_to(0, CR0_PE | CR0_PG | CR0_CD));
}

static void test_general_protection(void **state)
{
	(void)state;
	assert_false(move_to(0, CR0_PG));
	assert_false(move_to(0, CR0_NW | CR0_PE));
	assert_false(move_to(4, CR4_VMXE));
	assert_int_equal(guest_cr0(), 0x60000010);
	assert_true(move_to(0, CR0_PE | CR0_PG));
}

static void test_long_mode_begins(void **state)
{
	struct vcpu_sysregs s;

	(void)state;
	to_protected_mode(false);
	vmx_backend.write_msr(&v, MSR_EFER, EFER_LME);
	assert_false(move_to(0, CR0_PE | CR0_PG)); /* no PAE */
	fake_vmcs_set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	fake_vmcs_set(VMCS_GUEST_TR_RIGHTS, 0x83); /* a 16-bit TSS */
	assert_false(move_to(0, CR0_PE | CR0_PG));
	fake_vmcs_set(VMCS_GUEST_TR_RIGHTS, 0x8B);
	fake_vmcs_set(VMCS_GUEST_CS_RIGHTS, 0xA09B); /* CS.L */
	assert_false(move_to(0, CR0_PE | CR0_PG));
	assert_false(fake_vmcs_get(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E);
	fake_vmcs_set(VMCS_GUEST_CS_RIGHTS, 0xC09B);
	assert_true(move_to(0, CR0_PE | CR0_PG));
	vmx_backend.get_sysregs(&v, &s);
	assert_int_equal(s.efer, EFER_LME | EFER_LMA);
	assert_true(fake_vmcs_get(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E);
	fake_vmcs_set(VMCS_GUEST_RIP, v.regs.rip);
	fake_vmcs_set(VMCS_GUEST_RFLAGS, v.regs.rflags);
	fake_vmcs_set(VMCS_ENTRY_INTERRUPTION, 0);
	assert_null(vmx_broken_rule());
}

static void test_long_mode_ends(void **state)
{
	struct vcpu_sysregs s;

	(void)state;
	to_long_mode();
	assert_false(move_to(0, CR0_PE)); /* from 64-bit code */
	fake_vmcs_set(VMCS_GUEST_CS_RIGHTS, 0xC09B);
	fake_vmcs_set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE | BIT(17));
	assert_false(move_to(0, CR0_PE)); /* PCIDE */
	fake_vmcs_set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	assert_true(move_to(0, CR0_PE));
	vmx_backend.get_sysregs(&v, &s);
	assert_int_equal(s.efer, EFER_LME);
	assert_false(fake_vmcs_get(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E);
}

/* With PAE paging the page-directory-pointer entries are loaded, and checked (4.4.1). */
static void test_pdptes(void **state)
{
	uint64_t *ram = aligned_alloc(PAGE_2M, PAGE_2M);
	uint64_t root[512] ALIGNED(4096) = { 0 }, level3[512] ALIGNED(4096) = { 0 };
	uint64_t level2[512] ALIGNED(4096) = { 0 };

	(void)state;
	root[0] = (uintptr_t)level3 | 7;
	level3[0] = (uintptr_t)level2 | 7;
	level2[0] = (uintptr_t)ram | 0xB7;
	v.second_stage = (uintptr_t)root;
	to_protected_mode(false);
	fake_vmcs_set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	fake_vmcs_set(VMCS_GUEST_CR3, 0x1020 | 0x18); /* bits 3 and 4 are not of the address */
	for (unsigned i = 0; i < 4; i++)
		ram[0x1020 / 8 + i] = 0x10001 + i * 0x1000;
	ram[0x1020 / 8 + 3] = 0x1E6; /* not present: anything */
	assert_true(move_to(0, CR0_PE | CR0_PG));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_PDPTE0), 0x10001);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_PDPTE2), 0x12001);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_PDPTE3), 0x1E6);
	ram[0x1020 / 8 + 1] = 0x20003; /* present and R/W: reserved */
	assert_false(move_to(0, CR0_PE | CR0_PG | CR0_CD));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_PDPTE1), 0x11001);
	ram[0x1020 / 8 + 1] = BIT(51) | 1; /* wider than this CPU's addresses */
	vmx_caps.phys_bits = 39;
	assert_false(move_to(0, CR0_PE | CR0_PG | CR0_CD));
	ram[0x1020 / 8 + 1] = 0x20001;
	assert_true(move_to(0, CR0_PE | CR0_PG | CR0_CD));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_PDPTE1), 0x20001);
	fake_vmcs_set(VMCS_GUEST_CR3, 0xC0000000); /* a hole reads as nothing */
	assert_true(move_to(0, CR0_PE | CR0_PG));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_PDPTE1), 0);
	free(ram);
}

static void test_after_it(void **state)
{
	(void)state;
	v.regs.rflags = RFLAGS_RESERVED1 | RFLAGS_TF | RFLAGS_RF;
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_MOV_SS);
	assert_true(move_to(0, CR0_PE));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY), 0);
	assert_int_equal(v.regs.rflags, RFLAGS_RESERVED1 | RFLAGS_TF);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_PENDING_DEBUG), BIT(14)); /* the single step */
	v.regs.rip = 0xFFFFFFFE; /* 32-bit code wraps: 33 bits would fail the entry */
	v.regs.gpr[GPR_RBX] = CR0_PE | CR0_CD;
	decode(CR_EXIT, (unsigned)GPR_RBX << 8);
	assert_int_equal(v.regs.rip, 1);
}

static void test_lmsw_and_clts(void **state)
{
	(void)state;
	assert_true(move_to(0, CR0_PE | CR0_TS | CR0_MP));
	v.regs.rip = RIP;
	decode(CR_EXIT, LMSW | 4ULL << 16); /* EM; MP and TS go, PE cannot */
	assert_int_equal(guest_cr0(), CR0_PE | CR0_EM | CR0_ET);
	assert_true(move_to(0, CR0_PE | CR0_TS));
	decode(CR_EXIT, CLTS);
	assert_int_equal(guest_cr0(), CR0_PE | CR0_ET);
}

#define TEST(f) cmocka_unit_test_setup(f, vmx_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_owned_bits), TEST(test_reserved_bits), TEST(test_operand_size),
		TEST(test_general_protection), TEST(test_long_mode_begins),
		TEST(test_long_mode_ends), TEST(test_pdptes), TEST(test_after_it),
		TEST(test_lmsw_and_clts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
