/* Roll-ups: sums and distinct sources by minute, hour, day, month and year.
 *
 * A flush notes which minutes got tuples (rollup_due); rolling a period up deletes its note, makes its rows again from
 * the tuples and notes the next longer period, all in one transaction. So it may run at any time, any number of times,
 * and be killed anywhere.
 *
 * Distinct sources do not add up, so every level counts them from the tuples themselves while these are there
 * (exact = 1). A month or year whose tuples are gone, or are more than EXACT_ROWS_MAX, is put together from its days:
 * sums are exact still; sources are estimated from samples kept per day: of each row's sources those whose hash is
 * below a threshold theta that lets about k of them through (theta sketches: Dasgupta et al., A Framework for
 * Estimating Stream Expression Cardinalities, ICDT 2016). A union keeps the least theta; its relative error is about 1
 * / sqrt(k): 0.8 % for `all` and `total`, 3.1 % for the other dimensions. Where no day had more than k sources theta is
 * 1 and the union exact.
 */
#include "store/state.h"

#include "core/clock.h"
#include "core/module.h"
#include "store/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLE_WHOLE = 16384, SAMPLE_PART = 1024, REFRESH_LEAST_S = 30, REFRESH_COSTS = 20 };
#define EXACT_ROWS_MAX INT64_C(500000000)

static const char *const units[] = {"minute", "hour", "day", "month", "year"};

/* One period or a run of minutes: [from, to) in us. */
struct span {
	int64_t from_us, to_us;
};

/* A dimension as numbers, which group quickly, and as the text that is kept of each group. */
static const char *const codes[] = {
	[ROLLUP_ALL] = "0::UINTEGER",     [ROLLUP_PORT] = "protocol::UINTEGER * 65536 + port",
	[ROLLUP_TOOL] = "tool::UINTEGER", [ROLLUP_COUNTRY] = "country::UINTEGER",
	[ROLLUP_NETWORK] = "network",     [ROLLUP_SENSOR] = "sensor::UINTEGER",
	[ROLLUP_TOTAL] = "0::UINTEGER",
};

/* "tcp/23": names from the table of protocols, numbers where it has none. */
static int add_port_key(struct text_buffer *sql)
{
	int code = text_add(sql, "CASE code // 65536");
	for (unsigned number = 0; number < 256 && code == 0; number++)
		if (protocol_name((uint8_t)number))
			code = text_add(sql, " WHEN %u THEN '%s'", number, protocol_name((uint8_t)number));
	return code == 0 ? text_add(sql, " ELSE (code // 65536)::VARCHAR END || '/' || (code %% 65536)") : code;
}

static int add_key(struct text_buffer *sql, enum rollup_dimension dimension)
{
	int code = 0;
	switch (dimension) {
	case ROLLUP_PORT:
		return add_port_key(sql);
	case ROLLUP_TOOL:
		code = text_add(sql, "CASE code");
		for (int i = 0; scan_tool_names[i] && code == 0; i++)
			code = text_add(sql, " WHEN %d THEN '%s'", i, scan_tool_names[i]);
		return code == 0 ? text_add(sql, " ELSE code::VARCHAR END") : code;
	case ROLLUP_COUNTRY:
		return text_add(sql, "CASE code WHEN 0 THEN 'ZZ' ELSE chr((code // 256)::INTEGER) || chr((code %% "
				     "256)::INTEGER) END");
	case ROLLUP_NETWORK:
		return text_add(sql, "'AS' || code");
	case ROLLUP_SENSOR:
		return text_add(sql, "code::VARCHAR");
	case ROLLUP_ALL:
	case ROLLUP_TOTAL:
		break;
	}
	return text_add(sql, "''");
}

/* (SELECT t, code, kind, source, p, b): one row per source of each group. It reads only the columns of the dimension,
 * and its table may spill to disk. */
static int add_sources(struct text_buffer *sql, enum rollup_level level, enum rollup_dimension dimension,
		       const struct span *span)
{
	return text_add(
		sql,
		"(SELECT %s AS t, %s AS code, %s AS kind, source, sum(packets) AS p, sum(bytes) AS b FROM tuple "
		"WHERE minute >= make_timestamp(%" PRId64 ") AND minute < make_timestamp(%" PRId64 ") GROUP BY ALL)",
		level == ROLLUP_MINUTE ? "minute" : "0", codes[dimension],
		dimension == ROLLUP_TOTAL ? "0::UTINYINT" : "kind", span->from_us, span->to_us);
}

