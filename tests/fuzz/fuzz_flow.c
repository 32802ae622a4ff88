/* Datagrams of exporters, one after another: the first byte says whose, the next two how long. No record is made of
 * nothing, and what is kept of an exporter stays bounded. */
#include "fuzz.h"

#include "observe/flow/collector.h"

#include <string.h>

enum { HEAD = 3, EXPORTERS = 8 };

struct counter {
	struct sink sink;
	uint64_t rows;
};

static int counter_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	(void)err;
	const uint32_t *sampling = BATCH_COLUMN(batch, uint32_t, record_column_index(&record_flow, "sampling"));
	for (uint32_t row = 0; row < batch->rows; row++)
		fuzz_check(sampling[row] > 0);
	((struct counter *)sink)->rows += batch->rows;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct counter counter = {.sink.put = counter_put};
	struct collector_options options = {.exporters_max = EXPORTERS};
	struct collector *collector;
	size_t fed = 0;
	fuzz_check(collector_new(&options, &counter.sink, &collector, NULL) == 0);
	while (bytes >= HEAD) {
		struct addr from = addr_from_v4(data[0]);
		size_t length = load_be16(data + 1);
		data += HEAD;
		bytes -= HEAD;
		length = length < bytes ? length : bytes;
		uint8_t *exact = malloc(length ? length : 1);
		memcpy(exact, data, length);
		struct flow_message message;
		if (flow_message_read(exact, length, &message) == FLOW_SOUND)
			(void)flow_message_fits(&message, length);
		fuzz_check(collector_feed(collector, &from, exact, length, 1, NULL) == 0);
		free(exact);
		data += length;
		bytes -= length;
		fed += length;
	}
	fuzz_check(collector_flush(collector, NULL) == 0);
	fuzz_check(counter.rows <= fed); /* a record has at least one byte */
	fuzz_check(collector_exporters(collector) <= EXPORTERS);
	uint64_t records = 0;
	for (size_t i = 0; i < collector_exporters(collector); i++) {
		const struct exporter *exporter = collector_exporter(collector, i);
		records += exporter->figures.records;
		fuzz_check(exporter->template_count <= EXPORTER_TEMPLATES_MAX);
	}
	fuzz_check(records == counter.rows);
	collector_free(collector);
	return 0;
}
