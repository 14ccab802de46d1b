/* SPDX-License-Identifier: BSD-2-Clause */
/* The AMD backend's exits in the neutral form, by the codes of the APM's appendix C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

static struct vmcb vmcb;
static struct vcpu_hw v;
static struct vm_exit e;

static int setup(void **state)
{
	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	v = (struct vcpu_hw){ .control = &vmcb };
	vmcb.rip = 0x1000;
	return 0;
}

static enum exit_kind decode(uint64_t code, uint64_t info1, uint64_t info2)
{
	vmcb.exit_code = code;
	vmcb.exit_info[0] = info1;
	vmcb.exit_info[1] = info2;
	memset(&e, 0xAA, sizeof(e));
	svm_decode_exit(&v, &e);
	assert_true(e.code == code && e.info[0] == info1 && e.info[1] == info2);
	return e.kind;
}

static void test_plain_exits(void **state)
{
	static const struct {
		uint16_t code;
		enum exit_kind kind;
	} rows[] = {
		{ 0x61, EXIT_NMI },       { 0x64, EXIT_WINDOW },    { 0x6F, EXIT_RDPMC },
		{ 0x72, EXIT_CPUID },     { 0x73, EXIT_FORBIDDEN }, { 0x76, EXIT_CACHE },
		{ 0x78, EXIT_HLT },       { 0x7A, EXIT_FORBIDDEN }, { 0x7F, EXIT_SHUTDOWN },
		{ 0x80, EXIT_FORBIDDEN }, { 0x81, EXIT_HYPERCALL }, { 0x82, EXIT_FORBIDDEN },
		{ 0x83, EXIT_FORBIDDEN }, { 0x84, EXIT_FORBIDDEN }, { 0x85, EXIT_FORBIDDEN },
		{ 0x86, EXIT_FORBIDDEN }, { 0x89, EXIT_CACHE },     { 0x8A, EXIT_FORBIDDEN },
		{ 0x8B, EXIT_FORBIDDEN }, { 0x8C, EXIT_FORBIDDEN }, { 0x8D, EXIT_XSETBV },
		{ 0x8E, EXIT_FORBIDDEN }, { 0x60, EXIT_UNKNOWN },   { 0x63, EXIT_UNKNOWN },
		{ 0x00, EXIT_UNKNOWN },   { 0x3FF, EXIT_UNKNOWN },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(decode(rows[i].code, 0, 0), rows[i].kind);
}

static void test_refused_state(void **state)
{
	(void)state;
	assert_int_equal(decode(~0ULL, 0, 0), EXIT_INVALID_STATE);
	assert_int_equal(decode(0xFFFFFFFF, 0, 0), EXIT_INVALID_STATE); /* QEMU's */
}

static void test_instruction_length(void **state)
{
	(void)state;
	decode(0x72, 0, 0);
	assert_int_equal(e.insn_len, 0); /* no next-RIP: the core measures */
	vmcb.next_rip = 0x1002;
	decode(0x72, 0, 0);
	assert_int_equal(e.insn_len, 2);
	vmcb.next_rip = 0x100F;
	decode(0x72, 0, 0);
	assert_int_equal(e.insn_len, 15);
	vmcb.next_rip = 0x1010; /* no instruction is that long */
	decode(0x72, 0, 0);
	assert_int_equal(e.insn_len, 0);
	vmcb.next_rip = 0xFFF;
	decode(0x72, 0, 0);
	assert_int_equal(e.insn_len, 0);
	vmcb.rip = ~0ULL; /* over the top */
	vmcb.next_rip = 1;
	decode(0x72, 0, 0);
	assert_int_equal(e.insn_len, 2);
}

static void test_ports(void **state)
{
	(void)state;
	assert_int_equal(decode(0x7B, 0x03F80011, 0x1002), EXIT_PORT);
	assert_int_equal(e.port.port, 0x3F8);
	assert_int_equal(e.port.size, 1);
	assert_true(e.port.in);
	assert_int_equal(e.insn_len, 2);
	assert_int_equal(decode(0x7B, 0xFFFF0040, 0x1001), EXIT_PORT);
	assert_int_equal(e.port.port, 0xFFFF);
	assert_int_equal(e.port.size, 4);
	assert_false(e.port.in);
	assert_int_equal(decode(0x7B, 0x0CF9002C, 0x1002), EXIT_PORT_STRING);
	assert_int_equal(e.port.size, 2);
	assert_int_equal(decode(0x7B, 0x03F80010, 0x2000), EXIT_PORT);
	assert_int_equal(e.insn_len, 0);
}

