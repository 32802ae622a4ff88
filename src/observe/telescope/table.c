/* Tables of the telescope. See table.h for what each is for. */
#include "observe/telescope/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_BYTES = 2 << 20, TUPLES_LEAST = 64 };

/* Where a number of 32 random bits falls among `room` places (Lemire's multiply-shift): any room, not only powers of
 * two, so that tables can grow by half or a quarter. */
static inline uint32_t place_of(uint32_t hash, uint32_t room)
{
	return (uint32_t)((uint64_t)hash * room >> 32);
}

static size_t mapped_bytes(size_t bytes)
{
	return (bytes + 4095) & ~(size_t)4095;
}

void *table_room(size_t bytes)
{
	if (bytes < HUGE_BYTES / 2)
		return calloc(1, bytes ? bytes : 1);
	size_t wanted = mapped_bytes(bytes), slack = wanted + HUGE_BYTES;
	char *map = mmap(NULL, slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	char *begin = (char *)(((uintptr_t)map + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1));
	if (begin > map)
		munmap(map, (size_t)(begin - map));
	munmap(begin + wanted, (size_t)(map + slack - (begin + wanted)));
	(void)!madvise(begin, wanted, MADV_HUGEPAGE);
	return begin;
}

void table_room_free(void *room, size_t bytes)
{
	if (!room || bytes < HUGE_BYTES / 2)
		free(room);
	else
		munmap(room, mapped_bytes(bytes));
}

int tuple_table_init(struct tuple_table *table, uint32_t rows)
{
	uint32_t room = TUPLES_LEAST;
	while (room < rows)
		room *= 2;
	*table = (struct tuple_table){
		.rows = table_room((size_t)room * sizeof *table->rows),
		.slots = table_room(2 * (size_t)room * sizeof *table->slots),
		.room = room,
		.mask = 2 * room - 1,
	};
	if (!table->rows || !table->slots) {
		tuple_table_done(table);
		return -ENOMEM;
	}
	return 0;
}

void tuple_table_done(struct tuple_table *table)
{
	table_room_free(table->rows, (size_t)table->room * sizeof *table->rows);
	table_room_free(table->slots, 2 * (size_t)table->room * sizeof *table->slots);
	*table = (struct tuple_table){0};
}

int tuple_table_reserve(struct tuple_table *table, uint32_t more)
{
	uint64_t wanted = (uint64_t)table->count + more;
	if (wanted <= table->room)
		return 0;
	struct tuple_table grown;
	if (wanted > UINT32_MAX / 4 || tuple_table_init(&grown, (uint32_t)wanted) < 0)
		return -ENOMEM;
	if (table->count)
		memcpy(grown.rows, table->rows, table->count * sizeof *grown.rows);
	grown.count = table->count;
	for (uint32_t i = 0; i < grown.count; i++) {
		uint64_t hash = tuple_hash(&grown.rows[i].key);
		uint32_t slot = (uint32_t)hash & grown.mask;
		while (grown.slots[slot].row)
			slot = (slot + 1) & grown.mask;
		grown.slots[slot] = (struct tuple_slot){i + 1, (uint32_t)(hash >> 32)};
	}
	tuple_table_done(table);
	*table = grown;
	return 0;
}

void tuple_table_clear(struct tuple_table *table)
{
	struct tuple_table small;
	if (table->room > TUPLES_LEAST && table->count < table->room / 16 &&
	    tuple_table_init(&small, table->room / 4) == 0) {
		tuple_table_done(table);
		*table = small;
		return;
	}
	if (table->count)
		memset(table->slots, 0, ((size_t)table->mask + 1) * sizeof *table->slots);
	table->count = 0;
}

uint32_t targets_estimate(uint64_t bits, uint32_t packets)
{
	/* round(-64 ln(1 - n/64)) for n bits set; all set: what 63.5 would give */
	static const uint16_t estimates[65] = {
		0,  1,  2,  3,  4,  5,  6,  7,   9,   10,  11,  12,  13,  15,  16,  17,  18,  20,  21,  23,  24, 25,
		27, 28, 30, 32, 33, 35, 37, 39,  40,  42,  44,  46,  48,  51,  53,  55,  58,  60,  63,  65,  68, 71,
		74, 78, 81, 85, 89, 93, 97, 102, 107, 113, 119, 126, 133, 142, 151, 163, 177, 196, 222, 266, 266};
	uint32_t estimate = estimates[__builtin_popcountll(bits)];
	return estimate < packets ? estimate : packets;
}

/* --- shards ------------------------------------------------------------------------------------------------------ */

static bool shard_is_full(const struct shard *shard)
{
	return (uint64_t)shard->count * 20 >= (uint64_t)shard->room * 17;
}

/* By half while small, by a quarter later. */
static uint32_t shard_next_room(uint32_t room)
{
	return room == 0 ? 64 : room < 65536 ? room + room / 2 : room + room / 4;
}

static void shards_done(struct shard *shards, size_t width)
{
	for (size_t i = 0; i < SHARDS; i++) {
		table_room_free(shards[i].entries, (size_t)shards[i].room * width);
		shards[i] = (struct shard){0};
	}
}

static size_t shards_bytes(const struct shard *shards, size_t width)
{
	size_t bytes = SHARDS * sizeof *shards;
	for (size_t i = 0; i < SHARDS; i++)
		bytes += (size_t)shards[i].room * width;
	return bytes;
}

static struct source *source_place(const struct shard *shard, uint32_t address, uint64_t hash)
{
	struct source *entries = shard->entries;
	uint32_t place = place_of((uint32_t)hash, shard->room);
	while (entries[place].state && entries[place].address != address)
		place = place + 1 == shard->room ? 0 : place + 1;
	return &entries[place];
}

static int source_shard_grow(struct shard *shard)
{
	struct shard grown = {.count = shard->count, .room = shard_next_room(shard->room)};
	const struct source *old = shard->entries;
	grown.entries = table_room((size_t)grown.room * sizeof *old);
	if (!grown.entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < shard->room; i++)
		if (old[i].state)
			*source_place(&grown, old[i].address, source_hash(old[i].address)) = old[i];
	table_room_free(shard->entries, (size_t)shard->room * sizeof *old);
	*shard = grown;
	return 0;
}

void source_table_done(struct source_table *table)
{
	shards_done(table->shards, sizeof(struct source));
	table->count = 0;
}

void source_table_prefetch(const struct source_table *table, uint32_t address)
{
	uint64_t hash = source_hash(address);
	const struct shard *shard = &table->shards[hash >> 56];
	if (shard->room)
		__builtin_prefetch((struct source *)shard->entries + place_of((uint32_t)hash, shard->room), 1);
}

struct source *source_table_find(const struct source_table *table, uint32_t address)
{
	uint64_t hash = source_hash(address);
	const struct shard *shard = &table->shards[hash >> 56];
	if (!shard->room)
		return NULL;
	struct source *source = source_place(shard, address, hash);
	return source->state ? source : NULL;
}

struct source *source_table_at(struct source_table *table, uint32_t address, bool *ret_new)
{
	uint64_t hash = source_hash(address);
	struct shard *shard = &table->shards[hash >> 56];
	if (shard_is_full(shard) && source_shard_grow(shard) < 0)
		return NULL;
	struct source *source = source_place(shard, address, hash);
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
	return shards_bytes(table->shards, sizeof(struct source));
}

void number_set_done(struct number_set *set)
{
	shards_done(set->shards, sizeof(uint64_t));
	set->count = 0;
}

static uint64_t *number_place(const struct shard *shard, uint64_t number, uint64_t hash)
{
	uint64_t *entries = shard->entries;
	uint32_t place = place_of((uint32_t)hash, shard->room);
	while (entries[place] && entries[place] != number)
		place = place + 1 == shard->room ? 0 : place + 1;
	return &entries[place];
}

static int number_shard_grow(struct shard *shard)
{
	struct shard grown = {.count = shard->count, .room = shard_next_room(shard->room)};
	const uint64_t *old = shard->entries;
	grown.entries = table_room((size_t)grown.room * sizeof *old);
	if (!grown.entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < shard->room; i++)
		if (old[i])
			*number_place(&grown, old[i], hash_u64(old[i])) = old[i];
	table_room_free(shard->entries, (size_t)shard->room * sizeof *old);
	*shard = grown;
	return 0;
}

void number_set_prefetch(const struct number_set *set, uint32_t number_shard, uint64_t number)
{
	uint64_t hash = hash_u64(number);
	const struct shard *shard = &set->shards[number_shard];
	if (shard->room)
		__builtin_prefetch((uint64_t *)shard->entries + place_of((uint32_t)hash, shard->room), 1);
}

bool number_set_has(const struct number_set *set, uint32_t number_shard, uint64_t number)
{
	uint64_t hash = hash_u64(number);
	const struct shard *shard = &set->shards[number_shard];
	return shard->room && *number_place(shard, number, hash) == number;
}

int number_set_add(struct number_set *set, uint32_t number_shard, uint64_t number)
{
	uint64_t hash = hash_u64(number);
	struct shard *shard = &set->shards[number_shard];
	if (shard_is_full(shard) && number_shard_grow(shard) < 0)
		return -ENOMEM;
	uint64_t *place = number_place(shard, number, hash);
	if (*place)
		return 0;
	*place = number;
	shard->count++;
	set->count++;
	return 1;
}

size_t number_set_bytes(const struct number_set *set)
{
	return shards_bytes(set->shards, sizeof(uint64_t));
}

void wide_table_done(struct wide_table *table)
{
	for (uint32_t i = 0; table->slots && i < WIDE_SOURCES_MAX * 2; i++)
		free(table->slots[i]);
	free(table->slots);
	*table = (struct wide_table){0};
}

struct wide_source *wide_table_at(struct wide_table *table, uint8_t version, uint32_t source, bool make)
{
	uint64_t name = (uint64_t)version << 32 | source;
	if (!table->slots && (!make || !(table->slots = calloc(WIDE_SOURCES_MAX * 2, sizeof *table->slots))))
		return NULL;
	uint32_t slot = (uint32_t)hash_u64(name) & (WIDE_SOURCES_MAX * 2 - 1);
	for (; table->slots[slot]; slot = (slot + 1) & (WIDE_SOURCES_MAX * 2 - 1))
		if (table->slots[slot]->name == name)
			return table->slots[slot];
	if (!make || table->count == WIDE_SOURCES_MAX)
		return NULL;
	struct wide_source *wide = calloc(1, sizeof *wide);
	if (!wide)
		return NULL;
	wide->name = name;
	table->slots[slot] = wide;
	table->count++;
	return wide;
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
	while (echo->used && (echo->port != port || echo->protocol != protocol || !addr_same(&echo->victim, victim))) {
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
