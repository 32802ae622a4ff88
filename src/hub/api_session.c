/* Who am I: signing in by password or one-time link, signing out. Sessions are cookies that scripts cannot read and
 * other sites cannot send (RFC 6265bis: HttpOnly, SameSite=Strict).
 */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "store/members.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of whom a member's people are. */
static json_t *own_member(const struct api_call *call)
{
	json_t *member = NULL;
	if (!call->user.member || registry_member(call->keeper->registry, call->user.member, &member, NULL) < 0)
		return json_null();
	json_t *own = json_pack("{s:O, s:O, s:O}", "id", json_object_get(member, "id"), "key",
				json_object_get(member, "key"), "name", json_object_get(member, "name"));
	json_decref(member);
	return own;
}

static json_t *session_json(const struct api_call *call, bool known)
{
	int64_t guest = call->keeper->setup->options->guest;
	json_t *user =
		known ? json_pack("{s:s, s:s, s:b, s:o}", "name", call->user.name, "role", role_names[call->user.role],
				  "must_set_password", (int)call->user.must_set_password, "member", own_member(call))
		      : json_null();
	return json_pack(
		"{s:o, s:o, s:b, s:s}", "user", user, "guest_role",
		guest == HUB_GUEST_NONE ? json_null() : json_string(guest == HUB_GUEST_ANALYST ? "analyst" : "viewer"),
		"public_statistics", (int)call->keeper->setup->options->public_statistics, "version", HUB_VERSION);
}

int api_session_get(struct api_call *call, struct err *err)
{
	(void)err;
	return api_json(call, 200, session_json(call, call->known));
}

static void cookie_make(const struct api_call *call, const char *token, int64_t age_s, char *cookie, size_t bytes)
{
	snprintf(cookie, bytes, "yagura_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s", token,
		 (long long)age_s, call->fixed.secure ? "; Secure" : "");
}

int api_session_begin(struct api_call *call, struct err *err)
{
	char token[REGISTRY_TOKEN_BYTES], cookie[256];
	int64_t lifetime = LIMIT_SESSION_DAYS * NS_PER_DAY;
	int result =
		registry_session_new(call->keeper->registry, call->user.name, clock_now_ns(), lifetime, token, err);
	if (result < 0)
		return result;
	cookie_make(call, token, lifetime / NS_PER_S, cookie, sizeof cookie);
	call->cookie = cookie;
	result = api_json(call, 200, session_json(call, true));
	call->cookie = NULL;
	return result;
}

int api_session_post(struct api_call *call, struct err *err)
{
	json_t *body;
	const char *name = NULL, *password = NULL;
	unsigned wait_s = 0;
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	if (json_unpack(body, "{s:s, s:s}", "name", &name, "password", &password) < 0)
		result = err_set(err, -EINVAL, "name and password were expected");
	else
		result = registry_login(call->keeper->registry, name, password, call->peer, clock_now_ns(), &call->user,
					&wait_s, err);
	json_decref(body);
	if (result == 1)
		return api_refuse(call, 401, "wrong", "name or password is wrong", "名前かパスワードが違います");
	if (result == 2) {
		char text[128], text_ja[128];
		snprintf(text, sizeof text, "too many wrong tries; try again in %u seconds", wait_s);
		snprintf(text_ja, sizeof text_ja, "失敗が続いたため、%u 秒後にもう一度お試しください", wait_s);
		return api_refuse(call, 429, "too_many", text, text_ja);
	}
	return result < 0 ? result : api_session_begin(call, err);
}

int api_session_redeem(struct api_call *call, struct err *err)
{
	json_t *body;
	const char *token = NULL;
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	if (json_unpack(body, "{s:s}", "token", &token) < 0)
		result = err_set(err, -EINVAL, "token was expected");
	else
		result = registry_link_redeem(call->keeper->registry, token, call->peer, clock_now_ns(), &call->user,
					      err);
	json_decref(body);
	if (result == 1)
		return api_refuse(call, 401, "link_used", "the link is not known, was used, or has run out",
				  "リンクが無効か、使用済みか、期限切れです");
	return result < 0 ? result : api_session_begin(call, err);
}

int api_session_delete(struct api_call *call, struct err *err)
{
	char cookie[256];
	int result = call->by_cookie ? registry_session_delete(call->keeper->registry, call->session, err) : 0;
	if (result < 0)
		return result;
	cookie_make(call, "", 0, cookie, sizeof cookie);
	call->cookie = cookie;
	result = api_empty(call, 204);
	call->cookie = NULL;
	return result;
}
