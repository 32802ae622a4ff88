/* Objects, their versions, shelves and pages: nothing lost, nothing twice, whatever is put meanwhile. */
#include "store/indicators.h"

#include "core/clock.h"

#include "rows.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW (INT64_C(1780000000) * NS_PER_S)

static struct indicators *store;
static int64_t source;
static char room[64];

static int setup(void **state)
{
	struct err err = {""};
	(void)state;
	return indicators_open(make_dir(room), &store, &err);
}

static int teardown(void **state)
{
	(void)state;
	indicators_close(store);
	remove_tree(room);
	return 0;
}

static void begin(void)
{
	must(indicators_begin(store, &must_err));
	must(indicators_source_add(store, &(struct indicators_source){"file", "a.json", "test"}, NOW, &source,
				   &must_err));
}

static struct indicators_object made(unsigned number, int64_t version_us, const char *text)
{
	struct indicators_object object = {.type = "indicator",
					   .type_bytes = 9,
					   .version_us = version_us,
					   .version_digits = 3,
					   .tlp = TLP_GREEN,
					   .text = text,
					   .bytes = strlen(text),
					   .is_indicator = true,
					   .confidence = 80,
					   .from_ns = NOW};
	memcpy(object.uuid, &number, sizeof number);
	return object;
}

static int put(const struct indicators_object *object, int64_t collection, const char **ret_text)
{
	static struct err err;
	err.text[0] = '\0';
	int result = indicators_put(store, object, source, collection, NOW, &err);
	*ret_text = err.text;
	return result;
}

static struct indicators_collection collection_made(const char *name, enum tlp clearance, bool automatic)
{
	struct indicators_collection collection = {
		.clearance = clearance, .automatic = automatic, .title = "t", .readers = "*"};
	snprintf(collection.name, sizeof collection.name, "%s", name);
	must(indicators_collection_put(store, &collection, NOW, &must_err));
	return collection;
}

struct seen {
	unsigned count;
	int64_t last_us;
	char ids[8][64];
	unsigned char *marks; /* by number */
};

static int see(void *context, const struct indicators_row *row)
{
	struct seen *seen = context;
	assert_true(row->added_us > seen->last_us);
	seen->last_us = row->added_us;
	if (seen->count < 8)
		snprintf(seen->ids[seen->count], sizeof seen->ids[0], "%.63s", row->id);
	if (seen->marks) {
		unsigned number;
		sscanf(row->text, "%u", &number);
		seen->marks[number]++;
	}
	seen->count++;
	return 0;
}

static struct seen read_shelf(struct indicators_want want, bool *ret_more)
{
	struct seen seen = {0};
	must(indicators_shelf(store, &want, see, &seen, ret_more, &must_err));
	return seen;
}

