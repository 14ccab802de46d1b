/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `bulkhead attach`: the host's end of the framed mode (docs/framing.md).
 * One thread, one poll loop; no call blocks but writes to log files.
 */
#ifndef BULKHEAD_ATTACH_H
#define BULKHEAD_ATTACH_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define NAME_LIMIT 64
#define PATH_LIMIT 512

/* ---- attach_channel.c: one console, and who reads it ---- */

#define BUFFER (128U << 10)
#define WINDOW (64U << 10)  /* of output that the hypervisor may send ahead of the slowest reader */
#define BACKLOG (16U << 10) /* of output that a new reader gets */
#define MAX_READERS 8	    /* of them the first is the PTY */

struct reader {
	int fd; /* -1: none */
	uint64_t position; /* in the buffer */
	bool idle;	   /* a PTY that nobody has open */
	bool no_input;	   /* the other side closed its writing half */
};

struct channel {
	char name[NAME_LIMIT]; /* "": not known yet */
	int listener, log;
	struct reader readers[MAX_READERS];
	unsigned next_reader; /* whose input is read next */
	uint8_t buffer[BUFFER];
	uint64_t head; /* bytes ever put into the buffer */
	/* Positions of the two streams on the line; see docs/framing.md. */
	uint32_t position, granted, in_position, in_limit;
};

void channel_init(struct channel *c);
/*
 * Makes DIR/NAME.pty, DIR/NAME.sock and, if wished, DIR/NAME.log.  False: the
 * reason was printed.
 */
bool channel_open(struct channel *c, const char *dir, const char *name, bool log);
/* Takes the files away that channel_open made. */
void channel_close(struct channel *c, const char *dir);
void channel_put(struct channel *c, const uint8_t *data, size_t n);
/* How far the hypervisor may send. */
uint32_t channel_limit(const struct channel *c);
/* Input from one of the readers, in turns; 0: there is none now. */
size_t channel_read(struct channel *c, uint8_t *data, size_t max);
/* Adds what is to be waited for; `input`: whether channel_read will be called. */
size_t channel_poll(struct channel *c, struct pollfd *fds, bool input);
/* New readers, and bytes for those that take some. */
void channel_serve(struct channel *c);

/* ---- attach_line.c: the line to the hypervisor ---- */

struct line {
	const char *path;
	unsigned baud;
	int fd; /* -1: not connected */
	uint8_t out[4096];
	size_t out_len;
};

/* False: not now; the reason is printed once for each time that it goes away. */
bool line_open(struct line *l);
void line_close(struct line *l);
/* False when there is no room; nothing was taken then. */
bool line_put(struct line *l, const void *data, size_t n);
void line_flush(struct line *l);
/* Bytes read, 0 when there are none; closes the line when it ends. */
size_t line_read(struct line *l, uint8_t *data, size_t max);

/* ---- attach_session.c: the protocol ---- */

enum session_state { SESSION_DOWN, SESSION_ASKING, SESSION_RUNNING, SESSION_ENDED };

struct session {
	struct line line;
	uint8_t escape;
	const char *dir;
	bool log;
	enum session_state state;
	uint8_t nonce;	/* of the present attempt: tells its answer from an old one */
	bool answered;	/* names and status may follow */
	unsigned n_channels, turn;
	struct channel channels[FRAME_CHANNELS];
	struct frame_decoder decoder;
	int64_t next_ms;  /* when to ask, or to send the next status */
	int64_t heard_ms; /* when the last frame came */
	unsigned asked;   /* times without an answer */
	uint64_t stray;   /* bytes outside of frames since the last frame */
};

void session_init(struct session *s);
void session_input(struct session *s, int64_t now_ms);
/* What time brings, then output as far as the line takes it. */
void session_work(struct session *s, int64_t now_ms);
/* Asks for the end of the framed mode; it has ended when the state says so. */
void session_bye(struct session *s);
void session_close(struct session *s);

/* attach.c */
int attach_main(int argc, char **argv);
/* A line on standard output, at once. */
void attach_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
