/* What has been seen: who (clients) asked whom (services) how often, when and with how much, from flows of any
 * exporter.
 *
 * A pair is a client and a service: 48 bytes of sums, and for the few pairs that return and stay small a diary of the
 * last contacts, whose number is bounded by that of the pairs. A scorer reads the whole at any time; nothing is
 * forgotten before cnc_sight_free().
 */
#pragma once

#include "analyze/cnc/shelf.h"
#include "core/addr.h"
#include "core/err.h"
#include "record/batch.h"

enum { CNC_DIARY_LINES = 32, CNC_SLOTS = 32 /* spans of `slot_ms` that a pair's `slots` tells of */ };

struct cnc_client {
	struct addr addr;
	uint32_t first_ms, last_ms;
};

struct cnc_service {
	struct addr addr;
	uint16_t port;
	uint8_t protocol;
	uint8_t zero[5]; /* so far the key */
	uint32_t first_ms;
};

struct cnc_pair {
	uint32_t client, service; /* the key: numbers on the shelves */
	uint32_t first_ms, last_ms;
	uint32_t began_ms; /* of the connection that goes on */
	uint32_t touches;  /* records from the client's side, or of both */
	uint32_t slots;    /* a bit a span in which there was a contact */
	float up_bytes, down_bytes;
	uint16_t packets;    /* of both ways, as cnc_size() */
	uint16_t longest;    /* the longest connection, ms as cnc_size() */
	uint16_t port;       /* the client's, of the last contact */
	uint16_t unanswered; /* touches; stays at its most */
	uint32_t diary;      /* 0: none; else its number + 1 */
};

struct cnc_diary {
	uint32_t pair;
	uint32_t count; /* lines written; the last CNC_DIARY_LINES are there */
	uint32_t start_ms[CNC_DIARY_LINES];
	uint16_t up[CNC_DIARY_LINES], down[CNC_DIARY_LINES]; /* bytes as cnc_size() */
};

struct cnc_sight {
	struct shelf clients, services, pairs;
	struct cnc_diary *diaries;
	uint32_t diary_count, diary_room;
	int64_t until_ns;
	int64_t base_ns;           /* what `_ms` counts from */
	uint32_t begin_ms, end_ms; /* of all that was seen */
	uint32_t slot_ms;          /* width of a span; doubles when all CNC_SLOTS are past */
	uint64_t flows, passed;    /* taken; passed over: of no protocol that serves, or to many at once */
	uint64_t random;
	uint32_t part, parts; /* clients whose hash falls to another part are passed over */
};

/* `pairs_max` 0: as many as a shelf holds; `until_ns` 0: no row is too late. NULL: out of memory. */
struct cnc_sight *cnc_sight_new(uint32_t pairs_max, int64_t until_ns);
void cnc_sight_free(struct cnc_sight *sight);

/* Rows of record_flow. Rows that find no room are counted (shelf.refused). -EINVAL: of another kind. */
int cnc_sight_take(struct cnc_sight *sight, const struct batch *batch, struct err *err) must_check;

/* Let the window hold these instants; spans grow where it does. */
void cnc_sight_widen(struct cnc_sight *sight, uint32_t start_ms, uint32_t end_ms);

/* Spans are numbered from the beginning of time; the bit of one is its number modulo CNC_SLOTS, which is clear as long
 * as no more of them lie between the first and the last. Here two become one; `first` is the number of the first. */
uint32_t cnc_slots_fold(uint32_t slots, uint32_t first);

/* -ENOMEM, also where it is full. */
int cnc_sight_merge(struct cnc_sight *sight, const struct cnc_sight *other) must_check;

size_t cnc_sight_bytes(const struct cnc_sight *sight);
int64_t cnc_sight_ns(const struct cnc_sight *sight, uint32_t time_ms);

static inline struct cnc_client *cnc_client_at(const struct cnc_sight *sight, uint32_t number)
{
	return shelf_at(&sight->clients, number);
}

static inline struct cnc_service *cnc_service_at(const struct cnc_sight *sight, uint32_t number)
{
	return shelf_at(&sight->services, number);
}

static inline struct cnc_pair *cnc_pair_at(const struct cnc_sight *sight, uint32_t number)
{
	return shelf_at(&sight->pairs, number);
}

static inline const struct cnc_diary *cnc_pair_diary(const struct cnc_sight *sight, const struct cnc_pair *pair)
{
	return pair->diary ? &sight->diaries[pair->diary - 1] : NULL;
}

/* A count in 16 bits, to 0.8 %: the upper half of the float. */
static inline uint16_t cnc_size(float count)
{
	uint32_t bits;
	memcpy(&bits, &count, sizeof bits);
	return (uint16_t)(bits >> 16);
}

static inline float cnc_size_count(uint16_t size)
{
	uint32_t bits = (uint32_t)size << 16;
	float count;
	memcpy(&count, &bits, sizeof count);
	return count;
}

/* `size` and some more. What is too little to show is added now and then, so that the sum is right in the long run. */
static inline uint16_t cnc_size_add(uint16_t size, float more, uint64_t *random)
{
	float count = cnc_size_count(size) + more;
	uint32_t bits;
	memcpy(&bits, &count, sizeof bits);
	return (uint16_t)((bits + (uint32_t)(random_next(random) & 0xffff)) >> 16);
}
