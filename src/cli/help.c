/* Help and manual pages, made from the table of commands and their option tables. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_spec common_option_table[] = {
	{"json", OPTION_FLAG, OPTION_AT(struct common_options, json), .help = "print one JSON object",
	 .help_ja = "結果を一つの JSON で出力する"},
	{"config", OPTION_PATH, OPTION_AT(struct common_options, config), .argument = "FILE",
	 .help = "read options from a YAML file; the command line wins over it",
	 .help_ja = "YAML ファイルからオプションを読む(コマンドラインが優先)"},
	{NULL},
};

static size_t options_count(const struct option_spec *table)
{
	size_t count = 0;
	while (table && table[count].name)
		count++;
	return count;
}

static struct option_spec *options_append(struct option_spec *at, const struct option_spec *table, size_t offset)
{
	for (size_t i = 0, count = options_count(table); i < count; i++, at++) {
		*at = table[i];
		at->offset += offset;
	}
	return at;
}

struct option_spec *command_options(const struct command *command, struct pool *pool)
{
	enum { GROUPS = sizeof command->groups / sizeof *command->groups };
	size_t count = options_count(common_option_table) + options_count(command->options) + 1;
	for (size_t i = 0; i < GROUPS && command->groups[i].table; i++)
		count += options_count(command->groups[i].table);
	struct option_spec *table = pool_array(pool, count, sizeof *table), *at = table;
	if (!table)
		return NULL;
	at = options_append(at, command->options, 0);
	for (size_t i = 0; i < GROUPS && command->groups[i].table; i++)
		at = options_append(at, command->groups[i].table, command->groups[i].offset);
	options_append(at, common_option_table, 0);
	return table;
}

bool language_is_japanese(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	for (size_t i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return strncmp(value, "ja", 2) == 0;
	}
	return false;
}

const struct command *command_find(int argc, char **argv, int *ret_words)
{
	const struct command *best = NULL;
	for (const struct command *command = commands; command->name; command++) {
		char name[64];
		snprintf(name, sizeof name, "%s", command->name);
		int words = 0;
		bool same = true;
		for (char *word = strtok(name, " "); word && same; word = strtok(NULL, " "), words++)
			same = words < argc && strcmp(argv[words], word) == 0;
		if (same && (!best || words > *ret_words)) {
			best = command;
			*ret_words = words;
		}
	}
	return best;
}

static const char *in_language(const char *english, const char *japanese)
{
	return japanese && language_is_japanese() ? japanese : english;
}

static const char *type_argument(const struct option_spec *spec)
{
	if (spec->argument)
		return spec->argument;
	switch (spec->type) {
	case OPTION_FLAG:
		return "";
	case OPTION_INT:
		return "N";
	case OPTION_SIZE:
		return "SIZE";
	case OPTION_DURATION:
		return "TIME";
	case OPTION_TEXT:
		return "TEXT";
	case OPTION_PATH:
		return "PATH";
	case OPTION_CHOICE:
		return spec->choices;
	case OPTION_PREFIXES:
		return "PREFIX...";
	case OPTION_TEXTS:
		return "TEXT";
	}
	return "";
}

static void option_print(const struct option_spec *spec)
{
	char left[80];
	char letter[8] = "";
	if (spec->letter)
		snprintf(letter, sizeof letter, "-%c, ", spec->letter);
	snprintf(left, sizeof left, "%s--%s %s", letter, spec->name, type_argument(spec));
	printf("  %-28s %s", left, in_language(spec->help ? spec->help : "", spec->help_ja));
	if (spec->default_text && spec->type != OPTION_FLAG)
		printf(in_language(" (default %s)", "(既定値 %s)"), spec->default_text);
	if (spec->required)
		printf("%s", in_language(" (needed)", "(必須)"));
	printf("\n");
}

void help_print(const struct command *command)
{
	printf("%s: yagura %s [%s]%s%s\n\n%s\n\n", in_language("Usage", "使い方"), command->name,
	       in_language("options", "オプション"), command->operands ? " " : "",
	       command->operands ? command->operands : "", in_language(command->summary, command->summary_ja));
	if (command->operands_help)
		printf("  %-28s %s\n\n", command->operands, command->operands_help);
	printf("%s:\n", in_language("Options", "オプション"));
	struct pool *pool = pool_new(NULL, "help");
	for (const struct option_spec *spec = command_options(command, pool); spec && spec->name; spec++)
		option_print(spec);
	pool_free(pool);
	if (command->example)
		printf("\n%s:\n  %s\n", in_language("Example", "例"), command->example);
}

void help_print_all(void)
{
	printf("Yagura %s: %s\n\n%s: yagura COMMAND [options]\n\n", YAGURA_VERSION,
	       in_language("watches networks: observe, analyze, share, train",
			   "ネットワークの見張り櫓: 観測・分析・共有・訓練"),
	       in_language("Usage", "使い方"));
	for (const struct command *command = commands; command->name; command++)
		printf("  %-22s %s\n", command->name, in_language(command->summary, command->summary_ja));
	printf("\n%s\n", in_language("'yagura COMMAND --help' tells more; 'yagura --version' prints the version.",
				     "詳しくは 'yagura COMMAND --help'。'yagura --version' で版を表示します。"));
}

/* troff wants backslashes and leading dots and hyphens escaped. */
static void troff_print(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at == '\\' || *at == '-')
			putchar('\\');
		if (at == text && (*at == '.' || *at == '\''))
			printf("\\&");
		putchar(*at);
	}
}

static void manual_option(const struct option_spec *spec)
{
	printf(".TP\n.B ");
	if (spec->letter)
		printf("\\-%c, ", spec->letter);
	printf("\\-\\-");
	troff_print(spec->name);
	printf("\n");
	if (*type_argument(spec)) {
		printf(".I ");
		troff_print(type_argument(spec));
		printf("\n.br\n");
	}
	troff_print(spec->help ? spec->help : "");
	printf(".");
	if (spec->default_text) {
		printf(" Default: ");
		troff_print(spec->default_text);
		printf(".");
	}
	if (spec->max)
		printf(" Range: %lld to %lld.", (long long)spec->min, (long long)spec->max);
	printf("\n");
}

void manual_print(const struct command *command)
{
	char page[80] = "yagura";
	if (command) {
		snprintf(page, sizeof page, "yagura-%s", command->name);
		for (char *at = page; *at; at++)
			if (*at == ' ')
				*at = '-';
	}
	printf(".TH %s 1 \"\" \"Yagura %s\" \"Yagura manual\"\n.SH NAME\n%s \\- ", page, YAGURA_VERSION, page);
	troff_print(command ? command->summary : "watches networks: observe, analyze, share, train");
	printf("\n.SH SYNOPSIS\n.B yagura %s\n", command ? command->name : "COMMAND");
	printf("[options] %s\n", command && command->operands ? command->operands : "");
	if (!command) {
		printf(".SH COMMANDS\n");
		for (const struct command *each = commands; each->name; each++) {
			printf(".TP\n.B %s\n", each->name);
			troff_print(each->summary);
			printf("\n");
		}
	} else {
		printf(".SH OPTIONS\n");
		struct pool *pool = pool_new(NULL, "manual");
		for (const struct option_spec *spec = command_options(command, pool); spec && spec->name; spec++)
			manual_option(spec);
		pool_free(pool);
		if (command->example) {
			printf(".SH EXAMPLE\n.nf\n");
			troff_print(command->example);
			printf("\n.fi\n");
		}
	}
	printf(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage.\n");
}
