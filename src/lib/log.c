/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log ring: writers never wait, readers detect what they cannot have.
 *
 * A writer takes a position by fetch-add; position p lives in slot
 * p % LOG_RECORDS.  Each slot is a sequence lock: `seq` is SEQ_BUSY(p) while
 * the record is written and SEQ_DONE(p) when it is complete.  A writer that
 * finds its slot still busy with the record of a whole turn ago gives up and
 * leaves a mark in `skipped`, so that it neither waits nor mixes two texts.
 */
#include "log.h"
#include "fmt.h"
#include "kstring.h"

#define SEQ_BUSY(p) (2 * (p) + 1)
#define SEQ_DONE(p) (2 * (p) + 2)

#define RECORD_WORDS (sizeof(struct log_record) / sizeof(uint64_t))

struct slot {
	uint64_t seq;
	uint64_t skipped; /* 1 + the newest position that was given up; 0: none */
	uint64_t word[RECORD_WORDS]; /* a struct log_record, copied by atomic words */
};

_Static_assert((LOG_RECORDS & (LOG_RECORDS - 1)) == 0, "LOG_RECORDS must be a power of two");
_Static_assert(sizeof(struct log_record) % sizeof(uint64_t) == 0, "a record is whole words");

static struct slot ring[LOG_RECORDS];
static uint64_t next; /* the position that the next writer gets */
static int threshold = LOG_INFO;
static unsigned (*cpu_fn)(void);
static void (*sink_fn)(const char *text, size_t len);

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

/* Several writers may give up on one slot: the newest position wins. */
static void mark_skipped(struct slot *slot, uint64_t pos)
{
	uint64_t old = __atomic_load_n(&slot->skipped, __ATOMIC_RELAXED);

	/* Relaxed: the value says all there is to know; nothing is published with it. */
	while (old < pos + 1 &&
	       !__atomic_compare_exchange_n(&slot->skipped, &old, pos + 1, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* False: the slot is busy with an older record or has a newer one already. */
static bool claim_slot(struct slot *slot, uint64_t pos)
{
	uint64_t seq = __atomic_load_n(&slot->seq, __ATOMIC_RELAXED);

	if (seq % 2 == 1 || seq > SEQ_BUSY(pos))
		return false;
	/*
	 * Acquire pairs with the release in publish(): this writer's words come
	 * after those of the slot's previous writer.
	 */
	return __atomic_compare_exchange_n(&slot->seq, &seq, SEQ_BUSY(pos), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void publish(struct slot *slot, uint64_t pos, const struct log_record *rec)
{
	uint64_t word[RECORD_WORDS];

	memcpy(word, rec, sizeof(word));
	/*
	 * Pairs with the acquire fence in copy_record(): a reader that saw one of
	 * the words below also sees SEQ_BUSY in its second look at `seq`.
	 */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < RECORD_WORDS; i++)
		__atomic_store_n(&slot->word[i], word[i], __ATOMIC_RELAXED);
	/* Pairs with the acquire load of `seq` in copy_record() and in claim_slot(). */
	__atomic_store_n(&slot->seq, SEQ_DONE(pos), __ATOMIC_RELEASE);
}

static void append(const struct log_record *rec)
{
	/*
	 * Relaxed: positions only have to be distinct.  What a reader may touch
	 * is decided by `seq`, not by `next`.
	 */
	uint64_t pos = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
	struct slot *slot = &ring[pos % LOG_RECORDS];

	if (claim_slot(slot, pos))
		publish(slot, pos, rec);
	else
		mark_skipped(slot, pos);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	struct log_record rec;
	unsigned (*cpu)(void) = __atomic_load_n(&cpu_fn, __ATOMIC_RELAXED);
	void (*sink)(const char *text, size_t len);
	va_list ap;
	size_t len;

	if ((int)level > __atomic_load_n(&threshold, __ATOMIC_RELAXED))
		return;

	memset(&rec, 0, sizeof(rec)); /* no stack contents in the padding */
	rec.tsc = __builtin_ia32_rdtsc();
	rec.level = (uint8_t)level;
	rec.cpu = cpu ? (uint8_t)cpu() : 0;
	va_start(ap, fmt);
	len = fmt_vbuf(rec.text, sizeof(rec.text), fmt, ap);
	va_end(ap);
	append(&rec);

	/* Relaxed here and in the setters: both pointers are to code, which is always there. */
	sink = __atomic_load_n(&sink_fn, __ATOMIC_RELAXED);
	if (sink)
		sink(rec.text, len);
}

enum copy_result { COPY_OK, COPY_NOT_YET, COPY_GONE };

static enum copy_result copy_record(const struct slot *slot, uint64_t pos, struct log_record *out)
{
	uint64_t word[RECORD_WORDS];
	/* Acquire pairs with the release store in publish(). */
	uint64_t seq = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);

	if (seq > SEQ_DONE(pos))
		return COPY_GONE;
	if (seq < SEQ_DONE(pos)) {
		/* Pairs with mark_skipped(): nobody will ever fill this position. */
		if (__atomic_load_n(&slot->skipped, __ATOMIC_RELAXED) > pos)
			return COPY_GONE;
		return COPY_NOT_YET;
	}

	for (size_t i = 0; i < RECORD_WORDS; i++)
		word[i] = __atomic_load_n(&slot->word[i], __ATOMIC_RELAXED);
	/* Pairs with the release fence in publish(). */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&slot->seq, __ATOMIC_RELAXED) != seq)
		return COPY_GONE;

	memcpy(out, word, sizeof(*out));
	return COPY_OK;
}

bool log_read(uint64_t *pos, struct log_record *out, uint64_t *lost)
{
	uint64_t end = log_newest();
	uint64_t oldest = log_oldest();

	if (*pos < oldest) {
		*lost += oldest - *pos;
		*pos = oldest;
	}
	while (*pos < end) {
		switch (copy_record(&ring[*pos % LOG_RECORDS], *pos, out)) {
		case COPY_OK:
			(*pos)++;
			return true;
		case COPY_NOT_YET:
			return false;
		case COPY_GONE:
			(*pos)++;
			(*lost)++;
			break;
		}
	}
	return false;
}

uint64_t log_oldest(void)
{
	uint64_t end = log_newest();

	return end > LOG_RECORDS ? end - LOG_RECORDS : 0;
}

uint64_t log_newest(void)
{
	/* Relaxed: see append(). */
	return __atomic_load_n(&next, __ATOMIC_RELAXED);
}

void log_set_level(enum log_level level)
{
	/* Relaxed: any CPU may change it; the others follow when they see it. */
	__atomic_store_n(&threshold, (int)level, __ATOMIC_RELAXED);
}

enum log_level log_get_level(void)
{
	return (enum log_level)__atomic_load_n(&threshold, __ATOMIC_RELAXED);
}

void log_set_cpu_fn(unsigned (*fn)(void))
{
	__atomic_store_n(&cpu_fn, fn, __ATOMIC_RELAXED);
}

void log_set_sink(void (*sink)(const char *text, size_t len))
{
	__atomic_store_n(&sink_fn, sink, __ATOMIC_RELAXED);
}

bool log_level_parse(const char *name, size_t len, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strlen(level_names[i]) == len && memcmp(level_names[i], name, len) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < ARRAY_SIZE(level_names) ? level_names[level] : "?";
}
