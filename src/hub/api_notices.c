/* Notices: whom they are about, whom they were told, what was answered. A member's people see and answer their own; who
 * works here and looks at one is written down (audit_look). The link of a message answers without an account: what it
 * carries is an HMAC (store/notices_answer.h).
 */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/api_audit.h"
#include "hub/keeper.h"
#include "hub/keeper_notices.h"
#include "store/member_form.h"
#include "store/members.h"
#include "store/notices_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_USUAL = 100, REASON_BYTES_MAX = 1000 };

/* Whose notices the asker sees; 0: all. */
static uint32_t own_of(const struct api_call *call)
{
	return call->role == ROLE_MEMBER ? call->user.member : 0;
}

/* ?member= by key or number. */
static int member_asked(const struct api_call *call, uint32_t *ret_member, struct err *err)
{
	char text[MEMBER_KEY_BYTES];
	*ret_member = own_of(call);
	if (*ret_member || !api_argument(call, "member", text, sizeof text) || !text[0])
		return 0;
	return registry_member_find(call->keeper->registry, text, ret_member, err);
}

static int state_check(const char *state, struct err *err)
{
	bool known = !state || strcmp(state, "open") == 0;
	for (size_t i = 0; notice_state_names[i] && !known; i++)
		known = strcmp(state, notice_state_names[i]) == 0;
	return known ? 0
		     : err_set(err, -EINVAL,
			       "state: '%.32s' was given; open, new, continuing, ended or closed was expected", state);
}

int api_notices_get(struct api_call *call, struct err *err)
{
	char state[32], type[64], subject[NOTICE_SUBJECT_BYTES];
	const char *given = api_argument(call, "state", state, sizeof state);
	struct notices_question question = {.state = given && given[0] ? given : NULL,
					    .type = api_argument(call, "type", type, sizeof type),
					    .subject = api_argument(call, "subject", subject, sizeof subject),
					    .before = api_argument_number(call, "before", 0, UINT32_MAX),
					    .limit = api_argument_number(call, "limit", LIST_USUAL, NOTICE_PAGE_MAX),
					    .unacknowledged = api_argument_flag(call, "unacknowledged")};
	json_t *answer = NULL;
	int result = state_check(question.state, err);
	if (result == 0)
		result = member_asked(call, &question.member, err);
	if (result == 0 && question.member && !own_of(call))
		result = audit_look(call, question.member, err);
	if (result == 0)
		result = notices_list(call->keeper->registry, &question, &answer, err);
	return result < 0 ? result : api_json(call, 200, answer);
}

int api_notices_figures(struct api_call *call, struct err *err)
{
	int64_t from_ns, to_ns;
	uint32_t member;
	json_t *figures = NULL;
	int result = api_argument_time(call, "from", "1970-01-01", &from_ns, err);
	if (result == 0)
		result = api_argument_time(call, "to", "2200-01-01", &to_ns, err);
	if (result == 0)
		result = member_asked(call, &member, err);
	if (result == 0)
		result = notices_figures(call->keeper->registry, member, from_ns, to_ns, &figures, err);
	if (result == 0 && !own_of(call))
		json_object_set_new(figures, "sending", keeper_notices_status(call->keeper->notices));
	return result < 0 ? result : api_json(call, 200, figures);
}

int api_notices_bounces(struct api_call *call, struct err *err)
{
	json_t *bounces = NULL;
	int result = notices_bounces(call->keeper->registry, &bounces, err);
	return result < 0 ? result : api_json(call, 200, json_pack("{s:o}", "bounces", bounces));
}

/* --- one ---------------------------------------------------------------------------------------------------------- */

/* The notice that the path names, if it is for the asker. */
static int notice_of_part(struct api_call *call, int64_t *ret_id, json_t **ret_notice, struct err *err)
{
	char *end;
	errno = 0;
	*ret_id = strtoll(call->part, &end, 10);
	if (errno || end == call->part || *end || *ret_id < 1)
		return err_set(err, -ENOENT, "there is no notice '%.32s'", call->part);
	return notices_show(call->keeper->registry, *ret_id, own_of(call), ret_notice, err);
}

int api_notice_get(struct api_call *call, struct err *err)
{
	json_t *notice = NULL, *advice = NULL;
	int64_t id;
	char language[8];
	int result = notice_of_part(call, &id, &notice, err);
	if (result == 0 && !own_of(call))
		result = audit_look(call, json_integer_value(json_object_get(notice, "member")), err);
	if (result == 0 && api_argument(call, "language", language, sizeof language))
		result = keeper_notices_advice(call->keeper->notices, language, notice, &advice, err);
	if (advice)
		json_object_set_new(notice, "advice", advice);
	if (result == 0)
		return api_json(call, 200, notice);
	json_decref(notice);
	return result;
}

