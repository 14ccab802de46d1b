/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest at the virtual 16550: any accesses, with the console's room
 * and input changing in between.  Bytes must come out in order, whatever room
 * there was, and the interrupt line must be told by changes only.
 */
#include <stdlib.h>

#include "uart_regs.h"
#include "vdev.h"
#include "vdev_time.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	size_t room, taken, overruns, input;
	bool level, paced;
	uint64_t now;
} con;

static bool con_put(void *ctx, uint8_t byte)
{
	(void)ctx;
	(void)byte;
	if (!con.room)
		return false;
	con.room--;
	con.taken++;
	return true;
}

static bool con_room(void *ctx)
{
	(void)ctx;
	return con.room;
}

static int con_get(void *ctx)
{
	(void)ctx;
	return con.input ? (int)(con.input-- & 0xFF) : -1;
}

static size_t con_pending(void *ctx)
{
	(void)ctx;
	return con.input;
}

static void con_overrun(void *ctx)
{
	(void)ctx;
	con.overruns++;
}

static void con_irq(void *ctx, unsigned irq, bool level)
{
	(void)ctx;
	CHECK(irq == 4 && level != con.level);
	con.level = level;
}

static bool con_paced(void *ctx)
{
	(void)ctx;
	return con.paced;
}

static uint64_t now_ns(void)
{
	return con.now;
}

static void rearm(void *ctx)
{
	(void)ctx;
}

static const struct uart_ops ops = { con_put,	  con_room,    con_get,
				     con_pending, con_overrun, con_paced };
static const struct vclock uart_clock = { now_ns, now_ns, rearm, NULL };

static void check(const struct uart16550 *u)
{
	CHECK(u->rx_count <= UART_FIFO && u->rx_head < UART_FIFO);
	CHECK(u->tx_count <= UART_FIFO && u->tx_head < UART_FIFO);
	CHECK(u->irq_level == con.level);
	CHECK(!con.level || ((u->mcr & MCR_OUT2) && u->ier));
	/* What could go has gone; what goes by time has somebody to wake it. */
	CHECK(!u->tx_count || !con.room || u->paced);
	CHECK(!u->tx_count || !u->paced || uart16550_next(u) != VTIME_NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned sizes[4] = { 1, 2, 4, 1 };
	struct uart16550 u;
	size_t i, written = 0;
	bool looped = false;

	con = (typeof(con)){ 0 };
	uart16550_init(&u, &ops, NULL, (struct irq_line){ con_irq, NULL, 4 });
	uart16550_set_clock(&u, &uart_clock);
	for (i = 0; i + 2 < size; i += 3) {
		uint16_t port = (uint16_t)(0x3F8 + (data[i] & 7));
		unsigned width = sizes[(data[i] >> 3) & 3];
		uint32_t value = data[i + 1] | (uint32_t)data[i + 2] << 8 |
				 (uint32_t)data[i + 1] << 16 | (uint32_t)data[i + 2] << 24;

		switch (data[i] >> 5) {
		case 0:
			con.paced = data[i + 1] & 1;
			con.now += (uint64_t)data[i + 2] << (data[i + 1] >> 3);
			uart16550_advance(&u, con.now);
			break;
		case 1:
			(void)uart16550_read(&u, port, width);
			break;
		case 2:
			con.room += data[i + 1];
			uart16550_update(&u);
			break;
		case 3:
			con.input += data[i + 1];
			uart16550_update(&u);
			break;
		default:
			if (width == 1 && port == 0x3F8 && !(u.lcr & LCR_DLAB)) {
				looped |= u.mcr & MCR_LOOP;
				written += !(u.mcr & MCR_LOOP);
			} else if (width > 1) {
				looped = true; /* too much at once to follow */
			}
			uart16550_write(&u, port, width, value);
		}
		check(&u);
	}
	/* Every byte written is somewhere. */
	if (!looped)
		CHECK(written == con.taken + con.overruns + u.tx_count);
	uart16550_reset(&u);
	CHECK(!con.level);
	return 0;
}
