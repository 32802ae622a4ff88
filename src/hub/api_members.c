/* Members: who is concerned, what is theirs. Lists leave contacts and notes out; whoever looks at one member's data,
 * and is not one of its people, is written down (audit_look). Who sees which field stands in store/member_form.c.
 */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/api_audit.h"
#include "hub/keeper.h"
#include "share/members.h"
#include "store/member_form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_USUAL = 100, HISTORY_USUAL = 50 };

static enum member_sight sight_of(const struct api_call *call)
{
	return call->role == ROLE_MEMBER         ? MEMBER_SIGHT_OWN
	       : 1U << call->role & API_ANALYSTS ? MEMBER_SIGHT_ANALYST
						 : MEMBER_SIGHT_VIEWER;
}

static int look(struct api_call *call, uint32_t member, struct err *err)
{
	return call->role == ROLE_MEMBER ? 0 : audit_look(call, member, err);
}

/* Every member of the list as a viewer may see it, whoever asks: what is more is asked for one by one. */
static json_t *list_seen(const struct api_call *call, const json_t *members)
{
	json_t *seen = json_array(), *member;
	size_t i;
	json_array_foreach(members, i, member)
	{
		enum member_sight sight = call->role == ROLE_MEMBER ? MEMBER_SIGHT_OWN : MEMBER_SIGHT_VIEWER;
		json_array_append_new(seen, member_seen(member, sight));
	}
	return seen;
}

int api_members_get(struct api_call *call, struct err *err)
{
	char text[256], kind[32], parent[MEMBER_KEY_BYTES], valid[8];
	json_t *answer = NULL;
	const char *given = api_argument(call, "valid", valid, sizeof valid);
	const struct members_question question = {
		.text = api_argument(call, "text", text, sizeof text),
		.kind = api_argument(call, "kind", kind, sizeof kind),
		.parent = api_argument(call, "parent", parent, sizeof parent),
		.only = call->role == ROLE_MEMBER ? call->user.member : 0,
		.valid = !given || !given[0] ? -1 : strcmp(given, "1") == 0,
		.now_ns = clock_now_ns(),
		.limit = api_argument_number(call, "limit", LIST_USUAL, MEMBERS_PAGE_MAX),
		.offset = api_argument_number(call, "offset", 0, MEMBERS_MAX)};
	int result = registry_members(call->keeper->registry, &question, &answer, err);
	if (result < 0)
		return result;
	json_object_set_new(answer, "members", list_seen(call, json_object_get(answer, "members")));
	return api_json(call, 200, answer);
}

static int part_find(struct api_call *call, uint32_t *ret_id, struct err *err)
{
	return registry_member_find(call->keeper->registry, call->part, ret_id, err);
}

static int member_answer(struct api_call *call, unsigned status, uint32_t id, struct err *err)
{
	json_t *member = NULL;
	int result = registry_member(call->keeper->registry, id, &member, err);
	if (result < 0)
		return result;
	json_t *seen = member_seen(member, sight_of(call));
	json_decref(member);
	return api_json(call, status, seen);
}

int api_member_get(struct api_call *call, struct err *err)
{
	uint32_t id = 0;
	int result = part_find(call, &id, err);
	if (result == 0)
		result = look(call, id, err);
	return result < 0 ? result : member_answer(call, 200, id, err);
}

int api_member_history(struct api_call *call, struct err *err)
{
	json_t *changes = NULL;
	uint32_t id = 0;
	int64_t before = api_argument_number(call, "before", 0, UINT32_MAX);
	int result = part_find(call, &id, err);
	if (result == -ENOENT && strspn(call->part, "0123456789") == strlen(call->part)) {
		id = (uint32_t)strtoul(call->part, NULL, 10); /* one that was removed: only its number is left */
		result = 0;
	}
	if (result == 0)
		result = look(call, id, err);
	if (result == 0)
		result = registry_member_history(call->keeper->registry, id, before,
						 api_argument_number(call, "limit", HISTORY_USUAL, MEMBERS_PAGE_MAX),
						 &changes, err);
	if (result < 0)
		return result;
	json_t *seen = member_changes_seen(changes, sight_of(call));
	json_decref(changes);
	return api_json(call, 200, json_pack("{s:o}", "changes", seen));
}

int api_members_whose(struct api_call *call, struct err *err)
{
	char text[ADDR_TEXT_BYTES + 16] = "";
	struct addr addr;
	int64_t at_ns;
	json_t *answer = NULL;
	(void)api_argument(call, "address", text, sizeof text);
	int result = addr_parse(text, &addr, err);
	if (result == 0)
		result = api_argument_time(call, "at", "now", &at_ns, err);
	if (result == 0)
		result = registry_member_whose(call->keeper->registry, &addr, at_ns, &answer, err);
	return result < 0 ? result : api_json(call, 200, answer);
}

