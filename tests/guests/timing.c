/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How well each timer of the PC keeps time over ten seconds, against the TSC.
 * Every line of results is
 *     counter NAME ppb D              how much slower than it should be
 *     timer NAME interrupts N ppb D late L       or      silent NAME
 * A periodic interrupt should come once every period.  D compares the earliest
 * of the last tenth with the earliest of the first tenth; L is by how many
 * tenths of a microsecond the latest was behind the earliest.  The local APIC's timer has no
 * rate that an architecture prescribes: its mean is taken for it.
 */
#include "acpi.h"
#include "apic.h"
#include "guest.h"
#include "irq.h"
#include "pic.h"
#include "pit.h"
#include "time.h"

#define SECONDS 10u
#define MAX_INTERRUPTS (SECONDS * 101)
#define FIRST_MS 1000
#define WARM_UP 4u              /* the first interrupts, not looked at */
#define BILLION 1000000000ll
#define LATE_HZ 10000000        /* what lateness is printed in: 100 ns */

#define VECTOR 0x50
#define PIT_COUNT 11932u        /* 100 Hz */
#define HZ 100u
#define RTC_HZ 64u
#define RTC_RATE 10u
#define RTC_LINE 8

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CMOS_A 10
#define CMOS_B 11
#define CMOS_C 12
#define CMOS_A_RUN 0x20
#define CMOS_B_PERIODIC 0x40
#define CMOS_B_24 0x02

#define HPET_PERIOD 0x004
#define HPET_CONFIG 0x010
#define HPET_COUNTER 0x0F0
#define HPET_TIMER 0x100
#define HPET_LINES 0x104
#define HPET_COMPARATOR 0x108
#define HPET_ENABLE 1u
#define HPET_T_ENABLE BIT(2)
#define HPET_T_PERIODIC BIT(3)
#define HPET_T_SET BIT(6)
#define HPET_T_32 BIT(8)
#define HPET_T_LINE_SHIFT 9
#define FS_A_SECOND 1000000000000000ull

#define KVM_LEAF 0x40000000u
#define KVM_SIGNATURE 0x4B4D564Bu /* "KVMK" */
#define MSR_KVM_SYSTEM_TIME 0x4B564D01u
#define KVM_CLOCK_ON 1u

/* What the hypervisor fills in (Linux, Documentation/virt/kvm/x86/msr.rst). */
struct kvm_clock {
	volatile uint32_t version, pad0;
	volatile uint64_t tsc, ns;
	volatile uint32_t mul;
	volatile int8_t shift;
	volatile uint8_t flags, pad[2];
};

static struct kvm_clock kvm_clock __attribute__((aligned(64)));
static uint64_t tsc_hz;

static uint64_t times[MAX_INTERRUPTS];
static volatile unsigned n_times;
static void (*acknowledge)(void);

/* Clocks that are only read, from the first to the last interrupt of a run. */
static struct {
	uint64_t tsc, pm, hpet;
} from, elapsed;
static uint32_t last_pm;

static void print_signed(int64_t n)
{
	if (n < 0)
		print("-");
	print_number((unsigned)(n < 0 ? -n : n));
}

static uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t high, low, quotient, rest;

	__asm__("mulq %3" : "=a"(low), "=d"(high) : "0"(a), "rm"(b));
	__asm__("divq %4" : "=a"(quotient), "=d"(rest) : "0"(low), "1"(high), "rm"(c));
	return quotient;
}

/* ((ticks << shift) * mul) >> 32 is nanoseconds. */
static uint64_t hz_of_kvmclock(void)
{
	const uint64_t hz = mul_div(BILLION, 1ull << 32, kvm_clock.mul);

	return kvm_clock.shift >= 0 ? hz >> kvm_clock.shift : hz << -kvm_clock.shift;
}

/* ---- a run: as many interrupts of one timer as come in SECONDS ---- */

static void handler(struct frame *f)
{
	(void)f;
	if (n_times < MAX_INTERRUPTS)
		times[n_times++] = rdtsc();
	if (acknowledge)
		acknowledge();
	apic_eoi();
}

static uint32_t hpet(unsigned reg)
{
	return acpi.hpet ? mmio_read(acpi.hpet + reg) : 0;
}