static int count_dimension(duckdb_connection connection, enum rollup_level level, enum rollup_dimension dimension,
			   const struct span *span, struct err *err)
{
	struct text_buffer sql = {NULL, 0, 0};
	char time[64];
	snprintf(time, sizeof time, "make_timestamp(%" PRId64 ")", span->from_us);
	int code = text_add(&sql, "INSERT INTO rollup SELECT %s, %d, %s, %d, ", level == ROLLUP_MINUTE ? "t" : time,
			    level, dimension == ROLLUP_SENSOR ? "code::USMALLINT" : "0", dimension);
	if (code == 0)
		code = add_key(&sql, dimension);
	if (code == 0)
		code = text_add(
			&sql, ", kind, p, b, n, 1 FROM (SELECT t, code, kind, sum(p) AS p, sum(b) AS b, count(*) AS n "
			      "FROM ");
	if (code == 0)
		code = add_sources(&sql, level, dimension, span);
	if (code == 0)
		code = text_add(&sql, " GROUP BY ALL)");
	if (code == 0)
		code = engine_run(connection, err, "%s", sql.bytes);
	free(sql.bytes);
	return code;
}

/* The sources of a day's group whose hash is below `theta` of all hashes; theta is 1 where there are not more than the
 * sample has room for. The hash is splitmix64's mixer over both halves of the address, written in numbers of 128 bits
 * so that it is the same in every version of the engine. */
static int sample_dimension(duckdb_connection connection, const struct span *span, enum rollup_dimension dimension,
			    struct err *err)
{
	static const char hash[] = /* shifts and masks: division of 128 bits is a hundred times slower */
		"18446744073709551615::UHUGEINT AS low"
		", xor(source & low, (source >> 64::UHUGEINT) * 11400714819323198485::UHUGEINT & low) AS h0"
		", xor(h0, h0 >> 32::UHUGEINT) * 13787848793156543929::UHUGEINT & low AS h1"
		", xor(h1, h1 >> 29::UHUGEINT) * 10723151780598845931::UHUGEINT & low AS h2"
		", xor(h2, h2 >> 32::UHUGEINT)::UBIGINT AS hash";
	bool whole = dimension == ROLLUP_ALL || dimension == ROLLUP_TOTAL;
	struct text_buffer sql = {NULL, 0, 0};
	int code = text_add(&sql, "INSERT INTO source_sample SELECT make_timestamp(%" PRId64 "), %s, %d, ",
			    span->from_us, dimension == ROLLUP_SENSOR ? "code::USMALLINT" : "0", dimension);
	if (code == 0)
		code = add_key(&sql, dimension);
	if (code == 0)
		code = text_add(
			&sql,
			", kind, theta, list(hash) FROM (SELECT code, kind, least(1, %d / n::DOUBLE) AS theta, %s FROM "
			"(SELECT code, kind, source, count(*) OVER (PARTITION BY code, kind) AS n FROM ",
			whole ? SAMPLE_WHOLE : SAMPLE_PART, hash);
	if (code == 0)
		code = add_sources(&sql, ROLLUP_DAY, dimension, span);
	if (code == 0)
		code = text_add(&sql,
				")) WHERE theta = 1 OR hash < theta * 18446744073709551616 GROUP BY code, kind, theta");
	if (code == 0)
		code = engine_run(connection, err, "%s", sql.bytes);
	free(sql.bytes);
	return code;
}

static int from_tuples(duckdb_connection connection, enum rollup_level level, const struct span *span, struct err *err)
{
	int code = 0;
	if (level == ROLLUP_DAY)
		code = engine_run(connection, err, "DELETE FROM source_sample WHERE time = make_timestamp(%" PRId64 ")",
				  span->from_us);
	for (int dimension = ROLLUP_ALL; dimension <= ROLLUP_TOTAL && code == 0; dimension++) {
		code = count_dimension(connection, level, (enum rollup_dimension)dimension, span, err);
		if (code == 0 && level == ROLLUP_DAY)
			code = sample_dimension(connection, span, (enum rollup_dimension)dimension, err);
	}
	return code;
}

