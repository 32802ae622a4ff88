/* New ports: the threshold, what quiet means, history to have, life of an alarm. */
#include "feed.h"

extern const struct detector detector_new_ports;

static void minute_put(struct bench *bench, struct batch *batch, int minute, uint16_t port, uint32_t first_source,
		       uint32_t sources)
{
	/* something else, so that time passes */
	tuple_add(batch, &(struct tuple_row){.minute = minute, .source = 1, .port = 9});
	for (uint32_t i = 0; i < sources; i++)
		tuple_add(batch, &(struct tuple_row){.minute = minute, .source = first_source + i, .port = port});
	bench_take(bench, batch);
	batch_clear(batch);
}

static size_t alarms_of(uint32_t before, uint32_t then, int quiet_minutes)
{
	struct bench bench;
	bench_open(&bench, &detector_new_ports, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 8192);
	for (int minute = 0; minute < quiet_minutes; minute++)
		minute_put(&bench, batch, minute, 5555, 100, before);
	minute_put(&bench, batch, quiet_minutes, 5555, 100000, then);
	bench_finish(&bench);
	size_t count = keeper_count(&bench.keeper, FINDING_NEW_PORT);
	batch_free(batch);
	bench_close(&bench);
	return count;
}

static void test_threshold(void **state)
{
	(void)state;
	assert_int_equal(alarms_of(0, 16, 120), 0);
	assert_int_equal(alarms_of(0, 24, 120), 1); /* linear counting: within one or two of twenty */
	assert_int_equal(alarms_of(0, 500, 120), 1);
	assert_int_equal(alarms_of(3, 24, 120), 1);   /* a few always came: still quiet */
	assert_int_equal(alarms_of(15, 200, 120), 0); /* never was quiet */
	assert_int_equal(alarms_of(0, 500, 59), 0);   /* five intervals of history only */
	assert_int_equal(alarms_of(0, 500, 60), 1);
}

static void test_life(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_new_ports, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 8192);
	for (int minute = 0; minute < 90; minute++)
		minute_put(&bench, batch, minute, 0, 0, 0);
	minute_put(&bench, batch, 91, 7547, 1000, 15);
	assert_int_equal(bench.keeper.count, 0);
	minute_put(&bench, batch, 92, 7547, 1015, 15);
	assert_int_equal(bench.keeper.count, 1); /* in the minute, not at the interval's end */
	const struct kept *kept = &bench.keeper.items[0];
	assert_string_equal(kept->id, "new_port:tcp-7547:2026-01-01T01:30:00Z");
	assert_string_equal(kept->subject, "tcp/7547");
	assert_int_equal(kept->type, FINDING_NEW_PORT);
	assert_int_equal(kept->packets, 30);
	for (int minute = 93; minute < 130; minute++)
		minute_put(&bench, batch, minute, 7547, 2000, 30);
	bench_finish(&bench);
	assert_int_equal(bench.keeper.count, 1);
	assert_false(bench.keeper.items[0].ended);
	assert_int_equal(bench.keeper.items[0].packets, 30 + 30 * (130 - 93));
	for (int minute = 130; minute < 200; minute++)
		minute_put(&bench, batch, minute, 0, 0, 0);
	assert_int_equal(bench.keeper.count, 1);
	assert_true(bench.keeper.items[0].ended);
	assert_int_equal(json_array_size(json_object_get(bench.keeper.items[0].ground, "sample")), 8);
	batch_free(batch);
	bench_close(&bench);
}

static void test_what_does_not_count(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_new_ports, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 8192);
	for (int minute = 0; minute < 90; minute++)
		minute_put(&bench, batch, minute, 0, 0, 0);
	for (uint32_t i = 0; i < 500; i++) {
		tuple_add(batch,
			  &(struct tuple_row){.minute = 91, .source = i, .port = 80, .kind = PACKET_BACKSCATTER});
		tuple_add(batch, &(struct tuple_row){.minute = 91, .source = i, .port = 81});
		BATCH_COLUMN(batch, uint8_t, 10)[batch->rows - 1] = 1;                        /* spoofed */
		tuple_add(batch, &(struct tuple_row){.minute = 91, .source = 7, .port = 82}); /* one source */
	}
	bench_take(&bench, batch);
	bench_finish(&bench);
	assert_int_equal(bench.keeper.count, 0);
	batch_free(batch);
	bench_close(&bench);
}

static void test_leaps_are_quick(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_new_ports, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 64);
	int64_t begin = clock_monotonic_ns();
	for (int i = 0; i < 50; i++)
		tuple_add(batch, &(struct tuple_row){.minute = i * INT64_C(1000000), .source = 5, .port = 80});
	bench_take(&bench, batch);
	assert_true(clock_monotonic_ns() - begin < 5 * NS_PER_S);
	batch_free(batch);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_what_does_not_count),
		cmocka_unit_test(test_leaps_are_quick),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
