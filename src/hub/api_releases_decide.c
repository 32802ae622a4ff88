/* Deciding a release, and doing what was decided: onto the shelves of its groups, away from there.
 *
 * The decision is written first, then it is done; both may be done over. What a keeper that died left undone, the next
 * one does (releases_resume). */
#include "hub/api_releases.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/keeper.h"
#include "share/make.h"
#include "share/warning.h"
#include "store/groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));
	return text ? text : "";
}

static int kind_of(const char *name)
{
	for (int kind = 0; indicator_kind_names[kind]; kind++)
		if (strcmp(indicator_kind_names[kind], name) == 0)
			return kind;
	return KIND_OTHER;
}

/* What is well known and harmless stays out of lists and zones, also when two people release it: they are told. */
static void known_good_warn(const struct keeper *keeper, const json_t *release, json_t *preview)
{
	const char *text = text_of(release, "value");
	const struct indicator_value value = {.kind = (enum indicator_kind)kind_of(text_of(release, "value_kind")),
					      .text = text,
					      .bytes = strlen(text)};
	const char *list = text[0] ? warning_lists_find(keeper->warnings, &value) : NULL;
	if (list)
		json_array_append_new(
			json_object_get(preview, "warnings"),
			json_pack("{s:s, s:s, s:s, s:s}", "code", "known-good", "detail", list, "message",
				  "it is on a warning list of what is well known and harmless: block lists and zones "
				  "leave it out",
				  "message_ja",
				  "よく知られた無害なものの一覧に載っています。遮断用のリストやゾーンには入りません"));
}

/* What would be shown: of an indicator the object as it is now. */
int release_preview(struct api_call *call, const json_t *release, json_t **ret_preview, struct err *err)
{
	char *text = NULL;
	enum tlp tlp = TLP_RED;
	bool indicator = strcmp(text_of(release, "kind"), "indicator") == 0;
	json_t *now = json_copy((json_t *)(uintptr_t)release);
	int result = indicator ? indicators_object_text(call->keeper->indicators, text_of(release, "subject"), &text,
							&tlp, err)
			       : 0;
	if (result == 0 && indicator)
		json_object_set_new(now, "tlp", json_string(tlp_names[tlp]));
	if (result == 0)
		result = audience_preview(call->keeper->audiences, call->keeper->registry, now, text ? text : "",
					  ret_preview, err);
	if (result == 0)
		known_good_warn(call->keeper, release, *ret_preview);
	free(text);
	json_decref(now);
	return result;
}

/* The object that is made of a value: the same release gives the same one again. Nothing in it says who brought it. */
static int object_make(const json_t *release, struct made_object *ret_object, struct err *err)
{
	char maker[64];
	enum tlp tlp = TLP_RED;
	int64_t proposed_ns;
	int result = tlp_read(text_of(release, "tlp"), &tlp, err);
	if (result == 0)
		result = time_parse(text_of(release, "proposed"), 0, &proposed_ns, err);
	if (result < 0)
		return result;
	snprintf(maker, sizeof maker, "release %lld", (long long)json_integer_value(json_object_get(release, "id")));
	const char *title = text_of(release, "title");
	const struct made_indicator made = {
		.maker = maker,
		.kind = (enum indicator_kind)kind_of(text_of(release, "value_kind")),
		.value = text_of(release, "value"),
		.name = title[0] ? title : NULL,
		.tlp = tlp,
		.confidence = (unsigned)json_integer_value(json_object_get(release, "confidence")),
		.from_ns = proposed_ns,
		.now_ns = proposed_ns};
	return indicator_make(&made, ret_object, err);
}

static int object_put(struct keeper *keeper, const json_t *release, char ret_id[64], struct err *err)
{
	const struct indicators_source source = {"release", "release", ""};
	struct made_object object;
	char uuid[37];
	int64_t number, now = clock_now_ns();
	int result = object_make(release, &object, err);
	if (result < 0)
		return result;
	object.object.held = true;
	object.object.warning = warning_lists_find(keeper->warnings, &object.value);
	result = indicators_begin(keeper->indicators, err);
	if (result == 0) {
		result = indicators_source_add(keeper->indicators, &source, now, &number, err);
		if (result == 0)
			result = indicators_put(keeper->indicators, &object.object, number, 0, now, err);
		if (result == 0 || result == 1)
			result = indicators_commit(keeper->indicators, err);
		else
			indicators_rollback(keeper->indicators);
	}
	indicators_uuid_format(object.object.uuid, uuid);
	snprintf(ret_id, 64, "indicator--%s", uuid);
	free(object.text);
	return result == 2 ? -EINVAL : result;
}

