/* The tables that packets are folded into. Nothing is allocated per packet; growth happens between bursts, and the
 * tables of the whole run grow in 256 shards apart, so that none of them is ever there twice and no growth is long.
 */
#pragma once

#include "core/addr.h"
#include "core/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for tables: large ones in huge pages, because they are met at random. NULL: out of memory. */
void *table_room(size_t bytes);
void table_room_free(void *room, size_t bytes);

/* --- minute tuples ---------------------------------------------------------------------------------------------- */

/* What makes two packets one row: twelve bytes without a gap, compared as two numbers. */
struct tuple_key {
	uint32_t source; /* IPv4, or the number of an IPv6 source */
	uint16_t port;
	uint8_t protocol, flags;
	uint8_t version, kind, tool, tool_version;
};
_Static_assert(sizeof(struct tuple_key) == 12, "compared and hashed as 8 and 4 bytes");

enum {
	TUPLE_SPOOFED = 1,
	TUPLE_SECOND = 2,  /* its tool wants a second agreeing packet of the source */
	TUPLE_FOLLOWS = 4, /* its tool stands if it stands for other rows of the source */
};

/* One row of the open minute: one cache line. */
struct tuple {
	struct tuple_key key;
	uint32_t packets; /* 0: folded into another row */
	uint64_t bytes;
	uint64_t target_bits;              /* linear counting: which of 64 hash values of destinations were met */
	uint32_t first_us, last_us;        /* since a minute before the open one began */
	uint32_t seq, unicornscan_key;     /* of the first packet */
	uint32_t payload, signature;       /* of the first packet */
	uint16_t target_hash;              /* of the first packet's destination: a repeat proves nothing */
	uint8_t ttl, marks;                /* TUPLE_* */
	uint16_t agree, agree_unicornscan; /* later packets that agree with the first, saturating */
};
_Static_assert(sizeof(struct tuple) == 64, "a row is one cache line");

/* Rows stand in order of appearance; an index of (row + 1, 32 bits of the hash) finds them. */
struct tuple_slot {
	uint32_t row, tag;
};
struct tuple_table {
	struct tuple *rows;
	struct tuple_slot *slots;
	uint32_t count, room; /* rows */
	uint32_t mask;        /* of slots, at least twice as many as rows */
};

int tuple_table_init(struct tuple_table *table, uint32_t rows);
void tuple_table_done(struct tuple_table *table);
int tuple_table_reserve(struct tuple_table *table, uint32_t more); /* -ENOMEM keeps the old one */
/* Costs what is used. A table that was far larger than this minute needed becomes smaller. */
void tuple_table_clear(struct tuple_table *table);

static inline uint64_t tuple_hash(const struct tuple_key *key)
{
	uint64_t low;
	uint32_t high;
	__builtin_memcpy(&low, key, 8);
	__builtin_memcpy(&high, (const char *)key + 8, 4);
	low = (low ^ (low >> 32)) * UINT64_C(0x9e3779b97f4a7c15) ^ high * UINT64_C(0xbf58476d1ce4e5b9);
	low ^= low >> 29;
	low *= UINT64_C(0x94d049bb133111eb);
	return low ^ low >> 32;
}

static inline bool tuple_key_same(const struct tuple_key *a, const struct tuple_key *b)
{
	uint64_t low_a, low_b;
	uint32_t high_a, high_b;
	__builtin_memcpy(&low_a, a, 8);
	__builtin_memcpy(&low_b, b, 8);
	__builtin_memcpy(&high_a, (const char *)a + 8, 4);
	__builtin_memcpy(&high_b, (const char *)b + 8, 4);
	return low_a == low_b && high_a == high_b;
}

/* The row of the key, or the slot where it belongs when it is not there (NULL). There must be room for one. */
static inline struct tuple *tuple_table_find(const struct tuple_table *table, const struct tuple_key *key,
					     uint64_t hash, uint32_t *ret_slot)
{
	uint32_t slot = (uint32_t)hash & table->mask, tag = (uint32_t)(hash >> 32);
	for (; table->slots[slot].row; slot = (slot + 1) & table->mask) {
		struct tuple *row = &table->rows[table->slots[slot].row - 1];
		if (table->slots[slot].tag == tag && tuple_key_same(&row->key, key)) {
			*ret_slot = slot;
			return row;
		}
	}
	*ret_slot = slot;
	return NULL;
}

