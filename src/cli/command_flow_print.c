/* Flows as people and programs read them. */
#include "cli/command_flow.h"

#include "core/clock.h"
#include "store/flow_query.h"

#include <jansson.h>
#include <stdio.h>

void flow_print_json(const struct batch *batch, uint32_t row)
{
	json_t *record = flow_json(batch, row);
	json_dumpf(record, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(record);
}

static void end_format(const struct addr *addr, uint16_t port, char *text, size_t bytes)
{
	char address[ADDR_TEXT_BYTES];
	addr_format(addr, address);
	if (addr_is_v4(addr))
		snprintf(text, bytes, "%s:%u", address, port);
	else
		snprintf(text, bytes, "[%s]:%u", address, port);
}

void flow_print_line(const struct batch *batch, uint32_t row)
{
	const struct record_kind *kind = batch->kind;
	char when[TIME_TEXT_BYTES], source[ADDR_TEXT_BYTES + 8], target[ADDR_TEXT_BYTES + 8];
	int64_t first = BATCH_COLUMN(batch, int64_t, record_column_index(kind, "first"))[row];
	int64_t last = BATCH_COLUMN(batch, int64_t, record_column_index(kind, "last"))[row];
	end_format(&BATCH_COLUMN(batch, struct addr, record_column_index(kind, "source"))[row],
		   BATCH_COLUMN(batch, uint16_t, record_column_index(kind, "source_port"))[row], source, sizeof source);
	end_format(&BATCH_COLUMN(batch, struct addr, record_column_index(kind, "target"))[row],
		   BATCH_COLUMN(batch, uint16_t, record_column_index(kind, "target_port"))[row], target, sizeof target);
	printf("%-30s %10.3f s %3u %40s -> %-40s %10llu %14llu\n", time_format(first, when),
	       (double)(last - first) / 1e9, BATCH_COLUMN(batch, uint8_t, record_column_index(kind, "protocol"))[row],
	       source, target,
	       (unsigned long long)BATCH_COLUMN(batch, uint64_t, record_column_index(kind, "packets"))[row],
	       (unsigned long long)BATCH_COLUMN(batch, uint64_t, record_column_index(kind, "bytes"))[row]);
}
