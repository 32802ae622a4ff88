/* Parts of one sight, each of which remembered clients of its own, become one again (sight.h). All were fed the same
 * batches, so that their times count from the same instant. */
#include "analyze/cnc/sight.h"

#include <errno.h>
#include <stdlib.h>

struct renumbering {
	uint32_t *clients, *services; /* the other's numbers to ours */
};

static int clients_add(struct cnc_sight *sight, const struct cnc_sight *other, struct renumbering *to)
{
	bool is_new;
	for (uint32_t i = 0; i < other->clients.count; i++) {
		const struct cnc_client *from = cnc_client_at(other, i);
		uint32_t number = shelf_add(&sight->clients, from, shelf_hash(&sight->clients, from), &is_new);
		if (number == SHELF_NONE)
			return -ENOMEM;
		struct cnc_client *client = cnc_client_at(sight, number);
		*client = *from;
		to->clients[i] = number;
	}
	return 0;
}

static int services_add(struct cnc_sight *sight, const struct cnc_sight *other, struct renumbering *to)
{
	bool is_new;
	for (uint32_t i = 0; i < other->services.count; i++) {
		const struct cnc_service *from = cnc_service_at(other, i);
		uint32_t number = shelf_add(&sight->services, from, shelf_hash(&sight->services, from), &is_new);
		if (number == SHELF_NONE)
			return -ENOMEM;
		struct cnc_service *service = cnc_service_at(sight, number);
		uint32_t first_ms = from->first_ms;
		service->first_ms = is_new || first_ms < service->first_ms ? first_ms : service->first_ms;
		to->services[i] = number;
	}
	return 0;
}

static void diary_copy(struct cnc_sight *sight, uint32_t number, const struct cnc_diary *from)
{
	struct cnc_diary *diary = &sight->diaries[sight->diary_count++];
	*diary = *from;
	diary->pair = number;
	cnc_pair_at(sight, number)->diary = sight->diary_count;
}

static int pairs_add(struct cnc_sight *sight, const struct cnc_sight *other, const struct renumbering *to)
{
	bool is_new;
	for (uint32_t i = 0; i < other->pairs.count; i++) {
		const struct cnc_pair *from = cnc_pair_at(other, i);
		uint32_t key[2] = {to->clients[from->client], to->services[from->service]};
		uint32_t number = shelf_add(&sight->pairs, key, shelf_hash(&sight->pairs, key), &is_new);
		if (number == SHELF_NONE)
			return -ENOMEM;
		struct cnc_pair *pair = cnc_pair_at(sight, number);
		*pair = *from;
		pair->client = key[0];
		pair->service = key[1];
		pair->diary = 0;
		uint32_t first = other->begin_ms / other->slot_ms;
		for (uint32_t ms = other->slot_ms; ms < sight->slot_ms; ms *= 2, first /= 2)
			pair->slots = cnc_slots_fold(pair->slots, first);
		if (from->diary)
			diary_copy(sight, number, &other->diaries[from->diary - 1]);
	}
	return 0;
}

int cnc_sight_merge(struct cnc_sight *sight, const struct cnc_sight *other)
{
	struct renumbering to = {.clients = calloc((size_t)other->clients.count + 1, sizeof *to.clients),
				 .services = calloc((size_t)other->services.count + 1, sizeof *to.services)};
	size_t room = (size_t)sight->diary_count + other->diary_count;
	struct cnc_diary *diaries = room ? realloc(sight->diaries, room * sizeof *diaries) : NULL;
	if (diaries) {
		sight->diaries = diaries;
		sight->diary_room = (uint32_t)room;
	}
	int result = to.clients && to.services && (diaries || !room) ? 0 : -ENOMEM;
	if (result == 0 && other->begin_ms != UINT32_MAX)
		cnc_sight_widen(sight, other->begin_ms, other->end_ms);
	if (result == 0)
		result = clients_add(sight, other, &to);
	if (result == 0)
		result = services_add(sight, other, &to);
	if (result == 0)
		result = pairs_add(sight, other, &to);
	sight->flows = sight->flows > other->flows ? sight->flows : other->flows;
	free(to.clients);
	free(to.services);
	return result;
}
