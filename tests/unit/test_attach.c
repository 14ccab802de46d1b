/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of the framed mode at once: `bulkhead attach`'s session and the
 * multiplexer, with a line between them that may have noise and may lose bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "../../tools/attach.h"
#include "console_fixture.h"

#define BUF 4096
#define STREAM (256U << 10)

void attach_say(const char *fmt, ...)
{
	(void)fmt;
}

static struct session session;
static char dir[] = "/tmp/bulkhead-attach-XXXXXX";
static int line_end; /* the line's end at the hypervisor */
static int64_t now;
/* What the line does to bytes towards the host: one in so many, 0: none. */
static unsigned noise, loss;

static void line_to_host(void)
{
	uint8_t out[4 * FRAME_LINE_MAX];
	size_t n = 0, i;

	for (i = 0; i < tty.out_len; i++) {
		if (noise && (unsigned)rand() % noise == 0)
			out[n++] = (uint8_t)rand();
		if (!loss || (unsigned)rand() % loss)
			out[n++] = tty.out[i];
		if (n > sizeof(out) - 2 || i + 1 == tty.out_len) {
			assert_int_equal(write(line_end, out, n), n);
			n = 0;
		}
	}
	forget();
}

/* One turn: a moment of the line in both directions. */
static void turn(void)
{
	static uint8_t in[8192];
	ssize_t n;

	now += 10;
	session_input(&session, now);
	session_work(&session, now);
	n = recv(line_end, in, sizeof(in), MSG_DONTWAIT);
	if (n > 0)
		type_bytes(in, (size_t)n);
	run();
	line_to_host();
}

static void turns(unsigned n)
{
	while (n--)
		turn();
}

static int client(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s.sock", dir, name);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	turns(2);
	return fd;
}

