/* Figures of merit against values worked out by hand. */
#include "flows.h"

#include "analyze/cnc/eval.h"

static const struct cnc_ranked first[] = {{0.9f, true}, {0.8f, false}, {0.7f, true}, {0.1f, false}};
static const struct cnc_ranked second[] = {{0.6f, false}, {0.5f, true}};
static const struct cnc_ranked none[] = {{0.75f, false}};
static const struct cnc_capture captures[] = {
	{first, 4, 2, 0}, {second, 2, 2, 1} /* one of its servers was not ranked */, {none, 1, 0, 2}};

static void test_average_precision(void **state)
{
	(void)state;
	assert_float_equal(cnc_average_precision(&captures[0]), (1 + 2.0 / 3) / 2, 1e-9);
	assert_float_equal(cnc_average_precision(&captures[1]), 0.25, 1e-9);
	assert_float_equal(cnc_average_precision(&captures[2]), -1, 0);
	assert_float_equal(cnc_mean_precision(captures, 3), (5.0 / 6 + 0.25) / 2, 1e-9);
	assert_float_equal(cnc_mean_precision(captures + 2, 1), -1, 0);
}

static void test_threshold(void **state)
{
	(void)state;
	struct cnc_at_threshold at = cnc_at_threshold(captures, 3, 0.7f);
	assert_int_equal(at.found, 2);
	assert_int_equal(at.missed, 2);
	assert_int_equal(at.false_alarms, 2);
	assert_float_equal(at.precision, 0.5, 1e-9);
	assert_float_equal(at.recall, 0.5, 1e-9);
	assert_float_equal(cnc_at_threshold(captures, 3, 2).precision, 1, 0);
	/* of the second family alone 0.5 is best; without the first it must not be asked */
	assert_float_equal(cnc_threshold_choose(captures, 3, 0), 0.5f, 0);
	assert_float_equal(cnc_threshold_choose(captures + 2, 1, UINT32_MAX), 1, 0);
	assert_float_equal(cnc_threshold_for_recall(captures, 3, 0.5), 0.7f, 0);
	assert_float_equal(cnc_threshold_for_recall(captures, 3, 0.75), 0.5f, 0);
	assert_float_equal(cnc_threshold_for_recall(captures, 3, 0.8), -1, 0);
}

static void test_bootstrap(void **state)
{
	(void)state;
	struct cnc_interval interval = cnc_bootstrap(captures, 2, 1000, cnc_mean_precision);
	assert_float_equal(interval.low, 0.25, 1e-9);
	assert_float_equal(interval.high, 5.0 / 6, 1e-9);
	interval = cnc_bootstrap(captures, 1, 1000, cnc_mean_precision);
	assert_float_equal(interval.low, interval.high, 1e-9);
	assert_float_equal(cnc_bootstrap(captures, 0, 10, cnc_mean_precision).low, -1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_average_precision),
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_bootstrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
