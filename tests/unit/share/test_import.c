/* Files of indicators into a real store: what is taken, what is refused and where, what is known again. */
#include "share/import.h"

#include "core/clock.h"
#include "store/rows.h"

#include <errno.h>

#define NOW (INT64_C(1780000000) * NS_PER_S)

static struct indicators *store;
static char room[64], said[4096];

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

static void say(void *context, const char *where, const char *why)
{
	(void)context;
	size_t used = strlen(said);
	snprintf(said + used, sizeof said - used, "%s: %s\n", where, why);
}

static struct import_result import_at(const char *text, enum import_format format, int64_t now_ns)
{
	struct import_result result;
	const struct import import = {.store = store,
				      .format = format,
				      .source = {"file", "test", "tester"},
				      .tlp = TLP_GREEN,
				      .confidence = 70,
				      .now_ns = now_ns,
				      .refused = say};
	struct err err = {""};
	said[0] = '\0';
	if (import_text(&import, text, strlen(text), &result, &err) != 0)
		fail_msg("%s", err.text);
	return result;
}

struct found {
	unsigned count;
	char text[512], source[32];
	struct indicators_listed last;
};

static int find(void *context, const struct indicators_listed *listed)
{
	struct found *found = context;
	size_t used = strlen(found->text);
	snprintf(found->text + used, sizeof found->text - used, "%s=%s ", indicator_kind_names[listed->kind],
		 listed->value);
	found->last = *listed;
	snprintf(found->source, sizeof found->source, "%s", listed->source_name);
	found->count++;
	return 0;
}

static struct found listed(int64_t now_ns)
{
	struct found found = {0};
	struct err err = {""};
	const struct indicators_question question = {.kind = -1, .state = -1, .most = TLP_RED};
	assert_int_equal(indicators_list(store, &question, now_ns, find, &found, &err), 0);
	return found;
}

static void lists_are_taken_line_by_line(void **state)
{
	(void)state;
	struct import_result result = import_at(
		"\xef\xbb\xbf# comment\n\n198.51.100.7 scanner\r\nhxxp://Evil[.]example/a # c\n; c\n// c\nno value\n"
		"10.0.0.1/8\nEVIL.example.",
		IMPORT_AUTO, NOW);
	assert_int_equal(result.taken, 3);
	assert_int_equal(result.refused, 2);
	assert_contains(said, "line 7: 'no' is no address");
	assert_contains(said, "line 8: '10.0.0.1/8'");
	struct found found = listed(NOW);
	assert_string_equal(found.text, "domain=evil.example url=http://evil.example/a ipv4=198.51.100.7 ");
	assert_int_equal(found.last.confidence, 70);
	assert_int_equal(found.last.tlp, TLP_GREEN);
	assert_string_equal(found.source, "test");
}

/* A list that is read each day makes no new objects: what is still on it lives on, what is not dies. */
static void what_is_met_again_lives_on(void **state)
{
	(void)state;
	import_at("198.51.100.7\n198.51.100.8\n", IMPORT_LIST, NOW);
	struct import_result result = import_at("198.51.100.7\n", IMPORT_LIST, NOW + 20 * NS_PER_DAY);
	assert_int_equal(result.taken, 0);
	assert_int_equal(result.known, 1);
	struct found found = listed(NOW + 40 * NS_PER_DAY);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.last.state, STATE_ACTIVE); /* .7, the older of the two */
}

#define TIMES "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\""
#define INDICATOR(uuid, rest)                                                                                          \
	"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--" uuid "\"," TIMES                       \
	",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\"," rest "}"
#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"
#define BUNDLE(objects) "{\"type\":\"bundle\",\"id\":\"bundle--" A "\",\"objects\":[" objects "]}"

static void bundles_are_taken_object_by_object(void **state)
{
	(void)state;
	const char *text = BUNDLE(INDICATOR(
		A,
		"\"pattern\":\"[ipv4-addr:value = '198.51.100.7' OR domain-name:value = "
		"'Evil.example']\",\"confidence\":90,"
		"\"object_marking_refs\":[\"marking-definition--5e57c739-391a-4eb3-b6be-"
		"7d15ca92d5ed\"]") "," INDICATOR(A,
						 "\"pattern\":\"[ipv4-addr:value = "
						 "'198.51.100.8']\"") ",{\"type\":\"indicator\"}"
								      "," INDICATOR(
									      B,
									      "\"pattern\":\"["
									      "url:value = "
									      "'http://"
									      "a.example/' "
									      "AND x:y = "
									      "'z']\",\"valid_"
									      "until\":\"2026-"
									      "02-01T00:00:"
									      "00Z\"") "," INDICATOR("00000000-0000-"
												     "4000-8000-"
												     "00000000000c",
												     "\"pattern\":\"["
												     "broken\"") "," INDICATOR("00000000-0000-4000-8000-00000000000d",
															       "\"pattern\":\"[a:b = 'c']\",\"valid_until\":\"2025-02-01T00:00:00Z\""));
	struct import_result result = import_at(text, IMPORT_AUTO, NOW);
	assert_int_equal(result.taken, 3);
	assert_int_equal(result.refused, 3);
	assert_int_equal(result.unread, 1);
	assert_contains(said, "/objects/1: this version of the object is there already, with other content");
	assert_contains(said, "/objects/2: /: the member");
	assert_contains(said, "/objects/5: /valid_until: it is not later than valid_from");
	struct found found = listed(NOW);
	assert_string_equal(found.text, "other= other= ipv4=198.51.100.7 domain=evil.example ");
	assert_int_equal(found.last.tlp, TLP_RED);
	assert_int_equal(found.last.confidence, 90);
	assert_int_equal(import_at(text, IMPORT_STIX, NOW).known, 3);
}

