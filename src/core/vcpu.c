/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop that a CPU with a guest CPU spends its life in. */
#include "boot_info.h"
#include "invariant.h"
#include "kstring.h"
#include "log.h"
#include "parse.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

#define SIPI_SEGMENT_SHIFT 8
#define SIPI_BASE_SHIFT 12
#define CPUID_81_EDX_RDTSCP BIT(27)

#define BREAK_AT_ENTRY 1000u
#define CR0_RESERVED_UPPER BIT(32)

void vcpu_post(struct vcpu *v, uint32_t work)
{
	/* Pairs with the acquire in take_work: what was written before is seen by the taker. */
	__atomic_fetch_or(&v->work, work, __ATOMIC_RELEASE);
	if (v->cpu != this_cpu()->index)
		smp_kick(v->cpu);
}

void vcpu_inject_exception(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error)
{
	const struct vm_event e = { EVENT_EXCEPTION, vector, has_error, error };

	backend->inject(&v->hw, &e);
}

void vcpu_inject_fault(struct vcpu *v, const struct guest_fault *f)
{
	struct vcpu_sysregs sys;

	if (f->vector == VEC_PF) {
		backend->get_sysregs(&v->hw, &sys);
		sys.cr2 = f->cr2;
		backend->set_sysregs(&v->hw, &sys);
	}
	vcpu_inject_exception(v, f->vector, f->has_error, f->error);
}

/* The x2APIC registers that can touch nothing but this CPU (SDM vol. 3, 11.12.1.2). */
void vcpu_update_apic_access(struct vcpu *v)
{
	static const struct {
		uint16_t reg;
		bool read, write;
	} passed[] = {
		{ APIC_TPR, true, true },
		{ APIC_PPR, true, false },
		{ APIC_EOI, false, true },
		{ APIC_TIMER_INITIAL, true, true },
		{ APIC_TIMER_CURRENT, true, false },
		{ APIC_TIMER_DIVIDE, true, true },
		{ APIC_SELF_IPI, false, true },
	};
	const bool x2 = vlapic_is_x2apic(&v->lapic);

	for (unsigned i = 0; i < ARRAY_SIZE(passed); i++)
		backend->allow_msr(&v->hw, MSR_X2APIC_FIRST + passed[i].reg / 16u,
				   x2 && passed[i].read, x2 && passed[i].write);
	for (uint32_t i = 0; i < LAPIC_VECTOR_WORDS; i++) {
		backend->allow_msr(&v->hw, MSR_X2APIC_FIRST + APIC_ISR / 16 + i, x2, false);
		backend->allow_msr(&v->hw, MSR_X2APIC_FIRST + APIC_IRR / 16 + i, x2, false);
	}
	/* The EOI of a level-triggered interrupt has to reach the I/O APIC. */
	for (unsigned i = 0; x2 && i < LAPIC_VECTOR_WORDS; i++)
		if (v->lapic.tmr[i])
			backend->allow_msr(&v->hw, MSR_X2APIC_FIRST + APIC_EOI / 16, false, false);
}

/* DR0 to DR3 are the guest's while it runs and are in no control block. */
static void clear_debug_registers(void)
{
	__asm__ volatile("mov %0, %%dr0\n\t"
			 "mov %0, %%dr1\n\t"
			 "mov %0, %%dr2\n\t"
			 "mov %0, %%dr3"
			 :
			 : "r"(0ULL));
}

/* After reset or INIT: SDM vol. 3, table 9-1.  `power_on` also forgets what INIT keeps. */
static void reset_vcpu(struct vcpu *v, bool power_on)
{
	struct msr_kept kept;

	apic_reset_cpu();
	lock_acquire(&v->vm->lock);
	vlapic_reset(&v->lapic, !power_on);
	lock_release(&v->vm->lock);
	if (!power_on)
		msr_save(v, &kept);
	backend->vcpu_reset(&v->hw);
	if (!power_on)
		msr_restore(v, &kept);
	msr_apply_policy(v);
	vcpu_update_apic_access(v);
	v->nmi_pending = v->window_open = false;
	if (power_on) {
		msr_power_on(v);
		fpu_reset_cpu();
		clear_debug_registers();
		if (cpuid(0x80000001, 0).edx & CPUID_81_EDX_RDTSCP)
			wrmsr(MSR_TSC_AUX, 0);
	}
}

void vcpu_power_on(struct vcpu *v)
{
	reset_vcpu(v, true);
}

