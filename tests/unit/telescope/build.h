/* Packets for the telescope's tests, written byte by byte with right lengths and checksums, and a telescope that
 * remembers what it gave. Addresses are of documentation and benchmark space. */
#pragma once

#include "../check.h"

#include "core/clock.h"
#include "observe/telescope/kind.h"
#include "observe/telescope/telescope.h"
#include "observe/telescope/tool.h"

#include <stdio.h>
#include <stdlib.h>

#define T0 (INT64_C(1780000020) * NS_PER_S) /* a whole minute */
#define DARK UINT32_C(0xc6120001)           /* 198.18.0.1 */
#define SOMEBODY UINT32_C(0xcb007109)       /* 203.0.113.9 */

/* What a packet shall be; TCP(), UDP() ... below give what is usual to the fields that are not named. */
struct like {
	uint32_t src, dst, seq, ack;
	uint16_t sport, dport, window, id;
	uint8_t flags, ttl, protocol, type, code;
	bool df, six, bare;             /* bare: `data` is all there is behind the IP header */
	uint8_t six_source, six_target; /* last bytes of 2001:db8:1:: and 2001:db8:2:: */
	uint16_t fragment;              /* offset in 8 bytes, 0x2000: more follow */
	const void *options, *data;
	size_t option_bytes, data_bytes;
	int64_t time_ns;
};

struct made {
	uint8_t bytes[1600];
	size_t length;
	int64_t time_ns;
};

static inline void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* RFC 1071 over `bytes` and a sum begun elsewhere. */
static inline uint16_t checksum(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i < bytes; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline uint8_t *made_ip(struct made *made, const struct like *like, size_t body_bytes)
{
	*made = (struct made){.length = 14 + (like->six ? 40 : 20) + body_bytes, .time_ns = like->time_ns};
	assert_true(made->length <= sizeof made->bytes);
	uint8_t *ip = made->bytes + 14;
	memcpy(made->bytes, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	put16(made->bytes + 12, like->six ? 0x86dd : 0x0800);
	if (like->six) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)body_bytes);
		ip[6] = like->protocol;
		ip[7] = like->ttl;
		memcpy(ip + 8, "\x20\x01\x0d\xb8\0\1", 6);
		ip[23] = like->six_source;
		memcpy(ip + 24, "\x20\x01\x0d\xb8\0\2", 6);
		ip[39] = like->six_target;
		return ip + 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(20 + body_bytes));
	put16(ip + 4, like->id);
	put16(ip + 6, like->fragment | (like->df ? 0x4000 : 0));
	ip[8] = like->ttl;
	ip[9] = like->protocol;
	put32(ip + 12, like->src);
	put32(ip + 16, like->dst);
	put16(ip + 10, checksum(ip, 20, 0));
	return ip + 20;
}

/* The checksum of TCP, UDP and ICMPv6 runs over a pseudo header too (RFC 9293 section 3.1, RFC 8200 section 8.1). */
static inline void made_seal(struct made *made, const struct like *like, uint8_t *l4, size_t at)
{
	size_t bytes = (size_t)(made->bytes + made->length - l4);
	const uint8_t *addresses = made->bytes + 14 + (like->six ? 8 : 12);
	uint32_t sum = like->protocol + (uint32_t)bytes;
	sum += (uint16_t)~checksum(addresses, like->six ? 32 : 8, 0);
	put16(l4 + at, 0);
	put16(l4 + at, checksum(l4, bytes, like->protocol == 1 ? 0 : sum));
}

static inline struct made made_packet(struct like like)
{
	struct made made;
	uint8_t protocol = like.bare ? 0 : like.protocol;
	bool icmp = protocol == 1 || protocol == 58;
	size_t header = protocol == 6 ? 20 + like.option_bytes : protocol == 17 ? 8 : icmp ? 4 : 0;
	uint8_t *l4 = made_ip(&made, &like, header + like.data_bytes);
	if (like.data_bytes)
		memcpy(l4 + header, like.data, like.data_bytes);
	if (protocol == 6 || protocol == 17) {
		put16(l4, like.sport);
		put16(l4 + 2, like.dport);
	}
	if (protocol == 6) {
		put32(l4 + 4, like.seq);
		put32(l4 + 8, like.ack);
		l4[12] = (uint8_t)(header / 4 << 4);
		l4[13] = like.flags;
		put16(l4 + 14, like.window);
		if (like.option_bytes)
			memcpy(l4 + 20, like.options, like.option_bytes);
		made_seal(&made, &like, l4, 16);
	} else if (protocol == 17) {
		put16(l4 + 4, (uint32_t)(8 + like.data_bytes));
		made_seal(&made, &like, l4, 6);
	} else if (icmp) {
		l4[0] = like.type;
		l4[1] = like.code;
		made_seal(&made, &like, l4, 2);
	}
	return made;
}

