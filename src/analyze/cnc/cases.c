/* See cases.h. What is rare or common is measured against what else was seen, never against a list: of ports, the
 * services that use them; of services, the clients that ask them; of a client, how many it asks at the same port.
 */
#include "analyze/cnc/cases.h"

#include "analyze/cnc/detector.h"
#include "analyze/cnc/spread.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { TCP = 6, UDP = 17 };
enum { SHARED_GAPS = 256, SHARED_LINES = 6, SHARED_CLIENTS = 4 };

const char *const cnc_feature_names[] = {
	[CNC_REGULAR] = "regular",
	[CNC_EVEN_UP] = "even_up",
	[CNC_EVEN_DOWN] = "even_down",
	[CNC_OFTEN] = "often",
	[CNC_FREQUENT] = "frequent",
	[CNC_STEADY] = "steady",
	[CNC_HELD] = "held",
	[CNC_THRIFT] = "thrift",
	[CNC_UPWARD] = "upward",
	[CNC_SMALL_PACKETS] = "small_packets",
	[CNC_ODD_PORT] = "odd_port",
	[CNC_ALONE] = "alone",
	[CNC_RARE] = "rare",
	[CNC_SHARED] = "shared",
	[CNC_IN_VAIN] = "in_vain",
	[CNC_MUTE] = "mute",
	[CNC_ACTORS] = "actors",
	[CNC_ORDERED] = "ordered",
	[CNC_YOUNG] = "young",
	[CNC_DATAGRAM] = "datagram",
	[CNC_BARE] = "bare",
	[CNC_INFECTED] = "infected",
	[CNC_NEAR] = "near",
	[CNC_INSIDE] = "inside",
	[CNC_HOSTED] = "hosted",
	[CNC_LONELY] = "lonely",
	[CNC_KIN] = "kin",
	[CNC_SELECT] = "select",
	[CNC_BEACON] = "beacon",
	[CNC_UNBROKEN] = "unbroken",
	[CNC_FEATURES] = NULL,
};

