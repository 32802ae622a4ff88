/* STIX patterns: which values they look for, and which of them stand alone. The valid ones are those of the standard.
 */
#include "wire/stix_pattern.h"

#include "../check.h"

#include <stdio.h>
#include <stdlib.h>

static int collect(void *context, const struct stix_pattern_value *value)
{
	char *out = context;
	sprintf(out + strlen(out), "%.*s:%.*s=%.*s%s%s ", (int)value->type_bytes, value->type, (int)value->path_bytes,
		value->path, (int)value->bytes, value->text, value->alone ? "!" : "", value->is_prefix ? "/" : "");
	return 0;
}

static void finds(const char *pattern, const char *values)
{
	char out[1024] = "";
	struct err err = {""};
	if (stix_pattern_read(pattern, strlen(pattern), collect, out, &err) != 0)
		fail_msg("%s: %s", pattern, err.text);
	assert_string_equal(out, values);
}

static void refused(const char *pattern, const char *sentence)
{
	char out[1024] = "";
	struct err err = {""};
	assert_int_equal(stix_pattern_read(pattern, strlen(pattern), collect, out, &err), 1);
	assert_contains(err.text, sentence);
}

static void values_are_found(void **state)
{
	(void)state;
	finds("[ipv4-addr:value = '198.51.100.1']", "ipv4-addr:value=198.51.100.1! ");
	finds("[url:value = 'a' OR url:value = 'b']", "url:value=a! url:value=b! ");
	finds("[ipv4-addr:value IN ('a', 'b') ]", "ipv4-addr:value=a! ipv4-addr:value=b! ");
	finds("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "ipv4-addr:value=198.51.100.0/24!/ ");
	finds("[file:hashes.'SHA-256' = 'aa'] OR [file:hashes.MD5 = 'bb']",
	      "file:hashes.'SHA-256'=aa! file:hashes.MD5=bb! ");
	finds("[a:b != 'x' AND a:c NOT = 'y' AND a:d > 5 AND a:e LIKE 'z%' AND EXISTS a:f]", "");
	finds("[a:b NOT != 'x']", "a:b=x! ");
	finds("[autonomous-system:number = 64500]", "autonomous-system:number=64500! ");
	finds("[a:b[*].c[0].'d e' = 'it\\'s'] /* so */ // and so", "a:b[*].c[0].'d e'=it\\'s! ");
	finds("[a:b = true AND a:c = h'ff' AND a:d = t'2020-01-01T00:00:00Z']", "");
}

static void parts_of_a_match_do_not_stand_alone(void **state)
{
	(void)state;
	finds("[a:b = 'x' AND a:c = 'y']", "a:b=x a:c=y ");
	finds("[a:b = 'x' OR a:c = 'y' AND a:d = 'z']", "a:b=x! a:c=y a:d=z ");
	finds("[(a:b = 'x' OR a:c = 'y') AND a:d = 'z']", "a:b=x a:c=y a:d=z ");
	finds("[a:b = 'x'] AND [a:c = 'y']", "a:b=x a:c=y ");
	finds("([a:b = 'x'] FOLLOWEDBY [a:c = 'y']) WITHIN 300 SECONDS", "a:b=x a:c=y ");
	finds("[a:b = 'x'] REPEATS 5 TIMES", "a:b=x ");
	finds("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.33']",
	      "network-traffic:dst_ref.type=ipv4-addr! network-traffic:dst_ref.value=203.0.113.33! ");
	finds("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = 'x' AND "
	      "network-traffic:dst_port = 80]",
	      "network-traffic:dst_ref.type=ipv4-addr network-traffic:dst_ref.value=x network-traffic:dst_port=80 ");
}

static void what_is_no_pattern_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *sentence;
	} wrong[] = {
		{"", "byte 0: [ or ( was expected"},
		{"[]", "byte 1: a type of object"},
		{"[a:b = 'x'", "byte 10: ] was expected"},
		{"[a:b = 'x]", "a value was expected"},
		{"[a:b 'x']", "a comparison was expected"},
		{"[a = 'x']", "a colon"},
		{"[a:b = 'x'] [a:b = 'y']", "the end was expected"},
		{"[a:b IN ('x' 'y')]", "a comma or )"},
		{"[a:b[x] = 'y']", "a number or *"},
		{"[a:b = 'x'] WITHIN soon", "a number was expected"},
		{"[a:b = 'x'] START '2020' STOP '2021'", "a time was expected"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refused(wrong[i].pattern, wrong[i].sentence);
	char deep[300];
	memset(deep, '(', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	refused(deep, "nested deeper than 64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(parts_of_a_match_do_not_stand_alone),
		cmocka_unit_test(what_is_no_pattern_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
