/* What is usual among what was seen: how many services have a port, how many servers a network, how much a client asks.
 * All that is rare or common is measured by it, never by a list.
 */
#pragma once

#include "analyze/cnc/sight.h"

enum { CNC_PORTS = 2 << 16 };

struct cnc_usual {
	uint32_t *port_services; /* by cnc_port_index() */
	uint32_t *port_clients;  /* that ask one of them, and are answered */
	uint32_t clients;        /* that anybody answered */
	uint32_t *asked;         /* of each client: services that answered it, */
	uint16_t *odd;           /* and of them those at rare ports */
	struct shelf networks;   /* servers by network */
	uint16_t *fans;          /* services by a hash of (client, port, size of a contact) */
	uint32_t fan_mask;
	float port_full; /* services of a port that is no longer rare at all */
};

int cnc_usual_new(struct cnc_usual *usual, const struct cnc_sight *sight) must_check; /* 0, -ENOMEM */
void cnc_usual_done(struct cnc_usual *usual);

static inline uint32_t cnc_port_index(const struct cnc_service *service)
{
	return (service->protocol == 17 ? 1u << 16 : 0) | service->port;
}

/* 1: no other service of the port is seen, and of many clients only one asks it; 0: every fourth is one, or two thirds
 * of the clients ask one. */
float cnc_port_oddness(const struct cnc_usual *usual, const struct cnc_service *service);

/* Servers that were seen in the address's network (/16, IPv6 /32). */
uint32_t cnc_network_servers(const struct cnc_usual *usual, const struct addr *addr);

/* Services of the same port that the pair's client asks for about as much. */
uint32_t cnc_alike(const struct cnc_usual *usual, const struct cnc_sight *sight, const struct cnc_pair *pair);
