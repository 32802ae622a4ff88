/* What is remembered: which end serves, both ways of a flow as one contact, connections in pieces, floods and scans. */
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
	assert_int_equal(pair->longest_ms, 29 * 60000 + 59000);
	assert_int_equal(__builtin_popcount(pair->slots), 30);
	flow_give(cnc_sight_take, sight, "10.0.0.1", "192.0.2.1", 40001, 6667, TEST_TCP, 0x18, 86400.0 * 3, 5, 2, 120,
		  2, 120);
	assert_int_equal(pair->longest_ms, 29 * 60000 + 59000);
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
		cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
