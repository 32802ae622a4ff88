/* Alerts and notices counted where they belong. What of it is told is test_tally.c's. */
#include "../check.h"

#include "hub/statistics.h"

#include "core/clock.h"
#include "hub/tally.h"

#include <errno.h>

#define DAY(n) (INT64_C(1793491200) * NS_PER_S + (n)*NS_PER_DAY) /* 2026-11-01 and so many days */

static struct statistics *days(int count)
{
	struct err err = {""};
	struct statistics *statistics = NULL;
	if (statistics_new(PERIOD_DAY, DAY(0), DAY(count), &statistics, &err) < 0)
		fail_msg("%s", err.text);
	return statistics;
}

/* One each of `count` members from `member` on, of addresses that are called as their members. */
static void alerts(struct statistics *statistics, uint32_t member, const char *verdict, int day, int count, int fixed_s)
{
	struct err err = {""};
	for (int i = 0; i < count; i++) {
		char subject[16];
		snprintf(subject, sizeof subject, "%u", member + (unsigned)i);
		const struct statistics_alert alert = {.member = member + (uint32_t)i,
						       .subject = subject,
						       .verdict = verdict,
						       .first_ns = DAY(day),
						       .last_ns = DAY(day) + (int64_t)fixed_s * (i + 1) * NS_PER_S,
						       .fixed = fixed_s != 0};
		assert_int_equal(statistics_alert(statistics, &alert, &err), 0);
	}
}

static void sectors(struct statistics *statistics, uint32_t member, const char *sector, int count)
{
	struct err err = {""};
	for (int i = 0; i < count; i++)
		assert_int_equal(statistics_member(statistics, member + (uint32_t)i, sector, &err), 0);
}

static const json_t *named(const json_t *list, const char *name)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i,
			   item) if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0) return item;
	fail_msg("there is no %s", name);
	return NULL;
}

static json_int_t number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	assert_non_null(value);
	return json_is_null(value) ? TALLY_HIDDEN : json_integer_value(value);
}

static void alerts_are_counted_where_they_belong(void **state)
{
	(void)state;
	struct statistics *statistics = days(3);
	sectors(statistics, 5, "provider", 10);
	sectors(statistics, 5000, "municipality", 15);
	alerts(statistics, 5, "infected", 0, 10, 60);
	alerts(statistics, 5000, "victim", 1, 15, 0);
	alerts(statistics, 77, "misconfigured", 2, 5, 0); /* members that are no longer there */
	alerts(statistics, 5, "infected", 3, 9, 60);      /* after the end */
	statistics_traffic(statistics, DAY(1) + 5, 100, 7);
	statistics_traffic(statistics, DAY(9), 100, 7);
	json_t *json = statistics_json(statistics);
	const json_t *all = json_object_get(json, "alerts");
	assert_int_equal(number(json, "members"), 25);
	assert_int_equal(number(all, "found"), 30);
	assert_int_equal(number(all, "fixed"), 10);
	assert_int_equal(number(named(json_object_get(json, "verdicts"), "infected"), "found"), 10);
	assert_int_equal(number(named(json_object_get(json, "verdicts"), "spoofed"), "found"), 0);
	assert_int_equal(number(named(json_object_get(json, "sectors"), "provider"), "found"), 10);
	assert_int_equal(number(named(json_object_get(json, "sectors"), "municipality"), "found"), 15);
	assert_int_equal(number(named(json_object_get(json, "sectors"), "other"), "found"), 5);
	const json_t *periods = json_object_get(json, "periods");
	assert_int_equal(json_array_size(periods), 3);
	assert_int_equal(number(json_array_get(periods, 1), "found"), 15);
	assert_int_equal(number(json_array_get(periods, 1), "packets"), 100);
	assert_int_equal(number(json_array_get(periods, 2), "packets"), 0);
	assert_true(json_real_value(json_object_get(json_object_get(json, "times"), "fix_median_s")) == 300);
	assert_true(json_is_null(json_object_get(named(json_object_get(json, "sectors"), "other"), "fix_median_s")));
	json_decref(json);
	statistics_free(statistics);
}