static int from_days(duckdb_connection connection, enum rollup_level level, const struct span *span, struct err *err)
{
	return engine_run(
		connection, err,
		"INSERT INTO rollup WITH "
		"days AS (SELECT * FROM source_sample WHERE time >= make_timestamp(%" PRId64
		") AND time < make_timestamp(%" PRId64 ")), "
		"least_theta AS (SELECT sensor, dimension, \"key\", kind, min(theta) AS theta FROM days GROUP BY ALL), "
		"hashes AS (SELECT DISTINCT sensor, dimension, \"key\", kind, unnest(hashes) AS hash FROM days), "
		"counted AS (SELECT sensor, dimension, \"key\", kind, theta, count(*) AS n FROM hashes JOIN "
		"least_theta USING "
		"(sensor, dimension, \"key\", kind) WHERE theta = 1 OR hash < theta * 18446744073709551616 GROUP BY "
		"ALL), "
		"sums AS (SELECT sensor, dimension, \"key\", kind, sum(packets) AS p, sum(bytes) AS b, max(sources) AS "
		"most "
		"FROM rollup WHERE level = %d AND time >= make_timestamp(%" PRId64
		") AND time < make_timestamp(%" PRId64 ") GROUP BY ALL) "
		"SELECT make_timestamp(%" PRId64 "), %d, sensor, dimension, \"key\", kind, p, b, "
		"greatest(most, coalesce(n / theta, 0))::UBIGINT, (n IS NOT NULL AND theta = 1)::UTINYINT "
		"FROM sums LEFT JOIN counted USING (sensor, dimension, \"key\", kind)",
		span->from_us, span->to_us, ROLLUP_DAY, span->from_us, span->to_us, span->from_us, level);
}

static int tuple_floor(duckdb_connection connection, int64_t *ret_us, struct err *err)
{
	return engine_number(connection, ret_us, err,
			     "SELECT coalesce(max(epoch_us(time)), -9000000000000000) FROM tuple_floor");
}

static int rows_within(duckdb_connection connection, const struct span *span, int64_t *ret_rows, struct err *err)
{
	return engine_number(connection, ret_rows, err,
			     "SELECT count(*) FROM tuple WHERE minute >= make_timestamp(%" PRId64
			     ") AND minute < make_timestamp(%" PRId64 ")",
			     span->from_us, span->to_us);
}

static int make_again(duckdb_connection connection, enum rollup_level level, const struct span *span, struct err *err)
{
	int64_t floor_us = 0, rows = 0;
	int code = tuple_floor(connection, &floor_us, err);
	bool tuples = span->from_us >= floor_us;
	if (code == 0 && level >= ROLLUP_MONTH && tuples)
		code = rows_within(connection, span, &rows, err);
	tuples = tuples && rows <= EXACT_ROWS_MAX;
	if (code < 0 || (!tuples && level < ROLLUP_MONTH))
		return code; /* late tuples of a day that was closed for good: its roll-up stays */
	code = engine_run(connection, err,
			  "DELETE FROM rollup WHERE level = %d AND time >= make_timestamp(%" PRId64
			  ") AND time < make_timestamp(%" PRId64 ")",
			  level, span->from_us, span->to_us);
	if (code == 0 && tuples)
		code = from_tuples(connection, level, span, err);
	if (code == 0 && !tuples)
		code = from_days(connection, level, span, err);
	return code;
}

static int roll(duckdb_connection connection, enum rollup_level level, const struct span *span, struct err *err)
{
	int code = engine_run(connection, err, "BEGIN");
	if (code == 0 && level < ROLLUP_YEAR)
		code = engine_run(
			connection, err,
			"INSERT INTO rollup_due SELECT DISTINCT %d, date_trunc('%s', time)::TIMESTAMP FROM rollup_due "
			"WHERE level = %d AND time >= make_timestamp(%" PRId64 ") AND time < make_timestamp(%" PRId64
			")",
			level + 1, units[level + 1], level, span->from_us, span->to_us);
	if (code == 0)
		code = engine_run(connection, err,
				  "DELETE FROM rollup_due WHERE level = %d AND time >= make_timestamp(%" PRId64
				  ") AND time < make_timestamp(%" PRId64 ")",
				  level, span->from_us, span->to_us);
	if (code == 0)
		code = make_again(connection, level, span, err);
	if (code == 0)
		code = engine_run(connection, err, "COMMIT");
	if (code < 0)
		(void)!engine_run(connection, NULL, "ROLLBACK");
	return code < 0 ? err_prefix(err, code, "roll-up by %s", units[level]) : 0;
}

