/* Each detector on recorded flows: what it was made for, and what it must leave alone. */
#include "recorded.h"

#include <math.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void give(struct cnc *cnc, const struct made_flow *flows, size_t count)
{
	struct batch *batch = batch_new(&record_flow, 64);
	assert_non_null(batch);
	for (size_t i = 0; i < count; i++) {
		flow_put(batch, &flows[i]);
		if (batch->rows == batch->capacity || i + 1 == count) {
			must(cnc_take(cnc, batch, NULL));
			batch_clear(batch);
		}
	}
	batch_free(batch);
}

static struct cnc *cnc_made(void)
{
	struct cnc *cnc;
	must(cnc_new(&(struct cnc_options){0}, &cnc, NULL));
	return cnc;
}

static json_t *ranking_of(struct cnc *cnc)
{
	json_t *ranking;
	must(cnc_rank(cnc, 0, 0, true, &ranking, NULL));
	return ranking;
}

static double feature_of(const json_t *line, const char *name)
{
	const json_t *value = json_object_get(json_object_get(line, "features"), name);
	assert_non_null(value);
	return json_real_value(value);
}

/* What everybody does: some clients, each with a few servers of the web, at times of chance. */
static void people(struct cnc *cnc, unsigned clients)
{
	uint64_t random = 5;
	for (unsigned c = 0; c < clients; c++)
		for (unsigned i = 0; i < 24; i++) {
			char source[32], target[32];
			snprintf(source, sizeof source, "10.1.%u.%u", c / 200, c % 200 + 1);
			snprintf(target, sizeof target, "198.51.%u.%u", i % 6, (unsigned)random_below(&random, 3) + 1);
			struct made_flow flow = {source,
						 target,
						 (uint16_t)(30000 + i),
						 443,
						 TEST_TCP,
						 0x1b,
						 (double)random_below(&random, 86400),
						 2,
						 20,
						 3000,
						 30,
						 2000 + random_below(&random, 80000)};
			give(cnc, &flow, 1);
		}
}

static void test_regular_beacon_not_clock(void **state)
{
	(void)state;
	struct cnc *cnc = cnc_made();
	give(cnc, recorded_beacon, COUNT(recorded_beacon));
	give(cnc, recorded_time, COUNT(recorded_time));
	json_t *ranking = ranking_of(cnc);
	const json_t *beacon = ranked(ranking, "68.183.138.51", 80), *clock = ranked(ranking, "147.231.100.5", 123);
	assert_true(ground_of(beacon, "regular") > 0.5);
	assert_true(feature_of(clock, "regular") > 0.8);                             /* a clock is regular, */
	assert_true(ground_of(clock, "regular") < ground_of(beacon, "regular") / 2); /* and yet no ground */
	json_decref(ranking);
	cnc_free(cnc);
}

static void test_regular_held_connections(void **state)
{
	(void)state;
	struct cnc *cnc = cnc_made();
	give(cnc, recorded_irc, COUNT(recorded_irc));
	give(cnc, recorded_mirai, COUNT(recorded_mirai));
	json_t *ranking = ranking_of(cnc);
	assert_true(ground_of(ranked(ranking, "216.155.130.130", 6667), "regular") > 0.5);
	assert_true(ground_of(ranked(ranking, "185.244.25.235", 6667), "regular") > 0.8);
	json_decref(ranking);
	cnc_free(cnc);
}

static void test_quiet(void **state)
{
	(void)state;
	struct cnc *cnc = cnc_made();
	people(cnc, 20);
	give(cnc, recorded_mirai, COUNT(recorded_mirai));
	json_t *ranking = ranking_of(cnc), *line;
	size_t i;
	assert_true(ground_of(ranked(ranking, "185.244.25.235", 6667), "quiet") > 0.3);
	json_array_foreach(ranking, i, line)
	{
		if (json_integer_value(json_object_get(line, "port")) == 443)
			assert_true(ground_of(line, "quiet") < 0.1);
	}
	json_decref(ranking);
	cnc_free(cnc);
}

static void test_order(void **state)
{
	(void)state;
	struct cnc *cnc = cnc_made();
	must(cnc_inside(cnc, &(struct prefix){addr_from_v4(0x93200000), 96 + 16}, NULL));
	must(cnc_inside(cnc, &(struct prefix){addr_from_v4(0x0a000000), 96 + 8}, NULL));
	people(cnc, 20);
	give(cnc, recorded_irc, COUNT(recorded_irc));
	json_t *ranking = ranking_of(cnc), *line;
	size_t i;
	json_array_foreach(ranking, i, line)
	{
		bool irc = json_integer_value(json_object_get(line, "port")) == 6667;
		assert_true(irc == (feature_of(line, "actors") > 0.3));
		assert_true(irc == (ground_of(line, "order") > 0.1));
	}
	json_decref(ranking);
	cnc_free(cnc);
}

