/* Victims: at, below and above each threshold, expiry, order of rows, ceilings. */
#include "feed.h"

#include "analyze/limits.h"

#include <errno.h>

extern const struct detector detector_victims;

enum { TCP = 6, VICTIM = 0x01020304 };

/* `packets` spread over bins 0, 10, .. of `seconds`, as one minute-close batch after another. */
static void attack(struct bench *bench, const uint32_t *bins, size_t count, int64_t last_s)
{
	struct batch *batch = batch_new(&record_echo, 256);
	for (size_t i = 0; i < count; i++) {
		if (bins[i])
			echo_add(batch,
				 &(struct echo_row){(int64_t)i * 10, i + 1 == count ? last_s : (int64_t)i * 10 + 5,
						    VICTIM, TCP, 80, bins[i], 0});
		if (i % 6 == 5 || i + 1 == count) {
			bench_take(bench, batch);
			batch_clear(batch);
		}
	}
	batch_free(batch);
}

static size_t victims_of(const uint32_t *bins, size_t count, int64_t last_s, const char *rule)
{
	struct bench bench;
	bench_open(&bench, &detector_victims, 65536, "rule", rule, NULL);
	attack(&bench, bins, count, last_s);
	bench_finish(&bench);
	size_t found = bench.keeper.count;
	bench_close(&bench);
	return found;
}

static void test_corsaro_thresholds(void **state)
{
	(void)state;
	/* 30 packets in six bins that touch, over exactly 60 s */
	assert_int_equal(victims_of((uint32_t[]){5, 5, 5, 5, 5, 5, 1}, 7, 60, "corsaro3"), 1);
	/* one packet short of the window: 29 in any six bins, though 31 in all */
	assert_int_equal(victims_of((uint32_t[]){5, 5, 5, 5, 5, 4, 2}, 7, 60, "corsaro3"), 0);
	/* 30 packets within the window that slides, not within any fixed minute */
	assert_int_equal(victims_of((uint32_t[]){0, 0, 0, 10, 0, 0, 10, 0, 10, 1}, 10, 95, "corsaro3"), 1);
	/* one second short */
	assert_int_equal(victims_of((uint32_t[]){9, 9, 9, 9, 9, 9}, 6, 59, "corsaro3"), 0);
	assert_int_equal(victims_of((uint32_t[]){9, 9, 9, 9, 9, 9, 9}, 7, 60, "corsaro3"), 1);
}

static void test_packets_threshold(void **state)
{
	(void)state;
	for (int packets = 24; packets <= 26; packets++) {
		struct bench bench;
		bench_open(&bench, &detector_victims, 65536, "window-packets", "2", NULL);
		attack(&bench, (uint32_t[]){(uint32_t)packets - 1, 0, 0, 0, 0, 0, 1}, 7, 60);
		assert_int_equal(bench.keeper.count, packets >= 25);
		bench_close(&bench);
	}
}

static void test_moore(void **state)
{
	(void)state;
	assert_int_equal(victims_of((uint32_t[]){99, 0, 0, 0, 0, 0, 1}, 7, 60, "moore"), 1);
	assert_int_equal(victims_of((uint32_t[]){98, 0, 0, 0, 0, 0, 1}, 7, 60, "moore"), 0);
	struct bench bench; /* all answers to one darknet address: no attack with random sources */
	bench_open(&bench, &detector_victims, 65536, "rule", "moore", NULL);
	struct batch *batch = batch_new(&record_echo, 8);
	echo_add(batch, &(struct echo_row){0, 9, VICTIM, TCP, 80, 500, 1});
	echo_add(batch, &(struct echo_row){60, 69, VICTIM, TCP, 80, 500, 1});
	bench_take(&bench, batch);
	assert_int_equal(bench.keeper.count, 0);
	batch_free(batch);
	bench_close(&bench);
}

static void test_ground_and_life(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_victims, 65536, NULL);
	struct batch *batch = batch_new(&record_echo, 64);
	for (int minute = 0; minute < 5; minute++) {
		for (int bin = 0; bin < 6; bin++) {
			echo_add(batch, &(struct echo_row){minute * 60 + bin * 10, minute * 60 + bin * 10 + 9, VICTIM,
							   TCP, 80, 20, 18});
			echo_add(batch, &(struct echo_row){minute * 60 + bin * 10, minute * 60 + bin * 10 + 9, VICTIM,
							   17, 53, 5, 5});
		}
		bench_take(&bench, batch);
		batch_clear(batch);
	}
	assert_int_equal(bench.keeper.count, 1);
	const struct kept *kept = &bench.keeper.items[0];
	assert_string_equal(kept->id, "victim:1.2.3.4:2026-01-01T00:00:00Z");
	assert_string_equal(kept->subject, "1.2.3.4");
	assert_string_equal(kept->rule, "victim.corsaro3");
	assert_int_equal(kept->type, FINDING_VICTIM);
	assert_int_equal(kept->packets, 750);
	assert_true(kept->rows >= 3 && !kept->ended);
	assert_string_equal(json_string_value(json_object_get(kept->ground, "derive")),
			    "yagura query echo --where victim=1.2.3.4 --from 2026-01-01T00:00:00Z --to "
			    "2026-01-01T00:05:00Z");
	json_t *ports = json_object_get(kept->ground, "ports");
	assert_int_equal(json_array_size(ports), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(ports, 0), "name")), "tcp/80");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(ports, 1), "packets")), 150);
	json_t *observed = json_object_get(kept->ground, "observed");
	assert_int_equal(json_integer_value(json_object_get(observed, "most_in_60_s")), 150);
	assert_int_equal(json_integer_value(json_object_get(observed, "most_darknet_addresses_in_10_s")), 18);

	/* silence of 300 s is borne, 301 s is the end */
	echo_add(batch, &(struct echo_row){299 + 300, 299 + 300, 0x09090909, TCP, 1, 1, 1});
	bench_take(&bench, batch);
	assert_false(bench.keeper.items[0].ended);
	batch_clear(batch);
	echo_add(batch, &(struct echo_row){299 + 311, 299 + 311, 0x09090909, TCP, 1, 1, 1});
	bench_take(&bench, batch);
	assert_int_equal(bench.keeper.count, 1);
	assert_true(bench.keeper.items[0].ended);
	batch_clear(batch);

	/* the same host later is another attack with another name */
	for (int bin = 0; bin < 7; bin++)
		echo_add(batch, &(struct echo_row){6000 + bin * 10, 6000 + bin * 10, VICTIM, TCP, 443, 20, 18});
	bench_take(&bench, batch);
	assert_int_equal(bench.keeper.count, 2);
	assert_string_equal(bench.keeper.items[1].id, "victim:1.2.3.4:2026-01-01T01:40:00Z");
	batch_free(batch);
	bench_close(&bench);
}

