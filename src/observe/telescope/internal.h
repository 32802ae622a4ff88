/* What the files of the telescope share among themselves. */
#pragma once

#include "core/clock.h"
#include "observe/telescope/darknet.h"
#include "observe/telescope/surveyors.h"
#include "observe/telescope/table.h"
#include "observe/telescope/telescope.h"

enum { BATCH_ROWS = 4096, PORTS = 65536 };
#define ECHO_NS (10 * NS_PER_S)
#define LATE_NS NS_PER_MINUTE /* how late a packet may be and still belong to the open minute */

/* One packet of a burst, judged. */
struct verdict_line {
	struct tuple_key key;
	uint32_t target_hash, payload;
	uint8_t certainty;
};

/* A packet of a burst that is about a member's address. */
struct member_match {
	uint32_t address; /* as a number, for IPv4 */
	uint32_t value;   /* of the longest prefix */
	uint16_t packet;
};

/* What a row wants to know of one packet. */
struct event {
	struct tuple_key key;
	uint32_t at_us; /* as in struct tuple, like what follows */
	uint32_t target_hash, seq, unicornscan_key, payload, signature;
	uint16_t bytes;
	uint8_t ttl, marks;
};
_Static_assert(sizeof(struct event) == 40, "without gaps");

/* The open minute of the sources of one shard: packets that are not folded yet, and rows, if ever there were too many
 * packets to wait. */
struct part {
	struct event *events;
	uint32_t count, room;
	struct tuple_table tuples;
};

struct port_count {
	uint64_t packets, sources;
};

struct pulse;
struct payloads;
struct members;

struct telescope {
	struct telescope_options options;
	struct stamping_sink {
		struct sink sink;
		struct sink *next;
		uint64_t boot, sequence; /* of batches */
	} stamping, sightings;           /* which go their own way */
	struct sink *sink;               /* stamping */
	struct members *members;         /* NULL: none known */
	struct pool *pool;
	struct darknet *darknet;
	struct darknet *survey; /* sources of the list; NULL: none */
	struct pulse *pulse;
	struct payloads *payloads;
	struct telescope_counts counts;

	int64_t minute_ns; /* INT64_MIN: none is open */
	struct part parts[SHARDS];
	struct tuple_table tuples; /* of the part that is closed: one table that stays in the cache */
	uint64_t *order;           /* source and row of a closing part, two arrays of order_room */
	uint32_t order_room;
	int64_t echo_bin_ns;
	struct echo_table echoes;

	struct source_table sources[2];    /* IPv4, IPv6 */
	struct number_set port_sources[2]; /* pairs of protocol and port, and source */
	struct wide_table wide;            /* sources whose pairs stand there */
	struct v6_table v6;
	struct surveyors surveyors; /* sources that behave as surveys do */
	struct port_count *ports;   /* TCP, then UDP: PORTS of each */

	struct batch *batch, *echo_batch;
	struct packet burst[BURST_MAX];
	struct packet *kept[BURST_MAX];
	const struct frame *kept_frames[BURST_MAX];
	uint8_t kinds[BURST_MAX];
	struct verdict_line lines[BURST_MAX];
	struct member_match matches[BURST_MAX];
	unsigned match_count;
};

static inline struct port_count *port_count_of(const struct telescope *telescope, uint8_t protocol, uint16_t port)
{
	return &telescope->ports[(protocol == 17) * PORTS + port];
}

/* Hand a batch to the sink and clear it. An empty one is nothing. */
int batch_send(struct telescope *telescope, struct batch *batch, struct err *err);

/* The open minute (part.c). event_add belongs to the minute that is open; it may fold. */
int event_add(struct telescope *telescope, struct packet *packet, const struct verdict_line *line, struct err *err);
int part_fold(struct part *part, struct tuple_table *table, struct err *err);
void parts_done(struct telescope *telescope);

/* The close of a minute (minute.c): settle tools, count sources and ports, hand out rows, part by part sorted by
 * source.
 */
int minute_close(struct telescope *telescope, struct err *err);
int echoes_close(struct telescope *telescope, struct err *err);

/* Live pictures and raw packets (pulse.c): sparks every 100 ms, blocks of pcapng at 1 MiB or 10 s. */
int pulse_new(const struct telescope_options *options, struct sink *sink, struct pulse **ret_pulse,
	      struct err *err) must_check;
int pulse_packet(struct pulse *pulse, const struct packet *packet, const struct frame *frame,
		 const struct verdict_line *line, struct err *err) must_check;
int pulse_tick(struct pulse *pulse, int64_t now_ns, struct err *err) must_check;
int pulse_finish(struct pulse *pulse, struct err *err) must_check;
void pulse_wall(struct pulse *pulse, int64_t now_ns);
void pulse_free(struct pulse *live);
