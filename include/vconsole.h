/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console multiplexer: one ring per guest and direction, one physical
 * serial port, one guest (or the monitor) with the focus.
 *
 * Who may call what: the vcon_* functions run on a CPU of that guest, under
 * that guest's device lock.  console_poll runs on any CPU, at any time
 * outside an NMI handler, and never waits: the caller either becomes the
 * drain's owner or leaves the work to the present owner.
 */
#ifndef BULKHEAD_VCONSOLE_H
#define BULKHEAD_VCONSOLE_H

#include "config.h"
#include "types.h"

struct vcon; /* one guest's console */

enum console_answer {
	ANSWER_DONE,
	ANSWER_WAIT, /* ask again */
	ANSWER_NONE  /* there is nothing of that number, and none behind it */
};

/* What the console needs from the floors above it; all are called by the drain's owner. */
struct console_ops {
	/* Guest `vm` (its index) has input or room again: have its CPU look at its UART. */
	void (*wake)(unsigned vm);
	/* The physical UART's interrupt shall go to a CPU of guest `vm`, or, for -1, to any. */
	void (*route)(int vm);
	/* Has console_poll called on some CPU at about this TSC time.  NULL: nobody can. */
	void (*alarm)(uint64_t tsc);
	/* The TSC's frequency.  NULL: 1 GHz. */
	uint64_t (*tsc_khz)(void);
	/* Does a CPU of guest `vm` call this?  NULL: always. */
	bool (*is_here)(unsigned vm);
	/* Nanoseconds since some moment; NULL: a paste cannot be told from single keys. */
	uint64_t (*now_ns)(void);
	/*
	 * The number of the CPU that calls, and: have CPU `cpu` call console_poll
	 * soon.  Where both are NULL, every caller of console_poll comes again.
	 */
	unsigned (*cpu)(void);
	void (*kick)(unsigned cpu);
	/*
	 * Monitor commands.  They answer, or refuse, by console_print, with no
	 * more than 2 KiB each time.  `machine` asks for records of key=value.
	 */
	void (*list)(bool machine);
	/* Part 0, 1, ... of a guest's counters.  False: there is no such part. */
	bool (*stats)(unsigned vm, unsigned part, bool machine);
	/* The registers of one of its CPUs; `first` is false when it was asked and said ANSWER_WAIT. */
	enum console_answer (*regs)(unsigned vm, unsigned vcpu, bool first);
	void (*start)(unsigned vm);
	void (*stop)(unsigned vm);
	void (*restart)(unsigned vm);
	void (*pause)(unsigned vm);
	void (*resume)(unsigned vm);
	void (*nmi)(unsigned vm, unsigned vcpu);
	/* Whether it was told to stop and has not yet.  NULL: nobody waits for that. */
	bool (*ending)(unsigned vm);
	/* A time of the log in microseconds; NULL: it is shown as it is. */
	uint64_t (*tsc_to_us)(uint64_t tsc);
	/* Ends everything and switches the machine off.  NULL: there is no such command. */
	void (*poweroff)(void);
};

/*
 * A port for the log before the configuration is known: what was logged so
 * far is printed, and what follows at once (polled, with a bounded wait).
 * False when no 16550 answers.  console_init takes over.  Boot CPU only.
 */
bool console_early(uint16_t uart_base, unsigned baud);

/*
 * Sets up the multiplexer.  `ops` must outlive it.  Boot CPU, once, before
 * any other call.  `uart_base` is the physical port's I/O base, 0 when there
 * is none: the rings then work without an outside.
 */
void console_init(const struct console_ops *ops, uint16_t uart_base, unsigned baud, uint8_t escape);

/* The line's flow control; none when this is not called.  Boot CPU, before console_start. */
void console_set_flow(enum line_flow flow);

/*
 * The memory, in bytes (aligned as for any object), that a guest's console
 * with this output buffer needs; for the memory report.
 */
size_t vcon_memory(uint32_t out_size);

