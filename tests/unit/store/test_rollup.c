/* Roll-ups add up and are made again without harm; what is older than its time goes, and only once it was rolled up;
 * sources of periods without tuples are estimated within their error. */
#include "rows.h"

#define DAY_SUM                                                                                                        \
	"{'kind':'rollup','from':'2025-01-01','to':'2027-01-01','filters':[{'field':'level','value':'%s'},"            \
	"{'field':'dimension','value':'%s'}],'aggregates':[{'op':'sum','field':'%s'}]}"

static int64_t sum_of(struct store *store, const char *level, const char *dimension, const char *field)
{
	char text[512];
	snprintf(text, sizeof text, DAY_SUM, level, dimension, field);
	return ask_number(store, text);
}

#define TUPLE_PACKETS                                                                                                  \
	"{'kind':'tuple','from':'2025-12-01','to':'2027-01-01','aggregates':[{'op':'sum','field':'packets'}]}"

static void assert_sums(struct store *store)
{
	static const char *const levels[] = {"minute", "hour", "day", "month", "year"};
	int64_t packets = ask_number(store, TUPLE_PACKETS);
	assert_true(packets > 2000);
	for (size_t level = 0; level < 5; level++)
		for (size_t at = 0; rollup_dimension_names[at]; at++) {
			const char *dimension = rollup_dimension_names[at];
			int64_t sum = sum_of(store, levels[level], dimension, "packets");
			if (sum != packets)
				fail_msg("%s, %s: %lld packets, not %lld", levels[level], dimension, (long long)sum,
					 (long long)packets);
		}
}

static void every_level_and_dimension_adds_up(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	for (int i = 0; i < 4; i++) /* two hours, two days, two years */
		must(put_tuples(store, T0 + (i - 2) * 50 * NS_PER_MINUTE, 500, 7, 1 + i, &must_err));
	must(store_flush(store, &must_err));
	must(store_roll_up(store, T0 + 2 * NS_PER_DAY, &must_err));
	assert_sums(store);
	/* 250 sources in each of two years, whatever kind */
	assert_int_equal(sum_of(store, "year", "total", "sources"), 500);
	assert_int_equal(sum_of(store, "minute", "total", "sources"), 1000);
	must(put_tuples(store, T0 + 5 * NS_PER_MINUTE, 100, 8, 1, &must_err));
	must(store_flush(store, &must_err));
	for (int round = 0; round < 2; round++) { /* at the second nothing is due */
		must(store_roll_up(store, T0 + 400 * NS_PER_DAY, &must_err));
		assert_sums(store);
		assert_int_equal(sum_of(store, "minute", "total", "sources"), 1100);
	}
	json_t *answer = ask_store(store, "{'kind':'rollup','from':'2025-12-01','to':'2027-01-01','filters':["
					  "{'field':'level','value':'month'},{'field':'dimension','value':'port'},"
					  "{'field':'key','value':'udp/53'}],'keys':['key','kind'],"
					  "'aggregates':[{'op':'sum','field':'packets'}]}");
	assert_int_equal(json_array_size(json_object_get(answer, "rows")), 2);
	assert_true(json_is_true(json_object_get(answer, "exact")));
	json_decref(answer);
	store_close(store);
	remove_tree(dir);
}

static void open_periods_wait_for_their_end(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	must(put_tuples(store, T0, 100, 7, 1, &must_err));
	must(store_flush(store, &must_err));
	must(store_roll_up(store, T0 + 30 * NS_PER_S, &must_err));
	assert_int_equal(sum_of(store, "minute", "all", "packets"), 0);
	must(store_roll_up(store, T0 + 60 * NS_PER_S, &must_err));
	assert_int_equal(sum_of(store, "minute", "all", "packets"), 199);
	store_close(store);
	open_store(&options, &store); /* what is due outlives the process */
	must(store_roll_up(store, T0 + NS_PER_DAY, &must_err));
	assert_int_equal(sum_of(store, "day", "all", "packets"), 199);
	store_close(store);
	remove_tree(dir);
}

