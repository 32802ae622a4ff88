/* See cnc.h. */
#include "analyze/cnc/cnc.h"

#include "analyze/cnc/detector.h"
#include "analyze/cnc/model.h"
#include "analyze/cnc/sight.h"
#include "analyze/cnc/spread.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct cnc_detector cnc_detector_common, cnc_detector_regular, cnc_detector_quiet, cnc_detector_order,
	cnc_detector_spread, cnc_detector_learned;
const struct cnc_detector *const cnc_detectors[] = {&cnc_detector_common,
						    &cnc_detector_regular,
						    &cnc_detector_quiet,
						    &cnc_detector_order,
						    &cnc_detector_spread,
						    &cnc_detector_learned,
						    NULL};

static const float ground_least = 0.15f; /* what a detector says below it is no ground */

struct cnc {
	struct cnc_sight *sight;
	struct shelf infected; /* struct addr */
	struct cnc_inside inside;
	struct cnc_model model;
	bool learned; /* there is a model */
};

int cnc_new(const struct cnc_options *options, struct cnc **ret_cnc, struct err *err)
{
	struct cnc *cnc = calloc(1, sizeof *cnc);
	if (!cnc)
		return err_set(err, -ENOMEM, "no memory to remember flows");
	uint32_t parts = options->parts ? options->parts : 1;
	cnc->sight = cnc_sight_new(options->pairs_max, options->until_ns);
	if (!cnc->sight || shelf_init(&cnc->infected, sizeof(struct addr), sizeof(struct addr), 1 << 24) < 0) {
		cnc_free(cnc);
		return err_set(err, -ENOMEM, "no memory to remember flows");
	}
	cnc->sight->part = options->part % parts;
	cnc->sight->parts = parts;
	*ret_cnc = cnc;
	return 0;
}

void cnc_free(struct cnc *cnc)
{
	if (!cnc)
		return;
	cnc_sight_free(cnc->sight);
	shelf_done(&cnc->infected);
	free(cnc);
}

int cnc_take(struct cnc *cnc, const struct batch *batch, struct err *err)
{
	return cnc_sight_take(cnc->sight, batch, err);
}

int cnc_merge(struct cnc *cnc, const struct cnc *other, struct err *err)
{
	return cnc_sight_merge(cnc->sight, other->sight) == 0
		       ? 0
		       : err_set(err, -ENOMEM, "no room for what another part has seen");
}

int cnc_infected(struct cnc *cnc, const struct addr *addr, struct err *err)
{
	bool is_new;
	uint32_t number = shelf_add(&cnc->infected, addr, shelf_hash(&cnc->infected, addr), &is_new);
	return number == SHELF_NONE ? err_set(err, -ENOMEM, "no room for another infected host") : 0;
}

int cnc_learn(struct cnc *cnc, const char *model, size_t bytes, struct err *err)
{
	int result = cnc_model_parse(model, bytes, &cnc->model, err);
	cnc->learned = result == 0;
	return result;
}

int cnc_inside(struct cnc *cnc, const struct prefix *prefix, struct err *err)
{
	if (!cnc->inside.told)
		cnc->inside.count = 0;
	cnc->inside.told = true;
	if (cnc->inside.count == CNC_NETWORKS_MAX)
		return err_set(err, -ENOSPC, "more than %d networks", CNC_NETWORKS_MAX);
	cnc->inside.networks[cnc->inside.count++] = *prefix;
	return 0;
}

struct cnc_figures cnc_figures(const struct cnc *cnc)
{
	const struct cnc_sight *sight = cnc->sight;
	bool any = sight->begin_ms != UINT32_MAX;
	return (struct cnc_figures){
		.flows = sight->flows,
		.passed = sight->passed,
		.refused = sight->clients.refused + sight->services.refused + sight->pairs.refused,
		.clients = sight->clients.count,
		.services = sight->services.count,
		.pairs = sight->pairs.count,
		.bytes = cnc_sight_bytes(sight),
		.first_ns = any ? cnc_sight_ns(sight, sight->begin_ms) : 0,
		.last_ns = any ? cnc_sight_ns(sight, sight->end_ms) : 0,
	};
}