/*
 * Adds the next guest (the index counts from 0).  `memory` has vcon_memory()
 * bytes, is zeroed and stays the console's.  `name` must stay.  Boot CPU only.
 */
struct vcon *console_add(const char *name, void *memory, uint32_t out_size,
			 enum overflow_policy overflow);
/* Another policy while the guest has the focus; OVERFLOW_AUTO: none.  Boot CPU only. */
void vcon_set_focus_policy(struct vcon *c, enum overflow_policy policy);

/*
 * The guest's console leaves the shared line for a physical port of its own,
 * which that guest's CPUs serve: its interrupt goes there, as NMI.  False: no
 * 16550 answers, or the port is the shared line's.  Boot CPU, before
 * console_start.
 */
bool console_own_port(struct vcon *c, uint16_t uart_base, unsigned baud);

/*
 * Guests may now run: the log's polled sink is replaced, the physical UART's
 * interrupts are switched on and the first guest (or the monitor, when there
 * is no guest or `monitor` says so) gets the focus.  Boot CPU, once.
 */
void console_start(bool monitor);

/* A byte from the guest.  False: no room (the policy blocks); the byte was not taken. */
bool vcon_put(struct vcon *c, uint8_t byte);
/* False while vcon_put would refuse.  Remembers that the guest waits, so that ops->wake comes. */
bool vcon_room(struct vcon *c);
/* The guest shall write no faster than the rate that it set its port to. */
bool vcon_paced(const struct vcon *c);
/* Is the guest's output shown now?  A hint: it may change at any moment. */
bool vcon_has_focus(const struct vcon *c);
/* Input for the guest: the next byte, or -1. */
int vcon_get(struct vcon *c);
/* Bytes of input that wait for the guest. */
size_t vcon_pending(const struct vcon *c);
/* A byte that the guest wrote to a full transmitter: lost by its own doing, but counted. */
void vcon_count_overrun(struct vcon *c);
/*
 * A new life of the guest begins: input that the last one did not read is
 * forgotten, and so is the line that it left unfinished.  That guest's CPU,
 * while it is stopped.
 */
void vcon_restart(struct vcon *c);

/* Exact byte counts since boot. */
struct vcon_stats {
	uint64_t written; /* bytes the guest wrote into its ring */
	uint64_t shown;   /* bytes that went out of the physical port */
	uint64_t lost;    /* bytes overwritten before they were shown */
	uint64_t skipped; /* bytes passed over at a switch or by hotkey: still in the history */
	uint64_t overrun; /* bytes the guest wrote while its UART had no room */
	uint64_t in;      /* bytes typed for this guest, with those lost */
	uint64_t in_lost; /* bytes typed while its input ring was full */
};
void vcon_get_stats(const struct vcon *c, struct vcon_stats *out);

/* The physical line, since boot.  From the console_ops callbacks only. */
struct console_line {
	bool present;
	uint16_t port;
	unsigned baud;
	uint64_t in, out; /* bytes */
	uint64_t breaks, framing, parity, overruns;
	bool host_holds; /* the host's flow control keeps us from sending */
	bool host_held;	 /* ours keeps the host from it */
};
void console_get_line(struct console_line *out);

/* Does the work there is (UART, log messages, focused ring, monitor), if nobody else is at it. */
void console_poll(void);
/*
 * Cheap: true when what this CPU did since its last poll (vcon_put, the log, a
 * focus request) needs one.  To be asked on the way back to the guest.
 */
bool console_has_work(void);

/* console_has_work is true from now on, until somebody has polled.  Any CPU. */
void console_ask(void);

/* Monitor output: only from the console_ops callbacks. */
void console_print(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * The focus moves to guest `vm` (-1: monitor), as if the hotkey had been used,
 * at the next poll.  Any CPU.
 */
void console_request_focus(int vm);

/*
 * Polls, then says whether everything that can be shown has left the physical
 * port: transmitter empty, rings of focus and log drained.
 */
bool console_drained(void);

#endif
