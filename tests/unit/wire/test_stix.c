/* STIX objects and bundles: verdicts with path and reason, hostile input, walking. The equality with ajv over all there
 * is stands in tests/system/test_stix_verdicts.mjs. */
#include "wire/stix.h"

#include "../check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ID "identity--7865b6d2-a4af-45c5-b582-afe5ec376c33"
#define TIMES "\"created\":\"2020-01-02T03:04:05.678Z\",\"modified\":\"2021-01-02T03:04:05.678901Z\""
#define HEAD "\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"" ID "\"," TIMES
#define IDENTITY "{" HEAD ",\"name\":\"A\"}"

static struct stix_reader *reader;

static int setup(void **state)
{
	(void)state;
	reader = stix_reader_new(STIX_OBJECT_BYTES_MAX);
	return reader ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	stix_reader_free(reader);
	return 0;
}

static void refused(const char *text, const char *sentence)
{
	struct stix_object object;
	struct err err = {""};
	assert_int_equal(stix_judge(reader, (struct json_slice){text, strlen(text)}, &object, &err), 1);
	assert_contains(err.text, sentence);
}

static struct stix_object good(const char *text)
{
	struct stix_object object;
	struct err err = {""};
	if (stix_judge(reader, (struct json_slice){text, strlen(text)}, &object, &err) != 0)
		fail_msg("%s", err.text);
	return object;
}

static void objects_are_read(void **state)
{
	(void)state;
	struct stix_object object = good(" { " HEAD " , \"name\" : \"A B\" } ");
	assert_string_equal(object.type, "identity");
	assert_string_equal(object.id, ID);
	assert_int_equal(object.version_us, INT64_C(1609556645678901));
	assert_int_equal(object.version_digits, 6);
	assert_memory_equal(object.uuid_text, "7865b6d2-a4af-45c5-b582-afe5ec376c33", 36);
	assert_memory_equal(object.text, "{" HEAD ",\"name\":\"A B\"}", object.text_bytes);
	object = good("{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd\",\"value\":"
		      "\"198.51.100.3\"}");
	assert_int_equal(object.version_us, 0);
	good("{\"type\":\"x-other-thing\",\"id\":\"x-other-thing--ff26c055-6336-5bc5-b98d-13d6226742dd\",\"value\":"
	     "\"1\"}");
	good("{" HEAD ",\"name\":\"A\",\"created_by_ref\":\"" ID "\"}");
}

static void what_is_wrong_is_said_with_its_path(void **state)
{
	(void)state;
	refused("{" HEAD "}", "/: the member name is missing");
	refused("{" HEAD ",\"name\":7}", "/name: a text was expected");
	refused("{" HEAD ",\"name\":\"A\",\"labels\":[]}", "/labels: at least 1 items");
	refused("{" HEAD ",\"name\":\"A\",\"labels\":[\"a\",1]}", "/labels/1: a text was expected");
	refused("{" HEAD ",\"name\":\"A\",\"confidence\":101}", "/confidence: 101 is too small or too large");
	refused("{" HEAD ",\"name\":\"A\",\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"x\"}]}",
		"/external_references/0: it has none of the 3 forms");
	refused("{" HEAD ",\"name\":\"A\",\"external_references\":[{\"source_name\":\"s\",\"url\":\"not a url\"}]}",
		"/external_references/0/url: 'not a url' is not a URI");
	refused("{" HEAD ",\"name\":\"A\",\"X\":1}", "/X: a member of this name is not allowed here");
	refused("{\"type\":\"identity\",\"id\":\"identity--x\"}", "/");
	refused("{\"type\":\"x-a\",\"id\":\"x-a--ff26c055-6336-5bc5-b98d-13d6226742dd\",\"a\":1}", "/");
	refused("{" HEAD ",\"name\":\"A\",\"created_by_ref\":\"a\\nb\"}", "'a?b' has not the form of identifier");
}

