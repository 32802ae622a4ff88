/* What the live pictures and the drill-down to packets need: every 100 ms the exact totals per kind and a sample of who
 * sent what (sparks), and every 10 s or 1 MiB a block of the packets themselves with the list of their sources.
 */
#include "core/clock.h"
#include "observe/telescope/internal.h"
#include "wire/pcap_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
	SPARKS_MAX = 250,   /* sampled rows of a tick, beside the totals */
	SPARK_SLOTS = 1024, /* open addressing for those */
	BLOCK_BYTES = 1 << 20,
	BLOCK_PACKETS_MAX = 32768,
	RAW_PACKET_BYTES_MAX = 4096, /* of one packet kept; longer ones are cut */
	COMPRESSION_LEVEL = 1,
};
#define TICK_NS (NS_PER_S / 10)
#define BLOCK_NS (10 * NS_PER_S)
#define FRESH_NS (5 * NS_PER_S) /* older packets are history, not live */

struct raw_mark {
	struct addr source;
	int64_t minute_ns;
};

struct live {
	struct sink *sink;
	uint16_t sensor;
	bool sparks_wanted, raw_wanted;
	int64_t wall_ns;

	int64_t tick_ns; /* start of the open tick; INT64_MIN: none */
	uint32_t totals[PACKET_KINDS];
	struct batch *sparks;
	uint16_t spark_slots[SPARK_SLOTS]; /* row + 1 */

	uint8_t *block;
	size_t block_used;
	uint64_t block_number;
	int64_t block_first_ns, block_last_ns;
	uint32_t block_packets;
	struct raw_mark *marks;
	uint16_t link_types[8];
	unsigned link_count;
	struct batch *block_batch, *raw_batch;
	void *compressed;
	size_t compressed_room;
};

int live_new(const struct telescope_options *options, struct sink *sink, struct live **ret_live, struct err *err)
{
	struct live *live = calloc(1, sizeof *live);
	if (!live)
		return err_set(err, -ENOMEM, "no memory for the live pictures");
	live->sink = sink;
	live->sensor = options->sensor;
	live->sparks_wanted = options->live;
	live->raw_wanted = options->raw;
	live->tick_ns = INT64_MIN;
	live->sparks = batch_new(&record_spark, SPARKS_MAX + PACKET_KINDS);
	live->block_number = (uint64_t)(clock_now_ns() / NS_PER_MS) << 20;
	bool whole = live->sparks != NULL;
	if (options->raw) {
		live->compressed_room = ZSTD_compressBound(BLOCK_BYTES + 65536);
		live->block = malloc(BLOCK_BYTES + 65536);
		live->compressed = malloc(live->compressed_room);
		live->marks = calloc(BLOCK_PACKETS_MAX, sizeof *live->marks);
		live->block_batch = batch_new(&record_block, 1);
		live->raw_batch = batch_new(&record_raw, BLOCK_PACKETS_MAX);
		whole = whole && live->block && live->compressed && live->marks && live->block_batch && live->raw_batch;
	}
	if (!whole) {
		live_free(live);
		return err_set(err, -ENOMEM, "no memory for the live pictures");
	}
	*ret_live = live;
	return 0;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	batch_free(live->sparks);
	batch_free(live->block_batch);
	batch_free(live->raw_batch);
	free(live->block);
	free(live->compressed);
	free(live->marks);
	free(live);
}

/* --- sparks
 * ------------------------------------------------------------------------------------------------------------ */

static void spark_row(struct live *live, const struct addr *source, const struct addr *target,
		      const struct tuple_key *key, uint32_t packets)
{
	struct batch *batch = live->sparks;
	uint32_t row = batch->rows++;
	BATCH_COLUMN(batch, int64_t, 0)[row] = live->tick_ns + TICK_NS;
	BATCH_COLUMN(batch, uint16_t, 1)[row] = live->sensor;
	BATCH_COLUMN(batch, struct addr, 2)[row] = *source;
	BATCH_COLUMN(batch, struct addr, 3)[row] = *target;
	BATCH_COLUMN(batch, uint8_t, 4)[row] = key->kind;
	BATCH_COLUMN(batch, uint8_t, 5)[row] = key->tool;
	BATCH_COLUMN(batch, uint8_t, 6)[row] = key->protocol;
	BATCH_COLUMN(batch, uint16_t, 7)[row] = key->port;
	BATCH_COLUMN(batch, uint32_t, 8)[row] = packets;
}

