/* What the files of the registry's members share. */
#pragma once

#include "store/member_form.h"
#include "store/members.h"
#include "store/registry_parts.h"

/* One member in a set of changes. */
struct member_item {
	json_int_t line;
	json_t *fields, *remarks;
	json_t *before, *after; /* documents; NULL: there is none */
	const char *key;        /* of fields */
	int64_t id;             /* 0: new */
	json_int_t change;      /* the one that was seen by who changes it; 0: whichever */
	bool remove, bad;
};

struct member_items {
	struct member_item *items;
	size_t count, room;
};

/* Registry locked, in all of these. */

/* Mark those as bad whose parent or reporting line would name nobody or end in a circle, and removals of whom others
 * still need. */
int members_settle(struct registry *registry, struct member_items *items, struct err *err) must_check;

struct members_writer {
	struct registry *registry;
	const struct members_change *how;
	sqlite3_stmt *insert, *update, *remove, *prefix_add, *prefix_drop, *change_add;
	int64_t number; /* of the last change */
};
int members_writer_open(struct registry *registry, const struct members_change *how, struct members_writer *ret_writer,
			struct err *err) must_check;
void members_writer_close(struct members_writer *writer);
/* Put item->after in the place of item->before, either of which may be NULL; and write it down. */
int members_writer_put(struct members_writer *writer, struct member_item *item, struct err *err) must_check;

/* The member in a row (id, change, changed, document). */
json_t *members_row(sqlite3_stmt *statement, struct err *err);
#define MEMBER_ROW "m.id, m.change, m.changed, m.document"
/* Valid at ?1. */
#define MEMBER_VALID "(m.valid_from IS NULL OR m.valid_from <= ?1) AND (m.valid_until IS NULL OR m.valid_until > ?1)"
