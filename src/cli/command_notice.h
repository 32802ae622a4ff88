/* yagura notice: list, show, send, test. A running hub is asked; list and show also read a registry that nobody has. */
#pragma once

#include "cli/command_member.h"

struct notice_list_options {
	struct common_options common;
	struct member_place place;
	int64_t state, limit;
	const char *member, *type, *subject;
	bool unacknowledged, figures, bounces;
};
struct notice_show_options {
	struct common_options common;
	struct member_place place;
};
struct notice_test_options {
	struct common_options common;
	struct member_place place;
	const char *texts, *rules;
	int64_t wait_ns;
};
extern const struct option_spec notice_list_option_table[], notice_test_option_table[];
int command_notice_list(const struct command_call *call, struct err *err);
int command_notice_show(const struct command_call *call, struct err *err);
int command_notice_send(const struct command_call *call, struct err *err);
int command_notice_test(const struct command_call *call, struct err *err);
