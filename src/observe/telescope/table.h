/* The tables that packets are folded into. Open addressing over powers of two, one cache line an entry where it
 * matters; nothing is allocated per packet, growth happens between bursts.
 */
#pragma once

#include "core/addr.h"
#include "core/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- minute tuples ------------------------------------------------------------------------------------------------ */

/* One row of the open minute: 64 bytes, one cache line. IPv6 sources are named by their number in the v6 source table.
 */
struct tuple {
	uint32_t source;
	uint8_t used; /* 0 free, 4 or 6 */
	uint8_t kind, tool, tool_version;
	uint8_t certainty; /* enum tool_certainty, of `tool` */
	uint8_t protocol, flags, ttl;
	uint16_t port;
	uint16_t target_hash; /* of the first packet's destination: a repeat proves nothing */
	uint32_t packets;
	uint32_t last_us; /* after first, saturating */
	uint32_t seq;     /* of the first packet */
	uint32_t unicornscan_key;
	uint8_t agrees_nmap, agrees_unicornscan; /* a later packet agreed with the first */
	uint8_t spoofed;
	uint8_t spare;
	uint32_t payload, signature;
	uint64_t target_bits; /* linear counting: which of 64 hash values of destinations were met */
	uint64_t bytes;
};
/* The first packet's time lives in a column of its own: it is written once. */

struct tuple_table {
	struct tuple *entries;
	int64_t *first_ns; /* by slot */
	uint32_t *slots;   /* of used entries, in order of appearance */
	uint32_t count, mask;
};

int tuple_table_init(struct tuple_table *table, uint32_t capacity);
void tuple_table_done(struct tuple_table *table);
/* Room for `more` entries at a load of at most 3/4. -ENOMEM keeps the old one. */
int tuple_table_reserve(struct tuple_table *table, uint32_t more);
void tuple_table_clear(struct tuple_table *table); /* costs what is used, not what is there */

struct tuple_key {
	uint32_t source;
	uint8_t version, kind, tool, tool_version, protocol, flags;
	uint16_t port;
};

static inline uint64_t tuple_hash(const struct tuple_key *key)
{
	uint64_t low =
		(uint64_t)key->source << 32 | (uint32_t)key->port << 16 | (uint32_t)key->protocol << 8 | key->flags;
	uint64_t high =
		(uint64_t)key->version << 24 | (uint32_t)key->kind << 16 | (uint32_t)key->tool << 8 | key->tool_version;
	return hash_u64(low ^ high * UINT64_C(0x9e3779b97f4a7c15));
}

/* The entry of the key, made (used 0) when it is not there: the caller fills it. There must be room. */
struct tuple *tuple_table_at(struct tuple_table *table, const struct tuple_key *key, uint64_t hash);

/* Distinct destinations by linear counting (Whang, Vander-Zanden, Taylor 1990) over 64 bits; exact up to a few, within
 * a tenth at 60, saturating at 266. `packets` is an upper bound. */
uint32_t targets_estimate(uint64_t bits, uint32_t packets);
static inline uint64_t target_bit(uint64_t destination_hash)
{
	return UINT64_C(1) << (destination_hash >> 58);
}

/* --- sources -------------------------------------------------------------------------------------------------------
 */

/* What is kept of a source for the whole run: 24 bytes, so that 70 million fit below 4 GiB. */
struct source {
	uint32_t address; /* v4, or the number of a v6 source */
	uint32_t packets; /* of the day, saturating */
	uint32_t seq, unicornscan_key;
	uint16_t target_hash;
	uint16_t ports; /* distinct, saturating */
	uint16_t day;
	uint8_t tools; /* bit per enum scan_tool: confirmed */
	uint8_t state; /* SOURCE_* */
};
enum { SOURCE_USED = 1, SOURCE_TCP = 2, SOURCE_SURVEY = 4, SOURCE_ONE_MASSCAN = 8, SOURCE_ONE_ZMAP = 16 };

/* 256 shards that grow alone, so that growing never needs twice the memory. */
enum { SOURCE_SHARDS = 256 };
struct source_table {
	struct source_shard {
		struct source *entries;
		uint32_t count, mask;
	} shards[SOURCE_SHARDS];
	uint64_t count;
};
void source_table_done(struct source_table *table);
struct source *source_table_find(const struct source_table *table, uint32_t address);
/* The source of the address, made when new (*ret_new). NULL: out of memory. Pointers hold until the next call. */
struct source *source_table_at(struct source_table *table, uint32_t address, bool *ret_new);
size_t source_table_bytes(const struct source_table *table);

/* Exact sets of numbers (never 0), sharded alike. */
struct number_set {
	struct number_shard {
		uint64_t *entries;
		uint32_t count, mask;
	} shards[SOURCE_SHARDS];
	uint64_t count;
};
void number_set_done(struct number_set *set);
int number_set_add(struct number_set *set, uint64_t number); /* 1 new, 0 there already, -ENOMEM */
size_t number_set_bytes(const struct number_set *set);

/* IPv6 addresses numbered 0, 1, 2 ... in order of appearance. */
struct v6_table {
	struct addr *addresses;
	uint32_t *slots; /* number + 1; 0 free */
	uint32_t count, capacity, mask;
};
void v6_table_done(struct v6_table *table);
int v6_table_number(struct v6_table *table, const uint8_t address[16], uint32_t *ret_number); /* 0, -ENOMEM */

/* --- echoes of attacks ----------------------------------------------------------------------------------------------
 */

struct echo {
	struct addr victim;
	int64_t first_ns, last_ns;
	uint64_t bytes, target_bits;
	uint32_t packets;
	uint16_t port;
	uint8_t protocol, used;
};
struct echo_table {
	struct echo *entries;
	uint32_t *slots;
	uint32_t count, mask;
};
int echo_table_reserve(struct echo_table *table, uint32_t more);
void echo_table_done(struct echo_table *table);
void echo_table_clear(struct echo_table *table);
struct echo *echo_table_at(struct echo_table *table, const struct addr *victim, uint8_t protocol, uint16_t port);
