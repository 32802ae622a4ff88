/* The tables against plain counting: exact sets and sources over their growth, estimates within their error. */
#include "build.h"

#include "observe/telescope/darknet.h"
#include "observe/telescope/table.h"

static void targets_are_exact_while_few_and_close_while_many(void **state)
{
	(void)state;
	assert_int_equal(targets_estimate(1, 1000), 1);
	assert_int_equal(targets_estimate(3, 1000), 2);
	assert_int_equal(targets_estimate(7, 1000), 3);
	assert_int_equal(targets_estimate(UINT64_MAX, 5), 5); /* never more than packets */
	uint64_t seed = 11;
	for (unsigned distinct = 10; distinct <= 60; distinct += 10) {
		uint64_t sum = 0;
		for (unsigned round = 0; round < 500; round++) {
			uint64_t bits = 0;
			for (unsigned i = 0; i < distinct; i++)
				bits |= target_bit((uint32_t)random_next(&seed));
			sum += targets_estimate(bits, 1000);
		}
		double mean = (double)sum / 500;
		assert_true(mean > 0.9 * distinct && mean < 1.1 * distinct);
	}
}

static void a_set_of_a_million_numbers_counts_each_once(void **state)
{
	(void)state;
	struct number_set set = {0};
	for (unsigned round = 0; round < 2; round++)
		for (uint64_t i = 1; i <= 1000000; i++)
			assert_int_equal(
				number_set_add(&set, (uint32_t)i % SHARDS, i * UINT64_C(0x9e3779b97f4a7c15) | 1u << 31),
				round == 0);
	assert_int_equal(set.count, 1000000);
	assert_false(number_set_has(&set, 1, 12345));
	number_set_done(&set);
}

static void a_million_sources_are_told_apart(void **state)
{
	(void)state;
	struct source_table table = {0};
	bool is_new;
	for (unsigned round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 1000000; i++) {
			struct source *source = source_table_at(&table, i * 2654435761u, &is_new);
			assert_non_null(source);
			assert_int_equal(is_new, round == 0);
			source->packets++;
		}
	assert_int_equal(table.count, 1000000);
	assert_int_equal(source_table_find(&table, 2654435761u)->packets, 2);
	assert_null(source_table_find(&table, 3));
	assert_true(source_table_bytes(&table) < 45 * 1000000);
	source_table_done(&table);
}

static void ipv6_sources_are_numbered_in_order_of_appearance(void **state)
{
	(void)state;
	struct v6_table table = {0};
	uint32_t number;
	for (unsigned round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 5000; i++) {
			uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8};
			put32(address + 12, i);
			assert_int_equal(v6_table_number(&table, address, &number), 0);
			assert_int_equal(number, i);
		}
	v6_table_done(&table);
}

static void a_tuple_table_finds_what_it_was_given_and_shrinks_after_a_flood(void **state)
{
	(void)state;
	struct tuple_table table;
	uint32_t slot;
	assert_int_equal(tuple_table_init(&table, 0), 0);
	for (uint32_t i = 0; i < 300000; i++) {
		struct tuple_key key = {.source = i, .port = (uint16_t)(i * 7), .version = 4};
		assert_int_equal(tuple_table_reserve(&table, 1), 0);
		assert_null(tuple_table_find(&table, &key, tuple_hash(&key), &slot));
		tuple_table_add(&table, &key, tuple_hash(&key), slot)->packets = i;
	}
	for (uint32_t i = 0; i < 300000; i++) {
		struct tuple_key key = {.source = i, .port = (uint16_t)(i * 7), .version = 4};
		struct tuple *row = tuple_table_find(&table, &key, tuple_hash(&key), &slot);
		assert_non_null(row);
		assert_int_equal(row->packets, i);
	}
	uint32_t flooded = table.room;
	for (unsigned quiet = 0; quiet < 40; quiet++) {
		struct tuple_key key = {.source = quiet, .version = 4};
		tuple_table_clear(&table);
		assert_int_equal(table.count, 0);
		assert_null(tuple_table_find(&table, &key, tuple_hash(&key), &slot));
		tuple_table_add(&table, &key, tuple_hash(&key), slot);
	}
	assert_true(table.room < flooded);
	tuple_table_done(&table);
}

static void a_darknet_is_its_prefixes_less_what_is_excluded(void **state)
{
	(void)state;
	static const char *const include[] = {"198.18.0.0/15", "198.18.0.0/16", "203.0.113.64/26", "2001:db8::/32"};
	struct prefix in[4], out[2];
	struct err err = {""};
	struct pool *pool = pool_new(NULL, "test");
	struct darknet *darknet;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(prefix_parse(include[i], &in[i], &err), 0);
	assert_int_equal(prefix_parse("198.18.128.0/17", &out[0], &err), 0);
	assert_int_equal(prefix_parse("203.0.113.100/32", &out[1], &err), 0);
	struct prefix_list included = {in, 4}, excluded = {out, 2};
	assert_int_equal(darknet_new(&included, &excluded, pool, &darknet, &err), 0);
	assert_int_equal(darknet_v4_addresses(darknet), 131072 - 32768 + 64 - 1);
	for (uint64_t address = 0xc6110000; address < 0xc6150000; address++) {
		bool inside =
			address >= 0xc6120000 && address < 0xc6140000 && (address < 0xc6128000 || address > 0xc612ffff);
		assert_int_equal(darknet_has_v4(darknet, (uint32_t)address), inside);
	}
	assert_true(darknet_has_v4(darknet, 0xcb007140));
	assert_false(darknet_has_v4(darknet, 0xcb007140 + 36));
	assert_false(darknet_has_v4(darknet, 0xcb007180));
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_exact_while_few_and_close_while_many),
		cmocka_unit_test(a_set_of_a_million_numbers_counts_each_once),
		cmocka_unit_test(a_million_sources_are_told_apart),
		cmocka_unit_test(ipv6_sources_are_numbered_in_order_of_appearance),
		cmocka_unit_test(a_tuple_table_finds_what_it_was_given_and_shrinks_after_a_flood),
		cmocka_unit_test(a_darknet_is_its_prefixes_less_what_is_excluded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