/* A report with faults is an error that says the first one, with the report behind it. */
static int report_answer(struct api_call *call, int result, json_t *report)
{
	const json_t *first = json_array_get(json_object_get(report, "faults"), 0);
	if (result == 0 || !first)
		return api_json(call, 200, report);
	return api_json(call, 400,
			json_pack("{s:{s:s, s:O, s:O}, s:o}", "error", "code", "invalid", "message",
				  json_object_get(first, "message"), "message_ja", json_object_get(first, "message_ja"),
				  "report", report));
}

int api_members_import(struct api_call *call, struct err *err)
{
	const struct members_change how = {.who = call->user.name,
					   .now_ns = clock_now_ns(),
					   .remove_absent = api_argument_flag(call, "remove_absent"),
					   .skip_bad = api_argument_flag(call, "skip_bad"),
					   .dry_run = api_argument_flag(call, "dry_run")};
	json_t *entries = NULL, *report = NULL;
	int result = members_read(call->body, call->body_bytes, &entries, err);
	if (result < 0)
		return result;
	result = registry_members_change(call->keeper->registry, entries, &how, &report, err);
	json_decref(entries);
	return result < 0 ? result : report_answer(call, how.dry_run ? 0 : result, report);
}

int api_members_export(struct api_call *call, struct err *err)
{
	char format[16], *text = NULL;
	size_t bytes = 0;
	const char *given = api_argument(call, "format", format, sizeof format);
	bool json = given && strcmp(given, "json") == 0;
	if (given && !json && strcmp(given, "csv") != 0)
		return err_set(err, -EINVAL, "format: csv or json was expected");
	int result = audit_look(call, 0, err);
	if (result == 0)
		result = members_write(call->keeper->registry, json ? MEMBERS_JSON : MEMBERS_CSV,
				       api_argument_flag(call, "bom"), &text, &bytes, err);
	if (result < 0)
		return result;
	result = api_begin(call, 200, json ? "application/json" : "text/csv; charset=utf-8",
			   json ? "attachment; filename=\"members.json\"" : "attachment; filename=\"members.csv\"");
	if (result == 0)
		result = api_add(call, text, bytes);
	free(text);
	return result < 0 ? result : api_end(call);
}

/* One entry about the member of the path: 0 done, 1 answered for. */
static int member_change(struct api_call *call, json_t *entry, json_t **ret_report, struct err *err)
{
	const struct members_change how = {.who = call->user.name, .now_ns = clock_now_ns(), .whole = true};
	json_t *entries = json_pack("[o]", entry), *report = NULL;
	int result = entries ? registry_members_change(call->keeper->registry, entries, &how, &report, err) : -ENOMEM;
	json_decref(entries);
	if (result == 0)
		*ret_report = report;
	if (result != 1)
		return result;
	result = report_answer(call, 1, report);
	return result < 0 ? result : 1;
}

int api_member_put(struct api_call *call, struct err *err)
{
	json_t *body, *report = NULL, *there = NULL;
	uint32_t id = 0;
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	result = part_find(call, &id, err);
	bool made = result == -ENOENT && strspn(call->part, "0123456789") != strlen(call->part);
	if (result == 0)
		result = registry_member(call->keeper->registry, id, &there, err);
	if (result < 0 && !made) {
		json_decref(body);
		return result;
	}
	if (made)
		json_object_set_new(body, "key", json_string(call->part));
	else
		json_object_set(body, "key", json_object_get(there, "key"));
	json_decref(there);
	result = member_change(call, json_pack("{s:o}", "member", body), &report, err);
	if (result != 0)
		return result < 0 ? result : 0;
	json_decref(report);
	result = part_find(call, &id, err);
	return result < 0 ? result : member_answer(call, made ? 201 : 200, id, err);
}

int api_member_delete(struct api_call *call, struct err *err)
{
	json_t *there = NULL, *report = NULL;
	uint32_t id = 0;
	int result = part_find(call, &id, err);
	if (result == 0)
		result = registry_member(call->keeper->registry, id, &there, err);
	if (result < 0)
		return result;
	result = member_change(call,
			       json_pack("{s:b, s:{s:O}}", "remove", 1, "member", "key", json_object_get(there, "key")),
			       &report, err);
	json_decref(there);
	json_decref(report);
	return result < 0 ? result : result == 1 ? 0 : api_empty(call, 204);
}
