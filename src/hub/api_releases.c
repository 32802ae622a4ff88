/* Releases: proposed by one, looked at and decided by another. Reading them and proposing; deciding is in
 * api_releases_decide.c. What of them an asker may see is share/sharing.h's to say. */
#include "hub/api_answer.h"
#include "hub/api_releases.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "store/audit.h"
#include "store/groups.h"
#include "store/members.h"
#include "wire/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_USUAL = 100, GROUPS_OF_A_RELEASE = 64, CONFIDENCE_USUAL = 70 };

_Static_assert((int)VALUE_KINDS == (int)INDICATOR_KINDS, "values and indicators are of the same kinds");

static const char *text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));
	return text ? text : "";
}

static bool is(const json_t *release, const char *name, const char *text)
{
	return strcmp(text_of(release, name), text) == 0;
}

int tlp_read(const char *name, enum tlp *ret_tlp, struct err *err)
{
	for (int tlp = TLP_CLEAR; tlp < TLPS; tlp++)
		if (strcmp(tlp_names[tlp], name) == 0) {
			*ret_tlp = (enum tlp)tlp;
			return 0;
		}
	return err_set(err, -EINVAL, "tlp: '%.32s' was given, clear, green, amber, amber+strict or red was expected",
		       name);
}

/* --- what is seen --------------------------------------------------------------------------------------------------
 */

struct sight {
	bool sees, originator, own; /* own: the asker's proposal, or of the asker's member */
	bool decides, staff;
	json_t *groups; /* keys of those the asker knows of */
};

static struct sight sight_of(const struct api_call *call, const struct sharing_world *world, const json_t *release)
{
	const struct audience_reader reader = api_reader(call);
	const json_t *ids = json_object_get(release, "group_ids"), *keys = json_object_get(release, "groups");
	uint32_t groups[GROUPS_OF_A_RELEASE];
	struct sharing_object object = {.tlp = TLP_RED,
					.originator =
						(uint32_t)json_integer_value(json_object_get(release, "originator")),
					.anonymous = json_is_true(json_object_get(release, "anonymous")),
					.groups = groups};
	struct sight sight = {.decides = reader.viewer.rank == SHARING_OPERATOR,
			      .staff = reader.viewer.rank == SHARING_STAFF,
			      .groups = json_array()};
	if (tlp_read(text_of(release, "tlp"), &object.tlp, NULL) < 0)
		object.tlp = TLP_RED;
	for (size_t i = 0; i < json_array_size(ids) && i < GROUPS_OF_A_RELEASE; i++) {
		groups[i] = (uint32_t)json_integer_value(json_array_get(ids, i));
		if (sharing_knows_group(world, &reader.viewer, groups[i]))
			json_array_append(sight.groups, json_array_get(keys, i));
	}
	object.group_count = json_array_size(ids) < GROUPS_OF_A_RELEASE ? json_array_size(ids) : GROUPS_OF_A_RELEASE;
	sight.own =
		call->user.member ? call->user.member == object.originator : is(release, "proposer", call->user.name);
	sight.sees = sight.decides || sight.own ||
		     (is(release, "state", "released") && sharing_sees(world, &reader.viewer, &object));
	sight.originator = sharing_knows_originator(world, &reader.viewer, &object) && sight.sees;
	return sight;
}

/* A copy with what the asker may see; NULL: nothing. A proposer who speaks for a member tells whose it is, so its name
 * is for those who may know that. */