static float clamp(float value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* 0 at `none`, 1 at `full`, by the logarithm. */
static float on_log(float value, float none, float full)
{
	return value <= 0 ? 0 : clamp(logf(value / none) / logf(full / none));
}

float cnc_client_weight(const struct cnc_cases *cases, uint32_t client)
{
	return 1 - 0.95f * on_log((float)cases->usual.asked[client], 10, 1000);
}

/* --- one pair ---------------------------------------------------------------------------------------------------- */

static float pair_steady(const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	const struct cnc_client *client = cnc_client_at(sight, pair->client);
	uint32_t from = client->first_ms / sight->slot_ms, to = client->last_ms / sight->slot_ms;
	float share = (float)__builtin_popcount(pair->slots) / (float)(to - from + 1);
	/* of a client that was seen for minutes it says little */
	return share * (0.4f + 0.6f * on_log((float)(client->last_ms - client->first_ms) / 1000, 120, 21600));
}

static float pair_held(const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	const struct cnc_client *client = cnc_client_at(sight, pair->client);
	float seconds = cnc_size_count(pair->longest) / 1000,
	      window_s = (float)(client->last_ms - client->first_ms) / 1000;
	if (seconds < 30 || window_s <= 0)
		return 0;
	float pace = (pair->up_bytes + pair->down_bytes) / seconds;
	return clamp(seconds / window_s) * on_log(seconds, 20, 600) * (1 - on_log(pace, 100, 20000));
}

/* Connections of bots break, with their servers and their hosts; what never does is infrastructure. */
static float pair_unbroken(const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	float longest_s = cnc_size_count(pair->longest) / 1000,
	      window_s = (float)(sight->end_ms - sight->begin_ms) / 1000;
	return longest_s >= 0.97f * window_s ? on_log(window_s, 3600, 43200) : 0;
}

struct pair_view {
	const struct cnc_pair *pair;
	struct cnc_rhythm rhythm;
	float worth; /* how telling it is: which pair speaks for the service */
	float held, unbroken, steady, per_hour, alone, select;
};

/* --- one service ------------------------------------------------------------------------------------------------- */

static void pair_look(const struct cnc_cases *cases, const struct cnc_pair *pair, struct pair_view *view)
{
	const struct cnc_sight *sight = cases->sight;
	const struct cnc_diary *diary = cnc_pair_diary(sight, pair);
	const struct cnc_client *client = cnc_client_at(sight, pair->client);
	*view = (struct pair_view){.pair = pair, .rhythm.spread = 1};
	if (diary)
		view->rhythm = cnc_rhythm_measure(diary->start_ms, diary->up, diary->down, diary->count);
	view->held = pair_held(sight, pair);
	view->unbroken = pair_unbroken(sight, pair);
	view->steady = pair_steady(sight, pair);
	float hours = (float)(client->last_ms - client->first_ms) / 3600000;
	view->per_hour = (float)pair->touches / (hours > 0.05f ? hours : 0.05f);
	view->alone = 1 - on_log((float)cnc_alike(&cases->usual, sight, pair), 1, 30);
	view->select = 1 - on_log((float)cases->usual.odd[pair->client], 2, 60);
	view->worth = view->rhythm.regular + view->held + 0.3f * view->steady;
}

static void view_features(const struct pair_view *view, float *features)
{
	const struct cnc_pair *pair = view->pair;
	float minutes = cnc_size_count(pair->longest) / 60000; /* of an open connection, what it says in a minute */
	float parts = (float)pair->touches > minutes ? (float)pair->touches : minutes;
	float bytes = (pair->up_bytes + pair->down_bytes) / parts;
	features[CNC_REGULAR] = view->rhythm.regular;
	features[CNC_EVEN_UP] = view->rhythm.beats >= 4 ? view->rhythm.even_up : 0;
	features[CNC_EVEN_DOWN] = view->rhythm.beats >= 4 ? view->rhythm.even_down : 0;
	features[CNC_OFTEN] = on_log((float)pair->touches, 2, 1000);
	features[CNC_FREQUENT] = on_log(view->per_hour, 0.5f, 1000);
	features[CNC_STEADY] = view->steady;
	features[CNC_HELD] = view->held;
	features[CNC_UNBROKEN] = view->unbroken;
	features[CNC_THRIFT] = 1 - on_log(bytes, 64, 1 << 20);
	features[CNC_ALONE] = view->alone;
	features[CNC_SELECT] = view->select;
}

static void sums_features(const struct cnc_cases *cases, const struct cnc_service *service, struct cnc_case *item,
			  float unanswered)
{
	const struct cnc_sight *sight = cases->sight;
	float *features = item->features, bytes = item->up_bytes + item->down_bytes;
	float each = item->packets > 0 ? bytes / item->packets : 0;
	float window = (float)(sight->end_ms - sight->begin_ms);
	features[CNC_UPWARD] = bytes > 0 ? item->up_bytes / bytes : 0;
	features[CNC_SMALL_PACKETS] = 1 - on_log(each, 60, 1400);
	features[CNC_ODD_PORT] = cnc_port_oddness(&cases->usual, service);
	features[CNC_LONELY] = 1 - on_log((float)cnc_network_servers(&cases->usual, &service->addr), 1, 12);
	features[CNC_RARE] = 1 - on_log((float)item->clients, 1, 1 + (float)cases->clients);
	features[CNC_SHARED] = on_log((float)item->clients, 1, 1000);
	features[CNC_MUTE] = unanswered >= (float)item->touches;
	features[CNC_IN_VAIN] = features[CNC_MUTE] > 0 ? 0 : unanswered / (float)item->touches;
	features[CNC_YOUNG] = window > 0 ? clamp((float)(service->first_ms - sight->begin_ms) / window) : 0;
	features[CNC_DATAGRAM] = service->protocol == UDP;
	features[CNC_BARE] = clamp(2 - item->packets / (float)item->touches / 2);
}

/* More actors among the clients than among all; each weighs what it tells. */
static float excess(const struct cnc_cases *cases, const struct cnc_case *item, float weight)
{
	if (item->actors == 0)
		return 0;
	float usual = (float)cases->actors / (float)cases->clients, share = weight / (float)item->clients;
	return clamp(share - usual) * (0.6f + 0.4f * on_log((float)item->actors, 1, 10));
}

/* What those who are marked among the clients say of a service. */
static void marks_features(const struct cnc_cases *cases, struct cnc_case *item, float weight, float ordered,
			   uint32_t outside)
{
	float *features = item->features;
	features[CNC_ACTORS] = excess(cases, item, weight);
	features[CNC_ORDERED] = ordered * (0.3f + 0.7f * features[CNC_THRIFT]) * features[CNC_ACTORS];
	item->infected_chance =
		cnc_common_chance(cases->clients, cases->infected, item->clients, item->infected) * cases->tried;
	item->infected_chance = item->infected_chance < 1 ? item->infected_chance : 1;
	features[CNC_INFECTED] = item->infected ? clamp((float)(-log10(item->infected_chance + 1e-12) - 1) / 5) : 0;
	features[CNC_INSIDE] = cnc_inside_has(cases->known->inside, &cnc_service_at(cases->sight, item->service)->addr);
	features[CNC_HOSTED] = features[CNC_INSIDE] * (float)outside / (float)item->clients;
}

/* Times between contacts of the same client, of all clients: what sampling leaves of a beacon that many have. */
static void shared_rhythm(const struct cnc_cases *cases, struct cnc_case *item)
{
	float gaps_s[SHARED_GAPS];
	size_t count = 0;
	uint32_t clients = 0;
	for (uint32_t i = 0; i < item->pairs && count < SHARED_GAPS; i++) {
		const struct cnc_pair *pair = cnc_pair_at(cases->sight, cases->pairs[item->first_pair + i]);
		const struct cnc_diary *diary = cnc_pair_diary(cases->sight, pair);
		uint32_t lines = !diary ? 0 : diary->count < SHARED_LINES ? diary->count : SHARED_LINES;
		for (uint32_t line = 1; line < lines && count < SHARED_GAPS; line++) {
			int64_t gap_ms = (int64_t)diary->start_ms[line] - diary->start_ms[line - 1];
			gaps_s[count++] = (float)(gap_ms < 0 ? -gap_ms : gap_ms) / 1000;
		}
		clients += lines > 1;
	}
	if (clients >= SHARED_CLIENTS)
		item->shared_phase = cnc_rhythm_shared(gaps_s, count, &item->shared_period_s);
}

static float beacon(const float *features)
{
	float even = features[CNC_EVEN_UP] > features[CNC_EVEN_DOWN] ? features[CNC_EVEN_UP] : features[CNC_EVEN_DOWN];
	return features[CNC_REGULAR] * (0.5f + 0.5f * even) * (0.3f + 0.7f * features[CNC_FREQUENT]) *
	       (1 - features[CNC_MUTE]) * (1 - features[CNC_DATAGRAM] * features[CNC_BARE]);
}

static void case_make(struct cnc_cases *cases, struct cnc_case *item)
{
	const struct cnc_sight *sight = cases->sight;
	const struct cnc_service *service = cnc_service_at(sight, item->service);
	struct pair_view best = {0};
	float unanswered = 0, unmoved = 1, weight = 0;
	uint32_t outside = 0;
	item->first_ms = service->first_ms;
	for (uint32_t i = 0; i < item->pairs; i++) {
		const struct cnc_pair *pair = cnc_pair_at(sight, cases->pairs[item->first_pair + i]);
		struct pair_view view;
		if (pair->touches == 0)
			continue;
		pair_look(cases, pair, &view);
		if (!best.pair || view.worth > best.worth)
			best = view;
		item->clients++;
		item->touches += pair->touches;
		item->last_ms = pair->last_ms > item->last_ms ? pair->last_ms : item->last_ms;
		float longest_ms = cnc_size_count(pair->longest);
		item->longest_ms = longest_ms > item->longest_ms ? longest_ms : item->longest_ms;
		item->up_bytes += pair->up_bytes;
		item->down_bytes += pair->down_bytes;
		item->packets += cnc_size_count(pair->packets);
		uint8_t marks = cases->known->marks[pair->client];
		item->infected += marks & CNC_MARK_INFECTED ? 1 : 0;
		outside += !(marks & CNC_MARK_INSIDE);
		unanswered += pair->unanswered;
		if (!(marks & CNC_MARK_ACTOR))
			continue;
		float moved = cnc_actions_after(cases->known->actions, sight, pair);
		item->actors++;
		weight += cnc_client_weight(cases, pair->client);
		item->ordered += moved > 0;
		unmoved *= 1 - 0.7f * moved;
	}
	if (!best.pair)
		return;
	item->rhythm = best.rhythm;
	view_features(&best, item->features);
	sums_features(cases, service, item, unanswered);
	if (best.rhythm.regular < 0.5f)
		shared_rhythm(cases, item);
	float *regular = &item->features[CNC_REGULAR];
	*regular = item->shared_phase > *regular ? item->shared_phase : *regular;
	item->features[CNC_BEACON] = beacon(item->features);
	marks_features(cases, item, weight, 1 - unmoved, outside);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

/* Of no interest: what was asked once or twice and shortly. */
static bool service_counts(const struct cnc_cases *cases, const uint32_t *begin, const uint32_t *end)
{
	uint32_t touches = 0;
	for (const uint32_t *at = begin; at < end; at++) {
		const struct cnc_pair *pair = cnc_pair_at(cases->sight, *at);
		touches += pair->touches;
		if (cnc_size_count(pair->longest) >= 60000)
			return true;
	}
	return touches >= 3;
}

static int pairs_sort(struct cnc_cases *cases, uint32_t **ret_ends)
{
	const struct cnc_sight *sight = cases->sight;
	uint32_t *ends = calloc((size_t)sight->services.count + 1, sizeof *ends);
	cases->pairs = calloc((size_t)sight->pairs.count + 1, sizeof *cases->pairs);
	*ret_ends = ends;
	if (!ends || !cases->pairs)
		return -ENOMEM;
	for (uint32_t i = 0; i < sight->pairs.count; i++)
		ends[cnc_pair_at(sight, i)->service + 1]++;
	for (uint32_t i = 0; i < sight->services.count; i++)
		ends[i + 1] += ends[i];
	/* ends[s] is where s begins, and moves on to where it ends */
	for (uint32_t i = 0; i < sight->pairs.count; i++)
		cases->pairs[ends[cnc_pair_at(sight, i)->service]++] = i;
	return 0;
}

static int cases_gather(struct cnc_cases *cases, const uint32_t *ends)
{
	const struct cnc_sight *sight = cases->sight;
	uint32_t wanted = 0;
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0, begin = 0; i < sight->services.count; begin = ends[i++]) {
			uint8_t protocol = cnc_service_at(sight, i)->protocol;
			if ((protocol != TCP && protocol != UDP) ||
			    !service_counts(cases, cases->pairs + begin, cases->pairs + ends[i]))
				continue;
			if (round == 0)
				wanted++;
			else
				cases->cases[cases->count++] =
					(struct cnc_case){.service = i, .first_pair = begin, .pairs = ends[i] - begin};
		}
		if (round == 0 && !(cases->cases = calloc((size_t)wanted + 1, sizeof *cases->cases)))
			return -ENOMEM;
	}
	return 0;
}

