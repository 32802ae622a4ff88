/* One indicator: its values, its life, who reads it, and its state. See api_indicators.h for who sees what. */
#include "hub/api_indicators.h"

#include "core/clock.h"
#include "hub/api_taxii.h"
#include "hub/keeper.h"
#include "share/warning.h"
#include "store/audit.h"
#include "store/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DECAY_STEPS = 48, ALSO_MOST = 50, SIGHTINGS_MOST = 100, CHANGES_MOST = 50 };

static int refuse_indicator(struct api_call *call)
{
	return api_refuse(call, 404, "not_found", "there is no such indicator", "そのような指標はありません");
}

/* Collections on whose shelves it stands, of those that the asker may read. */
struct shelves {
	const struct api_call *call;
	json_t *array;
	struct shelf {
		int64_t collection, added_us;
	} items[INDICATORS_COLLECTIONS_MAX];
	size_t count;
};

static int shelf_add(void *context, int64_t collection, int64_t added_us)
{
	struct shelves *shelves = context;
	if (shelves->count < INDICATORS_COLLECTIONS_MAX)
		shelves->items[shelves->count++] = (struct shelf){collection, added_us};
	return 0;
}

static int collection_name(void *context, const struct indicators_collection *collection)
{
	const struct shelves *shelves = context;
	for (size_t i = 0; i < shelves->count; i++)
		if (shelves->items[i].collection == collection->id && taxii_most(shelves->call, collection) >= 0)
			json_array_append_new(shelves->array,
					      json_pack("{s:s, s:s, s:o}", "name", collection->name, "title",
							collection->title[0] ? collection->title : collection->name,
							"added",
							indicators_time(shelves->items[i].added_us * NS_PER_US)));
	return 0;
}

static int collections_of(const struct api_call *call, int64_t seq, json_t *array, struct err *err)
{
	struct shelves *shelves = calloc(1, sizeof *shelves);
	if (!shelves)
		return -ENOMEM;
	shelves->call = call;
	shelves->array = array;
	int result = indicators_shelves(call->keeper->indicators, seq, shelf_add, shelves, err);
	if (result == 0)
		result = indicators_collections(call->keeper->indicators, collection_name, shelves, err);
	free(shelves);
	return result;
}

static int sighting_add(void *context, const struct indicators_sighting *sighting)
{
	json_t *json =
		json_pack("{s:o, s:o, s:I, s:s, s:s, s:s}", "seen", indicators_time(sighting->seen_ns), "added",
			  indicators_time(sighting->added_ns), "count", (json_int_t)sighting->count, "source_kind",
			  sighting->source_kind, "source", sighting->source_name, "by", sighting->source_by);
	return json && json_array_append_new(context, json) == 0 ? 0 : -ENOMEM;
}

/* Who set which state, from the audit log; what was refused did not happen. */
static int changes_of(const struct api_call *call, json_t *changes, struct err *err)
{
	const struct audit_question question = {
		.action = "POST /indicators/{id}/state", .subject = call->part, .limit = CHANGES_MOST};
	json_t *entries = NULL, *entry;
	size_t i;
	int result = registry_audit_list(call->keeper->registry, &question, &entries, err);
	json_array_foreach(entries, i, entry)
	{
		const char *state = json_string_value(json_object_get(json_object_get(entry, "detail"), "state"));
		if (state && !json_is_true(json_object_get(entry, "undone")))
			json_array_append_new(changes,
					      json_pack("{s:O, s:O, s:s}", "time", json_object_get(entry, "time"), "by",
							json_object_get(entry, "actor"), "state", state));
	}
	json_decref(entries);
	return result;
}

static bool is_text(const json_t *json, const char *name, const char *text)
{
	const char *own = json_string_value(json_object_get(json, name));
	return own && text && strcmp(own, text) == 0;
}

/* Releases of it or of its value, for those who decide about them. */
static int releases_of(const struct api_call *call, const char *value, json_t *releases, struct err *err)
{
	json_t *all = NULL, *one;
	size_t i;
	int result = indicators_all_seen(call)
			     ? registry_releases(call->keeper->registry, NULL, 0, RELEASES_PAGE_MAX, &all, err)
			     : 0;
	json_array_foreach(all, i, one)
	{
		if (is_text(one, "subject", call->part) || is_text(one, "object", call->part) ||
		    is_text(one, "value", value))
			json_array_append_new(releases, json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:O}", "id",
								  json_object_get(one, "id"), "state",
								  json_object_get(one, "state"), "groups",
								  json_object_get(one, "groups"), "proposed",
								  json_object_get(one, "proposed"), "proposer",
								  json_object_get(one, "proposer"), "decided",
								  json_object_get(one, "decided"), "releaser",
								  json_object_get(one, "releaser")));
	}
	json_decref(all);
	return result;
}

static int64_t time_read(const json_t *json)
{
	int64_t time_ns;
	struct err err = {""};
	return json_is_string(json) && time_parse(json_string_value(json), 0, &time_ns, &err) == 0 ? time_ns : 0;
}

/* How its score falls, from when it was seen last until it ends, if nobody sees it again. */
static json_t *decay_json(const json_t *one)
{
	json_t *points = json_array();
	int64_t seen_ns = time_read(json_object_get(one, "seen")), until_ns = time_read(json_object_get(one, "until"));
	unsigned confidence = (unsigned)json_integer_value(json_object_get(one, "confidence"));
	const char *name = json_string_value(json_object_get(one, "kind"));
	enum indicator_kind kind = KIND_OTHER;
	for (int k = 0; indicator_kind_names[k]; k++)
		if (strcmp(indicator_kind_names[k], name) == 0)
			kind = (enum indicator_kind)k;
	for (int i = 0; i <= DECAY_STEPS && until_ns > seen_ns; i++) {
		int64_t at_ns = seen_ns + (until_ns - seen_ns) / DECAY_STEPS * i;
		json_array_append_new(points,
				      json_pack("[o, i]", indicators_time(at_ns),
						(int)indicator_score(kind, confidence, seen_ns, until_ns, at_ns)));
	}
	return points;
}

