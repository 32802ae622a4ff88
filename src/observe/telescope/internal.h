/* What the files of the telescope share among themselves. */
#pragma once

#include "observe/telescope/darknet.h"
#include "observe/telescope/table.h"
#include "observe/telescope/telescope.h"

enum { SURVEY_PORTS = 30, SURVEY_PACKETS = 300000 };

/* One packet of a burst, judged. */
struct verdict_line {
	struct tuple_key key;
	uint64_t hash, target_hash;
	uint8_t certainty;
};

struct port_count {
	uint64_t packets, sources;
};

struct pulse;

struct telescope {
	struct telescope_options options;
	struct sink *sink;
	struct pool *pool;
	struct darknet *darknet;
	struct darknet *survey; /* sources of the list; NULL: none */
	struct pulse *pulse;
	struct telescope_counts counts;

	int64_t minute_ns; /* INT64_MIN: none is open */
	struct tuple_table tuples;
	struct tuple **sorted;
	uint32_t sorted_room;
	int64_t echo_bin_ns;
	struct echo_table echoes;

	struct source_table sources[2];    /* IPv4, IPv6 */
	struct number_set port_sources[2]; /* pairs of protocol and port, and source */
	struct v6_table v6;
	uint64_t surveyors;                /* sources that behave as surveys do */
	struct port_count ports[2][65536]; /* TCP, UDP */

	struct batch *batch, *echo_batch;
	struct packet burst[BURST_MAX];
	struct packet *kept[BURST_MAX];
	const struct frame *kept_frames[BURST_MAX];
	struct verdict_line lines[BURST_MAX];
};

/* Live pictures and raw packets (pulse.c): sparks every 100 ms, blocks of pcapng at 1 MiB or 10 s. */
int pulse_new(const struct telescope_options *options, struct sink *sink, struct pulse **ret_pulse,
	      struct err *err) must_check;
int pulse_packet(struct pulse *pulse, const struct packet *packet, const struct frame *frame,
		 const struct verdict_line *line, struct err *err) must_check;
int pulse_tick(struct pulse *pulse, int64_t now_ns, struct err *err) must_check;
int pulse_finish(struct pulse *pulse, struct err *err) must_check;
void pulse_wall(struct pulse *pulse, int64_t now_ns);
void pulse_free(struct pulse *pulse);
