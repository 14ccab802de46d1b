/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of x86 (total store order; SDM vol. 3, 9.2.2, AMD APM vol. 2,
 * 7.2): each CPU's stores wait in a buffer of its own, reach memory in their
 * order and at any later time, and are seen earlier by that CPU alone.  So a
 * load may overtake an older store to another place: the one reordering there
 * is.  A locked instruction or MFENCE waits until the buffer is empty.
 *
 * What C's orderings become there:
 *	relaxed and release stores, relaxed and acquire loads: plain moves
 *	sequentially consistent stores: XCHG; fences: MFENCE; exchanges: locked
 *
 * Define CPUS and VARS, then include.  `me` is the process's own number.
 */
#define DEPTH 2 /* stores that a buffer holds */

byte mem[VARS];			/* what has reached memory */
byte own[CPUS * VARS];		/* the newest value a CPU stored */
byte waiting[CPUS * VARS];	/* of how many of its stores to that place */
chan buffer[CPUS] = [DEPTH] of { byte, byte };

#define AT(v) (me * VARS + (v))
#define LOAD(v) (waiting[AT(v)] -> own[AT(v)] : mem[v])

/* A plain move. */
inline store(v, x)
{
	d_step {
		nfull(buffer[me]);
		own[AT(v)] = x;
		waiting[AT(v)]++;
		buffer[me] ! v, x
	}
}

inline mfence()
{
	empty(buffer[me])
}

/* A locked instruction: the buffer is empty before, and its store does not wait. */
inline xchg(v, x, old)
{
	atomic {
		empty(buffer[me]);
		old = mem[v];
		mem[v] = x
	}
}

inline commit(i)
{
	d_step {
		nempty(buffer[i]);
		buffer[i] ? place, value;
		mem[place] = value;
		waiting[i * VARS + place]--
	}
}
