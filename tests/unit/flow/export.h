/* Export messages made byte by byte, and a collector that keeps what comes out of them. */
#pragma once

#include "../check.h"

#include "observe/flow/collector.h"
#include "record/kind.h"

#include <stdlib.h>

struct bytes {
	uint8_t data[4096];
	size_t count;
};

static inline void put(struct bytes *bytes, uint64_t number, unsigned width)
{
	for (unsigned i = width; i-- > 0;)
		bytes->data[bytes->count++] = (uint8_t)(number >> 8 * i);
}

static inline void patch16(struct bytes *bytes, size_t at, size_t number)
{
	bytes->data[at] = (uint8_t)(number >> 8);
	bytes->data[at + 1] = (uint8_t)number;
}

enum { EXPORT_SECONDS = 1700000000, EXPORT_UPTIME_MS = 100000 };

static inline void begin_v9(struct bytes *bytes, uint32_t sequence)
{
	bytes->count = 0;
	put(bytes, 9, 2);
	put(bytes, 1, 2);
	put(bytes, EXPORT_UPTIME_MS, 4);
	put(bytes, EXPORT_SECONDS, 4);
	put(bytes, sequence, 4);
	put(bytes, 7, 4);
}

static inline void begin_ipfix(struct bytes *bytes, uint32_t sequence)
{
	bytes->count = 0;
	put(bytes, 10, 2);
	put(bytes, 0, 2); /* length: see end_ipfix() */
	put(bytes, EXPORT_SECONDS, 4);
	put(bytes, sequence, 4);
	put(bytes, 7, 4);
}

static inline size_t begin_set(struct bytes *bytes, unsigned id)
{
	put(bytes, id, 2);
	put(bytes, 0, 2);
	return bytes->count - 4;
}

static inline void end_set(struct bytes *bytes, size_t set)
{
	patch16(bytes, set + 2, bytes->count - set);
}

static inline void end_ipfix(struct bytes *bytes)
{
	patch16(bytes, 2, bytes->count);
}

struct field {
	unsigned id, bytes, enterprise;
};

static inline void put_template(struct bytes *bytes, unsigned id, const struct field *fields, unsigned count)
{
	put(bytes, id, 2);
	put(bytes, count, 2);
	for (unsigned i = 0; i < count; i++) {
		put(bytes, fields[i].id | (fields[i].enterprise ? 0x8000 : 0), 2);
		put(bytes, fields[i].bytes, 2);
		if (fields[i].enterprise)
			put(bytes, fields[i].enterprise, 4);
	}
}

/* --- what came out ----------------------------------------------------------------------------------------------- */

struct bench {
	struct sink sink;
	struct collector *collector;
	struct batch *rows;
};

static inline int bench_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	return batch_append(((struct bench *)sink)->rows, batch, err);
}

static inline void bench_open(struct bench *bench)
{
	*bench = (struct bench){.sink.put = bench_put, .rows = batch_new(&record_flow, 16)};
	struct collector_options options = {.sensor = 3, .exporters_max = 4};
	assert_int_equal(collector_new(&options, &bench->sink, &bench->collector, NULL), 0);
}

static inline void bench_close(struct bench *bench)
{
	collector_free(bench->collector);
	batch_free(bench->rows);
}

static inline void feed_from(struct bench *bench, uint32_t exporter, const void *data, size_t count)
{
	struct addr from = addr_from_v4(exporter);
	void *exact = malloc(count ? count : 1); /* so that a read past its end is seen */
	memcpy(exact, data, count);
	assert_int_equal(
		collector_feed(bench->collector, &from, exact, count, (int64_t)EXPORT_SECONDS * 1000000000 + 5, NULL),
		0);
	free(exact);
	assert_int_equal(collector_flush(bench->collector, NULL), 0);
}

static inline void feed(struct bench *bench, const struct bytes *bytes)
{
	feed_from(bench, 0xc0000201, bytes->data, bytes->count);
}

static inline const struct exporter_figures *figures(const struct bench *bench)
{
	return &collector_exporter(bench->collector, 0)->figures;
}

#define CELL(bench, type, name, row) BATCH_COLUMN((bench)->rows, type, record_column_index(&record_flow, name))[row]

static inline void assert_address(const struct addr *addr, const char *expected)
{
	char text[ADDR_TEXT_BYTES];
	assert_string_equal(addr_format(addr, text), expected);
}