static void hostile_objects_are_refused(void **state)
{
	(void)state;
	refused("", "not JSON");
	refused("[]", "/: an object was expected");
	refused("{\"id\":\"" ID "\"}", "/: the member type is missing");
	refused("{\"type\":7}", "/: the member type is missing");
	refused("{" HEAD ",\"name\":\"A\",\"name\":\"B\"}", "/name: the member stands twice");
	refused("{" HEAD ",\"name\":\"A\",\"x_unknown\":\"A\",\"x_unknown\":\"B\"}",
		"/x_unknown: the member stands twice");
	refused("{" HEAD ",\"name\":\"A\",\"object_marking_refs\":[\"" ID "\"]}",
		"/object_marking_refs: the object refers to itself");
	refused("{" HEAD ",\"name\":\"A\",\"x_deep\":{\"other_ref\":\"" ID "\"}}",
		"/other_ref: the object refers to itself");
	refused("{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"" ID
		"\",\"created\":\"2020-01-01T00:00:00.000Z\",\"modified\":\"2021-02-29T00:00:00.000Z\",\"name\":\"A\"}",
		"/modified: '2021-02-29T00:00:00.000Z' is no time that a calendar has");
	refused("{\"type\":\"bundle\",\"id\":\"bundle--ff26c055-6336-5bc5-b98d-13d6226742dd\"}", "/type: a bundle");
	refused("{\"type\":\"identity\",\"name\":\"\xff\"}", "not JSON");
	refused("{\"type\":\"identity\",\"name\":1e999}", "not JSON");
}

/* Memory and time stay bounded, whatever is nested, repeated or long. */
static void sizes_are_limited(void **state)
{
	(void)state;
	enum { BYTES = 900000 };
	char *text = malloc(BYTES + 200);
	assert_non_null(text);
	memset(text, '[', 100);
	text[100] = '\0';
	refused(text, "not JSON");
	size_t used = (size_t)sprintf(text, "{" HEAD ",\"name\":\"A\"");
	for (unsigned i = 0; used < BYTES; i++)
		used += (size_t)sprintf(text + used, ",\"x_%u\":1", i);
	strcpy(text + used, "}");
	refused(text, "/: more than 16384 members");
	/* An expression that takes a backtracking engine for ever: core.json's of `type`. */
	used = (size_t)sprintf(text, "{\"spec_version\":\"2.1\",\"id\":\"" ID "\"," TIMES ",\"type\":\"");
	memset(text + used, 'a', 200);
	strcpy(text + used + 200, "!\"}");
	refused(text, "/type: ");
	free(text);
	char *large = malloc(STIX_OBJECT_BYTES_MAX + 2);
	assert_non_null(large);
	memset(large, ' ', STIX_OBJECT_BYTES_MAX + 1);
	large[STIX_OBJECT_BYTES_MAX + 1] = '\0';
	refused(large, "at most 1048576 were expected");
	free(large);
}

struct walked {
	unsigned good, refused;
	int end;
	struct err err;
};

static struct walked walk(const char *text)
{
	struct walked walked = {0};
	struct stix_walk at;
	struct json_slice slice;
	struct stix_object object;
	walked.end = stix_walk_open(reader, &at, text, strlen(text), &walked.err);
	if (walked.end != 0)
		return walked;
	while ((walked.end = stix_walk_next(&at, &slice, &walked.err)) == 1) {
		int result = stix_judge(reader, slice, &object, &walked.err);
		walked.good += result == 0;
		walked.refused += result == 1;
	}
	return walked;
}

#define BUNDLE(objects)                                                                                                \
	"{\"type\":\"bundle\",\"id\":\"bundle--ff26c055-6336-5bc5-b98d-13d6226742dd\",\"objects\":[" objects "]}"

static void bundles_are_walked(void **state)
{
	(void)state;
	struct walked walked = walk(BUNDLE(IDENTITY ", " IDENTITY));
	assert_int_equal(walked.good, 2);
	assert_int_equal(walked.end, 0);
	walked = walk("{\"more\":true,\"objects\":[" IDENTITY "]}");
	assert_int_equal(walked.good, 1);
	assert_int_equal(walk(IDENTITY).good, 1);
	assert_int_equal(walk("{}").end, 0);
	walked = walk("{\"type\":\"bundle\",\"id\":\"bundle--ff26c055-6336-5bc5-b98d-13d6226742dd\"}");
	assert_int_equal(walked.end, 0);
}

