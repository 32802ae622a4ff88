/* A carrier's flow information with known truth: homes and their devices that go about their business, and botnets.
 *
 * A description (data/simulate/carrier.yaml) says what behaviours there are. Each pair of a behaviour and a home that
 * has it is one clock; a heap of clocks makes all contacts in the order of their time, so that millions of hosts cost a
 * few comparisons a contact. Routers' view is applied last: one record a direction, long contacts cut at the active
 * timeout, packets sampled one in so many and flows of which no packet was chosen left out. The same description, seed
 * and options give the same flows on every machine. Nothing is sent anywhere.
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"

#include <stdint.h>

struct carrier;

struct carrier_options {
	const char *description; /* path of a YAML file, see data/simulate/README.md */
	uint64_t seed;
	int64_t start_ns, duration_ns; /* since 1970 */
	int64_t homes;                 /* 0: as the description says */
	int64_t sampling;              /* one packet in so many is looked at; 0, 1: all are */
};

/* -EINVAL with "file:line: sentence" for a bad description; -ENOENT where it is missing; -ENOMEM. */
int carrier_open(const struct carrier_options *options, struct carrier **ret_carrier, struct err *err) must_check;
void carrier_close(struct carrier *carrier); /* NULL is fine */

/* All flows, in the order of their contacts' beginning, in batches of record_flow. `progress` may be NULL; told now and
 * then of the time that is done. Negative only where the sink or memory fails. */
int carrier_run(struct carrier *carrier, struct sink *sink, void (*progress)(void *context, int64_t done_ns),
		void *context, struct err *err) must_check;

/* The truth of what was made, as one JSON object: {"description", "seed", "start", "end", "sampling", "homes",
 * "behaviours": [{name, family, clients, contacts, flows}], "servers": [{address, port, protocol, family, behaviour,
 * contacts, flows, first, last}], "bots": [{address, family}]}. Servers: those of botnets, of whom a flow was told. */
int carrier_write_truth(const struct carrier *carrier, const char *path, struct err *err) must_check;

/* The same servers as lines of CAPTURE ADDRESS FAMILY, which `yagura cnc eval --labels` reads. */
int carrier_write_labels(const struct carrier *carrier, const char *capture, const char *path,
			 struct err *err) must_check;