static void begin_sipi(struct vcpu *v)
{
	struct vcpu_sysregs sys;

	if (v->state != VCPU_WAIT_SIPI)
		return;
	backend->get_sysregs(&v->hw, &sys);
	sys.seg[SEG_CS].selector = (uint16_t)(v->sipi_vector << SIPI_SEGMENT_SHIFT);
	sys.seg[SEG_CS].base = (uint64_t)v->sipi_vector << SIPI_BASE_SHIFT;
	backend->set_sysregs(&v->hw, &sys);
	v->hw.regs.rip = 0;
	v->state = VCPU_RUNNING;
}

static void take_regs(struct vcpu *v)
{
	v->last_regs = v->hw.regs;
	backend->get_sysregs(&v->hw, &v->last_sys);
	/* Pairs with the acquire in monitor_regs. */
	__atomic_store_n(&v->regs_taken, 1, __ATOMIC_RELEASE);
}

static void park(struct vcpu *v)
{
	take_regs(v);
	INVARIANT(v->state != VCPU_PARKED);
	v->state = VCPU_PARKED;
	apic_reset_cpu();
	vm_vcpu_parked(v);
}

static void update_uart(struct vm *vm)
{
	lock_acquire(&vm->lock);
	uart16550_update(&vm->uart);
	lock_release(&vm->lock);
}

/*
 * The boot CPU does not wait for a SIPI: it starts its firmware again (SDM
 * vol. 3, 9.4.2), which there is none of, so that is a reset of the guest.
 */
static void take_init(struct vcpu *v)
{
	if (v->index == 0) {
		vm_end_request(v->vm, END_RESET, "reset (INIT sent to its boot CPU)");
		return;
	}
	reset_vcpu(v, false);
	v->state = VCPU_WAIT_SIPI;
}

static void take_work(struct vcpu *v)
{
	/* Pairs with the release in vcpu_post. */
	const uint32_t work = __atomic_exchange_n(&v->work, 0, __ATOMIC_ACQUIRE);

	if (work & WORK_START)
		vm_start_here(v);
	if (work & WORK_JOIN) {
		reset_vcpu(v, true);
		v->state = VCPU_WAIT_SIPI;
	}
	if (v->state == VCPU_PARKED) {
		if (work & WORK_CONSOLE)
			vm_flush_console(v->vm);
		return;
	}
	/* After START and JOIN: an end may come before this CPU has taken its join. */
	if (work & WORK_END) {
		park(v);
		return;
	}
	/*
	 * INIT before SIPI: taken together they are the start-up protocol.  A
	 * guest that sends them the other way round gets the same.
	 */
	if (work & WORK_INIT)
		take_init(v);
	if (work & WORK_SIPI)
		begin_sipi(v);
	if (work & WORK_NMI && v->state == VCPU_RUNNING)
		v->nmi_pending = true;
	if (work & WORK_REGS)
		take_regs(v);
	if (work & WORK_LEVEL)
		vcpu_update_apic_access(v);
	if (work & WORK_CONSOLE)
		update_uart(v->vm);
	if (work & WORK_TIMER)
		vtimer_run(v->vm);
}

/* False: no other waits behind the one that went in. */
static bool inject_extint(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct vm_event e = { .type = EVENT_EXTINT };
	bool wanted;

	lock_acquire(&vm->lock);
	wanted = vm->pic.out_level;
	if (wanted)
		e.vector = pic_acknowledge(&vm->pic);
	lock_release(&vm->lock);
	if (wanted)
		backend->inject(&v->hw, &e);
	return vm->pic.out_level;
}

/* An ExtINT goes in when the CPU can take it; else the CPU says when it can. */
static void deliver_extint(struct vcpu *v)
{
	struct vm *vm = v->vm;
	bool wanted;

	/* Written under the lock by any CPU of the guest; a change comes with WORK_EXTINT. */
	wanted = __atomic_load_n(&vm->pic.out_level, __ATOMIC_RELAXED) && v->index == 0 &&
		 (vlapic_takes_extint(&v->lapic) || vioapic_passes_extint(&vm->ioapic));
	if (wanted && backend->can_take_extint(&v->hw))
		wanted = inject_extint(v);
	if (wanted != v->window_open) {
		v->window_open = wanted;
		backend->want_window(&v->hw, wanted);
	}
}

static void deliver_events(struct vcpu *v)
{
	static const struct vm_event nmi = { .type = EVENT_NMI, .vector = VEC_NMI };

	if (v->nmi_pending && backend->can_take_nmi(&v->hw)) {
		v->nmi_pending = false;
		backend->inject(&v->hw, &nmi);
	} else if (v->nmi_pending) {
		backend->want_nmi_window(&v->hw);
	}
	deliver_extint(v);
}

