/* Made records and a directory of its own for tests of the store. */
#pragma once

#include "core/addr.h"
#include "core/clock.h"
#include "record/batch.h"
#include "store/store.h"

#include "../check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define T0 (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */

static inline int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *make_dir(char room[64])
{
	snprintf(room, 64, "/tmp/yagura-store-XXXXXX");
	assert_non_null(mkdtemp(room));
	return room;
}

/* In memory where that is to be had: many starts and flushes in little time. */
static inline char *make_quick_dir(char room[64])
{
	snprintf(room, 64, "/dev/shm/yagura-store-XXXXXX");
	return mkdtemp(room) ? room : make_dir(room);
}

static inline struct store_options options_for(const char *dir)
{
	struct store_options options = {0};
	struct pool *pool = pool_new(NULL, "test");
	assert_int_equal(options_init(store_option_table, &options, pool, NULL), 0);
	pool_free(pool);
	options.dir = dir;
	options.memory_bytes = 256 << 20;
	options.threads = 2;
	options.free_floor_bytes = 1 << 20;
	options.raw_bytes = 64 << 20;
	return options;
}

#define open_store(options, ret_store)                                                                                 \
	do {                                                                                                           \
		struct err open_err = {""};                                                                            \
		if (store_open((options), (ret_store), &open_err) != 0)                                                \
			fail_msg("%s", open_err.text);                                                                 \
	} while (0)

/* `rows` tuples of one minute: source 192.0.2.(row % 250), port by row, packets 1 + row % 3. */
static inline struct batch *made_tuples(int64_t minute_ns, uint32_t rows, uint64_t boot, uint64_t sequence)
{
	static const uint16_t ports[] = {23, 2323, 22, 80, 443, 37215, 53};
	struct batch *batch = batch_new(&record_tuple, rows);
	batch->sensor_boot = boot;
	batch->sequence = sequence;
	batch->rows = rows;
	for (uint32_t i = 0; i < rows; i++) {
		BATCH_COLUMN(batch, int64_t, 0)[i] = minute_ns;
		BATCH_COLUMN(batch, uint16_t, 1)[i] = 1;
		BATCH_COLUMN(batch, struct addr, 2)[i] = addr_from_v4(0xc0000200u + i % 250);
		BATCH_COLUMN(batch, uint8_t, 3)[i] = i % 10 == 9 ? PACKET_BACKSCATTER : PACKET_SCAN;
		BATCH_COLUMN(batch, uint8_t, 4)[i] = i % 7 < 2 ? TOOL_MIRAI : TOOL_UNKNOWN;
		BATCH_COLUMN(batch, uint8_t, 6)[i] = i % 7 == 6 ? 17 : 6;
		BATCH_COLUMN(batch, uint16_t, 7)[i] = ports[i % 7];
		BATCH_COLUMN(batch, uint8_t, 8)[i] = 2;
		BATCH_COLUMN(batch, uint8_t, 9)[i] = 50;
		BATCH_COLUMN(batch, uint32_t, 11)[i] = 1 + i % 3;
		BATCH_COLUMN(batch, uint64_t, 12)[i] = 40 * (1 + i % 3);
		BATCH_COLUMN(batch, uint32_t, 13)[i] = 1;
		BATCH_COLUMN(batch, int64_t, 14)[i] = minute_ns + i % 60 * NS_PER_S + 123456;
		BATCH_COLUMN(batch, int64_t, 15)[i] = minute_ns + i % 60 * NS_PER_S + 123456;
		BATCH_COLUMN(batch, uint64_t, 16)[i] = i % 7 == 6 ? UINT64_C(0xfedcba9876543210) : 0;
		BATCH_COLUMN(batch, uint32_t, 17)[i] = 0xabcd0000u + i % 5;
		BATCH_COLUMN(batch, uint16_t, 18)[i] = i % 3 == 0 ? 'J' << 8 | 'P' : i % 3 == 1 ? 'U' << 8 | 'S' : 0;
		BATCH_COLUMN(batch, uint32_t, 19)[i] = 2900 + i % 10;
	}
	return batch;
}

static inline int put_tuples(struct store *store, int64_t minute_ns, uint32_t rows, uint64_t boot, uint64_t sequence,
			     struct err *err)
{
	struct batch *batch = made_tuples(minute_ns, rows, boot, sequence);
	int code = store_put(store, batch, err);
	batch_free(batch);
	return code;
}

/* The answer to a query in JSON with single quotes; fails the test where it fails. */
static inline json_t *ask_store(struct store *store, const char *quoted)
{
	char text[2048];
	snprintf(text, sizeof text, "%s", quoted);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *json = json_loads(text, 0, NULL), *answer = NULL;
	assert_non_null(json);
	struct query *query = NULL;
	must(query_from_json(json, T0 + NS_PER_DAY, &query, &must_err));
	must(store_query(store, query, &answer, &must_err));
	query_free(query);
	json_decref(json);
	return answer;
}

/* The first value of the first row, as a number. */
static inline int64_t ask_number(struct store *store, const char *quoted)
{
	json_t *answer = ask_store(store, quoted);
	json_t *row = json_array_get(json_object_get(answer, "rows"), 0);
	int64_t number = json_integer_value(json_array_get(row, 0));
	json_decref(answer);
	return number;
}

#define COUNT_TUPLES "{'kind':'tuple','from':'2025-12-01','to':'2027-01-01','aggregates':[{'op':'count'}]}"
