/* yagura backup and restore: the store to a directory and back. */
#include "cli/commands.h"
#include "cli/data.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

const struct option_spec restore_option_table[] = {
	{"data", OPTION_PATH, OPTION_AT(struct restore_options, data), .argument = "DIR", .required = true,
	 .help = "data directory to make", .help_ja = "作るデータディレクトリ"},
	{"replace", OPTION_FLAG, OPTION_AT(struct restore_options, replace), .help = "replace what is there",
	 .help_ja = "既にあるものを置き換える"},
	{NULL},
};

int command_backup(const struct command_call *call, struct err *err)
{
	const struct data_options *options = call->options;
	char path[PATH_MAX];
	if (call->operand_count != 1) {
		err_set(err, -EINVAL, "one directory for the backup was expected");
		return EXIT_USAGE;
	}
	snprintf(path, sizeof path, "%s", call->operands[0]);
	struct hub_address hub = data_hub(options);
	int result;
	if (hub.url || hub_is_running(&hub)) {
		char here[PATH_MAX / 2] = "";
		if (path[0] != '/' && getcwd(here, sizeof here))
			snprintf(path, sizeof path, "%s/%.2000s", here, call->operands[0]);
		json_t *body = json_pack("{s:s}", "dir", path), *answer = NULL;
		result = hub_request(&hub, "POST", "/backup", body, &answer, err);
		json_decref(answer);
		json_decref(body);
	} else {
		struct store *store = NULL;
		result = data_store_open(options->data, call->pool, &store, err);
		if (result == 0)
			result = store_backup(store, path, err);
		store_close(store);
	}
	if (result < 0)
		return EXIT_FAILED;
	printf(options->common.json ? "{\"backup\": \"%s\"}\n" : "backup: %s\n", path);
	return EXIT_DONE;
}

int command_restore(const struct command_call *call, struct err *err)
{
	const struct restore_options *options = call->options;
	if (call->operand_count != 1) {
		err_set(err, -EINVAL, "the directory of one backup was expected");
		return EXIT_USAGE;
	}
	if (store_restore(call->operands[0], options->data, options->replace, err) < 0)
		return EXIT_FAILED;
	printf(options->common.json ? "{\"restored\": \"%s\"}\n" : "restored: %s\n", options->data);
	return EXIT_DONE;
}
