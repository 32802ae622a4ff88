/* Tables of the telescope. See table.h for what each is for. */
#include "observe/telescope/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int tuple_table_init(struct tuple_table *table, uint32_t capacity)
{
	uint32_t room = 1024;
	while (room < capacity)
		room *= 2;
	*table = (struct tuple_table){
		.entries = aligned_alloc(64, (size_t)room * sizeof(struct tuple)),
		.first_ns = malloc((size_t)room * sizeof(int64_t)),
		.slots = malloc((size_t)room * sizeof(uint32_t)),
		.mask = room - 1,
	};
	if (!table->entries || !table->first_ns || !table->slots) {
		tuple_table_done(table);
		return -ENOMEM;
	}
	memset(table->entries, 0, (size_t)room * sizeof(struct tuple));
	return 0;
}

void tuple_table_done(struct tuple_table *table)
{
	free(table->entries);
	free(table->first_ns);
	free(table->slots);
	*table = (struct tuple_table){0};
}

static struct tuple_key tuple_key_of(const struct tuple *tuple)
{
	return (struct tuple_key){tuple->source,       tuple->used,     tuple->kind,  tuple->tool,
				  tuple->tool_version, tuple->protocol, tuple->flags, tuple->port};
}

int tuple_table_reserve(struct tuple_table *table, uint32_t more)
{
	uint64_t wanted = ((uint64_t)table->count + more) * 4 / 3 + 1;
	if (wanted <= (uint64_t)table->mask + 1)
		return 0;
	struct tuple_table grown;
	if (wanted > UINT32_MAX / 2 || tuple_table_init(&grown, (uint32_t)wanted) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < table->count; i++) {
		const struct tuple *old = &table->entries[table->slots[i]];
		struct tuple_key key = tuple_key_of(old);
		uint32_t slot = (uint32_t)tuple_hash(&key) & grown.mask;
		while (grown.entries[slot].used)
			slot = (slot + 1) & grown.mask;
		grown.entries[slot] = *old;
		grown.first_ns[slot] = table->first_ns[table->slots[i]];
		grown.slots[grown.count++] = slot;
	}
	tuple_table_done(table);
	*table = grown;
	return 0;
}

void tuple_table_clear(struct tuple_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		table->entries[table->slots[i]].used = 0;
	table->count = 0;
}

struct tuple *tuple_table_at(struct tuple_table *table, const struct tuple_key *key, uint64_t hash)
{
	uint32_t slot = (uint32_t)hash & table->mask;
	struct tuple *tuple = &table->entries[slot];
	while (tuple->used) {
		if (tuple->source == key->source && tuple->port == key->port && tuple->protocol == key->protocol &&
		    tuple->flags == key->flags && tuple->used == key->version && tuple->kind == key->kind &&
		    tuple->tool == key->tool && tuple->tool_version == key->tool_version)
			return tuple;
		slot = (slot + 1) & table->mask;
		tuple = &table->entries[slot];
	}
	table->slots[table->count++] = slot;
	return tuple;
}

uint32_t targets_estimate(uint64_t bits, uint32_t packets)
{
	int set = __builtin_popcountll(bits);
	uint32_t estimate = set == 64 ? 266 : (uint32_t)lround(-64 * log(1 - set / 64.0));
	return estimate < packets ? estimate : packets;
}

/* Growth of a shard whose entries are `bytes` wide; `place` puts one old entry into the new array. */
static void *shard_room(uint32_t mask, size_t bytes, uint32_t *ret_mask)
{
	uint32_t room = mask ? (mask + 1) * 2 : 64;
	*ret_mask = room - 1;
	return room ? calloc(room, bytes) : NULL;
}

static bool shard_is_full(uint32_t count, uint32_t mask)
{
	return mask == 0 || (uint64_t)count * 5 >= ((uint64_t)mask + 1) * 4;
}

void source_table_done(struct source_table *table)
{
	for (size_t i = 0; i < SOURCE_SHARDS; i++)
		free(table->shards[i].entries);
	*table = (struct source_table){0};
}

