/* Where an address is: country, point on the map, and the network (autonomous system) that originates it.
 *
 * The facts come from files that tools/install-deps lays out: country by registry and origin (geo-whois-asn-country,
 * CC0), point by DB-IP City Lite (CC BY 4.0, attribution in the pages), AS numbers and names by RouteViews and DB-IP.
 * Opening reads country and network into flat sorted arrays (a fifth of a second, some 30 MiB); the city files stay
 * mapped. After that nothing is opened, allocated or locked: look-ups are safe from any thread and from a confined
 * process.
 *
 * Reserved, private, documentation, benchmark and multicast space (RFC 6890 and its registries) is nowhere: unknown.
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "JP" as first * 256 + second; 0 is unknown. */
#define COUNTRY(first, second) ((uint16_t)((first) << 8 | (second)))

struct place {
	uint16_t country;         /* ISO 3166-1; 0 unknown */
	bool located;             /* latitude and longitude mean something */
	float latitude;           /* degrees north */
	float longitude;          /* degrees east */
	uint32_t network;         /* AS number; 0 unknown */
	const char *network_name; /* UTF-8, lives as long as the places; "" unknown */
};

struct places;

/* Open every file below `dir` (places-country/, places-city/, networks/). -ENOENT, -EINVAL or -ENOMEM with a sentence
 * that names the file (and line). */
int places_open(const char *dir, struct places **ret_places, struct err *err) must_check;

/* The same, but a file that is missing leaves its facts unknown: returns how many of the five are missing (0..5), and
 * `err` names the first of them. dir may be NULL: nothing is known. A damaged file is still an error. */
int places_open_degraded(const char *dir, struct places **ret_places, struct err *err) must_check;

void places_close(struct places *places); /* NULL is fine */
size_t places_bytes(const struct places *places);

/* Everything about one address (some 1 us; the point is what costs). The point is the city's where the city file
 * agrees on the country, else the country's. */
void places_find(const struct places *places, const struct addr *addr, struct place *ret_place);

/* Country and network of `count` addresses, straight into the columns of a batch (some 30 ns each, less when sorted or
 * repeated). Either output may be NULL. */
void places_find_many(const struct places *places, const struct addr *addrs, size_t count, uint16_t *ret_countries,
		      uint32_t *ret_networks);

const char *places_network_name(const struct places *places, uint32_t network); /* "" unknown */

/* A point that stands for the country, on its land. False when there is no such country. Needs no files. */
bool places_country_point(uint16_t country, float *ret_latitude, float *ret_longitude);

/* Addresses that are truly in a country and routed, for simulations. The count of IPv4 addresses; then a uniformly
 * random one. `state` is that of random_next(). False when the country has none. */
uint64_t places_country_addresses(const struct places *places, uint16_t country);
bool places_random_v4(const struct places *places, uint16_t country, uint64_t *state, uint32_t *ret_host_order);
/* An IPv6 address: a routed range of the country, each alike, then random bits. */
bool places_random_v6(const struct places *places, uint16_t country, uint64_t *state, struct addr *ret_addr);