#pragma GCC diagnostic ignored "-Woverride-init" /* what is usual is said first, what is not after it */
#define USUAL                                                                                                          \
	.src = SOMEBODY, .dst = DARK, .sport = 40000, .dport = 23, .seq = 0x01020304, .window = 29200, .id = 4711,     \
	.ttl = 55, .six_source = 1, .six_target = 1, .time_ns = T0
#define TCP(...) made_packet((struct like){USUAL, .protocol = 6, .flags = 2, __VA_ARGS__})
#define UDP(...) made_packet((struct like){USUAL, .protocol = 17, __VA_ARGS__})
#define ICMP(...) made_packet((struct like){USUAL, .protocol = 1, .data = "\0\0\0\0", .data_bytes = 4, __VA_ARGS__})
#define ICMPV6(...)                                                                                                    \
	made_packet((struct like){USUAL, .six = true, .protocol = 58, .data = "\0\0\0\0", .data_bytes = 4, __VA_ARGS__})
#define REST(...) made_packet((struct like){USUAL, .bare = true, __VA_ARGS__})
#define DATA(text) .data = (text), .data_bytes = sizeof(text) - 1
#define OPTIONS(text) .options = (text), .option_bytes = sizeof(text) - 1

static inline struct frame made_frame(const struct made *made)
{
	return (struct frame){made->time_ns, made->bytes, (uint32_t)made->length, (uint32_t)made->length, 1, 0};
}

static inline struct packet made_parse(const struct made *made)
{
	struct frame frame = made_frame(made);
	struct packet packet;
	packet_parse(&frame, 1, &packet);
	return packet;
}

/* --- a telescope and what it gave --------------------------------------------------------------------------------- */

struct row {
	int64_t minute_ns, first_ns, last_ns;
	struct addr source;
	uint8_t kind, tool, version, protocol, flags, ttl, spoofed;
	uint16_t port;
	uint32_t packets, targets;
	uint64_t bytes, payload;
};

struct echoed {
	int64_t bin_ns;
	struct addr victim;
	uint8_t protocol;
	uint16_t port;
	uint32_t packets;
};

struct sighted {
	struct addr address, target;
	int64_t first_ns, last_ns;
	uint64_t bytes;
	uint32_t member, packets, scans, mistakes, doubtful, targets;
	uint16_t port;
	uint8_t bits, role, fresh, kind, tool, version, protocol, ttl, flags, signs;
	char *evidence;
	size_t evidence_bytes;
};

enum { ROWS_MAX = 4096 };
struct kept {
	struct sink sink;
	struct row rows[ROWS_MAX];
	struct echoed echoes[ROWS_MAX];
	struct sighted sightings[ROWS_MAX];
	size_t row_count, echo_count, sighting_count, spark_batches, blocks;
	uint64_t sighting_sequence, sighting_boot;
	uint64_t spark_totals[PACKET_KINDS];
	uint64_t last_sequence, boot;
	int refuse; /* code to answer with instead of taking */
	uint64_t refused;
	struct telescope *telescope;
};