static bool host_add(struct shelf *hosts, const struct cnc_inside *inside, const struct addr *addr)
{
	bool is_new;
	return cnc_inside_has(inside, addr) || shelf_add(hosts, addr, shelf_hash(hosts, addr), &is_new) != SHELF_NONE;
}

int cnc_outside_hosts(const struct cnc *cnc, uint32_t *ret_hosts, struct err *err)
{
	const struct cnc_sight *sight = cnc->sight;
	struct cnc_inside inside = cnc->inside;
	struct shelf hosts = {0};
	bool room = cnc_inside_infer(&inside, sight) == 0 &&
		    shelf_init(&hosts, sizeof(struct addr), sizeof(struct addr), SHELF_MOST) == 0;
	for (uint32_t i = 0; room && i < sight->clients.count; i++)
		room = host_add(&hosts, &inside, &cnc_client_at(sight, i)->addr);
	for (uint32_t i = 0; room && i < sight->services.count; i++)
		room = host_add(&hosts, &inside, &cnc_service_at(sight, i)->addr);
	if (room)
		*ret_hosts = hosts.count;
	shelf_done(&hosts);
	return room ? 0 : err_set(err, -ENOMEM, "no memory to count hosts");
}

const char *cnc_span_format(float seconds, char text[16])
{
	if (seconds < 120)
		snprintf(text, 16, seconds < 10 ? "%.1f s" : "%.0f s", (double)seconds);
	else if (seconds < 7200)
		snprintf(text, 16, "%.1f min", (double)seconds / 60);
	else
		snprintf(text, 16, "%.1f h", (double)seconds / 3600);
	return text;
}

/* --- one line ---------------------------------------------------------------------------------------------------- */

static json_t *ground_json(const struct cnc_cases *cases, const struct cnc_case *item, size_t detector)
{
	struct cnc_text text = {"", ""};
	json_t *evidence = cnc_detectors[detector]->explain(cases, item, &text);
	return json_pack("{s:s, s:f, s:s, s:s, s:o}", "detector", cnc_detectors[detector]->name, "score",
			 (double)item->scores[detector], "text", text.en, "text_ja", text.ja, "evidence", evidence);
}

/* The strongest first; what the ranking has learnt, last of those that count for nothing. */
static json_t *grounds_json(const struct cnc_cases *cases, const struct cnc_case *item, bool explain)
{
	json_t *grounds = json_array();
	bool told[CNC_JUDGES + 1] = {false};
	for (;;) {
		int next = -1;
		for (int d = CNC_JUDGES; d >= 0; d--)
			if (!told[d] && (next < 0 || item->scores[d] > item->scores[next]))
				next = d;
		if (next >= 0 && !explain && item->scores[next] < ground_least)
			next = json_array_size(grounds) == 0 ? CNC_JUDGES : -1;
		if (next < 0)
			return grounds;
		told[next] = true;
		if (json_array_append_new(grounds, ground_json(cases, item, (size_t)next)) < 0) {
			json_decref(grounds);
			return NULL;
		}
	}
}

static json_t *case_json(const struct cnc_cases *cases, const struct cnc_case *item, uint32_t rank, bool explain)
{
	const struct cnc_sight *sight = cases->sight;
	const struct cnc_service *service = cnc_service_at(sight, item->service);
	char address[ADDR_TEXT_BYTES], first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
	json_t *line = json_pack(
		"{s:s, s:i, s:s, s:f, s:i, s:i, s:s, s:s, s:o}", "address", addr_format(&service->addr, address),
		"port", service->port, "protocol", service->protocol == 17 ? "udp" : "tcp", "score",
		(double)item->score, "rank", (int)rank, "clients", (int)item->clients, "first",
		time_format(cnc_sight_ns(sight, item->first_ms), first), "last",
		time_format(cnc_sight_ns(sight, item->last_ms), last), "grounds", grounds_json(cases, item, explain));
	if (line && explain) {
		json_t *features = json_object();
		for (int i = 0; i < CNC_FEATURES; i++)
			json_object_set_new(features, cnc_feature_names[i], json_real((double)item->features[i]));
		json_object_set_new(line, "features", features);
	}
	return line;
}

