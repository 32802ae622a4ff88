/* The ways into the engine. See lane.h.
 *
 * Group commit: put only copies; one flush of a lane is one transaction for all of its kinds and acknowledgements, with
 * one fdatasync of the raw ring before it and one of the engine's log in it. Put and queries go on meanwhile.
 */
#include "store/lane.h"

#include "store/state.h"

#include "core/clock.h"
#include "core/module.h"
#include "store/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int lanes_init(struct store *store, struct err *err)
{
	static const char *const intakes[LANES] = {"intake", "urgent_intake"};
	static const char *const serials[LANES] = {"flush_serial", "urgent_serial"};
	int code = 0;
	for (size_t i = 0; i < LANES && code == 0; i++) {
		struct lane *lane = &store->lanes[i];
		*lane = (struct lane){.intake_table = intakes[i], .serial_table = serials[i]};
		lane->writer = i == LANE_URGENT ? &store->engine.urgent : &store->engine.writer;
		pthread_mutex_init(&lane->commit, NULL);
		code = staging_init(&lane->staged, err);
		if (code == 0)
			code = staging_init(&lane->pending, err);
	}
	return code;
}

void lanes_done(struct store *store)
{
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &store->lanes[i];
		staging_done(&lane->staged);
		staging_done(&lane->pending);
		intake_done(&lane->intake);
		intake_done(&lane->pending_intake);
		pthread_mutex_destroy(&lane->commit);
	}
}

int lanes_load_serials(struct store *store, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < LANES && code == 0; i++)
		code = engine_number(store->engine.writer, &store->lanes[i].serial, err, "SELECT serial FROM %s",
				     store->lanes[i].serial_table);
	return code;
}

int lanes_load_intake(struct store *store, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < LANES && code == 0; i++)
		code = intake_load(&store->lanes[i].intake, store->engine.writer, store->lanes[i].intake_table, err);
	return code;
}

int store_check_room(struct store *store, size_t bytes, struct err *err)
{
	int64_t room = free_bytes(store->options.dir), wanted = store->options.free_floor_bytes + (int64_t)bytes;
	if (room >= wanted)
		return 0;
	return err_set(err, -ENOSPC, "%s: %" PRId64 " MiB are free, %" PRId64 " MiB are needed (option free-floor)",
		       store->options.dir, room >> 20, (wanted >> 20) + 1);
}

/* After a failure the engine may refuse all further work; then only opening it again helps. Back with `alive` held for
 * reading and an engine that works. */
static int engine_hold(struct store *store, struct err *err)
{
	pthread_rwlock_rdlock(&store->alive);
	if (!store->broken)
		return 0;
	duckdb_interrupt(store->engine.chores);
	pthread_rwlock_unlock(&store->alive);
	store_interrupt(store);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	if (pthread_rwlock_timedwrlock(&store->alive, &until) != 0)
		return err_set(err, -EAGAIN,
			       "observations: waiting for queries to end before the store is opened again");
	int code = 0;
	if (store->broken) { /* else the other lane was quicker */
		engine_close(&store->engine);
		code = store_database_open(store, err);
		store->broken = code < 0;
	}
	pthread_rwlock_unlock(&store->alive);
	if (code == 0)
		pthread_rwlock_rdlock(&store->alive);
	return code;
}

/* One statement for all ids: a DELETE each would scan the table as often as there are findings. */
static int findings_forget(duckdb_connection writer, const struct text *ids, const uint32_t *rows, uint32_t count,
			   struct err *err)
{
	duckdb_value *values = calloc(count ? count : 1, sizeof *values);
	if (!values)
		return err_set(err, -ENOMEM, "no memory for the ids of %u findings", count);
	for (uint32_t i = 0; i < count; i++)
		values[i] =
			duckdb_create_varchar_length(ids[rows[i]].bytes ? ids[rows[i]].bytes : "", ids[rows[i]].length);
	duckdb_logical_type type = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
	duckdb_value list = duckdb_create_list_value(type, values, count);
	duckdb_prepared_statement statement = NULL;
	int code = 0;
	if (duckdb_prepare(writer, "DELETE FROM finding WHERE id IN (SELECT unnest(?))", &statement) != DuckDBSuccess ||
	    duckdb_bind_value(statement, 1, list) != DuckDBSuccess) {
		code = err_set(err, -EIO, "findings: %s", duckdb_prepare_error(statement));
	} else {
		duckdb_result result;
		if (duckdb_execute_prepared(statement, &result) != DuckDBSuccess)
			code = engine_result_error(&result, err);
		duckdb_destroy_result(&result);
	}
	duckdb_destroy_prepare(&statement);
	duckdb_destroy_value(&list);
	duckdb_destroy_logical_type(&type);
	for (uint32_t i = 0; i < count; i++)
		duckdb_destroy_value(&values[i]);
	free(values);
	return code;
}

