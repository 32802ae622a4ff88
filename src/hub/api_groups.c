/* Groups of members that share. What of them an asker may know is share/sharing.h's to say; what one may not know of is
 * answered as what is not there. */
#include "hub/api_sharing.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "store/audit.h"
#include "store/groups.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct audience_reader api_reader(const struct api_call *call)
{
	struct audience_reader reader = {.viewer = {SHARING_NOBODY, call->user.member}, .name = call->user.name};
	if (!call->known)
		return reader;
	reader.viewer.rank = call->role == ROLE_OPERATOR || call->role == ROLE_ADMIN ? SHARING_OPERATOR
			     : call->role == ROLE_ANALYST                            ? SHARING_STAFF
			     : call->role == ROLE_MEMBER                             ? SHARING_MEMBER
										     : SHARING_NOBODY;
	return reader;
}

static int refuse_group(struct api_call *call)
{
	return api_refuse(call, 404, "not_found", "there is no such group", "そのようなグループはありません");
}

/* Participants by name and groups in it, as far as the asker may know of them. */
static void lists_seen(const struct sharing_world *world, const struct sharing_viewer *viewer, const json_t *group,
		       json_t *seen)
{
	json_t *keys = json_array(), *names = json_object(), *groups = json_array(), *key;
	const json_t *ids = json_object_get(group, "member_ids"), *said = json_object_get(group, "member_names"),
		     *parts = json_object_get(group, "group_ids");
	uint32_t id = (uint32_t)json_integer_value(json_object_get(group, "id"));
	size_t i;
	json_array_foreach(json_object_get(group, "members"), i, key)
	{
		uint32_t member = (uint32_t)json_integer_value(json_array_get(ids, i));
		if (viewer->rank != SHARING_OPERATOR && !sharing_knows_participant(world, viewer, id, member))
			continue;
		json_array_append(keys, key);
		json_object_set(names, json_string_value(key), json_array_get(said, i));
	}
	json_array_foreach(json_object_get(group, "groups"), i, key)
	{
		if (sharing_knows_group(world, viewer, (uint32_t)json_integer_value(json_array_get(parts, i))))
			json_array_append(groups, key);
	}
	json_object_set_new(seen, "members", keys);
	json_object_set_new(seen, "names", names);
	json_object_set_new(seen, "groups", groups);
}

/* NULL: the asker knows of no such group. */
static json_t *group_seen(const struct sharing_world *world, const struct sharing_viewer *viewer, const json_t *group)
{
	static const char *const common[] = {"key", "name", "name_en", "purpose", "confidential"},
				 *const staff[] = {"change", "changed", "changed_by"};
	uint32_t id = (uint32_t)json_integer_value(json_object_get(group, "id"));
	if (!sharing_knows_group(world, viewer, id))
		return NULL;
	json_t *seen = json_object();
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		json_object_set(seen, common[i], json_object_get(group, common[i]));
	for (size_t i = 0; i < sizeof staff / sizeof *staff && viewer->rank == SHARING_OPERATOR; i++)
		json_object_set(seen, staff[i], json_object_get(group, staff[i]));
	int most = sharing_most(world, viewer, id);
	char collection[INDICATORS_NAME_BYTES];
	snprintf(collection, sizeof collection, "g.%.50s.%u", json_string_value(json_object_get(group, "key")), id);
	json_object_set_new(seen, "most", most < 0 ? json_null() : json_string(tlp_names[most]));
	json_object_set_new(seen, "collection", most < 0 ? json_null() : json_string(collection));
	json_object_set_new(seen, "takes_part",
			    json_boolean(viewer->rank == SHARING_MEMBER &&
					 sharing_knows_participant(world, viewer, id, viewer->member)));
	lists_seen(world, viewer, group, seen);
	return seen;
}

int api_groups_get(struct api_call *call, struct err *err)
{
	const struct audience_reader reader = api_reader(call);
	const struct sharing_world *world;
	json_t *groups = NULL, *seen = json_array(), *group;
	size_t i;
	int result = registry_groups(call->keeper->registry, &groups, err);
	if (result == 0)
		result = audiences_take(call->keeper->audiences, &world, err);
	if (result == 0) {
		json_array_foreach(groups, i, group)
		{
			json_t *one = group_seen(world, &reader.viewer, group);
			if (one)
				json_array_append_new(seen, one);
		}
		audiences_give(call->keeper->audiences);
	}
	json_decref(groups);
	if (result == 0)
		return api_json(call, 200, json_pack("{s:o}", "groups", seen));
	json_decref(seen);
	return result;
}

static int group_answer(struct api_call *call, unsigned status, struct err *err)
{
	const struct audience_reader reader = api_reader(call);
	const struct sharing_world *world;
	json_t *group = NULL, *seen = NULL;
	int result = registry_group(call->keeper->registry, call->part, &group, err);
	if (result < 0 && result != -ENOENT)
		return result;
	int taken = audiences_take(call->keeper->audiences, &world, err);
	if (taken == 0 && group)
		seen = group_seen(world, &reader.viewer, group);
	if (taken == 0)
		audiences_give(call->keeper->audiences);
	json_decref(group);
	return taken < 0 ? taken : seen ? api_json(call, status, seen) : refuse_group(call);
}

int api_group_get(struct api_call *call, struct err *err)
{
	return group_answer(call, 200, err);
}

/* A group's collection is made with it, holds what is released to it and nothing else, and ends with it: a later group
 * of the same key has another. */
static int collection_make(struct api_call *call, const json_t *group, struct err *err)
{
	struct indicators_collection collection = {.clearance = TLP_RED, .sealed = true};
	snprintf(collection.name, sizeof collection.name, "g.%.50s.%u", call->part,
		 (unsigned)json_integer_value(json_object_get(group, "id")));
	snprintf(collection.title, sizeof collection.title, "%.250s",
		 json_string_value(json_object_get(group, "name")));
	int result = indicators_collection_put(call->keeper->indicators, &collection, clock_now_ns(), err);
	return result < 0 ? result : registry_group_collection(call->keeper->registry, call->part, collection.id, err);
}

/* The audit log says what the group is now: who was let in is what matters later. */
static int change_tell(struct api_call *call, const json_t *group, struct err *err)
{
	json_t *detail = json_pack("{s:O, s:O, s:O}", "confidential", json_object_get(group, "confidential"), "members",
				   json_object_get(group, "members"), "groups", json_object_get(group, "groups"));
	const struct audit_entry entry = {.time_ns = clock_now_ns(),
					  .actor = call->user.name,
					  .peer = call->peer,
					  .action = "group.changed",
					  .subject = call->part,
					  .detail = detail};
	int result = registry_audit(call->keeper->registry, &entry, err);
	json_decref(detail);
	return result;
}

int api_group_put(struct api_call *call, struct err *err)
{
	json_t *body, *group = NULL;
	int made = api_body(call, &body, err);
	if (made < 0)
		return made;
	made = registry_group_put(call->keeper->registry, call->part, body, call->user.name, clock_now_ns(), err);
	json_decref(body);
	if (made < 0)
		return made;
	int result = registry_group(call->keeper->registry, call->part, &group, err);
	if (result == 0)
		result = collection_make(call, group, err);
	if (result == 0)
		result = change_tell(call, group, err);
	json_decref(group);
	return result < 0 ? result : group_answer(call, made ? 201 : 200, err);
}

int api_group_delete(struct api_call *call, struct err *err)
{
	int result = registry_group_delete(call->keeper->registry, call->part, err);
	return result == -ENOENT ? refuse_group(call) : result < 0 ? result : api_empty(call, 204);
}