static struct source *shard_slot(const struct source_shard *shard, uint32_t address, uint64_t hash)
{
	uint32_t slot = (uint32_t)hash & shard->mask;
	while (shard->entries[slot].state && shard->entries[slot].address != address)
		slot = (slot + 1) & shard->mask;
	return &shard->entries[slot];
}

struct source *source_table_find(const struct source_table *table, uint32_t address)
{
	uint64_t hash = hash_u64(address + UINT64_C(0x5bd1e995));
	const struct source_shard *shard = &table->shards[hash >> 56];
	if (!shard->entries)
		return NULL;
	struct source *source = shard_slot(shard, address, hash);
	return source->state ? source : NULL;
}

static int source_shard_grow(struct source_shard *shard)
{
	struct source_shard grown = {.count = shard->count};
	grown.entries = shard_room(shard->mask, sizeof *grown.entries, &grown.mask);
	if (!grown.entries)
		return -ENOMEM;
	for (uint32_t i = 0; shard->entries && i <= shard->mask; i++)
		if (shard->entries[i].state) {
			uint32_t address = shard->entries[i].address;
			*shard_slot(&grown, address, hash_u64(address + UINT64_C(0x5bd1e995))) = shard->entries[i];
		}
	free(shard->entries);
	*shard = grown;
	return 0;
}

struct source *source_table_at(struct source_table *table, uint32_t address, bool *ret_new)
{
	uint64_t hash = hash_u64(address + UINT64_C(0x5bd1e995));
	struct source_shard *shard = &table->shards[hash >> 56];
	if (shard_is_full(shard->count, shard->mask) && source_shard_grow(shard) < 0)
		return NULL;
	struct source *source = shard_slot(shard, address, hash);
	*ret_new = source->state == 0;
	if (*ret_new) {
		*source = (struct source){.address = address, .state = SOURCE_USED};
		shard->count++;
		table->count++;
	}
	return source;
}

size_t source_table_bytes(const struct source_table *table)
{
	size_t bytes = sizeof *table;
	for (size_t i = 0; i < SOURCE_SHARDS; i++)
		bytes += table->shards[i].mask ? ((size_t)table->shards[i].mask + 1) * sizeof(struct source) : 0;
	return bytes;
}

void number_set_done(struct number_set *set)
{
	for (size_t i = 0; i < SOURCE_SHARDS; i++)
		free(set->shards[i].entries);
	*set = (struct number_set){0};
}

static uint64_t *number_slot(const struct number_shard *shard, uint64_t number, uint64_t hash)
{
	uint32_t slot = (uint32_t)hash & shard->mask;
	while (shard->entries[slot] && shard->entries[slot] != number)
		slot = (slot + 1) & shard->mask;
	return &shard->entries[slot];
}

int number_set_add(struct number_set *set, uint64_t number)
{
	uint64_t hash = hash_u64(number);
	struct number_shard *shard = &set->shards[hash >> 56];
	if (shard_is_full(shard->count, shard->mask)) {
		struct number_shard grown = {.count = shard->count};
		grown.entries = shard_room(shard->mask, sizeof *grown.entries, &grown.mask);
		if (!grown.entries)
			return -ENOMEM;
		for (uint32_t i = 0; shard->entries && i <= shard->mask; i++)
			if (shard->entries[i])
				*number_slot(&grown, shard->entries[i], hash_u64(shard->entries[i])) =
					shard->entries[i];
		free(shard->entries);
		*shard = grown;
	}
	uint64_t *slot = number_slot(shard, number, hash);
	if (*slot)
		return 0;
	*slot = number;
	shard->count++;
	set->count++;
	return 1;
}

size_t number_set_bytes(const struct number_set *set)
{
	size_t bytes = sizeof *set;
	for (size_t i = 0; i < SOURCE_SHARDS; i++)
		bytes += set->shards[i].mask ? ((size_t)set->shards[i].mask + 1) * sizeof(uint64_t) : 0;
	return bytes;
}

