/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paravirtual clock (Linux, Documentation/virt/kvm/x86/msr.rst): where the
 * guest asks, we write once how TSC ticks become nanoseconds.  The TSC does
 * not change its rate, so nothing has to be updated, and it costs no exits.
 */
#include "kstring.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define CLOCK_ENABLE BIT(0)
#define FLAG_TSC_STABLE 1

struct pvclock_time {
	uint32_t version, pad;
	uint64_t tsc_timestamp, system_time;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad2[2];
} PACKED;

_Static_assert(sizeof(struct pvclock_time) == 32, "the layout that guests know");

struct pvclock_wall {
	uint32_t version, sec, nsec;
} PACKED;

static uint32_t mul;
static int8_t shift;
static uint64_t wall_ns_at_tsc0;

/* ns = ((ticks << shift) * mul) >> 32, with mul in the upper half of its range. */
void kvmclock_init(void)
{
	uint64_t hz = tsc_khz * 1000;

	shift = 0;
	while (hz > 2 * NS_PER_S) {
		hz >>= 1;
		shift--;
	}
	while (hz <= NS_PER_S) {
		hz <<= 1;
		shift++;
	}
	mul = (uint32_t)((NS_PER_S << 32) / hz);
	wall_ns_at_tsc0 = wall_clock_ns_at_tsc0();
}

static uint64_t ticks_to_ns(uint64_t ticks)
{
	const uint64_t shifted = shift < 0 ? ticks >> -shift : ticks << shift;

	return (uint64_t)((unsigned __int128)shifted * mul >> 32);
}

uint64_t now_ns(void)
{
	return ticks_to_ns(rdtsc());
}

uint64_t wall_ns(void)
{
	return wall_ns_at_tsc0 + now_ns();
}

/* Time counts from the guest's start, the same on all its CPUs. */
bool kvmclock_set(struct vcpu *v, uint64_t msr_value)
{
	struct pvclock_time *t = guest_ram(&v->vm->memory, msr_value & ~CLOCK_ENABLE, sizeof(*t));
	const struct pvclock_time value = {
		.version = 2, /* even: not being updated */
		.tsc_timestamp = v->vm->start_tsc,
		.mul = mul,
		.shift = shift,
		.flags = FLAG_TSC_STABLE,
	};

	if (msr_value & CLOCK_ENABLE) {
		if (!t)
			return false;
		memcpy(t, &value, sizeof(value));
	}
	v->kvm_clock = msr_value;
	return true;
}

bool kvmclock_wall_set(struct vcpu *v, uint64_t gpa)
{
	struct pvclock_wall *w = guest_ram(&v->vm->memory, gpa, sizeof(*w));
	const uint64_t ns = wall_ns_at_tsc0 + ticks_to_ns(v->vm->start_tsc);
	const struct pvclock_wall value = {
		.version = 2,
		.sec = (uint32_t)(ns / NS_PER_S),
		.nsec = (uint32_t)(ns % NS_PER_S),
	};

	if (!w)
		return false;
	memcpy(w, &value, sizeof(value));
	return true;
}
