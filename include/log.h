/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's log: a fixed ring of records that any CPU may write at any
 * time without waiting (also inside an exit), and that one reader at a time
 * per position reads.  Old records are overwritten; a reader learns how many
 * it missed.
 */
#ifndef BULKHEAD_LOG_H
#define BULKHEAD_LOG_H

#include "types.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

#define LOG_TEXT 224
#define LOG_RECORDS 256 /* a power of two */

struct log_record {
	uint64_t tsc;
	uint8_t level; /* enum log_level */
	uint8_t cpu;   /* the CPU's number in Bulkhead */
	char text[LOG_TEXT];
};

/*
 * Adds one record if `level` is within the threshold; text that is too long
 * is cut.  No newline at the end.  Any CPU, any context but NMI.
 */
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "error", "warn", "info", "debug"; false when the name is none of them. */
bool log_level_parse(const char *name, size_t len, enum log_level *out);
const char *log_level_name(enum log_level level);

/*
 * How the log learns the number of the CPU it runs on; before the first call
 * every record says CPU 0.  Boot CPU only, before the others start.
 */
void log_set_cpu_fn(unsigned (*fn)(void));

/*
 * Until the console runs, each record also goes to `sink` at once (a polled
 * serial port).  The text has no newline: the sink adds its own framing.
 * NULL ends that; a record that is being written meanwhile may still go out.
 */
void log_set_sink(void (*sink)(const char *text, size_t len));

/*
 * Copies the record at *pos and moves *pos past it.  A reader that was
 * overtaken is moved to the oldest record that is left, and *lost grows by
 * the number it missed.  False when there is none (yet).
 */
bool log_read(uint64_t *pos, struct log_record *out, uint64_t *lost);

/* The position of the oldest record that can still be read. */
uint64_t log_oldest(void);
/* The position behind the newest record. */
uint64_t log_newest(void);

#endif
