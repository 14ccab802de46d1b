/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam between the core and the two backends (AMD SVM, Intel VMX).  A
 * backend runs a guest CPU and turns each hardware exit into a `struct
 * vm_exit`; it knows nothing of devices, policy or other guests.  Nothing
 * above it asks which backend it is.
 */
#ifndef BULKHEAD_BACKEND_H
#define BULKHEAD_BACKEND_H

#include "ept.h"
#include "types.h"
#include "vcpu_state.h"

/* Why a guest stopped running.  Also the rows of the exit statistics. */
enum exit_kind {
	EXIT_NMI,            /* a kick, or the physical UART: nothing the guest did */
	EXIT_PORT,           /* IN, OUT */
	EXIT_PORT_STRING,    /* INS, OUTS */
	EXIT_MEMORY,         /* guest-physical address that is not mapped, or not so */
	EXIT_CPUID,
	EXIT_RDMSR,
	EXIT_WRMSR,
	EXIT_HLT,
	EXIT_XSETBV,
	EXIT_HYPERCALL,      /* VMCALL, VMMCALL */
	EXIT_CACHE,          /* INVD, WBINVD */
	EXIT_FORBIDDEN,      /* an instruction that guests do not have: #UD */
	EXIT_RDPMC,          /* #GP */
	EXIT_CONTROL,        /* a control register, done in the backend */
	EXIT_EXCEPTION,      /* intercepted to be reflected */
	EXIT_WINDOW,         /* an external interrupt can be injected now */
	EXIT_SHUTDOWN,       /* triple fault */
	EXIT_TASK_SWITCH,    /* by a TSS or a task gate, where the CPU leaves that to us */
	EXIT_INVALID_STATE,  /* the CPU refused the guest's state */
	EXIT_UNKNOWN,        /* a code that the backend does not know */
	EXIT_KIND_COUNT
};

const char *exit_kind_name(enum exit_kind kind);

/* How a task switch came about, in the order of VMX's exit qualification. */
enum task_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };

struct task_exit {
	uint16_t selector; /* of the new task's TSS */
	enum task_source source;
	/* Through a gate of the IDT: for what event, if INT n was not it. */
	bool event;
	bool is_exception;
	uint8_t vector;
	bool has_error; /* goes onto the new task's stack */
	uint32_t error;
};

struct vm_exit {
	enum exit_kind kind;
	uint8_t insn_len; /* bytes to skip when the exit was for an instruction; 0: unknown */
	uint64_t tsc;     /* when the guest was left */
	uint64_t code;    /* the hardware's exit code and details, for messages */
	uint64_t info[2];
	union {
		struct {
			uint16_t port;
			uint8_t size;
			bool in;
		} port;
		struct {
			uint64_t gpa;
			bool write, fetch;
			bool walk; /* during the guest's own page walk */
		} memory;
		struct {
			uint8_t vector;
			bool has_error;
			uint32_t error;
		} exception;
		/* insn_len is 0 when no instruction is to be skipped. */
		struct task_exit task;
	};
};

/* An event to deliver to the guest at the next entry. */
enum event_type { EVENT_EXTINT, EVENT_NMI, EVENT_EXCEPTION };

struct vm_event {
	enum event_type type;
	uint8_t vector;
	bool has_error;
	uint32_t error;
};

/*
 * A guest CPU as a backend sees it; the core's vCPU embeds it.  `regs` is
 * current between an exit and the next entry and may be changed.
 */
struct vcpu_hw {
	struct vcpu_regs regs; /* the entry code knows its offset */
	void *control;         /* VMCB or VMCS */
	uint64_t control_pa;
	void *msr_bitmap;
	uint16_t asid;
	uint64_t second_stage; /* root of the second-stage tables */
	uint64_t entry_nmis;   /* this CPU's NMI count at the last look for work */
	bool flush;            /* drop this guest's translations at the next entry */
	bool nmi_blocked;      /* an injected NMI is in service */
	bool nmi_stepping;     /* one instruction is stepped over before the next NMI */
	bool kick_self;        /* exit again behind the event that is being delivered */
	bool step_keeps_tf;    /* ...and TF is the guest's own after it */
};

/* What `probe` says of a CPU that is not of its kind. */
#define BACKEND_ABSENT "absent"

struct backend {
	const char *name;

	/* NULL: usable here.  BACKEND_ABSENT: not this CPU's kind.  Else what is missing. */
	const char *(*probe)(void);
	/* The format of its second-stage page tables. */
	const struct s2_format *(*s2)(void);
	/* Memory from the pool for all CPUs.  False: the pool is too small.  Boot CPU, once. */
	bool (*init)(void);
	/* The CPU's microcode revision as its MSR 8Bh has it, 0 where there is none.  Boot CPU. */
	uint64_t (*microcode)(void);
	/* Switches virtualization on, on the CPU that runs it. */
	bool (*cpu_enable)(void);

	/* Memory from the pool for one guest CPU.  Boot CPU. */
	bool (*vcpu_create)(struct vcpu_hw *v, unsigned vm_index);
	/* The state after reset, with all policy applied and no event pending.  Own CPU. */
	void (*vcpu_reset)(struct vcpu_hw *v);

	/*
	 * Enters the guest and comes back with *exit filled.  NMIs that came
	 * since entry_begin, and beyond v->entry_nmis, are not lost: they end the
	 * guest at once, or it is not entered at all.
	 */
	void (*run)(struct vcpu_hw *v, struct vm_exit *exit);
	/*
	 * From here to `run`, NMIs are held or remembered: the last look for
	 * work is between the two.  `entry_cancel` undoes it.
	 */
	void (*entry_begin)(void);
	void (*entry_cancel)(void);

	void (*get_sysregs)(const struct vcpu_hw *v, struct vcpu_sysregs *s);
	void (*set_sysregs)(struct vcpu_hw *v, const struct vcpu_sysregs *s);
	/* The guest's CR4 alone, which CPUID shows parts of. */
	uint64_t (*get_cr4)(const struct vcpu_hw *v);

	/* Is there an event already on its way that the next entry delivers? */
	bool (*event_pending)(const struct vcpu_hw *v);
	/* Could an ExtINT be delivered at the next entry (IF, no shadow, no event pending)? */
	bool (*can_take_extint)(const struct vcpu_hw *v);
	bool (*can_take_nmi)(const struct vcpu_hw *v);
	void (*inject)(struct vcpu_hw *v, const struct vm_event *e);
	/* Exit with EXIT_WINDOW as soon as an ExtINT can be taken (or stop doing so). */
	void (*want_window)(struct vcpu_hw *v, bool on);
	/*
	 * An NMI waits and can_take_nmi says no: exit as soon as the event, the
	 * shadow or the other NMI in its way is over.
	 */
	void (*want_nmi_window)(struct vcpu_hw *v);
	/* After an emulated instruction: the shadow of STI or MOV SS is over. */
	void (*clear_shadow)(struct vcpu_hw *v);

	/* Lets the guest read or write an MSR without an exit. */
	void (*allow_msr)(struct vcpu_hw *v, uint32_t msr, bool read, bool write);
	/* MSRs whose guest value the backend keeps; false when it keeps none of that number. */
	bool (*read_msr)(struct vcpu_hw *v, uint32_t msr, uint64_t *value);
	bool (*write_msr)(struct vcpu_hw *v, uint32_t msr, uint64_t value);
};

extern const struct backend svm_backend, vmx_backend;

/* The one that this machine has, chosen at boot; NULL before that. */
extern const struct backend *backend;

#endif
