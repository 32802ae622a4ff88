/* The audit log: what is written to it of every call, and reading it. */
#include "hub/api_audit.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/keeper.h"
#include "store/audit.h"
#include "store/members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENTRIES_USUAL = 100, ENTRIES_MOST = 1000, ACTION_BYTES = 128 };

static const char *actor_of(const struct api_call *call, char *buffer, size_t bytes)
{
	snprintf(buffer, bytes, "%s%s", call->user.is_token ? "token " : "", call->known ? call->user.name : "guest");
	return buffer;
}

static int entry_write(const struct api_call *call, const char *action, int64_t member, json_t *detail, struct err *err)
{
	char actor[REGISTRY_NAME_BYTES + 8];
	struct audit_entry entry = {.time_ns = clock_now_ns(),
				    .actor = actor_of(call, actor, sizeof actor),
				    .peer = call->peer,
				    .action = action,
				    .subject = call->part,
				    .member = member,
				    .detail = detail};
	int code = registry_audit(call->keeper->registry, &entry, err);
	json_decref(detail);
	return code;
}

static const char *action_of(const struct api_call *call, char *buffer, size_t bytes)
{
	snprintf(buffer, bytes, "%s %s", http_method_names[call->fixed.method], call->route->path);
	return buffer;
}

static bool is_change(const struct api_call *call)
{
	return call->known && call->fixed.method != HTTP_GET && !(call->route->who & API_UNRECORDED);
}

int audit_change(struct api_call *call, struct err *err)
{
	char action[ACTION_BYTES];
	return is_change(call) ? entry_write(call, action_of(call, action, sizeof action), 0, NULL, err) : 0;
}

void audit_refusal(struct api_call *call)
{
	char action[ACTION_BYTES];
	struct err err = {""};
	if (!is_change(call) || call->status < 400)
		return;
	if (entry_write(call, action_of(call, action, sizeof action), 0,
			json_pack("{s:i}", "refused", (int)call->status), &err) < 0)
		LOG(LOG_ERROR, "audit.failed", err.text, LOG_TEXT("path", call->path));
}

int audit_look(struct api_call *call, int64_t member, struct err *err)
{
	char action[ACTION_BYTES];
	return entry_write(call, action_of(call, action, sizeof action), member, NULL, err);
}

int api_audit_get(struct api_call *call, struct err *err)
{
	char text[32];
	const char *before = api_argument(call, "before", text, sizeof text);
	int64_t from = before ? strtoll(before, NULL, 10) : 0;
	int64_t member = api_argument_number(call, "member", 0, UINT32_MAX);
	unsigned limit = api_argument_number(call, "limit", ENTRIES_USUAL, ENTRIES_MOST);
	json_t *entries = NULL;
	int code = registry_audit_list(call->keeper->registry, from, limit, member, &entries, err);
	return code < 0 ? code : api_json(call, 200, json_pack("{s:o}", "entries", entries));
}

/* What of an entry a member's people are told: that it was, not from where, nor what else stands in it. */
static json_t *look_seen(const json_t *entry)
{
	return json_pack("{s:O, s:O, s:O, s:O, s:O}", "id", json_object_get(entry, "id"), "time",
			 json_object_get(entry, "time"), "who", json_object_get(entry, "actor"), "action",
			 json_object_get(entry, "action"), "subject", json_object_get(entry, "subject"));
}

int api_member_looks(struct api_call *call, struct err *err)
{
	json_t *entries = NULL, *entry;
	uint32_t id = 0;
	size_t i;
	int64_t before = api_argument_number(call, "before", 0, UINT32_MAX);
	unsigned limit = api_argument_number(call, "limit", ENTRIES_USUAL, ENTRIES_MOST);
	int code = registry_member_find(call->keeper->registry, call->part, &id, err);
	if (code == 0)
		code = registry_audit_looks(call->keeper->registry, before, limit, id, &entries, err);
	if (code < 0)
		return code;
	json_t *looks = json_array();
	json_array_foreach(entries, i, entry) json_array_append_new(looks, look_seen(entry));
	json_decref(entries);
	return api_json(call, 200, json_pack("{s:o}", "looks", looks));
}

int api_audit_state(struct api_call *call, struct err *err)
{
	struct audit_state state;
	char text[AUDIT_HASH_TEXT_BYTES + 1];
	const char *noted = api_argument(call, "head", text, sizeof text);
	int64_t id = 0;
	int code = registry_audit_verify(call->keeper->registry, &state, err);
	if (code >= 0 && noted && (code = registry_audit_find(call->keeper->registry, noted, &id, err)) < 0)
		return code;
	return code < 0 ? code : api_json(call, 200, audit_state_json(&state, noted, id));
}
