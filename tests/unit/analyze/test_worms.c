/* Outbreaks: exponential growth is told with its doubling time; steps, straight lines and slow growth are not. */
#include "feed.h"

#include "analyze/limits.h"

#include <math.h>

extern const struct detector detector_worms;

static void run(struct bench *bench, const double *counts, int intervals, uint64_t noise)
{
	struct batch *batch = batch_new(&record_tuple, 65536);
	uint64_t random = noise;
	for (int interval = 0; interval < intervals; interval++) {
		for (uint32_t i = 0; i < (uint32_t)counts[interval]; i++)
			tuple_add(batch, &(struct tuple_row){.minute = interval * 5 + (int)(i % 5),
							     .source = 0x30000000 + i,
							     .port = 445,
							     .payload = 0xdead,
							     .signature = 3});
		for (int i = 0; i < 3000; i++)
			tuple_add(batch, &(struct tuple_row){.minute = interval * 5 + i % 5,
							     .source = (uint32_t)random_next(&random),
							     .port = (uint16_t)random_next(&random),
							     .signature = (uint32_t)random_below(&random, 100)});
		bench_take(bench, batch);
		batch_clear(batch);
	}
	bench_finish(bench);
	batch_free(batch);
}

static void test_outbreak(void **state)
{
	(void)state;
	struct bench bench;
	double counts[20];
	for (int i = 0; i < 20; i++)
		counts[i] = i < 8 ? 0 : 3 * pow(2, (i - 8) / 2.0); /* doubles in ten minutes */
	bench_open(&bench, &detector_worms, 65536, NULL);
	run(&bench, counts, 20, 5);
	assert_int_equal(bench.keeper.count, 1);
	const struct kept *kept = &bench.keeper.items[0];
	assert_string_equal(kept->rule, "worm.exponential");
	assert_int_equal(kept->type, FINDING_CAMPAIGN);
	assert_int_equal(kept->severity, SEVERITY_HIGH);
	assert_contains(kept->id, "worm:tcp-445:payload:57005:");
	double doubling =
		json_number_value(json_object_get(json_object_get(kept->ground, "observed"), "doubling_seconds"));
	assert_true(doubling > 480 && doubling < 720);
	bench_close(&bench);
}

static void test_what_is_no_outbreak(void **state)
{
	(void)state;
	double step[20], slow[20], small[20];
	for (int i = 0; i < 20; i++) {
		step[i] = i < 10 ? 2 : 800;
		slow[i] = 100 * pow(2, i / 20.0); /* doubles in 100 minutes */
		small[i] = 1.5 * pow(2, i / 5.0); /* 20 sources at the end */
	}
	const double *const cases[] = {step, slow, small};
	for (int i = 0; i < 3; i++) {
		struct bench bench;
		bench_open(&bench, &detector_worms, 65536, NULL);
		run(&bench, cases[i], 20, 7);
		if (bench.keeper.count)
			fail_msg("case %d: %s", i, bench.keeper.items[0].id);
		bench_close(&bench);
	}
}

static void test_outbreak_ends(void **state)
{
	(void)state;
	struct bench bench;
	double counts[40];
	for (int i = 0; i < 40; i++)
		counts[i] = i < 12 ? 4 * pow(2, i / 2.0) : 250;
	bench_open(&bench, &detector_worms, 65536, NULL);
	run(&bench, counts, 40, 5);
	assert_int_equal(bench.keeper.count, 1);
	assert_true(bench.keeper.items[0].ended);
	bench_close(&bench);
}

static void test_ceiling(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_worms, 65536, "limit", "500", NULL);
	struct batch *batch = batch_new(&record_tuple, 65536);
	for (uint32_t i = 0; i < 65536; i++) /* each pair by two sources */
		tuple_add(batch, &(struct tuple_row){.source = i, .port = (uint16_t)(i / 2), .payload = 1});
	bench_take(&bench, batch);
	assert_true(detector_worms.refused(bench.state) > 30000);
	assert_true(pool_bytes(bench.pool) < (4 << 20));
	batch_free(batch);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outbreak),
		cmocka_unit_test(test_what_is_no_outbreak),
		cmocka_unit_test(test_outbreak_ends),
		cmocka_unit_test(test_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
