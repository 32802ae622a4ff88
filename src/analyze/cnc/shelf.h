/* Records of one size by key: numbered in the order they came, in chunks, so that growing copies nothing and wastes
 * nothing. A slot of the index is four bytes: six bits of the hash, which spare most looks at a wrong record, and the
 * record's number. Made for tens of millions of pairs, of which each byte counts.
 */
#pragma once

#include "core/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SHELF_CHUNK_BITS = 12, SHELF_CHUNK = 1 << SHELF_CHUNK_BITS, SHELF_NUMBER_BITS = 26 };
#define SHELF_NONE UINT32_MAX
#define SHELF_MOST ((1u << SHELF_NUMBER_BITS) - 2) /* records */

struct shelf {
	uint32_t *slots; /* 0: empty; else the tag above the number + 1 */
	unsigned char **chunks;
	size_t record_bytes, key_bytes; /* key_bytes is a multiple of 8 */
	uint32_t mask, count, chunk_count, limit;
	uint64_t refused; /* keys that came when `limit` records were there */
};

/* 0, -ENOMEM. `limit` is at most SHELF_MOST. */
int shelf_init(struct shelf *shelf, size_t record_bytes, size_t key_bytes, uint32_t limit);
void shelf_done(struct shelf *shelf);
size_t shelf_bytes(const struct shelf *shelf);

static inline void *shelf_at(const struct shelf *shelf, uint32_t number)
{
	return shelf->chunks[number >> SHELF_CHUNK_BITS] + (number & (SHELF_CHUNK - 1)) * shelf->record_bytes;
}

static inline uint64_t shelf_hash(const struct shelf *shelf, const void *key)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < shelf->key_bytes; i += 8) {
		uint64_t word;
		memcpy(&word, (const unsigned char *)key + i, 8);
		hash = hash_u64(hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
	}
	return hash;
}

static inline void shelf_prefetch(const struct shelf *shelf, uint64_t hash)
{
	__builtin_prefetch(&shelf->slots[hash & shelf->mask]);
}

/* A little later: the record that the first slot names. */
static inline void shelf_prefetch_record(const struct shelf *shelf, uint64_t hash)
{
	uint32_t slot = shelf->slots[hash & shelf->mask] & ((1u << SHELF_NUMBER_BITS) - 1);
	if (slot)
		__builtin_prefetch(shelf_at(shelf, slot - 1), 1);
}

/* The number of the key's record, SHELF_NONE where there is none. */
uint32_t shelf_find(const struct shelf *shelf, const void *key, uint64_t hash);

/* The same, made where there is none: its key and zeros. SHELF_NONE and counted at the limit or without memory. */
uint32_t shelf_add(struct shelf *shelf, const void *key, uint64_t hash, bool *ret_new);
