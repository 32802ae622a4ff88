/* Options of yagura indicator and yagura share. */
#pragma once

#include "cli/command.h"

struct indicator_list_options {
	struct common_options common;
	const char *data, *collection;
	int64_t kind, state, limit, score;
};
struct indicator_add_options {
	struct common_options common;
	const char *data, *collection, *description, *from, *until, *name;
	int64_t tlp, confidence;
};
struct indicator_import_options {
	struct common_options common;
	const char *data, *collection, *source;
	int64_t format, tlp, confidence, lifetime_ns;
	bool dry_run, unwarned;
	const char *warninglists;
};
struct indicator_expire_options {
	struct common_options common;
	const char *data;
};
extern const struct option_spec indicator_list_option_table[], indicator_add_option_table[],
	indicator_import_option_table[], indicator_expire_option_table[];
int command_indicator_list(const struct command_call *call, struct err *err);
int command_indicator_add(const struct command_call *call, struct err *err);
int command_indicator_import(const struct command_call *call, struct err *err);
int command_indicator_expire(const struct command_call *call, struct err *err);

struct indicators;
struct indicators_collection;
/* The indicators of a data directory, which must be there; the hub may run on it. */
int command_indicators_open(const char *data, struct indicators **ret_store, struct err *err) must_check;
/* name NULL: id 0. -ENOENT: there is none of that name. */
int command_collection(struct indicators *store, const char *name, int64_t *ret_id, struct err *err) must_check;

struct warning_lists;
/* Those of the folder `given`; NULL: those that come with the program, and DATA/warninglists. */
int command_warnings_open(const char *data, const char *given, struct pool *pool, struct warning_lists **ret_lists,
			  struct err *err) must_check;
