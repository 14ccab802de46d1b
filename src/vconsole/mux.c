/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drain: decides what goes out next, one item at a time, and feeds the
 * UART with it.  Runs under the drain's ownership; the work of one call is
 * bounded by what the UART takes in one service.
 */
#include "mux.h"

#define LEAVE_LIMIT 1024 /* bytes for the leaving source to end its line in */
#define DEFAULT_KHZ 1000000

/* A notice has more than seven characters, its frame has fourteen. */
_Static_assert(OUT_SIZE >= NOTICE_SIZE * 3 + TERM_TEXT_MAX,
	       "all notices with their frames must fit in one item");

struct vcon *mux_focused(struct mux *m)
{
	/* Relaxed: only the owner, which we are, writes it. */
	return m->src[__atomic_load_n(&m->focus, __ATOMIC_RELAXED)];
}

uint64_t mux_khz(const struct mux *m)
{
	uint64_t f = m->ops->tsc_khz ? m->ops->tsc_khz() : 0;

	return f ? f : DEFAULT_KHZ;
}

/* Who has a port of its own is not shown here. */
static bool is_elsewhere(struct mux *m, unsigned source)
{
	const struct private_line *own = m->src[source]->own;

	if (own)
		notice(m, "the console of %s is on port 0x%x, not on this line",
		       m->src[source]->name, own->base);
	return own != NULL;
}

void mux_focus(struct mux *m, unsigned source)
{
	if (is_elsewhere(m, source))
		return;
	if (source != m->want)
		m->last = m->want;
	m->want = source;
	m->view.again = false;
	m->view.spy = false;
	m->view.refused = false;
	if (!m->switching)
		m->leave_budget = LEAVE_LIMIT;
	m->switching = true;
}

void mux_spy(struct mux *m, unsigned source)
{
	mux_focus(m, source);
	m->view.spy = m->want == source; /* not one that is shown elsewhere */
}

void mux_replay(struct mux *m)
{
	bool spy = m->view.spy;

	mux_focus(m, m->want);
	m->view.spy = spy;
	m->view.again = true;
}

/* The leaving source may end its line as long as it has something to end it with. */
static bool may_leave(struct mux *m)
{
	return m->view.replaying || m->out.line_empty || !m->leave_budget || !ring_used(&mux_focused(m)->out);
}

static void announce_focus(struct mux *m, const struct vcon *to)
{
	out_own_line(&m->out);
	if (to->index == ALL) {
		out_text(&m->out, "[bulkhead: all]\r\n");
		return;
	}
	out_text(&m->out, m->view.spy ? "[bulkhead: spy " : "[bulkhead: console ");
	out_text(&m->out, to->name);
	out_text(&m->out, "]\r\n");
}

static void switch_focus(struct mux *m)
{
	struct vcon *from = mux_focused(m), *to = m->src[m->want];

	m->switching = false;
	view_leave(m);
	/* Relaxed: vcon_left has the fence that a waiting guest needs. */
	__atomic_store_n(&m->focus, to->index, __ATOMIC_RELAXED);
	if (from != to)
		vcon_left(m, from);
	if (m->ops->route)
		m->ops->route(is_guest(to) ? (int)to->index : -1);
	m->losing = false;
	m->cut = true;
	message_refocus(m);
	m->view.entering = true;
	if (to->index == ALL && from != to)
		merge_enter(m);
	announce_focus(m, to);
}

/* Composes the next item; false when there is nothing to show. */
static bool compose(struct mux *m)
{
	m->out.pos = 0;
	m->out.len = 0;
	if (framed_on(m)) {
		framed_compose(m);
		return m->out.len != 0;
	}
	if (m->switching && may_leave(m))
		switch_focus(m);
	else if (!m->switching && message_due(m))
		message_show(m);
	if (!m->out.len)
		source_show(m);
	return m->out.len != 0;
}

/* True when there is a byte to send. */
static bool have_output(struct mux *m)
{
	return m->out.pos < m->out.len || compose(m);
}

static void transmit(struct mux *m)
{
	unsigned room;

	while (have_output(m)) {
		room = uart_room(&m->uart);
		if (!room)
			return;
		while (room-- && have_output(m))
			uart_send(&m->uart, m->out.buf[m->out.pos++]);
	}
}