static void test_order_does_not_matter(void **state)
{
	(void)state;
	uint64_t random = 5;
	struct kept reference[64];
	size_t reference_count = 0;
	for (int round = 0; round < 6; round++) {
		struct bench bench;
		bench_open(&bench, &detector_victims, 65536, NULL);
		struct batch *batch = batch_new(&record_echo, 4096);
		for (int minute = 0; minute < 4; minute++) {
			batch_clear(batch);
			for (uint32_t host = 0; host < 40; host++)
				for (int bin = 0; bin < 6; bin++)
					echo_add(batch, &(struct echo_row){minute * 60 + bin * 10,
									   minute * 60 + bin * 10 + 3, host + 1, TCP,
									   (uint16_t)(host % 3), 1 + host / 4, 1});
			if (round)
				batch_shuffle(batch, &random);
			bench_take(&bench, batch);
		}
		bench_finish(&bench);
		if (!round) {
			reference_count = bench.keeper.count;
			assert_in_range(reference_count, 10, 39);
			memcpy(reference, bench.keeper.items, reference_count * sizeof *reference);
		}
		assert_int_equal(bench.keeper.count, reference_count);
		for (size_t i = 0; i < reference_count; i++) {
			const struct kept *kept = keeper_find(&bench.keeper, reference[i].id);
			assert_non_null(kept);
			assert_int_equal(kept->packets, reference[i].packets);
			assert_true(kept->score == reference[i].score && kept->last == reference[i].last);
		}
		batch_free(batch);
		bench_close(&bench);
	}
}

/* A flood of a million made-up victims stays under the ceiling, is counted, and does not cost the real one. */
static void test_ceiling(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_victims, 65536, "limit", "20000", NULL);
	struct batch *batch = batch_new(&record_echo, 65536);
	uint32_t next = 0x20000000;
	for (int round = 0; round < 16; round++) {
		batch_clear(batch);
		for (int bin = 0; bin < 6; bin++)
			echo_add(batch, &(struct echo_row){round * 60 + bin * 10, round * 60 + bin * 10, VICTIM, TCP,
							   80, 9, 9});
		while (batch->rows < batch->capacity)
			echo_add(batch, &(struct echo_row){round * 60, round * 60, next++, TCP, 80, 1, 1});
		bench_take(&bench, batch);
	}
	bench_finish(&bench);
	assert_true(detector_victims.refused(bench.state) > 600000);
	assert_true(pool_bytes(bench.pool) < 20000 * 300 + (1 << 20));
	assert_int_equal(bench.keeper.count, 1);
	assert_int_equal(bench.keeper.items[0].packets, 16 * 54);
	batch_free(batch);
	bench_close(&bench);
}

static void test_sink_that_refuses(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_victims, 65536, NULL);
	struct batch *batch = batch_new(&record_echo, 65536);
	for (uint32_t host = 0; host < 3000; host++)
		for (int bin = 0; bin < 7; bin++)
			echo_add(batch, &(struct echo_row){bin * 10, bin * 10, host + 1, TCP, 80, 9, 9});
	bench.keeper.refuse = -ENOSPC;
	struct err err;
	assert_int_equal(detector_victims.take(bench.state, batch, &bench.findings, &err), -ENOSPC);
	assert_string_equal(err.text, "the test refuses");
	batch_free(batch);
	bench_close(&bench);
}

static void test_leaps_in_time(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_victims, 65536, NULL);
	struct batch *batch = batch_new(&record_echo, 64);
	static const int64_t times[] = {0, 86400 * 3, 10, -86400, 86400 * 400, 5};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		batch_clear(batch);
		echo_add(batch, &(struct echo_row){times[i], times[i], VICTIM, TCP, 80, 10, 10});
		bench_take(&bench, batch);
	}
	bench_finish(&bench);
	batch_free(batch);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corsaro_thresholds),
		cmocka_unit_test(test_packets_threshold),
		cmocka_unit_test(test_moore),
		cmocka_unit_test(test_ground_and_life),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_sink_that_refuses),
		cmocka_unit_test(test_leaps_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
