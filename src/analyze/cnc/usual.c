/* See usual.h. */
#include "analyze/cnc/usual.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const float rare_port = 0.5f; /* oddness from which a port counts as rare */

struct network {
	struct addr addr; /* the key: bits past the prefix are 0 */
	uint32_t servers, zero;
};

static struct addr network_of(const struct addr *addr)
{
	struct addr network = *addr;
	size_t bytes = addr_is_v4(addr) ? 14 : 4;
	memset(network.bytes + bytes, 0, sizeof network.bytes - bytes);
	return network;
}

static uint16_t *fan_of(const struct cnc_usual *usual, const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	uint32_t port = cnc_port_index(cnc_service_at(sight, pair->service));
	float each = (pair->up_bytes + pair->down_bytes) / (float)(pair->touches ? pair->touches : 1);
	uint64_t size = (uint64_t)log2f(each + 1);
	return &usual->fans[hash_u64((uint64_t)pair->client << 24 ^ (uint64_t)port << 6 ^ size) & usual->fan_mask];
}

static int networks_count(struct cnc_usual *usual, const struct cnc_sight *sight)
{
	struct shelf servers = {0};
	bool is_new, room = shelf_init(&servers, sizeof(struct addr), sizeof(struct addr), SHELF_MOST) == 0;
	for (uint32_t i = 0; room && i < sight->services.count; i++) {
		const struct addr *addr = &cnc_service_at(sight, i)->addr;
		room = shelf_add(&servers, addr, shelf_hash(&servers, addr), &is_new) != SHELF_NONE;
		if (!room || !is_new)
			continue;
		struct addr key = network_of(addr);
		uint32_t number = shelf_add(&usual->networks, &key, shelf_hash(&usual->networks, &key), &is_new);
		room = number != SHELF_NONE;
		if (room)
			((struct network *)shelf_at(&usual->networks, number))->servers++;
	}
	shelf_done(&servers);
	return room ? 0 : -ENOMEM;
}

/* True the first time; now and then, for a hash's sake, not even then. */
static bool first_of(uint64_t *seen, uint64_t mask, uint32_t client, uint32_t port)
{
	uint64_t at = hash_u64((uint64_t)client << 20 ^ port) & mask, bit = UINT64_C(1) << (at & 63);
	bool first = !(seen[at >> 6] & bit);
	seen[at >> 6] |= bit;
	return first;
}

static int clients_count(struct cnc_usual *usual, const struct cnc_sight *sight)
{
	uint64_t bits = 1 << 16;
	while (bits < (uint64_t)sight->pairs.count * 16)
		bits *= 2;
	uint64_t *seen = calloc(bits / 64, sizeof *seen);
	if (!seen)
		return -ENOMEM;
	for (uint32_t i = 0; i < sight->pairs.count; i++) {
		const struct cnc_pair *pair = cnc_pair_at(sight, i);
		uint32_t port = cnc_port_index(cnc_service_at(sight, pair->service));
		if (pair->unanswered >= pair->touches)
			continue;
		usual->clients += usual->asked[pair->client]++ == 0;
		usual->port_clients[port] += first_of(seen, bits - 1, pair->client, port);
	}
	free(seen);
	return 0;
}

static void pairs_count(struct cnc_usual *usual, const struct cnc_sight *sight)
{
	for (uint32_t i = 0; i < sight->pairs.count; i++) {
		const struct cnc_pair *pair = cnc_pair_at(sight, i);
		if (pair->unanswered >= pair->touches)
			continue;
		uint16_t *fan = fan_of(usual, sight, pair), *odd = &usual->odd[pair->client];
		*fan += *fan < UINT16_MAX;
		*odd += cnc_port_oddness(usual, cnc_service_at(sight, pair->service)) >= rare_port && *odd < UINT16_MAX;
	}
}

int cnc_usual_new(struct cnc_usual *usual, const struct cnc_sight *sight)
{
	uint32_t slots = 1 << 12;
	while (slots < sight->pairs.count * 2 && slots < 1u << 27)
		slots *= 2;
	*usual = (struct cnc_usual){.fan_mask = slots - 1, .port_full = 2 + (float)sight->services.count / 4};
	usual->fans = calloc(slots, sizeof *usual->fans);
	usual->port_services = calloc(CNC_PORTS, sizeof *usual->port_services);
	usual->port_clients = calloc(CNC_PORTS, sizeof *usual->port_clients);
	usual->asked = calloc((size_t)sight->clients.count + 1, sizeof *usual->asked);
	usual->odd = calloc((size_t)sight->clients.count + 1, sizeof *usual->odd);
	if (!usual->fans || !usual->port_services || !usual->port_clients || !usual->asked || !usual->odd ||
	    shelf_init(&usual->networks, sizeof(struct network), sizeof(struct addr), SHELF_MOST) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < sight->services.count; i++)
		usual->port_services[cnc_port_index(cnc_service_at(sight, i))]++;
	if (clients_count(usual, sight) < 0)
		return -ENOMEM;
	pairs_count(usual, sight);
	return networks_count(usual, sight);
}

void cnc_usual_done(struct cnc_usual *usual)
{
	free(usual->fans);
	free(usual->port_services);
	free(usual->port_clients);
	free(usual->asked);
	free(usual->odd);
	shelf_done(&usual->networks);
	*usual = (struct cnc_usual){0};
}

float cnc_port_oddness(const struct cnc_usual *usual, const struct cnc_service *service)
{
	uint32_t port = cnc_port_index(service),
		 others = usual->port_clients[port] > 1 ? usual->port_clients[port] - 1 : 0;
	float alike = (float)usual->port_services[port];
	float common = alike > 0 ? logf(alike) / logf(usual->port_full) : 0;
	float liked = usual->clients > 1 ? 1.5f * (float)others / (float)(usual->clients - 1) : 0;
	common = liked > common ? liked : common;
	return common < 1 ? 1 - common : 0;
}

uint32_t cnc_network_servers(const struct cnc_usual *usual, const struct addr *addr)
{
	struct addr key = network_of(addr);
	uint32_t number = shelf_find(&usual->networks, &key, shelf_hash(&usual->networks, &key));
	return number == SHELF_NONE ? 0 : ((struct network *)shelf_at(&usual->networks, number))->servers;
}

uint32_t cnc_alike(const struct cnc_usual *usual, const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	return *fan_of(usual, sight, pair);
}
