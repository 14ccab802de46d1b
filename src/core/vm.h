/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests and their CPUs. */
#ifndef CORE_VM_H
#define CORE_VM_H

#include "backend.h"
#include "config.h"
#include "emulate.h"
#include "guest_memory.h"
#include "lock.h"
#include "mtrr.h"
#include "vconsole.h"
#include "vdev.h"
#include "vdev_hpet.h"
#include "vdev_irq.h"
#include "vdev_pit.h"
#include "vdev_pm.h"
#include "vdev_rtc.h"
#include "x86.h"

/* What a guest CPU is doing; written by its own CPU alone. */
enum vcpu_state {
	VCPU_PARKED,    /* its guest does not run */
	VCPU_WAIT_SIPI, /* its guest runs, and has not started it */
	VCPU_RUNNING
};

/* Requests to a guest CPU, from any CPU; the CPU takes them before each entry. */
enum vcpu_work {
	WORK_START = 1,     /* load the guest and run it: only for vCPU 0 */
	WORK_JOIN = 2,      /* the guest was started: wait for SIPI */
	WORK_END = 4,       /* leave the guest for good */
	WORK_CONSOLE = 8,   /* the virtual UART has input, or room */
	WORK_NMI = 16,
	WORK_INIT = 32,
	WORK_SIPI = 64,
	WORK_EXTINT = 128,  /* the 8259s' output changed */
	WORK_TIMER = 512,   /* a timer device has something to do */
	WORK_PAUSE = 1024,  /* the guest was paused or resumed: `paused` says which */
	WORK_REGS = 2048,   /* the monitor wants to see the registers */
	WORK_LEVEL = 256,   /* a level-triggered interrupt comes: watch for its EOI */
};

struct vcpu {
	struct vcpu_hw hw;
	struct vm *vm;
	uint32_t index; /* in its guest; also its APIC ID there */
	uint32_t cpu;   /* the physical CPU it is bound to */

	/* Bits of enum vcpu_work.  Set (release) by any CPU, taken (acquire) by its own. */
	uint32_t work;
	uint32_t sipi_vector; /* written before WORK_SIPI is set */

	/* Read by other CPUs of the guest and by the monitor; stale by a moment is fine. */
	enum vcpu_state state;
	bool nmi_pending;
	bool window_open; /* a window exit was asked for */
	uint64_t seen_nmis;
	uint64_t kvm_clock; /* the MSR as the guest wrote it */
	struct mtrr mtrr;
	struct vlapic lapic;

	/* The exit whose handling is under way: counted when the guest is entered again. */
	enum exit_kind open_exit;
	uint64_t open_tsc; /* 0: none */

	/* Written by its own CPU alone; read by the monitor, word by word. */
	uint64_t exits[EXIT_KIND_COUNT], cycles[EXIT_KIND_COUNT];
	uint64_t denied_msrs;

	/*
	 * For the monitor: the state at the end, or when it asked (WORK_REGS);
	 * regs_taken then says (release) that it is there.
	 */
	uint32_t regs_taken;
	struct vcpu_regs last_regs;
	struct vcpu_sysregs last_sys;
};

/* A line that an old timer and the HPET share: what each puts on it, and what shows. */
struct timer_line {
	bool old, hpet, level;
};

#define TIMER_LINES 2 /* ISA IRQ 0 and 8 */

enum vm_phase { VM_STOPPED, VM_STARTING, VM_RUNNING };

/* Why a guest ends. */
enum vm_end {
	END_NONE,
	END_CLAIMED, /* somebody is writing end_text */
	END_POWER_OFF, /* the guest's own doing, orderly */
	END_RESET,
	END_CRASH,
	END_ORDER_STOP, /* the monitor's */
	END_ORDER_RESTART
};

#define VM_END_TEXT 160

struct vm {
	const struct cfg_vm *cfg;
	unsigned index;
	struct guest_memory memory;
	struct s2_space s2;
	unsigned n_vcpus;
	struct vcpu *vcpus;

	/* Devices: under `lock`, which only this guest's CPUs take. */
	struct ticket_lock lock;
	struct vdev_bus bus;
	struct uart16550 uart;
	struct pic pic;
	struct vioapic ioapic;
	struct vpm pm;
	struct vclock clock;
	struct vpit pit;
	struct vrtc rtc;
	struct vhpet hpet;
	struct timer_line timer_lines[TIMER_LINES];
	struct vcon *console;

