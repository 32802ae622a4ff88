/* A query, described once: kind of record, time, filters, keys, time bucket, aggregates, order, limit. The API's JSON
 * and the command line's words are two forms of the same; the store writes it in its engine's dialect.
 *
 * Values are as people write them, in and out: kind "scan", tool "mirai", country "JP", protocol "tcp", network 2907 or
 * "AS2907", addresses as text, times RFC 3339 or "-24h", hashes "0x...".
 *
 *     {"kind":"tuple","from":"-24h","to":"now","filters":[{"field":"port","op":"=","value":23}],"keys":["country"],
 *      "bucket":"1h","aggregates":[{"op":"sum","field":"packets"}],"order":[{"by":"sum_packets","descending":true}],
 *      "limit":20}
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"
#include "core/memory.h"
#include "record/kind.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	QUERY_LIMIT_DEFAULT = 1000,
	QUERY_LIMIT_MAX = 1000000,
	QUERY_FILTERS_MAX = 32,
	QUERY_VALUES_MAX = 1000, /* of one "in" */
	QUERY_KEYS_MAX = 8,
	QUERY_AGGREGATES_MAX = 16,
	QUERY_NAME_BYTES = 48,
};

enum query_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_IN, OP_PREFIX, OP_LIKE };
enum query_aggregate_op {
	AGGREGATE_COUNT,
	AGGREGATE_SUM,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_AVG,
	AGGREGATE_DISTINCT,
	AGGREGATE_APPROX_DISTINCT,
};

/* By the column: integers, codes, countries and networks in `number`; times in ns in `time_ns`. */
struct query_value {
	union {
		uint64_t number;
		double real;
		int64_t time_ns;
		struct addr addr;
		struct prefix prefix; /* OP_PREFIX */
		const char *text;
	};
};

struct query_filter {
	int column;
	enum query_op op;
	size_t count; /* 1, but for OP_IN */
	struct query_value *values;
};

struct query_aggregate {
	enum query_aggregate_op op;
	int column;                  /* -1 for AGGREGATE_COUNT */
	char name[QUERY_NAME_BYTES]; /* "sum_packets", "count" */
};

struct query_order {
	int result; /* index of a result column */
	bool descending;
};

enum query_bucket { BUCKET_NONE, BUCKET_SPAN, BUCKET_MONTH, BUCKET_YEAR };

/* Result columns are: "time" where there is a bucket, the keys, the aggregates; or, without keys, bucket and
 * aggregates, all columns of the record. */
struct query {
	struct pool *pool;
	const struct record_kind *kind;
	int64_t from_ns, to_ns; /* [from, to) */
	size_t filter_count, key_count, aggregate_count, order_count;
	struct query_filter filters[QUERY_FILTERS_MAX];
	int keys[QUERY_KEYS_MAX];
	enum query_bucket bucket;
	int64_t bucket_ns; /* BUCKET_SPAN */
	struct query_aggregate aggregates[QUERY_AGGREGATES_MAX];
	struct query_order orders[QUERY_KEYS_MAX];
	uint32_t limit;
};

/* -EINVAL with a sentence that names the field and offers the nearest name. `now_ns` is what "-24h" counts from; absent
 * times mean the 24 hours before now. */
int query_from_json(const json_t *json, int64_t now_ns, struct query **ret_query, struct err *err) must_check;

/* KIND [--from T] [--to T] [--where FIELD OP VALUE, as port=23 source~192.0.2.0/24 tool=mirai,zmap]... [--by FIELD]...
 * [--bucket D] [--count] [--sum F] [--min F] [--max F] [--avg F] [--distinct F] [--approx-distinct F]
 * [--order [-]NAME] [--limit N]. argv[0] is KIND. */
int query_from_arguments(int argc, char **argv, int64_t now_ns, struct query **ret_query, struct err *err) must_check;
extern const char query_arguments_help[], query_arguments_help_ja[]; /* lines for --help */

json_t *query_to_json(const struct query *query); /* times absolute; NULL: out of memory */
char *query_command(const struct query *query);   /* "yagura query tuple --from ...", quoted for a shell; free() it */
void query_free(struct query *query);             /* NULL is fine */
void query_free_at(struct query **query);         /* for cleanup() */
