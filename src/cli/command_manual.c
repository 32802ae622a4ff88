/* yagura manual: the manual pages, from the table of commands. */
#include "cli/commands.h"

#include <errno.h>

int command_manual(const struct command_call *call, struct err *err)
{
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
