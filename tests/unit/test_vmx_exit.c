/* SPDX-License-Identifier: BSD-2-Clause */
/* The Intel backend's exits in the neutral form, by the numbers of the SDM's appendix C. */
#include "vmx_fixture.h"

static void test_plain_exits(void **state)
{
	static const struct {
		uint8_t reason;
		enum exit_kind kind;
	} rows[] = {
		{ 2, EXIT_SHUTDOWN },     { 7, EXIT_WINDOW },     { 8, EXIT_NMI },
		{ 9, EXIT_TASK_SWITCH },  { 10, EXIT_CPUID },     { 11, EXIT_FORBIDDEN },
		{ 12, EXIT_HLT },         { 13, EXIT_CACHE },     { 15, EXIT_RDPMC },
		{ 18, EXIT_HYPERCALL },   { 19, EXIT_FORBIDDEN }, { 20, EXIT_FORBIDDEN },
		{ 21, EXIT_FORBIDDEN },   { 22, EXIT_FORBIDDEN }, { 23, EXIT_FORBIDDEN },
		{ 24, EXIT_FORBIDDEN },   { 25, EXIT_FORBIDDEN }, { 26, EXIT_FORBIDDEN },
		{ 27, EXIT_FORBIDDEN },   { 31, EXIT_RDMSR },     { 32, EXIT_WRMSR },
		{ 36, EXIT_FORBIDDEN },   { 39, EXIT_FORBIDDEN }, { 50, EXIT_FORBIDDEN },
		{ 53, EXIT_FORBIDDEN },   { 54, EXIT_CACHE },     { 55, EXIT_XSETBV },
		{ 59, EXIT_FORBIDDEN },   { 1, EXIT_UNKNOWN },    { 3, EXIT_UNKNOWN },
		{ 4, EXIT_UNKNOWN },      { 14, EXIT_UNKNOWN },   { 16, EXIT_UNKNOWN },
		{ 17, EXIT_UNKNOWN },     { 29, EXIT_UNKNOWN },   { 37, EXIT_UNKNOWN },
		{ 40, EXIT_UNKNOWN },     { 43, EXIT_UNKNOWN },   { 44, EXIT_UNKNOWN },
		{ 46, EXIT_UNKNOWN },     { 47, EXIT_UNKNOWN },   { 49, EXIT_UNKNOWN },
		{ 51, EXIT_UNKNOWN },     { 52, EXIT_UNKNOWN },   { 57, EXIT_UNKNOWN },
		{ 58, EXIT_UNKNOWN },     { 63, EXIT_UNKNOWN },   { 255, EXIT_UNKNOWN },
	};

	(void)state;
	fake_vmcs_set(VMCS_EXIT_INSTRUCTION_LENGTH, 3);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(decode(rows[i].reason, 0), rows[i].kind);
	decode(10, 0);
	assert_int_equal(e.insn_len, 3);
	/* Bits above the basic reason say how, not what (24.9.1). */
	assert_int_equal(decode(BIT(27) | 10, 0), EXIT_CPUID);
}

static void test_ports(void **state)
{
	(void)state;
	fake_vmcs_set(VMCS_EXIT_INSTRUCTION_LENGTH, 2);
	assert_int_equal(decode(30, 0x03F80008), EXIT_PORT);
	assert_int_equal(e.port.port, 0x3F8);
	assert_int_equal(e.port.size, 1);
	assert_true(e.port.in);
	assert_int_equal(e.insn_len, 2);
	decode(30, 0xFFFF0043);
	assert_int_equal(e.port.port, 0xFFFF);
	assert_int_equal(e.port.size, 4);
	assert_false(e.port.in);
	assert_int_equal(decode(30, 0x0CF90019), EXIT_PORT_STRING);
	assert_int_equal(e.port.size, 2);
	assert_true(e.port.in);
}

static void test_memory(void **state)
{
	(void)state;
	fake_vmcs_set(VMCS_GUEST_PHYSICAL_ADDRESS, 0xFEE000B0);
	assert_int_equal(decode(48, 0x182), EXIT_MEMORY);
	assert_true(e.memory.gpa == 0xFEE000B0 && e.memory.write);
	assert_false(e.memory.fetch || e.memory.walk);
	assert_int_equal(e.insn_len, 0);
	decode(48, 0x81); /* the guest's page table itself */
	assert_true(e.memory.walk && !e.memory.write);
	decode(48, 0x184);
	assert_true(e.memory.fetch && !e.memory.walk);
	decode(48, 0x001); /* no linear address: the load of PDPTEs */
	assert_false(e.memory.walk);
}

static void exception(unsigned vector, unsigned type, uint64_t more)
{
	fake_vmcs_set(VMCS_EXIT_INTERRUPTION, BIT(31) | more | type << 8 | vector);
}

static void test_exceptions(void **state)
{
	(void)state;
	exception(VEC_AC, 3, BIT(11));
	fake_vmcs_set(VMCS_EXIT_ERROR_CODE, 0);
	assert_int_equal(decode(0, 0), EXIT_EXCEPTION);
	assert_int_equal(e.exception.vector, VEC_AC);
	assert_true(e.exception.has_error);
	exception(VEC_MC, 3, 0);
	assert_int_equal(decode(0, 0), EXIT_EXCEPTION);
	assert_int_equal(e.exception.vector, VEC_MC);
	assert_false(e.exception.has_error);
}

