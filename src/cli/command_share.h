/* Options of yagura share. */
#pragma once

#include "cli/command.h"

struct share_taxii_options {
	struct common_options common;
	const char *data, *title, *description, *readers;
	int64_t clearance;
	bool automatic, writable;
};
extern const struct option_spec share_taxii_option_table[];
int command_share_taxii(const struct command_call *call, struct err *err);