/* One bad object does not take the others along; a bundle that is none is refused whole. */
static void the_rest_goes_on(void **state)
{
	(void)state;
	struct walked walked = walk(BUNDLE(IDENTITY ",{\"type\":\"identity\"},7,{\"a\":tru},{\"a\":[1 2]}," IDENTITY));
	assert_int_equal(walked.good, 2);
	assert_int_equal(walked.refused, 4);
	walked = walk(BUNDLE(IDENTITY " " IDENTITY));
	assert_int_equal(walked.good, 1);
	assert_int_equal(walked.end, -EBADMSG);
	assert_contains(walked.err.text, "/objects: byte");
	static const struct {
		const char *text, *sentence;
	} wrong[] = {
		{"", "/: byte 0: an object was expected"},
		{"[1]", "/: byte 0: an object was expected"},
		{"{\"type\":\"bundle\",\"id\":\"x\",\"objects\":[]}", "/id: 'x' has not the form"},
		{"{\"type\":\"bundle\",\"objects\":[]}", "/: the member id is missing"},
		{BUNDLE(""), ""},
		{"{\"objects\":[],\"objects\":[]}", "/objects: the member stands twice"},
		{"{\"obj\\u0065cts\":[]}", "written with escapes"},
		{"{\"objects\":7}", "/objects: byte 11: a list was expected"},
		{"{\"a\":\"", "should end here"},
		{"{\"a\":[[[}", "has no end"},
		{"{\"a\" 1}", "a colon was expected"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		walked = walk(wrong[i].text);
		if (wrong[i].sentence[0])
			assert_int_equal(walked.end, 1);
		assert_contains(walked.err.text, wrong[i].sentence);
	}
}

static void a_bundle_conforms_as_oasis_says(void **state)
{
	(void)state;
	struct err err = {""};
	const char *text = BUNDLE(IDENTITY);
	assert_int_equal(stix_bundle_conforms(reader, text, strlen(text), &err), 0);
	text = BUNDLE(IDENTITY ",{\"type\":\"identity\"}");
	assert_int_equal(stix_bundle_conforms(reader, text, strlen(text), &err), 1);
	assert_contains(err.text, "/objects/1");
	text = BUNDLE("");
	assert_int_equal(stix_bundle_conforms(reader, text, strlen(text), &err), 1);
}

static void times_are_those_of_the_calendar(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds; /* -1: none */
		uint8_t digits;
	} times[] = {
		{"1970-01-01T00:00:00Z", 0, 0},
		{"2000-02-29T12:00:00.5Z", 951825600, 1},
		{"2026-12-31T23:59:60.123456789Z", 1798761600, 6},
		{"1900-02-29T00:00:00Z", -1, 0},
		{"2026-04-31T00:00:00Z", -1, 0},
		{"9999-01-01T00:00:00Z", INT64_MAX / 1000000000, 0},
		{"2026-1", -1, 0},
	};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		int64_t ns = 0;
		uint8_t digits = 0;
		bool is = stix_time(times[i].text, strlen(times[i].text), &ns, &digits);
		assert_int_equal(is, times[i].seconds >= 0);
		if (is) {
			assert_int_equal(ns / 1000000000, times[i].seconds);
			assert_int_equal(digits, times[i].digits);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_read),
		cmocka_unit_test(what_is_wrong_is_said_with_its_path),
		cmocka_unit_test(hostile_objects_are_refused),
		cmocka_unit_test(sizes_are_limited),
		cmocka_unit_test(bundles_are_walked),
		cmocka_unit_test(the_rest_goes_on),
		cmocka_unit_test(a_bundle_conforms_as_oasis_says),
		cmocka_unit_test(times_are_those_of_the_calendar),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
