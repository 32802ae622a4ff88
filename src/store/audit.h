/* The audit log: every change, and every look at a member's data. A table of the registry that is only ever added to.
 *
 * Each entry carries a hash (BLAKE2b-256, libsodium) over the hash of the entry before and its own words, so whoever
 * changes, removes or slips in an entry has to write every later one anew, and the last hash (the head) changes. A head
 * that was noted elsewhere (printed, mailed, in another system) therefore proves all that came before it; that entries
 * were cut off at the end shows only against such a note. (Schneier, Kelsey, "Secure Audit Logs to Support Computer
 * Forensics", 1999.)
 */
#pragma once

#include "store/registry.h"

enum { AUDIT_HASH_TEXT_BYTES = 65 }; /* hexadecimal, and a zero */

struct audit_entry {
	int64_t time_ns;
	const char *actor;    /* user, token, or what of the system acted */
	const char *peer;     /* where from, "" where that says nothing */
	const char *action;   /* "PUT /users/{name}", "notice.sent" ... */
	const char *subject;  /* what it was done to */
	int64_t member;       /* whose data it was; 0: nobody's */
	const json_t *detail; /* object, or NULL */
};

struct audit_state {
	int64_t entries, broken; /* broken: the first entry that is not what it was, 0: none */
	char head[AUDIT_HASH_TEXT_BYTES];
	char reason[96]; /* of broken */
};

int registry_audit(struct registry *, const struct audit_entry *entry, struct err *err) must_check;

/* Of what sort an entry is: a call that changed something, one that looked at a member's data, one that was refused
 * (the attempt and the refusal are an entry each), or what the system did by itself. */
enum audit_sort { AUDIT_ALL, AUDIT_CHANGES, AUDIT_LOOKS, AUDIT_REFUSED, AUDIT_SYSTEM, AUDIT_SORTS };
extern const char *const audit_sort_names[]; /* NULL-terminated */

/* What is wanted of the log. 0 and NULL ask for everything, but for the limit. */
struct audit_question {
	int64_t before, member;               /* entries before this number; of this member's data */
	int64_t from_ns, to_ns;               /* [from, to) */
	const char *actor, *action, *subject; /* whole, in capitals or not; * stands for anything, ? for a letter */
	enum audit_sort sort;
	unsigned limit;
};

/* Newest first: id, time, actor, peer, action, subject, member, detail, hash, undone (an attempt that was refused). */
int registry_audit_list(struct registry *, const struct audit_question *, json_t **ret_array,
			struct err *err) must_check;

/* Disclosures alone (action AUDIT_DISCLOSED), before `before` (0: from the last one), of a member when not 0. */
#define AUDIT_DISCLOSED "disclosed"
int registry_audit_disclosures(struct registry *, int64_t before, unsigned limit, int64_t member, json_t **ret_array,
			       struct err *err) must_check;

/* Looks at a member's data through the API: at its own, and exports of all members (AUDIT_EXPORTED, of nobody's). */
#define AUDIT_EXPORTED "GET /members/export"
int registry_audit_looks(struct registry *, int64_t before, unsigned limit, int64_t member, json_t **ret_array,
			 struct err *err) must_check;

/* Compute every hash anew. 0 sound, 1 broken (see the state). */
int registry_audit_verify(struct registry *, struct audit_state *ret_state, struct err *err) must_check;

/* {entries, head, sound, broken, reason, noted}: for the API and the command line. `noted` is a head that somebody
 * kept, or NULL, and `found` what registry_audit_find() says of it. */
json_t *audit_state_json(const struct audit_state *state, const char *noted, int64_t found);

/* Whether the log has an entry with this hash, in hexadecimal: its number, or 0. */
int registry_audit_find(struct registry *, const char *hash, int64_t *ret_id, struct err *err) must_check;