static void versions_are_told_apart(void **state)
{
	(void)state;
	const char *why;
	bool more;
	struct indicators_collection all = collection_made("all", TLP_RED, true);
	begin();
	struct indicators_object object = made(1, 1000, "one"), newer = made(1, 3000, "three"),
				 between = made(1, 2000, "two");
	assert_int_equal(put(&object, 0, &why), 0);
	assert_int_equal(put(&object, 0, &why), 1);
	object.text = "eno";
	assert_int_equal(put(&object, 0, &why), 2);
	assert_contains(why, "with other content");
	assert_int_equal(put(&newer, 0, &why), 0);
	assert_int_equal(put(&between, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	struct indicators_want want = {.collection = all.id, .limit = 10};
	struct seen seen = read_shelf(want, &more);
	assert_int_equal(seen.count, 1);
	assert_false(more);
	want.versions = VERSIONS_ALL;
	assert_int_equal(read_shelf(want, &more).count, 3);
	want.versions = VERSIONS_FIRST;
	assert_int_equal(read_shelf(want, &more).count, 1);
	want.versions = VERSIONS_GIVEN;
	want.version_us = 2000;
	assert_int_equal(read_shelf(want, &more).count, 1);
	want.version_us = 2001;
	assert_int_equal(read_shelf(want, &more).count, 0);
}

static void clearance_is_kept(void **state)
{
	(void)state;
	const char *why;
	bool more;
	begin();
	struct indicators_object before = made(7, 1, "before");
	assert_int_equal(put(&before, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	struct indicators_collection low = collection_made("low", TLP_GREEN, true),
				     hand = collection_made("hand", TLP_RED, false);
	begin();
	struct indicators_object strict = made(1, 1, "strict"), open = made(2, 1, "open");
	strict.tlp = TLP_AMBER;
	assert_int_equal(put(&strict, low.id, &why), 2);
	assert_contains(why, "TLP:amber");
	assert_int_equal(put(&strict, hand.id, &why), 0);
	assert_int_equal(put(&open, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	struct indicators_want want = {.collection = low.id, .limit = 10};
	assert_int_equal(read_shelf(want, &more).count, 2); /* what was there before too */
	want.collection = hand.id;
	assert_int_equal(read_shelf(want, &more).count, 1);
	struct err err = {""};
	struct indicators_collection wrong = {.name = "Not So"};
	assert_int_equal(indicators_collection_put(store, &wrong, NOW, &err), -EINVAL);
	assert_int_equal(indicators_collection_find(store, "none", &wrong, &err), 1);
	must(indicators_collection_find(store, low.uuid, &wrong, &must_err));
	assert_string_equal(wrong.name, "low");
}

static void filters_narrow(void **state)
{
	(void)state;
	const char *why;
	bool more;
	struct indicators_collection all = collection_made("all", TLP_RED, true);
	begin();
	for (unsigned i = 0; i < 9; i++) {
		struct indicators_object object = made(i, 1, "x");
		object.type = i % 3 ? "malware" : "x-something";
		object.type_bytes = strlen(object.type);
		object.is_indicator = false;
		assert_int_equal(put(&object, 0, &why), 0);
	}
	must(indicators_commit(store, &must_err));
	const char *types[] = {"x-something", "tool"},
		   *ids[] = {"malware--04000000-0000-0000-0000-000000000000", "no-id", "malware--04"};
	struct indicators_want want = {.collection = all.id, .limit = 2, .types = types, .type_count = 2};
	struct seen seen = read_shelf(want, &more);
	assert_int_equal(seen.count, 2);
	assert_true(more);
	want.after_us = seen.last_us;
	assert_int_equal(read_shelf(want, &more).count, 1);
	assert_false(more);
	want = (struct indicators_want){.collection = all.id, .limit = 5, .ids = ids, .id_count = 3};
	seen = read_shelf(want, &more);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.ids[0], ids[0]);
}

enum { OBJECTS = 4000, PAGE = 37 };

static void *insert_main(void *context)
{
	_Atomic bool *done = context;
	for (unsigned from = OBJECTS; from < 2 * OBJECTS; from += 50) {
		begin();
		for (unsigned i = from; i < from + 50; i++) {
			char text[16];
			const char *why;
			snprintf(text, sizeof text, "%u", i);
			struct indicators_object object = made(i, 1, text);
			assert_int_equal(put(&object, 0, &why), 0);
		}
		must(indicators_commit(store, &must_err));
	}
	*done = true;
	return NULL;
}

/* All put at one instant of the clock, read in small pages while as many again are put by another thread. */
static void pages_neither_lose_nor_repeat(void **state)
{
	(void)state;
	struct indicators_collection all = collection_made("all", TLP_RED, true);
	unsigned char *marks = calloc(2 * OBJECTS, 1);
	_Atomic bool done = false;
	bool more = true, last = false;
	begin();
	for (unsigned i = 0; i < OBJECTS; i++) {
		char text[16];
		const char *why;
		snprintf(text, sizeof text, "%u", i);
		struct indicators_object object = made(i, 1, text);
		assert_int_equal(put(&object, 0, &why), 0);
	}
	must(indicators_commit(store, &must_err));
	pthread_t inserter;
	assert_int_equal(pthread_create(&inserter, NULL, insert_main, (void *)&done), 0);
	struct seen seen = {.marks = marks};
	while (!last || more) {
		last = done;
		struct indicators_want want = {
			.collection = all.id, .limit = PAGE, .with_text = true, .after_us = seen.last_us};
		must(indicators_shelf(store, &want, see, &seen, &more, &must_err));
	}
	pthread_join(inserter, NULL);
	for (unsigned i = 0; i < 2 * OBJECTS; i++)
		assert_int_equal(marks[i], 1);
	free(marks);
}

struct listed {
	unsigned count;
	struct indicators_listed last;
	char value[64];
};

static int list_one(void *context, const struct indicators_listed *listed)
{
	struct listed *found = context;
	found->count++;
	found->last = *listed;
	snprintf(found->value, sizeof found->value, "%s", listed->value);
	return 0;
}

static struct listed list(struct indicators_question question, int64_t now_ns)
{
	struct listed found = {0};
	question.most = TLP_RED;
	question.kind = -1;
	must(indicators_list(store, &question, now_ns, list_one, &found, &must_err));
	return found;
}

static void values_are_found_and_counted(void **state)
{
	(void)state;
	const char *why;
	const struct indicator_value values[] = {{KIND_IPV4, "198.51.100.3", 12, true},
						 {KIND_DOMAIN, "a.example", 9, true},
						 {KIND_URL, "http://b.example/", 17, false}};
	begin();
	struct indicators_object object = made(1, 1, "one"), other = made(2, 1, "two");
	object.values = values;
	object.value_count = 3;
	other.values = values;
	other.value_count = 1;
	assert_int_equal(put(&object, 0, &why), 0);
	assert_int_equal(indicators_correlated(store), 0);
	assert_int_equal(put(&other, 0, &why), 0);
	assert_int_equal(indicators_correlated(store), 1);
	must(indicators_commit(store, &must_err));
	assert_int_equal(list((struct indicators_question){.state = -1}, NOW).count,
			 3); /* a part of a match is not listed */
	assert_int_equal(list((struct indicators_question){.state = -1, .value = "198.51.100.3"}, NOW).count, 2);
	assert_int_equal(list((struct indicators_question){.state = -1, .value = "a.example"}, NOW).count, 1);
	assert_int_equal(list((struct indicators_question){.state = -1, .value = "b.example"}, NOW).count, 0);
	assert_int_equal(list((struct indicators_question){.state = -1, .limit = 1}, NOW).count, 1);
}

static void time_and_sightings_count(void **state)
{
	(void)state;
	const char *why;
	uint64_t expired;
	const struct indicator_value value = {KIND_IPV4, "198.51.100.3", 12, true};
	begin();
	struct indicators_object object = made(1, 1, "one");
	object.values = &value;
	object.value_count = 1;
	assert_int_equal(put(&object, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	struct indicators_question any = {.state = -1};
	assert_int_equal(list(any, NOW).last.score, 80);
	struct listed half = list(any, NOW + 15 * NS_PER_DAY);
	assert_in_range(half.last.score, 50, 60);
	assert_int_equal(list(any, NOW + 31 * NS_PER_DAY).last.state, STATE_EXPIRED);

	struct indicators_object sighting = {.type = "sighting",
					     .type_bytes = 8,
					     .uuid = {9},
					     .version_us = 1,
					     .text = "s",
					     .bytes = 1,
					     .is_sighting = true,
					     .sighted_type = "indicator",
					     .sighted_type_bytes = 9,
					     .seen_ns = NOW + 20 * NS_PER_DAY,
					     .seen_count = 4};
	memcpy(sighting.sighted_uuid, object.uuid, 16);
	begin();
	assert_int_equal(put(&sighting, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	struct listed seen = list(any, NOW + 31 * NS_PER_DAY);
	assert_int_equal(seen.last.state, STATE_ACTIVE);
	assert_int_equal(seen.last.sightings, 4);
	must(indicators_expire(store, NOW + 49 * NS_PER_DAY, &expired, &must_err));
	assert_int_equal(expired, 0);
	must(indicators_expire(store, NOW + 51 * NS_PER_DAY, &expired, &must_err));
	assert_int_equal(expired, 1);

	/* A newer version keeps what was counted; a denial ends it. */
	begin();
	struct indicators_object newer = object;
	newer.version_us = 2;
	newer.text = "two";
	newer.from_ns = NOW + 60 * NS_PER_DAY;
	assert_int_equal(put(&newer, 0, &why), 0);
	sighting.uuid[0] = 10;
	sighting.seen_count = 0;
	must(indicators_commit(store, &must_err));
	assert_int_equal(
		list((struct indicators_question){.state = STATE_ACTIVE}, NOW + 61 * NS_PER_DAY).last.sightings, 4);
	begin();
	assert_int_equal(put(&sighting, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	assert_int_equal(list((struct indicators_question){.state = STATE_FALSE_POSITIVE}, NOW + 61 * NS_PER_DAY).count,
			 1);
	struct err err = {""};
	must(indicators_state_set(store, "indicator--01000000-0000-0000-0000-000000000000", STATE_REVOKED, &must_err));
	assert_int_equal(
		indicators_state_set(store, "indicator--02000000-0000-0000-0000-000000000000", STATE_REVOKED, &err),
		-ENOENT);
}

static void a_rollback_leaves_nothing(void **state)
{
	(void)state;
	const char *why;
	bool more;
	int64_t before, after;
	struct indicators_collection all = collection_made("all", TLP_RED, true);
	must(indicators_generation(store, &before, &must_err));
	begin();
	struct indicators_object object = made(1, 1, "one");
	assert_int_equal(put(&object, 0, &why), 0);
	indicators_rollback(store);
	assert_int_equal(read_shelf((struct indicators_want){.collection = all.id, .limit = 9}, &more).count, 0);
	must(indicators_generation(store, &after, &must_err));
	assert_int_equal(before, after);
	begin();
	assert_int_equal(put(&object, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	must(indicators_generation(store, &after, &must_err));
	assert_true(after > before);
}

static int sighting_see(void *context, const struct indicators_sighting *sighting)
{
	int64_t *counts = context;
	assert_string_equal(sighting->source_name, "a.json");
	counts[0] = counts[0] * 10 + sighting->count;
	counts[1] += sighting->seen_ns - NOW;
	return 0;
}

static struct indicators_object sighting_made(const struct indicators_object *of, unsigned number, int64_t version_us,
					      uint32_t count)
{
	struct indicators_object object = {.type = "sighting",
					   .type_bytes = 8,
					   .version_us = version_us,
					   .tlp = TLP_GREEN,
					   .text = "{}",
					   .bytes = 2,
					   .sighted_type = of->type,
					   .sighted_type_bytes = of->type_bytes,
					   .seen_ns = NOW + number,
					   .seen_count = count,
					   .is_sighting = true};
	memcpy(object.uuid, &number, sizeof number);
	memcpy(object.sighted_uuid, of->uuid, sizeof of->uuid);
	return object;
}

static int64_t counts_of(const char *id, enum tlp most, unsigned limit)
{
	int64_t counts[2] = {0, 0};
	must(indicators_sightings(store, id, most, true, limit, sighting_see, counts, &must_err));
	return counts[0];
}

static void sightings_are_told_one_by_one(void **state)
{
	(void)state;
	const char *why, *id = "indicator--01000000-0000-0000-0000-000000000000";
	const struct indicator_value value = {KIND_IPV4, "192.0.2.1", 9, true};
	struct indicators_object object = made(1, 1, "one");
	object.values = &value;
	object.value_count = 1;
	struct indicators_object early = sighting_made(&object, 11, 1, 4), late = sighting_made(&object, 12, 1, 5),
				 red = sighting_made(&object, 13, 1, 6), again = sighting_made(&object, 11, 2, 7);
	red.tlp = TLP_RED;
	begin();
	assert_int_equal(put(&early, 0, &why), 0); /* before what it is of */
	assert_int_equal(put(&object, 0, &why), 0);
	assert_int_equal(put(&late, 0, &why), 0);
	assert_int_equal(put(&red, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	assert_int_equal(counts_of(id, TLP_RED, 9), 654);
	assert_int_equal(counts_of(id, TLP_AMBER, 9), 54);
	assert_int_equal(counts_of(id, TLP_RED, 1), 6);
	begin();
	assert_int_equal(put(&again, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	assert_int_equal(counts_of(id, TLP_AMBER, 9), 57);
	assert_int_equal(counts_of("indicator--02000000-0000-0000-0000-000000000000", TLP_RED, 9), 0);
}

static int shelf_see(void *context, int64_t collection, int64_t added_us)
{
	int64_t *found = context;
	assert_true(added_us > 0);
	*found = *found * 100 + collection;
	return 0;
}

static void where_it_came_from_is_known(void **state)
{
	(void)state;
	const char *why, *id = "indicator--01000000-0000-0000-0000-000000000000";
	struct err err = {""};
	struct indicators_origin origin;
	int64_t found = 0;
	bool known = true;
	struct indicators_collection all = collection_made("all", TLP_RED, true),
				     other = collection_made("b", TLP_RED, false);
	struct indicators_object first = made(1, 1, "one"), second = made(1, 2, "two"), third = made(1, 3, "three");
	must(indicators_known(store, &first, &known, &must_err));
	assert_false(known);
	assert_int_equal(indicators_origin(store, id, &origin, &err), -ENOENT);
	begin();
	assert_int_equal(put(&first, other.id, &why), 0);
	assert_int_equal(put(&second, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	must(indicators_origin(store, id, &origin, &must_err));
	assert_int_equal(origin.versions, 2);
	assert_true(origin.first_ns < origin.time_ns);
	assert_string_equal(origin.kind, "file");
	assert_string_equal(origin.name, "a.json");
	assert_string_equal(origin.by, "test");
	must(indicators_shelves(store, origin.seq, shelf_see, &found, &must_err));
	assert_int_equal(found, all.id);
	must(indicators_withdraw(store, id, all.id, &must_err));
	found = 0;
	must(indicators_shelves(store, origin.seq, shelf_see, &found, &must_err));
	assert_int_equal(found, 0);
	must(indicators_known(store, &first, &known, &must_err));
	assert_true(known);
	must(indicators_known(store, &third, &known, &must_err));
	assert_false(known);
	third.version_us = 0;
	must(indicators_known(store, &third, &known, &must_err));
	assert_true(known);
	assert_int_equal(indicators_origin(store, "nothing", &origin, &err), -ENOENT);
	assert_int_equal(indicators_origin(store, "indicator--x", &origin, &err), -ENOENT);
}

/* A store from before sightings were told one by one. */
static void old_sightings_are_found(void **state)
{
	(void)state;
	const char *why, *id = "indicator--01000000-0000-0000-0000-000000000000";
	char path[96];
	sqlite3 *database;
	struct indicators_object object = made(1, 1, "one"), sighting = sighting_made(&object, 11, 1, 4);
	sighting.text = "{\"sighting_of_ref\":\"indicator--01000000-0000-0000-0000-000000000000\","
			"\"last_seen\":\"2026-05-28T20:26:40Z\",\"count\":8}";
	sighting.bytes = strlen(sighting.text);
	begin();
	assert_int_equal(put(&object, 0, &why), 0);
	assert_int_equal(put(&sighting, 0, &why), 0);
	must(indicators_commit(store, &must_err));
	indicators_close(store);
	snprintf(path, sizeof path, "%s/indicators.sqlite", room);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, "DROP TABLE sighting; PRAGMA user_version = 2", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(database);
	must(indicators_open(room, &store, &must_err));
	assert_int_equal(counts_of(id, TLP_RED, 9), 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(versions_are_told_apart),
		TEST(clearance_is_kept),
		TEST(filters_narrow),
		TEST(pages_neither_lose_nor_repeat),
		TEST(values_are_found_and_counted),
		TEST(time_and_sightings_count),
		TEST(sightings_are_told_one_by_one),
		TEST(where_it_came_from_is_known),
		TEST(old_sightings_are_found),
		TEST(a_rollback_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
