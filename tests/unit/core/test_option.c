/* Option tables: the same table read from defaults, the command line and YAML; each refusal says what was expected. */
#include "core/option.h"

#include "core/clock.h"

#include "../check.h"

#include <errno.h>

struct sample {
	bool flag;
	int64_t count, size, pause, colour;
	const char *name;
	struct prefix_list darknet;
	struct text_list words;
};

static const struct option_spec table[] = {
	{"flag", OPTION_FLAG, OPTION_AT(struct sample, flag)},
	{"count", OPTION_INT, OPTION_AT(struct sample, count), "3", .min = 1, .max = 10},
	{"size", OPTION_SIZE, OPTION_AT(struct sample, size), "64MiB"},
	{"pause", OPTION_DURATION, OPTION_AT(struct sample, pause), "90s"},
	{"colour", OPTION_CHOICE, OPTION_AT(struct sample, colour), "green", .choices = "red|green|blue"},
	{"name", OPTION_TEXT, OPTION_AT(struct sample, name), .argument = "NAME"},
	{"darknet", OPTION_PREFIXES, OPTION_AT(struct sample, darknet)},
	{"word", OPTION_TEXTS, OPTION_AT(struct sample, words)},
	{NULL},
};

static struct pool *pool;

static int set_up(void **state)
{
	(void)state;
	pool = pool_new(NULL, "test");
	return pool ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	pool_free(pool);
	return 0;
}

static void defaults_are_written_as_users_do(void **state)
{
	(void)state;
	struct sample sample = {0};
	assert_int_equal(options_init(table, &sample, pool, NULL), 0);
	assert_false(sample.flag);
	assert_int_equal(sample.count, 3);
	assert_int_equal(sample.size, 64 << 20);
	assert_int_equal(sample.pause, 90 * NS_PER_S);
	assert_int_equal(sample.colour, 1);
	assert_null(sample.name);
}

static void the_command_line_is_taken(void **state)
{
	(void)state;
	struct sample sample = {0};
	char *argv[] = {"file",          "--flag", "--count=7", "--darknet", "198.18.0.0/15",
			"2001:db8::/32", "other",  "--word",    "a",         "--word=b",
			"--colour",      "blue",   "--no-flag", "--",        "--name"};
	int argc = sizeof argv / sizeof *argv;
	struct err err = {""};
	assert_int_equal(options_take(table, &sample, pool, &argc, argv, &err), 0);
	assert_int_equal(argc, 3);
	assert_string_equal(argv[0], "file");
	assert_string_equal(argv[1], "other");
	assert_string_equal(argv[2], "--name");
	assert_false(sample.flag);
	assert_int_equal(sample.count, 7);
	assert_int_equal(sample.darknet.count, 2);
	assert_int_equal(sample.words.count, 2);
	assert_string_equal(sample.words.items[1], "b");
	assert_int_equal(sample.colour, 2);
	char *help[] = {"--help"};
	argc = 1;
	assert_int_equal(options_take(table, &sample, pool, &argc, help, &err), 1);
}

static void refusals_help(void **state)
{
	(void)state;
	static const struct {
		char *words[2];
		const char *part;
	} cases[] = {
		{{"--cuont", "3"}, "did you mean 'count'"},
		{{"--count", "11"}, "1 to 10"},
		{{"--count", "x"}, "not a number"},
		{{"--size", "3MB"}, "64MiB"},
		{{"--pause", "3"}, "90s"},
		{{"--colour", "pink"}, "red|green|blue"},
		{{"--darknet", "198.18.0.1/15"}, "198.18.0.0/15"},
		{{"--flag=perhaps", NULL}, "true or false"},
		{{"--name", NULL}, "NAME was expected"},
		{{"-x", NULL}, "--help"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sample sample = {0};
		struct err err = {""};
		char *argv[2] = {cases[i].words[0], cases[i].words[1]};
		int argc = argv[1] ? 2 : 1;
		assert_int_equal(options_take(table, &sample, pool, &argc, argv, &err), -EINVAL);
		assert_contains(err.text, cases[i].part);
	}
}

static int from_yaml(struct sample *sample, const char *yaml, const char *section, struct err *err)
{
	return options_from_yaml(table, sample, pool, yaml, strlen(yaml), section, "hub.yaml", err);
}

static void yaml_says_the_same(void **state)
{
	(void)state;
	struct sample sample = {0};
	struct err err = {""};
	static const char yaml[] = "hub:\n  listen: x\ntelescope:\n  flag: true\n  count: 5\n  darknet:\n    - "
				   "198.18.0.0/15\n    - 2001:db8::/32\n";
	assert_int_equal(from_yaml(&sample, yaml, "telescope", &err), 0);
	assert_true(sample.flag);
	assert_int_equal(sample.count, 5);
	assert_int_equal(sample.darknet.count, 2);
	assert_int_equal(from_yaml(&sample, "", NULL, &err), 0);
	assert_int_equal(from_yaml(&sample, yaml, "absent", &err), 0);
}

static void bad_yaml_names_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *part;
	} cases[] = {
		{"count: 5\nflag: [a]\n", "hub.yaml:2: flag: a single value"},
		{"count: 5\n\ncolour: pink\n", "hub.yaml:3: --colour"},
		{"cuont: 5\n", "did you mean 'count'"},
		{"- a\n", "a mapping"},
		{"darknet: [[1]]\n", "a list of single values"},
		{"a: [\n", "not YAML"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sample sample = {0};
		struct err err = {""};
		assert_int_equal(from_yaml(&sample, cases[i].yaml, NULL, &err), -EINVAL);
		assert_contains(err.text, cases[i].part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_are_written_as_users_do, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_command_line_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refusals_help, set_up, tear_down),
		cmocka_unit_test_setup_teardown(yaml_says_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_yaml_names_its_line, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
