/* The functions behind the table of commands, one file each. Each returns an exit status (see command.h). */
#pragma once

#include "cli/command.h"

struct doctor_options {
	struct common_options common;
	const char *data;
	const char *deps;
};
extern const struct option_spec doctor_option_table[];
int command_doctor(const struct command_call *call, struct err *err);

struct manual_options {
	struct common_options common;
	bool list;
};
extern const struct option_spec manual_option_table[];
int command_manual(const struct command_call *call, struct err *err);
