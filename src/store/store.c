/* Opening, taking in and committing. See store.h for what is promised and state.h for the locks.
 *
 * Group commit: put only copies; one flush is one transaction for every kind, every sensor and every acknowledgement,
 * with one fdatasync of the raw ring before it and one of the engine's log in it. Put and queries go on meanwhile.
 */
#include "store/state.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/module.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { WAL_BYTES_MAX = 256 << 20, RETRY_MS = 1000, CHECKPOINT_TRIES = 10 };

int64_t file_bytes(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 ? status.st_size : 0;
}

int64_t free_bytes(const char *dir)
{
	struct statvfs room;
	return statvfs(dir, &room) == 0 ? (int64_t)room.f_bavail * (int64_t)room.f_frsize : INT64_MAX;
}

static int open_engine(struct store *store, struct err *err)
{
	char temporary[4200];
	snprintf(temporary, sizeof temporary, "%s/temporary", store->options.dir);
	struct engine_options options = {store->options.memory_bytes, store->options.threads, temporary};
	return engine_open(&store->engine, store->path, &options, err);
}

int store_database_open(struct store *store, struct err *err)
{
	int code = open_engine(store, err);
	if (code == 0)
		code = migrate(store->engine.writer, migration_count, err);
	if (code == 0)
		code = engine_number(store->engine.writer, &store->serial, err, "SELECT serial FROM flush_serial");
	if (code == 0)
		code = figures_load(store, store->engine.writer, err);
	return code;
}

