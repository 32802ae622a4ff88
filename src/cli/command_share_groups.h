/* Options of yagura share groups, propose, release, receipts; all ask a running hub. */
#pragma once

#include "cli/command_member.h"

struct share_groups_options {
	struct common_options common;
	struct member_place place;
	const char *name, *name_en, *purpose;
	struct text_list members, groups;
	int64_t confidential; /* 0 as it is, 1 yes, 2 no */
	bool remove;
};
struct share_propose_options {
	struct common_options common;
	struct member_place place;
	struct text_list to;
	const char *title, *note, *originator;
	int64_t what, tlp, confidence;
	bool anonymous;
};
struct share_release_options {
	struct common_options common;
	struct member_place place;
	const char *preview, *note;
	int64_t state;
	bool refuse, withdraw, acknowledged;
};
struct share_receipts_options {
	struct common_options common;
	struct member_place place;
	int64_t limit;
};
extern const struct option_spec share_groups_option_table[], share_propose_option_table[], share_release_option_table[],
	share_receipts_option_table[];
int command_share_groups(const struct command_call *call, struct err *err);
int command_share_propose(const struct command_call *call, struct err *err);
int command_share_release(const struct command_call *call, struct err *err);
int command_share_receipts(const struct command_call *call, struct err *err);

/* Ask the hub of the place; without one running, say so. `body` may be NULL and stays the caller's. */
int share_ask(const struct member_place *place, const char *method, const char *path, json_t *body, json_t **ret_answer,
	      struct err *err) must_check;
/* Print an answer as JSON. */
void share_json_out(const json_t *json);
/* Some fields of objects as a table. */
void share_table(const json_t *objects, const char *const *fields);
