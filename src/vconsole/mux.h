/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiplexer's state, private to this folder.
 *
 * One CPU at a time owns the drain (console.c) and with it everything below
 * that is not said to be shared.  Functions with a `struct mux *` are the
 * owner's, except where noted.
 */
#ifndef BULKHEAD_VCONSOLE_MUX_H
#define BULKHEAD_VCONSOLE_MUX_H

#include "config.h"
#include "election.h"
#include "framed.h"
#include "log.h"
#include "marks.h"
#include "monitor.h"
#include "private.h"
#include "refilter.h"
#include "ring.h"
#include "termstate.h"
#include "uart.h"
#include "vconsole.h"

/* The monitor and the merged view are sources like a guest; their indices follow the guests'. */
#define MONITOR CFG_MAX_VMS
#define ALL (CFG_MAX_VMS + 1)
#define N_SOURCES (CFG_MAX_VMS + 2)

#define INPUT_RING KIB(128) /* a paste of 64 KiB, and as much again typed before it was read */
#define MONITOR_RING KIB(64)

#define MERGED_RING KIB(16)
#define MARK_EVERY 128 /* bytes of a guest's ring for each of its time marks */

#define UNFINISHED_LIMIT 512 /* the longest unfinished line that is shown again */

/* How far the merged view is with a guest's bytes; the owner's. */
struct merge_source {
	uint64_t tail, head; /* what was looked at */
	uint64_t since;	     /* the TSC when `head` was first seen */
	size_t ready;	     /* bytes from `tail` that may be shown as one piece; 0: none yet */
	size_t part;	     /* bytes that wait for the rest of their line */
	uint64_t tsc;	     /* when the line at `tail` began */
	uint64_t missed;     /* bytes lost before `tail`, to be marked */
	bool losing;	     /* bytes were lost since the ring was last empty */
	bool hidden;	     /* by the monitor: what it writes waits */
	uint8_t held[REFILTER_HELD]; /* of an unfinished character or sequence */
	size_t n_held;
};

struct vcon {
	const char *name;
	unsigned index;
	/* Never OVERFLOW_AUTO. */
	enum overflow_policy with_focus, without_focus;
	struct ring out; /* producer: the guest; consumer: the drain's owner */
	struct ring in;	 /* producer: the drain's owner; consumer: the guest */
	/* Shared. */
	bool waiting; /* the guest found no room and wants ops->wake */
	bool hungry;  /* the guest found no input and wants ops->wake */
	bool restarted; /* the unfinished line is of the guest's last life */
	uint64_t overrun, in_lost;
	/* The owner's: what was shown since the last newline, for when it is cut. */
	uint8_t line[UNFINISHED_LIMIT];
	size_t line_len; /* more than the limit: too long, not kept */
	/* The owner's, too: what the shown bytes made of a terminal. */
	struct termstate term;
	uint64_t screen_pos; /* where the guest went to the alternate screen */
	struct merge_source merge;
	uint64_t skipped; /* shared: bytes passed over at a switch or by hotkey */
	/* The producer's: when lines begin. */
	struct marks marks; /* read by the owner */
	bool in_line;
	uint64_t marked; /* 1 + the position that got the last mark */
	uint64_t line_end; /* shared: the position behind the last newline */
	struct framed_channel framed;
	struct private_line *own; /* a port of its own; NULL: the shared line */
};

/* What is composed and not yet in the UART: one item at a time. */
#define OUT_SIZE 4096

struct outgoing {
	uint8_t buf[OUT_SIZE];
	size_t pos, len;
	bool line_empty; /* the terminal's line has nothing on it */
};

#define NOTICE_SIZE 1024

/* Lines of the hypervisor's own: log records, and answers to hotkeys ("notices"). */
struct messages {
	uint64_t log_pos;   /* shared: the next record to read */
	uint64_t batch_end; /* records below it wait for the same barrier */
	uint64_t barrier;   /* focused ring's position that must be shown first */
	struct log_record record;
	bool have_record;
	unsigned past; /* bytes shown while only a newline was missing */
	bool quiet; /* log records stay in the log */
	char notice[NOTICE_SIZE];
	size_t notice_len;
};