static void old_tuples_go_when_they_are_rolled_up(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	options.keep_tuple_ns = 5 * NS_PER_DAY;
	struct store *store = NULL;
	open_store(&options, &store);
	for (int day = 0; day < 9; day++)
		must(put_tuples(store, T0 + day * NS_PER_DAY, 300, 7, 1 + day, &must_err));
	must(store_flush(store, &must_err));
	int64_t packets = ask_number(store, TUPLE_PACKETS);
	must(store_retain(store, T0 + 9 * NS_PER_DAY, &must_err));
	assert_int_equal(ask_number(store, COUNT_TUPLES), 5 * 300);
	assert_int_equal(sum_of(store, "day", "all", "packets"), packets);
	assert_int_equal(sum_of(store, "year", "country", "packets"), packets);
	assert_int_equal(sum_of(store, "year", "total", "sources"), 250);
	json_t *status = NULL;
	must(store_status(store, &status, &must_err));
	assert_string_equal(json_string_value(json_object_get(status, "oldest")), "2026-01-05T00:00:00Z");
	json_decref(status);

	/* tuples that come after their day was closed change no roll-up of it, and go at the next time */
	must(put_tuples(store, T0 + NS_PER_DAY, 10, 9, 1, &must_err));
	must(store_flush(store, &must_err));
	must(store_roll_up(store, T0 + 9 * NS_PER_DAY, &must_err));
	assert_int_equal(sum_of(store, "day", "all", "packets"), packets);
	/* the month is made again without the tuples of its first days */
	must(put_tuples(store, T0 + 7 * NS_PER_DAY, 30, 9, 2, &must_err));
	must(store_flush(store, &must_err));
	must(store_roll_up(store, T0 + 40 * NS_PER_DAY, &must_err));
	assert_int_equal(sum_of(store, "month", "all", "packets"), packets + 60);
	assert_int_equal(sum_of(store, "month", "total", "sources"), 250);
	assert_int_equal(sum_of(store, "month", "port", "exact"), 14);
	store_close(store);
	remove_tree(dir);
}

/* What a question reads, as "day hour tuple". */
static const char *read_of(const json_t *answer, char room[64])
{
	room[0] = '\0';
	size_t i;
	const json_t *name;
	json_array_foreach(json_object_get(answer, "read"), i, name)
		snprintf(room + strlen(room), 64 - strlen(room), "%s%s", i ? " " : "", json_string_value(name));
	return room;
}

/* The answer is the same from roll-ups as from the tuples alone, which are asked for by a filter that no roll-up has.
 */
static void assert_same(struct store *store, const char *rest, const char *read)
{
	char text[1024], room[64];
	json_t *answers[2];
	for (int plain = 0; plain < 2; plain++) {
		snprintf(text, sizeof text, "{'kind':'tuple',%s,'filters':[{'field':'kind','value':'scan'}%s]}", rest,
			 plain ? ",{'field':'ttl','op':'>','value':0}" : "");
		answers[plain] = ask_store(store, text);
	}
	json_t *rows = json_object_get(answers[0], "rows");
	assert_true(json_array_size(rows) > 0);
	if (!json_equal(rows, json_object_get(answers[1], "rows")))
		fail_msg("%s:\n%s\n%s", rest, json_dumps(rows, 0), json_dumps(json_object_get(answers[1], "rows"), 0));
	assert_string_equal(read_of(answers[0], room), read);
	assert_string_equal(read_of(answers[1], room), "tuple");
	json_decref(answers[0]);
	json_decref(answers[1]);
}

#define SUMS "'aggregates':[{'op':'sum','field':'packets'},{'op':'sum','field':'bytes'}]"

static void roll_ups_answer_what_they_hold(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	for (int i = 0; i < 60; i++) /* every 97 minutes for four days */
		must(put_tuples(store, T0 + i * 97 * NS_PER_MINUTE, 200 + (uint32_t)i, 7, 1 + i, &must_err));
	must(store_flush(store, &must_err));
	must(store_roll_up(store, T0 + 3 * NS_PER_DAY + 30 * NS_PER_MINUTE, &must_err));
	static const char *const keys[] = {"'protocol','port'", "'tool'",   "'country'",
					   "'network'",         "'sensor'", "'kind'"};
	char text[512];
	for (size_t i = 0; i < 6; i++) {
		snprintf(text, sizeof text,
			 "'from':'2026-01-01T05:07:30Z','to':'2026-01-03T18:20:00Z','keys':[%s]," SUMS, keys[i]);
		assert_same(store, text, "day hour minute");
		snprintf(text, sizeof text,
			 "'from':'2026-01-01T05:07:30Z','to':'2026-01-05','keys':[%s],'bucket':'1h'," SUMS, keys[i]);
		assert_same(store, text, "tuple hour minute");
	}
	assert_same(store, "'from':'2026-01-01','to':'2026-01-03','bucket':'1d'," SUMS, "day");
	assert_same(store, "'from':'2026-01-01','to':'2026-01-03','bucket':'10m'," SUMS, "minute");
	assert_same(store, "'from':'2026-01-01','to':'2026-01-03','bucket':'30s'," SUMS, "tuple");
	assert_same(store, "'from':'2026-01-01','to':'2026-01-02','keys':['source'],'limit':5," SUMS, "tuple");
	assert_same(store, "'from':'2026-01-01','to':'2026-01-02','keys':['tool','port']," SUMS, "tuple");
	assert_same(store, "'from':'2026-01-01','to':'2026-01-02','aggregates':[{'op':'distinct','field':'source'}]",
		    "tuple");
	/* tuples that come late are counted at once, though their hour was rolled up */
	must(put_tuples(store, T0 + 97 * NS_PER_MINUTE, 100, 9, 1, &must_err));
	must(store_flush(store, &must_err));
	assert_same(store, "'from':'2026-01-01','to':'2026-01-03'," SUMS, "tuple hour minute");
	store_close(store);
	remove_tree(dir);
}

