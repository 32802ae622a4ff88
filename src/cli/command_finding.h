/* yagura finding: list, show, explain, close. A running hub is asked; all but close also read a store that nobody has.
 */
#pragma once

#include "cli/command_member.h"

struct finding_list_options {
	struct common_options common;
	struct member_place place;
	int64_t type, severity, state, verdict, limit;
	const char *member, *subject, *rule, *from, *to;
};
struct finding_show_options {
	struct common_options common;
	struct member_place place;
};
struct finding_close_options {
	struct common_options common;
	struct member_place place;
	const char *reason;
};
extern const struct option_spec finding_list_option_table[], finding_close_option_table[];
int command_finding_list(const struct command_call *call, struct err *err);
int command_finding_show(const struct command_call *call, struct err *err);
int command_finding_explain(const struct command_call *call, struct err *err);
int command_finding_close(const struct command_call *call, struct err *err);

/* One finding by its id, as the API shows it. -ENOENT. */
int finding_read(const struct member_place *place, struct pool *pool, const char *id, json_t **ret_finding,
		 struct err *err) must_check;
