/* Addresses and prefixes: text both ways, limits, refusals with a sentence that helps. */
#include "core/addr.h"

#include "../check.h"

#include <errno.h>

static void addresses_survive_text(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:0:0:1"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct addr addr;
		char text[ADDR_TEXT_BYTES];
		assert_int_equal(addr_parse(texts[i], &addr, NULL), 0);
		assert_string_equal(addr_format(&addr, text), texts[i]);
		assert_int_equal(addr_is_v4(&addr), strchr(texts[i], ':') == NULL);
	}
	struct addr addr = addr_from_v4(0xc0000201);
	char text[ADDR_TEXT_BYTES];
	assert_string_equal(addr_format(&addr, text), "192.0.2.1");
	assert_int_equal(addr_to_v4(&addr), 0xc0000201);
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"",         "192.0.2", "192.0.2.256", "1.2.3.4.5",
					    "2001:db8", ":::",     "host",        "192.0.2.1 "};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct addr addr;
		struct err err = {""};
		assert_int_equal(addr_parse(texts[i], &addr, &err), -EINVAL);
		assert_contains(err.text, "expected");
	}
}

static void prefixes_hold_what_they_cover(void **state)
{
	(void)state;
	struct prefix prefix;
	struct addr inside, outside, last;
	char text[PREFIX_TEXT_BYTES];
	assert_int_equal(prefix_parse("198.18.0.0/15", &prefix, NULL), 0);
	assert_string_equal(prefix_format(&prefix, text), "198.18.0.0/15");
	assert_int_equal(addr_parse("198.19.255.255", &inside, NULL), 0);
	assert_int_equal(addr_parse("198.20.0.0", &outside, NULL), 0);
	assert_true(prefix_has(&prefix, &inside));
	assert_false(prefix_has(&prefix, &outside));
	last = prefix_last(&prefix);
	assert_int_equal(addr_compare(&last, &inside), 0);

	assert_int_equal(prefix_parse("2001:db8:8000::/33", &prefix, NULL), 0);
	assert_int_equal(addr_parse("2001:db8:ffff::1", &inside, NULL), 0);
	assert_int_equal(addr_parse("2001:db8:7fff::1", &outside, NULL), 0);
	assert_true(prefix_has(&prefix, &inside));
	assert_false(prefix_has(&prefix, &outside));

	assert_int_equal(prefix_parse("0.0.0.0/0", &prefix, NULL), 0);
	assert_int_equal(addr_parse("2001:db8::1", &outside, NULL), 0);
	assert_false(prefix_has(&prefix, &outside));
	assert_int_equal(prefix_parse("192.0.2.7", &prefix, NULL), 0);
	assert_int_equal(prefix.bits, 128);
}

static void bad_prefixes_say_what_was_meant(void **state)
{
	(void)state;
	struct prefix prefix;
	struct err err;
	assert_int_equal(prefix_parse("198.18.0.1/15", &prefix, &err), -EINVAL);
	assert_contains(err.text, "198.18.0.0/15");
	static const char *const texts[] = {"198.18.0.0/33",  "198.18.0.0/", "198.18.0.0/-1", "198.18.0.0/1x", "/8",
					    "2001:db8::/129", "x/8"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(prefix_parse(texts[i], &prefix, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_survive_text),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(prefixes_hold_what_they_cover),
		cmocka_unit_test(bad_prefixes_say_what_was_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