static bool nothing_came(const struct vcpu *v)
{
	return !__atomic_load_n(&v->work, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&this_cpu()->nmi_count, __ATOMIC_RELAXED) == v->seen_nmis;
}

/* An exit costs from the moment the guest was left to the moment it is entered again. */
static void close_account(struct vcpu *v)
{
	if (!v->open_tsc)
		return;
	v->cycles[v->open_exit] += rdtsc() - v->open_tsc;
	v->open_tsc = 0;
}

static void open_account(struct vcpu *v, const struct vm_exit *exit)
{
	v->exits[exit->kind]++;
	v->open_exit = exit->kind;
	v->open_tsc = exit->tsc;
}

/* Everything that came in without the guest's doing: kicks and the physical UART. */
static void serve(struct vcpu *v)
{
	const uint64_t nmis = __atomic_load_n(&this_cpu()->nmi_count, __ATOMIC_RELAXED);

	/* Relaxed: take_work's exchange is the acquire. */
	if (__atomic_load_n(&v->work, __ATOMIC_RELAXED))
		take_work(v);
	/* After the work: what that logged is shown now and not at some later exit. */
	if (nmis != v->seen_nmis || console_has_work()) {
		v->seen_nmis = nmis;
		vtimer_poll();
		console_poll();
	}
	machine_serve();
}

/* Does the command line say break-entry= with this guest's name?  Debug builds only. */
static bool is_to_be_broken(const struct vcpu *v)
{
	char name[CFG_NAME];

	return BULKHEAD_DEBUG && v->index == 0 &&
	       cmdline_option(boot_info.cmdline, "break-entry", name, sizeof(name)) &&
	       strcmp(name, v->vm->cfg->name) == 0;
}

/* A state that no CPU enters: it shows what an entry that fails does to one guest, and to others. */
static void break_state(struct vcpu *v)
{
	struct vcpu_sysregs sys;

	log_warn("guest %s: its state is broken now (break-entry=)", v->vm->cfg->name);
	backend->get_sysregs(&v->hw, &sys);
	sys.cr0 |= CR0_RESERVED_UPPER;
	backend->set_sysregs(&v->hw, &sys);
}

/* False: something came that has to be served first. */
static bool run_guest(struct vcpu *v, struct vm_exit *exit)
{
	/*
	 * From here to the entry NMIs are held; one that comes ends the guest
	 * at once.  So work that is posted after this look is not missed.
	 */
	backend->entry_begin();
	v->hw.entry_nmis = v->seen_nmis;
	if (!nothing_came(v)) {
		backend->entry_cancel();
		return false;
	}
	close_account(v);
	backend->run(&v->hw, exit);
	open_account(v, exit);
	return true;
}

/*
 * CPUID touches no device and logs nothing: behind it there is nothing to serve
 * but what came from outside, and that comes with an NMI.  Nor can it make an
 * event deliverable: where one waits, a window exit was asked for.
 */
static bool serves_nobody(const struct vm_exit *exit)
{
	return exit->kind == EXIT_CPUID;
}

static void enter_guest(struct vcpu *v)
{
	struct vm_exit exit;

	deliver_events(v);
	do {
		if (!run_guest(v, &exit))
			return;
		dispatch_exit(v, &exit);
	} while (serves_nobody(&exit));
}

void vcpu_main(struct vcpu *v)
{
	const bool to_be_broken = is_to_be_broken(v);
	unsigned entries = 0;

	INVARIANT(v->cpu == this_cpu()->index);
	for (;;) {
		serve(v);
		if (v->state == VCPU_RUNNING && !vm_is_paused(v->vm)) {
			if (to_be_broken && ++entries == BREAK_AT_ENTRY)
				break_state(v);
			enter_guest(v);
			continue;
		}
		close_account(v);
		if (!console_has_work())
			idle_wait(&v->work, v->seen_nmis);
	}
}

void idle_main(void)
{
	static const uint32_t no_work = 0;
	uint64_t seen = 0;

	for (;;) {
		const uint64_t nmis = __atomic_load_n(&this_cpu()->nmi_count, __ATOMIC_RELAXED);

		if (nmis != seen || console_has_work()) {
			seen = nmis;
			vtimer_poll();
			console_poll();
		}
		machine_serve();
		if (!console_has_work())
			idle_wait(&no_work, seen);
	}
}