/* A year is still told when its tuples are gone, then its minutes and hours; what cannot be told says since when. */
static void sums_outlive_the_tuples(void **state)
{
	(void)state;
	char room[64], read[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	options.keep_tuple_ns = 5 * NS_PER_DAY;
	options.keep_rollup_minute_ns = 8 * NS_PER_DAY;
	options.keep_rollup_hour_ns = 12 * NS_PER_DAY;
	struct store *store = NULL;
	open_store(&options, &store);
	for (int i = 0; i < 40; i++)
		must(put_tuples(store, T0 + i * 12 * NS_PER_HOUR + 7 * NS_PER_MINUTE, 300, 7, 1 + i, &must_err));
	must(store_flush(store, &must_err));
	must(store_roll_up(store, T0 + 20 * NS_PER_DAY, &must_err));
	static const char by_port[] =
		"{'kind':'tuple','from':'2026-01-01T00:05:00Z','to':'2027-01-01','keys':['protocol',"
		"'port']," SUMS ",'order':[{'by':'sum_packets','descending':true}]}";
	json_t *before = ask_store(store, by_port);
	must(store_retain(store, T0 + 20 * NS_PER_DAY, &must_err));
	assert_int_equal(ask_number(store, COUNT_TUPLES), 5 * 2 * 300);
	json_t *after = ask_store(store, by_port);
	assert_true(json_equal(json_object_get(before, "rows"), json_object_get(after, "rows")));
	assert_string_equal(read_of(after, read), "day");
	/* the first day is kept as a whole only, and so the answer is about all of it */
	assert_string_equal(json_string_value(json_object_get(after, "from")), "2026-01-01T00:00:00Z");
	assert_null(json_object_get(after, "since"));
	json_decref(before);
	json_decref(after);
	assert_int_equal(ask_number(store, TUPLE_PACKETS), 40 * 600);
	json_t *sources = ask_store(store, "{'kind':'tuple','from':'2026-01-01','to':'2027-01-01',"
					   "'aggregates':[{'op':'distinct','field':'source'}]}");
	assert_string_equal(json_string_value(json_object_get(sources, "since")), "2026-01-16T00:00:00Z");
	json_decref(sources);
	store_close(store);
	remove_tree(dir);
}

/* 60,000 sources, of which two days share half: the estimate of the month is within 5 of its standard errors. */
static void many_sources_are_estimated(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	options.keep_tuple_ns = 10 * NS_PER_DAY;
	struct store *store = NULL;
	open_store(&options, &store);
	for (uint32_t day = 0; day < 2; day++) {
		struct batch *batch = made_tuples(T0 + day * NS_PER_DAY, 40000, 7, 1 + day);
		for (uint32_t i = 0; i < batch->rows; i++) {
			BATCH_COLUMN(batch, struct addr, 2)[i] = addr_from_v4(0x0a000000u + (i + day * 20000) * 7);
			BATCH_COLUMN(batch, uint8_t, 3)[i] = PACKET_SCAN;
		}
		must(store_put(store, batch, &must_err));
		batch_free(batch);
	}
	must(store_flush(store, &must_err));
	must(store_roll_up(store, T0 + 2 * NS_PER_DAY, &must_err));
	assert_int_equal(sum_of(store, "month", "total", "sources"), 60000);
	must(store_retain(store, T0 + 20 * NS_PER_DAY, &must_err));
	must(put_tuples(store, T0 + 15 * NS_PER_DAY, 1, 8, 1, &must_err));
	must(store_flush(store, &must_err));
	must(store_roll_up(store, T0 + 60 * NS_PER_DAY, &must_err));
	int64_t estimate = sum_of(store, "month", "total", "sources");
	assert_int_not_equal(estimate, 60001);
	assert_in_range(estimate, 60000 * 96 / 100, 60000 * 104 / 100);
	json_t *answer = ask_store(store, "{'kind':'rollup','from':'2026-01-01','to':'2027-01-01','filters':["
					  "{'field':'level','value':'month'},{'field':'dimension','value':'total'}]}");
	assert_true(json_is_false(json_object_get(answer, "exact")));
	json_decref(answer);
	store_close(store);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_level_and_dimension_adds_up),
		cmocka_unit_test(open_periods_wait_for_their_end),
		cmocka_unit_test(old_tuples_go_when_they_are_rolled_up),
		cmocka_unit_test(roll_ups_answer_what_they_hold),
		cmocka_unit_test(sums_outlive_the_tuples),
		cmocka_unit_test(many_sources_are_estimated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
