/* See cases.h. What is rare or common is measured against what else was seen, never against a list: of ports, the
 * services that use them; of services, the clients that ask them; of a client, how many it asks at the same port.
 */
#include "analyze/cnc/cases.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { TCP = 6, UDP = 17, PORTS = 2 << 16 };

const char *const cnc_feature_names[] = {"regular", "even_up",  "even_down", "often",         "frequent", "steady",
					 "held",    "thrift",   "upward",    "small_packets", "odd_port", "alone",
					 "rare",    "shared",   "in_vain",   "mute",          "actors",   "ordered",
					 "young",   "datagram", "bare",      "infected",      "near",     NULL};

static float clamp(float value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* 0 at `none`, 1 at `full`, by the logarithm. */
static float on_log(float value, float none, float full)
{
	return value <= 0 ? 0 : clamp(logf(value / none) / logf(full / none));
}

static uint32_t port_index(const struct cnc_service *service)
{
	return (service->protocol == UDP ? 1u << 16 : 0) | service->port;
}

/* --- one pair ---------------------------------------------------------------------------------------------------- */

static float pair_steady(const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	const struct cnc_client *client = cnc_client_at(sight, pair->client);
	uint32_t from = client->first_ms > sight->begin_ms ? (client->first_ms - sight->begin_ms) / sight->slot_ms : 0;
	uint32_t to = (client->last_ms - sight->begin_ms) / sight->slot_ms;
	to = to < CNC_SLOTS ? to : CNC_SLOTS - 1;
	return from > to ? 0 : (float)__builtin_popcount(pair->slots) / (float)(to - from + 1);
}

static float pair_held(const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	const struct cnc_client *client = cnc_client_at(sight, pair->client);
	float seconds = (float)pair->longest_ms / 1000, window_s = (float)(client->last_ms - client->first_ms) / 1000;
	if (seconds < 30 || window_s <= 0)
		return 0;
	float pace = (pair->up_bytes + pair->down_bytes) / seconds;
	return clamp(seconds / window_s) * on_log(seconds, 20, 600) * (1 - on_log(pace, 100, 20000));
}

struct pair_view {
	const struct cnc_pair *pair;
	struct cnc_rhythm rhythm;
	float worth; /* how telling it is: which pair speaks for the service */
	float held, steady, per_hour, alone;
};

/* --- one service ------------------------------------------------------------------------------------------------- */

/* How many services of the same port each client asks: (client, port) counted in a table of sketches. */
struct fans {
	uint16_t *counts;
	uint32_t mask;
};

static uint16_t *fan_of(const struct fans *fans, uint32_t client, uint32_t port)
{
	return &fans->counts[hash_u64((uint64_t)client << 20 ^ port) & fans->mask];
}

static void pair_look(const struct cnc_cases *cases, const struct fans *fans, const struct cnc_pair *pair,
		      struct pair_view *view)
{
	const struct cnc_sight *sight = cases->sight;
	const struct cnc_diary *diary = cnc_pair_diary(sight, pair);
	const struct cnc_client *client = cnc_client_at(sight, pair->client);
	*view = (struct pair_view){.pair = pair, .rhythm.spread = 1};
	if (diary)
		view->rhythm = cnc_rhythm_measure(diary->start_ms, diary->up, diary->down, diary->count);
	view->held = pair_held(sight, pair);
	view->steady = pair_steady(sight, pair);
	float hours = (float)(client->last_ms - client->first_ms) / 3600000;
	view->per_hour = (float)pair->touches / (hours > 0.05f ? hours : 0.05f);
	uint16_t fan = *fan_of(fans, pair->client, port_index(cnc_service_at(sight, pair->service)));
	view->alone = 1 - on_log((float)fan, 1, 30);
	view->worth = view->rhythm.regular + view->held + 0.3f * view->steady;
}

static void view_features(const struct pair_view *view, float *features)
{
	const struct cnc_pair *pair = view->pair;
	float bytes = (pair->up_bytes + pair->down_bytes) / (float)pair->touches;
	features[CNC_REGULAR] = view->rhythm.regular;
	features[CNC_EVEN_UP] = view->rhythm.beats >= 4 ? view->rhythm.even_up : 0;
	features[CNC_EVEN_DOWN] = view->rhythm.beats >= 4 ? view->rhythm.even_down : 0;
	features[CNC_OFTEN] = on_log((float)pair->touches, 2, 1000);
	features[CNC_FREQUENT] = on_log(view->per_hour, 0.5f, 1000);
	features[CNC_STEADY] = view->steady;
	features[CNC_HELD] = view->held;
	features[CNC_THRIFT] = 1 - on_log(bytes, 64, 1 << 20);
	features[CNC_ALONE] = view->alone;
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
	features[CNC_ODD_PORT] =
		1 - on_log((float)cases->port_services[port_index(service)], 1, 2 + (float)sight->services.count / 4);
	features[CNC_RARE] = 1 - on_log((float)item->clients, 1, 1 + (float)cases->clients);
	features[CNC_SHARED] = on_log((float)item->clients, 1, 1000);
	features[CNC_MUTE] = unanswered >= (float)item->touches;
	features[CNC_IN_VAIN] = features[CNC_MUTE] > 0 ? 0 : unanswered / (float)item->touches;
	features[CNC_YOUNG] = window > 0 ? clamp((float)(service->first_ms - sight->begin_ms) / window) : 0;
	features[CNC_DATAGRAM] = service->protocol == UDP;
	features[CNC_BARE] = clamp(2 - item->packets / (float)item->touches / 2);
}

/* More actors among the clients than among all: by the excess over chance, in standard deviations. */
static float excess(uint32_t marked, uint32_t clients, uint32_t marked_all, uint32_t all)
{
	if (marked == 0 || all == 0)
		return 0;
	float share = (float)marked_all / (float)all, expected = share * (float)clients;
	return clamp(((float)marked - expected) / (float)clients) * clamp(1 - share) *
	       (0.6f + 0.4f * on_log((float)marked, 1, 10));
}

static void case_make(struct cnc_cases *cases, const struct fans *fans, struct cnc_case *item)
{
	const struct cnc_sight *sight = cases->sight;
	const struct cnc_service *service = cnc_service_at(sight, item->service);
	struct pair_view best = {0};
	float unanswered = 0;
	item->first_ms = service->first_ms;
	for (uint32_t i = 0; i < item->pairs; i++) {
		const struct cnc_pair *pair = cnc_pair_at(sight, cases->pairs[item->first_pair + i]);
		struct pair_view view;
		if (pair->touches == 0)
			continue;
		pair_look(cases, fans, pair, &view);
		if (!best.pair || view.worth > best.worth)
			best = view;
		item->clients++;
		item->touches += pair->touches;
		item->last_ms = pair->last_ms > item->last_ms ? pair->last_ms : item->last_ms;
		item->longest_ms = pair->longest_ms > item->longest_ms ? pair->longest_ms : item->longest_ms;
		item->up_bytes += pair->up_bytes;
		item->down_bytes += pair->down_bytes;
		item->packets += pair->packets;
		item->infected += cases->marks && cases->marks[pair->client] & CNC_MARK_INFECTED;
		item->actors += cases->marks && cases->marks[pair->client] & CNC_MARK_ACTOR;
		unanswered += pair->unanswered;
	}
	if (!best.pair)
		return;
	item->rhythm = best.rhythm;
	view_features(&best, item->features);
	sums_features(cases, service, item, unanswered);
	item->features[CNC_ACTORS] = excess(item->actors, item->clients, cases->actors, cases->clients);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

/* Of no interest: what was asked once or twice and shortly. */
static bool service_counts(const struct cnc_cases *cases, const uint32_t *begin, const uint32_t *end)
{
	uint32_t touches = 0;
	for (const uint32_t *at = begin; at < end; at++) {
		const struct cnc_pair *pair = cnc_pair_at(cases->sight, *at);
		touches += pair->touches;
		if (pair->longest_ms >= 60000)
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

static int fans_count(const struct cnc_sight *sight, struct fans *fans)
{
	uint32_t slots = 1 << 12;
	while (slots < sight->pairs.count * 2 && slots < 1u << 27)
		slots *= 2;
	fans->mask = slots - 1;
	fans->counts = calloc(slots, sizeof *fans->counts);
	if (!fans->counts)
		return -ENOMEM;
	for (uint32_t i = 0; i < sight->pairs.count; i++) {
		const struct cnc_pair *pair = cnc_pair_at(sight, i);
		uint16_t *fan = fan_of(fans, pair->client, port_index(cnc_service_at(sight, pair->service)));
		*fan += *fan < UINT16_MAX && pair->unanswered < pair->touches;
	}
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

static int cases_fill(struct cnc_cases *cases)
{
	const struct cnc_sight *sight = cases->sight;
	struct fans fans = {0};
	uint32_t *ends = NULL;
	int result = pairs_sort(cases, &ends);
	cases->port_services = calloc(PORTS, sizeof *cases->port_services);
	if (result == 0)
		result = cases->port_services ? fans_count(sight, &fans) : -ENOMEM;
	for (uint32_t i = 0; result == 0 && i < sight->services.count; i++)
		cases->port_services[port_index(cnc_service_at(sight, i))]++;
	for (uint32_t i = 0; i < sight->clients.count; i++) {
		cases->clients++;
		cases->actors += cases->marks && cases->marks[i] & CNC_MARK_ACTOR;
		cases->infected += cases->marks && cases->marks[i] & CNC_MARK_INFECTED;
	}
	if (result == 0)
		result = cases_gather(cases, ends);
	for (uint32_t i = 0; result == 0 && i < cases->count; i++)
		case_make(cases, &fans, &cases->cases[i]);
	free(ends);
	free(fans.counts);
	return result;
}

int cnc_cases_new(const struct cnc_sight *sight, const uint8_t *marks, struct cnc_cases **ret_cases, struct err *err)
{
	struct cnc_cases *cases = calloc(1, sizeof *cases);
	if (!cases)
		return err_set(err, -ENOMEM, "no memory for what was seen of services");
	cases->sight = sight;
	cases->marks = marks;
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
	free(cases->port_services);
	free(cases);
}
