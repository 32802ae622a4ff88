/* What the commands of `yagura flow` are told. */
#pragma once

#include "cli/command.h"

struct flow_read_options {
	struct common_options common;
	bool records;
	int64_t limit;
};
extern const struct option_spec flow_read_option_table[];
int command_flow_read(const struct command_call *call, struct err *err);
