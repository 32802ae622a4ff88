/* Batches built by hand, and a sink that keeps the last row of every finding. */
#pragma once

#include "analyze/detectors.h"
#include "core/addr.h"
#include "core/clock.h"
#include "core/hash.h"

#include "../check.h"

#include <stdio.h>
#include <stdlib.h>

#define T0 (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */

struct kept {
	char id[200], subject[80], rule[40];
	uint8_t type, severity, ended, verdict, state;
	uint32_t member;
	uint16_t version;
	int64_t first, last;
	uint64_t packets;
	double score;
	json_t *ground;
	unsigned rows; /* how often it was said */
};

struct keeper {
	struct sink sink;
	struct kept *items;
	size_t count, rows;
	int refuse; /* code to answer with instead of taking */
};

static inline int keeper_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct keeper *keeper = (struct keeper *)sink;
	if (keeper->refuse)
		return err_set(err, keeper->refuse, "the test refuses");
	assert_ptr_equal(batch->kind, &record_finding);
	for (uint32_t i = 0; i < batch->rows; i++, keeper->rows++) {
		const struct text *id = &BATCH_COLUMN(batch, struct text, 0)[i];
		const struct text *subject = &BATCH_COLUMN(batch, struct text, 4)[i];
		const struct text *rule = &BATCH_COLUMN(batch, struct text, 10)[i];
		const struct text *ground = &BATCH_COLUMN(batch, struct text, 12)[i];
		size_t at = 0;
		while (at < keeper->count && (strlen(keeper->items[at].id) != id->length ||
					      memcmp(keeper->items[at].id, id->bytes, id->length) != 0))
			at++;
		if (at == keeper->count) {
			keeper->items = realloc(keeper->items, (at + 1) * sizeof *keeper->items);
			assert_non_null(keeper->items);
			keeper->items[at] = (struct kept){0};
			keeper->count++;
		}
		struct kept *kept = &keeper->items[at];
		snprintf(kept->id, sizeof kept->id, "%.*s", (int)id->length, id->bytes);
		snprintf(kept->subject, sizeof kept->subject, "%.*s", (int)subject->length, subject->bytes);
		snprintf(kept->rule, sizeof kept->rule, "%.*s", (int)rule->length, rule->bytes);
		kept->type = BATCH_COLUMN(batch, uint8_t, 2)[i];
		kept->severity = BATCH_COLUMN(batch, uint8_t, 3)[i];
		kept->first = BATCH_COLUMN(batch, int64_t, 5)[i];
		kept->last = BATCH_COLUMN(batch, int64_t, 6)[i];
		kept->ended = BATCH_COLUMN(batch, uint8_t, 7)[i];
		kept->packets = BATCH_COLUMN(batch, uint64_t, 8)[i];
		kept->score = BATCH_COLUMN(batch, double, 9)[i];
		kept->version = BATCH_COLUMN(batch, uint16_t, 11)[i];
		kept->member = BATCH_COLUMN(batch, uint32_t, 13)[i];
		kept->verdict = BATCH_COLUMN(batch, uint8_t, 14)[i];
		kept->state = BATCH_COLUMN(batch, uint8_t, 15)[i];
		assert_int_equal(kept->state == STATE_ENDED, kept->ended);
		json_decref(kept->ground);
		kept->ground = json_loadb(ground->bytes, ground->length, 0, NULL);
		assert_non_null(kept->ground);
		/* every finding shows its ground */
		assert_string_equal(json_string_value(json_object_get(kept->ground, "rule")), kept->rule);
		assert_int_equal(json_integer_value(json_object_get(kept->ground, "version")), kept->version);
		assert_true(kept->version > 0);
		assert_true(json_is_object(json_object_get(kept->ground, "thresholds")));
		assert_true(json_is_object(json_object_get(kept->ground, "observed")));
		assert_contains(json_string_value(json_object_get(kept->ground, "derive")), "yagura query ");
		assert_true(kept->first <= kept->last);
		kept->rows++;
	}
	return 0;
}

static inline void keeper_empty(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->count; i++)
		json_decref(keeper->items[i].ground);
	free(keeper->items);
	*keeper = (struct keeper){.sink.put = keeper_put};
}

static inline const struct kept *keeper_find(const struct keeper *keeper, const char *part_of_id)
{
	for (size_t i = 0; i < keeper->count; i++)
		if (strstr(keeper->items[i].id, part_of_id))
			return &keeper->items[i];
	return NULL;
}

static inline size_t keeper_count(const struct keeper *keeper, enum finding_type type)
{
	size_t count = 0;
	for (size_t i = 0; i < keeper->count; i++)
		count += keeper->items[i].type == type;
	return count;
}

/* One detector alone, with options given as name, text, ..., NULL. */
struct bench {
	struct pool *pool;
	const struct detector *detector;
	void *state;
	struct keeper keeper;
	struct findings findings;
};

static inline void bench_open(struct bench *bench, const struct detector *detector, uint64_t darknet, ...)
{
	*bench = (struct bench){.detector = detector, .keeper.sink.put = keeper_put};
	bench->pool = pool_new(NULL, "test");
	struct err err;
	void *options = pool_alloc(bench->pool, detector->options_bytes);
	assert_int_equal(options_init(detector->options, options, bench->pool, &err), 0);
	va_list list;
	va_start(list, darknet);
	for (const char *name = va_arg(list, const char *); name; name = va_arg(list, const char *))
		if (option_set(detector->options, options, bench->pool, name, va_arg(list, const char *), &err) < 0)
			fail_msg("%s", err.text);
	va_end(list);
	struct vantage vantage = {.darknet_addresses = darknet};
	assert_int_equal(detector->open(options, &vantage, bench->pool, &bench->state, &err), 0);
	assert_int_equal(findings_init(&bench->findings, &bench->keeper.sink), 0);
}

