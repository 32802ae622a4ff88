/* The normal form of a member: one table of fields says what each takes, who may see it, and in which order they stand.
 *
 * What people write is taken kindly (full-width digits, lists in one text, dates) and becomes one form; what cannot be
 * meant is refused, what is odd is warned of. Remarks are objects: "field", "fault" (else a warning), "message",
 * "message_ja".
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>

enum {
	MEMBER_KEY_BYTES = 64,
	MEMBER_NAME_BYTES_MAX = 300,
	MEMBER_NOTES_BYTES_MAX = 8000,
	MEMBER_PREFIXES_MAX = 50000,
	MEMBER_ITEMS_MAX = 20000, /* of domains, endpoints, AS numbers */
	MEMBER_CONTACTS_MAX = 100,
};

/* Who looks. */
enum member_sight {
	MEMBER_SIGHT_OWN = 1,     /* the member's own people: theirs, and nothing of another */
	MEMBER_SIGHT_VIEWER = 2,  /* no contacts, no notes */
	MEMBER_SIGHT_ANALYST = 4, /* all */
};

/* Fields as given to fields in normal form, only those that were given. 0; 1: refused, remarks say why; -ENOMEM. */
int member_normal(const json_t *given, json_t *remarks, json_t **ret_fields) must_check;
/* All fields in their order: of `fields`, else of `before` (may be NULL), else empty. NULL: out of memory. */
json_t *member_whole(const json_t *fields, const json_t *before);
/* What concerns several fields at once, of a whole member: 0, or 1 with remarks. */
int member_judge(const json_t *whole, json_t *remarks) must_check;
/* From when until (before) when it is valid; INT64_MIN and INT64_MAX where open. */
void member_span(const json_t *member, int64_t *ret_from_ns, int64_t *ret_until_ns);
/* What differs: [{"field", "before", "after"}] or, of a list, [{"field", "added", "removed"}]. Either may be NULL. */
json_t *member_differences(const json_t *before, const json_t *after);
/* A copy with what may be seen. */
json_t *member_seen(const json_t *member, enum member_sight sight);
/* Changes as of registry_member_history(), each with "fields" that differ in place of before and after; those without
 * any are left out. Who of the staff made them is the staff's. */
json_t *member_changes_seen(const json_t *changes, enum member_sight sight);
bool member_field_seen(const char *field, enum member_sight sight);

/* `message` holds %s where `value` is to stand. */
void member_remark(json_t *remarks, const char *field, bool fault, const char *value, const char *message,
		   const char *message_ja);

/* One prefix as people write it. 0; 1 with a remark. A remark without fault may come with 0. */
int member_prefix_take(const char *text, struct prefix *ret_prefix, json_t *remarks) must_check;

/* A text as a machine means it: full-width forms become ASCII, wide and no-break blanks become blanks, what has no
 * width goes, so do blanks at the ends. -EMSGSIZE when it does not fit. */
int member_text_plain(const char *text, char *ret_plain, size_t bytes) must_check;
/* The next item of a list in one text, separated by blanks, line ends, commas or semicolons (also full-width ones);
 * NULL at the end. `plain` is member_text_plain()'s and is cut up. */
char *member_text_item(char **plain);