static int tick_close(struct live *live, struct err *err)
{
	static const struct addr none;
	for (unsigned kind = 0; kind < PACKET_KINDS; kind++) {
		struct tuple_key key = {.kind = (uint8_t)kind};
		spark_row(live, &none, &none, &key, live->totals[kind]);
	}
	int result = live->sink->put(live->sink, live->sparks, err);
	batch_clear(live->sparks);
	memset(live->totals, 0, sizeof live->totals);
	memset(live->spark_slots, 0, sizeof live->spark_slots);
	live->tick_ns = INT64_MIN;
	return result;
}

static void spark_fold(struct live *live, const struct packet *packet, const struct verdict_line *line)
{
	struct batch *batch = live->sparks;
	live->totals[line->key.kind]++;
	uint32_t slot = (uint32_t)(line->hash >> 32) & (SPARK_SLOTS - 1);
	for (; live->spark_slots[slot]; slot = (slot + 1) & (SPARK_SLOTS - 1)) {
		uint32_t row = live->spark_slots[slot] - 1u;
		struct addr source = packet_source(packet);
		if (BATCH_COLUMN(batch, uint16_t, 7)[row] == line->key.port &&
		    BATCH_COLUMN(batch, uint8_t, 6)[row] == line->key.protocol &&
		    BATCH_COLUMN(batch, uint8_t, 4)[row] == line->key.kind &&
		    addr_compare(&BATCH_COLUMN(batch, struct addr, 2)[row], &source) == 0) {
			BATCH_COLUMN(batch, uint32_t, 8)[row]++;
			return;
		}
	}
	if (batch->rows >= SPARKS_MAX)
		return;
	struct addr source = packet_source(packet), target = packet_destination(packet);
	live->spark_slots[slot] = (uint16_t)(batch->rows + 1);
	spark_row(live, &source, &target, &line->key, 1);
}

/* --- raw packets -----------------------------------------------------------------------------------------------------
 */

static int mark_compare(const void *left, const void *right)
{
	const struct raw_mark *a = left, *b = right;
	if (a->minute_ns != b->minute_ns)
		return a->minute_ns < b->minute_ns ? -1 : 1;
	return addr_compare(&a->source, &b->source);
}

static void marks_emit(struct live *live)
{
	struct batch *batch = live->raw_batch;
	qsort(live->marks, live->block_packets, sizeof *live->marks, mark_compare);
	for (uint32_t i = 0, next; i < live->block_packets; i = next) {
		for (next = i + 1;
		     next < live->block_packets && mark_compare(&live->marks[i], &live->marks[next]) == 0;)
			next++;
		uint32_t row = batch->rows++;
		BATCH_COLUMN(batch, int64_t, 0)[row] = live->marks[i].minute_ns;
		BATCH_COLUMN(batch, uint16_t, 1)[row] = live->sensor;
		BATCH_COLUMN(batch, struct addr, 2)[row] = live->marks[i].source;
		BATCH_COLUMN(batch, uint64_t, 3)[row] = live->block_number;
		BATCH_COLUMN(batch, uint32_t, 4)[row] = next - i;
	}
}

static int block_close(struct live *live, struct err *err)
{
	if (live->block_packets == 0)
		return 0;
	size_t bytes = ZSTD_compress(live->compressed, live->compressed_room, live->block, live->block_used,
				     COMPRESSION_LEVEL);
	if (ZSTD_isError(bytes))
		return err_set(err, -EIO, "raw packets cannot be compressed: %s", ZSTD_getErrorName(bytes));
	struct batch *batch = live->block_batch;
	batch->rows = 1;
	BATCH_COLUMN(batch, int64_t, 0)[0] = live->block_first_ns;
	BATCH_COLUMN(batch, int64_t, 1)[0] = live->block_last_ns;
	BATCH_COLUMN(batch, uint16_t, 2)[0] = live->sensor;
	BATCH_COLUMN(batch, uint64_t, 3)[0] = live->block_number;
	BATCH_COLUMN(batch, uint32_t, 4)[0] = live->block_packets;
	BATCH_COLUMN(batch, struct text, 5)[0] = batch_text(batch, live->compressed, bytes);
	marks_emit(live);
	int result = live->sink->put(live->sink, batch, err);
	if (result >= 0)
		result = live->sink->put(live->sink, live->raw_batch, err);
	batch_clear(batch);
	batch_clear(live->raw_batch);
	live->block_number++;
	live->block_used = 0;
	live->block_packets = 0;
	live->link_count = 0;
	return result < 0 ? result : 0;
}