static void hpet_set(unsigned reg, uint32_t value)
{
	mmio_write(acpi.hpet + reg, value);
}

static void read_clocks(bool first)
{
	const uint32_t pm = pm_ticks();

	if (first) {
		elapsed.pm = 0;
		from.hpet = hpet(HPET_COUNTER);
		from.tsc = rdtsc();
	} else {
		elapsed.pm += (pm - last_pm) & 0xFFFFFF;
		elapsed.hpet = (uint32_t)(hpet(HPET_COUNTER) - from.hpet);
		elapsed.tsc = rdtsc() - from.tsc;
	}
	last_pm = pm;
}

/* False: not even one comes. */
static bool wait_for(const char *name, unsigned n)
{
	bool first = true;

	n_times = 0;
	irq_forget();
	if (!irq_wait(0, VECTOR, 1, FIRST_MS)) {
		print("silent ");
		print(name);
		print("\r\n");
		return false;
	}
	while (n_times < n) {
		/* Off between the look and the HLT: the interrupt ends that then. */
		irq_off();
		if (n_times < n)
			__asm__ volatile("sti; hlt" : : : "memory");
		read_clocks(first);
		first = false;
	}
	irq_off();
	return true;
}

/* ---- what came out ---- */

static int64_t deviation(unsigned i, uint64_t n, uint64_t span)
{
	return (int64_t)(times[i] - times[WARM_UP]) - (int64_t)mul_div(span, i - WARM_UP, n);
}

static int64_t earliest(unsigned first, unsigned end, uint64_t n, uint64_t span)
{
	int64_t least = deviation(first, n, span);

	for (unsigned i = first; i < end; i++)
		if (deviation(i, n, span) < least)
			least = deviation(i, n, span);
	return least;
}

/* n periods should take `span` ticks of the TSC. */
static void report(const char *name, uint64_t n, uint64_t span)
{
	const unsigned tenth = (n_times - WARM_UP) / 10;
	const int64_t start = earliest(WARM_UP, WARM_UP + tenth, n, span);
	const int64_t drift = earliest(n_times - tenth, n_times, n, span) - start;
	const int64_t whole = (int64_t)(times[n_times - 1] - times[WARM_UP]) / 10 * 9;
	int64_t latest = start;

	for (unsigned i = WARM_UP; i < n_times; i++)
		if (deviation(i, n, span) > latest)
			latest = deviation(i, n, span);
	print("timer ");
	print(name);
	print(" interrupts ");
	print_number(n_times);
	print(" ppb ");
	print_signed(drift * BILLION / whole);
	print(" late ");
	print_number((unsigned)mul_div((uint64_t)(latest - earliest(WARM_UP, n_times, n, span)), LATE_HZ,
				       tsc_hz));
	print("\r\n");
}

/* `ticks` of a clock with `hz` were counted. */
static void report_counter(const char *name, uint64_t ticks, uint64_t hz)
{
	const int64_t should = (int64_t)mul_div(ticks, tsc_hz, hz);

	print("counter ");
	print(name);
	print(" ppb ");
	print_signed(((int64_t)elapsed.tsc - should) * BILLION / should);
	print("\r\n");
}

/* ---- the timers ---- */

static bool run_pit(void)
{
	bool came;

	acknowledge = NULL;
	ioapic_route(acpi.gsi[0], VECTOR, (uint8_t)apic_id());
	pit_mode(0, PIT_BOTH, 2, 0);
	pit_count(0, PIT_COUNT);
	came = wait_for("pit", SECONDS * HZ);
	pit_mode(0, PIT_BOTH, 0, 0);
	ioapic_mask_all();
	return came;
}

static uint8_t cmos(uint8_t reg)
{
	out8(CMOS_INDEX, reg);
	return in8(CMOS_DATA);
}

static void cmos_set(uint8_t reg, uint8_t value)
{
	out8(CMOS_INDEX, reg);
	out8(CMOS_DATA, value);
}

static void rtc_acknowledge(void)
{
	cmos(CMOS_C);
}