/* Where typed bytes go, and whether the host is held; input.c. */
struct input_state {
	uint64_t last_ns;   /* when the last byte came */
	unsigned paste_to;  /* 1 + the source that a paste goes on to, 0: it follows `want` */
	bool let_in;	    /* a BREAK lifted the hold for now */
	unsigned holding;   /* shared: 1 + the guest for whose sake the host is held, 0: none */
};

/* What is shown beside live output, and how. */
struct view {
	bool entering;	  /* the focused source's modes are to be brought back */
	bool again;	  /* and its history is wanted */
	bool spy;	  /* the focused guest gets no input */
	bool refused;	  /* a key was refused since the last switch */
	bool replaying;   /* ring positions from `pos` to `end` are shown again */
	bool redrawing;	  /* the same, to get the alternate screen back */
	uint64_t pos, end;
	struct refilter filter;
};

/* The merged view's. */
struct merge {
	struct vcon vcon;
	bool stamps;
	unsigned open;	   /* 1 + the guest whose unfinished line is the last thing in the ring */
	uint64_t deadline; /* the TSC when an unfinished line is due; 0: there is none */
	uint8_t ring[MERGED_RING];
	uint8_t piece[KIB(1)]; /* what is looked at, kept off the stack */
};

/* A guest's name that is being typed after the escape. */
struct name_entry {
	bool active;
	char text[CFG_NAME];
	size_t len;
};

struct mux {
	const struct console_ops *ops;
	struct uart uart;
	uint16_t uart_base;
	unsigned baud;
	uint8_t escape;
	struct vcon *src[N_SOURCES];
	unsigned n_guests;
	unsigned n_own; /* guests with a port of their own */
	bool started;

	/* Shared between CPUs; see console.c and vcon.c for what pairs with what. */
	struct election election;
	unsigned asker; /* a CPU that found the drain owned: called when the owner has done enough */
	bool draining;	/* the UART's transmitter interrupt is armed and continues the work */
	bool drained;	/* nothing was left to show at the end of the last work */
	unsigned focus; /* whose output is shown */
	unsigned request; /* 1 + a source that shall get the focus, 0: none */

	/* The owner's. */
	unsigned want;	 /* where input goes; differs from `focus` until the leaving line ends */
	unsigned last;	 /* who had the input before */
	bool switching;
	unsigned leave_budget; /* bytes that the leaving source may still use to end its line */
	bool cut;	       /* the focused source's unfinished line is to be shown again */
	struct input_state input;
	bool losing;	       /* bytes were lost since the ring was last empty */
	bool after_escape;
	uint64_t escape_tsc; /* when it was pressed */
	struct name_entry name;
	struct view view;
	struct merge merge;
	uint32_t touched; /* guests that got input in this work, a bit each */
	uint32_t wake;	  /* guests to wake at its end */
	struct outgoing out;
	struct messages msg;
	struct framed framed;
	struct monitor mon;
	struct vcon mon_vcon;
	uint8_t mon_ring[MONITOR_RING];
};

/* console.c: the one multiplexer, for the vcon_* functions. */
struct mux *console_mux(void);
/* console_init with any kind of port; NULL: none.  For console_init itself and the host tests. */
void console_setup(const struct console_ops *ops, const struct uart_port *port, unsigned baud,
		   uint8_t escape);

/* election_win, for one that may be called when the owner has done enough. */
bool console_win(struct election *election, unsigned *asker);
/* After the owner's last round, behind the end of its ownership: calls one that asked meanwhile. */
void console_hand_over(const struct election *election, const unsigned *asker);

/* mux.c */
void mux_work(struct mux *m);
void mux_focus(struct mux *m, unsigned source);
/* The same, but what is typed does not reach it. */
void mux_spy(struct mux *m, unsigned source);
struct vcon *mux_focused(struct mux *m);
/* The TSC's frequency. */
uint64_t mux_khz(const struct mux *m);
/* The focused source again, with what it showed before. */
void mux_replay(struct mux *m);

static inline bool is_guest(const struct vcon *c)
{
	return c->index < CFG_MAX_VMS;
}

