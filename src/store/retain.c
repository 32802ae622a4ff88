/* Retention: what is older than its keep time goes, whole days at a time, and the space is given back.
 *
 * Tuples of a day go only when the day's roll-up is there and says the same number of packets; a day that differs is
 * rolled up again, and kept when it differs still. */
#include "store/state.h"

#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <inttypes.h>

static int64_t cutoff_us(int64_t now_ns, int64_t keep_ns)
{
	return time_floor(now_ns - keep_ns, NS_PER_DAY) / NS_PER_US;
}

/* Days before the cutoff of which tuples and roll-up differ; the first of them, or the cutoff. */
static int first_difference(duckdb_connection connection, int64_t cutoff, int64_t *ret_us, struct err *err)
{
	return engine_number(
		connection, ret_us, err,
		"SELECT coalesce(min(epoch_us(t)), %" PRId64
		") FROM (SELECT date_trunc('day', minute)::TIMESTAMP AS t, sum(packets) AS p FROM tuple WHERE minute < "
		"make_timestamp(%" PRId64
		") GROUP BY t) AS kept LEFT JOIN (SELECT time, sum(packets) AS q FROM rollup WHERE "
		"level = %d AND dimension = %d GROUP BY time) AS rolled ON t = time WHERE q IS DISTINCT FROM p",
		cutoff, cutoff, ROLLUP_DAY, ROLLUP_ALL);
}

static int retain_tuples(struct store *store, int64_t now_ns, struct err *err)
{
	duckdb_connection connection = store->engine.chores;
	int64_t cutoff = cutoff_us(now_ns, store->options.keep_tuple_ns), rows = 0, until = cutoff;
	int code = engine_number(connection, &rows, err,
				 "SELECT count(*) FROM tuple WHERE minute < make_timestamp(%" PRId64 ")", cutoff);
	if (code < 0 || rows == 0)
		return code;
	code = first_difference(connection, cutoff, &until, err);
	if (code == 0 && until < cutoff) {
		code = engine_run(connection, err,
				  "INSERT INTO rollup_due SELECT DISTINCT 0, minute FROM tuple WHERE minute < "
				  "make_timestamp(%" PRId64 ")",
				  cutoff);
		if (code == 0)
			code = roll_up_due(store, now_ns, err);
		if (code == 0)
			code = first_difference(connection, cutoff, &until, err);
	}
	if (code == 0 && until < cutoff) {
		char text[TIME_TEXT_BYTES];
		LOG(LOG_WARNING, "store.rollup_differs", "tuples are kept: their roll-up does not add up",
		    LOG_TEXT("day", time_format(until * NS_PER_US, text)));
	}
	if (code == 0)
		code = engine_run(connection, err, "BEGIN");
	if (code == 0)
		code = engine_run(connection, err, "DELETE FROM tuple WHERE minute < make_timestamp(%" PRId64 ")",
				  until);
	if (code == 0)
		code = engine_run(connection, err, "DELETE FROM tuple_floor");
	if (code == 0)
		code = engine_run(connection, err, "INSERT INTO tuple_floor VALUES (make_timestamp(%" PRId64 "))",
				  until);
	if (code == 0)
		code = engine_run(connection, err, "COMMIT");
	if (code < 0)
		(void)!engine_run(connection, NULL, "ROLLBACK");
	return code;
}

static int retain_table(duckdb_connection connection, const char *table, const char *time, int64_t now_ns,
			int64_t keep_ns, struct err *err)
{
	if (keep_ns <= 0)
		return 0;
	return engine_run(connection, err, "DELETE FROM \"%s\" WHERE \"%s\" < make_timestamp(%" PRId64 ")", table, time,
			  cutoff_us(now_ns, keep_ns));
}

/* Roll-ups of a level; from when on they are kept is written down (plan.c). */
static int retain_rollups(duckdb_connection connection, int level, int64_t now_ns, int64_t keep_ns, struct err *err)
{
	if (keep_ns <= 0)
		return 0;
	int64_t cutoff = cutoff_us(now_ns, keep_ns);
	int code = engine_run(connection, err,
			      "BEGIN; DELETE FROM rollup WHERE level = %d AND time < make_timestamp(%" PRId64
			      "); DELETE FROM rollup_floor WHERE level = %d; "
			      "INSERT INTO rollup_floor VALUES (%d, make_timestamp(%" PRId64 ")); COMMIT",
			      level, cutoff, level, level, cutoff);
	if (code < 0)
		(void)!engine_run(connection, NULL, "ROLLBACK");
	return code;
}

static int retain_all(struct store *store, int64_t now_ns, struct err *err)
{
	const struct store_options *options = &store->options;
	const struct {
		const char *table, *time;
		int64_t keep_ns;
	} rules[] = {
		{"echo", "bin", options->keep_echo_ns},
		{"health", "minute", options->keep_health_ns},
		{"finding", "time", options->keep_finding_ns},
		{"sighting", "time", options->keep_sighting_ns},
		{"source_sample", "time", options->keep_rollup_day_ns ? options->keep_rollup_day_ns : 800 * NS_PER_DAY},
		{"intake", "touched", 400 * NS_PER_DAY},
		{"urgent_intake", "touched", 400 * NS_PER_DAY},
	};
	const int64_t keep_rollup_ns[] = {options->keep_rollup_minute_ns, options->keep_rollup_hour_ns,
					  options->keep_rollup_day_ns};
	int code = roll_up_due(store, now_ns, err);
	if (code == 0 && options->keep_tuple_ns > 0)
		code = retain_tuples(store, now_ns, err);
	for (size_t i = 0; i < sizeof rules / sizeof *rules && code == 0; i++)
		code = retain_table(store->engine.chores, rules[i].table, rules[i].time, now_ns, rules[i].keep_ns, err);
	for (int level = 0; level < 3 && code == 0; level++)
		code = retain_rollups(store->engine.chores, level, now_ns, keep_rollup_ns[level], err);
	return code;
}

int store_retain(struct store *store, int64_t now_ns, struct err *err)
{
	pthread_mutex_lock(&store->chores);
	int code = store_hold(store, err);
	if (code == 0) {
		code = retain_all(store, now_ns, err);
		store_release(store);
	}
	if (code == 0) {
		pthread_mutex_lock(&store->lanes[LANE_BULK].commit);
		code = store_hold(store, err);
		if (code == 0) {
			(void)!store_checkpoint(store,
						NULL); /* gives space back; with readers in the way the next will */
			code = figures_load(store, store->engine.writer, err);
			store_release(store);
		}
		pthread_mutex_unlock(&store->lanes[LANE_BULK].commit);
	}
	pthread_mutex_unlock(&store->chores);
	return code;
}