static inline void kept_tuple(struct kept *kept, const struct batch *batch, uint32_t i)
{
	assert_true(kept->row_count < ROWS_MAX);
	kept->rows[kept->row_count++] = (struct row){
		.minute_ns = BATCH_COLUMN(batch, int64_t, 0)[i],
		.source = BATCH_COLUMN(batch, struct addr, 2)[i],
		.kind = BATCH_COLUMN(batch, uint8_t, 3)[i],
		.tool = BATCH_COLUMN(batch, uint8_t, 4)[i],
		.version = BATCH_COLUMN(batch, uint8_t, 5)[i],
		.protocol = BATCH_COLUMN(batch, uint8_t, 6)[i],
		.port = BATCH_COLUMN(batch, uint16_t, 7)[i],
		.flags = BATCH_COLUMN(batch, uint8_t, 8)[i],
		.ttl = BATCH_COLUMN(batch, uint8_t, 9)[i],
		.spoofed = BATCH_COLUMN(batch, uint8_t, 10)[i],
		.packets = BATCH_COLUMN(batch, uint32_t, 11)[i],
		.bytes = BATCH_COLUMN(batch, uint64_t, 12)[i],
		.targets = BATCH_COLUMN(batch, uint32_t, 13)[i],
		.first_ns = BATCH_COLUMN(batch, int64_t, 14)[i],
		.last_ns = BATCH_COLUMN(batch, int64_t, 15)[i],
		.payload = BATCH_COLUMN(batch, uint64_t, 16)[i],
	};
	const struct row *row = &kept->rows[kept->row_count - 1];
	assert_true(row->packets > 0 && row->targets >= 1 && row->targets <= row->packets);
	assert_true(row->first_ns <= row->last_ns);
}

/* They go their own way, with names of their own. */
static inline int kept_sightings(struct kept *kept, const struct batch *batch)
{
	assert_int_equal(batch->sequence, kept->sighting_sequence + 1);
	assert_true(kept->sighting_boot == 0 || kept->sighting_boot == batch->sensor_boot);
	assert_true(batch->sensor_boot != kept->boot && batch->rows > 0);
	kept->sighting_sequence = batch->sequence;
	kept->sighting_boot = batch->sensor_boot;
	for (uint32_t i = 0; i < batch->rows; i++) {
		const struct text *evidence = &BATCH_COLUMN(batch, struct text, 23)[i];
		assert_true(kept->sighting_count < ROWS_MAX);
		struct sighted *sighted = &kept->sightings[kept->sighting_count++];
		*sighted = (struct sighted){
			.last_ns = BATCH_COLUMN(batch, int64_t, 0)[i],
			.member = BATCH_COLUMN(batch, uint32_t, 2)[i],
			.address = BATCH_COLUMN(batch, struct addr, 3)[i],
			.bits = BATCH_COLUMN(batch, uint8_t, 4)[i],
			.role = BATCH_COLUMN(batch, uint8_t, 5)[i],
			.fresh = BATCH_COLUMN(batch, uint8_t, 6)[i],
			.kind = BATCH_COLUMN(batch, uint8_t, 7)[i],
			.tool = BATCH_COLUMN(batch, uint8_t, 8)[i],
			.version = BATCH_COLUMN(batch, uint8_t, 9)[i],
			.protocol = BATCH_COLUMN(batch, uint8_t, 10)[i],
			.port = BATCH_COLUMN(batch, uint16_t, 11)[i],
			.target = BATCH_COLUMN(batch, struct addr, 12)[i],
			.ttl = BATCH_COLUMN(batch, uint8_t, 13)[i],
			.flags = BATCH_COLUMN(batch, uint8_t, 14)[i],
			.signs = BATCH_COLUMN(batch, uint8_t, 15)[i],
			.packets = BATCH_COLUMN(batch, uint32_t, 16)[i],
			.scans = BATCH_COLUMN(batch, uint32_t, 17)[i],
			.mistakes = BATCH_COLUMN(batch, uint32_t, 18)[i],
			.doubtful = BATCH_COLUMN(batch, uint32_t, 19)[i],
			.bytes = BATCH_COLUMN(batch, uint64_t, 20)[i],
			.targets = BATCH_COLUMN(batch, uint32_t, 21)[i],
			.first_ns = BATCH_COLUMN(batch, int64_t, 22)[i],
			.evidence_bytes = evidence->length,
		};
		if (evidence->length)
			sighted->evidence = memcpy(malloc(evidence->length), evidence->bytes, evidence->length);
		assert_true(sighted->packets > 0 && sighted->first_ns <= sighted->last_ns);
	}
	return 0;
}