static void run_rtc(void)
{
	bool came;

	acknowledge = rtc_acknowledge;
	cmos(CMOS_C);
	ioapic_route(RTC_LINE, VECTOR, (uint8_t)apic_id());
	cmos_set(CMOS_A, CMOS_A_RUN | RTC_RATE);
	cmos_set(CMOS_B, CMOS_B_24 | CMOS_B_PERIODIC);
	came = wait_for("rtc", SECONDS * RTC_HZ);
	cmos_set(CMOS_B, CMOS_B_24);
	ioapic_mask_all();
	if (came)
		report("rtc", RTC_HZ, tsc_hz);
}

static void run_hpet(void)
{
	const uint64_t period = hpet(HPET_PERIOD), ticks = FS_A_SECOND / period / HZ;
	const unsigned line = (unsigned)__builtin_ctz(hpet(HPET_LINES));
	bool came;

	acknowledge = NULL;
	ioapic_route(line, VECTOR, (uint8_t)apic_id());
	hpet_set(HPET_CONFIG, 0);
	hpet_set(HPET_COUNTER, 0);
	hpet_set(HPET_COUNTER + 4, 0);
	hpet_set(HPET_TIMER, line << HPET_T_LINE_SHIFT | HPET_T_ENABLE | HPET_T_PERIODIC |
				     HPET_T_SET | HPET_T_32);
	hpet_set(HPET_COMPARATOR, (uint32_t)ticks); /* the first moment, then the period */
	hpet_set(HPET_COMPARATOR, (uint32_t)ticks);
	hpet_set(HPET_CONFIG, HPET_ENABLE);
	came = wait_for("hpet", SECONDS * HZ);
	hpet_set(HPET_CONFIG, 0);
	hpet_set(HPET_TIMER, 0);
	ioapic_mask_all();
	/* 1000 periods, so that nothing is lost in rounding. */
	if (came)
		report("hpet", 1000, mul_div(tsc_hz, ticks * period, FS_A_SECOND / 1000));
}

/* Counts of the local APIC's timer in 10 ms. */
static uint32_t lapic_count(void)
{
	apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR);
	apic_write(APIC_INITIAL, ~0u);
	wait_us(1000000 / HZ);
	return ~0u - apic_read(APIC_CURRENT);
}

static void run_lapic(const char *name)
{
	const uint32_t count = lapic_count();
	bool came;

	acknowledge = NULL;
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
	apic_write(APIC_INITIAL, count);
	came = wait_for(name, SECONDS * HZ);
	apic_write(APIC_INITIAL, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR);
	if (came)
		report(name, n_times - 1 - WARM_UP, times[n_times - 1] - times[WARM_UP]);
}

void guest_main(void)
{
	const bool has_kvm_clock = cpuid(KVM_LEAF, 0).ebx == KVM_SIGNATURE;

	pic_setup(ICW4_8086);
	pic_mask(0xFFFF);
	apic_enable();
	apic_mask_lint0();
	ioapic_mask_all();
	irq_set(VECTOR, handler);
	if (acpi.hpet)
		hpet_set(HPET_CONFIG, HPET_ENABLE);
	if (!run_pit())
		give_up("pit", 0);
	/* The hypervisor knows the TSC's rate; in the machine itself only timers tell it. */
	if (has_kvm_clock) {
		wrmsr(MSR_KVM_SYSTEM_TIME, (uintptr_t)&kvm_clock | KVM_CLOCK_ON);
		tsc_hz = hz_of_kvmclock();
	} else {
		tsc_hz = mul_div(elapsed.tsc, PM_TIMER_HZ, elapsed.pm);
	}
	print("tsc-khz ");
	print_number((unsigned)(tsc_hz / 1000));
	print(has_kvm_clock ? " by kvmclock\r\n" : " by the PM timer\r\n");
	report_counter("pm-timer", elapsed.pm, PM_TIMER_HZ);
	if (acpi.hpet)
		report_counter("hpet", elapsed.hpet, FS_A_SECOND / hpet(HPET_PERIOD));
	report("pit", PIT_HZ, mul_div(tsc_hz, PIT_COUNT, 1));
	run_rtc();
	if (acpi.hpet)
		run_hpet();
	run_lapic("lapic");
	if (!apic_has_x2apic())
		return;
	apic_enter_x2apic();
	run_lapic("lapic-x2apic");
}