/* The pcapng interface of a link type in this block, described when new; -1 when there are too many for one block. */
static int block_interface(struct live *live, uint16_t link_type)
{
	for (unsigned i = 0; i < live->link_count; i++)
		if (live->link_types[i] == link_type)
			return (int)i;
	if (live->link_count == sizeof live->link_types / sizeof *live->link_types)
		return -1;
	live->link_types[live->link_count] = link_type;
	live->block_used +=
		pcapng_write_interface(live->block + live->block_used, link_type, RAW_PACKET_BYTES_MAX, "darknet");
	return (int)live->link_count++;
}

static int raw_fold(struct live *live, const struct packet *packet, const struct frame *frame, struct err *err)
{
	struct frame kept = *frame;
	if (kept.captured_bytes > RAW_PACKET_BYTES_MAX)
		kept.captured_bytes = RAW_PACKET_BYTES_MAX;
	if (live->block_packets &&
	    (live->block_used + pcapng_record_bytes(&kept) > BLOCK_BYTES || live->block_packets == BLOCK_PACKETS_MAX ||
	     frame->time_ns - live->block_first_ns >= BLOCK_NS || frame->time_ns < live->block_first_ns - BLOCK_NS)) {
		int result = block_close(live, err);
		if (result < 0)
			return result;
	}
	if (live->block_packets == 0) {
		live->block_used = pcapng_write_header(live->block);
		live->block_first_ns = live->block_last_ns = frame->time_ns;
	}
	int interface = block_interface(live, frame->link_type);
	if (interface < 0)
		return 0;
	kept.interface = (uint16_t)interface;
	live->block_used += pcapng_write_frame(live->block + live->block_used, &kept);
	live->marks[live->block_packets++] =
		(struct raw_mark){packet_source(packet), time_floor(frame->time_ns, NS_PER_MINUTE)};
	live->block_first_ns = frame->time_ns < live->block_first_ns ? frame->time_ns : live->block_first_ns;
	live->block_last_ns = frame->time_ns > live->block_last_ns ? frame->time_ns : live->block_last_ns;
	return 0;
}

int live_packet(struct live *live, const struct packet *packet, const struct frame *frame,
		const struct verdict_line *line, struct err *err)
{
	int result = 0;
	if (live->sparks_wanted && packet->time_ns >= live->wall_ns - FRESH_NS) {
		int64_t tick = time_floor(packet->time_ns, TICK_NS);
		if (live->tick_ns != INT64_MIN && (tick > live->tick_ns || tick < live->tick_ns - NS_PER_MINUTE))
			result = tick_close(live, err);
		if (live->tick_ns == INT64_MIN)
			live->tick_ns = tick;
		spark_fold(live, packet, line);
	}
	if (live->raw_wanted && result >= 0)
		result = raw_fold(live, packet, frame, err);
	return result;
}

void live_wall(struct live *live, int64_t now_ns)
{
	live->wall_ns = now_ns;
}

int live_tick(struct live *live, int64_t now_ns, struct err *err)
{
	int result = 0;
	if (live->sparks_wanted && live->tick_ns != INT64_MIN && now_ns - live->tick_ns >= TICK_NS)
		result = tick_close(live, err);
	if (live->raw_wanted && live->block_packets && now_ns - live->block_first_ns >= BLOCK_NS && result >= 0)
		result = block_close(live, err);
	return result;
}

int live_finish(struct live *live, struct err *err)
{
	int result = live->sparks_wanted && live->tick_ns != INT64_MIN ? tick_close(live, err) : 0;
	int closed = live->raw_wanted ? block_close(live, err) : 0;
	return result < 0 ? result : closed;
}
