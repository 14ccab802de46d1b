/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consoles with a physical port of their own.
 *
 * The protocol between the guest, which announces bytes, and the line's owner
 * is that of the shared line (console.c and vcon.c), with flags of its own.
 */
#include "private.h"
#include "fmt.h"
#include "mux.h"

#define CHUNK 64
#define MAX_ROUNDS 4

bool console_bind(struct vcon *c, struct private_line *line, const struct uart_port *port,
		  uint16_t base, unsigned baud)
{
	const struct mux *m = console_mux();

	if (m->uart.present && m->uart_base == base)
		return false;
	*line = (struct private_line){ .base = base };
	if (!uart_init(&line->uart, *port, baud))
		return false;
	c->own = line;
	console_mux()->n_own++;
	return true;
}

static void receive(struct mux *m, struct vcon *c)
{
	int byte;

	while ((byte = uart_get(&c->own->uart)) >= 0)
		vcon_put_input(c, (uint8_t)byte);
	if (vcon_wants_input(c) && m->ops->wake)
		m->ops->wake(c->index);
}

static bool next_mark_byte(struct private_line *l, uint8_t *byte)
{
	if (l->mark_pos == l->mark_len)
		return false;
	*byte = (uint8_t)l->mark[l->mark_pos++];
	return true;
}

/* Up to `n` bytes; returns how many went out. */
static size_t send_some(struct vcon *c, size_t n)
{
	struct private_line *l = c->own;
	uint64_t missed = 0;
	uint8_t data[CHUNK], byte;
	size_t i;

	if (next_mark_byte(l, &byte)) {
		uart_send(&l->uart, byte);
		return 1;
	}
	n = ring_peek(&c->out, data, min_u64(n, CHUNK), &missed);
	if (missed) {
		l->mark_pos = 0;
		l->mark_len = (unsigned)fmt_buf(l->mark, sizeof(l->mark),
						"\r\n[bulkhead: %llu bytes lost]\r\n",
						(unsigned long long)missed);
		return send_some(c, 1);
	}
	for (i = 0; i < n; i++)
		uart_send(&l->uart, data[i]);
	ring_consume(&c->out, n);
	return n;
}

static bool have_output(const struct vcon *c)
{
	return c->own->mark_pos < c->own->mark_len || ring_used(&c->out);
}

static void transmit(struct vcon *c)
{
	size_t room;

	while (have_output(c) && (room = uart_room(&c->own->uart)) != 0)
		while (room && have_output(c))
			room -= min_u64(send_some(c, room), room);
}

/* Says whether the UART's interrupt will continue. */
static bool set_draining(struct vcon *c)
{
	bool more = have_output(c);

	__atomic_store_n(&c->own->draining, more, __ATOMIC_RELAXED);
	if (more)
		return true;
	/* `draining`, then the ring; pairs with the fence in vcon.c's announce(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	more = have_output(c);
	__atomic_store_n(&c->own->draining, more, __ATOMIC_RELAXED);
	return more;
}

/* The port is there no more: from now on the guest does not wait for it. */
static void port_lost(struct mux *m, struct vcon *c)
{
	__atomic_store_n(&c->own->uart.present, false, __ATOMIC_RELAXED);
	log_error("console of %s: its serial port answers no more; the guest goes on without it",
		  c->name);
	/* `present`, then the flag; pairs with vcon_room. */
	if (vcon_gives_up_waiting(c) && m->ops->wake)
		m->ops->wake(c->index);
}

static void work(struct mux *m, struct vcon *c)
{
	if (!c->own->uart.present)
		return;
	uart_begin(&c->own->uart);
	receive(m, c);
	transmit(c);
	if (vcon_wants_room(c) && m->ops->wake)
		m->ops->wake(c->index);
	uart_end(&c->own->uart, set_draining(c));
	if (c->own->uart.gone)
		port_lost(m, c);
}

/* As console_poll, for one line. */
static void serve(struct mux *m, struct vcon *c)
{
	struct private_line *l = c->own;
	unsigned round;

	election_ask(&l->election);
	for (round = 0; round < MAX_ROUNDS; round++) {
		if (!election_wanted(&l->election) || !console_win(&l->election, &l->asker))
			return;
		work(m, c);
		election_leave(&l->election);
	}
	console_hand_over(&l->election, &l->asker);
}

static bool is_mine(const struct mux *m, const struct vcon *c)
{
	return c->own && (!m->ops->is_here || m->ops->is_here(c->index));
}

void private_poll(struct mux *m, bool all)
{
	unsigned i;

	for (i = 0; i < m->n_guests; i++)
		if (m->src[i]->own && (all || is_mine(m, m->src[i])))
			serve(m, m->src[i]);
}

bool private_has_work(const struct mux *m)
{
	unsigned i;

	/* Asked at nearly every exit; hardly any machine has such a port. */
	for (i = 0; m->n_own && i < m->n_guests; i++)
		if (m->src[i]->own && election_noted(&m->src[i]->own->election) &&
		    is_mine(m, m->src[i]))
			return true;
	return false;
}

bool private_drained(const struct mux *m)
{
	unsigned i;

	for (i = 0; i < m->n_guests; i++)
		if (m->src[i]->own && m->src[i]->own->uart.present && ring_used(&m->src[i]->out))
			return false;
	return true;
}
