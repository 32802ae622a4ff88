/* yagura: finds the command, reads its options, runs it, says what went wrong.
 *
 * Options come from three places, later ones win: the table's defaults, the YAML file of --config (section named like
 * the command, spaces as '-'), the command line.
 */
#include "cli/command.h"

#include "core/log.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_BYTES_MAX = 1 << 20 };

static int usage_error(const struct command *command, const struct err *err)
{
	fprintf(stderr, "yagura%s%s: %s\n", command ? " " : "", command ? command->name : "", err->text);
	fprintf(stderr, language_is_japanese() ? "使い方: yagura %s --help\n" : "See: yagura %s --help\n",
		command ? command->name : "");
	return EXIT_USAGE;
}

static int file_read(struct pool *pool, const char *path, char **ret_text, size_t *ret_bytes, struct err *err)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	char *text = pool_alloc(pool, CONFIG_BYTES_MAX);
	size_t bytes = text ? fread(text, 1, CONFIG_BYTES_MAX, file) : 0;
	int result = 0;
	if (!text)
		result = -ENOMEM;
	else if (ferror(file))
		result = err_set(err, -EIO, "%s: cannot be read", path);
	else if (bytes == CONFIG_BYTES_MAX)
		result = err_set(err, -EFBIG, "%s: larger than 1 MiB", path);
	fclose(file);
	*ret_text = text;
	*ret_bytes = bytes;
	return result;
}

static int config_apply(const struct command *command, const struct option_spec *table, void *options,
			struct pool *pool, const char *path, struct err *err)
{
	char *text = NULL;
	size_t bytes = 0;
	int result = file_read(pool, path, &text, &bytes, err);
	if (result < 0)
		return result;
	char section[64];
	snprintf(section, sizeof section, "%s", command->name);
	for (char *at = section; *at; at++)
		if (*at == ' ')
			*at = '-';
	return options_from_yaml(table, options, pool, text, bytes, section, path, err);
}

/* --config FILE is needed before the other options are read. */
static const char *config_path(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			return argv[i + 1];
		if (strncmp(argv[i], "--config=", 9) == 0)
			return argv[i] + 9;
	}
	return NULL;
}

static int options_read(const struct command *command, struct pool *pool, int *argc, char **argv, void **ret_options,
			struct err *err)
{
	struct option_spec *table = command_options(command, pool);
	void *options =
		pool_alloc(pool, command->options_bytes ? command->options_bytes : sizeof(struct common_options));
	if (!table || !options)
		return err_set(err, -ENOMEM, "no memory");
	*ret_options = options;
	int result = options_init(table, options, pool, err);
	const char *config = config_path(*argc, argv);
	if (result == 0 && config)
		result = config_apply(command, table, options, pool, config, err);
	if (result == 0 && !command->reads_own_arguments)
		result = options_take(table, options, pool, argc, argv, err);
	for (struct option_spec *spec = table; result == 0 && spec->name; spec++)
		if (spec->required && spec->type == OPTION_PREFIXES &&
		    ((struct prefix_list *)((char *)options + spec->offset))->count == 0)
			result = err_set(err, -EINVAL, "--%s %s is needed", spec->name,
					 spec->argument ? spec->argument : "");
		else if (spec->required && (spec->type == OPTION_TEXT || spec->type == OPTION_PATH) &&
			 !*(const char **)((char *)options + spec->offset))
			result = err_set(err, -EINVAL, "--%s %s is needed", spec->name,
					 spec->argument ? spec->argument : "");
	return result;
}

static int command_call(const struct command *command, int argc, char **argv)
{
	struct pool *pool = pool_new(NULL, command->name);
	struct err err = {""};
	struct command_call call = {.command = command, .pool = pool};
	void *options = NULL;
	int status, result = pool ? options_read(command, pool, &argc, argv, &options, &err) : -ENOMEM;
	if (result == 1) {
		help_print(command);
		status = EXIT_DONE;
	} else if (result < 0) {
		status = usage_error(command, &err);
	} else if (!command->operands && !command->reads_own_arguments && argc > 0) {
		err_set(&err, -EINVAL, "'%.64s' was not expected: this command takes no operands", argv[0]);
		status = usage_error(command, &err);
	} else {
		call.options = options;
		call.operand_count = argc;
		call.operands = argv;
		status = command->run(&call, &err);
		if (status == EXIT_USAGE)
			usage_error(command, &err);
		else if (status != EXIT_DONE && err.text[0])
			fprintf(stderr, "yagura %s: %s\n", command->name, err.text);
	}
	pool_free(pool);
	return status;
}

static const char *command_name_at(const void *context, size_t i)
{
	(void)context;
	return commands[i].name;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	log_setup("yagura", LOG_INFO, -1);
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		int words;
		const struct command *command = argc > 2 ? command_find(argc - 2, argv + 2, &words) : NULL;
		if (command)
			help_print(command);
		else
			help_print_all();
		return argc < 2 ? EXIT_USAGE : EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("yagura %s\n", YAGURA_VERSION);
		return EXIT_DONE;
	}
	int words;
	const struct command *command = command_find(argc - 1, argv + 1, &words);
	if (command)
		return command_call(command, argc - 1 - words, argv + 1 + words);
	char wanted[128];
	snprintf(wanted, sizeof wanted, "%.60s%s%.60s", argv[1], argc > 2 && argv[2][0] != '-' ? " " : "",
		 argc > 2 && argv[2][0] != '-' ? argv[2] : "");
	const char *near = name_nearest(wanted, command_name_at, NULL);
	if (near)
		fprintf(stderr, "yagura: there is no command '%s'; did you mean '%s'?\n", wanted, near);
	else
		fprintf(stderr, "yagura: there is no command '%s'; 'yagura --help' lists them\n", wanted);
	return EXIT_USAGE;
}
