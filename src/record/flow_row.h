/* One flow as a struct, for those who make or write flows one by one; who reads many reads columns. */
#pragma once

#include "core/addr.h"
#include "record/batch.h"

#include <stdint.h>

/* The columns of record_flow. */
struct flow_row {
	struct addr exporter, source, target, next_hop;
	int64_t first_ns, last_ns;
	uint64_t packets, bytes, reverse_packets, reverse_bytes; /* of a sampled flow: what they stand for */
	uint32_t domain, sampling, input, output, source_as, target_as;
	uint16_t sensor, source_port, target_port, vlan; /* ICMP: 0 and type * 256 + code */
	uint8_t protocol, flags, tos, direction, end_reason;
};

/* Behind the rows of a batch of record_flow, which has room. */
void flow_row_put(struct batch *batch, const struct flow_row *flow);
struct flow_row flow_row_get(const struct batch *batch, uint32_t row);
