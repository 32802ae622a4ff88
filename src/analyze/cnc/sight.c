/* See sight.h. Rows go in blocks of some dozens: the hashes of all, then what they will touch is fetched, then each is
 * counted, so that a row does not wait for memory by itself.
 */
#include "analyze/cnc/sight.h"

#include "analyze/cnc/orient.h"
#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58, SYN = 0x02, ACK = 0x10 };
enum {
	BLOCK = 32,
	DIARIES_FREE = 1 << 14, /* any pair that returns may have one of so many; then */
	PAIRS_A_DIARY = 64,     /* one is had for so many pairs, */
	DIARY_TOUCHES = 4,      /* by pairs of so many contacts */
	DIARY_BYTES = 1 << 18,  /* of no more than so much each */
	DIARY_TRIES = 8,        /* looked at for one to give up */
	CONNECTION_GAP_MS = 300000,
	SLOT_MS_FIRST = 60000,
	EARLIER_MS = 14 * 86400000, /* records may be older than the first by so much */
};

/* A row, oriented. */
struct touch {
	struct addr client, server;
	uint64_t client_hash, service_hash, pair_hash;
	struct cnc_service service; /* key */
	uint32_t pair_key[2];
	uint32_t start_ms, end_ms;
	float up_bytes, down_bytes, up_packets, down_packets;
	uint16_t client_port;
	bool forward; /* it tells of what the client sent */
	bool answered, fresh, lost;
};

struct columns {
	const int64_t *first, *last;
	const struct addr *source, *target;
	const uint16_t *source_port, *target_port;
	const uint8_t *protocol, *flags;
	const uint64_t *packets, *bytes, *reverse_packets, *reverse_bytes;
};

static const void *column(const struct batch *batch, const char *name)
{
	return batch->columns[record_column_index(batch->kind, name)];
}

static struct columns columns_of(const struct batch *batch)
{
	return (struct columns){
		.first = column(batch, "first"),
		.last = column(batch, "last"),
		.source = column(batch, "source"),
		.target = column(batch, "target"),
		.source_port = column(batch, "source_port"),
		.target_port = column(batch, "target_port"),
		.protocol = column(batch, "protocol"),
		.flags = column(batch, "flags"),
		.packets = column(batch, "packets"),
		.bytes = column(batch, "bytes"),
		.reverse_packets = column(batch, "reverse_packets"),
		.reverse_bytes = column(batch, "reverse_bytes"),
	};
}

struct cnc_sight *cnc_sight_new(uint32_t pairs_max, int64_t until_ns)
{
	struct cnc_sight *sight = calloc(1, sizeof *sight);
	if (!sight)
		return NULL;
	pairs_max = pairs_max && pairs_max < SHELF_MOST ? pairs_max : SHELF_MOST;
	if (shelf_init(&sight->clients, sizeof(struct cnc_client), sizeof(struct addr), SHELF_MOST) < 0 ||
	    shelf_init(&sight->services, sizeof(struct cnc_service), 24, SHELF_MOST) < 0 ||
	    shelf_init(&sight->pairs, sizeof(struct cnc_pair), 8, pairs_max) < 0) {
		cnc_sight_free(sight);
		return NULL;
	}
	sight->parts = 1;
	sight->slot_ms = SLOT_MS_FIRST;
	sight->begin_ms = UINT32_MAX;
	sight->until_ns = until_ns ? until_ns : INT64_MAX;
	return sight;
}

void cnc_sight_free(struct cnc_sight *sight)
{
	if (!sight)
		return;
	shelf_done(&sight->clients);
	shelf_done(&sight->services);
	shelf_done(&sight->pairs);
	free(sight->diaries);
	free(sight);
}

size_t cnc_sight_bytes(const struct cnc_sight *sight)
{
	return shelf_bytes(&sight->clients) + shelf_bytes(&sight->services) + shelf_bytes(&sight->pairs) +
	       sight->diary_room * sizeof *sight->diaries;
}

int64_t cnc_sight_ns(const struct cnc_sight *sight, uint32_t time_ms)
{
	return sight->base_ns + (int64_t)time_ms * NS_PER_MS;
}

