/* The open minute, in parts: sources whose hash begins alike stand in one part.
 *
 * Rows, sources and ports of a country's darknet are met at random, and each meeting of a table that is larger than the
 * cache costs more than everything else that is done with a packet. So packets are first put behind one another, 40
 * bytes each, in the part of their source, which writes to few places and in order; from time to time a part is folded
 * into its rows, which together with its share of all other tables lie in the cache for as long as that takes
 * (partitioned aggregation: Manegold, Boncz, Kersten, "Optimizing Main-Memory Join on Modern Hardware", 2002).
 */
#include "core/cursor.h"
#include "observe/telescope/internal.h"
#include "observe/telescope/kind.h"
#include "observe/telescope/tool.h"
#include "wire/tcp_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_LEAST = 32, EVENTS_MOST = 16384, AHEAD = 32 };

/* Window, TCP options, DF and a class of TTL: what a program or stack cannot help showing. */
static inline uint32_t signature_of(const struct packet *packet, uint64_t options)
{
	static const uint8_t ttl_classes[5] = {1, 1, 2, 3,
					       3}; /* up to 64, up to 128, more; looked up, not branched on */
	uint64_t ttl_class = ttl_classes[(packet->ttl + 63) >> 6];
	uint64_t window = packet->protocol == 6 ? packet->window : 0;
	return (uint32_t)hash_u64(options ^ window << 16 ^ (uint64_t)(packet->flags & PACKET_DF) << 8 ^ ttl_class);
}

/* The kinds of the packet's TCP options. The parser does not look into them, so what is wrong there is counted here. */
static inline uint64_t options_of(struct telescope *telescope, struct packet *packet)
{
	if (packet->protocol != 6 || packet->header_bytes <= 20)
		return 0;
	bool sound = packet->anomaly == ANOMALY_NONE;
	uint64_t signature = tcp_options_signature(packet);
	telescope->counts.anomalies[ANOMALY_TCP_OPTIONS] += sound && packet->anomaly == ANOMALY_TCP_OPTIONS;
	return signature;
}

static inline void event_write(struct event *event, const struct packet *packet, const struct verdict_line *line,
			       uint64_t options, uint32_t at_us)
{
	bool is_tcp = packet->protocol == 6;
	*event = (struct event){
		.key = line->key,
		.at_us = at_us,
		.target_hash = line->target_hash,
		.seq = line->key.tool == TOOL_ZMAP && packet->protocol == 1 ? load_be32(packet->l4 + 4) : packet->seq,
		.unicornscan_key = is_tcp && packet->version == 4 ? tool_unicornscan_key(packet->seq, packet->dst,
											 packet->dport, packet->sport)
								  : 0,
		.payload = line->payload,
		.signature = signature_of(packet, options),
		.bytes = packet->ip_bytes,
		.ttl = packet->ttl,
		.marks = (uint8_t)((packet_is_spoofed(packet, line->key.tool) ? TUPLE_SPOOFED : 0) |
				   (line->certainty == TOOL_SECOND    ? TUPLE_SECOND
				    : line->certainty == TOOL_FOLLOWS ? TUPLE_FOLLOWS
								      : 0)),
	};
}

static int part_grow(struct part *part)
{
	uint32_t room = part->room ? part->room * 2 : EVENTS_LEAST;
	struct event *events = realloc(part->events, room * sizeof *events);
	if (!events)
		return -ENOMEM;
	part->events = events;
	part->room = room;
	return 0;
}

int event_add(struct telescope *telescope, struct packet *packet, const struct verdict_line *line, struct err *err)
{
	struct part *part = &telescope->parts[shard_of(line->key.source)];
	if (__builtin_expect(part->count == part->room, 0)) {
		int result = part->room < EVENTS_MOST ? part_grow(part) : part_fold(part, &part->tuples, err);
		if (result < 0 && part->count == part->room)
			return err_set(err, result, "no memory for more packets in a minute");
	}
	int64_t base_ns = telescope->minute_ns - LATE_NS;
	uint32_t at_us = (uint32_t)((uint64_t)(packet->time_ns - base_ns) / NS_PER_US);
	struct event *event = &part->events[part->count++];
	__builtin_prefetch(event + 3, 1); /* too many parts for the processor to see that each is written in order */
	event_write(event, packet, line, options_of(telescope, packet), at_us);
	return 0;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

static void row_begin(struct tuple *row, const struct event *event)
{
	*row = (struct tuple){
		.key = event->key,
		.first_us = event->at_us,
		.last_us = event->at_us,
		.seq = event->seq,
		.unicornscan_key = event->unicornscan_key,
		.payload = event->payload,
		.signature = event->signature,
		.target_hash = (uint16_t)event->target_hash,
		.ttl = event->ttl,
		.marks = event->marks,
	};
}

static uint16_t plus16(uint16_t count, bool one)
{
	return (uint16_t)(count + (one && count != UINT16_MAX));
}

/* A later packet of a row beside its first: do the two-packet rules hold? */
static inline void row_agree(struct tuple *row, const struct event *event)
{
	bool candidate = row->key.tool == TOOL_NMAP || (row->key.tool == TOOL_ZMAP && row->key.protocol == 1);
	if ((row->key.tool != TOOL_UNKNOWN && !candidate) || (uint16_t)event->target_hash == row->target_hash)
		return;
	if (row->key.protocol == 1) {
		if (candidate)
			row->agree = plus16(row->agree, tool_is_zmap_echo_pair(row->seq, event->seq));
		return;
	}
	if (row->key.protocol != 6)
		return;
	if (row->key.tool == TOOL_NMAP)
		row->agree = plus16(row->agree, tool_is_nmap(row->seq, event->seq));
	if (row->key.version == 4)
		row->agree_unicornscan = plus16(row->agree_unicornscan, event->unicornscan_key == row->unicornscan_key);
}

static inline void row_take(struct tuple *row, const struct event *event)
{
	row->packets++;
	row->bytes += event->bytes;
	row->target_bits |= target_bit(event->target_hash);
	row->first_us = event->at_us < row->first_us ? event->at_us : row->first_us;
	row->last_us = event->at_us > row->last_us ? event->at_us : row->last_us;
}

int part_fold(struct part *part, struct tuple_table *table, struct err *err)
{
	uint32_t count = part->count;
	part->count = 0;
	if (tuple_table_reserve(table, count) < 0)
		return err_set(err, -ENOMEM, "no memory for more rows in a minute");
	for (uint32_t begin = 0; begin < count; begin += AHEAD) {
		uint32_t some = count - begin < AHEAD ? count - begin : AHEAD;
		const struct event *events = part->events + begin;
		uint64_t hashes[AHEAD];
		for (uint32_t i = 0; i < some; i++) {
			hashes[i] = tuple_hash(&events[i].key);
			__builtin_prefetch(&table->slots[(uint32_t)hashes[i] & table->mask], 1);
		}
		for (uint32_t i = 0; i < some; i++) {
			uint32_t slot;
			struct tuple *row = tuple_table_find(table, &events[i].key, hashes[i], &slot);
			if (row) {
				row_agree(row, &events[i]);
			} else {
				row = tuple_table_add(table, &events[i].key, hashes[i], slot);
				row_begin(row, &events[i]);
			}
			row_take(row, &events[i]);
		}
	}
	return 0;
}

void parts_done(struct telescope *telescope)
{
	for (size_t i = 0; i < SHARDS; i++) {
		free(telescope->parts[i].events);
		tuple_table_done(&telescope->parts[i].tuples);
	}
	tuple_table_done(&telescope->tuples);
}
