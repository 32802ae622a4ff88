/* Longest-prefix match against a search of the whole list. */
#include "../check.h"

#include "core/hash.h"
#include "core/lpm.h"

#include <errno.h>
#include <stdlib.h>

static struct lpm_entry entry_of(const char *text, uint32_t value)
{
	struct lpm_entry entry = {.value = value};
	struct err err;
	assert_int_equal(prefix_parse(text, &entry.prefix, &err), 0);
	return entry;
}

static uint32_t find(const struct lpm *lpm, const char *text)
{
	struct addr addr;
	struct err err;
	assert_int_equal(addr_parse(text, &addr, &err), 0);
	return lpm_find(lpm, &addr);
}

static void test_nested(void **state)
{
	(void)state;
	struct lpm_entry entries[] = {
		entry_of("10.0.0.0/8", 1),    entry_of("10.1.0.0/16", 2),
		entry_of("10.1.2.0/24", 3),   entry_of("10.1.2.3", 4),
		entry_of("192.0.2.0/24", 5),  entry_of("255.255.255.0/24", 6),
		entry_of("2001:db8::/32", 7), entry_of("2001:db8:1::/48", 8),
		entry_of("10.0.0.0/8", 9),    entry_of("2001:db8:ffff::/48", 10),
	};
	struct pool *pool = pool_new(NULL, "test");
	struct lpm *lpm;
	struct err err;
	assert_int_equal(lpm_new(entries, sizeof entries / sizeof *entries, pool, &lpm, &err), 0);
	assert_int_equal(find(lpm, "9.255.255.255"), 0);
	assert_int_equal(find(lpm, "10.0.0.0"), 9);
	assert_int_equal(find(lpm, "10.1.0.0"), 2);
	assert_int_equal(find(lpm, "10.1.2.2"), 3);
	assert_int_equal(find(lpm, "10.1.2.3"), 4);
	assert_int_equal(find(lpm, "10.1.2.4"), 3);
	assert_int_equal(find(lpm, "10.1.3.0"), 2);
	assert_int_equal(find(lpm, "10.2.0.0"), 9);
	assert_int_equal(find(lpm, "11.0.0.0"), 0);
	assert_int_equal(find(lpm, "192.0.2.255"), 5);
	assert_int_equal(find(lpm, "192.0.3.0"), 0);
	assert_int_equal(find(lpm, "255.255.255.255"), 6);
	assert_int_equal(find(lpm, "::"), 0);
	assert_int_equal(find(lpm, "2001:db8::1"), 7);
	assert_int_equal(find(lpm, "2001:db8:1::1"), 8);
	assert_int_equal(find(lpm, "2001:db8:2::"), 7);
	assert_int_equal(find(lpm, "2001:db8:fffe:ffff:ffff:ffff:ffff:ffff"), 7);
	assert_int_equal(find(lpm, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 10);
	assert_int_equal(find(lpm, "2001:db9::"), 0);
	pool_free(pool);
}

static void test_all_and_none(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct lpm *lpm;
	struct err err;
	assert_int_equal(lpm_new(NULL, 0, pool, &lpm, &err), 0);
	assert_int_equal(find(lpm, "192.0.2.1"), 0);
	assert_int_equal(find(lpm, "2001:db8::1"), 0);
	struct lpm_entry all[] = {entry_of("0.0.0.0/0", 1), entry_of("::/0", 2)};
	assert_int_equal(lpm_new(all, 2, pool, &lpm, &err), 0);
	assert_int_equal(find(lpm, "0.0.0.0"), 1);
	assert_int_equal(find(lpm, "255.255.255.255"), 1);
	assert_int_equal(find(lpm, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 2);
	struct lpm_entry zero = entry_of("10.0.0.0/8", 0);
	assert_int_equal(lpm_new(&zero, 1, pool, &lpm, &err), -EINVAL);
	pool_free(pool);
}

static void test_random(void **state)
{
	(void)state;
	enum { COUNT = 3000 };
	struct lpm_entry *entries = calloc(COUNT, sizeof *entries), *list = calloc(COUNT, sizeof *list);
	uint64_t seed = 7;
	for (uint32_t i = 0; i < COUNT; i++) {
		unsigned bits = 8 + (unsigned)random_below(&seed, 25);
		uint32_t v4 = (uint32_t)(random_next(&seed) & 0x0f0f0fff) & (uint32_t)(UINT64_MAX << (32 - bits));
		entries[i] = (struct lpm_entry){{addr_from_v4(v4), (uint8_t)(96 + bits)}, i + 1};
	}
	memcpy(list, entries, COUNT * sizeof *list);
	struct pool *pool = pool_new(NULL, "test");
	struct lpm *lpm;
	struct err err;
	assert_int_equal(lpm_new(entries, COUNT, pool, &lpm, &err), 0);
	for (int i = 0; i < 20000; i++) {
		struct addr addr = addr_from_v4((uint32_t)(random_next(&seed) & 0x0f0f1fff));
		uint32_t expected = 0;
		int bits = -1;
		for (uint32_t k = 0; k < COUNT; k++)
			if (list[k].prefix.bits >= bits && prefix_has(&list[k].prefix, &addr)) {
				bits = list[k].prefix.bits;
				expected = list[k].value;
			}
		assert_int_equal(lpm_find(lpm, &addr), expected);
	}
	pool_free(pool);
	free(entries);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_all_and_none),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
