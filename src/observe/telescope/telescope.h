/* The telescope: bursts of frames in, batches of records out, exact counts of the whole run kept.
 *
 * Every frame is counted once: as outside the darknet (also what is not IP or cannot be read so far), or as exactly one
 * kind. Minute tuples and echoes leave through the sink when their minute closes; see record/kind.h for their shapes.
 * Time is the packets' own. A packet up to a minute late counts into the open minute (`time_backwards`); a leap either
 * way closes the minute and opens the packet's own, at the cost of what is open, never of what lies between.
 */
#pragma once

#include "core/lpm.h"
#include "core/option.h"
#include "record/batch.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct telescope_options {
	struct prefix_list darknet, exclude;
	struct prefix_list survey; /* sources of known surveys */
	uint16_t sensor;           /* number that goes into records */
	bool live;                 /* sparks, by packet time */
	bool raw;                  /* blocks of raw packets */
	bool decapsulate;          /* mirrored traffic in tunnels */
	bool only_counts;          /* kinds and ports, nothing else */
};

struct telescope_tool_count {
	uint64_t packets, sources;
};

/* Exact. `packets` is every frame fed; the kinds add up to packets less outside. Tools are settled minute by minute. */
struct telescope_counts {
	uint64_t packets, bytes, outside;
	int64_t first_ns, last_ns; /* of all packets; first > last while there are none */
	uint64_t kinds[PACKET_KINDS];
	uint64_t anomalies[PACKET_ANOMALIES]; /* by packet_anomaly_names */
	uint64_t time_backwards, time_leaps;
	struct telescope_tool_count tools[SCAN_TOOLS];
	uint64_t sources;
	uint64_t member_packets;    /* about members' addresses, since their prefixes are known */
	uint64_t member_addresses;  /* followed now */
	uint64_t sightings_refused; /* packets of further addresses, for which there was no room */
};

struct telescope;

/* `sink` is borrowed. -EINVAL: the darknet is empty; -ENOMEM. */
int telescope_new(const struct telescope_options *options, struct sink *sink, struct telescope **ret_telescope,
		  struct err *err) must_check;
void telescope_free(struct telescope *telescope); /* NULL is fine */

/* Up to BURST_MAX frames. Negative: the sink's refusal or -ENOMEM; the frames are counted all the same. */
int telescope_feed(struct telescope *telescope, const struct frame *frames, unsigned count, struct err *err) must_check;

/* Nothing came, time goes on: close what is over by `now_ns`. */
int telescope_tick(struct telescope *telescope, int64_t now_ns, struct err *err) must_check;

/* What time it is outside: packets older than a few seconds make no sparks, so that a history is not shown as live. */
void telescope_wall(struct telescope *telescope, int64_t now_ns);

/* Close the open minute. Feeding may go on afterwards. */
int telescope_finish(struct telescope *telescope, struct err *err) must_check;

/* For batches that are made beside the telescope: they get their names (boot and sequence) in one row with its own, so
 * that a hub that hears them twice counts them once. `put` writes the name into the batch. */
struct sink *telescope_sink(struct telescope *telescope);

/* Members' prefixes, against which packets are matched from now on (the value of an entry is the member's number):
 * their addresses leave as sightings, the first packet of each at once. `entries` is sorted in place; none: no
 * matching. -ENOMEM keeps what was there. */
int telescope_members(struct telescope *telescope, struct lpm_entry *entries, size_t count, struct err *err) must_check;

/* Until when, up to `now_ns`, everything about members has left. */
int64_t telescope_told_until(const struct telescope *telescope, int64_t now_ns);

const struct telescope_counts *telescope_counts(const struct telescope *telescope);
uint64_t telescope_darknet_addresses(const struct telescope *telescope); /* IPv4 */
size_t telescope_bytes(const struct telescope *telescope);               /* of the tables of the whole run */

/* The `most` ports that were sent most to (backscatter left out), most first; ICMP is not among them. Returns how many.
 */
struct telescope_port {
	uint8_t protocol;
	uint16_t port;
	uint64_t packets, sources;
};
size_t telescope_ports(const struct telescope *telescope, struct telescope_port *ret_ports, size_t most);
