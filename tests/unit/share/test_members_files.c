/* Members from CSV and JSON and back: what is exported and imported again is the same. */
#include "../store/rows.h"

#include "share/members.h"

#include <errno.h>

static const struct members_change plain = {.who = "test", .now_ns = T0};

static struct registry *made(char *dir)
{
	struct registry *registry = NULL;
	must(registry_open(dir, &registry, &must_err));
	return registry;
}

static json_t *imported(struct registry *registry, const void *data, size_t bytes, const struct members_change *how)
{
	json_t *entries = NULL, *report = NULL;
	struct err err = {""};
	must(members_read(data, bytes, &entries, &must_err));
	if (registry_members_change(registry, entries, how, &report, &err) < 0)
		fail_msg("%s", err.text);
	json_decref(entries);
	return report;
}

static json_int_t number(const json_t *report, const char *name)
{
	return json_integer_value(json_object_get(report, name));
}

static void taken(struct registry *registry, const char *text, int added, int changed)
{
	json_t *report = imported(registry, text, strlen(text), &plain);
	char *said = json_dumps(report, 0);
	if (!json_is_true(json_object_get(report, "applied")) || number(report, "added") != added ||
	    number(report, "changed") != changed)
		fail_msg("%s\n%s", text, said);
	free(said);
	json_decref(report);
}

/* Lines and messages of the faults. */
static void refused(const char *text, const char *wanted)
{
	char room[64], *dir = make_quick_dir(room), *said = NULL;
	size_t bytes, i;
	struct registry *registry = made(dir);
	json_t *report = imported(registry, text, strlen(text), &plain), *fault;
	FILE *out = open_memstream(&said, &bytes);
	json_array_foreach(json_object_get(report, "faults"), i, fault)
	{
		assert_true(json_string_length(json_object_get(fault, "message_ja")) > 0);
		fprintf(out, "%lld %s; ", (long long)number(fault, "line"),
			json_string_value(json_object_get(fault, "message")));
	}
	fclose(out);
	if (json_is_true(json_object_get(report, "applied")) || !strstr(said, wanted))
		fail_msg("%s\ngave %s\nnot  %s", text, said, wanted);
	free(said);
	json_decref(report);
	registry_close(registry);
	remove_tree(dir);
}

static json_t *member(struct registry *registry, const char *key)
{
	uint32_t id;
	json_t *found = NULL;
	must(registry_member_find(registry, key, &id, &must_err));
	must(registry_member(registry, id, &found, &must_err));
	return found;
}

static void has(struct registry *registry, const char *key, const char *field, const char *wanted)
{
	json_t *found = member(registry, key);
	char *text = json_dumps(json_object_get(found, field), JSON_ENCODE_ANY | JSON_COMPACT);
	assert_string_equal(text, wanted);
	free(text);
	json_decref(found);
}

static void rows_of_a_key_are_one_member(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	taken(registry,
	      "key,name,prefixes,contact_mail,contact_role\r\n"
	      "a,A,8.8.8.0/24,one@a.jp,security\r\n"
	      "b,B,\"8.8.4.0/24\n8.8.5.0/24\",,\r\n"
	      "A,,9.9.9.0/24,two@a.jp,abuse\r\n"
	      ",,9.9.8.0/24,,\r\n",
	      2, 0);
	has(registry, "a", "prefixes", "[\"8.8.8.0/24\",\"9.9.8.0/24\",\"9.9.9.0/24\"]");
	has(registry, "a", "contacts",
	    "[{\"role\":\"security\",\"language\":\"ja\",\"mail\":\"one@a.jp\"},{\"role\":\"abuse\",\"language\":"
	    "\"ja\","
	    "\"mail\":\"two@a.jp\"}]");
	has(registry, "b", "prefixes", "[\"8.8.4.0/24\",\"8.8.5.0/24\"]");
	taken(registry, "key,name\na,Again\n", 0, 1); /* columns that are absent stay */
	has(registry, "a", "prefixes", "[\"8.8.8.0/24\",\"9.9.8.0/24\",\"9.9.9.0/24\"]");
	taken(registry, "key,prefixes\na,\n", 0, 1); /* an empty cell empties */
	has(registry, "a", "prefixes", "[]");
	has(registry, "a", "name", "\"Again\"");
	registry_close(registry);
	remove_tree(dir);
}

