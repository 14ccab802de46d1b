/* SPDX-License-Identifier: BSD-2-Clause */
/* `bulkhead attach`: arguments, and the loop. */
#include "attach.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_FDS (1 + FRAME_CHANNELS * (MAX_READERS + 1))
#define TICK_MS 100  /* how often a PTY that nobody has open is looked at */
#define BYE_MS 2000  /* how long the end of the framed mode is awaited */
#define CONTROL_MASK 0x1F

static const char usage[] =
	"usage: bulkhead attach [--dir DIR] [--log] [--escape ^X] [--baud N] DEVICE|SOCKET\n"
	"\n"
	"Puts the console line into framed mode and offers each guest and the monitor as\n"
	"DIR/NAME.pty and DIR/NAME.sock, all at the same time, until it is interrupted.\n"
	"  --dir DIR    where (the current folder)\n"
	"  --log        what each says is also appended to DIR/NAME.log\n"
	"  --escape ^X  the escape key of the hypervisor's configuration (^E)\n"
	"  --baud N     the rate of a serial device (115200)\n"
	"Lines of the hypervisor and what happens to the line come on standard output.\n";

static volatile sig_atomic_t stop_asked;

static void on_signal(int signal)
{
	(void)signal;
	stop_asked = 1;
}

void attach_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool wrong(const char *what, const char *arg)
{
	fprintf(stderr, "bulkhead: %s '%s'\n\n%s", what, arg, usage);
	return false;
}

/* A key as the configuration has it: ^E. */
static bool parse_escape(struct session *s, const char *value)
{
	if (value[0] != '^' || value[1] < '@' || value[1] > '_' || value[2] != '\0')
		return wrong("not a control key such as ^E:", value);
	s->escape = (uint8_t)(value[1] & CONTROL_MASK);
	return true;
}

static bool parse_value(struct session *s, const char *name, const char *value)
{
	char *end;

	if (!value)
		return wrong("no value behind", name);
	if (strcmp(name, "--dir") == 0) {
		s->dir = value;
		return true;
	}
	if (strcmp(name, "--escape") == 0)
		return parse_escape(s, value);
	if (strcmp(name, "--baud") != 0)
		return wrong("unknown option", name);
	s->line.baud = (unsigned)strtoul(value, &end, 10);
	return (*end == '\0' && s->line.baud >= 1200 && s->line.baud <= 115200) ||
	       wrong("not a rate from 1200 to 115200:", value);
}

static bool parse_arguments(struct session *s, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--log") == 0) {
			s->log = true;
		} else if (argv[i][0] == '-') {
			if (!parse_value(s, argv[i], argv[i + 1]))
				return false;
			i++;
		} else if (s->line.path) {
			return wrong("one line at a time, not also", argv[i]);
		} else {
			s->line.path = argv[i];
		}
	}
	return s->line.path || wrong("no device or socket behind", "attach");
}

static bool catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal };

	sigemptyset(&a.sa_mask);
	signal(SIGPIPE, SIG_IGN);
	return sigaction(SIGINT, &a, NULL) == 0 && sigaction(SIGTERM, &a, NULL) == 0 &&
	       sigaction(SIGHUP, &a, NULL) == 0;
}

static void wait_for_something(struct session *s)
{
	struct pollfd fds[MAX_FDS];
	size_t n = 0;
	const bool quiet = s->line.out_len == 0;

	if (s->line.fd >= 0)
		fds[n++] = (struct pollfd){ .fd = s->line.fd,
					    .events = (short)(quiet ? POLLIN : POLLIN | POLLOUT) };
	for (unsigned i = 0; i < FRAME_CHANNELS; i++) {
		struct channel *c = &s->channels[i];

		n += channel_poll(c, fds + n, s->state == SESSION_RUNNING && quiet &&
						      c->in_limit != c->in_position);
	}
	poll(fds, n, TICK_MS);
}

static void loop(struct session *s)
{
	int64_t bye = 0;

	while (s->state != SESSION_ENDED) {
		wait_for_something(s);
		session_input(s, now_ms());
		session_work(s, now_ms());
		if (stop_asked && bye == 0) {
			bye = now_ms() + BYE_MS;
			session_bye(s);
		}
		if (bye != 0 && (now_ms() > bye || s->state != SESSION_RUNNING))
			return;
	}
}

int attach_main(int argc, char **argv)
{
	static struct session s;

	session_init(&s);
	s.dir = ".";
	s.escape = 'E' & CONTROL_MASK;
	s.line.baud = 115200;
	if (argc == 1 && strcmp(argv[0], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (!parse_arguments(&s, argc, argv))
		return 2;
	if (mkdir(s.dir, 0755) != 0 && errno != EEXIST) {
		perror(s.dir);
		return 2;
	}
	if (!catch_signals())
		return 2;
	loop(&s);
	session_close(&s);
	attach_say("detached");
	return 0;
}
