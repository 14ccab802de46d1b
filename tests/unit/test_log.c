/* SPDX-License-Identifier: BSD-2-Clause */
/* no-archive */
/*
 * The log ring: order, overwriting, a writer that hangs in the middle, and
 * many writers at once.  The source is included so that a test can set the
 * ring to states that are hard to reach from outside.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fmt.c"
#include "lib/log.c"

static int reset(void **state)
{
	(void)state;
	memset(ring, 0, sizeof(ring));
	next = 0;
	log_set_level(LOG_DEBUG);
	log_set_sink(NULL);
	log_set_cpu_fn(NULL);
	return 0;
}

static unsigned cpu_nine(void)
{
	return 9;
}

static void test_one_record(void **state)
{
	struct log_record rec;
	uint64_t pos = 0, lost = 0;

	(void)state;
	assert_false(log_read(&pos, &rec, &lost));
	log_set_cpu_fn(cpu_nine);
	log_warn("hello %d", 5);
	assert_true(log_read(&pos, &rec, &lost));
	assert_string_equal(rec.text, "hello 5");
	assert_int_equal(rec.level, LOG_WARN);
	assert_int_equal(rec.cpu, 9);
	assert_true(rec.tsc != 0);
	assert_int_equal(pos, 1);
	assert_int_equal(lost, 0);
	assert_false(log_read(&pos, &rec, &lost));
}

static void test_threshold(void **state)
{
	(void)state;
	log_set_level(LOG_WARN);
	assert_int_equal(log_get_level(), LOG_WARN);
	log_info("no");
	assert_int_equal(log_newest(), 0);
	log_error("yes");
	log_warn("yes");
	assert_int_equal(log_newest(), 2);
}

static void test_long_text_is_cut(void **state)
{
	struct log_record rec;
	uint64_t pos = 0, lost = 0;

	(void)state;
	log_info("%0300d", 7);
	assert_true(log_read(&pos, &rec, &lost));
	assert_int_equal(strlen(rec.text), LOG_TEXT - 1);
}

static void test_level_names(void **state)
{
	enum log_level level = LOG_ERROR;

	(void)state;
	for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
		const char *name = log_level_name((enum log_level)i);

		assert_true(log_level_parse(name, strlen(name), &level));
		assert_int_equal(level, i);
	}
	assert_true(log_level_parse("infoX", 4, &level));
	assert_int_equal(level, LOG_INFO);
	assert_false(log_level_parse("inf", 3, &level));
	assert_false(log_level_parse("info!", 5, &level));
	assert_false(log_level_parse("", 0, &level));
}

static char sunk[64];

static void sink(const char *text, size_t len)
{
	assert_int_equal(strlen(text), len);
	fmt_buf(sunk, sizeof(sunk), "%s", text);
}

static void test_sink(void **state)
{
	(void)state;
	log_set_sink(sink);
	log_info("early");
	assert_string_equal(sunk, "early");
	log_set_level(LOG_ERROR);
	log_info("not this");
	log_set_sink(NULL);
	log_error("nor this");
	assert_string_equal(sunk, "early");
}

static void test_overwritten(void **state)
{
	struct log_record rec;
	uint64_t pos = 0, lost = 0;

	(void)state;
	for (unsigned i = 0; i < LOG_RECORDS + 10; i++)
		log_info("%u", i);
	assert_int_equal(log_oldest(), 10);
	assert_true(log_read(&pos, &rec, &lost));
	assert_int_equal(lost, 10);
	assert_string_equal(rec.text, "10");
	for (unsigned i = 11; i < LOG_RECORDS + 10; i++)
		assert_true(log_read(&pos, &rec, &lost));
	assert_false(log_read(&pos, &rec, &lost));
	assert_int_equal(lost, 10);
}

/* A record that is being written holds the reader up, not the writers. */
static void test_unfinished_record(void **state)
{
	struct log_record rec;
	uint64_t pos = 0, lost = 0, hung;

	(void)state;
	hung = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
	assert_true(claim_slot(&ring[hung], hung));
	log_info("behind");
	assert_false(log_read(&pos, &rec, &lost));

	memset(&rec, 0, sizeof(rec));
	fmt_buf(rec.text, sizeof(rec.text), "first");
	publish(&ring[hung], hung, &rec);
	assert_true(log_read(&pos, &rec, &lost));
	assert_string_equal(rec.text, "first");
	assert_true(log_read(&pos, &rec, &lost));
	assert_string_equal(rec.text, "behind");
	assert_int_equal(lost, 0);
}

