/* What all routes share: who asks, may they, what failed. The routes are in api_routes.c. */
#include "hub/api.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/api_audit.h"
#include "hub/keeper.h"
#include "store/members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int api_text(struct api_call *call, unsigned status, const char *type, const char *text, size_t bytes)
{
	int result = api_begin(call, status, type, NULL);
	if (result == 0)
		result = api_add(call, text, bytes);
	return result == 0 ? api_end(call) : result;
}

int api_json(struct api_call *call, unsigned status, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
	json_decref(json);
	if (!text)
		return -ENOMEM;
	int result = api_text(call, status, "application/json", text, strlen(text));
	free(text);
	return result;
}

int api_empty(struct api_call *call, unsigned status)
{
	return api_text(call, status, "", "", 0);
}

int api_refuse(struct api_call *call, unsigned status, const char *code, const char *message, const char *message_ja)
{
	return api_json(
		call, status,
		json_pack("{s:{s:s, s:s, s:s}}", "error", "code", code, "message", message, "message_ja", message_ja));
}

int api_failure(struct api_call *call, int code, const struct err *err)
{
	static const struct {
		int code;
		unsigned status;
		const char *name, *text, *text_ja;
	} failures[] = {
		{EINVAL, 400, "invalid", "the request is not valid", "要求の内容に誤りがあります"},
		{ENOENT, 404, "not_found", "there is no such thing", "見つかりません"},
		{EEXIST, 409, "exists", "it is there already", "すでにあります"},
		{EPERM, 409, "not_possible", "that cannot be done", "この操作はできません"},
		{EACCES, 403, "forbidden", "that is not allowed", "許可されていません"},
		{ETIME, 504, "too_long", "the question took too long; ask for a shorter time",
		 "問い合わせに時間がかかりすぎました。期間を短くしてください"},
		{ENOSPC, 507, "intake_stopped", "the disk is full; intake is stopped",
		 "ディスクに空きがなく、取り込みを止めています"},
		{EBUSY, 503, "busy", "busy; try again in a moment",
		 "混み合っています。少し待ってからもう一度お試しください"},
		{EMSGSIZE, 413, "too_large", "too large", "大きすぎます"},
	};
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
		char text_ja[ERR_TEXT_BYTES + 128];
		bool said = err && err->text[0];
		if (failures[i].code != -code)
			continue;
		snprintf(text_ja, sizeof text_ja, said ? "%s（%s）" : "%s", failures[i].text_ja, said ? err->text : "");
		return api_refuse(call, failures[i].status, failures[i].name, said ? err->text : failures[i].text,
				  text_ja);
	}
	LOG(LOG_ERROR, "api.failed", err ? err->text : "", LOG_TEXT("path", call->path), LOG_NUMBER("code", code));
	return api_refuse(call, 500, "failed", "the hub failed to answer; its log says why",
			  "ハブの内部で失敗しました。詳しくはハブのログにあります");
}

static int hex(char digit)
{
	return digit >= '0' && digit <= '9'   ? digit - '0'
	       : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
	       : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
					      : -1;
}

const char *api_argument(const struct api_call *call, const char *name, char *buffer, size_t bytes)
{
	size_t length = strlen(name), used = 0;
	const char *at = call->query;
	while (*at && !(strncmp(at, name, length) == 0 && at[length] == '=')) {
		at += strcspn(at, "&");
		at += *at == '&';
	}
	if (!*at)
		return NULL;
	for (at += length + 1; *at && *at != '&'; at++) {
		if (used + 1 >= bytes)
			return NULL;
		char c = *at == '+' ? ' ' : *at;
		if (c == '%') {
			if (hex(at[1]) < 0 || hex(at[2]) < 0 || (hex(at[1]) | hex(at[2])) == 0)
				return NULL;
			c = (char)(hex(at[1]) * 16 + hex(at[2]));
			at += 2;
		}
		buffer[used++] = c;
	}
	buffer[used] = '\0';
	return buffer;
}

int api_argument_time(const struct api_call *call, const char *name, const char *fallback, int64_t *ret_ns,
		      struct err *err)
{
	char text[64];
	const char *given = api_argument(call, name, text, sizeof text);
	int result = time_parse(given && given[0] ? given : fallback, clock_now_ns(), ret_ns, err);
	return result < 0 ? err_prefix(err, result, "%s", name) : 0;
}

unsigned api_argument_number(const struct api_call *call, const char *name, unsigned fallback, unsigned most)
{
	char text[32], *end;
	const char *given = api_argument(call, name, text, sizeof text);
	unsigned long number = given ? strtoul(given, &end, 10) : fallback;
	if (given && (end == given || *end || given[0] == '-'))
		number = fallback;
	return number > most ? most : (unsigned)number;
}

bool api_argument_flag(const struct api_call *call, const char *name)
{
	char text[8];
	const char *given = api_argument(call, name, text, sizeof text);
	return given && (strcmp(given, "1") == 0 || strcmp(given, "true") == 0);
}

