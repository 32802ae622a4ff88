/* What is remembered: which end serves, both ways of a flow as one contact, connections in pieces, floods and scans,
 * parts, networks that are ours. */
#include "flows.h"

#include "analyze/cnc/orient.h"

static const struct cnc_pair *only_pair(const struct cnc_sight *sight)
{
	assert_int_equal(sight->pairs.count, 1);
	return cnc_pair_at(sight, 0);
}

static bool serves(uint16_t source_port, uint16_t target_port, uint8_t flags, bool both_ways)
{
	struct addr one = addr_from_v4(0x0a000001), other = addr_from_v4(0x0a000002);
	return cnc_target_serves(
		&(struct cnc_ends){&one, &other, source_port, target_port, TEST_TCP, flags, both_ways});
}

static void test_who_serves(void **state)
{
	(void)state;
	assert_true(serves(40000, 6667, 0x1a, false));
	assert_false(serves(6667, 40000, 0x1a, false));
	assert_true(serves(6667, 40000, TEST_SYN, false));
	assert_true(serves(80, 40000, 0x1a, true));
	assert_true(serves(40000, 50, 0, false));
	struct addr group = addr_from_v4(0xe00000fb), host = addr_from_v4(0xc0a80001);
	assert_true(cnc_addr_is_group(&group));
	assert_false(cnc_addr_is_group(&host));
}

static void test_two_ways_are_one_contact(void **state)
{
	(void)state;
	struct cnc_sight *sight = cnc_sight_new(0, 0);
	for (int i = 0; i < 3; i++) {
		flow_give(cnc_sight_take, sight, "10.0.0.1", "192.0.2.1", 40000 + i, 8443, TEST_TCP, 0x1b, i * 60.0, 1,
			  5, 500);
		flow_give(cnc_sight_take, sight, "192.0.2.1", "10.0.0.1", 8443, 40000 + i, TEST_TCP, 0x1b,
			  i * 60.0 + 0.05, 1, 4, 900);
	}
	const struct cnc_pair *pair = only_pair(sight);
	assert_int_equal(pair->touches, 3);
	assert_int_equal(pair->unanswered, 0);
	assert_float_equal(pair->up_bytes, 1500, 0);
	assert_float_equal(pair->down_bytes, 2700, 0);
	const struct cnc_diary *diary = cnc_pair_diary(sight, pair);
	assert_non_null(diary);
	assert_int_equal(diary->count, 3);
	assert_int_equal(diary->start_ms[2] - diary->start_ms[1], 60000);
	cnc_sight_free(sight);
}

static void test_pieces_are_one_connection(void **state)
{
	(void)state;
	struct cnc_sight *sight = cnc_sight_new(0, 0);
	for (int i = 0; i < 30; i++)
		flow_give(cnc_sight_take, sight, "10.0.0.1", "192.0.2.1", 40000, 6667, TEST_TCP, 0x18, i * 60.0, 59, 2,
			  120, 2, 120);
	const struct cnc_pair *pair = only_pair(sight);
	assert_float_equal(cnc_size_count(pair->longest), 29 * 60000 + 59000, 15000);
	assert_int_equal(__builtin_popcount(pair->slots), 30);
	flow_give(cnc_sight_take, sight, "10.0.0.1", "192.0.2.1", 40001, 6667, TEST_TCP, 0x18, 86400.0 * 3, 5, 2, 120,
		  2, 120);
	assert_float_equal(cnc_size_count(pair->longest), 29 * 60000 + 59000, 15000);
	assert_int_equal(__builtin_popcount(pair->slots), 2); /* spans have grown: the first and the last */
	cnc_sight_free(sight);
}

