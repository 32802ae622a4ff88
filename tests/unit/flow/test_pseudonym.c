/* Crypto-PAn against the sample that its authors give with their program, and what it promises: prefixes that are
 * shared stay shared, what is not asked for stays as it is, and every step leads back. */
#include "../check.h"

#include "core/clock.h"
#include "core/hash.h"
#include "observe/flow/pseudonym.h"

#include <errno.h>
#include <stdio.h>

/* Bytes 21, 34, 23 ... of the authors' sample program. */
static const char key_line[] =
	"2026-01-01T00:00:00Z 1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202\n";

struct bench {
	struct pool *pool;
	struct pseudonym_keys keys;
	struct prefix of[2];
	struct pseudonyms *pseudonyms;
};

static void bench_open(struct bench *bench, const char *text, const char *of)
{
	*bench = (struct bench){.pool = pool_new(NULL, "test")};
	assert_int_equal(pseudonym_keys_parse("keys", text, strlen(text), bench->pool, &bench->keys, NULL), 0);
	if (of) {
		assert_int_equal(prefix_parse(of, &bench->of[0], NULL), 0);
		assert_int_equal(prefix_parse("2001:db8::/32", &bench->of[1], NULL), 0);
		bench->keys.of = (struct prefix_list){bench->of, 2};
	}
	assert_int_equal(pseudonyms_new(&bench->keys, &bench->pseudonyms, NULL), 0);
}

static void bench_close(struct bench *bench)
{
	pseudonyms_free(bench->pseudonyms);
	pool_free(bench->pool);
}

static void check(struct bench *bench, const char *address, const char *pseudonym, int64_t time_ns)
{
	struct addr addr, made;
	char text[ADDR_TEXT_BYTES];
	assert_int_equal(addr_parse(address, &addr, NULL), 0);
	made = pseudonym_of(bench->pseudonyms, &addr, time_ns);
	assert_string_equal(addr_format(&made, text), pseudonym);
	made = pseudonym_reveal(bench->pseudonyms, &made, time_ns);
	assert_string_equal(addr_format(&made, text), address);
}

static void the_authors_sample(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, key_line, NULL);
	check(&bench, "128.11.68.132", "135.242.180.132", 0);
	check(&bench, "129.118.74.4", "134.136.186.123", 0);
	check(&bench, "130.132.252.244", "133.68.164.234", 0);
	check(&bench, "141.223.7.43", "141.167.8.160", 0);
	check(&bench, "141.233.145.108", "141.129.237.235", 0);
	check(&bench, "152.163.225.39", "151.140.114.167", 0);
	bench_close(&bench);
}

static unsigned shared_bits(const struct addr *one, const struct addr *other)
{
	unsigned bit = 0;
	while (bit < 128 && ((one->bytes[bit / 8] ^ other->bytes[bit / 8]) >> (7 - bit % 8) & 1) == 0)
		bit++;
	return bit;
}

static void prefixes_stay_shared(void **state)
{
	(void)state;
	struct bench bench;
	uint64_t random = 1;
	bench_open(&bench, key_line, NULL);
	for (unsigned i = 0; i < 2000; i++) {
		struct addr one = {{0}}, other;
		for (unsigned byte = 0; byte < 16; byte++)
			one.bytes[byte] = (uint8_t)random_next(&random);
		if (i % 2)
			one = addr_from_v4((uint32_t)random_next(&random));
		other = one;
		unsigned bit = (i % 2 ? 96 : 0) + (unsigned)random_below(&random, i % 2 ? 32 : 128);
		other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		struct addr first = pseudonym_of(bench.pseudonyms, &one, 0);
		struct addr second = pseudonym_of(bench.pseudonyms, &other, 0);
		assert_int_equal(shared_bits(&first, &second), bit);
		first = pseudonym_reveal(bench.pseudonyms, &first, 0);
		assert_true(addr_same(&first, &one));
	}
	bench_close(&bench);
}

static void only_what_is_asked_for_and_within_its_network(void **state)
{
	(void)state;
	struct bench bench;
	char text[ADDR_TEXT_BYTES];
	bench_open(&bench, key_line, "100.64.0.0/10");
	check(&bench, "192.0.2.7", "192.0.2.7", 0);
	check(&bench, "2001:db9::1", "2001:db9::1", 0);
	for (uint32_t i = 0; i < 1000; i++) {
		struct addr addr = addr_from_v4(0x64400000 + i * 4001), made;
		made = pseudonym_of(bench.pseudonyms, &addr, 0);
		assert_true(prefix_has(&bench.of[0], &made));
		made = pseudonym_reveal(bench.pseudonyms, &made, 0);
		assert_true(addr_same(&made, &addr));
	}
	struct addr six;
	assert_int_equal(addr_parse("2001:db8:1::1", &six, NULL), 0);
	struct addr made = pseudonym_of(bench.pseudonyms, &six, 0);
	assert_true(prefix_has(&bench.of[1], &made));
	assert_string_not_equal(addr_format(&made, text), "2001:db8:1::1");
	bench_close(&bench);
}

static void each_key_has_its_time(void **state)
{
	(void)state;
	struct bench bench;
	char text[ADDR_TEXT_BYTES], both[400];
	int64_t turn_ns;
	assert_int_equal(time_parse("2026-02-01T00:00:00Z", 0, &turn_ns, NULL), 0);
	snprintf(both, sizeof both,
		 "# of January\n%s\n2026-02-01T00:00:00Z "
		 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F  # of February\r\n",
		 key_line);
	bench_open(&bench, both, NULL);
	assert_int_equal(bench.keys.count, 2);
	check(&bench, "128.11.68.132", "135.242.180.132", turn_ns - 1);
	struct addr addr = addr_from_v4(0x800b4484), made = pseudonym_of(bench.pseudonyms, &addr, turn_ns);
	assert_string_not_equal(addr_format(&made, text), "135.242.180.132");
	made = pseudonym_reveal(bench.pseudonyms, &made, turn_ns);
	assert_string_equal(addr_format(&made, text), "128.11.68.132");
	bench_close(&bench);
}

static void wrong_keys_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} cases[] = {{"", "there is no key"},
		     {"# nothing\n", "there is no key"},
		     {"2026-01-01T00:00:00Z 1234\n", "keys:1: a time and 64"},
		     {"\nyesterday 1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202", "keys:2: "},
		     {"2026-01-01T00:00:00Z x522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202",
		      "keys:1: 64 hexadecimal"}};
	struct pool *pool = pool_new(NULL, "test");
	struct pseudonym_keys keys;
	struct err err;
	char twice[400];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(pseudonym_keys_parse("keys", cases[i].text, strlen(cases[i].text), pool, &keys, &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, cases[i].why));
	}
	snprintf(twice, sizeof twice, "%s%s", key_line, key_line);
	assert_int_equal(pseudonym_keys_parse("keys", twice, strlen(twice), pool, &keys, &err), -EINVAL);
	assert_non_null(strstr(err.text, "keys:2: a time after"));
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_authors_sample),
		cmocka_unit_test(prefixes_stay_shared),
		cmocka_unit_test(only_what_is_asked_for_and_within_its_network),
		cmocka_unit_test(each_key_has_its_time),
		cmocka_unit_test(wrong_keys_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