/* A notice was changed: the thread that tells looks at once, and the asker sees it as it is now. */
static int changed_answer(struct api_call *call, int64_t id, struct err *err)
{
	json_t *notice = NULL;
	keeper_notices_wake(call->keeper->notices);
	int result = notices_show(call->keeper->registry, id, own_of(call), &notice, err);
	return result < 0 ? result : api_json(call, 200, notice);
}

/* {"state", "reference", "note"}, all of them optional texts; borrowed of the body. */
static int answer_read(const json_t *body, struct notice_answer *answer, struct err *err)
{
	const struct {
		const char *name, **into;
	} texts[] = {{"state", &answer->state}, {"reference", &answer->reference}, {"note", &answer->note}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const json_t *value = json_object_get(body, texts[i].name);
		if (value && !json_is_null(value) && !json_is_string(value))
			return err_set(err, -EINVAL, "%s: a text was expected", texts[i].name);
		const char *text = json_string_value(value);
		*texts[i].into = text && text[0] ? text : NULL;
	}
	return 0;
}

int api_notice_acknowledge(struct api_call *call, struct err *err)
{
	json_t *notice = NULL, *body = NULL;
	int64_t id;
	struct notice_answer answer = {.who = call->user.name};
	int result = notice_of_part(call, &id, &notice, err);
	json_decref(notice);
	if (result == 0 && call->body_bytes)
		result = api_body(call, &body, err);
	if (result == 0)
		result = answer_read(body, &answer, err);
	if (result == 0)
		result = notices_acknowledge(call->keeper->registry, id, &answer, clock_now_ns(), err);
	json_decref(body);
	return result < 0 ? result : changed_answer(call, id, err);
}

int api_notice_close(struct api_call *call, struct err *err)
{
	json_t *notice = NULL, *body = NULL;
	int64_t id;
	int result = notice_of_part(call, &id, &notice, err);
	json_decref(notice);
	if (result == 0)
		result = api_body(call, &body, err);
	const char *reason = json_string_value(json_object_get(body, "reason"));
	if (result == 0 && (!reason || !reason[0] || strlen(reason) > REASON_BYTES_MAX))
		result = err_set(err, -EINVAL, "reason: a text of 1 to %d bytes was expected", REASON_BYTES_MAX);
	if (result == 0)
		result = notices_close(call->keeper->registry, id, call->user.name, reason, clock_now_ns(), err);
	json_decref(body);
	return result < 0 ? result : changed_answer(call, id, err);
}

int api_notice_send(struct api_call *call, struct err *err)
{
	json_t *notice = NULL;
	int64_t id;
	int result = notice_of_part(call, &id, &notice, err);
	json_decref(notice);
	if (result == 0)
		result = notices_tell_now(call->keeper->registry, id, call->user.name, clock_now_ns(), err);
	return result < 0 ? result : changed_answer(call, id, err);
}

/* --- by link ------------------------------------------------------------------------------------------------------ */

int api_notices_acknowledge(struct api_call *call, struct err *err)
{
	json_t *body = NULL, *answer = NULL;
	struct notice_answer given = {.who = "link"};
	int result = api_body(call, &body, err);
	const json_t *message = json_object_get(body, "message");
	const char *token = json_string_value(json_object_get(body, "token"));
	if (result == 0 && (!json_is_integer(message) || !token))
		result = err_set(err, -EINVAL, "message (a number) and token (a text) were expected");
	if (result == 0)
		result = answer_read(body, &given, err);
	if (result == 0)
		result = notices_acknowledge_link(call->keeper->registry, json_integer_value(message), token, &given,
						  clock_now_ns(), &answer, err);
	json_decref(body);
	if (result < 0)
		return result;
	if (result == 1)
		return api_refuse(call, 410, "used", "this link was used before: your answer is with us",
				  "このリンクは使用済みです。ご回答は届いています");
	if (result == 2)
		return api_refuse(call, 403, "wrong_link", "this link is not of a message of ours",
				  "このリンクは無効です");
	keeper_notices_wake(call->keeper->notices);
	return api_json(call, 200, answer);
}

/* A test goes the way of every notice, with words that say that nothing is the matter. */
int api_notices_test(struct api_call *call, struct err *err)
{
	json_t *body = NULL;
	uint32_t member = 0;
	int64_t id = 0;
	int result = api_body(call, &body, err);
	const char *key = json_string_value(json_object_get(body, "member"));
	if (result == 0 && !key)
		result = err_set(err, -EINVAL, "member: the key of a member was expected");
	if (result == 0)
		result = registry_member_find(call->keeper->registry, key, &member, err);
	json_decref(body);
	if (result == 0)
		result = notices_test(call->keeper->registry, member, call->user.name, clock_now_ns(), &id, err);
	return result < 0 ? result : changed_answer(call, id, err);
}