static void sightings_count_and_deny(void **state)
{
	(void)state;
	import_at(BUNDLE(INDICATOR(A, "\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\"")), IMPORT_AUTO, NOW);
#define SIGHTING(uuid, rest)                                                                                           \
	"{\"type\":\"sighting\",\"spec_version\":\"2.1\",\"id\":\"sighting--" uuid "\"," TIMES                         \
	",\"sighting_of_ref\":\"indicator--" A "\"" rest "}"
	import_at(BUNDLE(SIGHTING(A, ",\"count\":5,\"last_seen\":\"2026-05-01T00:00:00Z\"") "," SIGHTING(B, "")),
		  IMPORT_AUTO, NOW);
	assert_int_equal(listed(NOW).last.sightings, 6);
	import_at(SIGHTING("00000000-0000-4000-8000-00000000000c", ",\"count\":0"), IMPORT_AUTO, NOW);
	assert_int_equal(listed(NOW).last.state, STATE_FALSE_POSITIVE);
}

static void csv_is_taken_by_its_names(void **state)
{
	(void)state;
	struct import_result result = import_at("\xef\xbb\xbfip,domain,tlp,confidence,valid_until,description\r\n"
						"198.51.100.7,,TLP:RED,90,2026-12-01,\"a, \"\"b\"\"\"\r\n"
						"198.51.100.8,Evil.example,,,,\n"
						"198.51.100.9,,blue,,,\n"
						"not,,,,,\n"
						"198.51.100.10,,,101,,\n"
						"198.51.100.11,,,,2020-01-01,\n",
						IMPORT_AUTO, INT64_C(1780000000) * NS_PER_S);
	assert_int_equal(result.taken, 3);
	assert_int_equal(result.refused, 4);
	assert_contains(said, "line 4: 'blue' is no TLP");
	assert_contains(said, "line 5: 'not' is no address");
	assert_contains(said, "line 6: confidence '101'");
	assert_contains(said, "line 7: it ends before it begins");
	struct found found = listed(NOW);
	assert_string_equal(found.text, "domain=evil.example ipv4=198.51.100.8 ipv4=198.51.100.7 ");
	assert_int_equal(found.last.tlp, TLP_RED);
	assert_int_equal(found.last.confidence, 90);
}

static void csv_without_names_and_of_excel_is_taken(void **state)
{
	(void)state;
	assert_int_equal(
		import_at("scanner;198.51.100.7;seen twice\nbot;203.0.113.9;x\nno;thing;here\n", IMPORT_CSV, NOW).taken,
		2);
	assert_contains(said, "line 3: ");
	/* CP932: the names of the columns are 値 and 確度 */
	assert_int_equal(import_at("\x92\x6c,\x8a\x6d\x93\x78\r\nevil.example,77\r\n", IMPORT_CSV, NOW).taken, 1);
	assert_int_equal(import_at("value\n\"198.51.100.1\nvalue\n", IMPORT_CSV, NOW).taken, 0);
}

static void what_is_nothing_is_refused_whole(void **state)
{
	(void)state;
	struct import_result result;
	struct import import = {
		.store = store, .source = {"file", "test", "tester"}, .now_ns = NOW, .format = IMPORT_STIX};
	struct err err = {""};
	assert_int_equal(import_text(&import, "[1,2", 4, &result, &err), -EBADMSG);
	assert_contains(err.text, "an object was expected");
	import.dry = true;
	import.format = IMPORT_AUTO;
	assert_int_equal(import_text(&import, "198.51.100.7", 12, &result, &err), 0);
	assert_int_equal(result.taken, 1);
	assert_int_equal(listed(NOW).count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lists_are_taken_line_by_line),
		TEST(what_is_met_again_lives_on),
		TEST(bundles_are_taken_object_by_object),
		TEST(sightings_count_and_deny),
		TEST(what_is_nothing_is_refused_whole),
		TEST(csv_is_taken_by_its_names),
		TEST(csv_without_names_and_of_excel_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
