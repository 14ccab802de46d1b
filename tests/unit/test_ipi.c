/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs of a guest get a message, and what the hardware is asked to send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/vm.h"
#include "fake_apic.h"
#include "x86.h"

#define CPUS 4
#define X2APIC (APIC_BASE_ADDRESS | APIC_BASE_ENABLE | APIC_BASE_X2APIC)
#define ENABLED 0x1FF

static const struct cfg_vm cfg = { .name = "test" };
static struct vm vm;
static struct vcpu all[CPUS];
static struct cpu machine[2 * CPUS];
struct cpu *cpus[SMP_MAX_CPUS];

/* By vCPU: the last vector of a physical IPI, and the work that was posted. */
static unsigned vector_of[CPUS], ipis;
static uint32_t posted[CPUS];

void apic_send_ipi(uint32_t apic_id, uint32_t low)
{
	for (unsigned i = 0; i < CPUS; i++)
		if (machine[all[i].cpu].apic_id == apic_id)
			vector_of[i] = low;
	ipis++;
	assert_int_equal(low & ~0xFFu, 0); /* fixed, edge, physical */
}

void vcpu_post(struct vcpu *v, uint32_t work)
{
	posted[v->index] |= work;
}

static void lapic_send(void *ctx, const struct apic_message *m, unsigned shorthand)
{
	ipi_send(&vm, ctx, m, shorthand);
}

static void forget(void)
{
	memset(vector_of, 0, sizeof(vector_of));
	memset(posted, 0, sizeof(posted));
	ipis = 0;
}

static int setup(void **state)
{
	(void)state;
	fake_apic_reset();
	memset(&vm, 0, sizeof(vm));
	memset(all, 0, sizeof(all));
	for (unsigned i = 0; i < 2 * CPUS; i++) {
		cpus[i] = &machine[i];
		machine[i].apic_id = 0x40 + 2 * i;
	}
	for (unsigned i = 0; i < CPUS; i++) {
		all[i].vm = &vm;
		all[i].index = all[i].lapic.id = i;
		all[i].cpu = CPUS + i;
		all[i].state = VCPU_RUNNING;
		all[i].lapic.send = lapic_send;
		all[i].lapic.ctx = &all[i];
		vlapic_reset(&all[i].lapic, false);
		all[i].lapic.svr = ENABLED;
	}
	vm.cfg = &cfg;
	vm.vcpus = all;
	vm.n_vcpus = CPUS;
	forget();
	return 0;
}

static int setup_x2apic(void **state)
{
	setup(state);
	for (unsigned i = 0; i < CPUS; i++)
		all[i].lapic.base_msr = X2APIC;
	return 0;
}

static void send(unsigned mode, uint8_t vector, uint32_t dest, unsigned shorthand)
{
	const struct apic_message m = { .delivery = (uint8_t)mode, .vector = vector, .dest = dest };

	forget();
	ipi_send(&vm, &all[1], &m, shorthand);
}

/* A bit for each vCPU that got the vector. */
static unsigned got(unsigned vector)
{
	unsigned set = 0;

	for (unsigned i = 0; i < CPUS; i++)
		set |= vector_of[i] == vector ? 1u << i : 0;
	return set;
}

static unsigned got_work(uint32_t work)
{
	unsigned set = 0;

	for (unsigned i = 0; i < CPUS; i++)
		set |= posted[i] == work ? 1u << i : 0;
	return set;
}

static void test_shorthands(void **state)
{
	(void)state;
	send(APIC_FIXED, 0x41, 2, SHORT_NONE);
	assert_int_equal(got(0x41), 0x4);
	send(APIC_FIXED, 0x41, 0xFF, SHORT_NONE);
	assert_int_equal(got(0x41), 0xF);
	send(APIC_FIXED, 0x42, 0, SHORT_SELF);
	assert_int_equal(got(0x42), 0x2);
	send(APIC_FIXED, 0x43, 0, SHORT_ALL);
	assert_int_equal(got(0x43), 0xF);
	send(APIC_FIXED, 0x44, 0, SHORT_OTHERS);
	assert_int_equal(got(0x44), 0xD);
	send(APIC_NMI, 0, 0, SHORT_OTHERS);
	assert_int_equal(got_work(WORK_NMI), 0xD);
}

/* Software-disabled, only fixed and lowest-priority interrupts are not taken (11.4.7.2). */
static void test_software_disabled(void **state)
{
	(void)state;
	all[2].lapic.svr = 0xFF;
	send(APIC_FIXED, 0x41, 0, SHORT_ALL);
	assert_int_equal(got(0x41), 0xB);
	send(APIC_NMI, 0, 2, SHORT_NONE);
	assert_int_equal(got_work(WORK_NMI), 0x4);
	send(APIC_INIT, 0, 2, SHORT_NONE);
	assert_int_equal(got_work(WORK_INIT), 0x4);
	send(APIC_STARTUP, 0x9A, 2, SHORT_NONE);
	assert_int_equal(got_work(WORK_SIPI), 0x4);
	assert_int_equal(all[2].sipi_vector, 0x9A);
}

static void test_globally_disabled_hears_nothing(void **state)
{
	static const unsigned modes[] = { APIC_FIXED, APIC_LOWEST, APIC_NMI, APIC_INIT,
					  APIC_STARTUP };

	(void)state;
	assert_true(vlapic_write_base(&all[2].lapic, APIC_BASE_ADDRESS, true));
	all[2].lapic.svr = ENABLED;
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
		for (unsigned shorthand = SHORT_NONE; shorthand <= SHORT_OTHERS; shorthand++) {
			send(modes[i], 0x41, shorthand ? 0 : 2, shorthand);
			assert_int_equal(vector_of[2] | posted[2], 0);
		}
}

