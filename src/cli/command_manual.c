/* yagura manual: the manual pages, from the table of commands. */
#include "cli/commands.h"

#include "record/kind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const column_type_names[] = {"8-bit number", "16-bit number", "32-bit number", "64-bit number",
						"real number",  "time",          "address",       "name of a list",
						"text",         "bytes",         "JSON"};

/* yagura-records(7): what `yagura query` and the API can be asked, from the tables of records. */
static void manual_records(void)
{
	printf(".TH yagura-records 7 \"\" \"Yagura %s\" \"Yagura manual\"\n.SH NAME\nyagura\\-records \\- kinds of "
	       "record and "
	       "their fields\n",
	       YAGURA_VERSION);
	for (size_t i = 0; record_kinds[i]; i++) {
		const struct record_kind *kind = record_kinds[i];
		printf(".SH %s\n%s. Its time is\n.BR %s .\n", kind->name, kind->help, kind->time_column);
		for (const struct column *column = kind->columns; column->name; column++) {
			printf(".TP\n.BR %s \" (%s%s%s)\"\n%s.\n", column->name, column_type_names[column->type],
			       column->unit ? ", " : "", column->unit ? column->unit : "", column->help);
			for (size_t c = 0; column->codes && column->codes[c]; c++)
				printf("%s%s%s", c ? ", " : "One of: ", column->codes[c],
				       column->codes[c + 1] ? "" : ".\n");
		}
	}
}

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
	if (strcmp(call->operands[0], "records") == 0) {
		manual_records();
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