static int write_findings(duckdb_connection writer, const struct staged *findings, struct err *err)
{
	uint32_t count = 0;
	uint32_t *rows = staging_finding_order(findings, &count);
	if (!rows)
		return err_set(err, -ENOMEM, "no memory to order findings");
	int code = findings_forget(writer, findings->columns[0], rows, count, err);
	if (code == 0)
		code = table_append(writer, findings->kind, findings->columns, count, rows, NULL, err);
	free(rows);
	return code;
}

static int write_blocks(struct store *store, const struct staged *blocks, struct err *err)
{
	uint64_t *places = malloc(3 * sizeof *places * blocks->rows);
	if (!places)
		return err_set(err, -ENOMEM, "no memory for the places of %u blocks", blocks->rows);
	int code = 0;
	const struct text *data = blocks->columns[5];
	for (uint32_t i = 0; i < blocks->rows && code == 0; i++) {
		struct raw_block block = {.first_ns = ((int64_t *)blocks->columns[0])[i],
					  .last_ns = ((int64_t *)blocks->columns[1])[i],
					  .sensor = ((uint16_t *)blocks->columns[2])[i],
					  .block = ((uint64_t *)blocks->columns[3])[i],
					  .packets = ((uint32_t *)blocks->columns[4])[i],
					  .data = data[i].bytes ? data[i].bytes : "",
					  .bytes = data[i].length};
		struct ring_place place = {0, 0, 0};
		code = ring_append(&store->ring, &block, &place, err);
		places[i] = place.segment;
		places[blocks->rows + i] = place.position;
		places[2 * blocks->rows + i] = place.length;
	}
	if (code == 0)
		code = ring_sync(&store->ring, err);
	const uint64_t *extra[] = {places, places + blocks->rows, places + 2 * blocks->rows, NULL};
	if (code == 0)
		code = table_append(store->engine.writer, blocks->kind, blocks->columns, blocks->rows, NULL, extra,
				    err);
	free(places);
	return code;
}

/* Minutes whose roll-ups must be made (again). */
static int write_due(struct store *store, const struct staged *tuples, const uint32_t *order, struct err *err)
{
	const int64_t *minutes = tuples->columns[0];
	struct text_buffer sql = {NULL, 0, 0};
	int64_t last = INT64_MIN;
	int code = text_add(&sql, "INSERT INTO rollup_due VALUES ");
	for (uint32_t i = 0; i < tuples->rows && code == 0; i++) {
		int64_t minute = time_floor(minutes[order[i]], NS_PER_MINUTE);
		if (minute != last)
			code = text_add(&sql, "%s(0, make_timestamp(%" PRId64 "))", last == INT64_MIN ? "" : ", ",
					minute / NS_PER_US);
		last = minute;
	}
	if (code == 0)
		code = engine_run(store->engine.writer, err, "%s", sql.bytes);
	free(sql.bytes);
	return code;
}

static int write_kind(struct store *store, duckdb_connection writer, const struct staged *staged, struct err *err)
{
	if (staged->rows == 0)
		return 0;
	if (staged->kind == &record_finding)
		return write_findings(writer, staged, err);
	if (staged->kind == &record_block || staged->kind == &record_raw)
		if (store->options.raw_bytes <= 0)
			return 0;
	if (staged->kind == &record_block)
		return write_blocks(store, staged, err);
	if (staged->kind != &record_tuple)
		return table_append(writer, staged->kind, staged->columns, staged->rows, NULL, NULL, err);
	uint32_t *order = staging_tuple_order(staged);
	if (!order)
		return err_set(err, -ENOMEM, "no memory to order %u tuples", staged->rows);
	int code = table_append(store->engine.writer, staged->kind, staged->columns, staged->rows, order, NULL, err);
	if (code == 0)
		code = write_due(store, staged, order, err);
	free(order);
	return code;
}

/* The oldest segments go with their index when the ring is over its size; the files once that is committed. */
static int shrink_ring(struct store *store, uint64_t *ret_below, struct err *err)
{
	uint64_t below = 0;
	*ret_below = 0;
	if (!ring_over(&store->ring, &below))
		return 0;
	int code = engine_run(store->engine.writer, err,
			      "DELETE FROM raw USING block WHERE raw.block = block.block AND raw.sensor = block.sensor "
			      "AND block.segment < %" PRIu64,
			      below);
	if (code == 0)
		code = engine_run(store->engine.writer, err, "DELETE FROM block WHERE segment < %" PRIu64, below);
	*ret_below = below;
	return code;
}