/* source.c: composing the next item of the focused source. */
void source_show(struct mux *m);
void source_show_live(struct mux *m); /* nothing else is due */
/* A byte of `c` at ring position `pos` is shown: what it leaves behind. */
enum term_event mux_track(struct vcon *c, uint8_t byte, uint64_t pos);
/* If `c` is of a guest that was started again: its last life's modes and line are over. */
void mux_forget_old_life(struct mux *m, struct vcon *c);

/* view.c: what surrounds live output. */
/* Leaves the terminal as it was before the source that is shown changed it. */
void view_leave(struct mux *m);
/* Brings the modes of the focused source back, or begins to show its history. */
void view_enter(struct mux *m);
/* Composes the next piece of history. */
void view_replay(struct mux *m);
/* Before and after lines of ours amid a source's output. */
void view_suspend(struct mux *m);
void view_resume(struct mux *m);
/* Gives up what waits to be shown: history, and all but what comes now. */
void view_skip(struct mux *m);

/* merge.c */
/* Moves what is due into the merged view's ring. */
void merge_fill(struct mux *m);
/* Whether the guest's lines are left out of the view; they wait meanwhile. */
void merge_hide(struct vcon *c, bool hidden);
/* This view begins. */
void merge_enter(struct mux *m);

/* names.c */
bool name_begin(struct mux *m, uint8_t key);
void name_key(struct mux *m, uint8_t key);

/* vcon.c: the owner's side of a guest's console. */
uint64_t vcon_n_marks(uint32_t out_size);
void vcon_init(struct vcon *c, const char *name, unsigned index, enum overflow_policy overflow,
	       void *out, uint32_t out_size, void *in, uint32_t in_size);
void vcon_deliver(struct mux *m, struct vcon *c, uint8_t byte);
void vcon_collect_wakes(struct mux *m);
void vcon_left(struct mux *m, struct vcon *c);
/* The port is there no more: from now on nobody waits for it. */
void vcon_port_lost(struct mux *m);
/* Input on a port of its own; then, once, whether the guest waits for it, or for room. */
void vcon_put_input(struct vcon *c, uint8_t byte);
bool vcon_wants_input(struct vcon *c);
bool vcon_wants_room(struct vcon *c);
/* Its port is gone: true when the guest waited. */
bool vcon_gives_up_waiting(struct vcon *c);
/* Gives a console a port of its own; false: there is none, or it is the shared one. */
bool console_bind(struct vcon *c, struct private_line *line, const struct uart_port *port,
		  uint16_t base, unsigned baud);

/* outgoing.c */
void out_byte(struct outgoing *o, uint8_t byte);
/* A byte that puts nothing on the line. */
void out_raw(struct outgoing *o, uint8_t byte);
void out_text(struct outgoing *o, const char *text);
/* Ends the terminal's line if there is something on it. */
void out_own_line(struct outgoing *o);
/* A line `[bulkhead: TEXT]`, at the start of a line; what a terminal would act on becomes '?'. */
void out_message(struct outgoing *o, const char *text);

/* message.c */
void notice(struct mux *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Looks for a new log record: from now on the focused ring's position counts for it. */
void message_look(struct mux *m);
/* True when a line of ours is due before more of the focused ring. */
bool message_due(struct mux *m);
void message_show(struct mux *m);
/* Of the `n` next bytes of the focused ring, how many may be shown before the next message. */
size_t message_limit(struct mux *m, const uint8_t *data, size_t n);
void message_refocus(struct mux *m);
/* Takes the oldest line of ours, wherever the output is; false: there is none. */
bool message_take(struct mux *m, char *text, size_t size);

/* input.c */
/* Bytes have come in: is what is typed now still part of a paste? */
void input_arrived(struct mux *m);
/* The source that typed bytes go to. */
unsigned input_target(const struct mux *m);
/* The focus moves without a key: a paste that is under way goes on to where it went. */
void input_keep_paste(struct mux *m);
/* A key was pressed: what follows goes to where the focus does. */
void input_follow(struct mux *m);
/* Holds the host while there is little room for what it types, or lets it go on. */
void input_flow(struct mux *m);
/* Guest's side, after it has read: may the host go on? */
void input_was_read(struct vcon *c);

/* hotkey.c: a byte from the terminal. */
void input_byte(struct mux *m, uint8_t byte);

#endif