/* --- the ranking ------------------------------------------------------------------------------------------------- */

static uint8_t *marks_make(const struct cnc *cnc, const struct cnc_inside *inside, const struct cnc_actions *actions)
{
	const struct cnc_sight *sight = cnc->sight;
	uint8_t *marks = calloc((size_t)sight->clients.count + 1, 1);
	for (uint32_t i = 0; marks && i < sight->clients.count; i++) {
		const struct cnc_client *client = cnc_client_at(sight, i);
		uint64_t hash = shelf_hash(&cnc->infected, &client->addr);
		if (shelf_find(&cnc->infected, &client->addr, hash) != SHELF_NONE)
			marks[i] |= CNC_MARK_INFECTED;
		if (cnc_inside_has(inside, &client->addr))
			marks[i] |= CNC_MARK_INSIDE | (actions->first[i + 1] > actions->first[i] ? CNC_MARK_ACTOR : 0);
	}
	return marks;
}

static int case_order(const void *one, const void *other)
{
	const struct cnc_case *a = one, *b = other;
	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return (a->service > b->service) - (a->service < b->service);
}

static void cases_score(struct cnc_cases *cases)
{
	for (uint32_t i = 0; i < cases->count; i++) {
		struct cnc_case *item = &cases->cases[i];
		float none = 1;
		for (int d = 0; cnc_detectors[d]; d++) {
			float score = cnc_detectors[d]->score(cases, item);
			item->scores[d] = score < 0 ? 0 : score > 1 ? 1 : score;
			none *= 1 - item->scores[d];
		}
		item->score = cases->model ? item->scores[CNC_JUDGES] : 1 - none;
	}
}

int cnc_rank(const struct cnc *cnc, uint32_t limit, double least, bool explain, json_t **ret_ranking, struct err *err)
{
	struct cnc_cases *cases = NULL;
	json_t *ranking = json_array();
	struct cnc_inside inside = cnc->inside;
	struct cnc_actions actions = {0};
	uint8_t *marks = NULL;
	if (cnc_inside_infer(&inside, cnc->sight) == 0 && cnc_actions_find(&actions, cnc->sight) == 0)
		marks = marks_make(cnc, &inside, &actions);
	int result = ranking && marks ? 0 : err_set(err, -ENOMEM, "no memory for a ranking");
	if (result == 0)
		result = cnc_cases_new(cnc->sight, &(struct cnc_known){marks, &inside, &actions}, &cases, err);
	if (result == 0) {
		cases->model = cnc->learned ? &cnc->model : NULL;
		cases_score(cases);
		if (cnc_kin_find(cases) < 0)
			result = err_set(err, -ENOMEM, "no memory for a ranking");
		cases_score(cases);
		if (cases->count)
			qsort(cases->cases, cases->count, sizeof *cases->cases, case_order);
	}
	for (uint32_t i = 0; result == 0 && i < cases->count && (!limit || i < limit); i++)
		if ((double)cases->cases[i].score >= least &&
		    json_array_append_new(ranking, case_json(cases, &cases->cases[i], i + 1, explain)) < 0)
			result = err_set(err, -ENOMEM, "no memory for a ranking");
	cnc_cases_free(cases);
	cnc_actions_done(&actions);
	free(marks);
	if (result == 0)
		*ret_ranking = ranking;
	else
		json_decref(ranking);
	return result;
}
