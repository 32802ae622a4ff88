/* Campaigns: what makes one, what does not, how near port sets merge, how one is followed, groups in step. */
#include "feed.h"

#include "analyze/campaigns.h"

extern const struct detector detector_campaigns;

static void put(struct bench *bench, struct batch *batch)
{
	bench_take(bench, batch);
	batch_clear(batch);
}

static size_t payload_sources(uint32_t sources)
{
	struct bench bench;
	bench_open(&bench, &detector_campaigns, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 4096);
	for (uint32_t i = 0; i < sources; i++)
		tuple_add(batch, &(struct tuple_row){.source = i + 1, .protocol = 17, .port = 1900, .payload = 77});
	put(&bench, batch);
	bench_finish(&bench);
	size_t count = keeper_count(&bench.keeper, FINDING_CAMPAIGN);
	bench_close(&bench);
	batch_free(batch);
	return count;
}

static void test_threshold(void **state)
{
	(void)state;
	assert_int_equal(payload_sources(19), 0);
	assert_int_equal(payload_sources(20), 1);
	assert_int_equal(payload_sources(21), 1);
}

/* A botnet of 300 devices that try two ports, each seen on one or both; the world's ordinary traffic beside it. */
static void botnet_minute(struct batch *batch, int minute, uint64_t *random)
{
	for (uint32_t bot = 0; bot < 300; bot++)
		tuple_add(batch, &(struct tuple_row){.minute = minute,
						     .source = 0x50000000 + bot,
						     .tool = TOOL_MIRAI,
						     .port = random_below(random, 10) ? 23 : 2323,
						     .signature = (uint32_t)random_next(random),
						     .packets = 2,
						     .country = bot < 200 ? 'C' << 8 | 'N' : 'B' << 8 | 'R'});
	for (uint32_t host = 0; host < 500; host++)
		tuple_add(batch, &(struct tuple_row){.minute = minute,
						     .source = (uint32_t)random_next(random),
						     .port = (uint16_t)random_next(random),
						     .signature = (uint32_t)random_below(random, 50)});
}

static void test_botnet(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_campaigns, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 4096);
	uint64_t random = 9;
	for (int minute = 0; minute < 10; minute++) {
		botnet_minute(batch, minute, &random);
		put(&bench, batch);
	}
	bench_finish(&bench);
	assert_int_equal(bench.keeper.count, 1);
	const struct kept *kept = &bench.keeper.items[0];
	assert_string_equal(kept->rule, "campaign.fingerprint");
	assert_string_equal(kept->subject, "mirai tcp/23 tcp/2323");
	assert_int_equal(kept->packets, 300 * 10 * 2);
	assert_int_equal(kept->first, T0);
	json_t *ground = kept->ground;
	assert_int_equal(json_integer_value(json_object_get(ground, "sources")), 300);
	assert_string_equal(json_string_value(json_object_get(ground, "tool")), "mirai");
	assert_int_equal(json_array_size(json_object_get(ground, "sample")), LIMIT_CAMPAIGN_SAMPLE);
	json_t *countries = json_object_get(ground, "countries");
	assert_int_equal(json_array_size(countries), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(countries, 0), "country")), "CN");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(countries, 0), "sources")), 200);
	assert_string_equal(
		json_string_value(json_object_get(ground, "derive")),
		"yagura query tuple --where tool=mirai --where port=23,2323 --from 2026-01-01T00:00:00Z --to "
		"2026-01-01T00:10:00Z");
	batch_free(batch);
	bench_close(&bench);
}

static void test_order_does_not_matter(void **state)
{
	(void)state;
	struct kept reference = {0};
	char *ground = NULL;
	for (int round = 0; round < 4; round++) {
		struct bench bench;
		bench_open(&bench, &detector_campaigns, 65536, NULL);
		struct batch *batch = batch_new(&record_tuple, 4096);
		uint64_t random = 9, order = (uint64_t)round;
		for (int minute = 0; minute < 7; minute++) {
			botnet_minute(batch, minute, &random);
			if (round)
				batch_shuffle(batch, &order);
			put(&bench, batch);
		}
		bench_finish(&bench);
		assert_int_equal(bench.keeper.count, 1);
		char *text = json_dumps(bench.keeper.items[0].ground, JSON_SORT_KEYS);
		if (!round) {
			reference = bench.keeper.items[0];
			ground = text;
		} else {
			assert_string_equal(text, ground);
			assert_string_equal(bench.keeper.items[0].id, reference.id);
			free(text);
		}
		batch_free(batch);
		bench_close(&bench);
	}
	free(ground);
}

/* A public tool or an ordinary packet shape is no campaign, unless its users begin as one. */
static void test_weak_fingerprint_needs_a_start(void **state)
{
	(void)state;
	for (int together = 0; together < 2; together++) {
		struct bench bench;
		bench_open(&bench, &detector_campaigns, 65536, NULL);
		struct batch *batch = batch_new(&record_tuple, 4096);
		uint64_t random = 4;
		for (int minute = 0; minute < 50; minute++) {
			for (uint32_t host = 0; host < 60; host++) {
				int start = together ? 20 + (int)host % 4 : (int)(host * 50 / 60);
				if (minute >= start)
					tuple_add(batch, &(struct tuple_row){.minute = minute,
									     .source = host + 1,
									     .port = 445,
									     .signature = 0xabc});
			}
			tuple_add(batch, &(struct tuple_row){.minute = minute,
							     .source = (uint32_t)random_next(&random),
							     .port = 80,
							     .signature = 1});
			put(&bench, batch);
		}
		bench_finish(&bench);
		assert_int_equal(bench.keeper.count, together);
		if (together) {
			assert_string_equal(bench.keeper.items[0].rule, "campaign.start");
			assert_int_equal(bench.keeper.items[0].first, T0 + 20 * NS_PER_MINUTE);
		}
		batch_free(batch);
		bench_close(&bench);
	}
}

