/* yagura manual: the manual pages, from the table of commands. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>

const struct option_spec manual_option_table[] = {
	{"list", OPTION_FLAG, OPTION_AT(struct manual_options, list), .help = "list the commands that have a page",
	 .help_ja = "頁のあるコマンドを並べる"},
	{NULL},
};

int command_manual(const struct command_call *call, struct err *err)
{
	const struct manual_options *options = call->options;
	if (options->list) {
		for (const struct command *command = commands; command->name; command++)
			printf("%s\n", command->name);
		return EXIT_DONE;
	}
	if (call->operand_count == 0) {
		manual_print(NULL);
		return EXIT_DONE;
	}
	int words;
	const struct command *command = command_find(call->operand_count, call->operands, &words);
	if (!command || words != call->operand_count) {
		err_set(err, -ENOENT, "there is no command '%.64s'", call->operands[0]);
		return EXIT_USAGE;
	}
	manual_print(command);
	return EXIT_DONE;
}
