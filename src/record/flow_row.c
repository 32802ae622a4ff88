/* See flow_row.h. */
#include "record/flow_row.h"

#include "core/addr.h"

#include <stddef.h>
#include <string.h>

/* Columns of record_flow by their place; 0 bytes: no field of the struct. tests/unit/record/test_flow_row.c holds them
 * against their names. */
static const struct {
	uint8_t at, bytes;
} fields[] = {
#define FIELD(name)                                                                                                    \
	{                                                                                                              \
		offsetof(struct flow_row, name), sizeof(((struct flow_row *)0)->name)                                  \
	}
	FIELD(sensor),
	FIELD(exporter),
	FIELD(domain),
	FIELD(first_ns),
	FIELD(last_ns),
	FIELD(source),
	FIELD(target),
	FIELD(source_port),
	FIELD(target_port),
	FIELD(protocol),
	FIELD(flags),
	FIELD(tos),
	FIELD(packets),
	FIELD(bytes),
	{0, 0}, /* reverse_packets */
	{0, 0} /* reverse_bytes */,
	{0, 0}, /* input */
	{0, 0} /* output */,
	{0, 0}, /* source_as */
	{0, 0} /* target_as */,
	{0, 0}, /* next_hop */
	{0, 0} /* vlan */,
	{0, 0}, /* direction */
	FIELD(end_reason),
	FIELD(sampling),
#undef FIELD
};

enum { FIELDS = sizeof fields / sizeof *fields };

void flow_row_put(struct batch *batch, const struct flow_row *flow)
{
	uint32_t row = batch->rows++;
	for (unsigned c = 0; c < FIELDS; c++) {
		size_t width = column_width(record_flow.columns[c].type);
		uint8_t *cell = (uint8_t *)batch->columns[c] + row * width;
		if (fields[c].bytes)
			memcpy(cell, (const uint8_t *)flow + fields[c].at, width);
		else
			memset(cell, 0, width);
	}
}

struct flow_row flow_row_get(const struct batch *batch, uint32_t row)
{
	struct flow_row flow;
	memset(&flow, 0, sizeof flow);
	for (unsigned c = 0; c < FIELDS; c++) {
		size_t width = column_width(record_flow.columns[c].type);
		if (fields[c].bytes)
			memcpy((uint8_t *)&flow + fields[c].at, (const uint8_t *)batch->columns[c] + row * width,
			       width);
	}
	return flow;
}
