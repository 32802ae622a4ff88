/* See shelf.h. Linear probing; the index doubles at seven eighths, and the numbers are placed anew from the records. */
#include "analyze/cnc/shelf.h"

#include <errno.h>
#include <stdlib.h>

enum { SLOTS_FIRST = 1 << 10, CHUNKS_MAX = 1 << (SHELF_NUMBER_BITS - SHELF_CHUNK_BITS) };

static uint32_t slot_of(uint64_t hash, uint32_t number)
{
	return (uint32_t)(hash >> 58) << SHELF_NUMBER_BITS | (number + 1);
}

static uint32_t slot_number(uint32_t slot)
{
	return (slot & ((1u << SHELF_NUMBER_BITS) - 1)) - 1;
}

int shelf_init(struct shelf *shelf, size_t record_bytes, size_t key_bytes, uint32_t limit)
{
	*shelf = (struct shelf){.record_bytes = record_bytes, .key_bytes = key_bytes, .limit = limit};
	shelf->mask = SLOTS_FIRST - 1;
	shelf->slots = calloc(SLOTS_FIRST, sizeof *shelf->slots);
	shelf->chunks = calloc(CHUNKS_MAX, sizeof *shelf->chunks);
	if (shelf->slots && shelf->chunks)
		return 0;
	shelf_done(shelf);
	return -ENOMEM;
}

void shelf_done(struct shelf *shelf)
{
	for (uint32_t i = 0; i < shelf->chunk_count; i++)
		free(shelf->chunks[i]);
	free(shelf->chunks);
	free(shelf->slots);
	*shelf = (struct shelf){0};
}

size_t shelf_bytes(const struct shelf *shelf)
{
	return ((size_t)shelf->mask + 1) * sizeof *shelf->slots + shelf->chunk_count * sizeof *shelf->chunks +
	       shelf->chunk_count * shelf->record_bytes * SHELF_CHUNK;
}

uint32_t shelf_find(const struct shelf *shelf, const void *key, uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 58);
	for (uint32_t at = (uint32_t)hash & shelf->mask; shelf->slots[at]; at = (at + 1) & shelf->mask) {
		uint32_t slot = shelf->slots[at], number = slot_number(slot);
		if (slot >> SHELF_NUMBER_BITS == tag && memcmp(shelf_at(shelf, number), key, shelf->key_bytes) == 0)
			return number;
	}
	return SHELF_NONE;
}

static void slot_place(uint32_t *slots, uint32_t mask, uint64_t hash, uint32_t number)
{
	uint32_t at = (uint32_t)hash & mask;
	while (slots[at])
		at = (at + 1) & mask;
	slots[at] = slot_of(hash, number);
}

static int index_grow(struct shelf *shelf)
{
	uint32_t mask = shelf->mask * 2 + 1;
	uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
	if (!slots)
		return -ENOMEM;
	for (uint32_t number = 0; number < shelf->count; number++)
		slot_place(slots, mask, shelf_hash(shelf, shelf_at(shelf, number)), number);
	free(shelf->slots);
	shelf->slots = slots;
	shelf->mask = mask;
	return 0;
}

static int room_make(struct shelf *shelf)
{
	if (shelf->count >= shelf->limit)
		return -ENOSPC;
	if (shelf->count >= shelf->mask - shelf->mask / 8 && index_grow(shelf) < 0)
		return -ENOMEM;
	if (shelf->count >> SHELF_CHUNK_BITS < shelf->chunk_count)
		return 0;
	shelf->chunks[shelf->chunk_count] = calloc(SHELF_CHUNK, shelf->record_bytes);
	if (!shelf->chunks[shelf->chunk_count])
		return -ENOMEM;
	shelf->chunk_count++;
	return 0;
}

uint32_t shelf_add(struct shelf *shelf, const void *key, uint64_t hash, bool *ret_new)
{
	uint32_t number = shelf_find(shelf, key, hash);
	*ret_new = false;
	if (number != SHELF_NONE)
		return number;
	if (room_make(shelf) < 0) {
		shelf->refused++;
		return SHELF_NONE;
	}
	number = shelf->count++;
	memcpy(shelf_at(shelf, number), key, shelf->key_bytes);
	slot_place(shelf->slots, shelf->mask, hash, number);
	*ret_new = true;
	return number;
}