static int store_prepare(struct store *store, const struct store_options *options, struct err *err)
{
	store->options = *options;
	store->options.dir = pool_text(store->pool, options->dir);
	store->lock_fd = -1;
	store->ring.fd = -1;
	store->wal_bytes_max = WAL_BYTES_MAX;
	pthread_mutex_init(&store->chores, NULL);
	pthread_mutex_init(&store->commit, NULL);
	pthread_mutex_init(&store->stage, NULL);
	pthread_mutex_init(&store->running_lock, NULL);
	pthread_cond_init(&store->running_change, NULL);
	pthread_rwlock_init(&store->alive, NULL);
	if (!store->options.dir)
		return err_set(err, -ENOMEM, "no memory for a store");
	if (mkdir(options->dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", options->dir, strerror(errno));
	int code = staging_init(&store->staged, err);
	return code < 0 ? code : staging_init(&store->pending, err);
}

int store_open(const struct store_options *options, struct store **ret_store, struct err *err)
{
	if (!options->dir || strlen(options->dir) > 4000)
		return err_set(err, -EINVAL, "a store needs a directory (of at most 4000 characters)");
	struct pool *pool = pool_new(NULL, "store");
	struct store *store = pool ? pool_alloc(pool, sizeof *store) : NULL;
	if (!store) {
		pool_free(pool);
		return err_set(err, -ENOMEM, "no memory for a store");
	}
	store->pool = pool;
	int code = store_prepare(store, options, err);
	if (code == 0)
		code = lock_take(options->dir, &store->lock_fd, err);
	snprintf(store->path, sizeof store->path, "%s/observations.duckdb", options->dir);
	if (code == 0)
		code = store_database_open(store, err);
	if (code == 0)
		code = intake_load(&store->intake, store->engine.writer, err);
	char raw[4200];
	snprintf(raw, sizeof raw, "%s/raw", options->dir);
	if (code == 0)
		code = ring_open(&store->ring, raw, options->raw_bytes, store->engine.writer, err);
	store->raw_bytes = store->ring.bytes;
	if (code == 0)
		code = running_start(store, err);
	store->broken = code < 0;
	if (code < 0) {
		store_close(store);
		return code;
	}
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (!store->broken)
		(void)!store_flush(store, NULL);
	running_stop(store);
	engine_close(&store->engine);
	ring_close(&store->ring);
	staging_done(&store->staged);
	staging_done(&store->pending);
	intake_done(&store->intake);
	intake_done(&store->pending_intake);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	pthread_mutex_destroy(&store->chores);
	pthread_mutex_destroy(&store->commit);
	pthread_mutex_destroy(&store->stage);
	pthread_mutex_destroy(&store->running_lock);
	pthread_cond_destroy(&store->running_change);
	pthread_rwlock_destroy(&store->alive);
	pool_free(store->pool);
}

static bool is_stopped(struct store *store)
{
	pthread_mutex_lock(&store->stage);
	bool stopped = store->stopped;
	pthread_mutex_unlock(&store->stage);
	return stopped;
}

static void set_stopped(struct store *store, bool stopped, const char *reason)
{
	pthread_mutex_lock(&store->stage);
	bool changed = store->stopped != stopped;
	store->stopped = stopped;
	store->tried_ns = clock_monotonic_ns();
	snprintf(store->reason, sizeof store->reason, "%s", reason);
	pthread_mutex_unlock(&store->stage);
	if (changed && stopped)
		LOG(LOG_ERROR, "store.stopped", "intake is stopped", LOG_TEXT("reason", reason));
	else if (changed)
		LOG(LOG_INFO, "store.resumed", "intake goes on");
}

static int check_room(struct store *store, size_t bytes, struct err *err)
{
	int64_t room = free_bytes(store->options.dir), wanted = store->options.free_floor_bytes + (int64_t)bytes;
	if (room >= wanted)
		return 0;
	return err_set(err, -ENOSPC, "%s: %" PRId64 " MiB are free, %" PRId64 " MiB are needed (option free-floor)",
		       store->options.dir, room >> 20, (wanted >> 20) + 1);
}

/* After a failure the engine may refuse all further work; then only opening it again helps. */
static int revive(struct store *store, struct err *err)
{
	if (!store->broken)
		return 0;
	duckdb_interrupt(store->engine.chores);
	store_interrupt(store);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	if (pthread_rwlock_timedwrlock(&store->alive, &until) != 0)
		return err_set(err, -EAGAIN,
			       "observations: waiting for queries to end before the store is opened again");
	engine_close(&store->engine);
	int code = store_database_open(store, err);
	store->broken = code < 0;
	pthread_rwlock_unlock(&store->alive);
	return code;
}

/* One statement for all ids: a DELETE each would scan the table as often as there are findings. */
static int findings_forget(struct store *store, const struct text *ids, const uint32_t *rows, uint32_t count,
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
	if (duckdb_prepare(store->engine.writer, "DELETE FROM finding WHERE id IN (SELECT unnest(?))", &statement) !=
		    DuckDBSuccess ||
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

static int write_findings(struct store *store, const struct staged *findings, struct err *err)
{
	uint32_t count = 0;
	uint32_t *rows = staging_finding_order(findings, &count);
	if (!rows)
		return err_set(err, -ENOMEM, "no memory to order findings");
	int code = findings_forget(store, findings->columns[0], rows, count, err);
	if (code == 0)
		code = table_append(store->engine.writer, findings->kind, findings->columns, count, rows, NULL, err);
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

static int write_kind(struct store *store, const struct staged *staged, struct err *err)
{
	if (staged->rows == 0)
		return 0;
	if (staged->kind == &record_finding)
		return write_findings(store, staged, err);
	if (staged->kind == &record_block || staged->kind == &record_raw)
		if (store->options.raw_bytes <= 0)
			return 0;
	if (staged->kind == &record_block)
		return write_blocks(store, staged, err);
	if (staged->kind != &record_tuple)
		return table_append(store->engine.writer, staged->kind, staged->columns, staged->rows, NULL, NULL, err);
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

static void count_flushed(struct store *store)
{
	pthread_mutex_lock(&store->stage);
	store->raw_bytes = store->ring.bytes;
	intake_flushed(&store->intake, &store->pending_intake);
	for (size_t i = 0; i < STAGED_KINDS_MAX; i++) {
		const struct staged *staged = &store->pending.kinds[i];
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

static void pending_is_written(struct store *store)
{
	staging_clear(&store->pending);
	store->pending_intake.count = 0;
}

/* What is pending, in one transaction. Under commit. A commit that failed may be there all the same: the serial number
 * of the last one tells, once the store is open again. */
static int write_pending(struct store *store, struct err *err)
{
	if (store->pending.rows == 0 && store->pending_intake.count == 0)
		return 0;
	int64_t serial = store->serial + 1;
	int code = check_room(store, store->pending.bytes, err);
	if (code == 0)
		code = revive(store, err);
	if (code < 0)
		return code;
	if (store->serial == serial) {
		pthread_mutex_lock(&store->stage);
		intake_flushed(&store->intake, &store->pending_intake);
		pthread_mutex_unlock(&store->stage);
		pending_is_written(store);
		return 0;
	}
	struct ring_place mark = ring_mark(&store->ring);
	code = engine_run(store->engine.writer, err, "BEGIN");
	for (size_t i = 0; i < STAGED_KINDS_MAX && code == 0; i++)
		code = write_kind(store, &store->pending.kinds[i], err);
	if (code == 0)
		code = intake_write(&store->pending_intake, store->engine.writer, err);
	uint64_t below = 0;
	if (code == 0)
		code = shrink_ring(store, &below, err);
	if (code == 0)
		code = engine_run(store->engine.writer, err, "UPDATE flush_serial SET serial = %" PRId64, serial);
	if (code == 0)
		code = engine_run(store->engine.writer, err, "COMMIT");
	if (code < 0) {
		(void)!engine_run(store->engine.writer, NULL, "ROLLBACK");
		ring_back_to(&store->ring, &mark);
		store->broken = true; /* what a failed commit leaves is only certain after opening again */
		return code;
	}
	store->serial = serial;
	if (below)
		(void)!ring_drop_below(&store->ring, below, NULL);
	count_flushed(store);
	pending_is_written(store);
	return 0;
}

static int swap_staged(struct store *store, struct err *err)
{
	pthread_mutex_lock(&store->stage);
	int code = intake_copy_changed(&store->intake, &store->pending_intake, err);
	if (code == 0) {
		struct staging swap = store->staged;
		store->staged = store->pending;
		store->pending = swap;
	}
	pthread_mutex_unlock(&store->stage);
	return code;
}

int store_checkpoint(struct store *store, struct err *err)
{
	int code = 0;
	for (int try = 0; try < CHECKPOINT_TRIES; try++) {
		code = engine_run(store->engine.writer, err, "CHECKPOINT");
		if (code == 0 || code == -ENOSPC)
			break;
		usleep(100 * 1000);
	}
	store->checkpointed_ns = clock_monotonic_ns();
	return code;
}

static int checkpoint_when_due(struct store *store, struct err *err)
{
	char wal[4200];
	snprintf(wal, sizeof wal, "%s.wal", store->path);
	if (file_bytes(wal) < store->wal_bytes_max || pthread_mutex_trylock(&store->chores) != 0)
		return 0; /* roll-ups write, or a backup copies: the next flush will do */
	int code = check_room(store, (size_t)file_bytes(wal), err);
	if (code == 0)
		code = store_checkpoint(store, err);
	pthread_mutex_unlock(&store->chores);
	return code;
}

int store_flush(struct store *store, struct err *err)
{
	struct err own;
	struct err *why = err ? err : &own;
	why->text[0] = '\0';
	pthread_mutex_lock(&store->commit);
	int code = write_pending(store, why); /* what failed before */
	if (code == 0)
		code = swap_staged(store, why);
	if (code == 0)
		code = write_pending(store, why);
	if (code == 0)
		(void)!checkpoint_when_due(store, NULL); /* what was committed is safe in the log; tried again later */
	pthread_mutex_unlock(&store->commit);
	if (code < 0 || is_stopped(store))
		set_stopped(store, code < 0, why->text);
	return code;
}

/* 0 when intake runs or runs again. Tries once a second. */
static int resume(struct store *store, struct err *err)
{
	pthread_mutex_lock(&store->stage);
	bool stopped = store->stopped;
	bool soon = clock_monotonic_ns() - store->tried_ns < RETRY_MS * NS_PER_MS;
	if (stopped && soon)
		err_set(err, -ENOSPC, "intake is stopped: %s", store->reason);
	pthread_mutex_unlock(&store->stage);
	if (!stopped)
		return 0;
	if (soon)
		return -ENOSPC;
	return store_flush(store, err) < 0 ? err_prefix(err, -ENOSPC, "intake is stopped") : 0;
}

static int take(struct store *store, const struct batch *batch, struct err *err)
{
	pthread_mutex_lock(&store->stage);
	int code = batch->sequence ? intake_mark(&store->intake, batch->sensor_boot, batch->sequence, err) : 0;
	if (code == 0) {
		code = staging_take(&store->staged, batch, err);
		if (code < 0 && batch->sequence)
			intake_unmark(&store->intake, batch->sensor_boot, batch->sequence);
	}
	pthread_mutex_unlock(&store->stage);
	return code;
}

int store_put(struct store *store, const struct batch *batch, struct err *err)
{
	if (!kind_is_stored(batch->kind))
		return err_set(err, -EINVAL, "records of kind %s are never stored", batch->kind->name);
	int code = resume(store, err);
	if (code < 0)
		return code;
	pthread_mutex_lock(&store->stage);
	bool full = store->staged.bytes > STORE_STAGED_BYTES;
	pthread_mutex_unlock(&store->stage);
	if (full && store_flush(store, err) < 0)
		return err_prefix(err, -ENOSPC, "intake is stopped");
	return take(store, batch, err);
}

uint64_t store_acknowledged(struct store *store, uint64_t boot)
{
	pthread_mutex_lock(&store->stage);
	uint64_t sequence = intake_acknowledged(&store->intake, boot);
	pthread_mutex_unlock(&store->stage);
	return sequence;
}
