/* See table.h. Linear probing over slots at most half full. */
#include "analyze/table.h"

#include <sys/auxv.h>

void table_init(struct table *table, struct pool *pool, size_t record_bytes, size_t key_bytes, size_t limit)
{
	*table = (struct table){.pool = pool,
				.record_bytes = record_bytes,
				.key_bytes = key_bytes,
				.limit = limit < UINT32_MAX ? limit : UINT32_MAX - 1};
	/* The kernel's 16 random bytes of this process: strangers choose keys, so they must not foresee slots. */
	const void *random = (const void *)getauxval(AT_RANDOM);
	if (random)
		memcpy(&table->seed, random, sizeof table->seed);
}

static void slot_put(struct table *table, uint64_t hash, size_t i)
{
	size_t slot = hash & table->mask;
	while (table->slots[slot])
		slot = (slot + 1) & table->mask;
	table->slots[slot] = hash >> 32 << 32 | (i + 1);
}

static bool table_grow(struct table *table)
{
	size_t room = table->room ? table->room * 2 : 64;
	if (room > table->limit)
		room = table->limit;
	size_t slot_count = 128;
	while (slot_count < room * 2)
		slot_count *= 2;
	unsigned char *records = pool_array(table->pool, room, table->record_bytes);
	uint64_t *slots = pool_array(table->pool, slot_count, sizeof *slots);
	if (!records || !slots) {
		pool_release(table->pool, records);
		pool_release(table->pool, slots);
		return false;
	}
	if (table->count)
		memcpy(records, table->records, table->count * table->record_bytes);
	pool_release(table->pool, table->records);
	pool_release(table->pool, table->slots);
	table->records = records;
	table->slots = slots;
	table->mask = slot_count - 1;
	table->room = room;
	for (size_t i = 0; i < table->count; i++)
		slot_put(table, table_hash(table, table_record(table, i)), i);
	return true;
}

static inline bool key_same(const unsigned char *a, const unsigned char *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 8) {
		uint64_t one, two;
		memcpy(&one, a + i, 8);
		memcpy(&two, b + i, 8);
		if (one != two)
			return false;
	}
	return true;
}

void *table_find(const struct table *table, const void *key, uint64_t hash)
{
	if (!table->slots)
		return NULL;
	for (size_t slot = hash & table->mask; table->slots[slot]; slot = (slot + 1) & table->mask) {
		if (table->slots[slot] >> 32 != hash >> 32)
			continue;
		void *record = table_record(table, (table->slots[slot] & UINT32_MAX) - 1);
		if (key_same(record, key, table->key_bytes))
			return record;
	}
	return NULL;
}

void *table_add(struct table *table, const void *key, uint64_t hash, bool *ret_new)
{
	void *record = table_find(table, key, hash);
	*ret_new = false;
	if (record)
		return record;
	if (table->count == table->room) {
		/* where memory is short, asking for it again at every addition would cost more than it brings */
		bool may_grow = table->count < table->limit && table->refused >= table->ask_again;
		if (!may_grow || !table_grow(table)) {
			if (may_grow)
				table->ask_again = table->refused + 65536;
			table->refused++;
			return NULL;
		}
	}
	record = table_record(table, table->count);
	memset(record, 0, table->record_bytes);
	memcpy(record, key, table->key_bytes);
	slot_put(table, hash, table->count++);
	*ret_new = true;
	return record;
}

void table_sweep(struct table *table, bool (*keep)(void *record, void *context), void *context)
{
	size_t kept = 0;
	for (size_t i = 0; i < table->count; i++) {
		void *record = table_record(table, i);
		if (!keep(record, context))
			continue;
		if (kept != i)
			memcpy(table_record(table, kept), record, table->record_bytes);
		kept++;
	}
	if (kept == table->count)
		return;
	table->count = kept;
	memset(table->slots, 0, (table->mask + 1) * sizeof *table->slots);
	for (size_t i = 0; i < kept; i++)
		slot_put(table, table_hash(table, table_record(table, i)), i);
}

/* Few records: empty each one's run of slots. Whichever run is emptied first from a place at or before a record's own
 * takes the record with it, so none is left behind. */
void table_clear(struct table *table)
{
	if (table->slots && table->count > table->mask / 16) {
		memset(table->slots, 0, (table->mask + 1) * sizeof *table->slots);
	} else {
		for (size_t i = 0; i < table->count; i++)
			for (size_t slot = table_hash(table, table_record(table, i)) & table->mask; table->slots[slot];
			     slot = (slot + 1) & table->mask)
				table->slots[slot] = 0;
	}
	table->count = 0;
}