static void test_no_init_to_oneself(void **state)
{
	(void)state;
	send(APIC_INIT, 0, 0, SHORT_SELF);
	send(APIC_STARTUP, 0x10, 0, SHORT_ALL);
	send(APIC_INIT, 0, 0, SHORT_ALL);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(posted[i], 0);
	send(APIC_INIT, 0, 0, SHORT_OTHERS);
	assert_int_equal(got_work(WORK_INIT), 0xD);
}

static void test_lowest_priority_goes_to_one_that_can(void **state)
{
	(void)state;
	all[0].state = VCPU_WAIT_SIPI;
	all[1].lapic.svr = 0xFF;
	send(APIC_LOWEST, 0x51, 0xFF, SHORT_NONE);
	assert_int_equal(got(0x51), 0x4);
	assert_int_equal(ipis, 1);
}

static void test_illegal_vectors(void **state)
{
	(void)state;
	send(APIC_FIXED, 0x0F, 2, SHORT_NONE);
	assert_int_equal(ipis, 0);
	assert_int_equal(all[2].lapic.esr_new, ESR_RECEIVE_ILLEGAL_VECTOR);
	/* With an error interrupt that is let through. */
	all[3].lapic.lvt[5] = 0xFE;
	send(APIC_FIXED, 0x0F, 3, SHORT_NONE);
	assert_int_equal(got(0xFE), 0x8);
	assert_int_equal(ipis, 1);
	/* Its own vector is illegal: said once, not for ever. */
	all[3].lapic.lvt[5] = 0x0E;
	send(APIC_FIXED, 0x0F, 3, SHORT_NONE);
	assert_int_equal(ipis, 0);
}

static void test_level_is_watched_for_in_x2apic_mode(void **state)
{
	const struct apic_message m = { .vector = 0x59, .level = true, .dest = 2 };
	const struct apic_message edge = { .vector = 0x59, .dest = 2 };

	(void)state;
	ipi_send(&vm, NULL, &m, SHORT_NONE);
	assert_int_equal(all[2].lapic.tmr[2], 1u << 0x59 % 32);
	assert_int_equal(posted[2], 0); /* the page's EOI always comes to us */
	setup_x2apic(state);
	ipi_send(&vm, NULL, &m, SHORT_NONE);
	assert_int_equal(got_work(WORK_LEVEL), 0x4);
	forget();
	ipi_send(&vm, NULL, &m, SHORT_NONE); /* is watched for already */
	assert_int_equal(posted[2], 0);
	assert_int_equal(got(0x59), 0x4);
	ipi_send(&vm, NULL, &edge, SHORT_NONE);
	assert_int_equal(all[2].lapic.tmr[2], 0);
}

#define TO(cpu, low) ((uint64_t)(cpu) << 32 | (low))

static void test_plain_ipi(void **state)
{
	uint64_t icr;

	(void)state;
	assert_true(ipi_send_plain(&all[1], TO(3, 0x4041)));
	assert_int_equal(got(0x41), 0x8);
	assert_true(vlapic_msr_read(&all[1].lapic, MSR_X2APIC_FIRST + APIC_ICR / 16, &icr));
	assert_true(icr == TO(3, 0x4041));
	assert_true(ipi_send_plain(&all[1], TO(1, 0x10)));
	assert_int_equal(got(0x10), 0x2);
}

static void test_what_is_no_plain_ipi(void **state)
{
	static const uint64_t others[] = {
		TO(3, 0x0F),	/* illegal vector */
		TO(4, 0x41),	/* no such CPU */
		TO(0xFFFFFFFF, 0x41),
		TO(3, 0x141),	/* lowest priority */
		TO(3, 0x400),	/* NMI */
		TO(3, 0x841),	/* logical */
		TO(3, 0x1041),	/* a reserved bit */
		TO(3, 0x8041),	/* level */
		TO(3, 0x40041), /* to itself */
		TO(3, 0xC0041), /* to all others */
		TO(3, 0x80000041),
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(ipi_send_plain(&all[1], others[i]));
	all[3].lapic.tmr[2] = 2; /* 41h came as level: the trigger mode has to change */
	assert_false(ipi_send_plain(&all[1], TO(3, 0x41)));
	all[3].lapic.tmr[2] = 0;
	all[3].state = VCPU_WAIT_SIPI;
	assert_false(ipi_send_plain(&all[1], TO(3, 0x41)));
	all[1].lapic.base_msr &= ~APIC_BASE_X2APIC;
	assert_false(ipi_send_plain(&all[1], TO(2, 0x41)));
	assert_int_equal(ipis, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_shorthands, setup),
		cmocka_unit_test_setup(test_software_disabled, setup),
		cmocka_unit_test_setup(test_globally_disabled_hears_nothing, setup),
		cmocka_unit_test_setup(test_no_init_to_oneself, setup),
		cmocka_unit_test_setup(test_lowest_priority_goes_to_one_that_can, setup),
		cmocka_unit_test_setup(test_illegal_vectors, setup),
		cmocka_unit_test_setup(test_level_is_watched_for_in_x2apic_mode, setup),
		cmocka_unit_test_setup(test_plain_ipi, setup_x2apic),
		cmocka_unit_test_setup(test_what_is_no_plain_ipi, setup_x2apic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