static void sheets_of_a_japanese_office(void **state)
{
	(void)state;
	/* CP932 with semicolons, Japanese columns and kinds, full-width digits, a date as Excel shows it. */
	static const char sheet[] = "\x8e\xaf\x95\xca\x8e\x71;\x96\xbc\x8f\xcc;\x8e\xed\x95\xca;"
				    "\x83\x41\x83\x68\x83\x8c\x83\x58\x94\xcd\x88\xcd;"
				    "AS\x94\xd4\x8d\x86;\x97\x4c\x8c\xf8\x8a\x4a\x8e\x6e\r\n"
				    "sendai;\x90\xe5\x91\xe4\x8e\x73;\x8e\xa9\x8e\xa1\x91\xcc;\x82\x57.\x82\x57."
				    "\x82\x57.\x82\x4f\x81\x5e\x82\x51\x82\x53;"
				    "AS\x82\x51\x82\x54\x82\x4f\x82\x4f;2026/4/1\r\n";
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	taken(registry, sheet, 1, 0);
	has(registry, "sendai", "name", "\"仙台市\"");
	has(registry, "sendai", "kind", "\"municipality\"");
	has(registry, "sendai", "prefixes", "[\"8.8.8.0/24\"]");
	has(registry, "sendai", "asns", "[2500]");
	has(registry, "sendai", "valid_from", "\"2026-04-01T00:00:00Z\"");
	registry_close(registry);
	remove_tree(dir);
}

static void faults_name_the_line(void **state)
{
	(void)state;
	refused("", "1 the file is empty");
	refused("name,prefixes\nA,8.8.8.0/24\n", "1 the first line has no column 'key'");
	refused("key,colour\na,red\n", "1 there is no column 'colour'");
	refused("key,name,KEY\na,A,b\n", "1 the column 'KEY' stands there twice");
	refused("key,name\na,A\nb,B,8.8.8.0/24\n", "3 '8.8.8.0/24' stands beyond the last column");
	refused("key,name\na,A\nb,\"B\nc,C\n", "3 its quotes do not close");
	refused("key,name\na,A\nb,B\na,Other\n", "2 line 4 has the same key and says otherwise");
	refused("key,name\n\n,A\n", "3 it is empty");
	refused("key,name,prefixes\na,A,8.8.8.0/24\nb,B,\"8.8.8.8/24 0.0.0.0/0\"\n", "3 '8.8.8.8/24' has address bits");
	refused("key,name,prefixes\na,A,8.8.8.0/24\nb,B,\"8.8.8.8/24 0.0.0.0/0\"\n", "3 '0.0.0.0/0' is wider");
	refused("key,name,asns\na,A,\"64,500\"\n", "2 '64,500' may be one number");
	refused("\xff\xff\xff", "line 1");
	refused("[{\"key\":\"a\",\"name\":\"A\"},\n\n{\"key\":\"b\"}]", "3 it is empty");
	refused("[{\"key\":\"a\",\n\"name\":}]", "2 this is not JSON");
	refused("[{\"key\":\"a\",\"name\":\"A\"}", "1 the list is not closed by ]");
	refused("[{\"key\":\"a\",\"name\":\"A\"}] {}", "1 something stands behind");
	refused("[{\"key\":\"a\",\"key\":\"b\"}]", "1 this is not JSON: duplicate object key");
	refused("[1]", "1 this is not JSON");
	refused("[[]]", "1 an object was expected");
}