static uint64_t v6_hash(const uint8_t address[16])
{
	uint64_t high, low;
	memcpy(&high, address, 8);
	memcpy(&low, address + 8, 8);
	return hash_u64(high ^ hash_u64(low));
}

void v6_table_done(struct v6_table *table)
{
	free(table->addresses);
	free(table->slots);
	*table = (struct v6_table){0};
}

static int v6_table_grow(struct v6_table *table)
{
	uint32_t capacity = table->capacity ? table->capacity * 2 : 1024, mask = capacity * 2 - 1;
	struct addr *addresses = realloc(table->addresses, (size_t)capacity * sizeof *addresses);
	if (!addresses)
		return -ENOMEM;
	table->addresses = addresses;
	uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < table->count; i++) {
		uint32_t slot = (uint32_t)v6_hash(addresses[i].bytes) & mask;
		while (slots[slot])
			slot = (slot + 1) & mask;
		slots[slot] = i + 1;
	}
	free(table->slots);
	table->slots = slots;
	table->capacity = capacity;
	table->mask = mask;
	return 0;
}

int v6_table_number(struct v6_table *table, const uint8_t address[16], uint32_t *ret_number)
{
	if (table->count == table->capacity && v6_table_grow(table) < 0)
		return -ENOMEM;
	uint32_t slot = (uint32_t)v6_hash(address) & table->mask;
	for (; table->slots[slot]; slot = (slot + 1) & table->mask)
		if (memcmp(table->addresses[table->slots[slot] - 1].bytes, address, 16) == 0) {
			*ret_number = table->slots[slot] - 1;
			return 0;
		}
	memcpy(table->addresses[table->count].bytes, address, 16);
	table->slots[slot] = ++table->count;
	*ret_number = table->count - 1;
	return 0;
}

void echo_table_done(struct echo_table *table)
{
	free(table->entries);
	free(table->slots);
	*table = (struct echo_table){0};
}

void echo_table_clear(struct echo_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		table->entries[table->slots[i]].used = 0;
	table->count = 0;
}

static uint32_t echo_slot(const struct echo_table *table, const struct addr *victim, uint8_t protocol, uint16_t port)
{
	uint32_t slot = (uint32_t)hash_u64(v6_hash(victim->bytes) ^ ((uint32_t)protocol << 16 | port)) & table->mask;
	const struct echo *echo = &table->entries[slot];
	while (echo->used &&
	       (echo->port != port || echo->protocol != protocol || addr_compare(&echo->victim, victim) != 0)) {
		slot = (slot + 1) & table->mask;
		echo = &table->entries[slot];
	}
	return slot;
}

int echo_table_reserve(struct echo_table *table, uint32_t more)
{
	uint64_t wanted = ((uint64_t)table->count + more) * 4 / 3 + 1;
	if (table->entries && wanted <= (uint64_t)table->mask + 1)
		return 0;
	uint32_t room = 1024;
	while (room < wanted)
		room *= 2;
	struct echo_table grown = {.entries = calloc(room, sizeof(struct echo)),
				   .slots = malloc(room * sizeof(uint32_t)),
				   .mask = room - 1};
	if (!grown.entries || !grown.slots) {
		echo_table_done(&grown);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < table->count; i++) {
		const struct echo *old = &table->entries[table->slots[i]];
		uint32_t slot = echo_slot(&grown, &old->victim, old->protocol, old->port);
		grown.entries[slot] = *old;
		grown.slots[grown.count++] = slot;
	}
	echo_table_done(table);
	*table = grown;
	return 0;
}

struct echo *echo_table_at(struct echo_table *table, const struct addr *victim, uint8_t protocol, uint16_t port)
{
	uint32_t slot = echo_slot(table, victim, protocol, port);
	struct echo *echo = &table->entries[slot];
	if (!echo->used)
		table->slots[table->count++] = slot;
	return echo;
}