int api_body(const struct api_call *call, json_t **ret_object, struct err *err)
{
	json_error_t error;
	json_t *json = json_loadb((const char *)call->body, call->body_bytes, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return err_set(err, -EINVAL, "the body is not JSON: line %d: %s", error.line, error.text);
	if (!json_is_object(json)) {
		json_decref(json);
		return err_set(err, -EINVAL, "a JSON object was expected");
	}
	*ret_object = json;
	return 0;
}

int api_ask(struct api_call *call, json_t *json, json_t **ret_answer, struct err *err)
{
	struct query *query = NULL;
	if (!json)
		return err_set(err, -ENOMEM, "no memory for a query");
	int result = query_from_json(json, clock_now_ns(), &query, err);
	json_decref(json);
	if (result == 0)
		result = store_query(call->keeper->store, query, ret_answer, err);
	query_free(query);
	return result;
}

/* Who asks. 0; negative when the registry fails. */
static int asker_find(struct api_call *call, struct err *err)
{
	struct keeper *keeper = call->keeper;
	int64_t now = clock_now_ns(), guest = keeper->setup->options->guest;
	int result = 1;
	call->role = guest == HUB_GUEST_ANALYST ? ROLE_ANALYST : guest == HUB_GUEST_VIEWER ? ROLE_VIEWER : ROLES;
	if (call->fixed.local && (call->fixed.uid == 0 || call->fixed.uid == getuid())) {
		snprintf(call->user.name, sizeof call->user.name, "local");
		call->user.role = ROLE_ADMIN;
		result = 0;
	} else if (call->token[0]) {
		result = registry_token_find(keeper->registry, call->token, now, &call->user, err);
	} else if (call->session[0]) {
		result = registry_session_find(keeper->registry, call->session, now, &call->user, err);
		call->by_cookie = result == 0;
	}
	if (result == 0) {
		call->known = true;
		call->role = call->user.role;
	}
	return result < 0 ? result : 0;
}

const char *const api_own_names[] = {"nothing", "common", "part", "answer", NULL};

/* What a member's people may: by the route's rule alone. Another's is told as what is not there. */
static int own_check(struct api_call *call, struct err *err)
{
	uint32_t asked = 0;
	switch (call->user.member ? call->route->own : API_OWN_NOTHING) {
	case API_OWN_COMMON:
	case API_OWN_ANSWER:
		return 0;
	case API_OWN_PART:
		break;
	case API_OWN_NOTHING:
		return api_refuse(call, 403, "forbidden", "that is not for members", "会員組織には公開されていません");
	}
	int result = registry_member_find(call->keeper->registry, call->part, &asked, err);
	if (result < 0 && result != -ENOENT)
		return result;
	return result == 0 && asked == call->user.member
		       ? 0
		       : api_refuse(call, 404, "not_found", "there is no such member of yours", "見つかりません");
}

static bool role_may(const struct api_call *call)
{
	unsigned who = call->route->who;
	if (who & API_ANYONE || (who & API_PUBLIC && call->keeper->setup->options->public_statistics))
		return true;
	return call->role < ROLES && who & 1U << call->role && (call->known || !(who & API_SIGNED));
}

static int call_check(struct api_call *call, struct err *err)
{
	bool other_method = false;
	const char *path = strncmp(call->path, "/api/v1", 7) == 0 ? call->path + 7 : call->path;
	call->route = api_route_find((enum http_method)call->fixed.method, path, call->part, &other_method);
	if (!call->route && other_method)
		return api_refuse(call, 405, "method_not_allowed", "this method is not served here",
				  "このメソッドは使えません");
	if (!call->route)
		return api_refuse(call, 404, "not_found", "there is nothing at this address",
				  "このアドレスには何もありません");
	int result = asker_find(call, err);
	if (result < 0)
		return result;
	if (call->by_cookie && call->fixed.method != HTTP_GET && !call->fixed.csrf)
		return api_refuse(call, 403, "csrf", "the header X-Yagura: 1 is needed with a session",
				  "セッションを使う変更には X-Yagura: 1 ヘッダーが必要です");
	if (call->known && call->role == ROLE_MEMBER)
		return own_check(call, err);
	if (role_may(call))
		return 0;
	if (!call->known)
		return api_refuse(call, 401, "sign_in", "sign in first", "サインインしてください");
	return api_refuse(call, 403, "forbidden", "your role does not allow that",
			  "あなたの役割では許可されていません");
}

void api_dispatch(struct api_call *call)
{
	struct err err = {""};
	int result = call_check(call, &err);
	bool may = result == 0 && !call->status;
	if (may)
		result = audit_change(call, &err);
	if (may && result == 0)
		result = call->route->handle(call, &err);
	if (!call->status)
		(void)api_failure(call, result < 0 ? result : -EIO, &err);
	if (may)
		audit_refusal(call);
	if (!call->closed)
		(void)api_end(call);
}