static void bad_rows_can_be_skipped(void **state)
{
	(void)state;
	static const char sheet[] = "key,name,prefixes\na,A,8.8.8.0/24\nb,B,0.0.0.0/0\nc,\"C\nd,D,9.9.9.0/24\n";
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	struct members_change how = plain;
	how.skip_bad = true;
	json_t *report = imported(registry, sheet, strlen(sheet), &how);
	assert_true(json_is_true(json_object_get(report, "applied")));
	assert_int_equal(number(report, "added"), 2);
	assert_int_equal(number(report, "bad"), 2);
	json_decref(report);
	registry_close(registry);
	remove_tree(dir);
}

static void exported(struct registry *registry, enum members_format format, bool bom, char **ret_text,
		     size_t *ret_bytes)
{
	must(members_write(registry, format, bom, ret_text, ret_bytes, &must_err));
}

/* Into an empty registry, and out again: byte for byte the same; into the same one: nothing changes. */
static void there_and_back(struct registry *registry, enum members_format format, bool bom)
{
	char room[64], *dir = make_quick_dir(room), *text = NULL, *again = NULL;
	size_t bytes, again_bytes;
	struct registry *other = made(dir);
	exported(registry, format, bom, &text, &bytes);
	json_t *report = imported(registry, text, bytes, &plain);
	assert_int_equal(number(report, "changed") + number(report, "added") + number(report, "bad"), 0);
	assert_int_equal(number(report, "same"), 3);
	json_decref(report);
	report = imported(other, text, bytes, &plain);
	assert_int_equal(number(report, "added"), 3);
	json_decref(report);
	exported(other, format, bom, &again, &again_bytes);
	assert_int_equal(bytes, again_bytes);
	assert_memory_equal(text, again, bytes);
	free(text);
	free(again);
	registry_close(other);
	remove_tree(dir);
}

static void what_goes_out_comes_in_the_same(void **state)
{
	(void)state;
	static const char members[] = "[{\"key\":\"a\",\"name\":\"=cmd|' /C calc'!A0\",\"name_en\":\"'+x, "
				      "\\\"y\\\"\",\"notes\":\"two\\nlines, \\\"quoted\\\"\\t;\","
				      "\"prefixes\":[\"8.8.8.0/24\",\"2400:4000::/"
				      "32\"],\"asns\":[2497,4713],\"domains\":[\"a.jp\",\"日本.jp\"],"
				      "\"endpoints\":[\"pc-1\",\"pc-2\"],\"kind\":\"provider\",\"clearance\":\"amber+"
				      "strict\",\"contacts\":[{\"role\":\"abuse\","
				      "\"language\":\"en\",\"name\":\"-Taro\",\"mail\":\"a@a.jp\",\"phone\":\"+81-3-"
				      "1234-5678\",\"webhook\":\"https://a.jp/h?x=1\"},"
				      "{\"phone\":\"110\"}],\"valid_from\":\"2026-01-01T00:00:00.5Z\"},"
				      "{\"key\":\"b\",\"name\":\"仙台市　青葉区\",\"parent\":\"a\",\"reports_to\":"
				      "\"c\"},{\"key\":\"c\",\"name\":\"' C\"}]";
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	taken(registry, members, 3, 0);
	there_and_back(registry, MEMBERS_CSV, true);
	there_and_back(registry, MEMBERS_CSV, false);
	there_and_back(registry, MEMBERS_JSON, false);
	char *text = NULL;
	size_t bytes;
	exported(registry, MEMBERS_CSV, false, &text, &bytes);
	assert_contains(text, "'=cmd|"); /* nothing that a spreadsheet runs */
	assert_null(strstr(text, ",=cmd"));
	free(text);
	registry_close(registry);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_a_key_are_one_member),
		cmocka_unit_test(sheets_of_a_japanese_office),
		cmocka_unit_test(faults_name_the_line),
		cmocka_unit_test(bad_rows_can_be_skipped),
		cmocka_unit_test(what_goes_out_comes_in_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