static void test_memory(void **state)
{
	(void)state;
	assert_int_equal(decode(0x400, BIT(32) | 6, 0xFEE000B0), EXIT_MEMORY);
	assert_true(e.memory.gpa == 0xFEE000B0);
	assert_true(e.memory.write);
	assert_false(e.memory.fetch || e.memory.walk);
	decode(0x400, BIT(33) | 4, ~0ULL);
	assert_true(e.memory.gpa == ~0ULL && e.memory.walk && !e.memory.write);
	decode(0x400, BIT(32) | 0x14, 0xC0000000);
	assert_true(e.memory.fetch && !e.memory.write);
}

static void test_msrs(void **state)
{
	(void)state;
	assert_int_equal(decode(0x7C, 0, 0), EXIT_RDMSR);
	assert_int_equal(decode(0x7C, 1, 0), EXIT_WRMSR);
}

static void test_exceptions(void **state)
{
	(void)state;
	assert_int_equal(decode(0x41, 0, 0), EXIT_EXCEPTION);
	assert_int_equal(e.exception.vector, VEC_DB);
	assert_false(e.exception.has_error);
	assert_int_equal(decode(0x51, 0, 0), EXIT_EXCEPTION);
	assert_int_equal(e.exception.vector, VEC_AC);
	assert_true(e.exception.has_error);
	assert_int_equal(e.exception.error, 0);
	assert_int_equal(decode(0x5F, 0, 0), EXIT_EXCEPTION);
	assert_int_equal(e.exception.vector, 31);
}

/* IRET at the end of an NMI handler, then the single step behind it: both are ours. */
static void test_end_of_an_nmi(void **state)
{
	(void)state;
	v.nmi_blocked = true;
	vmcb.intercept_misc1 = INTERCEPT_IRET;
	assert_int_equal(decode(0x74, 0, 0), EXIT_NMI);
	assert_true(v.nmi_stepping && v.nmi_blocked);
	assert_int_equal(decode(0x41, 0, 0), EXIT_NMI);
	assert_false(v.nmi_stepping || v.nmi_blocked);
	assert_int_equal(decode(0x41, 0, 0), EXIT_EXCEPTION);
}

/* Over a shadow an NMI waits for one step, which leaves the guest's own TF alone. */
static void test_step_over_a_shadow(void **state)
{
	for (unsigned tf = 0; tf < 2; tf++) {
		setup(state);
		vmcb.int_shadow = 1;
		v.regs.rflags = tf ? RFLAGS_TF : 0;
		svm_want_nmi_window(&v);
		svm_want_nmi_window(&v); /* asked for at every entry */
		assert_true(v.regs.rflags & RFLAGS_TF);
		assert_int_equal(decode(0x41, 0, 0), EXIT_NMI);
		assert_int_equal(v.regs.rflags & RFLAGS_TF, tf ? RFLAGS_TF : 0);
		assert_false(v.nmi_stepping);
	}
	setup(state);
	v.nmi_blocked = true; /* its IRET is watched: no step */
	svm_want_nmi_window(&v);
	assert_int_equal(v.regs.rflags & RFLAGS_TF, 0);
}

/* A step would leave TF in the frame of an event: the NMI comes by a kick behind it instead. */
static void test_nmi_behind_an_event(void **state)
{
	setup(state);
	vmcb.event_inject = EVENT_VALID | 0x51;
	svm_want_nmi_window(&v);
	assert_true(v.kick_self);
	assert_int_equal(v.regs.rflags & RFLAGS_TF, 0);
}

/* An event that a nested page fault interrupted is delivered at the next entry. */
static void test_event_survives_the_exit(void **state)
{
	(void)state;
	vmcb.exit_int_info = BIT(31) | 0x51;
	decode(0x400, BIT(32), 0x1000);
	assert_true(svm_event_pending(&v));
	vmcb.exit_int_info = 0;
	decode(0x78, 0, 0);
	assert_false(svm_event_pending(&v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain_exits, setup),
		cmocka_unit_test_setup(test_refused_state, setup),
		cmocka_unit_test_setup(test_instruction_length, setup),
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_msrs, setup),
		cmocka_unit_test_setup(test_exceptions, setup),
		cmocka_unit_test_setup(test_end_of_an_nmi, setup),
		cmocka_unit_test_setup(test_step_over_a_shadow, setup),
		cmocka_unit_test_setup(test_nmi_behind_an_event, setup),
		cmocka_unit_test_setup(test_event_survives_the_exit, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
