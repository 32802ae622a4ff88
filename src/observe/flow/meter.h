/* The meter: packets in, batches of flows out, as a router would tell them. For sites whose routers tell nothing.
 *
 * A flow is one direction of a conversation: addresses, ports, protocol. It is told when a TCP connection ends (FIN or
 * RST and then quiet for a second), when nothing came for `idle_ns`, when it goes on for `active_ns`, or when there is
 * no room (the one that was quiet longest). The meter opens nothing and knows no clock but the packets' own.
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"
#include "wire/packet.h"

struct meter;

struct meter_options {
	uint16_t sensor;
	struct addr exporter;       /* who is said to have told them */
	int64_t active_ns, idle_ns; /* 0: two minutes, fifteen seconds */
	uint32_t flows_max;         /* remembered at once; 0: 1,000,000 (120 bytes each, taken as they are needed) */
};

struct meter_figures {
	uint64_t packets, others; /* metered; not IP, or malformed before their addresses */
	uint64_t flows, forced;   /* told; of them for want of room */
	uint64_t late;            /* packets older than one before by more than a second: their time is kept as it is */
};

/* Batches go to the sink, which is borrowed. -ENOMEM. */
int meter_new(const struct meter_options *options, struct sink *sink, struct meter **ret_meter,
	      struct err *err) must_check;
void meter_free(struct meter *meter); /* NULL is fine */

/* Parsed packets, of one source of packets in the order of time. Negative only where the sink or memory fails. */
int meter_feed(struct meter *meter, const struct packet *packets, unsigned count, struct err *err) must_check;

/* Tell every flow that is remembered, and hand out what is being filled: at the end of a capture. */
int meter_flush(struct meter *meter, struct err *err) must_check;

struct meter_figures meter_figures(const struct meter *meter);