/* A new row in a free slot: only the key is set. */
static inline struct tuple *tuple_table_add(struct tuple_table *table, const struct tuple_key *key, uint64_t hash,
					    uint32_t slot)
{
	struct tuple *row = &table->rows[table->count++];
	table->slots[slot] = (struct tuple_slot){table->count, (uint32_t)(hash >> 32)};
	row->key = *key;
	return row;
}

/* Distinct destinations by linear counting (Whang, Vander-Zanden, Taylor 1990) over 64 bits; exact up to a few, within
 * a tenth at 60, saturating at 266. `packets` is an upper bound. */
uint32_t targets_estimate(uint64_t bits, uint32_t packets);
static inline uint64_t target_bit(uint32_t target_hash)
{
	return UINT64_C(1) << (target_hash >> 26);
}

/* --- sources ---------------------------------------------------------------------------------------------------- */

enum { SHARDS = 256 };

static inline uint64_t source_hash(uint32_t address)
{
	return hash_u64(address + UINT64_C(0x5bd1e995));
}

/* Everything of one source, in whichever table, stands in one shard. */
static inline uint32_t shard_of(uint32_t address)
{
	return (uint32_t)(source_hash(address) >> 56);
}

/* What is kept of a source for the whole run: 20 bytes, so that 70 million fit well below 4 GiB. */
struct source {
	uint32_t address; /* IPv4, or the number of an IPv6 source */
	uint32_t packets; /* of the run, saturating; never 0 where used */
	uint32_t seq, unicornscan_key;
	uint16_t target_hash;
	uint8_t tools; /* bit per enum scan_tool: confirmed */
	uint8_t state; /* SOURCE_* */
};
enum {
	SOURCE_USED = 1,
	SOURCE_NMAP_SEQ = 2,
	SOURCE_TCP = 4,
	SOURCE_ONE_MASSCAN = 8,
	SOURCE_ONE_ZMAP = 16,
	SOURCE_BUSY = 32,
	SOURCE_WIDE = 64
};

struct shard {
	void *entries;
	uint32_t count, room;
};
struct source_table {
	struct shard shards[SHARDS];
	uint64_t count;
};
void source_table_done(struct source_table *table);
struct source *source_table_find(const struct source_table *table, uint32_t address);
/* The source of the address, made when new (*ret_new). NULL: out of memory. Pointers hold until the next call. */
struct source *source_table_at(struct source_table *table, uint32_t address, bool *ret_new);
void source_table_prefetch(const struct source_table *table, uint32_t address);
size_t source_table_bytes(const struct source_table *table);

/* Exact sets of numbers (never 0), in the shards of the sources they are of. */
struct number_set {
	struct shard shards[SHARDS];
	uint64_t count;
};
void number_set_done(struct number_set *set);
/* 1 new, 0 there already, -ENOMEM */
int number_set_add(struct number_set *set, uint32_t shard, uint64_t number);
bool number_set_has(const struct number_set *set, uint32_t shard, uint64_t number);
void number_set_prefetch(const struct number_set *set, uint32_t shard, uint64_t number);
size_t number_set_bytes(const struct number_set *set);

/* Ports of sources that ask many: a bit each, so that the rows of one source stay in the cache. What such a source
 * asked before it was told to be wide stands in the number set. */
enum { WIDE_ROWS = 64, WIDE_SOURCES_MAX = 16384 };
struct wide_source {
	uint64_t name;    /* version << 32 | source */
	bool has_earlier; /* some of its pairs may stand in the number set */
	uint64_t ports[2][1024];
};
struct wide_table {
	struct wide_source **slots; /* WIDE_SOURCES_MAX * 2, made at the first use */
	uint32_t count;
};
void wide_table_done(struct wide_table *table);
/* NULL: not there (has no room or no memory: the number set serves). */
struct wide_source *wide_table_at(struct wide_table *table, uint8_t version, uint32_t source, bool make);

/* IPv6 addresses numbered 0, 1, 2 ... in order of appearance. */
struct v6_table {
	struct addr *addresses;
	uint32_t *slots; /* number + 1; 0 free */
	uint32_t count, capacity, mask;
};
void v6_table_done(struct v6_table *table);
int v6_table_number(struct v6_table *table, const uint8_t address[16], uint32_t *ret_number); /* 0, -ENOMEM */

/* --- echoes of attacks ------------------------------------------------------------------------------------------ */

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
