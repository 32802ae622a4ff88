/* Scanners: thresholds of addresses and of rate, expiry, what is no scan, ceilings. */
#include "feed.h"

extern const struct detector detector_scanners;

static size_t scanners_of(int minutes, uint32_t a_minute, uint64_t darknet)
{
	struct bench bench;
	bench_open(&bench, &detector_scanners, darknet, NULL);
	struct batch *batch = batch_new(&record_tuple, 16);
	for (int i = 0; i < minutes; i++) {
		batch_clear(batch);
		tuple_add(batch, &(struct tuple_row){.minute = i,
						     .last_s = 59,
						     .source = 7,
						     .port = 23,
						     .packets = a_minute,
						     .targets = a_minute});
		bench_take(&bench, batch);
	}
	bench_finish(&bench);
	size_t count = bench.keeper.count;
	bench_close(&bench);
	batch_free(batch);
	return count;
}

static void test_thresholds(void **state)
{
	(void)state;
	assert_int_equal(scanners_of(4, 25, 65536), 1);
	assert_int_equal(scanners_of(4, 24, 65536), 0); /* 96 addresses */
	assert_int_equal(scanners_of(1, 99, 65536), 0);
	assert_int_equal(scanners_of(1, 100, 65536), 1);
	/* 2 a minute at a /4: 2/60 * 16 = 0.5 pps Internet-wide: too slow; at a /9: 17 pps */
	assert_int_equal(scanners_of(60, 2, 1 << 28), 0);
	assert_int_equal(scanners_of(60, 2, 1 << 23), 1);
	/* one address a minute may be the same address each time */
	assert_int_equal(scanners_of(200, 1, 65536), 0);
}

static void test_what_is_no_scan(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_scanners, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 16);
	tuple_add(batch, &(struct tuple_row){.source = 1, .kind = PACKET_BACKSCATTER, .packets = 200, .targets = 150});
	tuple_add(batch,
		  &(struct tuple_row){.source = 2, .kind = PACKET_MISCONFIGURATION, .packets = 200, .targets = 150});
	for (uint16_t port = 0; port < 4; port++) /* 200 addresses, but on four ports */
		tuple_add(batch, &(struct tuple_row){.source = 3, .port = port, .packets = 50, .targets = 50});
	tuple_add(batch, &(struct tuple_row){.source = 4,
					     .kind = PACKET_SURVEY,
					     .port = 443,
					     .packets = 200,
					     .targets = 150,
					     .last_s = 50,
					     .tool = TOOL_ZMAP});
	bench_take(&bench, batch);
	bench_finish(&bench);
	assert_int_equal(bench.keeper.count, 1);
	assert_string_equal(bench.keeper.items[0].id, "scanner:0.0.0.4:tcp-443:2026-01-01T00:00:00Z");
	assert_string_equal(bench.keeper.items[0].rule, "scanner.durumeric2014");
	json_t *ground = bench.keeper.items[0].ground;
	assert_string_equal(json_string_value(json_object_get(ground, "tool")), "zmap");
	assert_string_equal(json_string_value(json_object_get(ground, "derive")),
			    "yagura query tuple --where source=0.0.0.4 --where protocol=6 --where port=443 --from "
			    "2026-01-01T00:00:00Z --to 2026-01-01T00:01:00Z");
	batch_free(batch);
	bench_close(&bench);
}

static void test_expiry(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_scanners, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 16);
	static const int minutes[] = {0, 8, 17}; /* 480 s of silence are borne, 540 s are not */
	for (int i = 0; i < 3; i++) {
		batch_clear(batch);
		tuple_add(batch, &(struct tuple_row){
					 .minute = minutes[i], .source = 7, .port = 23, .packets = 60, .targets = 60});
		bench_take(&bench, batch);
	}
	assert_int_equal(bench.keeper.count, 1);
	assert_true(bench.keeper.items[0].ended);
	assert_int_equal(bench.keeper.items[0].packets, 120);
	batch_free(batch);
	bench_close(&bench);
}

static void test_order_and_ceiling(void **state)
{
	(void)state;
	uint64_t random = 3;
	for (int round = 0; round < 3; round++) {
		struct bench bench;
		bench_open(&bench, &detector_scanners, 65536, NULL);
		struct batch *batch = batch_new(&record_tuple, 20000);
		for (int minute = 0; minute < 5; minute++) {
			batch_clear(batch);
			for (uint32_t source = 1; source <= 500; source++)
				tuple_add(batch, &(struct tuple_row){.minute = minute,
								     .source = source,
								     .port = 23,
								     .first_s = source % 60,
								     .packets = source % 50,
								     .targets = source % 50});
			if (round)
				batch_shuffle(batch, &random);
			bench_take(&bench, batch);
		}
		bench_finish(&bench);
		assert_int_equal(bench.keeper.count, 300); /* 20..49 of each fifty: 5 minutes of 20 or more */
		batch_free(batch);
		bench_close(&bench);
	}
	struct bench bench;
	bench_open(&bench, &detector_scanners, 65536, "limit", "1000", NULL);
	struct batch *batch = batch_new(&record_tuple, 65536);
	for (uint32_t source = 1; source <= 60000; source++)
		tuple_add(batch, &(struct tuple_row){.source = source, .port = 23, .packets = 3, .targets = 3});
	bench_take(&bench, batch);
	assert_int_equal(detector_scanners.refused(bench.state), 59000);
	assert_true(pool_bytes(bench.pool) < (1 << 20));
	batch_free(batch);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_what_is_no_scan),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_order_and_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
