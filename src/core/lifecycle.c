/* SPDX-License-Identifier: BSD-2-Clause */
/* Start, end and restart of a guest; the end of the machine. */
#include "boot_info.h"
#include "fmt.h"
#include "invariant.h"
#include "io.h"
#include "loader.h"
#include "log.h"
#include "parse.h"
#include "smp.h"
#include "vm.h"
#include "x86.h"

/* What debug-exit= gets: QEMU's isa-debug-exit ends with 2 * value + 1. */
#define EXIT_GOOD 0x10
#define EXIT_FAILED 0x11
/* How long a terminal that does not read may hold up switching off. */
#define DRAIN_LIMIT_US 5000000

#define SHORT_LIFE_MS 1000
#define MAX_SHORT_LIVES 5

enum vm_phase vm_phase(const struct vm *vm)
{
	/* Pairs with the release in set_phase. */
	return (enum vm_phase)__atomic_load_n(&vm->phase, __ATOMIC_ACQUIRE);
}

bool vm_is_ending(const struct vm *vm)
{
	/* Relaxed: a moment's picture, which is asked for again. */
	return vm_phase(vm) == VM_RUNNING && __atomic_load_n(&vm->end, __ATOMIC_RELAXED);
}

const char *vm_phase_name(const struct vm *vm)
{
	switch (vm_phase(vm)) {
	case VM_STARTING: return "starting";
	case VM_RUNNING:
		if (vm_is_ending(vm))
			return "ending";
		return vm_is_paused(vm) ? "paused" : "running";
	case VM_STOPPED:
	default: return "stopped";
	}
}

static void set_phase(struct vm *vm, enum vm_phase phase)
{
	/* Pairs with the acquire in vm_phase. */
	__atomic_store_n(&vm->phase, (uint32_t)phase, __ATOMIC_RELEASE);
}

