/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach: one console as a PTY and a Unix socket.
 *
 * All readers of a console get the same bytes.  The slowest one decides how
 * far the hypervisor may send; where nobody reads, the output is taken and
 * its last part kept for whoever comes.
 */
#define _GNU_SOURCE /* accept4, ptsname_r */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "attach.h"

#define PTY 0 /* its place among the readers */

void channel_init(struct channel *c)
{
	memset(c, 0, sizeof(*c));
	c->listener = -1;
	c->log = -1;
	for (unsigned i = 0; i < MAX_READERS; i++)
		c->readers[i].fd = -1;
}

static bool path_of(char *out, const char *dir, const char *name, const char *ending)
{
	return snprintf(out, PATH_LIMIT, "%s/%s.%s", dir, name, ending) < PATH_LIMIT;
}

static void raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
}

/* A PTY whose other side was open once: from then on it tells whether somebody has it open. */
static int new_pty(char *slave, size_t size)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), other;

	if (fd < 0)
		return -1;
	if (grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, slave, size) != 0 ||
	    (other = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
		close(fd);
		return -1;
	}
	raw(other);
	close(other);
	return fd;
}

/* Replaces a link of an earlier run in one step. */
static bool link_to(const char *target, const char *path)
{
	char temporary[PATH_LIMIT + 8];

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	unlink(temporary);
	return symlink(target, temporary) == 0 && rename(temporary, path) == 0;
}

static bool open_pty(struct channel *c, const char *path)
{
	char slave[PATH_LIMIT];
	const int fd = new_pty(slave, sizeof(slave));

	if (fd < 0)
		return false;
	c->readers[PTY] = (struct reader){ .fd = fd, .idle = true };
	return link_to(slave, path);
}

