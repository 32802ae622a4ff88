/* See meter.h. A chained table whose entries also stand in one line by the time of their last packet, so that the head
 * of the line is who falls idle next. */
#include "observe/flow/meter.h"

#include "core/clock.h"
#include "record/flow_row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BATCH_ROWS = 8192, FLOWS_MAX = 1000000, FLOWS_FIRST = 4096, TCP = 6, FIN = 1, RST = 4 };
enum end_reason { END_IDLE = 1, END_ACTIVE, END_DETECTED, END_FORCED, END_NO_ROOM }; /* flowEndReason, RFC 5102 */
enum { NOBODY = UINT32_MAX };

static const int64_t closed_ns = NS_PER_S; /* how long a closed connection may still send its last packets */

struct key {
	struct addr source, target;
	uint16_t source_port, target_port, protocol, unused; /* 40 bytes without a hole: hashed as they lie */
};

struct entry {
	struct key key;
	int64_t first_ns, last_ns;
	uint64_t packets, bytes;
	uint32_t bucket_next, older, newer; /* numbers of entries; NOBODY */
	uint8_t flags, tos;
};

struct meter {
	struct meter_options options;
	struct sink *sink;
	struct batch *batch;
	struct entry *entries;
	uint32_t *buckets; /* as many as there is room for entries */
	uint32_t room, used, free, oldest, newest;
	int64_t now_ns;
	struct meter_figures figures;
};

static int sizes_set(struct meter *meter, uint32_t room, struct err *err);

int meter_new(const struct meter_options *options, struct sink *sink, struct meter **ret_meter, struct err *err)
{
	struct meter *meter = calloc(1, sizeof *meter);
	if (!meter)
		return err_set(err, -ENOMEM, "no memory for a flow meter");
	*meter = (struct meter){.options = *options,
				.sink = sink,
				.batch = batch_new(&record_flow, BATCH_ROWS),
				.free = NOBODY,
				.oldest = NOBODY,
				.newest = NOBODY,
				.now_ns = INT64_MIN};
	struct meter_options *own = &meter->options;
	own->active_ns = own->active_ns ? own->active_ns : 120 * NS_PER_S;
	own->idle_ns = own->idle_ns ? own->idle_ns : 15 * NS_PER_S;
	own->flows_max = own->flows_max ? own->flows_max : FLOWS_MAX;
	int result = meter->batch ? sizes_set(meter, own->flows_max < FLOWS_FIRST ? own->flows_max : FLOWS_FIRST, err)
				  : err_set(err, -ENOMEM, "no memory for a flow meter");
	if (result < 0)
		meter_free(meter);
	else
		*ret_meter = meter;
	return result;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	batch_free(meter->batch);
	free(meter->entries);
	free(meter->buckets);
	free(meter);
}

struct meter_figures meter_figures(const struct meter *meter)
{
	return meter->figures;
}

/* --- the table --------------------------------------------------------------------------------------------------- */

static uint32_t *bucket_of(const struct meter *meter, const struct key *key)
{
	return &meter->buckets[(uint32_t)((XXH3_64bits(key, sizeof *key) >> 32) * meter->room >> 32)];
}

static int sizes_set(struct meter *meter, uint32_t room, struct err *err)
{
	struct entry *entries = realloc(meter->entries, room * sizeof *entries);
	meter->entries = entries ? entries : meter->entries;
	uint32_t *buckets = malloc(room * sizeof *buckets);
	if (!entries || !buckets) {
		free(buckets);
		return err_set(err, -ENOMEM, "no memory for %u flows", room);
	}
	free(meter->buckets);
	meter->buckets = buckets;
	meter->room = room;
	memset(buckets, 0xff, room * sizeof *buckets);
	for (uint32_t at = meter->oldest; at != NOBODY; at = entries[at].newer) {
		uint32_t *bucket = bucket_of(meter, &entries[at].key);
		entries[at].bucket_next = *bucket;
		*bucket = at;
	}
	return 0;
}

static void line_leave(struct meter *meter, uint32_t at)
{
	struct entry *entry = &meter->entries[at];
	*(entry->older == NOBODY ? &meter->oldest : &meter->entries[entry->older].newer) = entry->newer;
	*(entry->newer == NOBODY ? &meter->newest : &meter->entries[entry->newer].older) = entry->older;
}

static void line_join(struct meter *meter, uint32_t at)
{
	struct entry *entry = &meter->entries[at];
	entry->older = meter->newest;
	entry->newer = NOBODY;
	*(meter->newest == NOBODY ? &meter->oldest : &meter->entries[meter->newest].newer) = at;
	meter->newest = at;
}

static uint32_t entry_find(const struct meter *meter, const struct key *key)
{
	uint32_t at = *bucket_of(meter, key);
	while (at != NOBODY && memcmp(&meter->entries[at].key, key, sizeof *key) != 0)
		at = meter->entries[at].bucket_next;
	return at;
}

static void entry_remove(struct meter *meter, uint32_t at)
{
	uint32_t *link = bucket_of(meter, &meter->entries[at].key);
	while (*link != at)
		link = &meter->entries[*link].bucket_next;
	*link = meter->entries[at].bucket_next;
	line_leave(meter, at);
	meter->entries[at].bucket_next = meter->free;
	meter->free = at;
}

/* --- telling ----------------------------------------------------------------------------------------------------- */

static int batch_out(struct meter *meter, struct err *err)
{
	int result = meter->batch->rows ? meter->sink->put(meter->sink, meter->batch, err) : 0;
	batch_clear(meter->batch);
	return result;
}