static inline int kept_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct kept *kept = (struct kept *)sink;
	kept->refused += kept->refuse != 0;
	if (kept->refuse)
		return err_set(err, kept->refuse, "the test refuses");
	for (uint32_t i = 0; i < batch->rows && batch->kind == &record_spark; i++)
		if (BATCH_COLUMN(batch, uint8_t, 6)[i] == 0)
			kept->spark_totals[BATCH_COLUMN(batch, uint8_t, 4)[i]] += BATCH_COLUMN(batch, uint32_t, 8)[i];
	if (batch->kind == &record_spark) {
		kept->spark_batches++;
		return 0;
	}
	if (batch->kind == &record_sighting)
		return kept_sightings(kept, batch);
	assert_int_equal(batch->sequence, kept->last_sequence + 1 + kept->refused); /* a gap is a loss */
	kept->refused = 0;
	assert_true(kept->boot == 0 || kept->boot == batch->sensor_boot);
	kept->last_sequence = batch->sequence;
	kept->boot = batch->sensor_boot;
	kept->blocks += batch->kind == &record_block;
	for (uint32_t i = 0; i < batch->rows && batch->kind == &record_tuple; i++)
		kept_tuple(kept, batch, i);
	for (uint32_t i = 0; i < batch->rows && batch->kind == &record_echo; i++) {
		assert_true(kept->echo_count < ROWS_MAX);
		kept->echoes[kept->echo_count++] = (struct echoed){
			BATCH_COLUMN(batch, int64_t, 0)[i],  BATCH_COLUMN(batch, struct addr, 2)[i],
			BATCH_COLUMN(batch, uint8_t, 3)[i],  BATCH_COLUMN(batch, uint16_t, 4)[i],
			BATCH_COLUMN(batch, uint32_t, 5)[i],
		};
	}
	return 0;
}

/* A telescope over 198.18.0.0/15 and 2001:db8:2::/48. */
static inline struct kept *watch(struct telescope_options options)
{
	struct prefix items[2];
	struct err err = {""};
	struct kept *kept = calloc(1, sizeof *kept);
	assert_non_null(kept);
	kept->sink.put = kept_put;
	assert_int_equal(prefix_parse("198.18.0.0/15", &items[0], &err), 0);
	assert_int_equal(prefix_parse("2001:db8:2::/48", &items[1], &err), 0);
	options.darknet = (struct prefix_list){items, 2};
	if (telescope_new(&options, &kept->sink, &kept->telescope, &err) < 0)
		fail_msg("%s", err.text);
	return kept;
}

static inline struct kept *watch_plain(void)
{
	return watch((struct telescope_options){0});
}

static inline void unwatch(struct kept *kept)
{
	telescope_free(kept->telescope);
	for (size_t i = 0; i < kept->sighting_count; i++)
		free(kept->sightings[i].evidence);
	free(kept);
}

static inline void feed(struct kept *kept, struct made made)
{
	struct frame frame = made_frame(&made);
	struct err err = {""};
	if (telescope_feed(kept->telescope, &frame, 1, &err) < 0)
		fail_msg("%s", err.text);
}

/* Closes the minute; everything must add up, whatever was fed. */
static inline void finish(struct kept *kept)
{
	struct err err = {""};
	if (telescope_finish(kept->telescope, &err) < 0)
		fail_msg("%s", err.text);
	const struct telescope_counts *counts = telescope_counts(kept->telescope);
	uint64_t kinds = 0, tools = 0, packets = 0;
	uint64_t row_kinds[PACKET_KINDS] = {0}, row_tools[SCAN_TOOLS] = {0};
	for (size_t i = 0; i < kept->row_count; i++) {
		packets += kept->rows[i].packets;
		row_kinds[kept->rows[i].kind] += kept->rows[i].packets;
		row_tools[kept->rows[i].tool] += kept->rows[i].packets;
	}
	for (size_t i = 0; i < PACKET_KINDS; i++) {
		kinds += counts->kinds[i];
		assert_int_equal(counts->kinds[i], row_kinds[i]);
	}
	for (size_t i = 0; i < SCAN_TOOLS; i++) {
		tools += counts->tools[i].packets;
		assert_int_equal(counts->tools[i].packets, row_tools[i]);
	}
	assert_int_equal(kinds, counts->packets - counts->outside);
	assert_int_equal(tools, kinds);
	assert_int_equal(packets, kinds);
}

static inline uint64_t packets_of(const struct kept *kept, enum scan_tool tool, int version)
{
	uint64_t packets = 0;
	for (size_t i = 0; i < kept->row_count; i++)
		if (kept->rows[i].tool == tool && (version < 0 || kept->rows[i].version == version))
			packets += kept->rows[i].packets;
	return packets;
}
