/* The hash table against a plain list, the sketches against a plain count. */
#include "analyze/sketch.h"
#include "analyze/table.h"

#include "../check.h"

#include <stdio.h>

struct item {
	uint64_t key;
	uint64_t value;
};

static bool keep_even(void *record, void *context)
{
	(void)context;
	return ((struct item *)record)->value % 2 == 0;
}

static struct item *add(struct table *table, uint64_t key, bool *is_new)
{
	return table_add(table, &key, table_hash(table, &key), is_new);
}

static void test_add_find_sweep_clear(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct table table;
	table_init(&table, pool, sizeof(struct item), 8, 100000);
	bool is_new;
	for (int round = 0; round < 4; round++) {
		uint64_t count = round % 2 ? 300 : 50000; /* cleared by runs, and whole */
		for (uint64_t i = 0; i < count; i++) {
			struct item *item = add(&table, i * 7, &is_new);
			assert_non_null(item);
			assert_true(is_new);
			item->value = i;
			add(&table, i * 7, &is_new);
			assert_false(is_new);
		}
		assert_int_equal(table.count, count);
		table_sweep(&table, keep_even, NULL);
		assert_int_equal(table.count, count / 2);
		for (uint64_t i = 0; i < count; i++) {
			uint64_t key = i * 7;
			struct item *item = table_find(&table, &key, table_hash(&table, &key));
			assert_int_equal(item != NULL, i % 2 == 0);
			if (item)
				assert_int_equal(item->value, i);
		}
		for (size_t i = 1; i < table.count; i++) /* in the order they came */
			assert_true(((struct item *)table_record(&table, i - 1))->value <
				    ((struct item *)table_record(&table, i))->value);
		table_clear(&table);
		assert_int_equal(table.count, 0);
		for (size_t i = 0; i <= table.mask; i++)
			assert_int_equal(table.slots[i], 0);
	}
	pool_free(pool);
}

static void test_limit(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct table table;
	bool is_new;
	table_init(&table, pool, sizeof(struct item), 8, 1000);
	for (uint64_t i = 0; i < 5000; i++)
		assert_int_equal(add(&table, i, &is_new) != NULL, i < 1000);
	assert_int_equal(table.refused, 4000);
	assert_non_null(add(&table, 5, &is_new)); /* who is in stays in */
	pool_free(pool);
}

static void test_sketches(void **state)
{
	(void)state;
	static const uint32_t counts[] = {0, 1, 5, 20, 100, 1000, 5000, 100000};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct few few = {0};
		struct many many = {0};
		for (uint32_t j = 0; j < counts[i]; j++) {
			struct addr addr = addr_from_v4(0x0a000000 + j);
			few_add(&few, addr_hash(&addr));
			many_add(&many, addr_hash(&addr));
			many_add(&many, addr_hash(&addr));
		}
		double off = fabs(many_count(&many) - counts[i]);
		assert_true(off <= 1 + 0.14 * counts[i]);
		if (counts[i] <= 1000)
			assert_true(fabs(few_count(&few) - counts[i]) <= 2 + 0.15 * counts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_find_sweep_clear),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_sketches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
