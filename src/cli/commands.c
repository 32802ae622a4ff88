/* The table of commands. A new one is a line here and a function in a file of its own. */
#include "cli/commands.h"

const struct command commands[] = {
	{
		.name = "doctor",
		.summary = "check what this machine offers and what would be missing",
		.summary_ja = "この計算機で足りないものがないか調べる",
		.options = doctor_option_table,
		.options_bytes = sizeof(struct doctor_options),
		.run = command_doctor,
	},
	{
		.name = "manual",
		.summary = "print a page of the manual in troff",
		.summary_ja = "マニュアルの頁を troff で出力する",
		.operands = "[COMMAND]",
		.options = manual_option_table,
		.options_bytes = sizeof(struct manual_options),
		.run = command_manual,
		.example = "yagura manual telescope read | man -l -",
	},
	{.name = NULL},
};