/* Spans that are due: periods that are over by `now`, or that began before it when open ones are due too. Minutes of
 * one hour come as one span. *ret_spans is malloc'd. */
static int due_spans(duckdb_connection connection, enum rollup_level level, int64_t now_us, bool open,
		     struct span **ret_spans, size_t *ret_count, struct err *err)
{
	struct text_buffer sql = {NULL, 0, 0};
	duckdb_result result;
	int code = text_add(
		&sql,
		"SELECT epoch_us(min(time)), epoch_us(max(time) + INTERVAL 1 %s) FROM (SELECT DISTINCT time FROM "
		"rollup_due WHERE level = %d) WHERE %s <= make_timestamp(%" PRId64 ") GROUP BY date_trunc('%s', "
		"time) ORDER BY 1",
		units[level], level,
		open         ? "time"
		: level == 0 ? "time + INTERVAL 1 minute"
		: level == 1 ? "time + INTERVAL 1 hour"
		: level == 2 ? "time + INTERVAL 1 day"
		: level == 3 ? "time + INTERVAL 1 month"
			     : "time + INTERVAL 1 year",
		now_us, level == ROLLUP_MINUTE ? "hour" : units[level]);
	if (code == 0 && duckdb_query(connection, sql.bytes, &result) != DuckDBSuccess) {
		code = engine_result_error(&result, err);
		duckdb_destroy_result(&result);
	}
	free(sql.bytes);
	if (code < 0)
		return code;
	size_t count = duckdb_row_count(&result);
	struct span *spans = calloc(count ? count : 1, sizeof *spans);
	for (size_t i = 0; spans && i < count; i++)
		spans[i] = (struct span){duckdb_value_int64(&result, 0, i), duckdb_value_int64(&result, 1, i)};
	duckdb_destroy_result(&result);
	*ret_spans = spans;
	*ret_count = count;
	return spans ? 0 : err_set(err, -ENOMEM, "no memory for %zu due roll-ups", count);
}

int roll_up_due(struct store *store, int64_t now_ns, struct err *err)
{
	int code = 0;
	for (int level = ROLLUP_MINUTE; level <= ROLLUP_YEAR && code == 0; level++) {
		struct span *spans = NULL;
		size_t count = 0;
		int64_t began_ns = clock_monotonic_ns(), pause_ns = store->refresh_cost_ns[level] * REFRESH_COSTS;
		if (pause_ns < REFRESH_LEAST_S * NS_PER_S)
			pause_ns = REFRESH_LEAST_S * NS_PER_S;
		bool open = level > ROLLUP_MINUTE &&
			    (store->refreshed_ns[level] == 0 || began_ns - store->refreshed_ns[level] >= pause_ns);
		code = due_spans(store->engine.chores, (enum rollup_level)level, now_ns / NS_PER_US, open, &spans,
				 &count, err);
		for (size_t i = 0; i < count && code == 0; i++) {
			int64_t span_ns = clock_monotonic_ns();
			code = roll(store->engine.chores, (enum rollup_level)level, &spans[i], err);
			store->refresh_cost_ns[level] = clock_monotonic_ns() - span_ns;
		}
		if (open)
			store->refreshed_ns[level] = clock_monotonic_ns();
		free(spans);
	}
	return code;
}

int store_roll_up(struct store *store, int64_t now_ns, struct err *err)
{
	pthread_mutex_lock(&store->chores);
	int code = store_hold(store, err);
	if (code == 0) {
		code = roll_up_due(store, now_ns, err);
		store_release(store);
	}
	pthread_mutex_unlock(&store->chores);
	return code;
}
