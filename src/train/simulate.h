/* Telescope traffic of a country's size from a YAML description, with known truth.
 *
 * One generator makes all packets in time order: every slot of time has a rate per stream (a class of senders in one
 * country), and each packet draws its stream from an alias table and its device from the stream. That is the
 * superposition of one Poisson process per device, at O(1) a packet however many millions of devices there are.
 * The same description, seed and options give the same bytes, on every machine with the same place database.
 * Frames are Ethernet (LINKTYPE 1) with right checksums.
 */
#pragma once

#include "core/err.h"
#include "core/option.h"
#include "wire/packet.h"

#include <stdatomic.h>
#include <stdint.h>

struct simulation;
struct frame_source;
struct frame_feed;
struct pool;

struct simulation_options {
	const char *description; /* path of a YAML file, see data/simulate/README.md */
	const char *places_dir;  /* directory that holds places-country/geo-whois-asn-country.mmdb; may be NULL when
				    the description names prefixes only */
	uint64_t seed;
	int64_t start_ns;          /* time of the first instant; 0: 2026-01-01T00:00:00Z */
	uint64_t packets;          /* exactly so many, spread over duration_ns; 0: by rate */
	int64_t duration_ns;       /* 0: without end (then packets must be 0) */
	double packets_per_second; /* by rate: mean over a day, 0: what the description says. Below that, populations
				      shrink with the rate so that devices keep their own pace */
	int64_t history_ns;        /* by rate: from start_ns on so long at history_packets_per_second */
	double history_packets_per_second;
};

/* -EINVAL with "file:line: sentence" for a bad description; -ENOENT where a file is missing. */
int simulation_open(const struct simulation_options *options, struct simulation **ret_simulation,
		    struct err *err) must_check;
void simulation_close(struct simulation *simulation); /* NULL is fine */

/* The next frames in time order, up to max; 0 at the end. Borrowed until the next call. */
unsigned simulation_next(struct simulation *simulation, struct frame *frames, unsigned max);

/* What the description says of itself. Valid while the simulation is open. */
const struct prefix_list *simulation_darknet(const struct simulation *simulation);
double simulation_rate(const struct simulation *simulation);      /* packets per second of the description in full */
uint64_t simulation_packets(const struct simulation *simulation); /* generated so far */

/* The truth of what was generated so far, as one JSON object:
 * {"description","seed","start","end","seconds","packets","bytes","kinds":{..},"tools":{name:{packets,sources}},
 *  "sources":distinct,"ports":[{protocol,port,packets}],"classes":[{name,kind,tool,version,maker,...}],
 *  "victims":[{address,class,start,end,packets,first,last,ports,answers}],
 *  "infections":[{address,class,tool,start,end,packets,first,last,ports}],"truth":[one object a source]} */
int simulation_write_truth(const struct simulation *simulation, const char *path, struct err *err) must_check;

/* Everything to a pcap file (nanoseconds). `progress` may be NULL; called now and then with packets done. Removes the
 * file when it fails. */
int simulation_write_pcap(struct simulation *simulation, const char *path,
			  void (*progress)(void *context, uint64_t packets), void *context, struct err *err) must_check;

/* The simulation as a source of frames in real time: what lies before now comes as fast as it is read, the rest when
 * its time has come. Takes the simulation; closing the source closes it. NULL: out of memory. */
struct frame_source *simulation_source(struct simulation *simulation);

/* The simulation of `yagura hub --simulate`, told by options that the command line, the configuration and the forms
 * share: in real time, after a history that is made as fast as it is read. */
struct simulation_settings {
	const char *description; /* a path, or the name of a file in data/simulate without .yaml */
	const char *data;        /* the directory that holds simulate/ */
	const char *deps;
	int64_t packets_per_second; /* 0: what the description says */
	int64_t history_ns, history_packets_per_second;
	int64_t seed;
};
extern const struct option_spec simulation_option_table[];

/* Checks the description and keeps its darknet; the devices are made when a sensor opens the feed. Lives in `pool`,
 * with one page shared with the processes forked later: a sensor that is restarted goes on at the instant where the
 * last one was and does not repeat the history. */
struct simulation_feed {
	struct frame_feed *feed;
	struct prefix_list darknet;
	const char *members; /* path of the file of members; NULL: none */
};
int simulation_feed_new(const struct simulation_settings *settings, struct pool *pool, struct simulation_feed *ret_feed,
			struct err *err) must_check;

/* Send everything in real time on an interface, from within a network namespace of our own. -EPERM on any interface
 * but loopback while in the initial network namespace: made-up traffic never leaves the machine. Stops early when
 * *stop. Counts what was sent. */
int simulation_send(struct simulation *simulation, const char *interface, const _Atomic bool *stop, uint64_t *ret_sent,
		    struct err *err) must_check;
