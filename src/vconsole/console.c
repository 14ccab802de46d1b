/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Set-up of the multiplexer, and who works at it: who is elected (election.h).
 */
#include "fmt.h"
#include "kstring.h"
#include "mux.h"

/*
 * CPUs that keep asking must not keep the owner, which has a guest to run.
 * After so many rounds it hands the work to one that asked, and goes.
 */
#define MAX_ROUNDS 4

#define MAX_OWN_PORTS 3 /* of com1 to com4 one is the shared line */

#define EARLY_LINE (LOG_TEXT + 32)

static struct mux mux;

struct mux *console_mux(void)
{
	return &mux;
}

/* The log's sink until console_start: polled, and as the drain would show it. */
static void early_sink(const char *text, size_t len)
{
	char line[EARLY_LINE];
	size_t n;

	(void)len;
	n = fmt_buf(line, sizeof(line), "[bulkhead: %s]\r\n", text);
	uart_write_polled(&mux.uart, line, n);
}

/* What was logged before there was a port. */
static void replay_log(void)
{
	struct log_record record;
	uint64_t pos = 0, lost = 0;

	while (log_read(&pos, &record, &lost))
		early_sink(record.text, 0);
}

static bool open_port(const struct uart_port *port, unsigned baud)
{
	log_set_sink(NULL);
	if (!uart_init(&mux.uart, *port, baud))
		return false;
	replay_log();
	log_set_sink(early_sink);
	return true;
}

bool console_early(uint16_t uart_base, unsigned baud)
{
	struct uart_port port = uart_io_port(uart_base);

	if (!open_port(&port, baud))
		return false;
	mux.uart_base = uart_base;
	mux.baud = baud;
	return true;
}

static void add_own_sources(void)
{
	vcon_init(&mux.mon_vcon, "monitor", MONITOR, OVERFLOW_DROP_OLDEST, mux.mon_ring,
		  sizeof(mux.mon_ring), NULL, 0);
	mux.src[MONITOR] = &mux.mon_vcon;
	vcon_init(&mux.merge.vcon, "all", ALL, OVERFLOW_DROP_OLDEST, mux.merge.ring,
		  sizeof(mux.merge.ring), NULL, 0);
	mux.src[ALL] = &mux.merge.vcon;
	monitor_init(&mux);
}

void console_setup(const struct console_ops *ops, const struct uart_port *port, unsigned baud,
		   uint8_t escape)
{
	struct uart kept = mux.uart;

	memset(&mux, 0, sizeof(mux));
	mux.ops = ops;
	mux.escape = escape;
	mux.out.line_empty = true;
	mux.focus = MONITOR;
	mux.want = MONITOR;
	mux.last = MONITOR;
	add_own_sources();
	if (port)
		open_port(port, baud);
	else
		mux.uart = kept;
}

void console_init(const struct console_ops *ops, uint16_t uart_base, unsigned baud, uint8_t escape)
{
	struct uart_port port = uart_io_port(uart_base);
	bool early = mux.uart.present && mux.uart_base == uart_base && mux.baud == baud;

	if (!uart_base)
		mux.uart.present = false;
	console_setup(ops, uart_base && !early ? &port : NULL, baud, escape);
	mux.uart_base = uart_base;
	mux.baud = baud;
	if (uart_base && !mux.uart.present)
		log_warn("console: no serial port at 0x%x; set 'port' in [console]",
			 uart_base);
}

void console_set_flow(enum line_flow flow)
{
	uart_set_flow(&mux.uart, flow);
}

void console_get_line(struct console_line *out)
{
	const struct uart *u = &mux.uart;

	*out = (struct console_line){
		.present = u->present, .port = mux.uart_base, .baud = mux.baud,
		.in = u->received, .out = u->sent, .breaks = u->breaks, .framing = u->framing,
		.parity = u->parity, .overruns = u->overruns,
		.host_holds = u->tx_held, .host_held = u->rx_told,
	};
}

struct vcon *console_add(const char *name, void *memory, uint32_t out_size,
			 enum overflow_policy overflow)
{
	struct vcon *c = memory;
	uint64_t n_marks = vcon_n_marks(out_size);
	struct mark *marks = (struct mark *)(c + 1);
	uint8_t *in = (uint8_t *)(marks + n_marks), *out = in + INPUT_RING;

	if (mux.n_guests == CFG_MAX_VMS || !out_size || (out_size & (out_size - 1)))
		return NULL;
	vcon_init(c, name, mux.n_guests, overflow, out, out_size, in, INPUT_RING);
	marks_init(&c->marks, marks, n_marks);
	mux.src[mux.n_guests++] = c;
	return c;
}

/* The first guest on the shared line, or the monitor. */
static unsigned first_on_line(void)
{
	unsigned i;

	for (i = 0; i < mux.n_guests; i++)
		if (!mux.src[i]->own)
			return i;
	return MONITOR;
}

bool console_own_port(struct vcon *c, uint16_t uart_base, unsigned baud)
{
	static struct private_line lines[MAX_OWN_PORTS];
	static unsigned n_lines;
	struct uart_port port = uart_io_port(uart_base);

	return n_lines < MAX_OWN_PORTS && console_bind(c, &lines[n_lines], &port, uart_base, baud) &&
	       ++n_lines;
}

void console_start(bool monitor)
{
	log_set_sink(NULL);
	mux.msg.log_pos = log_newest();
	mux.msg.batch_end = mux.msg.log_pos;
	mux_focus(&mux, monitor ? MONITOR : first_on_line());
	mux.last = MONITOR;
	mux.started = true;
	console_poll();
}

bool console_win(struct election *election, unsigned *asker)
{
	if (election_win(election))
		return true;
	/* Relaxed: the owner may miss it and call one that asked before, which will do. */
	if (mux.ops->cpu)
		__atomic_store_n(asker, mux.ops->cpu(), __ATOMIC_RELAXED);
	return false;
}

/* The one called polls when the ownership is free; an interrupt armed earlier might be too early. */
void console_hand_over(const struct election *election, const unsigned *asker)
{
	if (election_wanted(election) && mux.ops->kick)
		mux.ops->kick(__atomic_load_n(asker, __ATOMIC_RELAXED));
}

void console_poll(void)
{
	unsigned round;

	if (!mux.started)
		return;
	private_poll(&mux, false);
	election_ask(&mux.election);
	for (round = 0; round < MAX_ROUNDS; round++) {
		if (!election_wanted(&mux.election) || !console_win(&mux.election, &mux.asker))
			return;
		mux_work(&mux);
		election_leave(&mux.election);
	}
	console_hand_over(&mux.election, &mux.asker);
}

bool console_has_work(void)
{
	if (election_noted(&mux.election) || private_has_work(&mux))
		return true;
	return !__atomic_load_n(&mux.draining, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&mux.msg.log_pos, __ATOMIC_RELAXED) != log_newest();
}

void console_ask(void)
{
	if (mux.started)
		election_ask(&mux.election);
}

void console_request_focus(int vm)
{
	unsigned source = vm < 0 ? MONITOR : (unsigned)vm;

	if (source != MONITOR && source >= mux.n_guests)
		return;
	/* Relaxed: the owner takes the wish below down before it looks. */
	__atomic_store_n(&mux.request, source + 1, __ATOMIC_RELAXED);
	election_ask(&mux.election);
}

bool console_drained(void)
{
	console_poll();
	if (!mux.started)
		return true;
	private_poll(&mux, true);
	return __atomic_load_n(&mux.drained, __ATOMIC_RELAXED) && private_drained(&mux);
}
