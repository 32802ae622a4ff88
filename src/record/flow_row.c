/* See flow_row.h. */
#include "record/flow_row.h"

#include "core/addr.h"

#include <stddef.h>
#include <string.h>

/* Columns of record_flow by their place; tests/unit/record/test_flow_row.c holds them against their names. */
static const uint8_t field_at[] = {
#define FIELD(name) offsetof(struct flow_row, name)
	FIELD(sensor),        FIELD(exporter), FIELD(domain),      FIELD(first_ns),    FIELD(last_ns),
	FIELD(source),        FIELD(target),   FIELD(source_port), FIELD(target_port), FIELD(protocol),
	FIELD(flags),         FIELD(tos),      FIELD(packets),     FIELD(bytes),       FIELD(reverse_packets),
	FIELD(reverse_bytes), FIELD(input),    FIELD(output),      FIELD(source_as),   FIELD(target_as),
	FIELD(next_hop),      FIELD(vlan),     FIELD(direction),   FIELD(end_reason),  FIELD(sampling),
#undef FIELD
};

enum { FIELDS = sizeof field_at / sizeof *field_at };
_Static_assert(sizeof(struct flow_row) <= UINT8_MAX, "offsets are bytes");

void flow_row_put(struct batch *batch, const struct flow_row *flow)
{
	uint32_t row = batch->rows++;
	for (unsigned c = 0; c < FIELDS; c++) {
		size_t width = column_width(record_flow.columns[c].type);
		memcpy((uint8_t *)batch->columns[c] + row * width, (const uint8_t *)flow + field_at[c], width);
	}
}

struct flow_row flow_row_get(const struct batch *batch, uint32_t row)
{
	struct flow_row flow;
	memset(&flow, 0, sizeof flow);
	for (unsigned c = 0; c < FIELDS; c++) {
		size_t width = column_width(record_flow.columns[c].type);
		memcpy((uint8_t *)&flow + field_at[c], (const uint8_t *)batch->columns[c] + row * width, width);
	}
	return flow;
}