static json_t *release_seen(struct api_call *call, const struct sharing_world *world, const json_t *release)
{
	static const char *const common[] = {"id",       "state",      "kind",  "value",  "value_kind",
					     "tlp",      "confidence", "title", "object", "anonymous",
					     "proposed", "decided",    NULL};
	struct sight sight = sight_of(call, world, release);
	if (!sight.sees) {
		json_decref(sight.groups);
		return NULL;
	}
	json_t *seen = json_object();
	for (size_t i = 0; common[i]; i++)
		json_object_set(seen, common[i], json_object_get(release, common[i]));
	json_object_set_new(seen, "groups", sight.groups);
	json_object_set_new(seen, "own", json_boolean(sight.own));
	json_object_set(seen, "originator", sight.originator ? json_object_get(release, "originator") : json_null());
	if (sight.decides || sight.own) {
		json_object_set(seen, "note", json_object_get(release, "note"));
		json_object_set(seen, "decision_note", json_object_get(release, "decision_note"));
		json_object_set(seen, "subject", json_object_get(release, "subject"));
	}
	if (sight.decides || sight.own || (sight.staff && !json_integer_value(json_object_get(release, "originator"))))
		json_object_set(seen, "proposer", json_object_get(release, "proposer"));
	if (sight.decides) {
		json_object_set(seen, "releaser", json_object_get(release, "releaser"));
		json_object_set(seen, "audience", json_object_get(release, "audience"));
	}
	return seen;
}

/* The originator by name; the numbers of members are the registry's. */
static int originator_name(struct api_call *call, json_t *seen, struct err *err)
{
	json_int_t id = json_integer_value(json_object_get(seen, "originator"));
	json_t *brief = NULL;
	int result = id ? registry_member_brief(call->keeper->registry, (uint32_t)id, &brief, err) : -ENOENT;
	json_object_set_new(seen, "originator",
			    result == 0 ? json_pack("{s:O, s:O}", "key", json_object_get(brief, "key"), "name",
						    json_object_get(brief, "name"))
					: json_null());
	json_decref(brief);
	return result == -ENOENT ? 0 : result;
}

int api_releases_get(struct api_call *call, struct err *err)
{
	char state[16], text[32];
	const struct sharing_world *world;
	json_t *releases = NULL, *seen = json_array(), *release, *one;
	const char *before = api_argument(call, "before", text, sizeof text);
	unsigned limit = api_argument_number(call, "limit", LIST_USUAL, RELEASES_PAGE_MAX);
	size_t i;
	int result = registry_releases(call->keeper->registry, api_argument(call, "state", state, sizeof state),
				       before ? strtoll(before, NULL, 10) : 0, limit, &releases, err);
	if (result == 0)
		result = audiences_take(call->keeper->audiences, &world, err);
	if (result == 0) {
		json_array_foreach(releases, i, release)
		{
			if ((one = release_seen(call, world, release)))
				json_array_append_new(seen, one);
		}
		audiences_give(call->keeper->audiences);
	}
	json_decref(releases);
	json_array_foreach(seen, i, one)
	{
		if (result == 0)
			result = originator_name(call, one, err);
	}
	if (result == 0)
		return api_json(call, 200, json_pack("{s:o}", "releases", seen));
	json_decref(seen);
	return result;
}

int release_answer(struct api_call *call, unsigned status, int64_t id, struct err *err)
{
	const struct sharing_world *world;
	json_t *release = NULL, *seen = NULL, *preview = NULL;
	int found = registry_release(call->keeper->registry, id, &release, err);
	if (found < 0 && found != -ENOENT)
		return found;
	int result = audiences_take(call->keeper->audiences, &world, err);
	if (result == 0 && release)
		seen = release_seen(call, world, release);
	if (result == 0)
		audiences_give(call->keeper->audiences);
	if (result == 0 && !seen) {
		json_decref(release);
		return api_refuse(call, 404, "not_found", "there is no such release", "そのような公開はありません");
	}
	if (result == 0)
		result = originator_name(call, seen, err);
	if (result == 0 && api_reader(call).viewer.rank == SHARING_OPERATOR && is(release, "state", "proposed"))
		result = release_preview(call, release, &preview, err);
	if (preview)
		json_object_set_new(seen, "preview", preview);
	json_decref(release);
	if (result == 0)
		return api_json(call, status, seen);
	json_decref(seen);
	return result;
}

int api_release_get(struct api_call *call, struct err *err)
{
	return release_answer(call, 200, strtoll(call->part, NULL, 10), err);
}