static int shelves_each(struct keeper *keeper, const json_t *release, const char *id, bool out, struct err *err)
{
	const json_t *keys = json_object_get(release, "groups"), *ids = json_object_get(release, "group_ids");
	int result = 0;
	for (size_t i = 0; i < json_array_size(keys) && result == 0; i++) {
		json_t *group = NULL;
		result = registry_group(keeper->registry, json_string_value(json_array_get(keys, i)), &group, err);
		/* A group that is gone, or another of the same key, is given nothing. */
		bool same = result == 0 && json_integer_value(json_object_get(group, "id")) ==
						   json_integer_value(json_array_get(ids, i));
		int64_t collection = json_integer_value(json_object_get(group, "collection"));
		result = result == -ENOENT ? 0 : result;
		if (same && collection && !out)
			result = indicators_release(keeper->indicators, id, collection, clock_now_ns(), err);
		else if (same && collection)
			result = indicators_withdraw(keeper->indicators, id, collection, err);
		result = out && result == -ENOENT ? 0 : result;
		json_decref(group);
	}
	return result;
}

int release_carry_out(struct keeper *keeper, const json_t *release, struct err *err)
{
	char id[64];
	bool out = strcmp(text_of(release, "state"), "withdrawn") == 0;
	bool indicator = strcmp(text_of(release, "kind"), "indicator") == 0;
	int result = 0;
	snprintf(id, sizeof id, "%s", indicator ? text_of(release, "subject") : text_of(release, "object"));
	if (!out && !indicator)
		result = object_put(keeper, release, id, err);
	if (result == 0 && id[0])
		result = shelves_each(keeper, release, id, out, err);
	return result < 0 ? result
			  : registry_release_done(keeper->registry, json_integer_value(json_object_get(release, "id")),
						  id, err);
}

int releases_resume(struct keeper *keeper, struct err *err)
{
	json_t *releases = NULL, *release;
	size_t i;
	int result = registry_releases(keeper->registry, "released", 0, RELEASES_PAGE_MAX, &releases, err);
	json_array_foreach(releases, i, release)
	{
		struct err why = {""};
		if (result < 0 || json_is_string(json_object_get(release, "object")))
			continue;
		if (release_carry_out(keeper, release, &why) < 0)
			LOG(LOG_ERROR, "release.undone", why.text);
	}
	json_decref(releases);
	return result;
}

/* Not what was looked at, or looked at and not said so: answered. */
static int preview_check(struct api_call *call, const json_t *body, const json_t *preview)
{
	bool warned = json_array_size(json_object_get(preview, "warnings")) > 0;
	if (strcmp(text_of(body, "preview"), text_of(preview, "digest")) != 0)
		return api_refuse(call, 409, "changed",
				  "what would be released, or to whom, is not what was looked at; look again",
				  "確認した内容または届く相手が変わっています。もう一度確認してください");
	if (warned && !json_is_true(json_object_get(body, "acknowledged")))
		return api_refuse(call, 409, "unusual",
				  "this release is unusual; say with \"acknowledged\" that it is meant",
				  "通常と異なる公開です。意図したものであることを確認してください");
	return 0;
}

static int decide(struct api_call *call, const json_t *body, const json_t *release, struct err *err)
{
	const char *state = text_of(body, "decision");
	struct release_decision decision = {.id = json_integer_value(json_object_get(release, "id")),
					    .state = state,
					    .who = call->user.name,
					    .note = text_of(body, "note"),
					    .now_ns = clock_now_ns()};
	json_t *preview = NULL, *kept = NULL, *decided = NULL;
	bool released = strcmp(state, "released") == 0;
	if (strlen(decision.note) > RELEASE_NOTE_BYTES_MAX)
		return err_set(err, -EINVAL, "note: it is too long");
	if (released && strcmp(text_of(release, "state"), "proposed") != 0)
		return err_set(err, -EPERM, "it was decided already");
	if (released && strcmp(text_of(release, "proposer"), call->user.name) == 0)
		return err_set(err, -EPERM, "who proposed it cannot release it: a second person looks at it");
	int result = released ? release_preview(call, release, &preview, err) : 0;
	if (result == 0 && released)
		result = preview_check(call, body, preview);
	if (result == 0 && !call->status) {
		kept = released ? audience_kept(preview) : NULL;
		decision.audience = kept;
		result = registry_release_decide(call->keeper->registry, &decision, err);
		if (result == 0 && strcmp(state, "refused") != 0)
			result = registry_release(call->keeper->registry, decision.id, &decided, err);
		if (result == 0 && decided)
			result = release_carry_out(call->keeper, decided, err);
	}
	json_decref(preview);
	json_decref(kept);
	json_decref(decided);
	return result;
}

int api_release_decide(struct api_call *call, struct err *err)
{
	json_t *body, *release = NULL;
	int64_t id = strtoll(call->part, NULL, 10);
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	const char *state = text_of(body, "decision");
	if (strcmp(state, "released") != 0 && strcmp(state, "refused") != 0 && strcmp(state, "withdrawn") != 0)
		result = err_set(err, -EINVAL, "decision: released, refused or withdrawn was expected");
	if (result == 0)
		result = registry_release(call->keeper->registry, id, &release, err);
	if (result == 0) {
		pthread_mutex_lock(&call->keeper->release_lock);
		result = decide(call, body, release, err);
		pthread_mutex_unlock(&call->keeper->release_lock);
	}
	json_decref(release);
	json_decref(body);
	return result < 0 || call->status ? result : release_answer(call, 200, id, err);
}
