/* Flows made by hand, and those of recorded logs, for the tests of src/analyze/cnc. */
#pragma once

#include "../check.h"

#include "analyze/cnc/cnc.h"
#include "analyze/cnc/detector.h"
#include "core/clock.h"

#include <stdlib.h>

enum { TEST_TCP = 6, TEST_UDP = 17, TEST_SYN = 0x02, TEST_ACK = 0x10 };

struct made_flow {
	const char *source, *target;
	uint16_t source_port, target_port;
	uint8_t protocol, flags;
	double first_s, seconds;
	uint64_t packets, bytes, reverse_packets, reverse_bytes;
};

#define FLOW_CELL(type, name) BATCH_COLUMN(batch, type, record_column_index(&record_flow, name))[at]

static inline void flow_put(struct batch *batch, const struct made_flow *flow)
{
	uint32_t at = batch->rows++;
	for (size_t c = 0; record_flow.columns[c].name; c++) {
		size_t width = column_width(record_flow.columns[c].type);
		memset((uint8_t *)batch->columns[c] + at * width, 0, width);
	}
	FLOW_CELL(int64_t, "first") = 1700000000 * NS_PER_S + (int64_t)(flow->first_s * 1e9);
	FLOW_CELL(int64_t, "last") = 1700000000 * NS_PER_S + (int64_t)((flow->first_s + flow->seconds) * 1e9);
	must(addr_parse(flow->source, &FLOW_CELL(struct addr, "source"), NULL));
	must(addr_parse(flow->target, &FLOW_CELL(struct addr, "target"), NULL));
	FLOW_CELL(uint16_t, "source_port") = flow->source_port;
	FLOW_CELL(uint16_t, "target_port") = flow->target_port;
	FLOW_CELL(uint8_t, "protocol") = flow->protocol;
	FLOW_CELL(uint8_t, "flags") = flow->flags;
	FLOW_CELL(uint64_t, "packets") = flow->packets;
	FLOW_CELL(uint64_t, "bytes") = flow->bytes;
	FLOW_CELL(uint64_t, "reverse_packets") = flow->reverse_packets;
	FLOW_CELL(uint64_t, "reverse_bytes") = flow->reverse_bytes;
}

/* One flow into a ranking or a sight by its own taker. */
#define flow_give(take, state, ...)                                                                                    \
	do {                                                                                                           \
		struct batch *given = batch_new(&record_flow, 1);                                                      \
		assert_non_null(given);                                                                                \
		flow_put(given, &(struct made_flow){__VA_ARGS__});                                                     \
		must(take(state, given, NULL));                                                                        \
		batch_free(given);                                                                                     \
	} while (0)

static inline const json_t *ranked(const json_t *ranking, const char *address, int port)
{
	size_t i;
	json_t *line;
	json_array_foreach(ranking, i, line)
	{
		if (strcmp(json_string_value(json_object_get(line, "address")), address) == 0 &&
		    json_integer_value(json_object_get(line, "port")) == port)
			return line;
	}
	return NULL;
}

/* Of a line of the ranking: what the detector scored; -1: it is no ground. */
static inline double ground_of(const json_t *line, const char *detector)
{
	size_t i;
	json_t *ground;
	json_array_foreach(json_object_get(line, "grounds"), i, ground)
	{
		if (strcmp(json_string_value(json_object_get(ground, "detector")), detector) == 0)
			return json_real_value(json_object_get(ground, "score"));
	}
	return -1;
}