/* --- proposing -----------------------------------------------------------------------------------------------------
 */

struct proposing {
	struct release_proposal proposal;
	char value[VALUE_BYTES_MAX + 1];
	const char *groups[GROUPS_OF_A_RELEASE];
	json_t *body, *found; /* what texts are borrowed from */
};

/* A value as people write it. */
static int value_take(struct proposing *proposing, const char *text, struct err *err)
{
	enum value_kind kind;
	size_t bytes;
	int result = value_guess(text, strlen(text), &kind, proposing->value, &bytes, err);
	if (result != 0)
		return result < 0 ? result : -EINVAL;
	proposing->proposal.value = proposing->value;
	proposing->proposal.value_kind = indicator_kind_names[kind];
	return 0;
}

static int indicator_take(struct api_call *call, struct proposing *proposing, const char *id, struct err *err)
{
	char *text = NULL;
	enum tlp tlp;
	if (call->role == ROLE_MEMBER)
		return err_set(err, -EINVAL, "a value was expected");
	int result = indicators_object_text(call->keeper->indicators, id, &text, &tlp, err);
	if (result < 0)
		return result;
	proposing->found = json_loads(text, 0, NULL);
	free(text);
	const char *name = text_of(proposing->found, "name");
	proposing->proposal.kind = "indicator";
	proposing->proposal.subject = id;
	proposing->proposal.value = name[0] ? name : id;
	proposing->proposal.value_kind = "other";
	proposing->proposal.tlp = (int)tlp;
	return 0;
}

static int finding_take(struct api_call *call, struct proposing *proposing, const char *id, struct err *err)
{
	int result = finding_ask(call, "id", id, 1, &proposing->found, err);
	const json_t *finding = json_array_get(proposing->found, 0);
	if (result == 0 && !finding)
		return err_set(err, -ENOENT, "there is no finding '%.64s'", id);
	proposing->proposal.kind = "finding";
	proposing->proposal.subject = id;
	return result == 0 ? value_take(proposing, text_of(finding, "subject"), err) : result;
}

static int subject_take(struct api_call *call, struct proposing *proposing, struct err *err)
{
	const char *value = text_of(proposing->body, "value"), *finding = text_of(proposing->body, "finding"),
		   *indicator = text_of(proposing->body, "indicator");
	if (!!value[0] + !!finding[0] + !!indicator[0] != 1)
		return err_set(err, -EINVAL, "one of value, finding or indicator was expected");
	if (indicator[0])
		return indicator_take(call, proposing, indicator, err);
	const char *given = text_of(proposing->body, "tlp");
	enum tlp tlp = TLP_AMBER;
	int result = given[0] ? tlp_read(given, &tlp, err) : 0;
	proposing->proposal.tlp = (int)tlp;
	if (result < 0)
		return result;
	if (finding[0])
		return finding_take(call, proposing, finding, err);
	result = value_take(proposing, value, err);
	proposing->proposal.kind = "value";
	proposing->proposal.subject = proposing->value;
	return result;
}

/* Only groups of which the asker knows; any other is one that is not there. */
static int groups_take(struct api_call *call, struct proposing *proposing, struct err *err)
{
	const struct audience_reader reader = api_reader(call);
	const json_t *keys = json_object_get(proposing->body, "groups");
	size_t count = json_array_size(keys);
	if (count == 0 || count > GROUPS_OF_A_RELEASE)
		return err_set(err, -EINVAL, "groups: 1 to %d keys of groups were expected", GROUPS_OF_A_RELEASE);
	for (size_t i = 0; i < count; i++) {
		const char *key = json_string_value(json_array_get(keys, i));
		const struct sharing_world *world;
		json_t *group = NULL;
		int result = key ? registry_group(call->keeper->registry, key, &group, err) : -ENOENT;
		if (result < 0 && result != -ENOENT)
			return result;
		uint32_t id = (uint32_t)json_integer_value(json_object_get(group, "id"));
		json_decref(group);
		result = audiences_take(call->keeper->audiences, &world, err);
		if (result < 0)
			return result;
		bool known = sharing_knows_group(world, &reader.viewer, id);
		audiences_give(call->keeper->audiences);
		if (!known)
			return err_set(err, -ENOENT, "there is no group '%.64s'", key ? key : "");
		proposing->groups[i] = key;
	}
	proposing->proposal.groups = proposing->groups;
	proposing->proposal.group_count = count;
	return 0;
}

