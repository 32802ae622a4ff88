/* The report's sums and distinct sources against a plain count, and what it keeps of findings. */
#include "feed.h"

#include "analyze/report.h"

#include <errno.h>

static void test_sums_are_exact(void **state)
{
	(void)state;
	struct report *report = report_new(NULL);
	struct batch *batch = batch_new(&record_tuple, 65536);
	uint64_t random = 3, packets = 0;
	static uint8_t seen[200000];
	uint64_t distinct = 0, of_country[3] = {0};
	static const uint16_t countries[3] = {0, 'J' << 8 | 'P', 'U' << 8 | 'S'};
	memset(seen, 0, sizeof seen);
	for (int round = 0; round < 20; round++) {
		batch_clear(batch);
		for (int i = 0; i < 30000; i++) {
			uint32_t source = (uint32_t)random_below(&random, 200000);
			uint32_t count = 1 + (uint32_t)random_below(&random, 9);
			tuple_add(batch, &(struct tuple_row){.minute = round,
							     .source = source,
							     .packets = count,
							     .country = countries[source % 3],
							     .network = source % 7});
			if (source % 5 == 0) /* some in IPv6 */
				BATCH_COLUMN(batch, struct addr, 2)[batch->rows - 1].bytes[0] = 0x20;
			packets += count;
			distinct += !seen[source];
			of_country[source % 3] += !seen[source];
			seen[source] = 1;
		}
		assert_int_equal(report_take(report, batch, NULL), 0);
	}
	assert_int_equal(report_sources(report), distinct);
	json_t *json = report_json(report, NULL, NULL);
	assert_non_null(json);
	json_t *list = json_object_get(json, "countries"), *row;
	size_t i;
	uint64_t sum = 0, sources = 0, last = UINT64_MAX;
	assert_int_equal(json_array_size(list), 3);
	json_array_foreach(list, i, row)
	{
		const char *country = json_string_value(json_object_get(row, "country"));
		uint64_t row_packets = (uint64_t)json_integer_value(json_object_get(row, "packets"));
		uint64_t expected = of_country[strcmp(country, "ZZ") == 0 ? 0 : strcmp(country, "JP") == 0 ? 1 : 2];
		assert_int_equal(json_integer_value(json_object_get(row, "sources")), expected);
		assert_true(row_packets <= last);
		last = row_packets;
		sum += row_packets;
	}
	assert_int_equal(sum, packets);
	list = json_object_get(json, "networks");
	assert_int_equal(json_array_size(list), 7);
	json_array_foreach(list, i, row) sources += (uint64_t)json_integer_value(json_object_get(row, "sources"));
	assert_int_equal(sources, distinct);
	json_decref(json);
	batch_free(batch);
	report_free(report);
}

static const char *name_of(const void *context, uint32_t network)
{
	(void)context;
	return network == 2907 ? "SINET" : "";
}

static void test_findings_replace_one_another(void **state)
{
	(void)state;
	struct report *report = report_new(NULL);
	struct vantage vantage = {.darknet_addresses = 65536};
	struct detectors *detectors;
	struct err err;
	assert_int_equal(detectors_new(NULL, &vantage, report_sink(report), NULL, &detectors, &err), 0);
	struct batch *echo = batch_new(&record_echo, 64), *tuple = batch_new(&record_tuple, 4096);
	for (int minute = 0; minute < 3; minute++) {
		batch_clear(echo);
		batch_clear(tuple);
		for (int bin = 0; bin < 6; bin++)
			echo_add(echo, &(struct echo_row){minute * 60 + bin * 10, minute * 60 + bin * 10 + 9,
							  0x01020304, 6, 80, 50, 50});
		for (uint32_t bot = 0; bot < 100; bot++)
			tuple_add(tuple, &(struct tuple_row){.minute = minute,
							     .source = bot,
							     .tool = TOOL_MIRAI,
							     .port = 23,
							     .country = 'J' << 8 | 'P',
							     .network = 2907});
		assert_int_equal(detectors_take(detectors, tuple, &err), 0);
		assert_int_equal(detectors_take(detectors, echo, &err), 0);
		assert_int_equal(report_take(report, tuple, &err), 0);
	}
	assert_int_equal(detectors_finish(detectors, &err), 0);
	json_t *json = report_json(report, name_of, NULL);
	json_t *victims = json_object_get(json, "victims"), *campaigns = json_object_get(json, "campaigns");
	assert_int_equal(json_array_size(victims), 1);
	json_t *victim = json_array_get(victims, 0);
	assert_string_equal(json_string_value(json_object_get(victim, "address")), "1.2.3.4");
	assert_int_equal(json_integer_value(json_object_get(victim, "packets")), 900);
	assert_string_equal(json_string_value(json_object_get(victim, "first")), "2026-01-01T00:00:00Z");
	assert_string_equal(json_string_value(json_object_get(victim, "last")), "2026-01-01T00:02:59Z");
	assert_int_equal(json_array_size(json_object_get(victim, "ports")), 1);
	assert_int_equal(json_array_size(campaigns), 1);
	json_t *campaign = json_array_get(campaigns, 0);
	assert_int_equal(json_integer_value(json_object_get(campaign, "sources")), 100);
	assert_string_equal(json_string_value(json_object_get(campaign, "tool")), "mirai");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(json_object_get(json, "networks"), 0), "name")),
		"SINET");
	json_decref(json);
	batch_free(echo);
	batch_free(tuple);
	detectors_free(detectors);
	report_free(report);
}

static void test_empty(void **state)
{
	(void)state;
	struct report *report = report_new(NULL);
	json_t *json = report_json(report, NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "countries")), 0);
	assert_int_equal(json_array_size(json_object_get(json, "victims")), 0);
	json_decref(json);
	report_free(report);
	report_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_are_exact),
		cmocka_unit_test(test_findings_replace_one_another),
		cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