static void test_nmi_is_taken_by_the_host(void **state)
{
	(void)state;
	exception(VEC_NMI, 2, 0);
	assert_int_equal(decode(0, 0), EXIT_NMI);
	assert_int_equal(fake_vmx.n_nmis_taken, 1);
}

/* 27.2.1: DR6 and DR7.GD are ours to change. */
static void test_debug_exception(void **state)
{
	(void)state;
	fake_vmx.dr6 = 0xFFFF0FF0;
	fake_vmcs_set(VMCS_GUEST_DR7, 0x2400);
	exception(VEC_DB, 3, 0);
	decode(0, ~0ULL & ~BIT(13)); /* reserved bits never reach DR6: they would be a #GP */
	assert_int_equal(fake_vmx.dr6, 0xFFFF4FFF);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_DR7), 0x2400);
	decode(0, BIT(13));
	assert_int_equal(fake_vmx.dr6, 0xFFFF6FFF);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_DR7), 0x400);
}

static void test_int1_is_behind_itself(void **state)
{
	(void)state;
	v.regs.rip = 0x1000;
	v.regs.rflags = RFLAGS_RESERVED1 | RFLAGS_TF | RFLAGS_RF;
	fake_vmcs_set(VMCS_EXIT_INSTRUCTION_LENGTH, 1);
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_MOV_SS);
	exception(VEC_DB, 5, 0);
	assert_int_equal(decode(0, 0), EXIT_EXCEPTION);
	assert_int_equal(v.regs.rip, 0x1001);
	assert_int_equal(v.regs.rflags & RFLAGS_RF, 0);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY), 0);
	exception(VEC_DB, 3, 0);
	decode(0, 1);
	assert_int_equal(v.regs.rip, 0x1001);
}

/* Else the entry that gives the guest its #DB fails: a program in a guest could end it. */
static void test_single_step_in_a_shadow(void **state)
{
	static const unsigned shadows[] = { BLOCKING_STI, BLOCKING_MOV_SS };

	for (unsigned i = 0; i < ARRAY_SIZE(shadows); i++) {
		vmx_setup(state);
		v.regs.rflags = RFLAGS_RESERVED1 | RFLAGS_TF | RFLAGS_IF;
		fake_vmcs_set(VMCS_GUEST_RFLAGS, v.regs.rflags);
		fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, shadows[i]);
		exception(VEC_DB, 3, 0);
		decode(0, BIT(14));
		inject(EVENT_EXCEPTION, VEC_DB, false, 0);
		assert_int_equal(fake_vmcs_get(VMCS_GUEST_PENDING_DEBUG), BIT(14));
		assert_null(vmx_broken_rule());
	}
	vmx_setup(state);
	v.regs.rflags = RFLAGS_RESERVED1 | RFLAGS_TF;
	exception(VEC_DB, 3, 0);
	decode(0, BIT(14));
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_PENDING_DEBUG), 0);
}

/* 27.2.3: an IRET that faulted has unblocked NMIs too early. */
static void test_nmis_blocked_again_after_iret(void **state)
{
	(void)state;
	decode(48, BIT(12) | 0x181);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY), BLOCKING_NMI);
	vmx_setup(state);
	exception(VEC_AC, 3, BIT(12) | BIT(11));
	decode(0, 0);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY), BLOCKING_NMI);
	vmx_setup(state); /* during the delivery of an event the bit means nothing */
	fake_vmcs_set(VMCS_VECTORING_INFO, BIT(31) | 0x51);
	decode(48, BIT(12) | 0x181);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY), 0);
}

static void test_windows_close(void **state)
{
	(void)state;
	vmx_backend.want_nmi_window(&v);
	assert_true(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_NMI_WINDOW);
	assert_int_equal(decode(8, 0), EXIT_NMI);
	assert_false(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_NMI_WINDOW);
	vmx_backend.want_window(&v, true);
	assert_int_equal(decode(7, 0), EXIT_WINDOW);
	/* It stays the core's to say when it has enough. */
	assert_true(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_INTERRUPT_WINDOW);
	vmx_backend.want_window(&v, false);
	assert_false(fake_vmcs_get(VMCS_CPU_CONTROLS) & CPU_INTERRUPT_WINDOW);
}