static int words_take(struct api_call *call, struct proposing *proposing, struct err *err)
{
	struct release_proposal *proposal = &proposing->proposal;
	const json_t *confidence = json_object_get(proposing->body, "confidence");
	const char *originator = text_of(proposing->body, "originator");
	proposal->title = text_of(proposing->body, "title");
	proposal->note = text_of(proposing->body, "note");
	proposal->anonymous = json_is_true(json_object_get(proposing->body, "anonymous"));
	proposal->confidence = confidence ? (int)json_integer_value(confidence) : CONFIDENCE_USUAL;
	if (proposal->confidence < 0 || proposal->confidence > 100)
		return err_set(err, -EINVAL, "confidence: 0 to 100 was expected");
	if (strlen(proposal->title) > RELEASE_TITLE_BYTES_MAX || strlen(proposal->note) > RELEASE_NOTE_BYTES_MAX)
		return err_set(err, -EINVAL, "title or note: it is too long");
	if (call->role == ROLE_MEMBER)
		proposal->originator = call->user.member;
	else if (originator[0])
		return registry_member_find(call->keeper->registry, originator, &proposal->originator, err);
	return 0;
}

int api_releases_post(struct api_call *call, struct err *err)
{
	struct proposing *proposing = calloc(1, sizeof *proposing);
	int64_t id = 0;
	if (!proposing)
		return -ENOMEM;
	proposing->proposal.proposer = call->user.name;
	proposing->proposal.now_ns = clock_now_ns();
	int result = api_body(call, &proposing->body, err);
	if (result == 0)
		result = subject_take(call, proposing, err);
	if (result == 0)
		result = groups_take(call, proposing, err);
	if (result == 0)
		result = words_take(call, proposing, err);
	if (result == 0)
		result = registry_release_add(call->keeper->registry, &proposing->proposal, &id, err);
	json_decref(proposing->found);
	json_decref(proposing->body);
	free(proposing);
	return result < 0 ? result : release_answer(call, 201, id, err);
}

/* --- receipts ------------------------------------------------------------------------------------------------------
 */

/* Operators see all of them, others those of what they were given themselves; these without numbers that would tell how
 * much else there is. */
int api_receipts_get(struct api_call *call, struct err *err)
{
	char text[32];
	bool all = api_reader(call).viewer.rank == SHARING_OPERATOR;
	const char *before = all ? api_argument(call, "before", text, sizeof text) : NULL;
	json_t *entries = NULL, *entry;
	size_t i;
	int result = registry_audit_disclosures(
		call->keeper->registry, before ? strtoll(before, NULL, 10) : 0,
		api_argument_number(call, "limit", LIST_USUAL, RELEASES_PAGE_MAX),
		all ? api_argument_number(call, "member", 0, UINT32_MAX) : call->user.member, &entries, err);
	if (result < 0)
		return result;
	json_array_foreach(entries, i, entry)
	{
		json_t *brief = NULL;
		json_int_t member = json_integer_value(json_object_get(entry, "member"));
		if (member && registry_member_brief(call->keeper->registry, (uint32_t)member, &brief, NULL) == 0)
			json_object_set(entry, "name", json_object_get(brief, "name"));
		json_decref(brief);
		if (all)
			continue;
		json_object_del(entry, "id");
		json_object_del(entry, "hash");
		json_object_del(entry, "peer");
	}
	return api_json(call, 200, json_pack("{s:o}", "receipts", entries));
}
