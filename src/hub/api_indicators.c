/* Indicators as lists, for the people who work with them: asked by what they say, newest first. */
#include "hub/api_indicators.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "share/warning.h"
#include "wire/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_USUAL = 100, LIST_MOST = 1000 };

bool indicators_all_seen(const struct api_call *call)
{
	return call->role == ROLE_OPERATOR || call->role == ROLE_ADMIN;
}

struct indicators_question indicators_question_of(const struct api_call *call)
{
	bool all = indicators_all_seen(call);
	return (struct indicators_question){
		.kind = -1, .state = -1, .most = all ? TLP_RED : TLP_AMBER_STRICT, .unheld = !all};
}

json_t *indicators_time(int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];
	return time_ns > 0 ? json_string(time_format(time_ns, text)) : json_null();
}

static json_t *listed_json(const struct indicators_listing *listing, const struct indicators_listed *listed)
{
	const struct indicator_value value = {listed->kind, listed->value, strlen(listed->value), true};
	const char *warning = warning_lists_find(listing->call->keeper->warnings, &value);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:I, s:s, s:s, s:s?, s:f}", "id",
			 listed->id, "seq", (json_int_t)listed->seq, "kind", indicator_kind_names[listed->kind],
			 "value", listed->value, "tlp", tlp_names[listed->tlp], "state",
			 indicator_state_names[listed->state], "confidence", (int)listed->confidence, "score",
			 (int)listed->score, "from", indicators_time(listed->from_ns), "until",
			 indicators_time(listed->until_ns), "seen", indicators_time(listed->seen_ns), "sightings",
			 (json_int_t)listed->sightings, "source_kind", listed->source_kind ? listed->source_kind : "",
			 "source", listed->source_name ? listed->source_name : "", "warning",
			 warning ? warning : listed->warning, "speed", indicator_decay_speed(listed->kind));
}

/* 1 ends the reading. */
int indicators_listed_take(void *context, const struct indicators_listed *listed)
{
	struct indicators_listing *listing = context;
	if (listing->only && listed->seq != listing->only)
		return 1;
	if (listed->seq == listing->but)
		return 0;
	listing->last_seq = listed->seq;
	json_t *json = listed_json(listing, listed);
	return json && json_array_append_new(listing->array, json) == 0 ? 0 : -ENOMEM;
}

/* A choice by its name; -1 where none was asked for, -EINVAL. */
static int choice(const struct api_call *call, const char *argument, const char *const *names, int *ret_choice,
		  struct err *err)
{
	char text[32];
	*ret_choice = -1;
	if (!api_argument(call, argument, text, sizeof text) || !text[0])
		return 0;
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], text) == 0)
			*ret_choice = i;
	return *ret_choice >= 0 ? 0 : err_set(err, -EINVAL, "%s: there is no '%.32s'", argument, text);
}

/* What a question points to. */
struct asked {
	struct indicators_question question;
	char value[INDICATORS_VALUE_BYTES_MAX + 1], part[INDICATORS_VALUE_BYTES_MAX + 1], source[32];
};

/* Part of a value, as people write it: a whole one in its normal form, else as it is, in small letters. */
static const char *part_asked(const struct api_call *call, char part[INDICATORS_VALUE_BYTES_MAX + 1])
{
	char text[INDICATORS_VALUE_BYTES_MAX + 1], normal[VALUE_BYTES_MAX + 1];
	enum value_kind kind;
	size_t bytes;
	if (!api_argument(call, "find", text, sizeof text) || !text[0])
		return NULL;
	bool whole = value_guess(text, strlen(text), &kind, normal, &bytes, NULL) == 0;
	snprintf(part, INDICATORS_VALUE_BYTES_MAX + 1, "%s", whole ? normal : text);
	for (char *letter = part; *letter; letter++)
		*letter = (char)tolower((unsigned char)*letter);
	return part;
}

static int question_read(const struct api_call *call, struct asked *asked, struct err *err)
{
	char before[32];
	int tlp = -1;
	struct indicators_question *question = &asked->question;
	*question = indicators_question_of(call);
	int result = choice(call, "kind", indicator_kind_names, &question->kind, err);
	if (result == 0)
		result = choice(call, "state", indicator_state_names, &question->state, err);
	if (result == 0)
		result = choice(call, "tlp", tlp_names, &tlp, err);
	question->tlps = tlp < 0 ? 0 : 1U << tlp;
	if (api_argument(call, "value", asked->value, sizeof asked->value) && asked->value[0])
		question->value = asked->value;
	if (api_argument(call, "source", asked->source, sizeof asked->source) && asked->source[0])
		question->source = asked->source;
	question->part = part_asked(call, asked->part);
	if (api_argument(call, "before", before, sizeof before))
		question->before_seq = strtoll(before, NULL, 10);
	question->least_score = api_argument_number(call, "score", 0, 100);
	question->least_confidence = api_argument_number(call, "confidence", 0, 100);
	question->unwarned = api_argument_flag(call, "unwarned");
	question->limit = api_argument_number(call, "limit", LIST_USUAL, LIST_MOST);
	if (question->limit == 0)
		question->limit = LIST_USUAL;
	return result;
}

int api_indicators_get(struct api_call *call, struct err *err)
{
	struct asked asked;
	struct indicators_listing listing = {.call = call, .array = json_array()};
	int result = question_read(call, &asked, err);
	if (result == 0)
		result = indicators_list(call->keeper->indicators, &asked.question, clock_now_ns(),
					 indicators_listed_take, &listing, err);
	if (result < 0) {
		json_decref(listing.array);
		return result;
	}
	bool more = json_array_size(listing.array) >= asked.question.limit;
	json_t *next = more ? json_integer((json_int_t)listing.last_seq) : json_null();
	return api_json(call, 200, json_pack("{s:o, s:o}", "indicators", listing.array, "next", next));
}
