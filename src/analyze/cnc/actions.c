/* See actions.h. */
#include "analyze/cnc/actions.h"

#include <errno.h>
#include <stdlib.h>

enum { BEFORE_MS = 30000, AFTER_MS = 1000, OPEN_LEAST_MS = 60000 };
enum {
	SCAN_LEAST = 30, /* services asked in vain, each a few times, */
	SCAN_MS = 10000, /* within so short a time: a scan */
	VAIN_TOUCHES = 3,
	APART_MS = 30000,
	FLOOD_PACKETS = 2000, /* to one service, */
	FLOOD_PER_S = 100,    /* so fast, */
	ANSWERED_LEAST = 8,   /* with less than one byte in so many coming back: a flood */
};

static const float while_open = 0.5f; /* what an open connection is worth beside a contact at the moment */

static int action_order(const void *one, const void *other)
{
	const struct cnc_action *a = one, *b = other;
	if (a->client != b->client)
		return a->client < b->client ? -1 : 1;
	return (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms);
}

static bool is_flood(const struct cnc_pair *pair)
{
	float count = cnc_size_count(pair->packets);
	count = count > (float)pair->touches ? count : (float)pair->touches;
	float seconds = (float)(pair->last_ms - pair->first_ms) / 1000 + 1;
	return count >= FLOOD_PACKETS && count >= FLOOD_PER_S * seconds &&
	       pair->down_bytes * ANSWERED_LEAST <= pair->up_bytes;
}

static bool is_vain(const struct cnc_pair *pair)
{
	return pair->touches && pair->touches <= VAIN_TOUCHES && pair->unanswered >= pair->touches;
}

/* Of a client's vain contacts in order of time: the first of each series of SCAN_LEAST within SCAN_MS. */
static uint32_t scans_find(const struct cnc_action *vain, uint32_t count, struct cnc_action *found)
{
	uint32_t scans = 0;
	for (uint32_t i = 0; i + SCAN_LEAST <= count; i++) {
		const struct cnc_action *last = &vain[i + SCAN_LEAST - 1];
		if (last->client != vain[i].client || last->start_ms - vain[i].start_ms > SCAN_MS)
			continue;
		bool goes_on = scans && found[scans - 1].client == vain[i].client &&
			       vain[i].start_ms - found[scans - 1].start_ms < APART_MS;
		if (!goes_on)
			found[scans++] = vain[i];
	}
	return scans;
}

static uint32_t floods_find(const struct cnc_sight *sight, struct cnc_action *found)
{
	uint32_t floods = 0;
	for (uint32_t i = 0; i < sight->pairs.count; i++) {
		const struct cnc_pair *pair = cnc_pair_at(sight, i);
		if (is_flood(pair))
			found[floods++] = (struct cnc_action){pair->client, pair->first_ms, pair->service, false};
	}
	return floods;
}

int cnc_actions_find(struct cnc_actions *actions, const struct cnc_sight *sight)
{
	uint32_t vain_count = 0, most = 0;
	for (uint32_t i = 0; i < sight->pairs.count; i++) {
		vain_count += is_vain(cnc_pair_at(sight, i));
		most += is_flood(cnc_pair_at(sight, i));
	}
	struct cnc_action *vain = calloc((size_t)vain_count + 1, sizeof *vain);
	actions->sorted = calloc((size_t)vain_count + most + 1, sizeof *actions->sorted);
	actions->first = calloc((size_t)sight->clients.count + 1, sizeof *actions->first);
	if (!vain || !actions->sorted || !actions->first) {
		free(vain);
		cnc_actions_done(actions);
		return -ENOMEM;
	}
	vain_count = 0;
	for (uint32_t i = 0; i < sight->pairs.count; i++) {
		const struct cnc_pair *pair = cnc_pair_at(sight, i);
		if (is_vain(pair))
			vain[vain_count++] = (struct cnc_action){pair->client, pair->first_ms, pair->service, true};
	}
	qsort(vain, vain_count, sizeof *vain, action_order);
	actions->count = scans_find(vain, vain_count, actions->sorted);
	actions->count += floods_find(sight, actions->sorted + actions->count);
	qsort(actions->sorted, actions->count, sizeof *actions->sorted, action_order);
	free(vain);
	for (uint32_t client = 0, at = 0; client <= sight->clients.count; client++) {
		while (at < actions->count && actions->sorted[at].client < client)
			at++;
		actions->first[client] = at;
	}
	return 0;
}

void cnc_actions_done(struct cnc_actions *actions)
{
	free(actions->sorted);
	free(actions->first);
	*actions = (struct cnc_actions){0};
}

static bool contact_before(const struct cnc_diary *diary, const struct cnc_pair *pair, uint32_t action_ms)
{
	uint32_t lines = !diary ? 0 : diary->count < CNC_DIARY_LINES ? diary->count : CNC_DIARY_LINES;
	for (uint32_t i = 0; i < lines; i++)
		if (diary->start_ms[i] <= action_ms + AFTER_MS && diary->start_ms[i] + BEFORE_MS >= action_ms)
			return true;
	return !diary && pair->first_ms <= action_ms + AFTER_MS && pair->first_ms + BEFORE_MS >= action_ms;
}

float cnc_actions_after(const struct cnc_actions *actions, const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	const struct cnc_diary *diary = cnc_pair_diary(sight, pair);
	const struct cnc_client *client = cnc_client_at(sight, pair->client);
	float window_ms = (float)(client->last_ms - client->first_ms) + 1, best = 0;
	/* how much of the time lies within reach of a contact anyway */
	float anyway = (float)pair->touches * (BEFORE_MS + AFTER_MS) / window_ms;
	for (uint32_t i = actions->first[pair->client]; i < actions->first[pair->client + 1]; i++) {
		const struct cnc_action *action = &actions->sorted[i];
		const struct cnc_service *target = cnc_service_at(sight, action->service);
		if (addr_same(&target->addr, &cnc_service_at(sight, pair->service)->addr))
			return 0;
		bool open = cnc_size_count(pair->longest) >= OPEN_LEAST_MS && pair->began_ms < action->start_ms &&
			    pair->last_ms >= action->start_ms;
		float worth = contact_before(diary, pair, action->start_ms) && anyway < 1 ? 1 - anyway : 0;
		worth = open && worth < while_open ? while_open : worth;
		best = worth > best ? worth : best;
	}
	return best;
}