static bool open_socket(struct channel *c, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(at.sun_path, path);
	unlink(path);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return c->listener >= 0 && bind(c->listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	       listen(c->listener, MAX_READERS) == 0;
}

static bool open_log(struct channel *c, const char *path)
{
	c->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return c->log >= 0;
}

bool channel_open(struct channel *c, const char *dir, const char *name, bool log)
{
	static bool (*const openers[])(struct channel *c, const char *path) = {
		open_pty, open_socket, open_log,
	};
	static const char *const endings[] = { "pty", "sock", "log" };
	char path[PATH_LIMIT];

	for (unsigned i = 0; i < (log ? 3U : 2U); i++)
		if (!path_of(path, dir, name, endings[i]) || !openers[i](c, path)) {
			fprintf(stderr, "bulkhead: %s/%s.%s: %s\n", dir, name, endings[i],
				strerror(errno));
			return false;
		}
	snprintf(c->name, sizeof(c->name), "%s", name);
	return true;
}

void channel_close(struct channel *c, const char *dir)
{
	char path[PATH_LIMIT];

	for (unsigned i = 0; i < MAX_READERS; i++)
		if (c->readers[i].fd >= 0)
			close(c->readers[i].fd);
	if (c->listener >= 0)
		close(c->listener);
	if (c->log >= 0)
		close(c->log);
	if (c->name[0] != '\0' && path_of(path, dir, c->name, "pty"))
		unlink(path);
	if (c->name[0] != '\0' && path_of(path, dir, c->name, "sock"))
		unlink(path);
	channel_init(c);
}

/* ---- output ---- */

static void write_log(struct channel *c, const uint8_t *data, size_t n)
{
	ssize_t done;

	while (c->log >= 0 && n > 0) {
		done = write(c->log, data, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			fprintf(stderr, "bulkhead: the log of %s ends: %s\n", c->name,
				strerror(errno));
			close(c->log);
			c->log = -1;
			return;
		}
		data += done;
		n -= (size_t)done;
	}
}

void channel_put(struct channel *c, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->buffer[c->head++ % BUFFER] = data[i];
	write_log(c, data, n);
}

uint32_t channel_limit(const struct channel *c)
{
	uint64_t behind = 0;

	for (unsigned i = 0; i < MAX_READERS; i++) {
		const struct reader *r = &c->readers[i];

		if (r->fd >= 0 && !r->idle && c->head - r->position > behind)
			behind = c->head - r->position;
	}
	return c->position + (behind < WINDOW ? WINDOW - (uint32_t)behind : 0);
}

/* A reader that just came gets the last part of what was written before. */
static void start_reader(struct channel *c, struct reader *r)
{
	r->position = c->head > BACKLOG ? c->head - BACKLOG : 0;
	r->idle = false;
	r->no_input = false;
}

static void end_reader(struct reader *r)
{
	close(r->fd);
	r->fd = -1;
}

/* The PTY stays when whoever had it open has closed it. */
static void lose_reader(struct channel *c, struct reader *r)
{
	if (r == &c->readers[PTY]) {
		r->idle = true;
		raw(r->fd);
		tcflush(r->fd, TCIOFLUSH);
	} else {
		end_reader(r);
	}
}

static void feed(struct channel *c, struct reader *r)
{
	while (r->position < c->head) {
		const size_t at = r->position % BUFFER;
		size_t n = (size_t)(c->head - r->position);
		ssize_t done;

		if (n > BUFFER - at)
			n = BUFFER - at;
		done = r == &c->readers[PTY] ? write(r->fd, c->buffer + at, n)
					     : send(r->fd, c->buffer + at, n, MSG_NOSIGNAL);
		if (done < 0) {
			if (errno != EAGAIN && errno != EINTR)
				lose_reader(c, r);
			return;
		}
		r->position += (uint64_t)done;
	}
}

/* Nobody had the PTY open: does somebody now? */
static void look_at_pty(struct channel *c)
{
	struct reader *r = &c->readers[PTY];
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	if (r->fd < 0 || poll(&p, 1, 0) < 0)
		return;
	if (!(p.revents & POLLHUP) && r->idle)
		start_reader(c, r);
	else if ((p.revents & POLLHUP) && !r->idle && !(p.revents & POLLIN))
		lose_reader(c, r);
}

static void accept_readers(struct channel *c)
{
	for (unsigned i = PTY + 1; i < MAX_READERS; i++) {
		struct reader *r = &c->readers[i];

		if (r->fd >= 0)
			continue;
		r->fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (r->fd < 0)
			return;
		start_reader(c, r);
	}
}

void channel_serve(struct channel *c)
{
	if (c->listener < 0)
		return;
	look_at_pty(c);
	accept_readers(c);
	for (unsigned i = 0; i < MAX_READERS; i++)
		if (c->readers[i].fd >= 0 && !c->readers[i].idle)
			feed(c, &c->readers[i]);
}

/* ---- input ---- */

static size_t read_from(struct channel *c, struct reader *r, uint8_t *data, size_t max)
{
	const ssize_t n = read(r->fd, data, max);

	if (n > 0)
		return (size_t)n;
	if (n == 0)
		r->no_input = true; /* it may go on reading */
	else if (errno != EAGAIN && errno != EINTR)
		lose_reader(c, r);
	return 0;
}

size_t channel_read(struct channel *c, uint8_t *data, size_t max)
{
	for (unsigned i = 0; i < MAX_READERS; i++) {
		struct reader *r = &c->readers[(c->next_reader + i) % MAX_READERS];
		size_t n;

		if (r->fd < 0 || r->idle || r->no_input)
			continue;
		n = read_from(c, r, data, max);
		if (n > 0) {
			c->next_reader = (c->next_reader + i + 1) % MAX_READERS;
			return n;
		}
	}
	return 0;
}

size_t channel_poll(struct channel *c, struct pollfd *fds, bool input)
{
	size_t n = 0;
	bool full = true;

	for (unsigned i = 0; i < MAX_READERS; i++) {
		const struct reader *r = &c->readers[i];
		short events = 0;

		full &= r->fd >= 0;
		if (r->fd < 0 || r->idle)
			continue;
		if (input && !r->no_input)
			events |= POLLIN;
		if (r->position < c->head)
			events |= POLLOUT;
		/* A half-closed socket with nothing to write would wake the loop for ever. */
		if (events)
			fds[n++] = (struct pollfd){ .fd = r->fd, .events = events };
	}
	if (c->listener >= 0 && !full)
		fds[n++] = (struct pollfd){ .fd = c->listener, .events = POLLIN };
	return n;
}
