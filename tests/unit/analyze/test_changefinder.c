/* ChangeFinder on numbers made up, and on the counts of a real darknet sensor (NICT, June 2019, published with
 * Dark-TRACER) with the alert times that its authors obtained with the same parameters.
 */
#include "analyze/changefinder.h"
#include "core/hash.h"

#include "../check.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static double noise(uint64_t *random)
{
	double sum = 0;
	for (int i = 0; i < 12; i++)
		sum += (double)random_next(random) / 18446744073709551616.0;
	return sum - 6;
}

static void test_step_is_seen(void **state)
{
	(void)state;
	struct changefinder finder;
	changefinder_init(&finder, 0.02, 5, 5);
	uint64_t random = 1;
	double before = -1e9, after = -1e9;
	for (int i = 0; i < 600; i++) {
		double score = changefinder_next(&finder, (i < 400 ? 10 : 40) + noise(&random));
		assert_true(isfinite(score));
		if (i >= 200 && i < 400 && score > before)
			before = score;
		if (i >= 400 && i < 420 && score > after)
			after = score;
	}
	assert_true(after > before + 2);
}

static void test_dull_series_stay_finite(void **state)
{
	(void)state;
	struct changefinder finder;
	changefinder_init(&finder, 0.005, 10, 5);
	for (int i = 0; i < 5000; i++)
		assert_true(isfinite(changefinder_next(&finder, i < 4000 ? 0 : 1e12)));
	changefinder_init(&finder, 0.005, 10, 5);
	for (int i = 0; i < 5000; i++)
		assert_true(isfinite(changefinder_next(&finder, 7)));
}

enum { ROWS_MAX = 2000 };
static long times[ROWS_MAX], alerts[ROWS_MAX];
static double packets[ROWS_MAX], hosts[ROWS_MAX];

static int rows_read(const char *path, size_t *ret_count, bool counts)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return -1;
	char line[200];
	size_t count = 0;
	while (fgets(line, sizeof line, file) && count < ROWS_MAX) {
		if (line[0] == '"')
			continue;
		char *at = line;
		long time = strtol(at, &at, 10);
		if (counts) {
			times[count] = time;
			packets[count] = strtod(at + 1, &at);
			hosts[count] = strtod(at + 1, &at);
		} else {
			alerts[count] = time;
		}
		count++;
	}
	fclose(file);
	*ret_count = count;
	return 0;
}

static void test_dark_tracer_reference(void **state)
{
	(void)state;
	size_t rows = 0, expected = 0;
	if (rows_read(SHARED_DATA "/telescope/darktracer_sensor999_count.csv", &rows, true) < 0 ||
	    rows_read(SHARED_DATA "/telescope/darktracer_sensor999_alert_date.txt", &expected, false) < 0) {
		printf("skipped: the counts of sensor 999 are not under " SHARED_DATA "\n");
		skip();
	}
	assert_in_range(rows, 400, ROWS_MAX);
	assert_int_equal(expected, 15);
	struct changefinder by_packets, by_hosts;
	changefinder_init(&by_packets, 0.005, 10, 5);
	changefinder_init(&by_hosts, 0.005, 10, 5);
	size_t found = 0, right = 0;
	for (size_t i = 0; i < rows; i++) {
		double one = changefinder_next(&by_packets, packets[i]), two = changefinder_next(&by_hosts, hosts[i]);
		if (i < 15 || (one <= 3 && two <= 3))
			continue;
		found++;
		for (size_t j = 0; j < expected; j++)
			right += alerts[j] == times[i];
	}
	printf("%zu alerts of %zu intervals, %zu expected, %zu of them met: recall %.3f, precision %.3f\n", found, rows,
	       expected, right, (double)right / (double)expected, found ? (double)right / (double)found : 0);
	assert_int_equal(right, expected);
	assert_int_equal(found, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step_is_seen),
		cmocka_unit_test(test_dull_series_stay_finite),
		cmocka_unit_test(test_dark_tracer_reference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
