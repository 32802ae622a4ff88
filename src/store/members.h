/* Those concerned: organisations and groups, what is theirs, whom to tell, what they may be shown. Part of the
 * registry.
 *
 * A member is a JSON object in one normal form (member_form.h), so that what is equal is byte for byte equal; its
 * prefixes lie in an index beside it. Every change is kept: who, when, before, after. A member has a key that people
 * choose and that never changes, and a number that is never given again. Functions are thread-safe; instants are ns.
 */
#pragma once

#include "core/addr.h"
#include "store/registry.h"

enum {
	MEMBERS_MAX = 200000,
	MEMBERS_PAGE_MAX = 1000,
	MEMBERS_REPORT_MAX = 1000, /* of changes, faults, warnings and ties that a report spells out; it counts all */
};

struct member_prefix {
	struct prefix prefix;
	uint32_t member;
};

/* Prefixes of members that are valid at `now_ns`, sorted by address, then length, then member; an equal prefix of two
 * members stands there twice. *ret_prefixes is the caller's to free(). The version changes with every change of any
 * member, and when one becomes valid or ends to be. */
int registry_member_prefixes(struct registry *registry, int64_t now_ns, struct member_prefix **ret_prefixes,
			     size_t *ret_count, uint64_t *ret_version, struct err *err) must_check;
/* The version now: cheap, to be asked often. */
int registry_members_version(struct registry *registry, uint64_t *ret_version, struct err *err) must_check;

/* The member with its "id", "change" (number of its last change) and "changed". -ENOENT. */
int registry_member(struct registry *registry, uint32_t id, json_t **ret_member, struct err *err) must_check;
/* By its number in digits, or its key. -ENOENT. */
int registry_member_find(struct registry *registry, const char *text, uint32_t *ret_id, struct err *err) must_check;

/* Changes, all or none. `entries` is an array of {"line": n, "member": {...}}: fields of a member as people write them.
 * Fields that are absent stay as they are; "remove": true removes the member that "key" names. */
struct members_change {
	const char *who;
	int64_t now_ns;
	bool whole;         /* absent fields are emptied */
	bool remove_absent; /* members that no entry names are removed */
	bool skip_bad;      /* entries with faults are left out and the rest is done */
	bool dry_run;       /* everything is done and then undone */
};
/* 0: done, or would be. 1: there are faults, nothing was done. The report tells either way: counts "added", "changed",
 * "removed", "same", "bad"; "changes" with before and after of each field; "faults" and "warnings" with line, key,
 * field and message; "ties": prefixes that several members hold; "applied". */
int registry_members_change(struct registry *registry, const json_t *entries, const struct members_change *how,
			    json_t **ret_report, struct err *err) must_check;

/* A page of members by key. */
struct members_question {
	const char *text;   /* in key, names, domains, endpoints, AS numbers; or an address or prefix. NULL: any */
	const char *kind;   /* NULL: any */
	const char *parent; /* key; NULL: any */
	uint32_t only;      /* this member and no other; 0: any */
	int valid;          /* 1: at now_ns, 0: not at now_ns, -1: any */
	int64_t now_ns;
	unsigned limit, offset;
};
/* {"members": [...], "total": n}; members as of registry_member(). */
int registry_members(struct registry *registry, const struct members_question *question, json_t **ret_answer,
		     struct err *err) must_check;

/* Whose is the address at `now_ns`: {"members": [{"prefix", "id", "key", "name"}...] of the most specific prefix, more
 * than one where they tie; "wider": the same of the wider prefixes, narrow ones first}. */
int registry_member_whose(struct registry *registry, const struct addr *addr, int64_t now_ns, json_t **ret_answer,
			  struct err *err) must_check;

/* Changes of a member (0: of all), newest first: number, time, who, action, key, member, before, after. `before`: only
 * those with a lower number; 0: from the newest. */
int registry_member_history(struct registry *registry, uint32_t id, int64_t before, unsigned limit,
			    json_t **ret_changes, struct err *err) must_check;

/* Number and kind of every member. A negative answer of `each` ends it and is returned. The registry must not be asked
 * from within. */
int registry_member_kinds(struct registry *registry, int (*each)(void *context, uint32_t id, const char *kind),
			  void *context, struct err *err) must_check;

/* Every member by key, without what only this registry knows of it: what an export holds. A non-zero answer of `each`
 * ends it and is returned. The registry must not be asked from within. */
int registry_members_each(struct registry *registry, int (*each)(void *context, const json_t *member), void *context,
			  struct err *err) must_check;