static void test_scan_and_flood(void **state)
{
	(void)state;
	struct cnc_sight *sight = cnc_sight_new(0, 0);
	for (int i = 0; i < 200; i++) {
		char target[32];
		snprintf(target, sizeof target, "198.51.100.%d", i);
		flow_give(cnc_sight_take, sight, "10.0.0.1", target, 40000, 23, TEST_TCP, TEST_SYN, 100 + i * 0.01, 0,
			  1, 60);
	}
	flow_give(cnc_sight_take, sight, "10.0.0.2", "203.0.113.9", 0, 0, 1, 0, 300, 10, 100000, 6000000);
	flow_give(cnc_sight_take, sight, "10.0.0.3", "203.0.113.9", 40000, 443, TEST_TCP, 0x1b, 300, 10, 100000,
		  6000000, 60000, 3000000);
	struct cnc_actions actions = {0};
	must(cnc_actions_find(&actions, sight));
	assert_int_equal(actions.count, 2);
	assert_true(actions.sorted[0].scan);
	assert_int_equal(cnc_sight_ns(sight, actions.sorted[0].start_ms) / NS_PER_S, 1700000100);
	assert_false(actions.sorted[1].scan);
	assert_int_equal(actions.first[1], 1);
	assert_int_equal(actions.first[3], 2);
	cnc_actions_done(&actions);
	cnc_sight_free(sight);
}

static void mixed_give(struct cnc_sight *sight)
{
	for (int i = 0; i < 300; i++) {
		char source[32], target[32];
		snprintf(source, sizeof source, "10.0.%d.%d", i % 3, i % 50 + 1);
		snprintf(target, sizeof target, "198.51.100.%d", i % 7 + 1);
		flow_give(cnc_sight_take, sight, source, target, 40000 + i, 443, TEST_TCP, 0x1b,
			  (i * 7919) % 300 * 200.0, 3, 5, 500 + i, 4, 4000);
	}
}

/* Parts that each remember clients of their own hold together what the whole does. */
static void test_parts(void **state)
{
	(void)state;
	struct cnc_sight *whole = cnc_sight_new(0, 0), *one = cnc_sight_new(0, 0), *other = cnc_sight_new(0, 0);
	one->parts = other->parts = 2;
	other->part = 1;
	mixed_give(whole);
	mixed_give(one);
	mixed_give(other);
	assert_true(one->pairs.count > 0 && other->pairs.count > 0);
	must(cnc_sight_merge(one, other));
	assert_int_equal(one->pairs.count, whole->pairs.count);
	assert_int_equal(one->clients.count, whole->clients.count);
	assert_int_equal(one->services.count, whole->services.count);
	assert_int_equal(one->slot_ms, whole->slot_ms);
	for (uint32_t i = 0; i < whole->pairs.count; i++) {
		const struct cnc_pair *pair = cnc_pair_at(whole, i);
		const struct cnc_client *client = cnc_client_at(whole, pair->client);
		const struct cnc_service *service = cnc_service_at(whole, pair->service);
		uint32_t key[2] = {shelf_find(&one->clients, client, shelf_hash(&one->clients, client)),
				   shelf_find(&one->services, service, shelf_hash(&one->services, service))};
		uint32_t number = shelf_find(&one->pairs, key, shelf_hash(&one->pairs, key));
		assert_int_not_equal(number, SHELF_NONE);
		const struct cnc_pair *merged = cnc_pair_at(one, number);
		assert_int_equal(merged->touches, pair->touches);
		assert_int_equal(merged->slots, pair->slots);
		assert_float_equal(merged->up_bytes, pair->up_bytes, 0);
		const struct cnc_diary *diary = cnc_pair_diary(whole, pair), *kept = cnc_pair_diary(one, merged);
		assert_int_equal(!diary, !kept);
		if (diary)
			assert_memory_equal(diary->start_ms, kept->start_ms, sizeof diary->start_ms);
	}
	cnc_sight_free(whole);
	cnc_sight_free(one);
	cnc_sight_free(other);
}