static void receive(struct mux *m)
{
	int byte = uart_get(&m->uart);

	if (byte >= 0)
		input_arrived(m);
	for (; byte >= 0; byte = uart_get(&m->uart))
		if (!framed_input(m, (uint8_t)byte))
			input_byte(m, (uint8_t)byte);
	if (!framed_on(m)) /* there credit holds the host */
		input_flow(m);
}

static void take_request(struct mux *m)
{
	/* Acquire is not needed: the value says it all. */
	unsigned request = __atomic_exchange_n(&m->request, 0, __ATOMIC_RELAXED);

	if (!request)
		return;
	/* The monitor is asked for when no guest is left that could read on. */
	if (request - 1 == MONITOR)
		input_follow(m);
	else
		input_keep_paste(m);
	mux_focus(m, request - 1);
}

static void wake_guests(struct mux *m)
{
	uint32_t wake = m->wake;
	unsigned i;

	m->wake = 0;
	for (i = 0; i < m->n_guests; i++)
		if ((wake & (1U << i)) && m->ops->wake)
			m->ops->wake(i);
}

/* Says whether the UART's interrupt will continue the drain. */
static bool set_draining(struct mux *m)
{
	bool more = have_output(m) || monitor_wants(m);

	__atomic_store_n(&m->draining, more, __ATOMIC_RELAXED);
	if (more)
		return true;
	/* `draining`, then the ring; pairs with the fence in vcon.c's announce(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	more = have_output(m);
	__atomic_store_n(&m->draining, more, __ATOMIC_RELAXED);
	return more;
}

/* Without a port nothing is ever shown, so nothing is left to show. */
static void work_unseen(struct mux *m)
{
	m->switching = false;
	__atomic_store_n(&m->focus, m->want, __ATOMIC_RELAXED);
	__atomic_store_n(&m->msg.log_pos, log_newest(), __ATOMIC_RELAXED);
	__atomic_store_n(&m->drained, true, __ATOMIC_RELAXED);
}

/* Nothing but output of the focused guest: no line of ours, no switch, no rest of an item. */
static bool only_guest_output(struct mux *m)
{
	const struct vcon *c = mux_focused(m);
	const uint64_t used = ring_used(&c->out);

	return m->uart.present && !framed_on(m) && is_guest(c) &&
	       used && used <= m->uart.depth && m->out.pos == m->out.len &&
	       !m->switching && !m->cut && !m->draining &&
	       !m->view.entering && !m->view.replaying &&
	       !m->msg.have_record && !m->msg.notice_len && m->msg.log_pos == log_newest() &&
	       /* Relaxed: who sets these also sets `pending`, so there is another round. */
	       !__atomic_load_n(&m->request, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&c->waiting, __ATOMIC_RELAXED);
}

/*
 * The usual work, done for every byte that a guest writes: into an idle
 * transmitter, with nothing received.  The UART's interrupts stay as they are:
 * only the receiver's are on.  False: the full work has to go on from here.
 */
static bool quick_work(struct mux *m)
{
	unsigned room;

	if (!only_guest_output(m) || !uart_only_transmits(&m->uart))
		return false;
	__atomic_store_n(&m->drained, false, __ATOMIC_RELAXED); /* see mux_work */
	m->out.pos = 0;
	m->out.len = 0;
	source_show_live(m);
	for (room = m->uart.depth; room && m->out.pos < m->out.len; room--)
		uart_send(&m->uart, m->out.buf[m->out.pos++]);
	return m->out.pos == m->out.len && !ring_used(&mux_focused(m)->out);
}

/* The merged view or a frame waits for the end of a line, or for the time to go without. */
static bool unfinished_is_due(struct mux *m)
{
	if (framed_on(m))
		return framed_holds(m);
	if (mux_focused(m)->index != ALL || !m->merge.deadline)
		return false;
	if (m->ops->alarm)
		m->ops->alarm(m->merge.deadline);
	return true;
}

void mux_work(struct mux *m)
{
	bool more;

	if (quick_work(m))
		return;
	take_request(m);
	if (!m->uart.present) {
		work_unseen(m);
		return;
	}
	message_look(m);
	uart_begin(&m->uart);
	receive(m);
	monitor_work(m);
	transmit(m);
	vcon_collect_wakes(m);
	more = set_draining(m);
	/* Relaxed: console_drained asks again and again. */
	__atomic_store_n(&m->drained, !more && !unfinished_is_due(m) && uart_tx_idle(&m->uart),
			 __ATOMIC_RELAXED);
	uart_end(&m->uart, more);
	if (m->uart.gone)
		vcon_port_lost(m);
	wake_guests(m);
}
