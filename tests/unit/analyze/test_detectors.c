/* The table of detectors: options by section, running all, a sink that refuses, allocations that fail. */
#include "feed.h"

#include <errno.h>
#include <sys/resource.h>

#if defined(__has_feature)
#define SANITIZED                                                                                                      \
	(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static void test_table(void **state)
{
	(void)state;
	size_t count = 0;
	for (; detector_table[count]; count++) {
		const struct detector *detector = detector_table[count];
		assert_true(detector->version > 0 && detector->summary && detector->summary_ja);
		assert_true(detector->takes && detector->open && detector->take && detector->finish &&
			    detector->refused);
		for (const struct option_spec *option = detector->options; option->name; option++)
			assert_true(option->help && option->help_ja && option->default_text);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(detector_table[i]->name, detector->name);
	}
	assert_int_equal(count, detectors_count());
	assert_int_equal(count, 6);
}

static void test_options(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct err err;
	struct detector_options *options = detector_options_new(pool, &err);
	assert_non_null(options);
	assert_int_equal(detector_option_set(options, "victims", "packets", "5", &err), 0);
	assert_int_equal(detector_option_set(options, "victim", "packets", "5", &err), -ENOENT);
	assert_contains(err.text, "did you mean 'victims'?");
	assert_int_equal(detector_option_set(options, "victims", "packet", "5", &err), -ENOENT);
	assert_int_equal(detector_option_set(options, "victims", "packets", "0", &err), -EINVAL);
	static const char yaml[] = "victims:\n  window-packets: 3\ncampaigns:\n  sources: 5\n";
	assert_int_equal(detector_options_from_yaml(options, yaml, sizeof yaml - 1, "test.yaml", &err), 0);
	static const char wrong[] = "scanners:\n  adresses: 3\n";
	assert_true(detector_options_from_yaml(options, wrong, sizeof wrong - 1, "test.yaml", &err) < 0);

	struct keeper keeper = {.sink.put = keeper_put};
	struct detectors *detectors;
	assert_int_equal(detectors_new(options, NULL, &keeper.sink, pool, &detectors, &err), 0);
	struct batch *batch = batch_new(&record_echo, 8), *tuple = batch_new(&record_tuple, 8);
	echo_add(batch, &(struct echo_row){0, 0, 5, 6, 80, 3, 3});
	echo_add(batch, &(struct echo_row){60, 60, 5, 6, 80, 3, 3});
	for (uint32_t i = 0; i < 5; i++)
		tuple_add(tuple, &(struct tuple_row){.source = i, .tool = TOOL_MIRAI, .port = 23});
	assert_int_equal(detectors_take(detectors, batch, &err), 0);
	assert_int_equal(detectors_take(detectors, tuple, &err), 0);
	assert_int_equal(detectors_finish(detectors, &err), 0);
	assert_int_equal(keeper_count(&keeper, FINDING_VICTIM), 1);
	assert_int_equal(keeper_count(&keeper, FINDING_CAMPAIGN), 1);
	assert_int_equal(detectors_findings(detectors, 0), 1);
	assert_true(detectors_bytes(detectors, 0) > 0);
	assert_int_equal(detectors_refused(detectors, 0), 0);
	batch_free(batch);
	batch_free(tuple);
	detectors_free(detectors);
	keeper_empty(&keeper);
	pool_free(pool);
}

static void test_other_kinds_pass(void **state)
{
	(void)state;
	struct keeper keeper = {.sink.put = keeper_put};
	struct detectors *detectors;
	struct err err;
	assert_int_equal(detectors_new(NULL, NULL, &keeper.sink, NULL, &detectors, &err), 0);
	struct batch *health = batch_new(&record_health, 8);
	assert_int_equal(detectors_take(detectors, health, &err), 0);
	assert_int_equal(detectors_finish(detectors, &err), 0);
	assert_int_equal(keeper.rows, 0);
	batch_free(health);
	detectors_free(detectors);
	detectors_free(NULL);
}

/* With no address space left: refused and counted, or -ENOMEM with a sentence, and everything can be freed. */
static void test_out_of_memory(void **state)
{
	(void)state;
	if (SANITIZED)
		skip();
	struct keeper keeper = {.sink.put = keeper_put};
	struct detectors *detectors;
	struct err err;
	struct batch *batch = batch_new(&record_tuple, 65536);
	assert_int_equal(detectors_new(NULL, NULL, &keeper.sink, NULL, &detectors, &err), 0);
	uint64_t random = 5;
	struct rlimit before, tight;
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	for (int round = 0; round < 8; round++) {
		batch_clear(batch);
		while (batch->rows < batch->capacity)
			tuple_add(batch, &(struct tuple_row){.minute = round,
							     .source = (uint32_t)random_next(&random),
							     .port = (uint16_t)random_next(&random),
							     .payload = random_next(&random)});
		if (round == 1) {
			FILE *statm = fopen("/proc/self/statm", "r");
			unsigned long pages = 0;
			assert_true(statm && fscanf(statm, "%lu", &pages) == 1);
			fclose(statm);
			tight = before;
			tight.rlim_cur = pages * 4096 + (24 << 20);
			assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
		}
		int code = detectors_take(detectors, batch, &err);
		assert_true(code == 0 || code == -ENOMEM);
		if (code)
			assert_contains(err.text, "no memory");
	}
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	uint64_t refused = 0;
	for (size_t i = 0; i < detectors_count(); i++)
		refused += detectors_refused(detectors, i);
	assert_true(refused > 0);
	detectors_free(detectors);
	batch_free(batch);
	keeper_empty(&keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_other_kinds_pass),
		cmocka_unit_test(test_out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