/* Records out of order give the same as in order. */
static void test_spans_of_any_order(void **state)
{
	(void)state;
	struct cnc_sight *sight = cnc_sight_new(0, 0);
	static const double hours[] = {20, 3, 23.9, 0.5, 11, 3.1};
	for (int i = 0; i < 6; i++)
		flow_give(cnc_sight_take, sight, "10.0.0.1", "192.0.2.1", 40000 + i, 443, TEST_TCP, 0x1b,
			  hours[i] * 3600, 5, 2, 120, 2, 120);
	const struct cnc_pair *pair = only_pair(sight);
	assert_int_equal(__builtin_popcount(pair->slots), 5); /* 3 and 3.1 are one span */
	assert_int_equal(pair->last_ms - pair->first_ms, (23.9 - 0.5) * 3600000 + 5000);
	cnc_sight_free(sight);
}

/* A network that asks is ours; one that only serves is not, however much; told ones are taken as told. */
static void test_inside(void **state)
{
	(void)state;
	struct cnc_sight *sight = cnc_sight_new(0, 0);
	struct cnc_inside inside = {.count = 0};
	struct addr ours, theirs, private;
	for (int i = 0; i < 60; i++) {
		char source[32], target[32];
		snprintf(source, sizeof source, "147.32.%d.%d", i % 5, i + 1);
		snprintf(target, sizeof target, "203.0.%d.%d", i % 3, i + 1);
		flow_give(cnc_sight_take, sight, source, target, 40000, 443, TEST_TCP, 0x1b, i, 1, 5, 500, 5, 500);
	}
	must(addr_parse("147.32.9.9", &ours, NULL));
	must(addr_parse("203.0.1.1", &theirs, NULL));
	must(addr_parse("192.168.1.1", &private, NULL));
	must(cnc_inside_infer(&inside, sight));
	assert_true(cnc_inside_has(&inside, &ours));
	assert_true(cnc_inside_has(&inside, &private));
	assert_false(cnc_inside_has(&inside, &theirs));
	inside = (struct cnc_inside){.networks = {{theirs, 128}}, .count = 1, .told = true};
	must(cnc_inside_infer(&inside, sight));
	assert_true(cnc_inside_has(&inside, &theirs));
	assert_false(cnc_inside_has(&inside, &ours));
	cnc_sight_free(sight);
}

static void test_sizes(void **state)
{
	(void)state;
	uint64_t random = 1;
	uint16_t size = cnc_size(0);
	for (int i = 0; i < 100000; i++)
		size = cnc_size_add(size, 3, &random);
	assert_float_equal(cnc_size_count(size), 300000, 60000); /* within what chance allows */
	assert_float_equal(cnc_size_count(cnc_size(1234)), 1234, 10);
	assert_float_equal(cnc_size_count(cnc_size_add(cnc_size(0), 7, &random)), 7, 0);
}

static void test_full(void **state)
{
	(void)state;
	struct cnc_sight *sight = cnc_sight_new(2, 0);
	flow_give(cnc_sight_take, sight, "10.0.0.1", "192.0.2.1", 40000, 80, TEST_TCP, 0x18, 1, 1, 1, 60);
	flow_give(cnc_sight_take, sight, "10.0.0.1", "192.0.2.2", 40000, 80, TEST_TCP, 0x18, 1, 1, 1, 60);
	flow_give(cnc_sight_take, sight, "10.0.0.1", "192.0.2.3", 40000, 80, TEST_TCP, 0x18, 1, 1, 1, 60);
	flow_give(cnc_sight_take, sight, "10.0.0.1", "224.0.0.251", 5353, 5353, TEST_UDP, 0, 1, 1, 1, 60);
	assert_int_equal(sight->pairs.count, 2);
	assert_int_equal(sight->pairs.refused, 1);
	assert_int_equal(sight->passed, 1);
	struct batch *other = batch_new(&record_health, 1);
	struct err err = {""};
	assert_int_equal(cnc_sight_take(sight, other, &err), -22);
	assert_contains(err.text, "flows were expected");
	batch_free(other);
	cnc_sight_free(sight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_serves),
		cmocka_unit_test(test_two_ways_are_one_contact),
		cmocka_unit_test(test_pieces_are_one_connection),
		cmocka_unit_test(test_scan_and_flood),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_spans_of_any_order),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
