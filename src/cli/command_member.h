/* yagura member: list, show, diff, import, export. While a hub runs on the data directory it is asked; else the
 * registry is opened here. */
#pragma once

#include "cli/command.h"
#include "cli/hub_client.h"
#include "store/members.h"

struct member_place {
	const char *data, *url, *token;
};
extern const struct option_spec member_place_option_table[];

struct member_list_options {
	struct common_options common;
	struct member_place place;
	int64_t kind, limit;
	const char *parent;
	bool valid;
};
struct member_show_options {
	struct common_options common;
	struct member_place place;
	bool history;
};
struct member_import_options {
	struct common_options common;
	struct member_place place;
	bool dry_run, skip_bad, remove_absent;
};
struct member_export_options {
	struct common_options common;
	struct member_place place;
	int64_t format;
	const char *output;
	bool bom;
};
extern const struct option_spec member_list_option_table[], member_show_option_table[], member_import_option_table[],
	member_diff_option_table[], member_export_option_table[];
int command_member_list(const struct command_call *call, struct err *err);
int command_member_show(const struct command_call *call, struct err *err);
int command_member_diff(const struct command_call *call, struct err *err);
int command_member_import(const struct command_call *call, struct err *err);
int command_member_export(const struct command_call *call, struct err *err);

/* The hub to be asked: true; or false, and the registry is to be opened. */
bool member_place_hub(const struct member_place *place, struct hub_address *ret_hub);
int member_place_open(const struct member_place *place, struct registry **ret_registry, struct err *err) must_check;
/* What differs, a line a field, as of members' differences; each begun by `indent`. */
void member_fields_print(const json_t *fields, const char *indent);
