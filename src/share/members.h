/* Members to and from files: CSV as spreadsheets write it, JSON. What is exported and imported again is the same. */
#pragma once

#include "store/members.h"

#include <stddef.h>

enum members_format { MEMBERS_CSV, MEMBERS_JSON };

/* Entries for registry_members_change(), from CSV or JSON (an array of members, or one after the other), told apart by
 * their beginning. What cannot be read becomes an entry with "faults". -ENOMEM.
 *
 * CSV: the first line names columns (the fields of member_form.h, or their Japanese names); prefixes, asns, domains and
 * endpoints hold many, separated by blanks; a contact is in contact_role, contact_language, contact_name, contact_mail,
 * contact_phone and contact_webhook. Further rows of the same key, whose other cells are empty or equal, add to lists
 * and contacts. A column that is absent leaves its field as it is; an empty cell empties it. */
int members_read(const void *data, size_t bytes, json_t **ret_entries, struct err *err) must_check;

/* All members, to be freed. `bom`: CSV begins with a byte order mark, by which Excel knows UTF-8. */
int members_write(struct registry *registry, enum members_format format, bool bom, char **ret_text, size_t *ret_bytes,
		  struct err *err) must_check;
