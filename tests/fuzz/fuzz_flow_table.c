/* Tables of flows, a line at a time, as their beginning says. A flow never ends before it begins. */
#include "fuzz.h"

#include "observe/flow/table.h"

#include <stdlib.h>
#include <string.h>

static int rows_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	(void)sink;
	(void)err;
	const int64_t *first = BATCH_COLUMN(batch, int64_t, record_column_index(&record_flow, "first"));
	const int64_t *last = BATCH_COLUMN(batch, int64_t, record_column_index(&record_flow, "last"));
	for (uint32_t row = 0; row < batch->rows; row++)
		fuzz_check(first[row] <= last[row]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct sink sink = {.put = rows_put};
	struct flow_table *table;
	enum flow_table_form form = flow_table_form_of(data, bytes);
	if (form == FLOW_TABLE_NONE)
		return 0;
	fuzz_check(flow_table_new(form, &sink, &table, NULL) == 0);
	for (size_t at = 0; at < bytes;) {
		const uint8_t *stop = memchr(data + at, '\n', bytes - at);
		size_t length = (stop ? (size_t)(stop - data) : bytes) - at;
		char *exact = malloc(length ? length : 1);
		struct err err;
		memcpy(exact, data + at, length);
		fuzz_check(flow_table_line(table, exact, length, &err) >= 0);
		free(exact);
		at += length + 1;
	}
	fuzz_check(flow_table_flush(table, NULL) == 0);
	flow_table_free(table);
	return 0;
}
