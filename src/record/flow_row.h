/* One flow as a struct, for those who make or write flows one by one; who reads many reads columns. */
#pragma once

#include "core/addr.h"
#include "record/batch.h"

#include <stdint.h>

/* The columns of record_flow that a flow is known by; the others are 0. */
struct flow_row {
	struct addr exporter, source, target;
	int64_t first_ns, last_ns;
	uint64_t packets, bytes; /* of a sampled flow: what they stand for */
	uint32_t domain, sampling;
	uint16_t sensor, source_port, target_port; /* ICMP: 0 and type * 256 + code */
	uint8_t protocol, flags, tos, end_reason;
};

/* Behind the rows of a batch of record_flow, which has room. */
void flow_row_put(struct batch *batch, const struct flow_row *flow);
struct flow_row flow_row_get(const struct batch *batch, uint32_t row);
