/* The audit log: what is written to it of every call, and reading it. */
#include "hub/api_audit.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/keeper.h"
#include "share/sheet.h"
#include "store/audit.h"
#include "store/members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_USUAL = 100, ENTRIES_MOST = 1000, ACTION_BYTES = 128, NOTED_BYTES = 1024, WORDS_BYTES = 256 };

static const char *actor_of(const struct api_call *call, char *buffer, size_t bytes)
{
	snprintf(buffer, bytes, "%s%s", call->user.is_token ? "token " : "", call->known ? call->user.name : "guest");
	return buffer;
}

/* Consumes detail. */
static int entry_write(const struct api_call *call, const char *action, const char *subject, int64_t member,
		       json_t *detail, struct err *err)
{
	char actor[REGISTRY_NAME_BYTES + 8];
	struct audit_entry entry = {.time_ns = clock_now_ns(),
				    .actor = actor_of(call, actor, sizeof actor),
				    .peer = call->peer,
				    .action = action,
				    .subject = subject,
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

/* The words of the body that the route wants noted, and of those the first; NULL where there are none. What is no
 * short text is left out: the handler is about to refuse it. */
static json_t *noted_words(const struct api_call *call, char subject[NOTED_BYTES])
{
	json_t *body = NULL, *words = NULL;
	char names[64], *rest = names;
	if (!call->route->noted || api_body(call, &body, NULL) < 0)
		return NULL;
	snprintf(names, sizeof names, "%s", call->route->noted);
	for (const char *name = strsep(&rest, " "); name; name = strsep(&rest, " ")) {
		json_t *value = json_object_get(body, name);
		if (!json_is_string(value) || json_string_length(value) >= NOTED_BYTES)
			continue;
		if (!words)
			words = json_object();
		json_object_set(words, name, value);
		if (!subject[0])
			snprintf(subject, NOTED_BYTES, "%s", json_string_value(value));
	}
	json_decref(body);
	return words;
}

int audit_change(struct api_call *call, struct err *err)
{
	char action[ACTION_BYTES], subject[NOTED_BYTES] = "";
	if (!is_change(call))
		return 0;
	json_t *words = noted_words(call, subject);
	return entry_write(call, action_of(call, action, sizeof action), call->part[0] ? call->part : subject, 0, words,
			   err);
}

void audit_refusal(struct api_call *call)
{
	char action[ACTION_BYTES];
	struct err err = {""};
	if (!is_change(call) || call->status < 400)
		return;
	char subject[NOTED_BYTES] = "";
	json_decref(noted_words(call, subject));
	if (entry_write(call, action_of(call, action, sizeof action), call->part[0] ? call->part : subject, 0,
			json_pack("{s:i}", "refused", (int)call->status), &err) < 0)
		LOG(LOG_ERROR, "audit.failed", err.text, LOG_TEXT("path", call->path));
}

int audit_part(struct api_call *call, const char *action, const char *subject, int64_t member, json_t *detail,
	       struct err *err)
{
	return entry_write(call, action, subject, member, detail, err);
}

int audit_look(struct api_call *call, int64_t member, struct err *err)
{
	char action[ACTION_BYTES];
	return entry_write(call, action_of(call, action, sizeof action), call->part, member, NULL, err);
}

/* A question as a call puts it; the words are its own. */
struct asked {
	struct audit_question question;
	char actor[WORDS_BYTES], action[WORDS_BYTES], subject[WORDS_BYTES];
};

static const char *words_asked(const struct api_call *call, const char *name, char text[WORDS_BYTES])
{
	const char *given = api_argument(call, name, text, WORDS_BYTES);
	return given && given[0] ? given : NULL;
}

static int sort_asked(const struct api_call *call, enum audit_sort *ret_sort, struct err *err)
{
	char text[16];
	const char *given = api_argument(call, "sort", text, sizeof text);
	for (int sort = AUDIT_ALL; audit_sort_names[sort]; sort++)
		if (!given || strcmp(given, audit_sort_names[sort]) == 0) {
			*ret_sort = (enum audit_sort)sort;
			return 0;
		}
	return err_set(err, -EINVAL, "sort: all, changes, looks, refused or system was expected");
}

static int question_asked(const struct api_call *call, struct asked *asked, struct err *err)
{
	char text[32];
	struct audit_question *question = &asked->question;
	const char *before = api_argument(call, "before", text, sizeof text);
	*question = (struct audit_question){
		.before = before ? strtoll(before, NULL, 10) : 0,
		.member = api_argument_number(call, "member", 0, UINT32_MAX),
		.actor = words_asked(call, "actor", asked->actor),
		.action = words_asked(call, "action", asked->action),
		.subject = words_asked(call, "subject", asked->subject),
		.limit = api_argument_number(call, "limit", ENTRIES_USUAL, ENTRIES_MOST),
	};
	int code = sort_asked(call, &question->sort, err);
	if (code == 0 && api_argument(call, "from", text, sizeof text))
		code = api_argument_time(call, "from", "now", &question->from_ns, err);
	if (code == 0 && api_argument(call, "to", text, sizeof text))
		code = api_argument_time(call, "to", "now", &question->to_ns, err);
	return code;
}

int api_audit_get(struct api_call *call, struct err *err)
{
	struct asked asked;
	json_t *entries = NULL;
	int code = question_asked(call, &asked, err);
	if (code == 0)
		code = registry_audit_list(call->keeper->registry, &asked.question, &entries, err);
	return code < 0 ? code : api_json(call, 200, json_pack("{s:o}", "entries", entries));
}

static const char *const export_columns[] = {"id",      "time",   "actor",  "peer",   "action",
					     "subject", "member", "detail", "undone", "hash"};
enum { EXPORT_COLUMNS = sizeof export_columns / sizeof *export_columns };

static int csv_cell(struct api_call *call, const json_t *value, bool last)
{
	char *text =
		json_is_string(value) || json_is_null(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *plain = json_is_null(value) ? "" : text ? text : json_string_value(value);
	char *cell = plain ? sheet_cell_write(plain, ',') : NULL;
	int code = cell ? api_add(call, cell, strlen(cell)) : -ENOMEM;
	free(cell);
	free(text);
	return code < 0 ? code : api_add(call, last ? "\r\n" : ",", last ? 2 : 1);
}

static int csv_entry(struct api_call *call, const json_t *entry)
{
	int code = 0;
	for (unsigned i = 0; i < EXPORT_COLUMNS && code >= 0; i++)
		code = csv_cell(call, json_object_get(entry, export_columns[i]), i + 1 == EXPORT_COLUMNS);
	return code;
}

static int json_entry(struct api_call *call, const json_t *entry, bool first)
{
	char *text = json_dumps(entry, JSON_COMPACT);
	int code = text ? api_add(call, first ? "" : ",\n", first ? 0 : 2) : -ENOMEM;
	if (code >= 0)
		code = api_add(call, text, strlen(text));
	free(text);
	return code;
}

/* Page by page, so that the registry is free for others between two. */
static int export_pages(struct api_call *call, struct audit_question *question, bool json, struct err *err)
{
	bool first = true;
	size_t count = ENTRIES_MOST;
	int code = 0;
	question->limit = ENTRIES_MOST;
	while (code >= 0 && count == ENTRIES_MOST) {
		json_t *entries = NULL, *entry;
		size_t i;
		code = registry_audit_list(call->keeper->registry, question, &entries, err);
		count = json_array_size(entries);
		json_array_foreach(entries, i, entry)
		{
			if (code < 0)
				break;
			code = json ? json_entry(call, entry, first) : csv_entry(call, entry);
			first = false;
			question->before = json_integer_value(json_object_get(entry, "id"));
		}
		json_decref(entries);
	}
	return code;
}

static int export_write(struct api_call *call, struct audit_question *question, bool json, struct err *err)
{
	int code = api_begin(call, 200, json ? "application/json" : "text/csv; charset=utf-8",
			     json ? "attachment; filename=\"audit.json\"" : "attachment; filename=\"audit.csv\"");
	if (code >= 0 && !json && api_argument_flag(call, "bom"))
		code = api_add(call, "\xef\xbb\xbf", 3);
	if (code >= 0 && json)
		code = api_add(call, "[", 1);
	for (unsigned i = 0; i < EXPORT_COLUMNS && code >= 0 && !json; i++) {
		json_t *name = json_string(export_columns[i]);
		code = csv_cell(call, name, i + 1 == EXPORT_COLUMNS);
		json_decref(name);
	}
	if (code >= 0)
		code = export_pages(call, question, json, err);
	if (code >= 0 && json)
		code = api_add(call, "]\n", 2);
	return code < 0 ? code : api_end(call);
}

int api_audit_export(struct api_call *call, struct err *err)
{
	char format[16];
	struct asked asked;
	const char *given = api_argument(call, "format", format, sizeof format);
	bool json = given && strcmp(given, "json") == 0;
	if (given && !json && strcmp(given, "csv") != 0)
		return err_set(err, -EINVAL, "format: csv or json was expected");
	int code = question_asked(call, &asked, err);
	if (code == 0)
		code = audit_look(call, 0, err);
	if (code < 0)
		return code;
	if (!api_download_begin(call))
		return err_set(err, -EBUSY, "too many downloads at a time; try again soon");
	code = export_write(call, &asked.question, json, err);
	api_download_end(call);
	return code;
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
