/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest CPU of the Intel backend on the fake VMX, for its tests. */
#ifndef VMX_FIXTURE_H
#define VMX_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_vmx.h"
#include "pool.h"
#include "smp.h"
#include "vmx/vmx_internal.h"
#include "x86.h"

#define MEMORY KIB(256)

unsigned n_cpus = 1;

static uint8_t memory[MEMORY] ALIGNED(4096);
static struct vcpu_hw v;
static struct vm_exit e;

/* Just reset: real mode, at the reset vector. */
static inline int vmx_setup(void **state)
{
	(void)state;
	fake_vmx_reset();
	memset(memory, 0, sizeof(memory));
	pool_init((uintptr_t)memory, sizeof(memory));
	memset(&v, 0, sizeof(v));
	assert_null(vmx_caps_init());
	assert_true(vmx_backend.init());
	assert_true(vmx_backend.cpu_enable());
	assert_true(vmx_backend.vcpu_create(&v, 3));
	v.second_stage = 0x123000;
	vmx_backend.vcpu_reset(&v);
	return 0;
}

static inline void to_protected_mode(bool paging)
{
	struct vcpu_sysregs s;

	vmx_backend.get_sysregs(&v, &s);
	s.cr0 = CR0_PE | CR0_ET | CR0_NE | (paging ? CR0_PG : 0);
	s.seg[SEG_CS].base = 0;
	s.seg[SEG_CS].attr = 0xC9B;
	s.seg[SEG_CS].limit = 0xFFFFFFFF;
	vmx_backend.set_sysregs(&v, &s);
}

static inline void to_long_mode(void)
{
	struct vcpu_sysregs s;

	vmx_backend.get_sysregs(&v, &s);
	s.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	s.cr4 = CR4_PAE;
	s.efer = EFER_LME;
	s.seg[SEG_CS] = (struct segment_reg){ 0, 0xFFFFFFFF, 8, 0xA9B };
	vmx_backend.set_sysregs(&v, &s);
}

static inline enum exit_kind decode(uint64_t reason, uint64_t qualification)
{
	fake_vmcs_set(VMCS_EXIT_REASON, reason);
	fake_vmcs_set(VMCS_EXIT_QUALIFICATION, qualification);
	memset(&e, 0xAA, sizeof(e));
	vmx_decode_exit(&v, &e);
	assert_true(e.code == reason && e.info[0] == qualification);
	return e.kind;
}

static inline void inject(enum event_type type, uint8_t vector, bool has_error, uint32_t error)
{
	const struct vm_event event = { type, vector, has_error, error };

	vmx_backend.inject(&v, &event);
}

#endif