/* --- time -------------------------------------------------------------------------------------------------------- */

static uint32_t time_ms(const struct cnc_sight *sight, int64_t time_ns)
{
	int64_t ms = (time_ns - sight->base_ns) / NS_PER_MS;
	return ms < 1 ? 1 : ms > (int64_t)UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)ms;
}

uint32_t cnc_slots_fold(uint32_t slots, uint32_t first)
{
	uint32_t folded = 0;
	for (uint32_t i = 0; i < CNC_SLOTS; i++)
		if (slots >> ((first + i) % CNC_SLOTS) & 1)
			folded |= 1u << ((first + i) / 2 % CNC_SLOTS);
	return folded;
}

void cnc_sight_widen(struct cnc_sight *sight, uint32_t start_ms, uint32_t end_ms)
{
	uint32_t begin_ms = start_ms < sight->begin_ms ? start_ms : sight->begin_ms;
	uint32_t old = sight->begin_ms / sight->slot_ms;
	sight->end_ms = end_ms > sight->end_ms ? end_ms : sight->end_ms;
	while (sight->end_ms / sight->slot_ms - begin_ms / sight->slot_ms >= CNC_SLOTS) {
		for (uint32_t i = 0; i < sight->pairs.count; i++) {
			struct cnc_pair *pair = cnc_pair_at(sight, i);
			pair->slots = cnc_slots_fold(pair->slots, old);
		}
		sight->slot_ms *= 2;
		old /= 2;
	}
	sight->begin_ms = begin_ms;
}

/* --- diaries ----------------------------------------------------------------------------------------------------- */

/* One that another pair can do without: of some taken by chance the one that was longest idle. */
static uint32_t diary_taken(struct cnc_sight *sight)
{
	uint32_t chosen = 0, oldest = UINT32_MAX;
	for (int i = 0; i < DIARY_TRIES; i++) {
		uint32_t number = (uint32_t)random_below(&sight->random, sight->diary_count);
		const struct cnc_pair *pair = cnc_pair_at(sight, sight->diaries[number].pair);
		float bytes = (pair->up_bytes + pair->down_bytes) / (float)pair->touches;
		uint32_t last_ms = bytes > DIARY_BYTES ? 0 : pair->last_ms;
		if (last_ms < oldest) {
			oldest = last_ms;
			chosen = number;
		}
	}
	cnc_pair_at(sight, sight->diaries[chosen].pair)->diary = 0;
	return chosen;
}

static bool diary_room_make(struct cnc_sight *sight)
{
	if (sight->diary_count < sight->diary_room)
		return true;
	uint32_t allowed = sight->pairs.count / PAIRS_A_DIARY;
	allowed = allowed > DIARIES_FREE ? allowed : DIARIES_FREE;
	uint32_t room = sight->diary_room + sight->diary_room / 4 + 256;
	room = room < allowed ? room : allowed;
	if (room <= sight->diary_room)
		return false;
	struct cnc_diary *diaries = realloc(sight->diaries, room * sizeof *diaries);
	if (!diaries)
		return false;
	sight->diaries = diaries;
	sight->diary_room = room;
	return true;
}

static bool diary_deserved(const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	if (sight->diary_count < DIARIES_FREE)
		return true;
	return pair->touches >= DIARY_TOUCHES &&
	       pair->up_bytes + pair->down_bytes <= (float)pair->touches * DIARY_BYTES;
}

static void diary_write(struct cnc_diary *diary, uint32_t start_ms, float up_bytes, float down_bytes)
{
	uint32_t line = diary->count++ % CNC_DIARY_LINES;
	diary->start_ms[line] = start_ms;
	diary->up[line] = cnc_size(up_bytes);
	diary->down[line] = cnc_size(down_bytes);
}