	/* When its timer devices have something to do, ns; see vtimer.c. */
	uint64_t deadline;
	bool has_written; /* to its console, in this life; under the lock */

	/* enum vm_phase: release by the CPU that changes it, acquire by readers. */
	uint32_t phase;
	/* enum vm_end: claimed by compare-and-swap, published with release. */
	uint32_t end;
	/* Its CPUs wait outside it.  Written by the monitor and at the end of a life. */
	uint32_t paused;
	char end_text[VM_END_TEXT];
	enum vm_end last_end;
	uint32_t parked; /* vCPUs that have left; the last one ends the guest */
	uint64_t start_tsc;
	uint64_t starts;
	unsigned short_lives; /* in a row that ended within a second */
	uint64_t hypervisor_memory; /* bytes, the console apart */
};

extern struct vm vms[CFG_MAX_VMS];
extern unsigned n_vms;
extern struct config config;

/* The guest CPU bound to this physical CPU, or NULL. */
struct vcpu *vcpu_of_cpu(unsigned cpu);

/* ---- vm.c: creation ---- */

/* Everything but memory contents.  NULL, or what went wrong.  Boot CPU. */
const char *vm_create(struct vm *vm, const struct cfg_vm *cfg, unsigned index,
		      uint64_t host_memory);
/* All devices and memory as after power-on.  vCPU 0's CPU, guest not running. */
bool vm_load(struct vm *vm, struct vcpu_regs *regs, struct vcpu_sysregs *sys, char *error,
	     size_t error_size);
/* Would vm_load find its images and accept them? */
bool vm_check_images(const struct cfg_vm *cfg, char *error, size_t error_size);

/* ---- lifecycle.c ---- */

/* Has vCPU 0's CPU load and start the guest.  False: it is not stopped.  Any CPU. */
bool vm_start(struct vm *vm);
/* Ends the guest; the first reason counts.  False: it does not run or ends already.  Any CPU. */
bool vm_end_request(struct vm *vm, enum vm_end why, const char *fmt, ...) PRINTF_LIKE(3, 4);
/*
 * All its CPUs leave it and wait, or go on.  False: it does not run, or was
 * paused (was not paused) before.  Time goes on meanwhile.  The drain's owner.
 */
bool vm_pause(struct vm *vm);
bool vm_resume(struct vm *vm);
/* To be asked before each entry. */
bool vm_is_paused(const struct vm *vm);
/* This vCPU has left its guest; the last one to do so completes the end.  Own CPU. */
void vm_vcpu_parked(struct vcpu *v);
/* vCPU 0: loads and, if that works, runs.  Own CPU. */
void vm_start_here(struct vcpu *v);
enum vm_phase vm_phase(const struct vm *vm);
/* It runs, but its end was decided: its CPUs are leaving it.  Any CPU. */
bool vm_is_ending(const struct vm *vm);
const char *vm_phase_name(const struct vm *vm);
/* Ends all guests and then switches the machine off.  Any CPU. */
void machine_order_off(void);
/* Switches off if that is due, after what is to be shown was shown.  Any CPU, outside a guest. */
void machine_serve(void);

/* ---- vcpu.c ---- */

/* The life of a CPU that has a guest CPU.  Does not return. */
void NORETURN vcpu_main(struct vcpu *v);
/* The state after power-on, local APIC and all.  Own CPU. */
void vcpu_power_on(struct vcpu *v);
/* Sets work bits and makes sure the CPU looks at them.  Any CPU. */
void vcpu_post(struct vcpu *v, uint32_t work);
void vcpu_inject_exception(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error);
void vcpu_inject_fault(struct vcpu *v, const struct guest_fault *f);
void vcpu_update_apic_access(struct vcpu *v);

/* ---- dispatch.c ---- */

void dispatch_exit(struct vcpu *v, const struct vm_exit *exit);

/* ---- access.c: the emulator's view of a guest CPU ---- */