/* A writer that hangs for a whole turn costs the record that needed its slot, nothing more. */
static void test_writer_hangs_a_turn(void **state)
{
	struct log_record rec;
	uint64_t pos = 0, lost = 0;
	unsigned seen = 0;

	(void)state;
	next = 1;
	assert_true(claim_slot(&ring[0], 0));
	for (unsigned i = 1; i <= LOG_RECORDS + 1; i++)
		log_info("%u", i);
	while (log_read(&pos, &rec, &lost))
		seen++;
	assert_int_equal(pos, LOG_RECORDS + 2);
	/* Lost: positions 0 and 1 by age, LOG_RECORDS because slot 0 was busy. */
	assert_int_equal(lost, 3);
	assert_int_equal(seen, LOG_RECORDS - 1);

	/* When the writer comes back, its slot serves the next turn again. */
	memset(&rec, 0, sizeof(rec));
	publish(&ring[0], 0, &rec);
	for (unsigned i = 0; i < LOG_RECORDS; i++)
		log_info("later");
	lost = 0;
	for (seen = 0; log_read(&pos, &rec, &lost); seen++)
		assert_string_equal(rec.text, "later");
	assert_int_equal(seen, LOG_RECORDS);
	assert_int_equal(lost, 0);
}

/* A slot that a newer record has is not given back to an older writer. */
static void test_late_writer(void **state)
{
	(void)state;
	next = LOG_RECORDS;
	log_info("newer");
	assert_false(claim_slot(&ring[0], 0));
	assert_true(claim_slot(&ring[0], 2 * LOG_RECORDS));
}

#define WRITERS 4
#define EACH 20000

static void *writer(void *arg)
{
	unsigned id = *(unsigned *)arg;

	/* The same number in several places: a mixed text would show. */
	for (unsigned i = 0; i < EACH; i++)
		log_info("%u:%u:%0180u:%u:%u", id, i, i, i, id);
	return NULL;
}

/* Checks that the record is of one piece and newer than the writer's last one. */
static void check_record(const struct log_record *rec, long last[WRITERS])
{
	unsigned id = 0, a = 0, b = 0, c = 0, id2 = 0;

	assert_int_equal(sscanf(rec->text, "%u:%u:%u:%u:%u", &id, &a, &b, &c, &id2), 5);
	assert_true(id < WRITERS);
	assert_int_equal(id, id2);
	assert_int_equal(a, b);
	assert_int_equal(a, c);
	assert_true((long)a > last[id]);
	last[id] = (long)a;
}

static void test_many_writers(void **state)
{
	unsigned ids[WRITERS];
	pthread_t threads[WRITERS];
	long last[WRITERS];
	uint64_t pos = 0, lost = 0, seen = 0;
	struct log_record rec;

	(void)state;
	for (unsigned i = 0; i < WRITERS; i++) {
		ids[i] = i;
		last[i] = -1;
		assert_int_equal(pthread_create(&threads[i], NULL, writer, &ids[i]), 0);
	}
	while (pos < (uint64_t)WRITERS * EACH) {
		if (log_read(&pos, &rec, &lost)) {
			check_record(&rec, last);
			seen++;
		}
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(seen + lost, (uint64_t)WRITERS * EACH);
	assert_true(seen > 0);
	assert_false(log_read(&pos, &rec, &lost));
}

static volatile bool stop_writing;

static void *endless_writer(void *arg)
{
	unsigned id = *(unsigned *)arg;

	for (unsigned i = 0; !stop_writing; i++)
		log_info("%u:%u:%0180u:%u:%u", id, i, i, i, id);
	return NULL;
}

/* A reader at the oldest position is overtaken all the time, often in the middle of a copy. */
static void test_overtaken_reader(void **state)
{
	unsigned id = 0;
	pthread_t thread;
	struct log_record rec;

	(void)state;
	stop_writing = false;
	assert_int_equal(pthread_create(&thread, NULL, endless_writer, &id), 0);
	for (unsigned i = 0; i < 3000000 || log_newest() < 4 * LOG_RECORDS; i++) {
		long last[WRITERS] = { -1, -1, -1, -1 };
		uint64_t pos = log_oldest();

		if (copy_record(&ring[pos % LOG_RECORDS], pos, &rec) == COPY_OK && i % 16 == 0)
			check_record(&rec, last);
	}
	stop_writing = true;
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_record, reset),
		cmocka_unit_test_setup(test_threshold, reset),
		cmocka_unit_test_setup(test_long_text_is_cut, reset),
		cmocka_unit_test_setup(test_level_names, reset),
		cmocka_unit_test_setup(test_sink, reset),
		cmocka_unit_test_setup(test_overwritten, reset),
		cmocka_unit_test_setup(test_unfinished_record, reset),
		cmocka_unit_test_setup(test_writer_hangs_a_turn, reset),
		cmocka_unit_test_setup(test_late_writer, reset),
		cmocka_unit_test_setup(test_many_writers, reset),
		cmocka_unit_test_setup(test_overtaken_reader, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