static void test_common_chance(void **state)
{
	(void)state;
	/* drawing 2 of 10, both of 3 marked: 3/10 * 2/9 */
	assert_float_equal(cnc_common_chance(10, 3, 2, 2), 3.0 / 10 * 2 / 9, 1e-9);
	assert_float_equal(cnc_common_chance(10, 3, 2, 1), 1 - 7.0 / 10 * 6 / 9, 1e-9);
	assert_float_equal(cnc_common_chance(10, 3, 2, 0), 1, 0);
	assert_float_equal(cnc_common_chance(10, 10, 10, 10), 1, 1e-9);
	assert_true(cnc_common_chance(100000, 100, 60, 50) < 1e-100);
}

/* Thirty hosts ask a server that says nothing else: who it is depends on who else asks it. */
static void test_common_and_spread(void **state)
{
	(void)state;
	struct cnc *cnc = cnc_made();
	people(cnc, 100);
	for (unsigned c = 0; c < 12; c++) {
		char source[32];
		struct addr addr;
		snprintf(source, sizeof source, "10.1.0.%u", c + 1);
		must(addr_parse(source, &addr, NULL));
		if (c < 8)
			must(cnc_infected(cnc, &addr, NULL));
		struct made_flow flow = {source, "203.0.113.7", 40000, 443, TEST_TCP, 0x1b, c * 1000.0, 1,
					 6,      700,           6,     900};
		give(cnc, &flow, 1);
	}
	json_t *ranking = ranking_of(cnc), *line;
	size_t i;
	const json_t *server = ranked(ranking, "203.0.113.7", 443);
	assert_true(ground_of(server, "common") > 0.9);
	assert_true(ground_of(server, "spread") > 0.5);
	json_array_foreach(ranking, i, line)
	{
		if (line != server) {
			assert_true(ground_of(line, "common") < 0.2);
			assert_true(ground_of(line, "spread") < 0.1);
		}
	}
	json_decref(ranking);
	cnc_free(cnc);
}

static void test_sampled_beacons_of_many(void **state)
{
	(void)state;
	struct cnc *cnc = cnc_made();
	uint64_t random = 11;
	for (unsigned bot = 0; bot < 30; bot++)
		for (unsigned beat = 0; beat < 180; beat++) {
			char source[32];
			if (random_below(&random, 60)) /* what sampling leaves */
				continue;
			snprintf(source, sizeof source, "10.0.0.%u", bot + 1);
			struct made_flow flow = {source,
						 "203.0.113.9",
						 (uint16_t)(40000 + beat),
						 8443,
						 TEST_TCP,
						 0x18,
						 bot * 7 + beat * 60.0 + (double)random_below(&random, 2000) / 1000,
						 0,
						 1,
						 90,
						 0,
						 0};
			give(cnc, &flow, 1);
		}
	json_t *ranking = ranking_of(cnc);
	const json_t *server = ranked(ranking, "203.0.113.9", 8443);
	assert_true(ground_of(server, "regular") > 0.5);
	json_decref(ranking);
	cnc_free(cnc);
}

static void test_model(void **state)
{
	(void)state;
	struct cnc *cnc = cnc_made();
	struct err err = {""};
	static const char good[] = "{\"offset\": -2, \"weights\": {\"regular\": 3, \"datagram\": -4, \"regular!\": 1, "
				   "\"regular*thrift\": 0.5}}";
	static const char strange[] = "{\"offset\": 0, \"weights\": {\"luck\": 3}}";
	assert_int_equal(cnc_learn(cnc, strange, strlen(strange), &err), -22);
	assert_contains(err.text, "'luck'");
	static const char both[] = "{\"offset\": 0, \"weights\": {\"regular*luck\": 3}}";
	assert_int_equal(cnc_learn(cnc, both, strlen(both), &err), -22);
	assert_int_equal(cnc_learn(cnc, "{", 1, &err), -22);
	assert_int_equal(cnc_learn(cnc, "[]", 2, &err), -22);
	must(cnc_learn(cnc, good, strlen(good), &err));
	give(cnc, recorded_beacon, COUNT(recorded_beacon));
	give(cnc, recorded_time, COUNT(recorded_time));
	json_t *ranking = ranking_of(cnc);
	const json_t *beacon = ranked(ranking, "68.183.138.51", 80), *clock = ranked(ranking, "147.231.100.5", 123);
	double regular = feature_of(beacon, "regular");
	double sum = -2 + 3 * regular + ground_of(beacon, "regular") + 0.5 * regular * feature_of(beacon, "thrift");
	assert_float_equal(json_real_value(json_object_get(beacon, "score")), 1 / (1 + exp(-sum)), 1e-4);
	assert_true(json_real_value(json_object_get(clock, "score")) < 0.1);
	json_decref(ranking);
	cnc_free(cnc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regular_beacon_not_clock),
		cmocka_unit_test(test_regular_held_connections),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_common_chance),
		cmocka_unit_test(test_common_and_spread),
		cmocka_unit_test(test_sampled_beacons_of_many),
		cmocka_unit_test(test_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
