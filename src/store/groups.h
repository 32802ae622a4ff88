/* Groups of members that share, and what is released to them. Part of the registry; who may see what of it is judged
 * elsewhere (share/sharing.h).
 *
 * A group has participants (members) and may hold other groups; a group that would come to lie in itself is refused. A
 * release is proposed by one and decided by another (four eyes); the table itself refuses anything else. Functions are
 * thread-safe; instants are ns.
 */
#pragma once

#include "store/registry.h"

enum {
	GROUPS_MAX = 1024,
	GROUP_KEY_BYTES = 64,
	GROUP_KEY_LETTERS_MAX = 50,
	GROUP_NAME_BYTES_MAX = 300,
	GROUP_PURPOSE_BYTES_MAX = 4000,
	RELEASES_PAGE_MAX = 500,
	RELEASE_TITLE_BYTES_MAX = 300,
	RELEASE_NOTE_BYTES_MAX = 4000,
};

/* A group is an object: "id", "key", "name", "name_en", "purpose", "confidential", "members" (keys), "groups" (keys of
 * those in it), "member_ids", "member_names" and "group_ids" in the same order, "collection" (number in the store of
 * indicators), "change", "changed", "changed_by". -ENOENT. */
int registry_group(struct registry *registry, const char *key, json_t **ret_group, struct err *err) must_check;
/* All of them by key. */
int registry_groups(struct registry *registry, json_t **ret_array, struct err *err) must_check;

/* Make the group `key` or change it as a whole: fields that are absent are emptied. With "change", it must still be at
 * that change. 0 changed, 1 made; -EINVAL with a sentence: a member or group that is not there, a circle, too long. */
int registry_group_put(struct registry *registry, const char *key, const json_t *group, const char *who, int64_t now_ns,
		       struct err *err) must_check;
int registry_group_collection(struct registry *registry, const char *key, int64_t collection,
			      struct err *err) must_check;
/* -ENOENT; -EPERM: another group holds it, or a release to it waits. */
int registry_group_delete(struct registry *registry, const char *key, struct err *err) must_check;

/* Everything that decisions rest on, of members valid at now_ns. Numbers rise; ties are by group, then member. */
struct groups_world {
	struct groups_member {
		uint32_t id, parent;
		uint8_t clearance; /* enum tlp */
	} * members;
	struct groups_group {
		uint32_t id;
		bool confidential;
		int64_t collection;
	} * groups;
	struct groups_tie {
		uint32_t group, of;
	} * named, *held; /* members, groups */
	size_t member_count, group_count, named_count, held_count;
	uint64_t version;
};
int registry_groups_world(struct registry *registry, int64_t now_ns, struct groups_world *ret_world,
			  struct err *err) must_check;
void groups_world_done(struct groups_world *world);
/* Changes with every change of a group or member, and when a member's validity begins or ends: cheap, asked often. */
int registry_groups_version(struct registry *registry, int64_t now_ns, uint64_t *ret_version,
			    struct err *err) must_check;
/* Key, name and sector of a member: the sector is the nearest of kind sector among itself, its parents and to whom it
 * reports; else its own kind. {"id", "key", "name", "kind", "sector", "sector_name"}. -ENOENT. */
int registry_member_brief(struct registry *registry, uint32_t id, json_t **ret_brief, struct err *err) must_check;

struct release_proposal {
	const char *kind;       /* "indicator", "finding", "value" */
	const char *subject;    /* id of the indicator or finding; the value */
	const char *value;      /* what is shared, for people */
	const char *value_kind; /* of indicator_kind_names */
	int tlp;                /* enum tlp */
	int confidence;
	const char *title, *note;
	uint32_t originator; /* member; 0: none */
	bool anonymous;
	const char *proposer;
	const char *const *groups; /* keys */
	size_t group_count;
	int64_t now_ns;
};
/* -ENOENT: there is no such group; *ret_id is its number else. */
int registry_release_add(struct registry *registry, const struct release_proposal *proposal, int64_t *ret_id,
			 struct err *err) must_check;
/* The id is drawn by lot, so that it tells nobody how many others there are.
 * {"id", "state", "kind", "subject", "value", "value_kind", "tlp", "confidence", "title", "note", "originator"
 * (number), "anonymous", "proposer", "proposed", "releaser", "decided", "decision_note", "object", "audience", "groups"
 * (keys), "group_ids"}; -ENOENT. */
int registry_release(struct registry *registry, int64_t id, json_t **ret_release, struct err *err) must_check;
/* Newest first; state NULL: any; before 0: from the newest. */
int registry_releases(struct registry *registry, const char *state, int64_t before, unsigned limit, json_t **ret_array,
		      struct err *err) must_check;

struct release_decision {
	int64_t id;
	const char *state; /* "released", "refused", "withdrawn" */
	const char *who, *note;
	const json_t *audience; /* whom it reached; NULL: stays */
	int64_t now_ns;
};
/* proposed -> released or refused or withdrawn, released -> withdrawn. -EPERM: it is in another state, or who proposed
 * it would release it. -ENOENT. */
int registry_release_decide(struct registry *registry, const struct release_decision *decision,
			    struct err *err) must_check;
/* That what was decided is done: the id of the STIX object that was put onto shelves. */
int registry_release_done(struct registry *registry, int64_t id, const char *object, struct err *err) must_check;
