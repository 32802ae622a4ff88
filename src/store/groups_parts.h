/* What the files of groups and releases share: their tables. */
#pragma once

#include "store/groups.h"
#include "store/registry_members_parts.h"

#define GROUPS_SCHEMA                                                                                                  \
	"CREATE TABLE sharing_group (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT "   \
	"NULL, name_en TEXT NOT NULL, purpose TEXT NOT NULL, confidential INTEGER NOT NULL, collection INTEGER NOT "   \
	"NULL DEFAULT 0, change INTEGER NOT NULL, changed INTEGER NOT NULL, changed_by TEXT NOT NULL) STRICT;"         \
	"CREATE TABLE sharing_named (grp INTEGER NOT NULL REFERENCES sharing_group(id) ON DELETE CASCADE, member "     \
	"INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE, PRIMARY KEY (grp, member)) STRICT, WITHOUT ROWID;"  \
	"CREATE INDEX sharing_named_member ON sharing_named(member);"                                                  \
	"CREATE TABLE sharing_held (grp INTEGER NOT NULL REFERENCES sharing_group(id) ON DELETE CASCADE, part "        \
	"INTEGER NOT NULL REFERENCES sharing_group(id), PRIMARY KEY (grp, part), CHECK (grp != part)) STRICT, "        \
	"WITHOUT ROWID;"                                                                                               \
	"CREATE INDEX sharing_held_part ON sharing_held(part);"                                                        \
	"CREATE TABLE sharing_change (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL) STRICT;"            \
	"CREATE TABLE release (number INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL UNIQUE, state TEXT NOT "  \
	"NULL DEFAULT 'proposed' CHECK "                                                                               \
	"(state IN ('proposed', 'released', 'refused', 'withdrawn')), kind TEXT NOT NULL, subject TEXT NOT NULL, "     \
	"value TEXT NOT NULL, value_kind TEXT NOT NULL, tlp INTEGER NOT NULL, confidence INTEGER NOT NULL, title "     \
	"TEXT NOT NULL, note TEXT NOT NULL, originator INTEGER NOT NULL, anonymous INTEGER NOT NULL, proposer TEXT "   \
	"NOT NULL, proposed INTEGER NOT NULL, releaser TEXT, decided INTEGER, decision_note TEXT, object TEXT, "       \
	"audience TEXT, CHECK (state != 'released' OR proposer != releaser)) STRICT;"                                  \
	"CREATE INDEX release_state ON release(state, number);"                                                        \
	"CREATE TABLE release_group (release INTEGER NOT NULL REFERENCES release(id) ON DELETE CASCADE, grp INTEGER "  \
	"NOT NULL, key TEXT NOT NULL, PRIMARY KEY (release, grp)) STRICT, WITHOUT ROWID;"                              \
	"CREATE INDEX release_group_group ON release_group(grp);"                                                      \
	"CREATE INDEX audit_disclosed ON audit(id) WHERE action = 'disclosed';"

/* Run within a transaction of its own, the registry locked: `body` answers 0 or more to keep what it did. */
int registry_within(struct registry *registry, int (*body)(struct registry *registry, void *context, struct err *err),
		    void *context, struct err *err) must_check;
