/* Change points on series of a port: a step is told, noise is not, small steps are not, ceilings. */
#include "feed.h"

#include "analyze/limits.h"

extern const struct detector detector_changes;

static void interval_put(struct bench *bench, struct batch *batch, int interval, uint16_t port, uint32_t sources,
			 uint32_t packets, uint64_t *random)
{
	for (uint32_t i = 0; i < sources; i++)
		tuple_add(batch, &(struct tuple_row){.minute = interval * 10 + (int)(i % 10),
						     .source = 1000 + i,
						     .port = port,
						     .packets = packets + (uint32_t)random_below(random, packets / 4)});
	bench_take(bench, batch);
	batch_clear(batch);
}

static void run(struct bench *bench, int steady, uint32_t before, int after, uint32_t then)
{
	struct batch *batch = batch_new(&record_tuple, 8192);
	uint64_t random = 2;
	for (int interval = 0; interval < steady + after; interval++)
		interval_put(bench, batch, interval, 23, interval < steady ? before : then, 20, &random);
	bench_finish(bench);
	batch_free(batch);
}

static void test_step(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_changes, 65536, NULL);
	run(&bench, 300, 100, 12, 1000);
	const struct kept *packets = keeper_find(&bench.keeper, "change:tcp-23:packets:");
	const struct kept *sources = keeper_find(&bench.keeper, "change:tcp-23:sources:");
	assert_non_null(packets);
	assert_non_null(sources);
	assert_non_null(keeper_find(&bench.keeper, "change:all:packets:"));
	assert_int_equal(packets->type, FINDING_CHANGE_POINT);
	assert_in_range((packets->first - T0) / NS_PER_MINUTE / 10, 300, 303); /* told within half an hour */
	assert_true(packets->score > 3);
	assert_int_equal(json_array_size(json_object_get(packets->ground, "values")), 35);
	assert_string_equal(json_string_value(json_object_get(packets->ground, "measure")), "packets");
	bench_close(&bench);
}

static void test_steady_and_small_steps_are_silent(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_changes, 65536, NULL);
	run(&bench, 500, 100, 0, 0);
	assert_int_equal(bench.keeper.count, 0);
	bench_close(&bench);
	bench_open(&bench, &detector_changes, 65536, NULL);
	run(&bench, 300, 100, 30, 120);
	assert_int_equal(bench.keeper.count, 0);
	bench_close(&bench);
}

static void test_change_ends(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_changes, 65536, NULL);
	run(&bench, 300, 100, 150, 1000);
	const struct kept *kept = keeper_find(&bench.keeper, "change:tcp-23:packets:");
	assert_non_null(kept);
	assert_true(kept->ended);
	bench_close(&bench);
}

static void test_ceiling(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_changes, 65536, "limit", "100", NULL);
	struct batch *batch = batch_new(&record_tuple, 65536);
	for (uint32_t port = 0; port < 60000; port++)
		tuple_add(batch, &(struct tuple_row){.source = port, .port = (uint16_t)port, .packets = 500});
	bench_take(&bench, batch);
	assert_int_equal(detector_changes.refused(bench.state), 60000 - 99); /* one series is all ports */
	assert_true(pool_bytes(bench.pool) < (4 << 20));
	batch_free(batch);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_steady_and_small_steps_are_silent),
		cmocka_unit_test(test_change_ends),
		cmocka_unit_test(test_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
