/* What yagura scope is told. */
#pragma once

#include "cli/command.h"
#include "observe/survey/scope.h"

struct scope_new_options {
	struct common_options common;
	const char *output, *name, *legal_basis, *organisation, *responsible;
	const char *contact, *mail, *web, *reverse_dns;
	struct prefix_list networks;
	int64_t days;
};
struct scope_key_options {
	struct common_options common;
	const char *output, *person;
};
struct scope_sign_options {
	struct common_options common;
	const char *key, *person;
};
struct scope_check_options {
	struct common_options common;
	const char *approvers, *at;
};
extern const struct option_spec scope_new_option_table[], scope_key_option_table[], scope_sign_option_table[],
	scope_check_option_table[];
int command_scope_new(const struct command_call *call, struct err *err);
int command_scope_key(const struct command_call *call, struct err *err);
int command_scope_sign(const struct command_call *call, struct err *err);
int command_scope_check(const struct command_call *call, struct err *err);
int command_scope_show(const struct command_call *call, struct err *err);

/* The scope of a file, and its text where ret_text is not NULL; both live in pool. */
int command_scope_load(const char *path, struct pool *pool, struct scope *ret_scope, const char **ret_text,
		       struct err *err) must_check;