bool vm_start(struct vm *vm)
{
	uint32_t expected = VM_STOPPED;

	/* Acquire: what the end wrote is seen; release: pairs with vm_phase. */
	if (!__atomic_compare_exchange_n(&vm->phase, &expected, VM_STARTING, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	vcpu_post(&vm->vcpus[0], WORK_START);
	return true;
}

bool vm_end_request(struct vm *vm, enum vm_end why, const char *fmt, ...)
{
	uint32_t expected = END_NONE;
	va_list ap;

	if (vm_phase(vm) != VM_RUNNING)
		return false;
	/* Acquire: pairs with the release in complete_end. */
	if (!__atomic_compare_exchange_n(&vm->end, &expected, END_CLAIMED, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	/* Again: that life may have ended between the two. */
	if (vm_phase(vm) != VM_RUNNING) {
		__atomic_store_n(&vm->end, END_NONE, __ATOMIC_RELEASE);
		return false;
	}
	va_start(ap, fmt);
	fmt_vbuf(vm->end_text, sizeof(vm->end_text), fmt, ap);
	va_end(ap);
	/* Pairs with the acquire in complete_end: the text is there. */
	__atomic_store_n(&vm->end, (uint32_t)why, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_post(&vm->vcpus[i], WORK_END);
	return true;
}

bool vm_is_paused(const struct vm *vm)
{
	/* Relaxed: carries no data; who changes it posts work, which is not missed. */
	return __atomic_load_n(&vm->paused, __ATOMIC_RELAXED);
}

/*
 * The flag, then the work: a CPU that has taken the work sees the flag
 * (release in vcpu_post, acquire in take_work), and one that has not does not
 * enter the guest and does not wait.
 */
static bool set_paused(struct vm *vm, bool paused)
{
	if (vm_phase(vm) != VM_RUNNING || vm_is_paused(vm) == paused)
		return false;
	__atomic_store_n(&vm->paused, paused, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_post(&vm->vcpus[i], WORK_PAUSE);
	return true;
}

bool vm_pause(struct vm *vm)
{
	return set_paused(vm, true);
}

bool vm_resume(struct vm *vm)
{
	return set_paused(vm, false);
}

static bool any_left(void)
{
	for (unsigned i = 0; i < n_vms; i++)
		if (vm_phase(&vms[i]) != VM_STOPPED)
			return true;
	return false;
}

static bool any_crashed(void)
{
	for (unsigned i = 0; i < n_vms; i++)
		if (vms[i].last_end == END_CRASH)
			return true;
	return false;
}

/* Set when the machine is to be switched off; the first CPU that looks does it. */
static uint32_t off_due;
/* The monitor's order: off as soon as all guests have stopped, whatever the configuration says. */
static uint32_t off_ordered;

static void all_stopped(void)
{
	/* Pairs with the exchange in machine_serve; relaxed: it carries no data. */
	if (config.on_all_stopped == ALL_STOPPED_POWEROFF ||
	    __atomic_load_n(&off_ordered, __ATOMIC_RELAXED)) {
		__atomic_store_n(&off_due, 1, __ATOMIC_RELAXED);
		return;
	}
	log_info("all guests have stopped");
	console_request_focus(-1);
}

static void stopped(struct vm *vm)
{
	vtimer_stop(vm);
	set_phase(vm, VM_STOPPED);
	/*
	 * Our phase, then the others' (and off_ordered): of two guests that end
	 * at once, at least one sees both ended.  Pairs with itself on the
	 * other CPU and with the fence in machine_order_off.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!any_left())
		all_stopped();
}

void machine_order_off(void)
{
	__atomic_store_n(&off_ordered, 1, __ATOMIC_RELAXED);
	/* The order, then the phases: see stopped(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < n_vms; i++)
		vm_end_request(&vms[i], END_ORDER_STOP, "stopped by the monitor");
	if (!any_left())
		__atomic_store_n(&off_due, 1, __ATOMIC_RELAXED);
}

static bool wants_restart(const struct vm *vm, enum vm_end why)
{
	switch (why) {
	case END_POWER_OFF: return vm->cfg->on_poweroff == ACTION_RESTART;
	case END_RESET: return vm->cfg->on_reset == ACTION_RESTART;
	case END_CRASH: return vm->cfg->on_crash == CRASH_RESTART;
	case END_ORDER_RESTART: return true;
	case END_ORDER_STOP:
	case END_NONE:
	case END_CLAIMED:
	default: return false;
	}
}

/*
 * A guest that ends again and again as soon as it is started would fill the
 * console and the machine's memory bandwidth with its restarts.
 */
static bool restarts_too_often(struct vm *vm, enum vm_end why)
{
	if (why == END_ORDER_RESTART || rdtsc() - vm->start_tsc > tsc_khz * SHORT_LIFE_MS)
		vm->short_lives = 0;
	else
		vm->short_lives++;
	return vm->short_lives >= MAX_SHORT_LIVES;
}

/* What was asked of the vCPUs' last life does not concern the next. */
static void forget_work(struct vm *vm)
{
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		INVARIANT(vm->vcpus[i].state == VCPU_PARKED);
		__atomic_store_n(&vm->vcpus[i].work, 0, __ATOMIC_RELAXED);
	}
}

/* All vCPUs have left; runs on the CPU of the last one. */
static void complete_end(struct vm *vm)
{
	/* Pairs with the release in vm_end_request. */
	const enum vm_end why = (enum vm_end)__atomic_load_n(&vm->end, __ATOMIC_ACQUIRE);
	const bool wanted = wants_restart(vm, why);
	const bool restart = wanted && !restarts_too_often(vm, why);

	/* Neither running, so nobody ends it, nor stopped, so nobody starts it, meanwhile. */
	set_phase(vm, VM_STARTING);
	vm->last_end = wanted && !restart ? END_CRASH : why;
	forget_work(vm);
	vm_flush_console(vm);
	log_write(why == END_CRASH ? LOG_ERROR : LOG_INFO, "guest %s %s%s", vm->cfg->name,
		  vm->end_text, restart ? "; restarting" : "");
	if (wanted && !restart)
		log_error("guest %s ended %u times within a second of its start and stays "
			  "stopped; 'restart %s' in the monitor starts it again",
			  vm->cfg->name, vm->short_lives, vm->cfg->name);
	if (vm->last_end == END_CRASH && vm->cfg->on_crash == CRASH_FOCUS)
		console_request_focus((int)vm->index);
	__atomic_store_n(&vm->paused, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->parked, 0, __ATOMIC_RELAXED);
	/* Pairs with the acquire in vm_end_request: its text may be written again. */
	__atomic_store_n(&vm->end, END_NONE, __ATOMIC_RELEASE);
	if (restart)
		vcpu_post(&vm->vcpus[0], WORK_START);
	else
		stopped(vm);
}

void vm_vcpu_parked(struct vcpu *v)
{
	/* Release: the state we left; acquire for the last: everybody's. */
	if (__atomic_add_fetch(&v->vm->parked, 1, __ATOMIC_ACQ_REL) == v->vm->n_vcpus)
		complete_end(v->vm);
}

void vm_start_here(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct vcpu_regs regs;
	struct vcpu_sysregs sys;
	char error[LOADER_ERROR];
	uint64_t loaded;

	INVARIANT(v->index == 0 && v->cpu == this_cpu()->index && vm_phase(vm) == VM_STARTING);
	vm->start_tsc = rdtsc();
	if (!vm_load(vm, &regs, &sys, error, sizeof(error))) {
		vm->last_end = END_CRASH;
		log_error("guest %s cannot start: %s", vm->cfg->name, error);
		stopped(vm);
		return;
	}
	loaded = rdtsc();
	vcpu_power_on(v);
	vlapic_set_virtual_wire(&v->lapic);
	backend->set_sysregs(&v->hw, &sys);
	v->hw.regs = regs;
	v->state = VCPU_RUNNING;
	for (unsigned i = 1; i < vm->n_vcpus; i++)
		vcpu_post(&vm->vcpus[i], WORK_JOIN);
	vm->starts++;
	set_phase(vm, VM_RUNNING);
	log_info("guest %s started on CPU %u, %u vCPU%s, %llu MiB", vm->cfg->name, v->cpu,
		 vm->n_vcpus, vm->n_vcpus == 1 ? "" : "s",
		 (unsigned long long)(vm->memory.size >> 20));
	log_debug("guest %s: first instruction %llu us after Bulkhead's, %llu us of it for "
		  "clearing memory and copying images",
		  vm->cfg->name, (unsigned long long)tsc_to_us(rdtsc() - boot_info.entry_tsc),
		  (unsigned long long)tsc_to_us(loaded - vm->start_tsc));
}

static void NORETURN switch_off(bool failed)
{
	const uint64_t limit = rdtsc() + DRAIN_LIMIT_US * tsc_khz / 1000;
	char value[16];
	uint64_t port;

	log_info("all guests have stopped; switching off");
	while (!console_drained() && (int64_t)(rdtsc() - limit) < 0)
		cpu_pause();
	if (cmdline_option(boot_info.cmdline, "debug-exit", value, sizeof(value)) &&
	    parse_number(span_of(value), 1, 0xFFFF, &port) == PARSE_OK)
		io_out8((uint16_t)port, failed ? EXIT_FAILED : EXIT_GOOD);
	acpi_power_off();
	log_error("the machine cannot be switched off by ACPI; switch it off by hand");
	console_poll();
	idle_main();
}

void machine_serve(void)
{
	if (__atomic_load_n(&off_due, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(&off_due, 0, __ATOMIC_RELAXED))
		switch_off(any_crashed());
}
