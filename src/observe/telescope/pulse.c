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

struct pulse {
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

int pulse_new(const struct telescope_options *options, struct sink *sink, struct pulse **ret_pulse, struct err *err)
{
	struct pulse *pulse = calloc(1, sizeof *pulse);
	if (!pulse)
		return err_set(err, -ENOMEM, "no memory for the live pictures");
	pulse->sink = sink;
	pulse->sensor = options->sensor;
	pulse->sparks_wanted = options->live;
	pulse->raw_wanted = options->raw;
	pulse->tick_ns = INT64_MIN;
	pulse->sparks = batch_new(&record_spark, SPARKS_MAX + PACKET_KINDS);
	pulse->block_number = (uint64_t)(clock_now_ns() / NS_PER_MS) << 20;
	bool whole = pulse->sparks != NULL;
	if (options->raw) {
		pulse->compressed_room = ZSTD_compressBound(BLOCK_BYTES + 65536);
		pulse->block = malloc(BLOCK_BYTES + 65536);
		pulse->compressed = malloc(pulse->compressed_room);
		pulse->marks = calloc(BLOCK_PACKETS_MAX, sizeof *pulse->marks);
		pulse->block_batch = batch_new(&record_block, 1);
		pulse->raw_batch = batch_new(&record_raw, BLOCK_PACKETS_MAX);
		whole = whole && pulse->block && pulse->compressed && pulse->marks && pulse->block_batch &&
			pulse->raw_batch;
	}
	if (!whole) {
		pulse_free(pulse);
		return err_set(err, -ENOMEM, "no memory for the live pictures");
	}
	*ret_pulse = pulse;
	return 0;
}

void pulse_free(struct pulse *pulse)
{
	if (!pulse)
		return;
	batch_free(pulse->sparks);
	batch_free(pulse->block_batch);
	batch_free(pulse->raw_batch);
	free(pulse->block);
	free(pulse->compressed);
	free(pulse->marks);
	free(pulse);
}

/* --- sparks
 * ------------------------------------------------------------------------------------------------------------ */

static void spark_row(struct pulse *pulse, const struct addr *source, const struct addr *target,
		      const struct tuple_key *key, uint32_t packets)
{
	struct batch *batch = pulse->sparks;
	uint32_t row = batch->rows++;
	BATCH_COLUMN(batch, int64_t, 0)[row] = pulse->tick_ns + TICK_NS;
	BATCH_COLUMN(batch, uint16_t, 1)[row] = pulse->sensor;
	BATCH_COLUMN(batch, struct addr, 2)[row] = *source;
	BATCH_COLUMN(batch, struct addr, 3)[row] = *target;
	BATCH_COLUMN(batch, uint8_t, 4)[row] = key->kind;
	BATCH_COLUMN(batch, uint8_t, 5)[row] = key->tool;
	BATCH_COLUMN(batch, uint8_t, 6)[row] = key->protocol;
	BATCH_COLUMN(batch, uint16_t, 7)[row] = key->port;
	BATCH_COLUMN(batch, uint32_t, 8)[row] = packets;
}

static int tick_close(struct pulse *pulse, struct err *err)
{
	static const struct addr none;
	for (unsigned kind = 0; kind < PACKET_KINDS; kind++) {
		struct tuple_key key = {.kind = (uint8_t)kind};
		spark_row(pulse, &none, &none, &key, pulse->totals[kind]);
	}
	int result = pulse->sink->put(pulse->sink, pulse->sparks, err);
	batch_clear(pulse->sparks);
	memset(pulse->totals, 0, sizeof pulse->totals);
	memset(pulse->spark_slots, 0, sizeof pulse->spark_slots);
	pulse->tick_ns = INT64_MIN;
	return result;
}

static void spark_fold(struct pulse *pulse, const struct packet *packet, const struct verdict_line *line)
{
	struct batch *batch = pulse->sparks;
	pulse->totals[line->key.kind]++;
	uint32_t slot = (uint32_t)(tuple_hash(&line->key) >> 32) & (SPARK_SLOTS - 1);
	for (; pulse->spark_slots[slot]; slot = (slot + 1) & (SPARK_SLOTS - 1)) {
		uint32_t row = pulse->spark_slots[slot] - 1u;
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
	pulse->spark_slots[slot] = (uint16_t)(batch->rows + 1);
	spark_row(pulse, &source, &target, &line->key, 1);
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

static void marks_emit(struct pulse *pulse)
{
	struct batch *batch = pulse->raw_batch;
	qsort(pulse->marks, pulse->block_packets, sizeof *pulse->marks, mark_compare);
	for (uint32_t i = 0, next; i < pulse->block_packets; i = next) {
		for (next = i + 1;
		     next < pulse->block_packets && mark_compare(&pulse->marks[i], &pulse->marks[next]) == 0;)
			next++;
		uint32_t row = batch->rows++;
		BATCH_COLUMN(batch, int64_t, 0)[row] = pulse->marks[i].minute_ns;
		BATCH_COLUMN(batch, uint16_t, 1)[row] = pulse->sensor;
		BATCH_COLUMN(batch, struct addr, 2)[row] = pulse->marks[i].source;
		BATCH_COLUMN(batch, uint64_t, 3)[row] = pulse->block_number;
		BATCH_COLUMN(batch, uint32_t, 4)[row] = next - i;
	}
}

static int block_close(struct pulse *pulse, struct err *err)
{
	if (pulse->block_packets == 0)
		return 0;
	size_t bytes = ZSTD_compress(pulse->compressed, pulse->compressed_room, pulse->block, pulse->block_used,
				     COMPRESSION_LEVEL);
	if (ZSTD_isError(bytes))
		return err_set(err, -EIO, "raw packets cannot be compressed: %s", ZSTD_getErrorName(bytes));
	struct batch *batch = pulse->block_batch;
	batch->rows = 1;
	BATCH_COLUMN(batch, int64_t, 0)[0] = pulse->block_first_ns;
	BATCH_COLUMN(batch, int64_t, 1)[0] = pulse->block_last_ns;
	BATCH_COLUMN(batch, uint16_t, 2)[0] = pulse->sensor;
	BATCH_COLUMN(batch, uint64_t, 3)[0] = pulse->block_number;
	BATCH_COLUMN(batch, uint32_t, 4)[0] = pulse->block_packets;
	BATCH_COLUMN(batch, struct text, 5)[0] = batch_text(batch, pulse->compressed, bytes);
	marks_emit(pulse);
	int result = pulse->sink->put(pulse->sink, batch, err);
	if (result >= 0)
		result = pulse->sink->put(pulse->sink, pulse->raw_batch, err);
	batch_clear(batch);
	batch_clear(pulse->raw_batch);
	pulse->block_number++;
	pulse->block_used = 0;
	pulse->block_packets = 0;
	pulse->link_count = 0;
	return result < 0 ? result : 0;
}

/* The pcapng interface of a link type in this block, described when new; -1 when there are too many for one block. */
static int block_interface(struct pulse *pulse, uint16_t link_type)
{
	for (unsigned i = 0; i < pulse->link_count; i++)
		if (pulse->link_types[i] == link_type)
			return (int)i;
	if (pulse->link_count == sizeof pulse->link_types / sizeof *pulse->link_types)
		return -1;
	pulse->link_types[pulse->link_count] = link_type;
	pulse->block_used +=
		pcapng_write_interface(pulse->block + pulse->block_used, link_type, RAW_PACKET_BYTES_MAX, "darknet");
	return (int)pulse->link_count++;
}

static int raw_fold(struct pulse *pulse, const struct packet *packet, const struct frame *frame, struct err *err)
{
	struct frame kept = *frame;
	kept.time_ns = packet->time_ns; /* within what can be reckoned with */
	if (kept.captured_bytes > RAW_PACKET_BYTES_MAX)
		kept.captured_bytes = RAW_PACKET_BYTES_MAX;
	if (pulse->block_packets &&
	    (pulse->block_used + pcapng_record_bytes(&kept) > BLOCK_BYTES ||
	     pulse->block_packets == BLOCK_PACKETS_MAX || kept.time_ns - pulse->block_first_ns >= BLOCK_NS ||
	     kept.time_ns < pulse->block_first_ns - BLOCK_NS)) {
		int result = block_close(pulse, err);
		if (result < 0)
			return result;
	}
	if (pulse->block_packets == 0) {
		pulse->block_used = pcapng_write_header(pulse->block);
		pulse->block_first_ns = pulse->block_last_ns = kept.time_ns;
	}
	int interface = block_interface(pulse, frame->link_type);
	if (interface < 0)
		return 0;
	kept.interface = (uint16_t)interface;
	pulse->block_used += pcapng_write_frame(pulse->block + pulse->block_used, &kept);
	pulse->marks[pulse->block_packets++] =
		(struct raw_mark){packet_source(packet), time_floor(kept.time_ns, NS_PER_MINUTE)};
	pulse->block_first_ns = kept.time_ns < pulse->block_first_ns ? kept.time_ns : pulse->block_first_ns;
	pulse->block_last_ns = kept.time_ns > pulse->block_last_ns ? kept.time_ns : pulse->block_last_ns;
	return 0;
}

int pulse_packet(struct pulse *pulse, const struct packet *packet, const struct frame *frame,
		 const struct verdict_line *line, struct err *err)
{
	int result = 0;
	if (pulse->sparks_wanted && packet->time_ns >= pulse->wall_ns - FRESH_NS) {
		int64_t tick = time_floor(packet->time_ns, TICK_NS);
		if (pulse->tick_ns != INT64_MIN && (tick > pulse->tick_ns || tick < pulse->tick_ns - NS_PER_MINUTE))
			result = tick_close(pulse, err);
		if (pulse->tick_ns == INT64_MIN)
			pulse->tick_ns = tick;
		spark_fold(pulse, packet, line);
	}
	if (pulse->raw_wanted && result >= 0)
		result = raw_fold(pulse, packet, frame, err);
	return result;
}

void pulse_wall(struct pulse *pulse, int64_t now_ns)
{
	pulse->wall_ns = now_ns;
}

int pulse_tick(struct pulse *pulse, int64_t now_ns, struct err *err)
{
	int result = 0;
	if (pulse->sparks_wanted && pulse->tick_ns != INT64_MIN && now_ns - pulse->tick_ns >= TICK_NS)
		result = tick_close(pulse, err);
	if (pulse->raw_wanted && pulse->block_packets && now_ns - pulse->block_first_ns >= BLOCK_NS && result >= 0)
		result = block_close(pulse, err);
	return result;
}

int pulse_finish(struct pulse *pulse, struct err *err)
{
	int result = pulse->sparks_wanted && pulse->tick_ns != INT64_MIN ? tick_close(pulse, err) : 0;
	int closed = pulse->raw_wanted ? block_close(pulse, err) : 0;
	return result < 0 ? result : closed;
}
