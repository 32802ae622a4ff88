/* Which addresses become routes, and how they are written. */
#include "share/route.h"

#include "check.h"

#include <errno.h>
#include <string.h>

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	must(prefix_parse(text, &prefix, &must_err));
	return prefix;
}

static enum route_verdict judged(const struct route_guard *guard, const char *text, size_t already)
{
	const struct indicator_value value = {strchr(text, ':') ? KIND_IPV6 : KIND_IPV4, text, strlen(text), true};
	return route_judge(guard, &value, already);
}

static void only_what_harms_nobody_passes(void **state)
{
	(void)state;
	struct prefix own[] = {prefix_of("45.9.3.0/24"), prefix_of("2a0f:2::/32")};
	struct prefix allowed[] = {prefix_of("10.1.0.0/16")};
	const struct prefix_list protect = {own, 2}, allow = {allowed, 1};
	const struct member_prefix members[] = {{prefix_of("45.9.2.0/24"), 1}, {prefix_of("2a0f:1::/32"), 2}};
	const struct route_limits limits = {
		.most = 2, .protect = &protect, .allow = &allow, .members = members, .member_count = 2};
	struct route_guard *guard = NULL;
	must(route_guard_new(&limits, &guard, &must_err));
	const struct {
		const char *text;
		enum route_verdict verdict;
	} cases[] = {
		{"45.9.1.1", ROUTE_PASSES},      {"45.9.1.1/32", ROUTE_PASSES},  {"45.9.1.0/31", ROUTE_WIDE},
		{"0.0.0.0/0", ROUTE_WIDE},       {"2a00::/127", ROUTE_WIDE},     {"2a00::1", ROUTE_PASSES},
		{"45.9.2.255", ROUTE_PROTECTED}, {"45.9.3.0", ROUTE_PROTECTED},  {"45.9.4.0", ROUTE_PASSES},
		{"2a0f:1::1", ROUTE_PROTECTED},  {"2a0f:2::1", ROUTE_PROTECTED}, {"2a0f:3::1", ROUTE_PASSES},
		{"127.0.0.1", ROUTE_SPECIAL},    {"224.0.0.5", ROUTE_SPECIAL},   {"10.0.0.1", ROUTE_SPECIAL},
		{"10.1.0.1", ROUTE_PASSES},      {"fe80::1", ROUTE_SPECIAL},     {"::1", ROUTE_SPECIAL},
		{"203.0.113.9", ROUTE_PASSES},   {"not an address", ROUTE_WIDE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (judged(guard, cases[i].text, 1) != cases[i].verdict)
			fail_msg("%s: %s", cases[i].text, route_verdict_names[judged(guard, cases[i].text, 1)]);
	assert_int_equal(judged(guard, "45.9.1.1", 2), ROUTE_TOO_MANY);
	route_guard_free(guard);
}

static void wide_ones_hold_no_network_of_a_member(void **state)
{
	(void)state;
	const struct member_prefix members[] = {{prefix_of("45.9.2.128/25"), 1}};
	const struct route_limits limits = {.bits_v4 = 8, .bits_v6 = 32, .members = members, .member_count = 1};
	struct route_guard *guard = NULL;
	must(route_guard_new(&limits, &guard, &must_err));
	assert_int_equal(judged(guard, "45.9.2.0/25", 0), ROUTE_PASSES);
	assert_int_equal(judged(guard, "45.9.2.0/24", 0), ROUTE_PROTECTED);
	assert_int_equal(judged(guard, "45.0.0.0/8", 0), ROUTE_PROTECTED);
	assert_int_equal(judged(guard, "46.0.0.0/8", 0), ROUTE_PASSES);
	assert_int_equal(judged(guard, "10.0.0.0/8", 0), ROUTE_SPECIAL);
	route_guard_free(guard);
}

static void routes_are_in_the_words_of_the_daemon(void **state)
{
	(void)state;
	char text[ROUTE_TEXT_BYTES];
	must(route_format(ROUTE_BIRD, ROUTE_BLACKHOLE, KIND_IPV4, "45.9.1.1", text));
	assert_string_equal(text, "\troute 45.9.1.1/32 blackhole { bgp_community.add((65535, 666)); };\n");
	must(route_format(ROUTE_FRR, ROUTE_BLACKHOLE, KIND_IPV6, "2a00::1", text));
	assert_string_equal(text, "ipv6 route 2a00::1/128 blackhole tag 666\n");
	must(route_format(ROUTE_GOBGP, ROUTE_BLACKHOLE, KIND_IPV4, "45.9.0.0/24", text));
	assert_string_equal(text, "gobgp global rib add 45.9.0.0/24 -a ipv4 community 65535:666\n");
	must(route_format(ROUTE_GOBGP, ROUTE_FLOWSPEC, KIND_IPV6, "2a00::1", text));
	assert_contains(text, "add match source 2a00::1/128 then discard -a ipv6-flowspec\n");
	assert_int_equal(route_format(ROUTE_FRR, ROUTE_FLOWSPEC, KIND_IPV4, "45.9.1.1", text), -ENOTSUP);
	must(route_head(ROUTE_FLOWSPEC, KIND_IPV4, "yagura", text));
	assert_string_equal(text, "flow4 table yagura_flow4;\nprotocol static yagura_rules4 {\n\tflow4 { table "
				  "yagura_flow4; };\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_harms_nobody_passes),
		cmocka_unit_test(wide_ones_hold_no_network_of_a_member),
		cmocka_unit_test(routes_are_in_the_words_of_the_daemon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