/* Others of the same value: who else says so. */
static int also_list(struct api_call *call, int64_t seq, const char *value, json_t *also, struct err *err)
{
	struct indicators_question question = indicators_question_of(call);
	struct indicators_listing listing = {.call = call, .array = also, .but = seq};
	question.value = value;
	question.limit = ALSO_MOST;
	return indicators_list(call->keeper->indicators, &question, clock_now_ns(), indicators_listed_take, &listing,
			       err);
}

static json_t *origin_json(const struct indicators_origin *origin)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I}", "kind", origin->kind, "name", origin->name, "by", origin->by,
			 "first", indicators_time(origin->first_ns), "time", indicators_time(origin->time_ns),
			 "versions", (json_int_t)origin->versions);
}

static json_t *array_in(json_t *object, const char *name)
{
	json_t *array = json_array();
	json_object_set_new(object, name, array);
	return array;
}

/* All that is told of it beside its values, into `answer`. */
static int life_tell(struct api_call *call, const struct indicators_origin *origin, json_t *answer, struct err *err)
{
	struct indicators *store = call->keeper->indicators;
	const struct indicators_question sees = indicators_question_of(call);
	const char *value = json_string_value(json_object_get(answer, "value"));
	char *text = NULL;
	enum tlp tlp;
	int result = collections_of(call, origin->seq, array_in(answer, "collections"), err);
	if (result == 0)
		result = also_list(call, origin->seq, value, array_in(answer, "also"), err);
	if (result == 0)
		result = indicators_sightings(store, call->part, sees.most, sees.unheld, SIGHTINGS_MOST, sighting_add,
					      array_in(answer, "seen_by"), err);
	if (result == 0)
		result = changes_of(call, array_in(answer, "changes"), err);
	if (result == 0)
		result = releases_of(call, value, array_in(answer, "releases"), err);
	if (result == 0)
		result = indicators_object_text(store, call->part, &text, &tlp, err);
	json_t *object = text ? json_loads(text, 0, NULL) : NULL;
	free(text);
	json_object_set_new(answer, "object", object ? object : json_null());
	return result;
}

static int one_answer(struct api_call *call, const struct indicators_origin *origin, json_t *values, struct err *err)
{
	json_t *answer = json_copy(json_array_get(values, 0));
	json_object_set(answer, "values", values);
	json_object_set_new(answer, "origin", origin_json(origin));
	json_object_set_new(answer, "decay", decay_json(answer));
	json_object_set_new(answer, "lists", json_integer((json_int_t)warning_lists_count(call->keeper->warnings)));
	int result = life_tell(call, origin, answer, err);
	if (result == 0)
		return api_json(call, 200, answer);
	json_decref(answer);
	return result;
}

/* Its values as the asker sees them; empty: it is not there for the asker. */
static int values_read(struct api_call *call, struct indicators_origin *origin, json_t *values, struct err *err)
{
	int result = indicators_origin(call->keeper->indicators, call->part, origin, err);
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	struct indicators_question question = indicators_question_of(call);
	struct indicators_listing listing = {.call = call, .array = values, .only = origin->seq};
	question.before_seq = origin->seq + 1;
	question.limit = 1;
	result = indicators_list(call->keeper->indicators, &question, clock_now_ns(), indicators_listed_take, &listing,
				 err);
	return result < 0 ? result : 0;
}

int api_indicator_get(struct api_call *call, struct err *err)
{
	struct indicators_origin origin;
	json_t *values = json_array();
	int result = values_read(call, &origin, values, err);
	if (result == 0)
		result = json_array_size(values) == 0 ? refuse_indicator(call) : one_answer(call, &origin, values, err);
	json_decref(values);
	return result;
}

/* -1: none that people set. */
static int state_read(const json_t *body)
{
	static const enum indicator_state allowed[] = {STATE_ACTIVE, STATE_EXPIRED, STATE_FALSE_POSITIVE};
	const char *name = json_string_value(json_object_get(body, "state"));
	for (size_t i = 0; name && i < sizeof allowed / sizeof *allowed; i++)
		if (strcmp(indicator_state_names[allowed[i]], name) == 0)
			return (int)allowed[i];
	return -1;
}

int api_indicator_state(struct api_call *call, struct err *err)
{
	struct indicators_origin origin;
	json_t *body = NULL, *values = json_array();
	int result = api_body(call, &body, err);
	int state = result == 0 ? state_read(body) : -1;
	json_decref(body);
	if (result == 0 && state < 0)
		result = err_set(err, -EINVAL, "state: active, expired or false-positive was expected");
	if (result == 0)
		result = values_read(call, &origin, values, err);
	bool there = json_array_size(values) > 0;
	bool over = state == STATE_ACTIVE &&
		    time_read(json_object_get(json_array_get(values, 0), "until")) <= clock_now_ns();
	json_decref(values);
	if (result < 0)
		return result;
	if (!there)
		return refuse_indicator(call);
	if (over)
		return api_refuse(call, 409, "over", "its time is over: import it again to make it live on",
				  "期限が過ぎています。もう一度取り込むと有効になります");
	result = indicators_state_set(call->keeper->indicators, call->part, (enum indicator_state)state, err);
	return result < 0 ? result : api_indicator_get(call, err);
}