/* The pair's sums are still those of before the touch. */
static void diary_keep(struct cnc_sight *sight, uint32_t number, struct cnc_pair *pair, const struct touch *touch)
{
	if (!pair->diary && pair->touches && diary_deserved(sight, pair)) {
		uint32_t at = SHELF_NONE;
		if (diary_room_make(sight))
			at = sight->diary_count++;
		else if (sight->diary_count)
			at = diary_taken(sight);
		if (at != SHELF_NONE) {
			sight->diaries[at] = (struct cnc_diary){.pair = number};
			pair->diary = at + 1;
			if (pair->touches == 1)
				diary_write(&sight->diaries[at], pair->first_ms, pair->up_bytes, pair->down_bytes);
		}
	}
	if (pair->diary)
		diary_write(&sight->diaries[pair->diary - 1], touch->start_ms, touch->up_bytes, touch->down_bytes);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

/* A refusal is no answer: a SYN and one packet back. */
static bool tcp_answered(const struct columns *columns, uint32_t row)
{
	uint8_t flags = columns->flags[row];
	return flags & ACK || columns->reverse_packets[row] > 1 || (columns->reverse_packets[row] && !(flags & SYN));
}

/* False: the row is of no interest. */
static bool touch_read(const struct cnc_sight *sight, const struct columns *columns, uint32_t row, struct touch *touch)
{
	uint8_t protocol = columns->protocol[row];
	bool icmp = protocol == ICMP || protocol == ICMP6;
	if ((protocol != TCP && protocol != UDP && !icmp) || cnc_addr_is_group(&columns->target[row]) ||
	    cnc_addr_is_group(&columns->source[row]) || columns->first[row] > sight->until_ns)
		return false;
	bool both_ways = columns->reverse_packets[row] > 0;
	struct cnc_ends ends = {&columns->source[row],
				&columns->target[row],
				columns->source_port[row],
				columns->target_port[row],
				protocol,
				columns->flags[row],
				both_ways};
	bool forward = icmp || cnc_target_serves(&ends);
	*touch = (struct touch){.client = forward ? *ends.source : *ends.target,
				.server = forward ? *ends.target : *ends.source,
				.start_ms = time_ms(sight, columns->first[row]),
				.end_ms = time_ms(sight, columns->last[row]),
				.client_port = forward ? ends.source_port : ends.target_port,
				.forward = forward};
	touch->end_ms = touch->end_ms < touch->start_ms ? touch->start_ms : touch->end_ms;
	float bytes = (float)columns->bytes[row], packets = (float)columns->packets[row];
	touch->up_bytes = forward ? bytes : 0;
	touch->down_bytes = forward ? (float)columns->reverse_bytes[row] : bytes;
	touch->up_packets = forward ? packets : 0;
	touch->down_packets = forward ? (float)columns->reverse_packets[row] : packets;
	touch->answered = !forward || (protocol == TCP ? tcp_answered(columns, row) : both_ways);
	touch->service.addr = touch->server;
	touch->service.port = icmp ? 0 : forward ? ends.target_port : ends.source_port;
	touch->service.protocol = protocol;
	touch->client_hash = shelf_hash(&sight->clients, &touch->client);
	if (sight->parts > 1 && (touch->client_hash >> 32) % sight->parts != sight->part)
		return false;
	touch->service_hash = shelf_hash(&sight->services, &touch->service);
	shelf_prefetch(&sight->clients, touch->client_hash);
	shelf_prefetch(&sight->services, touch->service_hash);
	return true;
}

static void ends_find(struct cnc_sight *sight, struct touch *touch)
{
	bool is_new;
	uint32_t client = shelf_add(&sight->clients, &touch->client, touch->client_hash, &is_new);
	uint32_t service = shelf_add(&sight->services, &touch->service, touch->service_hash, &is_new);
	if (service != SHELF_NONE && is_new)
		cnc_service_at(sight, service)->first_ms = touch->start_ms;
	touch->lost = client == SHELF_NONE || service == SHELF_NONE;
	touch->pair_key[0] = client;
	touch->pair_key[1] = service;
	touch->pair_hash = shelf_hash(&sight->pairs, touch->pair_key);
	shelf_prefetch(&sight->pairs, touch->pair_hash);
}

/* What the other end of a record that is there already sent: no contact of its own. */
static bool is_echo(const struct cnc_pair *pair, const struct touch *touch)
{
	return !touch->forward && pair->touches && touch->start_ms <= pair->last_ms + 2000 &&
	       touch->end_ms + 2000 >= pair->began_ms;
}

static void pair_count(struct cnc_sight *sight, uint32_t number, const struct touch *touch)
{
	struct cnc_pair *pair = cnc_pair_at(sight, number);
	bool echo = is_echo(pair, touch);
	if (!echo)
		diary_keep(sight, number, pair, touch);
	bool same = pair->touches && touch->client_port == pair->port &&
		    touch->start_ms <= (uint64_t)pair->last_ms + CONNECTION_GAP_MS && touch->end_ms >= pair->began_ms;
	if (!same && !echo)
		pair->began_ms = touch->start_ms;
	pair->began_ms = touch->start_ms < pair->began_ms && same ? touch->start_ms : pair->began_ms;
	uint32_t until = same && pair->last_ms > touch->end_ms ? pair->last_ms : touch->end_ms;
	uint32_t long_ms = until > pair->began_ms ? until - pair->began_ms : 0;
	if (touch->answered && (float)long_ms > cnc_size_count(pair->longest))
		pair->longest = cnc_size((float)long_ms);
	pair->first_ms = !pair->touches || touch->start_ms < pair->first_ms ? touch->start_ms : pair->first_ms;
	pair->last_ms = touch->end_ms > pair->last_ms ? touch->end_ms : pair->last_ms;
	pair->port = touch->client_port;
	pair->up_bytes += touch->up_bytes;
	pair->down_bytes += touch->down_bytes;
	pair->packets = cnc_size_add(pair->packets, touch->up_packets + touch->down_packets, &sight->random);
	for (uint32_t slot = touch->start_ms / sight->slot_ms; slot <= touch->end_ms / sight->slot_ms; slot++)
		pair->slots |= 1u << slot % CNC_SLOTS;
	if (echo) {
		pair->unanswered -= pair->unanswered > 0 && pair->touches == pair->unanswered;
		return;
	}
	pair->touches++;
	pair->unanswered += !touch->answered && pair->unanswered < UINT16_MAX;
}

static void touch_count(struct cnc_sight *sight, struct touch *touch)
{
	uint32_t number =
		touch->lost ? SHELF_NONE : shelf_add(&sight->pairs, touch->pair_key, touch->pair_hash, &touch->fresh);
	if (number == SHELF_NONE)
		return;
	struct cnc_client *client = cnc_client_at(sight, touch->pair_key[0]);
	struct cnc_service *service = cnc_service_at(sight, touch->pair_key[1]);
	client->first_ms = client->first_ms && client->first_ms < touch->start_ms ? client->first_ms : touch->start_ms;
	client->last_ms = client->last_ms > touch->end_ms ? client->last_ms : touch->end_ms;
	service->first_ms = service->first_ms < touch->start_ms ? service->first_ms : touch->start_ms;
	pair_count(sight, number, touch);
}

int cnc_sight_take(struct cnc_sight *sight, const struct batch *batch, struct err *err)
{
	if (batch->kind != &record_flow)
		return err_set(err, -EINVAL, "a batch of %s: flows were expected", batch->kind->name);
	struct columns columns = columns_of(batch);
	if (!sight->base_ns && batch->rows)
		sight->base_ns = columns.first[0] - EARLIER_MS * NS_PER_MS;
	for (uint32_t row = 0; row < batch->rows;) {
		struct touch touches[BLOCK];
		uint32_t count = 0;
		for (; row < batch->rows && count < BLOCK; row++) {
			bool wanted = touch_read(sight, &columns, row, &touches[count]);
			count += wanted;
			sight->passed += !wanted;
			sight->flows++;
		}
		for (uint32_t i = 0; i < count; i++) {
			shelf_prefetch_record(&sight->clients, touches[i].client_hash);
			shelf_prefetch_record(&sight->services, touches[i].service_hash);
		}
		for (uint32_t i = 0; i < count; i++) {
			cnc_sight_widen(sight, touches[i].start_ms, touches[i].end_ms);
			ends_find(sight, &touches[i]);
		}
		for (uint32_t i = 0; i < count; i++)
			shelf_prefetch_record(&sight->pairs, touches[i].pair_hash);
		for (uint32_t i = 0; i < count; i++)
			touch_count(sight, &touches[i]);
	}
	return 0;
}