static int entry_tell(struct meter *meter, const struct entry *entry, enum end_reason reason, struct err *err)
{
	const struct key *key = &entry->key;
	flow_row_put(meter->batch, &(struct flow_row){.sensor = meter->options.sensor,
						      .exporter = meter->options.exporter,
						      .first_ns = entry->first_ns,
						      .last_ns = entry->last_ns,
						      .source = key->source,
						      .target = key->target,
						      .source_port = key->source_port,
						      .target_port = key->target_port,
						      .protocol = (uint8_t)key->protocol,
						      .flags = entry->flags,
						      .tos = entry->tos,
						      .packets = entry->packets,
						      .bytes = entry->bytes,
						      .end_reason = (uint8_t)reason,
						      .sampling = 1});
	meter->figures.flows++;
	meter->figures.forced += reason == END_NO_ROOM;
	return meter->batch->rows == meter->batch->capacity ? batch_out(meter, err) : 0;
}

static int oldest_tell(struct meter *meter, enum end_reason reason, struct err *err)
{
	uint32_t at = meter->oldest;
	const struct entry *entry = &meter->entries[at];
	bool closed = entry->key.protocol == TCP && entry->flags & (FIN | RST);
	int result = entry_tell(meter, entry, closed && reason == END_IDLE ? END_DETECTED : reason, err);
	entry_remove(meter, at);
	return result;
}

static int idle_tell(struct meter *meter, struct err *err)
{
	int result = 0;
	while (result == 0 && meter->oldest != NOBODY &&
	       meter->now_ns - meter->entries[meter->oldest].last_ns >= meter->options.idle_ns)
		result = oldest_tell(meter, END_IDLE, err);
	return result;
}

/* --- packets ----------------------------------------------------------------------------------------------------- */

static struct key key_of(const struct packet *packet)
{
	return (struct key){packet_source(packet),          packet_destination(packet), packet->l4 ? packet->sport : 0,
			    packet->l4 ? packet->dport : 0, packet->protocol,           0};
}

/* A number for a new entry; NOBODY: *ret_result says why. */
static uint32_t entry_take(struct meter *meter, int *ret_result, struct err *err)
{
	*ret_result = 0;
	if (meter->free == NOBODY && meter->used == meter->options.flows_max)
		*ret_result = oldest_tell(meter, END_NO_ROOM, err);
	else if (meter->free == NOBODY && meter->used == meter->room)
		*ret_result = sizes_set(
			meter, meter->room > meter->options.flows_max / 2 ? meter->options.flows_max : meter->room * 2,
			err);
	if (*ret_result < 0)
		return NOBODY;
	uint32_t at = meter->free;
	if (at == NOBODY)
		return meter->used++;
	meter->free = meter->entries[at].bucket_next;
	return at;
}

/* Whether the flow is over before this packet of it. */
static enum end_reason ended_before(const struct meter *meter, const struct entry *entry, const struct packet *packet)
{
	int64_t quiet_ns = packet->time_ns - entry->last_ns;
	bool closed = entry->key.protocol == TCP && entry->flags & (FIN | RST);
	if (closed && quiet_ns >= closed_ns)
		return END_DETECTED;
	if (quiet_ns >= meter->options.idle_ns)
		return END_IDLE;
	return packet->time_ns - entry->first_ns >= meter->options.active_ns ? END_ACTIVE : 0;
}

static int packet_take(struct meter *meter, const struct packet *packet, struct err *err)
{
	struct key key = key_of(packet);
	uint32_t at = entry_find(meter, &key);
	int result = 0;
	enum end_reason ended = at == NOBODY ? 0 : ended_before(meter, &meter->entries[at], packet);
	if (ended) {
		result = entry_tell(meter, &meter->entries[at], ended, err);
		entry_remove(meter, at);
		at = NOBODY;
	}
	if (result < 0)
		return result;
	if (at == NOBODY) {
		at = entry_take(meter, &result, err);
		if (at == NOBODY)
			return result;
		uint32_t *bucket = bucket_of(meter, &key);
		meter->entries[at] = (struct entry){
			.key = key,
			.first_ns = packet->time_ns,
			.last_ns = packet->time_ns,
			.bucket_next = *bucket,
			.tos = packet->version == 4 ? packet->ip[1]
						    : (uint8_t)(packet->ip[0] << 4 | packet->ip[1] >> 4)};
		*bucket = at;
	} else {
		line_leave(meter, at);
	}
	line_join(meter, at);
	struct entry *entry = &meter->entries[at];
	entry->last_ns = packet->time_ns > entry->last_ns ? packet->time_ns : entry->last_ns;
	entry->first_ns = packet->time_ns < entry->first_ns ? packet->time_ns : entry->first_ns;
	entry->packets++;
	entry->bytes += packet->ip_bytes;
	entry->flags |= key.protocol == TCP && packet->l4 ? packet->tcp_flags : 0;
	return 0;
}

int meter_feed(struct meter *meter, const struct packet *packets, unsigned count, struct err *err)
{
	int result = 0;
	for (unsigned i = 0; i < count && result == 0; i++) {
		const struct packet *packet = &packets[i];
		if (packet->version == 0 || !packet->ip) {
			meter->figures.others++;
			continue;
		}
		meter->figures.packets++;
		meter->figures.late += meter->now_ns - NS_PER_S > packet->time_ns && meter->now_ns != INT64_MIN;
		meter->now_ns = packet->time_ns > meter->now_ns ? packet->time_ns : meter->now_ns;
		result = idle_tell(meter, err);
		if (result == 0)
			result = packet_take(meter, packet, err);
	}
	return result;
}

int meter_flush(struct meter *meter, struct err *err)
{
	int result = 0;
	while (result == 0 && meter->oldest != NOBODY)
		result = oldest_tell(meter, END_FORCED, err);
	meter->now_ns = INT64_MIN; /* what comes next may be of any time */
	return result < 0 ? result : batch_out(meter, err);
}
