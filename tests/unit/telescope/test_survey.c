/* The list of organisations that survey: what is read, and that every mistake in it is told with file and line. */
#include "build.h"

#include "observe/telescope/survey.h"

#include <errno.h>
#include <unistd.h>

static int load(const char *text, struct prefix_list *list, struct pool *pool, struct err *err)
{
	char path[] = "/tmp/test_survey.XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	int result = survey_load(path, pool, list, err);
	unlink(path);
	return result;
}

static void every_prefix_of_every_organisation_is_read(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct prefix_list list = {NULL, 0};
	struct err err = {""};
	char text[16384] = "organisations:\n  - name: Many\n    url: https://example.org\n    looked_at: 2026-01-01\n"
			   "    prefixes: [192.0.2.0/24, \"2001:db8::/32\"";
	for (unsigned i = 0; i < 200; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), ", 198.51.100.%u", i);
	strcat(text, "]\n  - {name: None, prefixes: []}\n  - {name: One, prefixes: [203.0.113.7]}\n");
	assert_int_equal(load(text, &list, pool, &err), 0);
	assert_int_equal(list.count, 203);
	assert_int_equal(load("", &list, pool, &err), 0);
	assert_int_equal(list.count, 0);
	pool_free(pool);
}

static void a_mistake_is_told_with_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"- one\n", ":1: 'organisations:' was expected"},
		{"organizations: []\n", ":1: 'organisations:' was expected"},
		{"organisations: 7\n", ":1: a list of organisations was expected"},
		{"organisations:\n  - 7\n", ":2: an organisation with name and prefixes was expected"},
		{"organisations:\n  - {prefixes: [192.0.2.0/24]}\n", ":2: an organisation without a name"},
		{"organisations:\n  - name: A\n    prefix: []\n", ":3: name, prefixes, url, source or looked_at"},
		{"organisations:\n  - name: A\n    prefixes: 192.0.2.0/24\n", ":3: a list of prefixes was expected"},
		{"organisations:\n  - name: A\n    prefixes:\n      - 192.0.2.0/33\n", ":4"},
		{"organisations:\n  - name: A\n    prefixes:\n      - [1]\n", ":4: a prefix was expected"},
		{"organisations: [\n", "not YAML"},
	};
	struct pool *pool = pool_new(NULL, "test");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix_list list = {NULL, 0};
		struct err err = {""};
		assert_int_equal(load(cases[i].text, &list, pool, &err), -EINVAL);
		assert_contains(err.text, cases[i].said);
		assert_int_equal(list.count, 0);
	}
	pool_free(pool);
}

static void a_list_that_is_not_there_is_named(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct prefix_list list = {NULL, 0};
	struct err err = {""};
	assert_int_equal(survey_load("/nowhere/list.yaml", pool, &list, &err), -ENOENT);
	assert_contains(err.text, "/nowhere/list.yaml");
	pool_free(pool);
}

static void the_projects_own_list_is_sound(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct prefix_list list = {NULL, 0};
	struct err err = {""};
	if (survey_load(SOURCE_ROOT "/data/survey-organisations.yaml", pool, &list, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(list.count >= 20);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_of_every_organisation_is_read),
		cmocka_unit_test(a_mistake_is_told_with_its_line),
		cmocka_unit_test(a_list_that_is_not_there_is_named),
		cmocka_unit_test(the_projects_own_list_is_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
