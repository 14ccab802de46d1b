/* SPDX-License-Identifier: BSD-2-Clause */
/* attach: the line, a serial device or a Unix socket, opened again when it went away. */
#define _DEFAULT_SOURCE /* cfmakeraw, cfsetspeed */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "attach.h"

static speed_t speed_of(unsigned baud)
{
	static const struct {
		unsigned baud;
		speed_t speed;
	} speeds[] = {
		{ 1200, B1200 },   { 2400, B2400 },   { 4800, B4800 },	 { 9600, B9600 },
		{ 19200, B19200 }, { 38400, B38400 }, { 57600, B57600 }, { 115200, B115200 },
	};

	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].baud == baud)
			return speeds[i].speed;
	return B115200;
}

static bool set_raw(int fd, unsigned baud)
{
	struct termios t;

	if (tcgetattr(fd, &t) != 0)
		return errno == ENOTTY;
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&t, speed_of(baud));
	return tcsetattr(fd, TCSANOW, &t) == 0;
}

static int open_device(const struct line *l)
{
	const int fd = open(l->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && !set_raw(fd, l->baud)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_socket(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
			fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool line_open(struct line *l)
{
	struct stat st;

	l->out_len = 0;
	if (stat(l->path, &st) != 0)
		return false;
	l->fd = S_ISSOCK(st.st_mode) ? open_socket(l->path) : open_device(l);
	return l->fd >= 0;
}

void line_close(struct line *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->out_len = 0;
}

bool line_put(struct line *l, const void *data, size_t n)
{
	if (l->fd < 0 || n > sizeof(l->out) - l->out_len)
		return false;
	memcpy(l->out + l->out_len, data, n);
	l->out_len += n;
	return true;
}

/* Would the other side be ready later? */
static bool try_later(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void line_flush(struct line *l)
{
	ssize_t n;

	if (l->fd < 0 || l->out_len == 0)
		return;
	n = write(l->fd, l->out, l->out_len);
	if (n < 0) {
		if (!try_later())
			line_close(l);
		return;
	}
	l->out_len -= (size_t)n;
	memmove(l->out, l->out + n, l->out_len);
}

size_t line_read(struct line *l, uint8_t *data, size_t max)
{
	ssize_t n;

	if (l->fd < 0)
		return 0;
	n = read(l->fd, data, max);
	if (n > 0)
		return (size_t)n;
	if (n == 0 || !try_later())
		line_close(l);
	return 0;
}
