/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the hypervisor's own lines may appear among a guest's output.
 *
 * A log record waits until the focused ring has been shown up to where its
 * head was when the record was first seen: what a guest printed before it
 * stopped comes before the line that says so.  After that, and for notices
 * (answers to hotkeys) from the start, only the end of the guest's present
 * line is awaited: a newline, or nothing more to show.
 */
#include <stdarg.h>

#include "fmt.h"
#include "kstring.h"
#include "mux.h"

#define MAX_BARRIER KIB(64) /* a record waits for no more output than this */
#define MAX_PAST 4096	    /* and then for no more than this without a newline */

void notice(struct mux *m, const char *fmt, ...)
{
	struct messages *s = &m->msg;
	size_t room = NOTICE_SIZE - s->notice_len;
	va_list ap;

	if (room < 2)
		return; /* somebody leans on the keyboard */
	va_start(ap, fmt);
	s->notice_len += fmt_vbuf(s->notice + s->notice_len, room, fmt, ap);
	va_end(ap);
	s->notice_len++; /* the terminator separates the notices */
}

static uint64_t focused_tail(struct mux *m)
{
	return ring_tail(&mux_focused(m)->out);
}

static void set_barrier(struct mux *m)
{
	struct ring *r = &mux_focused(m)->out;
	uint64_t head = ring_head(r), tail = ring_tail(r);

	m->msg.barrier = head - tail > MAX_BARRIER ? tail : head;
	m->msg.past = 0;
}

void message_look(struct mux *m)
{
	struct messages *s = &m->msg;
	uint64_t pos = s->log_pos, lost = 0;

	if (s->have_record)
		return;
	while (!s->have_record && log_read(&pos, &s->record, &lost))
		s->have_record = !s->quiet && s->record.level <= (unsigned)log_get_level();
	/* Relaxed: console_has_work only compares it. */
	__atomic_store_n(&s->log_pos, pos, __ATOMIC_RELAXED);
	if (lost && !s->quiet)
		notice(m, "%llu log messages lost", (unsigned long long)lost);
	if (s->have_record && pos > s->batch_end) {
		s->batch_end = log_newest();
		set_barrier(m);
	}
}

static bool record_ready(struct mux *m)
{
	if (mux_focused(m)->index == ALL)
		return false; /* a record is one more line there: merge.c */
	return m->msg.have_record && focused_tail(m) >= m->msg.barrier;
}

/* Only the guest's present line stands in the way of a message. */
static bool line_awaited(struct mux *m)
{
	return m->msg.notice_len || record_ready(m);
}

bool message_due(struct mux *m)
{
	message_look(m);
	if (!line_awaited(m))
		return false;
	return m->out.line_empty || m->msg.past >= MAX_PAST ||
	       !ring_used(&mux_focused(m)->out);
}

static void show_notices(struct mux *m)
{
	struct messages *s = &m->msg;
	size_t at = 0;

	while (at < s->notice_len) {
		out_message(&m->out, s->notice + at);
		at += strlen(s->notice + at) + 1;
	}
	s->notice_len = 0;
}

void message_show(struct mux *m)
{
	struct messages *s = &m->msg;

	if (!m->out.line_empty)
		m->cut = true;
	view_suspend(m);
	if (s->notice_len) {
		show_notices(m);
	} else {
		s->record.text[LOG_TEXT - 1] = '\0';
		out_message(&m->out, s->record.text);
		s->have_record = false;
	}
	view_resume(m);
	s->past = 0;
}

size_t message_limit(struct mux *m, const uint8_t *data, size_t n)
{
	struct messages *s = &m->msg;
	uint64_t tail = focused_tail(m);
	size_t i;

	if (s->have_record && mux_focused(m)->index != ALL && s->barrier > tail)
		n = (size_t)min_u64(n, s->barrier - tail);
	if (!line_awaited(m))
		return n;
	for (i = 0; i < n; i++)
		if (data[i] == '\n') {
			n = i + 1;
			break;
		}
	s->past += (unsigned)n;
	return n;
}

/* Another ring is shown now: what waits for a position waits for one in that. */
void message_refocus(struct mux *m)
{
	set_barrier(m);
}

bool message_take(struct mux *m, char *text, size_t size)
{
	struct messages *s = &m->msg;

	message_look(m);
	if (s->notice_len) {
		const size_t first = strlen(s->notice) + 1;

		fmt_buf(text, size, "%s", s->notice);
		s->notice_len -= first;
		memmove(s->notice, s->notice + first, s->notice_len);
		return true;
	}
	if (!s->have_record)
		return false;
	s->record.text[LOG_TEXT - 1] = '\0';
	fmt_buf(text, size, "%s", s->record.text);
	s->have_record = false;
	return true;
}
