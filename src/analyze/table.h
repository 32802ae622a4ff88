/* A hash table of records of one size, told apart by their first bytes, with a ceiling.
 *
 * Records lie one after another in the order they came, so that a walk is linear and a result does not depend on
 * hashes; slots hold 32 bits of the hash, so that a look-up touches one slot and one record. Forgetting is done by the
 * whole table at once (table_sweep), which suits expiry by the minute and needs no tombstones.
 */
#pragma once

#include "core/hash.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct table {
	struct pool *pool;
	uint64_t *slots; /* hash's upper half << 32 | record + 1; 0 empty */
	unsigned char *records;
	size_t record_bytes, key_bytes; /* key_bytes is a multiple of 8 */
	size_t mask, count, room, limit;
	uint64_t seed;
	uint64_t refused;   /* additions that found the table at its limit, or no memory */
	uint64_t ask_again; /* the count of refusals from which growing is tried again */
};

void table_init(struct table *table, struct pool *pool, size_t record_bytes, size_t key_bytes, size_t limit);

static inline uint64_t table_hash(const struct table *table, const void *key)
{
	uint64_t hash = table->seed;
	for (size_t i = 0; i < table->key_bytes; i += 8) {
		uint64_t word;
		memcpy(&word, (const unsigned char *)key + i, 8);
		hash = hash_u64(hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
	}
	return hash;
}

static inline void table_prefetch(const struct table *table, uint64_t hash)
{
	if (table->slots)
		__builtin_prefetch(&table->slots[hash & table->mask]);
}

/* A little later, when the slot is there: the record that most likely is the one, fetched. NULL: none. */
static inline void *table_prefetch_record(const struct table *table, uint64_t hash)
{
	uint64_t slot = table->slots ? table->slots[hash & table->mask] : 0;
	if (!slot)
		return NULL;
	void *record = table->records + ((slot & UINT32_MAX) - 1) * table->record_bytes;
	__builtin_prefetch(record, 1);
	return record;
}

static inline void *table_record(const struct table *table, size_t i)
{
	return table->records + i * table->record_bytes;
}

static inline size_t table_index(const struct table *table, const void *record)
{
	return (size_t)((const unsigned char *)record - table->records) / table->record_bytes;
}

void *table_find(const struct table *table, const void *key, uint64_t hash); /* NULL: not there */

/* The record of the key; a new one has the key and zeros. NULL and counted when it does not fit. Pointers into the
 * table are void after the next call that adds. */
void *table_add(struct table *table, const void *key, uint64_t hash, bool *ret_new);

/* Keep the records that `keep` says true of, in their order. `keep` may change a record but its key. */
void table_sweep(struct table *table, bool (*keep)(void *record, void *context), void *context);
void table_clear(struct table *table);
