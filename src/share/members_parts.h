/* What the files about members' files share. */
#pragma once

#include "share/members.h"

enum column_kind { COLUMN_TEXT, COLUMN_LIST, COLUMN_CONTACT };
struct members_column {
	const char *name, *field, *name_ja; /* field: of the member, or of its contact */
	enum column_kind kind;
};
extern const struct members_column members_columns[]; /* name NULL ends them */

/* An entry that says only what is wrong. `message` may hold %s for `value`. */
json_t *members_fault(json_int_t line, const char *value, const char *message, const char *message_ja);
int members_read_csv(const char *text, size_t bytes, json_t *entries, struct err *err) must_check;