/* Pairs of the infected: an upper bound of the services that they asked, which only makes the test stricter. */
static uint32_t tried_count(const struct cnc_sight *sight, const uint8_t *marks)
{
	uint32_t tried = 0;
	for (uint32_t i = 0; i < sight->pairs.count; i++)
		tried += marks[cnc_pair_at(sight, i)->client] & CNC_MARK_INFECTED ? 1 : 0;
	return tried < sight->services.count ? tried : sight->services.count;
}

static int cases_fill(struct cnc_cases *cases)
{
	const struct cnc_sight *sight = cases->sight;
	uint32_t *ends = NULL;
	int result = pairs_sort(cases, &ends);
	if (result == 0)
		result = cnc_usual_new(&cases->usual, sight);
	for (uint32_t i = 0; i < sight->clients.count; i++) {
		cases->clients++;
		cases->actors += cases->known->marks[i] & CNC_MARK_ACTOR ? 1 : 0;
		cases->infected += cases->known->marks[i] & CNC_MARK_INFECTED ? 1 : 0;
	}
	cases->tried = tried_count(sight, cases->known->marks);
	if (result == 0)
		result = cases_gather(cases, ends);
	for (uint32_t i = 0; result == 0 && i < cases->count; i++)
		case_make(cases, &cases->cases[i]);
	if (result == 0)
		result = cnc_spread(cases);
	free(ends);
	return result;
}

int cnc_cases_new(const struct cnc_sight *sight, const struct cnc_known *known, struct cnc_cases **ret_cases,
		  struct err *err)
{
	struct cnc_cases *cases = calloc(1, sizeof *cases);
	if (!cases)
		return err_set(err, -ENOMEM, "no memory for what was seen of services");
	cases->sight = sight;
	cases->known = known;
	if (cases_fill(cases) < 0) {
		cnc_cases_free(cases);
		return err_set(err, -ENOMEM, "no memory for what was seen of services");
	}
	*ret_cases = cases;
	return 0;
}

void cnc_cases_free(struct cnc_cases *cases)
{
	if (!cases)
		return;
	free(cases->cases);
	free(cases->pairs);
	cnc_usual_done(&cases->usual);
	free(cases);
}
