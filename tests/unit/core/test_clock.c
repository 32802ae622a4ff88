/* Times and lengths of time to and from text. */
#include "core/clock.h"

#include "../check.h"

#include <errno.h>

static const int64_t now = INT64_C(1767225600) * NS_PER_S; /* 2026-01-01T00:00:00Z */

static void times_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{"2026-01-01", INT64_C(1767225600) * NS_PER_S},
		{"2026-01-01T00:00:00Z", INT64_C(1767225600) * NS_PER_S},
		{"2026-01-01T09:00:00+09:00", INT64_C(1767225600) * NS_PER_S},
		{"2025-12-31T19:30:00-04:30", INT64_C(1767225600) * NS_PER_S},
		{"2026-01-01 00:00", INT64_C(1767225600) * NS_PER_S},
		{"2026-01-01T00:00:00.000000001Z", INT64_C(1767225600) * NS_PER_S + 1},
		{"1767225600", INT64_C(1767225600) * NS_PER_S},
		{"-24h", INT64_C(1767139200) * NS_PER_S},
		{"now", INT64_C(1767225600) * NS_PER_S},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t ns = 0;
		struct err err = {""};
		assert_int_equal(time_parse(cases[i].text, now, &ns, &err), 0);
		assert_int_equal(ns, cases[i].ns);
	}
	static const char *const bad[] = {
		"", "yesterday", "2026-13-01", "2026-01-01T25:00:00Z", "-5", "-5y", "2026-01-01T00:00:00+9", "26"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int64_t ns = 0;
		struct err err = {""};
		assert_int_equal(time_parse(bad[i], now, &ns, &err), -EINVAL);
		assert_contains(err.text, "expected");
	}
}

static void times_are_written(void **state)
{
	(void)state;
	char text[TIME_TEXT_BYTES];
	assert_string_equal(time_format(now, text), "2026-01-01T00:00:00Z");
	assert_string_equal(time_format(now + 120 * NS_PER_MS, text), "2026-01-01T00:00:00.12Z");
	assert_string_equal(time_format(-1, text), "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(time_format(INT64_MAX, text), "2262-04-11T23:47:16.854775807Z");
}

static void floors_go_down_before_1970_too(void **state)
{
	(void)state;
	assert_int_equal(time_floor(61 * NS_PER_S, NS_PER_MINUTE), NS_PER_MINUTE);
	assert_int_equal(time_floor(-1, NS_PER_MINUTE), -NS_PER_MINUTE);
	assert_int_equal(time_floor(-NS_PER_MINUTE, NS_PER_MINUTE), -NS_PER_MINUTE);
}

static void lengths_are_read(void **state)
{
	(void)state;
	int64_t ns = 0;
	assert_int_equal(duration_parse("250ms", &ns, NULL), 0);
	assert_int_equal(ns, 250 * NS_PER_MS);
	assert_int_equal(duration_parse("7d", &ns, NULL), 0);
	assert_int_equal(ns, 7 * NS_PER_DAY);
	static const char *const bad[] = {"", "5", "0s", "-1s", "s", "1 s", "99999999999999d"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(duration_parse(bad[i], &ns, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(times_are_written),
		cmocka_unit_test(floors_go_down_before_1970_too),
		cmocka_unit_test(lengths_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
