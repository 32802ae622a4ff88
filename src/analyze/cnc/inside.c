/* See inside.h. What a network asks tells it apart from those that only serve (content networks, clouds) and, as only
 * answered contacts count, from those that scan us.
 */
#include "analyze/cnc/inside.h"

#include <errno.h>
#include <stdlib.h>

enum { LEAST_SHARE = 50 /* one of so many answered pairs */, V4_BITS = 96 + 16, V6_BITS = 32 };

struct network {
	struct addr addr; /* the key: bits past the prefix are 0 */
	uint32_t asks, serves;
};

static struct addr network_of(const struct addr *addr)
{
	struct addr network = *addr;
	size_t bytes = addr_is_v4(addr) ? V4_BITS / 8 : V6_BITS / 8;
	memset(network.bytes + bytes, 0, sizeof network.bytes - bytes);
	return network;
}

static struct network *network_find(struct shelf *networks, const struct addr *addr)
{
	struct addr key = network_of(addr);
	bool is_new;
	uint32_t number = shelf_add(networks, &key, shelf_hash(networks, &key), &is_new);
	return number == SHELF_NONE ? NULL : shelf_at(networks, number);
}

static void inside_add(struct cnc_inside *inside, const struct prefix *prefix)
{
	if (inside->count < CNC_NETWORKS_MAX)
		inside->networks[inside->count++] = *prefix;
}

static uint32_t networks_count(const struct cnc_sight *sight, struct shelf *networks)
{
	uint32_t answered = 0;
	for (uint32_t i = 0; i < sight->pairs.count; i++) {
		const struct cnc_pair *pair = cnc_pair_at(sight, i);
		if (pair->touches == 0 || pair->unanswered >= pair->touches)
			continue;
		const struct addr *client = &cnc_client_at(sight, pair->client)->addr;
		const struct addr *server = &cnc_service_at(sight, pair->service)->addr;
		struct network *network = network_find(networks, client);
		if (network)
			network->asks++;
		struct addr one = network_of(client), other = network_of(server);
		network = addr_same(&one, &other) ? NULL : network_find(networks, server);
		if (network)
			network->serves++;
		answered++;
	}
	return answered;
}

int cnc_inside_infer(struct cnc_inside *inside, const struct cnc_sight *sight)
{
	static const char *const private[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
					      "fc00::/7",   "fe80::/10",     "169.254.0.0/16"};
	struct shelf networks;
	if (inside->told)
		return 0;
	inside->count = 0;
	for (size_t i = 0; i < sizeof private / sizeof *private; i++) {
		struct prefix prefix;
		if (prefix_parse(private[i], &prefix, NULL) == 0)
			inside_add(inside, &prefix);
	}
	if (shelf_init(&networks, sizeof(struct network), sizeof(struct addr), 1 << 22) < 0)
		return -ENOMEM;
	uint32_t answered = networks_count(sight, &networks);
	for (uint32_t i = 0; i < networks.count; i++) {
		const struct network *network = shelf_at(&networks, i);
		if ((uint64_t)network->asks * LEAST_SHARE >= answered && network->asks >= network->serves / 8)
			inside_add(inside,
				   &(struct prefix){network->addr, addr_is_v4(&network->addr) ? V4_BITS : V6_BITS});
	}
	shelf_done(&networks);
	return 0;
}

bool cnc_inside_has(const struct cnc_inside *inside, const struct addr *addr)
{
	for (uint32_t i = 0; i < inside->count; i++)
		if (prefix_has(&inside->networks[i], addr))
			return true;
	return false;
}