static size_t take(int fd, uint8_t *data, size_t max)
{
	const ssize_t n = recv(fd, data, max, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

static int setup(void **state)
{
	int ends[2];

	(void)state;
	fx_setup();
	fx_add("alpha", BUF, OVERFLOW_BLOCK);
	fx_add("beta", BUF, OVERFLOW_BLOCK);
	console_start(false);
	run();
	forget();
	noise = loss = 0;
	now = 1000;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	session_init(&session);
	session.dir = dir;
	session.escape = ESC_KEY;
	session.line.fd = ends[0];
	session.line.path = "/nowhere";
	session.state = SESSION_ASKING;
	session.nonce = 1;
	line_end = ends[1];
	turns(20);
	assert_int_equal(session.state, SESSION_RUNNING);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	session_close(&session);
	memset(&session, 0, sizeof(session));
	close(line_end);
	rmdir(dir);
	fx_free();
	return 0;
}

static uint8_t expected(uint32_t at)
{
	return (uint8_t)(at * 7 + (at >> 8) * 13);
}

/* Both guests write as fast as they may, both sockets are read: the streams arrive whole. */
static void stream_both(void)
{
	const int fd[2] = { client("alpha"), client("beta") };
	uint32_t wrote[2] = { 0 }, got[2] = { 0 };
	uint8_t data[4096];

	while (got[0] < STREAM || got[1] < STREAM) {
		for (unsigned vm = 0; vm < 2; vm++) {
			for (unsigned k = 0; k < 1000 && wrote[vm] < STREAM; k++)
				wrote[vm] += vcon_put(guest[vm], expected(wrote[vm]));
			const size_t n = take(fd[vm], data, sizeof(data));

			for (size_t i = 0; i < n; i++)
				assert_int_equal(data[i], expected(got[vm]++));
		}
		turn();
	}
	for (unsigned vm = 0; vm < 2; vm++)
		close(fd[vm]);
}

static void streams_arrive_whole(void **state)
{
	(void)state;
	stream_both();
}

static void noise_between_frames_costs_nothing(void **state)
{
	const int fd = client("alpha");
	uint8_t data[4096];
	uint32_t got = 0;

	(void)state;
	for (uint32_t at = 0; at < 4010; at++) { /* the last turns bring what is under way */
		uint8_t junk[16];
		const size_t n = (size_t)rand() % sizeof(junk);

		for (size_t i = 0; i < n; i++)
			junk[i] = (uint8_t)rand();
		assert_int_equal(write(line_end, junk, n), n);
		if (at < 4000)
			assert_true(vcon_put(guest[0], expected(at)));
		turn();
		const size_t k = take(fd, data, sizeof(data));

		for (size_t i = 0; i < k; i++)
			assert_int_equal(data[i], expected(got++));
	}
	assert_int_equal(got, 4000);
	close(fd);
}

/* What arrives is a part of what was written, with a mark for what is missing. */
static void a_bad_line_loses_only_what_it_says(void **state)
{
	const int fd = client("alpha");
	static char all[STREAM * 2];
	size_t n = 0, at = 0;
	uint32_t wrote = 0, place = 0, lost;

	(void)state;
	noise = 2000;
	loss = 2000;
	for (unsigned i = 0; i < 3000; i++) {
		for (unsigned k = 0; k < 50; k++)
			wrote += vcon_put(guest[0], (uint8_t)('a' + wrote % 26));
		turn();
		n += take(fd, (uint8_t *)all + n, sizeof(all) - n);
	}
	noise = loss = 0;
	turns(700);
	n += take(fd, (uint8_t *)all + n, sizeof(all) - n - 1);
	all[n] = '\0';
	while (at < n) {
		if (sscanf(all + at, "\r\n[bulkhead: %u bytes lost]", &lost) == 1) {
			place += lost;
			at = (size_t)(strchr(all + at, ']') - all) + 3;
			continue;
		}
		assert_int_equal(all[at++], 'a' + place++ % 26);
	}
	assert_int_equal(place, wrote);
	assert_true(session.decoder.bad > 0);
	close(fd);
}

static void who_does_not_read_holds_up_only_itself(void **state)
{
	const int idle = client("alpha"), reader = client("beta");
	uint8_t data[4096];
	uint32_t wrote = 0, got = 0, blocked = 0;

	(void)state;
	for (unsigned i = 0; i < 20000 && got < STREAM; i++) {
		for (unsigned k = 0; k < 500; k++) {
			blocked += !vcon_put(guest[0], 'x');
			if (wrote < STREAM)
				wrote += vcon_put(guest[1], expected(wrote));
		}
		turn();
		const size_t n = take(reader, data, sizeof(data));

		for (size_t k = 0; k < n; k++)
			assert_int_equal(data[k], expected(got++));
	}
	assert_int_equal(got, STREAM);
	assert_true(blocked > 0);
	close(idle);
	close(reader);
	/* With its reader gone, alpha goes on. */
	turns(300);
	assert_true(vcon_put(guest[0], 'x'));
}

static void a_long_paste_arrives_whole(void **state)
{
	const int fd = client("alpha");
	static uint8_t paste[STREAM];
	uint32_t sent = 0, got = 0;

	(void)state;
	for (uint32_t i = 0; i < STREAM; i++)
		paste[i] = expected(i);
	for (unsigned i = 0; i < 100000 && got < STREAM; i++) {
		const ssize_t n = send(fd, paste + sent, STREAM - sent, MSG_DONTWAIT);
		int byte;

		sent += n > 0 ? (uint32_t)n : 0;
		turn();
		for (unsigned k = 0; k < 100 && (byte = vcon_get(guest[0])) >= 0; k++)
			assert_int_equal(byte, expected(got++));
		if (console_has_work())
			run();
	}
	assert_int_equal(got, STREAM);
	close(fd);
}

/* The hypervisor starts anew, with its line in plain mode: no guest sees a byte of a frame. */
static void a_restarted_hypervisor_is_found_again(void **state)
{
	const uint8_t nonce = session.nonce;

	(void)state;
	fx_free();
	fx_setup();
	fx_add("alpha", BUF, OVERFLOW_BLOCK);
	fx_add("beta", BUF, OVERFLOW_BLOCK);
	console_start(false);
	turns(500);
	assert_int_equal(session.state, SESSION_RUNNING);
	assert_int_not_equal(session.nonce, nonce);
	assert_int_equal(vcon_pending(guest[0]), 0);
	stream_both();
}

/* A frame from the hypervisor, as it stands. */
static void to_host(enum frame_type type, unsigned channel, const void *data, size_t len)
{
	uint8_t line[FRAME_LINE_MAX];
	const size_t n = frame_make(line, type, channel, data, len);

	assert_int_equal(write(line_end, line, n), n);
	session_input(&session, now);
}

/* Whole frames with too little in them, for nobody, or with numbers that make no sense. */
static void nonsense_from_the_line_is_not_taken(void **state)
{
	static const enum frame_type types[] = { FRAME_NAME, FRAME_DATA, FRAME_CREDIT, FRAME_STATUS };
	struct channel *c = &session.channels[1];
	const uint32_t position = c->position, limit = c->in_limit;
	const uint64_t head = c->head;
	uint8_t behind[8] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t len = 0; len < 4; len++)
			for (unsigned channel = 0; channel < FRAME_CHANNELS; channel++)
				to_host(types[i], channel, "\xFF\xFF\xFF", len);
	/* Among so many there are some whose checksum would complete the position. */
	for (unsigned i = 0; i < 4096; i++) {
		const uint8_t short_of[] = { (uint8_t)i, (uint8_t)(i >> 8), 0 };

		to_host(FRAME_DATA, 1, short_of, sizeof(short_of));
		to_host(FRAME_CREDIT, 1, short_of, sizeof(short_of));
	}
	frame_put32(behind, position - 4);
	to_host(FRAME_DATA, 1, behind, 8);
	to_host(FRAME_NAME, 1, "\0\0\0\0\0\0\0\0other", 13); /* not asked for */
	assert_int_equal(c->position, position);
	assert_int_equal(c->in_limit, limit);
	assert_true(c->head == head);
	assert_string_equal(c->name, "alpha");
	assert_int_equal(session.state, SESSION_RUNNING);
	stream_both();
}

/* The line ends amid a frame and goes on with another one, at any byte of it. */
static void a_cut_frame_costs_only_itself(void **state)
{
	const int fd = client("alpha");
	uint8_t line[FRAME_LINE_MAX], data[64], at[5];
	const uint32_t position = session.channels[1].position;
	const size_t n = frame_make_at(line, FRAME_DATA, 2, 0, "never whole", 11);

	(void)state;
	at[4] = 'x';
	for (size_t keep = 1; keep < n - 1; keep++) {
		assert_int_equal(write(line_end, line, keep), keep);
		frame_put32(at, position + (uint32_t)keep - 1);
		to_host(FRAME_DATA, 1, at, sizeof(at));
	}
	session_work(&session, now);
	assert_int_equal(take(fd, data, sizeof(data)), n - 2);
	for (size_t i = 0; i < n - 2; i++)
		assert_int_equal(data[i], 'x');
	assert_true(session.channels[2].head == 0);
	close(fd);
}

/* A name from the line becomes files in one folder, or the end. */
static void a_name_is_no_path(void **state)
{
	static const char *const names[] = { "../up", "/root", ".", "a/b", "a b" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint8_t data[8 + NAME_LIMIT] = { 0 };

		session.state = SESSION_ASKING;
		session.answered = true;
		memcpy(data + 8, names[i], strlen(names[i]));
		to_host(FRAME_NAME, 15, data, 8 + strlen(names[i]));
		assert_int_equal(session.state, SESSION_ENDED);
		assert_int_equal(session.channels[15].listener, -1);
	}
}

/* Started again with another configuration: the consoles that are no more go away. */
static void a_restart_with_fewer_guests_leaves_no_files(void **state)
{
	char path[64];
	int fd;

	(void)state;
	fd = client("beta");
	fx_free();
	fx_setup();
	fx_add("alpha", BUF, OVERFLOW_BLOCK);
	console_start(false);
	turns(500);
	assert_int_equal(session.state, SESSION_RUNNING);
	assert_int_equal(session.n_channels, 2);
	snprintf(path, sizeof(path), "%s/beta.sock", dir);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(session.channels[2].listener, -1);
	assert_int_equal(recv(fd, path, 1, MSG_DONTWAIT), 0); /* its reader sees the end */
	close(fd);
}

static void bye_makes_the_line_plain(void **state)
{
	(void)state;
	session_bye(&session);
	turns(3);
	assert_int_equal(session.state, SESSION_ENDED);
	assert_false(framed_on(console_mux()));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(streams_arrive_whole),
		TEST(noise_between_frames_costs_nothing),
		TEST(a_bad_line_loses_only_what_it_says),
		TEST(who_does_not_read_holds_up_only_itself),
		TEST(a_long_paste_arrives_whole),
		TEST(a_restarted_hypervisor_is_found_again),
		TEST(nonsense_from_the_line_is_not_taken),
		TEST(a_cut_frame_costs_only_itself),
		TEST(a_name_is_no_path),
		TEST(a_restart_with_fewer_guests_leaves_no_files),
		TEST(bye_makes_the_line_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