static void test_spoofed_and_backscatter_do_not_count(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_campaigns, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 4096);
	for (uint32_t i = 0; i < 1000; i++) {
		tuple_add(batch, &(struct tuple_row){.source = i + 1,
						     .port = 80,
						     .payload = 5,
						     .kind = i % 2 ? PACKET_BACKSCATTER : PACKET_SCAN});
		BATCH_COLUMN(batch, uint8_t, 10)[i] = i % 2 == 0;
	}
	put(&bench, batch);
	bench_finish(&bench);
	assert_int_equal(bench.keeper.count, 0);
	batch_free(batch);
	bench_close(&bench);
}

static void test_followed_over_windows_until_it_ends(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_campaigns, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 4096);
	for (int minute = 0; minute < 400; minute++) {
		for (uint32_t bot = 0; bot < 50 && minute < 150; bot++)
			tuple_add(batch, &(struct tuple_row){.minute = minute,
							     .source = bot + 1,
							     .protocol = 17,
							     .port = 37810,
							     .payload = 99});
		tuple_add(batch, &(struct tuple_row){.minute = minute, .source = 0xffff, .port = 80});
		put(&bench, batch);
	}
	assert_int_equal(bench.keeper.count, 1);
	assert_true(bench.keeper.items[0].ended);
	assert_int_equal(bench.keeper.items[0].packets, 50 * 150);
	assert_int_equal(bench.keeper.items[0].last, T0 + 150 * NS_PER_MINUTE - 1);
	batch_free(batch);
	bench_close(&bench);
}

/* Two groups of different ports and fingerprints, on in the same minutes, among groups that are not. */
static void test_synchrony(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_campaigns, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 4096);
	for (int minute = 0; minute < 60; minute++) {
		for (uint32_t bot = 0; bot < 40; bot++) {
			bool burst = minute >= 22 && minute <= 27;
			if (burst)
				tuple_add(batch, &(struct tuple_row){.minute = minute,
								     .source = 0x1000 + bot,
								     .port = 5555,
								     .payload = 1});
			if (burst)
				tuple_add(batch, &(struct tuple_row){.minute = minute,
								     .source = 0x2000 + bot,
								     .port = 8291,
								     .signature = 2});
			if (minute >= 40 && minute <= 44)
				tuple_add(batch,
					  &(struct tuple_row){
						  .minute = minute, .source = 0x3000 + bot, .port = 22, .payload = 3});
			tuple_add(batch,
				  &(struct tuple_row){
					  .minute = minute, .source = 0x4000 + bot, .port = 23, .tool = TOOL_MIRAI});
		}
		put(&bench, batch);
	}
	bench_finish(&bench);
	const struct kept *sync = keeper_find(&bench.keeper, "campaign:sync:");
	assert_non_null(sync);
	assert_string_equal(sync->rule, "campaign.synchrony");
	json_t *groups = json_object_get(sync->ground, "groups");
	assert_int_equal(json_array_size(groups), 2);
	char *text = json_dumps(groups, 0);
	assert_contains(text, "tcp/5555");
	assert_contains(text, "tcp/8291");
	free(text);
	size_t syncs = 0;
	for (size_t i = 0; i < bench.keeper.count; i++)
		syncs += strcmp(bench.keeper.items[i].rule, "campaign.synchrony") == 0;
	assert_int_equal(syncs, 1);
	batch_free(batch);
	bench_close(&bench);
}

static void test_ceiling(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_campaigns, 65536, "limit", "50000", NULL);
	struct batch *batch = batch_new(&record_tuple, 65536);
	uint64_t random = 6;
	for (int round = 0; round < 8; round++) {
		while (batch->rows < batch->capacity)
			tuple_add(batch, &(struct tuple_row){.minute = round,
							     .source = (uint32_t)random_next(&random),
							     .port = (uint16_t)random_next(&random),
							     .payload = random_next(&random)});
		put(&bench, batch);
	}
	bench_finish(&bench);
	assert_true(detector_campaigns.refused(bench.state) > 400000);
	assert_true(pool_bytes(bench.pool) < 50000 * 200 + (4 << 20));
	assert_int_equal(bench.keeper.count, 0);
	batch_free(batch);
	bench_close(&bench);
}

static void test_leaps_in_time_are_quick(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, &detector_campaigns, 65536, NULL);
	struct batch *batch = batch_new(&record_tuple, 20000);
	uint64_t random = 8;
	for (int i = 0; i < 20000; i++)
		tuple_add(batch, &(struct tuple_row){.minute = (int64_t)random_below(&random, 5000000) - 1000000,
						     .source = (uint32_t)i,
						     .port = 80});
	int64_t begin = clock_monotonic_ns();
	put(&bench, batch);
	bench_finish(&bench);
	assert_true(clock_monotonic_ns() - begin < NS_PER_S);
	batch_free(batch);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_botnet),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_weak_fingerprint_needs_a_start),
		cmocka_unit_test(test_spoofed_and_backscatter_do_not_count),
		cmocka_unit_test(test_followed_over_windows_until_it_ends),
		cmocka_unit_test(test_synchrony),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_leaps_in_time_are_quick),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