static void count_flushed(struct store *store, struct lane *lane)
{
	pthread_mutex_lock(&store->stage);
	if (lane == &store->lanes[LANE_BULK])
		store->raw_bytes = store->ring.bytes;
	intake_flushed(&lane->intake, &lane->pending_intake);
	for (size_t i = 0; i < STAGED_KINDS_MAX; i++) {
		const struct staged *staged = &lane->pending.kinds[i];
		struct kind_figures *figures = &store->figures[i];
		if (staged->rows == 0)
			continue;
		int64_t oldest = staged->oldest_ns / NS_PER_US, newest = staged->newest_ns / NS_PER_US;
		if (figures->rows == 0 || oldest < figures->oldest_us)
			figures->oldest_us = oldest;
		if (figures->rows == 0 || newest > figures->newest_us)
			figures->newest_us = newest;
		figures->rows += staged->rows;
	}
	pthread_mutex_unlock(&store->stage);
}

static void pending_is_written(struct lane *lane)
{
	staging_clear(&lane->pending);
	lane->pending_intake.count = 0;
	lane->pending_serial = 0;
}

static int transaction_run(struct store *store, struct lane *lane, uint64_t *ret_below, struct err *err)
{
	duckdb_connection writer = *lane->writer;
	int code = engine_run(writer, err, "BEGIN");
	for (size_t i = 0; i < STAGED_KINDS_MAX && code == 0; i++)
		code = write_kind(store, writer, &lane->pending.kinds[i], err);
	if (code == 0)
		code = intake_write(&lane->pending_intake, writer, lane->intake_table, err);
	if (code == 0 && lane == &store->lanes[LANE_BULK])
		code = shrink_ring(store, ret_below, err);
	if (code == 0)
		code = engine_run(writer, err, "UPDATE %s SET serial = %" PRId64, lane->serial_table,
				  lane->pending_serial);
	if (code == 0)
		code = engine_run(writer, err, "COMMIT");
	if (code < 0)
		(void)!engine_run(writer, NULL, "ROLLBACK");
	return code;
}

/* What is pending, in one transaction. Under commit. A commit that failed may be there all the same: the serial number
 * of the last one tells, once the store is open again. */
static int write_pending(struct store *store, struct lane *lane, struct err *err)
{
	if (lane->pending.rows == 0 && lane->pending_intake.count == 0)
		return 0;
	int code = store_check_room(store, lane->pending.bytes, err);
	if (code == 0)
		code = engine_hold(store, err);
	if (code < 0)
		return code;
	if (lane->pending_serial == 0)
		lane->pending_serial = lane->serial + 1;
	bool bulk = lane == &store->lanes[LANE_BULK], there = lane->serial == lane->pending_serial;
	struct ring_place mark = ring_mark(&store->ring);
	uint64_t below = 0;
	if (!there)
		code = transaction_run(store, lane, &below, err);
	if (code < 0) {
		if (bulk)
			ring_back_to(&store->ring, &mark);
		store->broken = true; /* what a failed commit leaves is only certain after opening again */
	} else {
		lane->serial = lane->pending_serial;
		if (below)
			(void)!ring_drop_below(&store->ring, below, NULL);
		if (!there)
			count_flushed(store, lane);
		pthread_mutex_lock(&store->stage);
		intake_flushed(&lane->intake, &lane->pending_intake);
		pthread_mutex_unlock(&store->stage);
		pending_is_written(lane);
	}
	pthread_rwlock_unlock(&store->alive);
	return code;
}

static int swap_staged(struct store *store, struct lane *lane, struct err *err)
{
	pthread_mutex_lock(&store->stage);
	int code = intake_copy_changed(&lane->intake, &lane->pending_intake, err);
	if (code == 0) {
		struct staging swap = lane->staged;
		lane->staged = lane->pending;
		lane->pending = swap;
	}
	pthread_mutex_unlock(&store->stage);
	return code;
}

int lane_flush(struct store *store, struct lane *lane, struct err *err)
{
	pthread_mutex_lock(&lane->commit);
	int code = write_pending(store, lane, err); /* what failed before */
	if (code == 0)
		code = swap_staged(store, lane, err);
	if (code == 0)
		code = write_pending(store, lane, err);
	pthread_mutex_unlock(&lane->commit);
	return code;
}
