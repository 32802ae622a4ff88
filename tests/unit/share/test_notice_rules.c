/* Rules of notices: which one is for what, when it sends, and what is no rule. */
#include "share/notice_rules.h"

#include "core/clock.h"

#include "../check.h"

#include <errno.h>

#define T0 (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z, nine in the morning in Japan */
#define AT(hours, minutes) (T0 + (hours)*NS_PER_HOUR + (minutes)*NS_PER_MINUTE)

static int parse(struct pool *pool, const char *yaml, struct notice_rules *ret_rules, struct err *err)
{
	return notice_rules_parse("rules.yaml", yaml, strlen(yaml), pool, ret_rules, err);
}

static void the_first_rule_that_fits_counts(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct notice_rules rules;
	struct err err = {""};
	assert_int_equal(parse(pool,
			       "cities:\n  types: [livenet]\n  verdicts: [infected]\n  member-kinds: [municipality]\n"
			       "  least-severity: medium\n  channels: [mail, csv]\n  remind: [1h, 2h]\n"
			       "one:\n  members: [example-city, country]\n  tell: never\n"
			       "rest:\n  tell: digest\n",
			       &rules, &err),
			 0);
	static const char *const above[] = {"a-prefecture", "country", NULL};
	struct notice_matter matter = {"livenet", "infected", 2, "a-city", "municipality", above};
	const struct notice_rule *rule = notice_rule_for(&rules, &matter);
	assert_string_equal(rule->name, "cities");
	assert_int_equal(rule->channels, 1u << CHANNEL_MAIL | 1u << CHANNEL_CSV);
	assert_int_equal(rule->remind_ns[1], 2 * NS_PER_HOUR);
	assert_int_equal(rule->remind_ns[2], 0);
	assert_int_equal(rule->gather_ns, 10 * NS_PER_MINUTE);
	matter.severity = 1;
	assert_string_equal(notice_rule_for(&rules, &matter)->name, "one");
	matter.above = NULL;
	assert_string_equal(notice_rule_for(&rules, &matter)->name, "rest");
	matter.member = "example-city";
	assert_string_equal(notice_rule_for(&rules, &matter)->name, "one");
	matter = (struct notice_matter){"scanner", NULL, 3, "a-city", NULL, NULL};
	assert_string_equal(notice_rule_for(&rules, &matter)->name, "rest");
	assert_null(notice_rule_named(&rules, "none"));
	pool_free(pool);
}

static void quiet_hours_and_digests(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct notice_rules rules;
	struct err err = {""};
	assert_int_equal(parse(pool,
			       "night:\n  quiet: 22:00-07:00\n  quiet-breaks: high\n"
			       "noon:\n  quiet: 12:00-13:00\n  quiet-breaks: nothing\n"
			       "digest:\n  tell: digest\n  digest-at: 09:00\n"
			       "utc:\n  quiet: 22:00-07:00\n  utc-offset: \"-03:30\"\n",
			       &rules, &err),
			 0);
	const struct notice_rule *night = &rules.items[0], *noon = &rules.items[1], *digest = &rules.items[2];
	static const struct {
		int64_t now, night, noon, digest;
	} cases[] = {
		{AT(0, 0), AT(0, 0), AT(0, 0), AT(0, 0)},       /* 09:00 */
		{AT(0, 1), AT(0, 1), AT(0, 1), AT(24, 0)},      /* 09:01 */
		{AT(3, 0), AT(3, 0), AT(4, 0), AT(24, 0)},      /* 12:00 */
		{AT(4, 0), AT(4, 0), AT(4, 0), AT(24, 0)},      /* 13:00 */
		{AT(13, 0), AT(22, 0), AT(13, 0), AT(24, 0)},   /* 22:00 */
		{AT(16, 30), AT(22, 0), AT(16, 30), AT(24, 0)}, /* 01:30 */
		{AT(22, 0), AT(22, 0), AT(22, 0), AT(24, 0)},   /* 07:00 */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(notice_rule_time(night, 2, cases[i].now), cases[i].night);
		assert_int_equal(notice_rule_time(night, 3, cases[i].now), cases[i].now);
		assert_int_equal(notice_rule_time(noon, 3, cases[i].now), cases[i].noon);
		assert_int_equal(notice_rule_time(digest, 3, cases[i].now), cases[i].digest);
	}
	/* 22:00 at 03:30 behind UTC is 01:30 UTC. */
	assert_int_equal(notice_rule_time(&rules.items[3], 0, AT(1, 29)), AT(1, 29));
	assert_int_equal(notice_rule_time(&rules.items[3], 0, AT(1, 30)), AT(10, 30));
	pool_free(pool);
}

static void what_is_no_rule_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *sentence;
	} cases[] = {
		{"a:\n  quiet: 22-07\n", "rules.yaml:1: rule a: quiet: '22-07' was given, hours like 22:00-07:00"},
		{"a:\n  quiet: 25:00-07:00\n", "hours like"},
		{"a:\n  tel: digest\n", "rules.yaml:2:"},
		{"a:\n  tell: sometimes\n", "rules.yaml:2:"},
		{"a:\n  types: [livenets]\n", "types: 'livenets' was given, one of victim"},
		{"a:\n  channels: [fax]\n", "rules.yaml:1: rule a: channels: 'fax'"},
		{"a:\n  remind: [soon]\n", "rules.yaml:1: rule a: remind"},
		{"a:\n  utc-offset: Tokyo\n", "utc-offset"},
		{"a:\n  tell: digest\na:\n  tell: digest\n", "rules.yaml:3: there are two rules a"},
		{"- a\n", "rules.yaml:1: rules by their names"},
		{"a: [\n", "not YAML"},
		{"a: 3\n", "rules.yaml:1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pool *pool = pool_new(NULL, "test");
		struct notice_rules rules = {NULL, 0};
		struct err err = {""};
		assert_int_equal(parse(pool, cases[i].yaml, &rules, &err), -EINVAL);
		assert_contains(err.text, cases[i].sentence);
		assert_null(rules.items);
		pool_free(pool);
	}
}

static void the_rules_that_come_along_are_right(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct notice_rules rules;
	struct err err = {""};
	int result = notice_rules_read(DATA_DIR "/notices/rules.yaml", pool, &rules, &err);
	if (result < 0)
		fail_msg("%s", err.text);
	struct notice_matter matter = {"livenet", "infected", 2, "a-city", NULL, NULL};
	assert_string_equal(notice_rule_for(&rules, &matter)->name, "infected");
	assert_int_equal(notice_rules_read("/nowhere/rules.yaml", pool, &rules, &err), -ENOENT);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_fits_counts),
		cmocka_unit_test(quiet_hours_and_digests),
		cmocka_unit_test(what_is_no_rule_is_named),
		cmocka_unit_test(the_rules_that_come_along_are_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