struct vcpu_view {
	struct vcpu_sysregs sys;
	struct emu_cpu cpu;
};
/* Boot CPU, once. */
void access_init(void);
void vcpu_view(struct vcpu *v, struct vcpu_view *view);
void access_memory(struct vcpu *v, const struct vm_exit *exit);
void access_port(struct vcpu *v, const struct vm_exit *exit);
void access_port_string(struct vcpu *v, const struct vm_exit *exit);
/* task_exit.c.  False: the guest CPU shuts down. */
bool access_task_switch(struct vcpu *v, const struct vm_exit *exit);
/* Past the instruction that exited; false when it could not be measured (a fault was injected). */
bool skip_instruction(struct vcpu *v, const struct vm_exit *exit);

/* ---- cpuid.c, msr.c, kvmclock.c ---- */

/* The states of XCR0 that guests are offered: x87, SSE, AVX, AVX-512, PKRU. */
#define XCR0_OFFERED 0x2E7u

/* Boot CPU, once. */
void cpuid_init(void);
void cpuid_emulate(struct vcpu *v);
/* What the policy makes of the host's leaf, whatever a vCPU has switched on or off. */
struct cpuid_regs cpuid_offered(uint32_t leaf, uint32_t subleaf);
/* Boot CPU, once, with the backend chosen. */
void msr_init(void);
bool msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
bool msr_write(struct vcpu *v, uint32_t msr, uint64_t value);
/* The MSRs that are kept here, as after power-on. */
void msr_power_on(struct vcpu *v);
/* The MSRs of the backend that an INIT leaves as they are (SDM vol. 3, table 9-1). */
#define MSR_KEPT 9
struct msr_kept {
	uint64_t value[MSR_KEPT];
};
void msr_save(struct vcpu *v, struct msr_kept *kept);
void msr_restore(struct vcpu *v, const struct msr_kept *kept);
/* Which MSRs the guest reaches without an exit. */
void msr_apply_policy(struct vcpu *v);
bool kvmclock_set(struct vcpu *v, uint64_t msr_value);
bool kvmclock_wall_set(struct vcpu *v, uint64_t gpa);
void kvmclock_init(void);
/* Nanoseconds since the machine's TSC was 0, and since 1970. */
uint64_t now_ns(void);
uint64_t wall_ns(void);

/* ---- devices.c ---- */

/* False: two devices claim the same port.  Boot CPU. */
bool devices_create(struct vm *vm);
/*
 * The guest has ended: what its UART still holds goes to its console, before its
 * end is announced; what finds no room goes when there is some (WORK_CONSOLE).
 * A CPU of the guest.
 */
void vm_flush_console(struct vm *vm);
/* As after power-on.  Under the lock, the guest not running. */
void devices_reset(struct vm *vm);

/* ---- monitor.c ---- */

/* A CPU that runs no guest, or the boot CPU. */
unsigned spare_cpu(void);

/* ---- vtimer.c ---- */

/* What the guest's timers do next has changed: `vm` is a struct vm.  Under the lock, any CPU of it. */
void vtimer_rearm(void *vm);
/* Has the 8254 tick as it would have by now, heard or not.  Under the lock. */
void vtimer_catch_up(struct vm *vm);
/* Does what is due.  A CPU of the guest. */
void vtimer_run(struct vm *vm);
/* The guest has ended: nothing is due any more. */
void vtimer_stop(struct vm *vm);
/* After an NMI, which may have been the alarm's.  Any CPU. */
void vtimer_poll(void);
/* Has a CPU polled at about this TSC time, in place of what was asked before.  The drain's owner. */
void vtimer_console(uint64_t tsc);

/* ---- ipi.c ---- */

/* Sends an APIC message to the CPUs of a guest; `from` is NULL for the I/O APIC.  Under the lock. */
void ipi_send(struct vm *vm, struct vcpu *from, const struct apic_message *m, unsigned shorthand);
/*
 * The IPI of every day: a write to the x2APIC ICR of a fixed interrupt for one
 * CPU.  False: it is something else, nothing was done.  Own CPU, no lock needed.
 */
bool ipi_send_plain(struct vcpu *from, uint64_t icr);
/* An ISA interrupt line, from a device.  Under the lock. */
void irq_set(void *vm, unsigned irq, bool level);

/* ---- monitor.c ---- */

extern const struct console_ops monitor_ops;

/* The life of a CPU that has no guest: it serves the console.  Does not return. */
void NORETURN idle_main(void);

#endif