static inline void bench_take(struct bench *bench, const struct batch *batch)
{
	struct err err;
	if (bench->detector->take(bench->state, batch, &bench->findings, &err) < 0 ||
	    findings_flush(&bench->findings, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void bench_finish(struct bench *bench)
{
	struct err err;
	if (bench->detector->finish(bench->state, &bench->findings, &err) < 0 ||
	    findings_flush(&bench->findings, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void bench_close(struct bench *bench)
{
	keeper_empty(&bench->keeper);
	findings_done(&bench->findings);
	pool_free(bench->pool);
}

struct echo_row {
	int64_t first_s, last_s; /* after T0, in one bin */
	uint32_t victim;         /* IPv4 */
	uint8_t protocol;
	uint16_t port;
	uint32_t packets, targets;
};

static inline void echo_add(struct batch *batch, const struct echo_row *row)
{
	uint32_t i = batch->rows++;
	assert_true(i < batch->capacity);
	BATCH_COLUMN(batch, int64_t, 0)[i] = time_floor(T0 + row->first_s * NS_PER_S, 10 * NS_PER_S);
	BATCH_COLUMN(batch, uint16_t, 1)[i] = 1;
	BATCH_COLUMN(batch, struct addr, 2)[i] = addr_from_v4(row->victim);
	BATCH_COLUMN(batch, uint8_t, 3)[i] = row->protocol;
	BATCH_COLUMN(batch, uint16_t, 4)[i] = row->port;
	BATCH_COLUMN(batch, uint32_t, 5)[i] = row->packets;
	BATCH_COLUMN(batch, uint64_t, 6)[i] = row->packets * UINT64_C(40);
	BATCH_COLUMN(batch, uint32_t, 7)[i] = row->targets ? row->targets : row->packets;
	BATCH_COLUMN(batch, int64_t, 8)[i] = T0 + row->first_s * NS_PER_S;
	BATCH_COLUMN(batch, int64_t, 9)[i] = T0 + row->last_s * NS_PER_S;
}

struct tuple_row {
	int64_t minute;          /* after T0 */
	int64_t first_s, last_s; /* within the minute */
	uint32_t source;
	uint8_t kind, tool, protocol;
	uint16_t port;
	uint32_t packets, targets;
	uint64_t payload;
	uint32_t signature;
	uint16_t country;
	uint32_t network;
};

static inline void tuple_add(struct batch *batch, const struct tuple_row *row)
{
	uint32_t i = batch->rows++;
	assert_true(i < batch->capacity);
	int64_t minute = T0 + row->minute * NS_PER_MINUTE;
	BATCH_COLUMN(batch, int64_t, 0)[i] = minute;
	BATCH_COLUMN(batch, uint16_t, 1)[i] = 1;
	BATCH_COLUMN(batch, struct addr, 2)[i] = addr_from_v4(row->source);
	BATCH_COLUMN(batch, uint8_t, 3)[i] = row->kind;
	BATCH_COLUMN(batch, uint8_t, 4)[i] = row->tool;
	BATCH_COLUMN(batch, uint8_t, 5)[i] = 0;
	BATCH_COLUMN(batch, uint8_t, 6)[i] = row->protocol ? row->protocol : 6;
	BATCH_COLUMN(batch, uint16_t, 7)[i] = row->port;
	BATCH_COLUMN(batch, uint8_t, 8)[i] = 2;
	BATCH_COLUMN(batch, uint8_t, 9)[i] = 64;
	BATCH_COLUMN(batch, uint8_t, 10)[i] = 0;
	BATCH_COLUMN(batch, uint32_t, 11)[i] = row->packets ? row->packets : 1;
	BATCH_COLUMN(batch, uint64_t, 12)[i] = (row->packets ? row->packets : 1) * UINT64_C(40);
	BATCH_COLUMN(batch, uint32_t, 13)[i] = row->targets ? row->targets : 1;
	BATCH_COLUMN(batch, int64_t, 14)[i] = minute + row->first_s * NS_PER_S;
	BATCH_COLUMN(batch, int64_t, 15)
	[i] = minute + (row->last_s > row->first_s ? row->last_s : row->first_s) * NS_PER_S;
	BATCH_COLUMN(batch, uint64_t, 16)[i] = row->payload;
	BATCH_COLUMN(batch, uint32_t, 17)[i] = row->signature;
	BATCH_COLUMN(batch, uint16_t, 18)[i] = row->country;
	BATCH_COLUMN(batch, uint32_t, 19)[i] = row->network;
}

/* The same rows in another order. */
static inline void batch_shuffle(struct batch *batch, uint64_t *random)
{
	for (uint32_t i = batch->rows; i > 1; i--) {
		uint32_t j = (uint32_t)random_below(random, i);
		for (int column = 0; batch->kind->columns[column].name; column++) {
			size_t width = column_width(batch->kind->columns[column].type);
			unsigned char *one = (unsigned char *)batch->columns[column] + (i - 1) * width;
			unsigned char *two = (unsigned char *)batch->columns[column] + j * width;
			unsigned char keep[16];
			memcpy(keep, one, width);
			memcpy(one, two, width);
			memcpy(two, keep, width);
		}
	}
}