static void one_sector_of_one_member_is_hidden(void **state)
{
	(void)state;
	struct statistics *statistics = days(1);
	sectors(statistics, 1, "ministry", 1);
	sectors(statistics, 2, "provider", 20);
	sectors(statistics, 30, "municipality", 40);
	for (int i = 0; i < 50; i++)
		alerts(statistics, 1, "victim", 0, 1, 0);
	alerts(statistics, 2, "victim", 0, 20, 7);
	alerts(statistics, 30, "victim", 0, 40, 7);
	json_t *json = statistics_json(statistics);
	const json_t *list = json_object_get(json, "sectors");
	assert_int_equal(number(json_object_get(json, "alerts"), "found"), 110);
	assert_int_equal(number(named(list, "ministry"), "found"), TALLY_HIDDEN);
	assert_true(json_is_null(json_object_get(named(list, "ministry"), "fix_median_s")));
	assert_int_equal(number(named(list, "provider"), "found"), TALLY_HIDDEN); /* else 110 - 40 - 20 */
	assert_int_equal(number(named(list, "provider"), "fixed"),
			 TALLY_HIDDEN); /* or it would tell of what was found */
	assert_true(json_is_null(json_object_get(named(list, "provider"), "fix_median_s")));
	assert_int_equal(number(named(list, "municipality"), "found"), 40);
	assert_int_equal(number(named(list, "municipality"), "fixed"), 40);
	json_decref(json);
	statistics_free(statistics);
}

/* An address is a machine once, however often it fell ill; while one alert of it goes on it is not clean. */
static void machines_are_counted_once(void **state)
{
	(void)state;
	struct statistics *statistics = days(2);
	alerts(statistics, 1, "infected", 0, 20, 60);
	alerts(statistics, 1, "infected", 1, 15, 60);
	alerts(statistics, 1, "infected", 1, 5, 0);
	alerts(statistics, 100, "victim", 1, 50, 60);
	json_t *json = statistics_json(statistics);
	const json_t *machines = json_object_get(json, "machines");
	assert_int_equal(number(machines, "found"), 20);
	assert_int_equal(number(machines, "cleaned"), 15);
	json_decref(json);
	statistics_free(statistics);
}

static void notices_are_counted(void **state)
{
	(void)state;
	struct err err = {""};
	struct statistics *statistics = days(1);
	for (int i = 1; i <= 15; i++) {
		const struct statistics_notice notice = {.member = (uint32_t)i,
							 .verdict = "infected",
							 .made_ns = DAY(0),
							 .told_ns = DAY(0) + i * NS_PER_S,
							 .acknowledged_ns = i < 6 ? DAY(0) + (i + 60) * NS_PER_S : 0};
		assert_int_equal(statistics_notice(statistics, &notice, &err), 0);
	}
	for (uint32_t i = 1; i <= 10; i++) {
		const struct statistics_notice untold = {
			.member = i, .verdict = "infected", .made_ns = DAY(0), .bounced = true};
		assert_int_equal(statistics_notice(statistics, &untold, &err), 0);
	}
	json_t *json = statistics_json(statistics);
	const json_t *all = json_object_get(json, "alerts"), *times = json_object_get(json, "times");
	assert_int_equal(number(all, "told"), 15);
	assert_int_equal(number(all, "bounced"), 10);
	assert_int_equal(number(all, "acknowledged"), 5);
	assert_true(json_real_value(json_object_get(times, "tell_median_s")) == 8);
	assert_true(json_real_value(json_object_get(times, "acknowledge_median_s")) == 60);
	assert_true(json_is_null(json_object_get(times, "fix_median_s")));
	json_decref(json);
	statistics_free(statistics);
}

static void spans_are_whole_periods(void **state)
{
	(void)state;
	struct err err = {""};
	struct statistics *statistics = NULL;
	assert_int_equal(statistics_new(PERIOD_MONTH, DAY(3) + 5, DAY(40), &statistics, &err), 0);
	assert_int_equal(statistics_from(statistics), DAY(0));
	assert_int_equal(statistics_to(statistics), DAY(61));
	statistics_free(statistics);
	assert_int_equal(statistics_new(PERIOD_DAY, DAY(1), DAY(1), &statistics, &err), -EINVAL);
	assert_int_equal(statistics_new(PERIOD_DAY, DAY(0), DAY(9000), &statistics, &err), -EINVAL);
	statistics_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alerts_are_counted_where_they_belong),
		cmocka_unit_test(one_sector_of_one_member_is_hidden),
		cmocka_unit_test(machines_are_counted_once),
		cmocka_unit_test(notices_are_counted),
		cmocka_unit_test(spans_are_whole_periods),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
