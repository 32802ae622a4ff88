/* Accounts and tokens. */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "store/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int role_parse(const char *name, enum role *ret_role, struct err *err)
{
	for (int role = 0; role < ROLES; role++)
		if (strcmp(role_names[role], name) == 0) {
			*ret_role = (enum role)role;
			return 0;
		}
	return err_set(err, -EINVAL,
		       "role: '%.32s' was given, admin, operator, analyst, viewer, member or sensor was expected",
		       name);
}

/* The number of the member that "member" of a body names by key or number; 0 where there is none. */
static int member_parse(struct api_call *call, const char *name, uint32_t *ret_member, struct err *err)
{
	*ret_member = 0;
	return name && name[0] ? registry_member_find(call->keeper->registry, name, ret_member, err) : 0;
}

int api_users_get(struct api_call *call, struct err *err)
{
	json_t *users = NULL;
	int result = registry_users(call->keeper->registry, &users, err);
	return result < 0 ? result : api_json(call, 200, json_pack("{s:o}", "users", users));
}

static json_t *link_json(const char *token, int64_t until_ns)
{
	char until[TIME_TEXT_BYTES];
	return json_pack("{s:s, s:s}", "token", token, "until", time_format(until_ns, until));
}

static int link_make(struct api_call *call, const char *name, json_t **ret_link, struct err *err)
{
	char token[REGISTRY_TOKEN_BYTES];
	int64_t now = clock_now_ns(), lifetime = LIMIT_LINK_HOURS * NS_PER_HOUR;
	int result = registry_invite(call->keeper->registry, name, now, lifetime, token, err);
	if (result == 0)
		*ret_link = link_json(token, now + lifetime);
	return result;
}

int api_users_link(struct api_call *call, struct err *err)
{
	json_t *link = NULL;
	int result = link_make(call, call->part, &link, err);
	return result < 0 ? result : api_json(call, 201, link);
}

int api_users_post(struct api_call *call, struct err *err)
{
	json_t *body, *link = NULL;
	const char *name = NULL, *password = NULL, *role_name = NULL, *member_name = NULL;
	enum role role = ROLE_VIEWER;
	uint32_t member = 0;
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	if (json_unpack(body, "{s:s, s?s, s:s, s?s}", "name", &name, "password", &password, "role", &role_name,
			"member", &member_name) < 0)
		result = err_set(err, -EINVAL, "name and role were expected, and perhaps a password");
	if (result == 0)
		result = role_parse(role_name, &role, err);
	if (result == 0 && role == ROLE_SENSOR)
		result = err_set(err, -EINVAL, "role: people are no sensors; make a token of role sensor");
	if (result == 0)
		result = member_parse(call, member_name, &member, err);
	if (result == 0)
		result = registry_user_add(call->keeper->registry, name, password, role, member, err);
	if (result == 0 && !password)
		result = link_make(call, name, &link, err);
	json_t *answer = result == 0
				 ? json_pack("{s:s, s:s, s:o*}", "name", name, "role", role_names[role], "link", link)
				 : NULL;
	json_decref(body);
	return result < 0 ? result : api_json(call, 201, answer);
}

int api_users_put(struct api_call *call, struct err *err)
{
	json_t *body;
	const char *password = NULL, *role_name = NULL, *member_name = NULL;
	enum role role = ROLE_VIEWER;
	uint32_t member = 0;
	bool own = call->known && !call->user.is_token && strcmp(call->user.name, call->part) == 0;
	if (!call->known)
		return api_refuse(call, 401, "sign_in", "sign in first", "サインインしてください");
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	if (json_unpack(body, "{s?s, s?s, s?s}", "password", &password, "role", &role_name, "member", &member_name) <
		    0 ||
	    (!password && !role_name))
		result = err_set(err, -EINVAL, "password or role was expected");
	if (result == 0 && call->role != ROLE_ADMIN && (!own || role_name))
		result = err_set(err, -EACCES, "only an administrator may change that");
	if (result == 0 && role_name)
		result = role_parse(role_name, &role, err);
	if (result == 0 && role_name && role == ROLE_SENSOR)
		result = err_set(err, -EINVAL, "role: people are no sensors; make a token of role sensor");
	if (result == 0 && role_name)
		result = member_parse(call, member_name, &member, err);
	if (result == 0)
		result = registry_user_change(call->keeper->registry, call->part, password, role_name ? &role : NULL,
					      member, err);
	json_decref(body);
	if (result < 0)
		return result;
	/* A new password ends the sessions of its user: who changed their own goes on with a new one. */
	if (own && password && call->by_cookie) {
		call->user.must_set_password = false;
		return api_session_begin(call, err);
	}
	return api_json(call, 200, json_pack("{s:s}", "name", call->part));
}

int api_users_delete(struct api_call *call, struct err *err)
{
	int result = registry_user_delete(call->keeper->registry, call->part, err);
	return result < 0 ? result : api_empty(call, 204);
}

int api_tokens_get(struct api_call *call, struct err *err)
{
	json_t *tokens = NULL;
	int result = registry_tokens(call->keeper->registry, &tokens, err);
	return result < 0 ? result : api_json(call, 200, json_pack("{s:o}", "tokens", tokens));
}

int api_tokens_post(struct api_call *call, struct err *err)
{
	json_t *body;
	const char *name = NULL, *role_name = NULL, *member_name = NULL;
	uint32_t member = 0;
	char token[REGISTRY_TOKEN_BYTES];
	enum role role = ROLE_VIEWER;
	int64_t id = 0;
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	if (json_unpack(body, "{s:s, s:s, s?s}", "name", &name, "role", &role_name, "member", &member_name) < 0)
		result = err_set(err, -EINVAL, "name and role were expected");
	if (result == 0)
		result = role_parse(role_name, &role, err);
	if (result == 0)
		result = member_parse(call, member_name, &member, err);
	if (result == 0)
		result =
			registry_token_new(call->keeper->registry, name, role, member, clock_now_ns(), &id, token, err);
	json_decref(body);
	return result < 0 ? result : api_json(call, 201, json_pack("{s:I, s:s}", "id", (json_int_t)id, "token", token));
}

int api_tokens_delete(struct api_call *call, struct err *err)
{
	char *end;
	long long id = strtoll(call->part, &end, 10);
	if (*end)
		return err_set(err, -ENOENT, "there is no token '%.32s'", call->part);
	int result = registry_token_delete(call->keeper->registry, id, err);
	return result < 0 ? result : api_empty(call, 204);
}
