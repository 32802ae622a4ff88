/* Configuration in YAML, and the same words as a command line, against a table with every type of option. */
#include "fuzz.h"

#include "core/option.h"

#include <errno.h>
#include <string.h>

struct values {
	bool flag;
	int64_t number, size, duration, choice;
	const char *text, *path;
	struct prefix_list prefixes;
	struct text_list texts;
};

static const struct option_spec table[] = {
	{.name = "flag", .type = OPTION_FLAG, OPTION_AT(struct values, flag), .help = "f", .help_ja = "f"},
	{.name = "number",
	 .type = OPTION_INT,
	 OPTION_AT(struct values, number),
	 .default_text = "3",
	 .min = 1,
	 .max = 9,
	 .help = "n",
	 .help_ja = "n"},
	{.name = "size", .type = OPTION_SIZE, OPTION_AT(struct values, size), .help = "s", .help_ja = "s"},
	{.name = "duration", .type = OPTION_DURATION, OPTION_AT(struct values, duration), .help = "d", .help_ja = "d"},
	{.name = "choice",
	 .type = OPTION_CHOICE,
	 OPTION_AT(struct values, choice),
	 .choices = "one|two",
	 .default_text = "one",
	 .help = "c",
	 .help_ja = "c"},
	{.name = "text", .type = OPTION_TEXT, OPTION_AT(struct values, text), .help = "t", .help_ja = "t"},
	{.name = "path", .type = OPTION_PATH, OPTION_AT(struct values, path), .help = "p", .help_ja = "p"},
	{.name = "darknet", .type = OPTION_PREFIXES, OPTION_AT(struct values, prefixes), .help = "d", .help_ja = "d"},
	{.name = "names", .type = OPTION_TEXTS, OPTION_AT(struct values, texts), .help = "n", .help_ja = "n"},
	{.name = NULL},
};

static void check_values(const struct values *values)
{
	fuzz_check(values->number >= 1 && values->number <= 9);
	fuzz_check(values->choice == 0 || values->choice == 1);
	for (size_t i = 0; i < values->prefixes.count; i++)
		fuzz_check(values->prefixes.items[i].bits <= 128);
}

static void run_yaml(const uint8_t *data, size_t bytes, const char *section)
{
	struct pool *pool = pool_new(NULL, "fuzz");
	struct values values = {0};
	struct err err = {""};
	fuzz_check(options_init(table, &values, pool, &err) == 0);
	int result = options_from_yaml(table, &values, pool, (const char *)data, bytes, section, "fuzz", &err);
	fuzz_check(result == 0 || (result < 0 && err.text[0] != '\0'));
	check_values(&values);
	pool_free(pool);
}

static void run_arguments(const uint8_t *data, size_t bytes)
{
	char text[512];
	char *words[64] = {(char[]){"yagura"}};
	if (bytes >= sizeof text)
		return;
	memcpy(text, data, bytes);
	text[bytes] = '\0';
	int count = 1;
	for (char *at = text; count < 63; count++) {
		words[count] = strsep(&at, "\n");
		if (!words[count])
			break;
	}
	words[count] = NULL;
	struct pool *pool = pool_new(NULL, "fuzz");
	struct values values = {0};
	struct err err = {""};
	fuzz_check(options_init(table, &values, pool, &err) == 0);
	int result = options_take(table, &values, pool, &count, words, &err);
	fuzz_check(result == 0 || result == 1 || err.text[0] != '\0');
	fuzz_check(count >= 0 && count < 64);
	check_values(&values);
	pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	run_yaml(data, bytes, NULL);
	run_yaml(data, bytes, "telescope");
	run_arguments(data, bytes);
	return 0;
}