/* An event whose delivery the exit interrupted, and what of it comes again (27.2.4). */
static void test_interrupted_delivery(void **state)
{
	static const struct {
		uint64_t vectoring, again;
	} rows[] = {
		{ 0x00000051, 0 },
		{ 0x80000051, 0x80000051 },          /* external interrupt */
		{ 0x80001051, 0x80000051 },          /* bit 12 is undefined there */
		{ 0x80000202, 0x80000202 },          /* NMI */
		{ 0x80000B0E, 0x80000B0E },          /* #PF */
		{ 0x80000480, 0 },                   /* INT n: executed again */
		{ 0x80000501, 0 },                   /* INT1 */
		{ 0x80000603, 0 },                   /* INT3 */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		vmx_setup(state);
		to_protected_mode(false);
		fake_vmcs_set(VMCS_VECTORING_INFO, rows[i].vectoring);
		fake_vmcs_set(VMCS_VECTORING_ERROR_CODE, 0x77);
		fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_NMI);
		decode(48, 0x181);
		assert_int_equal(fake_vmcs_get(VMCS_ENTRY_INTERRUPTION), rows[i].again);
		assert_int_equal(vmx_backend.event_pending(&v), rows[i].again != 0);
		/* The NMI itself needs NMIs not blocked (26.3.1.5). */
		assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY),
				 rows[i].again == 0x80000202 ? 0 : BLOCKING_NMI);
		if (rows[i].again & BIT(11))
			assert_int_equal(fake_vmcs_get(VMCS_ENTRY_ERROR_CODE), 0x77);
	}
}

/* CPUID, RDMSR and WRMSR exit while no event is on its way: what the entry had was delivered. */
static void test_plain_instructions_end_the_event(void **state)
{
	static const struct vm_event nmi = { .type = EVENT_NMI, .vector = VEC_NMI };
	static const unsigned reasons[] = { 10, 31, 32 };

	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++) {
		vmx_setup(state);
		fake_vmcs_set(VMCS_EXIT_INSTRUCTION_LENGTH, 2);
		vmx_backend.inject(&v, &nmi);
		decode(reasons[i], 0);
		assert_false(vmx_backend.event_pending(&v));
		assert_int_equal(e.insn_len, 2);
		assert_true(e.code == reasons[i] && !e.info[0] && !e.info[1]);
	}
}

/* Table 27-2: who asked for the task switch; an event's is not delivered once more. */
static void test_task_switch(void **state)
{
	fake_vmcs_set(VMCS_EXIT_INSTRUCTION_LENGTH, 7);
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_NMI);
	assert_int_equal(decode(9, 0x00000030), EXIT_TASK_SWITCH);
	assert_int_equal(e.task.source, TASK_CALL);
	assert_int_equal(e.task.selector, 0x30);
	assert_int_equal(e.insn_len, 7);
	decode(9, 0x80000030);
	assert_int_equal(e.task.source, TASK_JMP);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY), BLOCKING_NMI);
	decode(9, 0x40000030); /* IRET lets NMIs in again */
	assert_int_equal(e.task.source, TASK_IRET);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY), 0);

	fake_vmcs_set(VMCS_VECTORING_INFO, 0x80000480); /* INT 80h */
	decode(9, 0xC0000030);
	assert_int_equal(e.task.source, TASK_GATE);
	assert_false(e.task.event);
	assert_int_equal(e.insn_len, 7);

	vmx_setup(state);
	to_protected_mode(false);
	fake_vmcs_set(VMCS_VECTORING_INFO, 0x80000B08);
	fake_vmcs_set(VMCS_VECTORING_ERROR_CODE, 0x77);
	decode(9, 0xC0000030);
	assert_true(e.task.event && e.task.is_exception && e.task.has_error);
	assert_int_equal(e.task.vector, VEC_DF);
	assert_int_equal(e.task.error, 0x77);
	assert_int_equal(e.insn_len, 0);
	assert_false(vmx_backend.event_pending(&v));
	assert_int_equal(fake_vmcs_get(VMCS_ENTRY_INTERRUPTION), 0);

	fake_vmcs_set(VMCS_VECTORING_INFO, 0x80000202); /* an NMI is in service now */
	decode(9, 0xC0000030);
	assert_true(e.task.event && !e.task.is_exception && !e.task.has_error);
	assert_int_equal(fake_vmcs_get(VMCS_GUEST_INTERRUPTIBILITY), BLOCKING_NMI);
}

static void test_failed_entry(void **state)
{
	(void)state;
	inject(EVENT_EXTINT, 0x51, false, 0);
	assert_int_equal(decode(BIT(31) | 33, 4), EXIT_INVALID_STATE);
	assert_int_equal(decode(BIT(31) | 34, 1), EXIT_INVALID_STATE);
	assert_int_equal(decode(BIT(31) | 41, 0), EXIT_INVALID_STATE);
	/* Nothing was delivered: the exit's fields say nothing of events. */
	assert_true(vmx_backend.event_pending(&v));
	fake_vmcs_set(VMCS_INSTRUCTION_ERROR, 7);
	vmx_decode_failure(&e);
	assert_int_equal(e.kind, EXIT_INVALID_STATE);
	assert_int_equal(e.code, 7);
}

#define TEST(f) cmocka_unit_test_setup(f, vmx_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain_exits), TEST(test_ports), TEST(test_task_switch), TEST(test_memory), TEST(test_exceptions),
		TEST(test_nmi_is_taken_by_the_host), TEST(test_debug_exception),
		TEST(test_int1_is_behind_itself), TEST(test_single_step_in_a_shadow),
		TEST(test_nmis_blocked_again_after_iret), TEST(test_windows_close),
		TEST(test_plain_instructions_end_the_event), TEST(test_interrupted_delivery), TEST(test_failed_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
